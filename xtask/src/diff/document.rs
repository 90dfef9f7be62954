//! A checked document: OpenAPI 3 whose references resolve.

use datagouv_specs::faults::{self, Note, Reading, Version};
use datagouv_specs::{openapi31, swagger2};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::check;
use crate::source::Error;

/// A document in the words of OpenAPI 3.0, with what 3.1 has besides, in which every object has the type that the
/// specification says.
#[derive(Debug)]
pub struct Document {
    root: Value,
    notes: Vec<Note>,
}

/// The target of a reference.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The value.
    pub value: &'a Value,
    /// The pointer of the last reference followed; `None` if there was none.
    pub pointer: Option<&'a str>,
}

impl Document {
    /// Reads Swagger 2.0, OpenAPI 3.0 or 3.1, with the faults of the document as notes.
    ///
    /// # Errors
    /// If it is none of these, or if no meaning remains of it.
    pub fn new(name: &str, document: Value) -> Result<Self, Error> {
        let reading = faults::read(document).map_err(|error| Error::new(name, error))?;
        Self::of(name, reading)
    }

    /// What was read of a document, in the form that is compared.
    ///
    /// # Errors
    /// If what remains cannot be compared.
    pub fn of(name: &str, reading: Reading) -> Result<Self, Error> {
        let failed = |error: datagouv_specs::Error| Error::new(name, error);
        let Reading { document, notes } = reading;
        let mut root = match Version::of(&document).map_err(failed)? {
            Version::Swagger2 => swagger2::to_openapi(&document).map_err(failed)?,
            Version::OpenApi30 => document,
            Version::OpenApi31 => openapi31::to_comparable(&document).map_err(failed)?,
        };
        check::check(&root).map_err(failed)?;
        // Siblings of a reference are meant to apply, although the specification ignores them.
        swagger2::wrap_reference_siblings(&mut root);
        Ok(Self { root, notes })
    }

    /// The faults of the document, as it was received.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The document.
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// Follows references until a value that is not one.
    pub fn follow<'a>(&'a self, value: &'a Value) -> Target<'a> {
        follow(&self.root, value).unwrap_or(Target { value: &Value::Null, pointer: None })
    }
}

/// Follows references; `None` if one cannot be resolved, leaves the document, or is part of a cycle.
pub fn follow<'a>(root: &'a Value, value: &'a Value) -> Option<Target<'a>> {
    let mut target = Target { value, pointer: None };
    let mut seen = Vec::new();
    while let Some(reference) = reference(target.value) {
        if seen.contains(&reference) {
            return None;
        }
        seen.push(reference);
        target = Target { value: lookup(root, reference)?, pointer: reference.strip_prefix('#') };
    }
    Some(target)
}

/// The text of a reference.
pub fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}

/// Looks up a pointer in a URI fragment (RFC 6901, section 6).
fn lookup<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    root.pointer(pointer).or_else(|| {
        let decoded = percent_decode_str(pointer).decode_utf8().ok()?;
        root.pointer(&decoded)
    })
}
