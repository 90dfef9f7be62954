//! The languages of documents.

use serde_json::Value;

use crate::Error;
use crate::document::unknown_version;

/// The languages of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Swagger 2.0.
    Swagger2,
    /// OpenAPI 3.0.
    OpenApi30,
    /// OpenAPI 3.1.
    OpenApi31,
}

impl Version {
    /// The language that a document says it is in.
    ///
    /// # Errors
    /// If it says none, or one that is not read.
    pub fn of(document: &Value) -> Result<Self, Error> {
        let Some(members) = document.as_object() else {
            return Err(Error::new("", "must be an object: a document of Swagger 2.0 or OpenAPI 3"));
        };
        match (members.get("swagger"), members.get("openapi")) {
            (Some(version), None) => match in_digits(version).as_str() {
                "2" | "2.0" => Ok(Self::Swagger2),
                other => Err(Error::new("/swagger", format!("Swagger {other} is not read; 2.0 is"))),
            },
            (_, Some(version)) => {
                let version = in_digits(version);
                let mut numbers = version.split('.');
                match (numbers.next(), numbers.next()) {
                    (Some("3"), Some("0")) => Ok(Self::OpenApi30),
                    (Some("3"), Some("1")) => Ok(Self::OpenApi31),
                    _ => Err(unknown_version(&version)),
                }
            }
            (None, None) => Err(Error::new("", "neither `swagger: \"2.0\"` nor `openapi: \"3.0.x\"` or `\"3.1.x\"`")),
        }
    }
}

/// A version as a text: YAML makes a number of `2.0`.
fn in_digits(version: &Value) -> String {
    version.as_str().map_or_else(|| version.to_string(), |text| text.trim().to_owned())
}
