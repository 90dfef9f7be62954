//! The effective schema: a schema with its references resolved and the parts of its `allOf` merged.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use super::located::LocatedSchema;
use crate::diff::location::Location;

/// The value of a keyword, and the location of the schema that has it.
#[derive(Debug, Clone)]
pub struct Keyword<'a> {
    pub value: &'a Value,
    pub location: Rc<Location>,
}

/// A minimum or maximum.
#[derive(Debug, Clone)]
pub struct Bound {
    pub value: f64,
    pub exclusive: bool,
    pub location: Rc<Location>,
}

/// `oneOf` or `anyOf`.
#[derive(Debug, Clone)]
pub struct Union<'a> {
    pub kind: &'static str,
    pub variants: Vec<LocatedSchema<'a>>,
    pub location: Rc<Location>,
}

/// A schema with its references resolved and its `allOf` merged.
#[derive(Debug, Default)]
pub struct EffectiveSchema<'a> {
    /// The location of the schema itself.
    pub location: Option<Rc<Location>>,
    /// `None` allows any type.
    pub types: Option<BTreeSet<&'a str>>,
    /// The location of `type`.
    pub types_location: Option<Rc<Location>>,
    /// Keywords with a single value.
    pub keywords: BTreeMap<&'static str, Keyword<'a>>,
    pub values: Option<(Vec<&'a Value>, Rc<Location>)>,
    pub minimum: Option<Bound>,
    pub maximum: Option<Bound>,
    pub required: BTreeMap<&'a str, Rc<Location>>,
    pub properties: BTreeMap<&'a str, Vec<LocatedSchema<'a>>>,
    pub items: Vec<LocatedSchema<'a>>,
    /// Schemas of additional properties.
    pub additional: Vec<LocatedSchema<'a>>,
    /// The location of `additionalProperties: false`.
    pub closed: Option<Rc<Location>>,
    pub not: Vec<LocatedSchema<'a>>,
    /// Schemas of properties by the pattern of their names.
    pub patterns: BTreeMap<&'a str, Vec<LocatedSchema<'a>>>,
    /// Schemas of items by their place.
    pub prefix: Vec<Vec<LocatedSchema<'a>>>,
    /// The location of `items: false` after `prefixItems`.
    pub items_closed: Option<Rc<Location>>,
    /// `contains`, each with the members that say how many.
    pub contains: Vec<LocatedSchema<'a>>,
    pub contained: BTreeMap<&'static str, &'a Value>,
    /// Schemas of the names of properties.
    pub names: Vec<LocatedSchema<'a>>,
    /// `if`, `then` and `else`; or a property, and the schema that it needs.
    pub conditions: BTreeMap<String, [Option<LocatedSchema<'a>>; 3]>,
    /// Properties, and those that they need beside them.
    pub dependent: BTreeMap<(&'a str, &'a str), Rc<Location>>,
    pub unions: Vec<Union<'a>>,
}

impl EffectiveSchema<'_> {
    /// Whether a boolean keyword is true.
    pub fn is(&self, flag: &str) -> bool {
        self.keywords.contains_key(flag)
    }

    /// Whether it allows any value.
    pub fn is_anything(&self) -> bool {
        self.types.is_none()
            && self.values.is_none()
            && self.unions.is_empty()
            && self.not.is_empty()
            && !self.keywords.contains_key("const")
    }

    /// The types in words.
    pub fn type_names(&self) -> String {
        let Some(types) = &self.types else { return "anything".to_owned() };
        let mut names: Vec<&str> = types.iter().copied().collect();
        if types.contains("number") {
            names.retain(|name| *name != "integer");
        }
        if names.is_empty() { "nothing".to_owned() } else { names.join(" or ") }
    }
}
