//! Types as the shape plans them, before they are written as Rust.

use std::collections::BTreeSet;

/// Whether a value comes back from the server or goes to it. Answers are read with tolerance, requests are strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Comes back.
    Answer,
    /// Goes in.
    Request,
}

/// A type as Rust writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rust {
    /// Text without a format that the crate knows.
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
    /// A type of this document.
    Named(String),
    /// A list.
    List(Box<Rust>),
    /// An object whose keys are data.
    Map(Box<Rust>),
    /// A value or null, as an item of a list or a map.
    Nullable(Box<Rust>),
}

impl Rust {
    /// The types of this document that it mentions.
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
    /// What the document says about it.
    pub description: Option<String>,
    /// Its type.
    pub rust: Rust,
    /// In an answer: never null nor absent. In a request: the server requires it.
    pub required: bool,
    /// In a request: null may be sent, and empties it.
    pub nullable: bool,
    /// Holds the properties that the document allows and does not name.
    pub rest: bool,
}

/// What a type is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An object with known properties.
    Structure(Role, Vec<Field>),
    /// The fields of a form, sent as `multipart/form-data` or, without files, urlencoded.
    Form(Vec<Field>, bool),
    /// A string out of a list that may grow.
    Enumeration(Vec<String>),
    /// One of several types, told apart by what comes.
    Union(Vec<(String, Rust)>),
}

/// A type to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// Its name in Rust.
    pub name: String,
    /// What the document says about it.
    pub description: Option<String>,
    /// What it is made of.
    pub kind: Kind,
    /// The answer that this request can be made from.
    pub made_from: Option<String>,
}

impl Type {
    /// The types of this document that it mentions.
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
