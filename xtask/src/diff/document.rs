//! A document in the form that is compared: OpenAPI 3.

use datagouv_specs::faults::{self, Note, Reading, Version};
use datagouv_specs::{openapi31, swagger2};
use serde_json::Value;

use super::references::{Target, follow};
use crate::source::Error;

/// A document in the words of OpenAPI 3.0, with what 3.1 has besides, in which every object has the type that the
/// specification says.
#[derive(Debug)]
pub struct Document {
    root: Value,
    notes: Vec<Note>,
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
