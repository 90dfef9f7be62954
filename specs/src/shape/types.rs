//! The types of a client, before they are written as Rust.

use std::collections::BTreeSet;

/// Whether a type is received or sent. Responses are decoded tolerantly, requests are strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Received from the server.
    Response,
    /// Sent to the server.
    Request,
}

/// A Rust type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rust {
    /// A string without a known format.
    String,
    /// `i64`.
    Integer,
    /// `f64`.
    Number,
    /// `bool`.
    Boolean,
    /// A date and time, kept as text.
    DateTime,
    /// A date, kept as text.
    Date,
    /// Any JSON value.
    Any,
    /// Bytes of a file to send.
    File,
    /// Query parameters whose names depend on the data.
    Filters,
    /// The values of a query parameter that can be given several times.
    Values,
    /// A type of this document, by its name.
    Named(String),
    /// A list.
    List(Box<Rust>),
    /// An object whose keys are data.
    Map(Box<Rust>),
    /// A nullable item of a list or a map.
    Nullable(Box<Rust>),
}

impl Rust {
    /// The names of the types that it refers to.
    pub fn mentions(&self, found: &mut BTreeSet<String>) {
        match self {
            Self::Named(name) => {
                found.insert(name.clone());
            }
            Self::List(inner) | Self::Map(inner) | Self::Nullable(inner) => inner.mentions(found),
            _ => {}
        }
    }
}

/// A field of a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name in JSON.
    pub property: String,
    /// The name in Rust.
    pub name: String,
    /// The description in the document.
    pub description: Option<String>,
    /// Its type.
    pub rust: Rust,
    /// In a response: always present and never null. In a request: required by the server.
    pub required: bool,
    /// In a request: null may be sent, which clears the value.
    pub nullable: bool,
    /// Whether it holds the additional properties.
    pub rest: bool,
}

/// The kind of a type, with its fields, values or variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An object with known properties.
    Structure(Role, Vec<Field>),
    /// The fields of a form, sent as `multipart/form-data` or, without files, urlencoded.
    Form(Vec<Field>, bool),
    /// An open enum of strings.
    Enumeration(Vec<String>),
    /// An untagged union, by the labels of its variants.
    Union(Vec<(String, Rust)>),
}

/// A type to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// Its name in Rust.
    pub name: String,
    /// The description in the document.
    pub description: Option<String>,
    /// Its kind.
    pub kind: Kind,
    /// The response type that this request type converts from.
    pub converts_from: Option<String>,
}

impl Type {
    /// The names of the types that it refers to.
    pub fn mentions(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        match &self.kind {
            Kind::Structure(_, fields) | Kind::Form(fields, _) => {
                fields.iter().for_each(|field| field.rust.mentions(&mut found));
            }
            Kind::Union(variants) => variants.iter().for_each(|(_, rust)| rust.mentions(&mut found)),
            Kind::Enumeration(_) => {}
        }
        found
    }
}
