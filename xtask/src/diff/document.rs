//! A checked document: OpenAPI 3.0 whose references resolve.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::check;
use crate::source::Error;

/// An OpenAPI 3.0 document in which every object has the type that the specification says.
#[derive(Debug)]
pub struct Document {
    root: Value,
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
    /// Reads Swagger 2.0 or OpenAPI 3.0.
    ///
    /// # Errors
    /// If it is neither, if the conversion fails, or if an object has another type than the specification says.
    pub fn new(name: &str, document: Value) -> Result<Self, Error> {
        let failed = |error: datagouv_specs::Error| Error::new(name, error);
        let mut root = datagouv_specs::document::to_openapi(document).map_err(failed)?;
        check::check(&root).map_err(failed)?;
        // Siblings of a reference are meant to apply, although the specification ignores them.
        datagouv_specs::swagger2::wrap_reference_siblings(&mut root);
        Ok(Self { root })
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
