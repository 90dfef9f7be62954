//! The errors of the database and of PostgREST: status and body.

use serde_json::{Value, json};

use super::scan::Unparsable;
use super::value::InputError;

/// An error of the database or of PostgREST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DatabaseError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) details: Option<String>,
    pub(crate) hint: Option<String>,
}

impl DatabaseError {
    /// An error of the database; PostgREST responds with 404 to an unknown function or operator, else with 400.
    pub(crate) fn of(code: &str, message: impl Into<String>) -> Self {
        let status = if matches!(code, "42883" | "42P01") { 404 } else { 400 };
        Self { status, code: code.to_owned(), message: message.into(), details: None, hint: None }
    }

    pub(crate) fn with_hint(self, hint: &str) -> Self {
        Self { hint: Some(hint.to_owned()), ..self }
    }

    pub(crate) fn no_operator(left: &str, operator: &str) -> Self {
        Self::of("42883", format!("operator does not exist: {left} {operator} unknown")).with_hint(
            "No operator matches the given name and argument types. You might need to add explicit type casts.",
        )
    }

    pub(crate) fn no_function(function: &str, argument: &str) -> Self {
        Self::of("42883", format!("function {function}({argument}) does not exist")).with_hint(
            "No function matches the given name and argument types. You might need to add explicit type casts.",
        )
    }

    /// An impossible range of rows.
    pub(crate) fn range(details: String) -> Self {
        let message = "Requested range not satisfiable".to_owned();
        Self { status: 416, code: "PGRST103".to_owned(), message, details: Some(details), hint: None }
    }

    pub(crate) fn body(&self) -> Value {
        json!({"code": self.code, "details": self.details, "hint": self.hint, "message": self.message})
    }
}

impl From<Unparsable> for DatabaseError {
    fn from(error: Unparsable) -> Self {
        let details = Some(error.details);
        Self { status: 400, code: "PGRST100".to_owned(), message: error.message, details, hint: None }
    }
}

impl From<InputError> for DatabaseError {
    fn from(error: InputError) -> Self {
        Self { hint: error.hint, ..Self::of(error.code, error.message) }
    }
}
