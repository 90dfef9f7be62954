//! The one error of the pipeline: what is wrong, and where in the document.

use std::fmt;

/// What is wrong with a document, and the place in it as a JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// JSON pointer into the document at hand; empty for the document as a whole.
    pub pointer: String,
    /// A sentence that says what is wrong there.
    pub message: String,
}

impl Error {
    /// An error at a place of the document.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.pointer, self.message)
        }
    }
}

impl std::error::Error for Error {}
