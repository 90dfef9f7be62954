//! The state of a pass, which all rules share.

use serde_json::Value;

use super::notes::{Note, Rule};
use super::rules;
use super::version::Version;

/// The state of a pass.
pub(super) struct Pass {
    /// The document as it was before the pass, into which references lead.
    pub root: Value,
    pub version: Version,
    pub notes: Vec<Note>,
}

impl Pass {
    pub fn note(&mut self, rule: &'static Rule, pointer: &str, fault: impl Into<String>, reading: impl Into<String>) {
        self.notes.push(Note { rule, pointer: pointer.to_owned(), fault: fault.into(), reading: reading.into() });
    }

    pub fn is_swagger(&self) -> bool {
        self.version == Version::Swagger2
    }

    pub fn left_out(&mut self, value: &Value, expected: &str, at: &str) -> Option<Value> {
        let fault = format!("must be {expected}, and is {}", kind_name(value));
        self.note(&rules::WRONG_TYPE, at, fault, "it is left out");
        None
    }
}

/// What a value is, in words.
pub(super) fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
