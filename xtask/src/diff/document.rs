//! A document that can be compared: OpenAPI 3.0, whose references resolve.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::check;
use crate::source::Error;

/// A document as OpenAPI 3.0 in which every object is what the language says.
#[derive(Debug)]
pub struct Document {
    root: Value,
}

/// What a reference leads to.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// What is there.
    pub value: &'a Value,
    /// The pointer that led there last; none where there was no reference.
    pub pointer: Option<&'a str>,
}

impl Document {
    /// Reads Swagger 2.0 or OpenAPI 3.0.
    ///
    /// # Errors
    /// What is neither, what the conversion refuses, and what is not of the type that the language asks for.
    pub fn new(name: &str, document: Value) -> Result<Self, Error> {
        let failed = |error: datagouv_specs::Error| Error::new(name, error);
        let mut root = datagouv_specs::document::to_openapi(document).map_err(failed)?;
        check::check(&root).map_err(failed)?;
        // What stands beside a reference is meant, though the language would have it ignored.
        datagouv_specs::swagger2::wrap_reference_siblings(&mut root);
        Ok(Self { root })
    }

    /// The document.
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// What a value is, or what it refers to in the end.
    pub fn follow<'a>(&'a self, value: &'a Value) -> Target<'a> {
        follow(&self.root, value).unwrap_or(Target { value: &Value::Null, pointer: None })
    }
}

/// What a value refers to in the end: none if it leads nowhere, out of the document, or back to itself.
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

/// What a pointer in a fragment leads to (RFC 6901, section 6).
fn lookup<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    root.pointer(pointer).or_else(|| {
        let decoded = percent_decode_str(pointer).decode_utf8().ok()?;
        root.pointer(&decoded)
    })
}
