//! What is found in a document.

use serde::Serialize;

use crate::source::Position;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document is not of its language, or part of it cannot be read.
    Error,
    /// It can be read, though it does not say what it means.
    Warning,
    /// It is of its language, and may surprise.
    Info,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Info];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A finding in a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule, kebab-case.
    pub rule: &'static str,
    /// How bad it is.
    pub level: Severity,
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// Where in the text.
    #[serde(flatten)]
    pub position: Place,
    /// What is wrong.
    pub text: String,
    /// How it is read where the document is compared.
    pub reading: Option<String>,
}

/// A position that may not be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Place {
    /// The line, from one.
    pub line: Option<usize>,
    /// The column, from one.
    pub column: Option<usize>,
}

impl From<Option<Position>> for Place {
    fn from(position: Option<Position>) -> Self {
        Self { line: position.map(|it| it.line), column: position.map(|it| it.column) }
    }
}

impl Finding {
    /// A finding without a position.
    pub fn new(rule: &'static str, level: Severity, pointer: impl Into<String>, text: impl Into<String>) -> Self {
        let (pointer, text) = (pointer.into(), text.into());
        Self { rule, level, pointer, position: Place::default(), text, reading: None }
    }
}
