//! The changes that a diff finds.

use std::cmp::Ordering;

use serde::Serialize;
use serde_json::Value;

/// What a change does to a client written against OLD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The client fails.
    Breaking,
    /// The client may fail, depending on what it uses.
    Warning,
    /// The client is not affected.
    Info,
}

impl Level {
    /// All of them, the worst first.
    pub const ALL: [Self; 3] = [Self::Breaking, Self::Warning, Self::Info];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// Whether a change is in what is sent or in what is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Response,
}

impl Direction {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }

    /// The opposite direction.
    pub fn flipped(self) -> Self {
        match self {
            Self::Request => Self::Response,
            Self::Response => Self::Request,
        }
    }
}

/// An operation that a change affects: as in NEW, or as in OLD where it is removed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Operation {
    /// The path.
    pub path: String,
    /// The method, in capitals.
    pub method: String,
    /// The `operationId`.
    pub operation: Option<String>,
    /// The first tag, by which reports group.
    #[serde(skip)]
    pub tag: Option<String>,
}

/// A difference between two documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The id of the rule: stable, kebab-case.
    pub id: &'static str,
    /// What it does to a client written against OLD.
    pub level: Level,
    /// The direction of what changed; `None` where that has no meaning.
    pub direction: Option<Direction>,
    /// The operations that it affects, sorted; empty for a change of the document as a whole.
    pub operations: Vec<Operation>,
    /// Where it is, as a pointer: from the document's root when it starts with `/components`, `/servers` or
    /// `/security`, else from the operation. Parameters, bodies and unions are named, not numbered.
    pub location: String,
    /// The way to it from the first operation, without the names of components; empty where the location is that way.
    pub way: String,
    /// The value in OLD.
    pub old: Option<Value>,
    /// The value in NEW.
    pub new: Option<Value>,
    /// A sentence.
    pub text: String,
    /// Why it is accepted, where it is.
    pub accepted: Option<String>,
    /// What it does to a program written against the crate, the worst first.
    pub rust: Vec<RustChange>,
}

impl Change {
    /// The worst level, of the change on the wire and of its effects on programs that use the crate.
    pub fn worst(&self) -> Level {
        if self.rust.iter().any(|rust| rust.breaking) { Level::Breaking } else { self.level }
    }

    /// The order of reports: the worst first, then by operation and location.
    pub fn order(&self, other: &Self) -> Ordering {
        let key =
            |change: &Self| (change.worst(), change.operations.first().map(|it| (it.path.clone(), it.method.clone())));
        key(self)
            .cmp(&key(other))
            .then_with(|| self.location.cmp(&other.location))
            .then_with(|| self.id.cmp(other.id))
            .then_with(|| self.direction.cmp(&other.direction))
            .then_with(|| self.text.cmp(&other.text))
    }
}

/// A difference between the crates that two documents give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RustChange {
    /// The rule that it is a case of: stable, kebab-case, starts with `rust-`.
    pub id: &'static str,
    /// Whether a program that compiles with OLD may fail to compile, or behave otherwise, with NEW.
    pub breaking: bool,
    /// The path of the item in the crate: `datagouv::main::types::Dataset::title`.
    pub item: String,
    /// What it was.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
    /// A sentence.
    pub text: String,
    /// The origin of the change, by which it is attached to a change of the document.
    #[serde(skip)]
    pub origin: Option<Origin>,
}

/// Where a change of the crate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An operation, by method in capitals and path, as NEW has it, or as OLD has it where it is gone; with the name
    /// of the parameter or the property of the body where it is one.
    Operation {
        /// `GET`
        method: String,
        /// `/datasets/{dataset}/`
        path: String,
        /// `page_size`
        parameter: Option<String>,
    },
    /// A schema of the components, by its name there, with the property where it is one.
    Schema {
        /// `Dataset_read`
        name: String,
        /// `title`
        property: Option<String>,
    },
}

/// The kind of release that a change needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Release {
    /// No change of the public surface.
    Patch,
    /// Additions only.
    Minor,
    /// Programs may fail to compile.
    Major,
}
