//! The texts of parameters and of form fields, as values of their schemas.

use serde_json::Value;

use crate::document::Document;
use crate::validate::{Checker, Direction};

/// Whether a schema has a type.
pub(crate) fn has_type(document: &Document, schema: &Value, wanted: &str) -> bool {
    document.parts(schema).iter().any(|part| part.get("type").and_then(Value::as_str) == Some(wanted))
}

/// Checks the text of a parameter or of a form field against a schema.
pub(crate) fn check_text(document: &Document, schema: &Value, text: &str) -> Result<(), String> {
    Checker::new(document, Direction::Request)
        .check(schema, &typed(document, schema, text))
        .map_err(|mismatch| mismatch.to_string())
}

/// The JSON value of a text under a schema: a number or a boolean only if no string fits.
pub(crate) fn typed(document: &Document, schema: &Value, text: &str) -> Value {
    let as_text = Value::String(text.to_owned());
    let checker = Checker::new(document, Direction::Request);
    if has_type(document, schema, "string") || checker.check(schema, &as_text).is_ok() {
        return as_text;
    }
    // JSON allows blanks around a number, a query does not.
    match serde_json::from_str(text) {
        Ok(read @ (Value::Number(_) | Value::Bool(_))) if text.trim() == text => read,
        _ => as_text,
    }
}
