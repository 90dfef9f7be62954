//! A corrected document in memory: resolves `$ref`, and collects the parts of a schema.

use std::fmt;
use std::sync::{Arc, LazyLock};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::Api;

/// Why a document cannot be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// The OpenAPI 3.0.3 document of one API.
#[derive(Debug, Clone)]
pub struct Document {
    api: Api,
    value: Arc<Value>,
}

impl Document {
    /// Takes a document, after checking that every `$ref` in it has a target.
    pub fn new(api: Api, value: Value) -> Result<Self, Error> {
        let document = Self { api, value: Arc::new(value) };
        document.check_references(&document.value, "")?;
        Ok(document)
    }

    /// The corrected documents of all APIs, read once in the life of a process.
    pub fn corrected() -> Result<Vec<Self>, Error> {
        static ALL: LazyLock<Result<Vec<Document>, Error>> = LazyLock::new(Document::read_all);
        ALL.clone()
    }

    fn read_all() -> Result<Vec<Self>, Error> {
        Api::ALL
            .into_iter()
            .map(|api| {
                let text = match api {
                    Api::Main => include_str!(concat!(env!("OUT_DIR"), "/main.json")),
                    Api::MainV2 => include_str!(concat!(env!("OUT_DIR"), "/main-v2.json")),
                    Api::Tabular => include_str!(concat!(env!("OUT_DIR"), "/tabular.json")),
                    Api::Metrics => include_str!(concat!(env!("OUT_DIR"), "/metrics.json")),
                };
                let value =
                    serde_json::from_str(text).map_err(|error| Error::new(format!("document of {api}: {error}")))?;
                Self::new(api, value)
            })
            .collect()
    }

    /// The API that the document describes.
    pub fn api(&self) -> Api {
        self.api
    }

    /// The document itself.
    pub fn value(&self) -> &Value {
        &self.value
    }

    fn check_references(&self, node: &Value, place: &str) -> Result<(), Error> {
        match node {
            Value::Object(members) => {
                // A property may be called `$ref`; only a string is a reference.
                if let Some(reference) = members.get("$ref").and_then(Value::as_str)
                    && self.target(reference).is_none()
                {
                    return Err(Error::new(format!("document of {}, {place}: `{reference}` has no target", self.api)));
                }
                members
                    .iter()
                    .filter(|(name, _)| !matches!(name.as_str(), "example" | "examples" | "default"))
                    .try_for_each(|(name, member)| self.check_references(member, &format!("{place}/{}", escape(name))))
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| self.check_references(item, &format!("{place}/{index}"))),
            _ => Ok(()),
        }
    }

    fn target(&self, reference: &str) -> Option<&Value> {
        let pointer = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
        self.value.pointer(&pointer)
    }

    /// The target of a chain of `$ref`s, or the node itself.
    pub fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        let mut node = node;
        // A longer chain is taken for a cycle.
        for _ in 0..32 {
            match node.get("$ref").and_then(Value::as_str).and_then(|reference| self.target(reference)) {
                Some(target) => node = target,
                None => return node,
            }
        }
        &Value::Null
    }

    /// The schemas that a value must all satisfy: the schema itself and, through `$ref`, all of its `allOf`.
    pub(crate) fn parts<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let mut parts = Vec::new();
        self.collect_parts(schema, &mut parts);
        parts
    }

    fn collect_parts<'a>(&'a self, schema: &'a Value, parts: &mut Vec<&'a Value>) {
        if parts.iter().any(|part| std::ptr::eq(*part, schema)) {
            return;
        }
        parts.push(schema);
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|reference| self.target(reference)) {
            self.collect_parts(target, parts);
        }
        for member in members(schema, "allOf") {
            self.collect_parts(member, parts);
        }
    }

    /// Whether null satisfies a schema. `nullable` next to `allOf` or `$ref` allows null too.
    pub(crate) fn allows_null(&self, schema: &Value) -> bool {
        self.allows_null_within(schema, 0)
    }

    fn allows_null_within(&self, schema: &Value, depth: usize) -> bool {
        if depth > 32 {
            return false;
        }
        if schema.get("nullable").and_then(Value::as_bool) == Some(true) {
            return true;
        }
        let schema = self.resolve(schema);
        if schema.get("nullable").and_then(Value::as_bool) == Some(true) {
            return true;
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.contains(&Value::Null);
        }
        if schema.get("type").is_some() {
            return false;
        }
        if schema.get("allOf").is_some() {
            return members(schema, "allOf").all(|member| self.allows_null_within(member, depth + 1));
        }
        let mut choices = members(schema, "oneOf").chain(members(schema, "anyOf")).peekable();
        if choices.peek().is_some() {
            return choices.any(|member| self.allows_null_within(member, depth + 1));
        }
        !["properties", "items", "required"].iter().any(|keyword| schema.get(keyword).is_some())
    }
}

/// The members of the array of a keyword; none if there is no such array.
pub(crate) fn members<'a>(node: &'a Value, keyword: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    node.get(keyword).and_then(Value::as_array).into_iter().flatten()
}

/// The strings of the array of a keyword.
pub(crate) fn strings<'a>(node: &'a Value, keyword: &str) -> Option<Vec<&'a str>> {
    Some(node.get(keyword)?.as_array()?.iter().filter_map(Value::as_str).collect())
}

/// Escapes a name for a JSON pointer (RFC 6901).
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
