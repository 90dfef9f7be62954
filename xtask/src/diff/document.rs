//! A checked document: OpenAPI 3.0 whose references resolve.

use serde_json::Value;

use super::check;
use super::references::{Target, follow};
use crate::source::Error;

/// An OpenAPI 3.0 document in which every object has the type that the specification says.
#[derive(Debug)]
pub struct Document {
    root: Value,
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
