//! Documents with faults, read as far as a meaning remains.
//!
//! A document that is not what its language says is not refused here: each fault is put right in the way that its
//! authors most likely meant, and reported as a [`Note`]. What comes out passes the stages that are strict,
//! [`swagger2`](crate::swagger2) and [`openapi31`](crate::openapi31), but for what has no equal in OpenAPI 3.0.
//! A document without faults comes out as it went in.
//!
//! Only commands that take any document (diff, validate) read it so. What is vendored passes the strict stages alone.

mod bundle;
mod grammar;
mod notes;
mod pass;
mod references;
mod rules;
mod schemas;
mod swagger;
mod version;
mod walk;

use serde_json::Value;

use crate::Error;
pub use bundle::{Bundle, Origin, bundle};
pub use notes::{Level, Note, Reading, Rule};
pub use rules::RULES;
pub use version::Version;

/// How often a document is gone through: what is left out in one pass may be referred to in the next.
const PASSES: usize = 16;

/// Reads a document whose other files are written into it: faults there are reported with their file.
///
/// # Errors
/// As those of [`read`].
pub fn read_bundle(bundle: Bundle) -> Result<(Reading, Bundle), Error> {
    let mut bundle = bundle;
    let mut reading = read(std::mem::take(&mut bundle.document))?;
    for note in &mut reading.notes {
        if let Some((_, reason)) = bundle.unread.iter().find(|(pointer, _)| *pointer == note.pointer) {
            note.fault.clone_from(reason);
        }
        if let Some((file, pointer)) = bundle.origin(&note.pointer) {
            note.pointer = format!("{file}#{pointer}");
        }
    }
    Ok((reading, bundle))
}

/// Reads a document with its faults.
///
/// # Errors
/// Where no meaning remains: a value that is no object, a version that is not known, `paths` that are none.
pub fn read(document: Value) -> Result<Reading, Error> {
    let version = Version::of(&document)?;
    if let Some(paths) = document.get("paths").filter(|paths| !paths.is_object() && !paths.is_null()) {
        let found = if paths.is_array() { "a list" } else { "no object" };
        return Err(Error::new("/paths", format!("must be an object, and is {found}")));
    }
    let mut reading = Reading { document, notes: Vec::new() };
    for _ in 0..PASSES {
        let (document, notes) = walk::pass(reading.document, version);
        reading.document = document;
        if notes.is_empty() {
            break;
        }
        reading.notes.extend(notes);
    }
    Ok(reading)
}
