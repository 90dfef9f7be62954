//! The Rust axis: what a program written against the crate notices.
//!
//! It is worked out from what the pipeline generates for OLD and for NEW, with the overlay, and not guessed from the
//! documents: types are named by rules, shared, split by role, and corrected.

mod compare;
mod correct;
mod origins;
mod renames;
pub mod surface;

use datagouv_specs::{Api, generate};
use serde_json::Value;

use super::change::{Release, RustChange};
use crate::overlays::Written;
use origins::Origins;
use surface::Surface;

pub use compare::{RULES, compare};

/// What a program written against the crate notices of a new document.
#[derive(Debug, Clone, Default)]
pub struct Axis {
    /// The changes, by method and then by type.
    pub changes: Vec<RustChange>,
    /// What of the overlay does not fit one of the documents, so that types may differ from those that the crate of its
    /// time would have had.
    pub notes: Vec<String>,
}

impl Axis {
    /// How the version of the crate must move.
    pub fn release(&self) -> Release {
        release(&self.changes)
    }
}

/// How the version of the crate must move for these changes.
pub fn release(changes: &[RustChange]) -> Release {
    if changes.iter().any(|change| change.breaking) {
        Release::Major
    } else if changes.is_empty() {
        Release::Patch
    } else {
        Release::Minor
    }
}

/// What a document generates.
#[derive(Debug, Clone)]
pub struct Crate {
    surface: Surface,
    origins: Origins,
    notes: Vec<String>,
}

impl Crate {
    /// Generates the client of a document, as it was received, with an overlay that may have been written for another.
    ///
    /// # Errors
    ///
    /// When the pipeline refuses the document.
    pub fn of(api: Api, received: &Value, overlay: &Written) -> Result<Self, String> {
        let (shaped, document, notes) = correct::shaped(api, received, overlay)?;
        let source = generate::generate(&shaped).map_err(|error| error.to_string())?;
        Ok(Self { surface: surface::read(&source)?, origins: Origins::of(&shaped, &document), notes })
    }
}

/// Compares the crates of two documents of an API, as they were received, with the overlay that is in the project.
///
/// # Errors
///
/// When the overlay cannot be read, or as those of [`axis`].
pub fn between(api: Api, old: &Value, new: &Value) -> Result<Axis, String> {
    let overlay = Written::read(&crate::root().join("specs").join(api.name()))?;
    axis(api, (old, &overlay), (new, &overlay))
}

/// Compares the crates of two documents of an API: each with the overlay that corrects it.
///
/// # Errors
///
/// When the pipeline refuses one of the documents; the reason begins with `OLD` or `NEW`.
pub fn axis(api: Api, old: (&Value, &Written), new: (&Value, &Written)) -> Result<Axis, String> {
    // What is generated has 1.5 MB for the catalogue, and is read as a whole: one takes as long as the other.
    let (old, new) = std::thread::scope(|scope| {
        let other = scope.spawn(|| Crate::of(api, old.0, old.1));
        let new = Crate::of(api, new.0, new.1);
        let old = other.join().unwrap_or_else(|_| Err("the pipeline gave up".to_owned()));
        (old, new)
    });
    let old = old.map_err(|reason| format!("OLD: {reason}"))?;
    let new = new.map_err(|reason| format!("NEW: {reason}"))?;
    let mut changes = compare(api, &old.surface, &new.surface);
    for change in &mut changes {
        change.origin =
            change.origin.take().and_then(|origin| new.origins.find(&origin).or_else(|| old.origins.find(&origin)));
    }
    let told = |side: &str, notes: Vec<String>| -> Vec<String> {
        notes.into_iter().map(|note| format!("{side}: {note}")).collect()
    };
    let notes = [told("OLD", old.notes), told("NEW", new.notes)].concat();
    Ok(Axis { changes, notes })
}
