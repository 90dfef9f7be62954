//! A schema at its place in a document.

use std::collections::HashSet;
use std::rc::Rc;

use serde_json::Value;

use crate::diff::document::Document;
use crate::diff::location::Location;

/// A schema and its location.
#[derive(Debug, Clone)]
pub struct LocatedSchema<'a> {
    pub value: &'a Value,
    pub location: Rc<Location>,
    /// Whether its `oneOf` and `anyOf` are ignored.
    pub without_unions: bool,
    /// Whether its `nullable` is ignored: a union around it allows null.
    pub without_null: bool,
}

impl<'a> LocatedSchema<'a> {
    pub fn new(value: &'a Value, location: Location) -> Self {
        Self::at(value, Rc::new(location))
    }

    pub fn at(value: &'a Value, location: Rc<Location>) -> Self {
        Self { value, location, without_unions: false, without_null: false }
    }

    /// Follows references, and `allOf` or unions of one schema.
    pub fn resolve(mut self, document: &'a Document) -> Self {
        let mut seen = HashSet::new();
        while seen.insert(std::ptr::from_ref(self.value)) {
            let target = document.follow(self.value);
            if let Some(pointer) = target.pointer {
                self.value = target.value;
                self.location = Rc::new(Location::shared(pointer));
            }
            let Value::Object(members) = self.value else { break };
            let mut constraints =
                members.iter().filter(|(key, _)| !ANNOTATIONS.contains(&key.as_str()) && !key.starts_with("x-"));
            match (constraints.next(), constraints.next()) {
                (Some((key, Value::Array(parts))), None)
                    if parts.len() == 1 && is_composition(key) && !self.without_unions =>
                {
                    self.value = &parts[0];
                }
                _ => break,
            }
        }
        self
    }
}

fn is_composition(key: &str) -> bool {
    matches!(key, "allOf" | "oneOf" | "anyOf")
}

/// Keywords without effect on the values.
pub const ANNOTATIONS: [&str; 6] = ["title", "description", "example", "examples", "externalDocs", "xml"];
