//! The location of a change: a pointer for programs, and words for people.

use std::fmt;

use datagouv_specs::pointer::{escape, unescape};

/// A location in a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// The pointer of [`Change::location`](super::change::Change::location).
    pub pointer: String,
    /// What contains the schema: "the query parameter `page`"; empty for a component schema.
    subject: String,
    /// The path from there: `Dataset.resources[]`.
    path: String,
}

impl Location {
    /// The location of an object that is not a schema, or that contains one.
    pub fn of(pointer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), subject: subject.into(), path: String::new() }
    }

    /// The location of a component schema, by its pointer.
    pub fn shared(pointer: &str) -> Self {
        let mut tokens = pointer.trim_start_matches('/').split('/').map(unescape);
        let path = match (tokens.next().as_deref(), tokens.next().as_deref(), tokens.next()) {
            (Some("components"), Some("schemas"), Some(name)) => {
                let mut path = name;
                while let Some(token) = tokens.next() {
                    match token.as_str() {
                        "properties" => path.push_str(&format!(".{}", tokens.next().unwrap_or_default())),
                        "items" => path.push_str("[]"),
                        other => path.push_str(&format!(".{other}")),
                    }
                }
                path
            }
            _ => pointer.to_owned(),
        };
        Self { pointer: pointer.to_owned(), subject: String::new(), path }
    }

    fn below(&self, pointer: &str, path: &str) -> Self {
        let path = if self.path.is_empty() { path.trim_start_matches('.') } else { path };
        Self {
            pointer: format!("{}/{pointer}", self.pointer),
            subject: self.subject.clone(),
            path: format!("{}{path}", self.path),
        }
    }

    /// A property of an object.
    pub fn property(&self, name: &str) -> Self {
        self.below(&format!("properties/{}", escape(name)), &format!(".{name}"))
    }

    /// The items of a list.
    pub fn items(&self) -> Self {
        self.below("items", "[]")
    }

    /// The values of additional properties.
    pub fn additional(&self) -> Self {
        self.below("additionalProperties", "{}")
    }

    /// The values of the properties whose names match a pattern.
    pub fn pattern(&self, pattern: &str) -> Self {
        self.below(&format!("patternProperties/{}", escape(pattern)), &format!("{{{pattern}}}"))
    }

    /// The items at one place of a list.
    pub fn item(&self, index: usize) -> Self {
        self.below(&format!("prefixItems/{index}"), &format!("[{index}]"))
    }

    /// A variant of a union, by name or number.
    pub fn variant(&self, kind: &str, name: &str) -> Self {
        self.below(&format!("{kind}/{}", escape(name)), &format!("({name})"))
    }

    /// The pointer within its component, or as it is where it is in none.
    pub fn own(&self) -> &str {
        let within = self.pointer.strip_prefix("/components/").and_then(|rest| rest.split_once('/'));
        within.map_or(self.pointer.as_str(), |(_, rest)| rest.split_once('/').map_or("", |(_, own)| own))
    }

    /// Whether it is in the components, shared by all references to it.
    pub fn is_shared(&self) -> bool {
        self.pointer.starts_with("/components/")
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.subject.as_str(), self.path.as_str()) {
            (subject, "") => f.write_str(subject),
            ("", path) => write!(f, "`{path}`"),
            (subject, "[]") => write!(f, "an item of {subject}"),
            (subject, path) => write!(f, "`{path}` in {subject}"),
        }
    }
}
