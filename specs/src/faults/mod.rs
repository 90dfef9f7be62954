//! Documents with faults, read as far as a meaning remains.
//!
//! A document that is not what its language says is not refused here: each fault is put right in the way that its
//! authors most likely meant, and told with a [`Note`]. What comes out passes the stages that are strict,
//! [`swagger2`](crate::swagger2) and [`openapi31`](crate::openapi31), but for what has no equal in OpenAPI 3.0.
//! A document without faults comes out as it went in.
//!
//! Only what tells changes from changes reads documents so. What is vendored passes the strict stages alone.

mod grammar;
mod references;
mod rules;
mod schemas;
mod swagger;
mod walk;

use std::fmt;

use serde_json::Value;

use crate::Error;
use crate::document::unknown_version;
pub use rules::{RULES, Rule};

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

/// How often a document is gone through: what is left out in one pass may be referred to in the next.
const PASSES: usize = 16;

/// Reads a document with its faults.
///
/// # Errors
/// Where no meaning remains: a value that is no object, a version that is not known, `paths` that are none.
pub fn read(document: Value) -> Result<Reading, Error> {
    let version = Version::of(&document)?;
    if let Some(paths) = document.get("paths").filter(|paths| !paths.is_object() && !paths.is_null()) {
        let found = if paths.is_array() { "a list" } else { "no object" };
        return Err(Error::new("/paths", format!("must be an object, and is {found}")));
    }
    let mut reading = Reading { document, notes: Vec::new() };
    for _ in 0..PASSES {
        let (document, notes) = walk::pass(reading.document, version);
        reading.document = document;
        if notes.is_empty() {
            break;
        }
        reading.notes.extend(notes);
    }
    Ok(reading)
}
