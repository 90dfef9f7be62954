//! The result of the passes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::types::{Rust, Type};
use crate::Api;

/// The body of a successful response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseBody {
    /// JSON of this type.
    Json(Rust),
    /// Bytes of these media types; empty after a redirect, where the document cannot say.
    Bytes(Vec<String>),
    /// No body.
    Empty,
}

/// An operation, ready for the generator.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The document's `operationId`.
    pub operation_id: String,
    /// The name of its method in Rust.
    pub name: String,
    /// The HTTP method, in capitals.
    pub method: String,
    /// The path template, as the document has it.
    pub path: String,
    /// Its first tag.
    pub tag: Option<String>,
    /// Its summary in the document.
    pub summary: Option<String>,
    /// Its description in the document.
    pub description: Option<String>,
    /// Its parameters: those of the path come last.
    pub parameters: Vec<Parameter>,
    /// The media type of its body.
    pub request: Option<String>,
    /// The type of its body.
    pub body: Option<Rust>,
    /// The body of its successful response.
    pub response: ResponseBody,
    /// The type of the items, where it is paginated.
    pub paginated: Option<Rust>,
    /// Whether it takes a field mask (`X-Fields`).
    pub masked: bool,
    /// The names of the types that it refers to.
    pub mentions: BTreeSet<String>,
    /// The path template that the generator reads.
    pub(super) generator_path: String,
    /// The operation that the generator reads.
    pub(super) generator_item: openapiv3::Operation,
}

/// A parameter of an operation, with what the document says about its values.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The name of its method in Rust.
    pub name: String,
    /// The name in the document.
    pub sent_as: String,
    /// Where it is sent: `query`, `header` or `path`.
    pub location: String,
    /// Its description in the document.
    pub description: Option<String>,
    /// Whether the server requires it.
    pub required: bool,
    /// Its schema in the document.
    pub schema: Value,
    /// Its type.
    pub rust: Rust,
}

/// The operations and types of an API, ready for the generator.
#[derive(Debug, Clone)]
pub struct Shaped {
    /// Which API it is.
    pub api: Api,
    /// Its operations, in the order of the document.
    pub operations: Vec<Operation>,
    /// Its types, by name.
    pub types: BTreeMap<String, Type>,
    /// The document's `info` object.
    pub(super) info: Value,
}

impl Shaped {
    /// Keeps the operations of these tags, and the types that they need.
    pub fn retain_tags(&mut self, keep: impl Fn(Option<&str>) -> bool) {
        self.operations.retain(|operation| keep(operation.tag.as_deref()));
        let mut needed: BTreeSet<String> = BTreeSet::new();
        let mut open: Vec<String> =
            self.operations.iter().flat_map(|operation| operation.mentions.iter().cloned()).collect();
        while let Some(name) = open.pop() {
            if let Some(mentioned) = self.types.get(&name)
                && needed.insert(name)
            {
                open.extend(mentioned.mentions());
            }
        }
        self.types.retain(|name, _| needed.contains(name));
    }
}
