//! What a diff finds.

use std::cmp::Ordering;

use serde::Serialize;
use serde_json::Value;

/// What a change does to a client written against OLD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It fails.
    Breaking,
    /// It depends on what the client does.
    Warning,
    /// It goes on as before.
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

/// Which way what changed travels.
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

    /// The other way.
    pub fn flipped(self) -> Self {
        match self {
            Self::Request => Self::Response,
            Self::Response => Self::Request,
        }
    }
}

/// An operation that a change reaches: as NEW has it, or as OLD has it where it is gone.
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
    /// The rule that it is a case of: stable, kebab-case.
    pub id: &'static str,
    /// What it does to a client written against OLD.
    pub level: Level,
    /// Which way what changed travels; none where that means nothing.
    pub direction: Option<Direction>,
    /// What it reaches, sorted; empty where it is a matter of the document.
    pub operations: Vec<Operation>,
    /// Where it is, as a pointer: from the document's root when it starts with `/components`, `/servers` or
    /// `/security`, else from the operation. Parameters, bodies and unions are named, not numbered.
    pub location: String,
    /// What OLD has there.
    pub old: Option<Value>,
    /// What NEW has there.
    pub new: Option<Value>,
    /// A sentence.
    pub text: String,
    /// What it does to a program written against the crate, the worst first.
    pub rust: Vec<RustChange>,
}

impl Change {
    /// The worst of what it does to a client on the wire, and to a program written against the crate.
    pub fn worst(&self) -> Level {
        if self.rust.iter().any(|rust| rust.breaking) { Level::Breaking } else { self.level }
    }

    /// The order of reports: the worst first, then by operation and place.
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
    /// What the change comes from, by which it is told with the change of the contract.
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

/// How the version of the crate must move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Release {
    /// Nothing that a program notices.
    Patch,
    /// Something more; what compiled compiles.
    Minor,
    /// What compiled may not.
    Major,
}
