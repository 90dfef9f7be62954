//! The Rust axis: changes of the crate's public surface.
//!
//! Compares the code that the pipeline generates for OLD and for NEW, and not the documents: types are named by rules,
//! shared, split by role, and corrected by the overlay.

mod compare;
mod correct;
mod origins;
mod renames;
pub mod surface;

use datagouv_specs::{Api, generate};
use serde_json::Value;

use super::change::{Release, RustChange};
use crate::overlays::SourceOverlay;
use crate::source::{Error, Loaded};
use correct::Corrected;
use origins::Origins;
use surface::Surface;

pub use compare::{RULES, compare};

/// The changes of the crate that a new document causes.
#[derive(Debug, Clone, Default)]
pub struct Axis {
    /// The changes, by method and then by type.
    pub changes: Vec<RustChange>,
    /// The actions of the overlay that do not apply to one of the documents, so that types may differ from those of a
    /// crate with an overlay of its own.
    pub notes: Vec<String>,
}

impl Axis {
    /// The release that the changes need.
    pub fn release(&self) -> Release {
        release(&self.changes)
    }
}

/// The release that these changes need.
pub fn release(changes: &[RustChange]) -> Release {
    if changes.iter().any(|change| change.breaking) {
        Release::Major
    } else if changes.is_empty() {
        Release::Patch
    } else {
        Release::Minor
    }
}

/// The client that is generated from a document.
#[derive(Debug, Clone)]
pub struct Crate {
    surface: Surface,
    origins: Origins,
    notes: Vec<String>,
}

impl Crate {
    /// Generates the client of a document, as it was received, corrected by the overlay that came with it, or by the
    /// project's, which may have been written for another.
    ///
    /// # Errors
    ///
    /// If the pipeline fails on the document.
    pub fn of(api: Api, received: &Value, own: Option<&[u8]>, overlay: &SourceOverlay) -> Result<Self, String> {
        let own = own.and_then(|bytes| serde_json::from_slice(bytes).ok());
        let corrected = match own.and_then(|own| correct::exactly(api, received, &own)) {
            Some(corrected) => corrected,
            None => correct::leniently(api, received, overlay)?,
        };
        let Corrected { shaped, document, notes } = corrected;
        let source = generate::generate(&shaped).map_err(|error| error.to_string())?;
        Ok(Self { surface: surface::read(&source)?, origins: Origins::of(&shaped, &document), notes })
    }
}

/// Compares the crates of two documents of an API: what was loaded, and what it says.
///
/// # Errors
///
/// If the pipeline fails on one of the documents, which the reason names, or if there is no overlay.
pub fn between(api: Api, old: (&Loaded, &Value), new: (&Loaded, &Value)) -> Result<Axis, Error> {
    let folder = crate::root().join("specs").join(api.name());
    let overlay = SourceOverlay::read(&folder).map_err(|reason| Error::new(api.name(), reason))?;
    let generate = |(loaded, received): (&Loaded, &Value)| {
        Crate::of(api, received, loaded.overlay.as_deref(), &overlay).map_err(|reason| Error::new(&loaded.name, reason))
    };
    // In parallel: the catalogue's client has 1.5 MB, all of which is parsed.
    let (before, after) = std::thread::scope(|scope| {
        let other = scope.spawn(|| generate(old));
        let after = generate(new);
        let before = other.join().unwrap_or_else(|_| Err(Error::new(&old.0.name, "the pipeline gave up")));
        (before, after)
    });
    Ok(axis(api, (&old.0.name, before?), (&new.0.name, after?)))
}

/// Compares two crates of an API, each with the name of its document.
pub fn axis(api: Api, (old_name, old): (&str, Crate), (new_name, new): (&str, Crate)) -> Axis {
    let mut changes = compare(api, &old.surface, &new.surface);
    for change in &mut changes {
        change.origin =
            change.origin.take().and_then(|origin| new.origins.find(&origin).or_else(|| old.origins.find(&origin)));
    }
    let told = |name: &str, notes: Vec<String>| -> Vec<String> {
        notes.into_iter().map(|note| format!("{name}: {note}")).collect()
    };
    let notes = [told(old_name, old.notes), told(new_name, new.notes)].concat();
    Axis { changes, notes }
}
