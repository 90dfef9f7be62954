//! Faults of documents.

use std::fmt;

use serde_json::Value;

/// How far a fault reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Part of the document is left out, or was guessed.
    Error,
    /// The document means what it was read as.
    Warning,
}

impl Level {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A kind of fault.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable, kebab-case.
    pub id: &'static str,
    /// How far it reaches.
    pub level: Level,
    /// What is wrong, and how it is read.
    pub text: &'static str,
}

/// A fault of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The rule that it breaks.
    pub rule: &'static Rule,
    /// JSON pointer into the document.
    pub pointer: String,
    /// What is wrong.
    pub fault: String,
    /// How it is read.
    pub reading: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the document" } else { &self.pointer };
        write!(f, "{place}: {}; {}", self.fault, self.reading)
    }
}

/// A document that was read, with its faults.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The document without its faults, in its own language.
    pub document: Value,
    /// Its faults, in the order of the document.
    pub notes: Vec<Note>,
}
