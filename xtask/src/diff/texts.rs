//! Types of what travels as text, in URLs and headers: `1` is a number and a string, and one value a list of one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::Document;

/// The types of single values.
const SCALARS: [&str; 4] = ["boolean", "integer", "number", "string"];

/// The types of a schema that allows single values alone.
fn scalars<'a>(document: &'a Document, schema: Option<&'a Value>) -> Option<BTreeSet<&'a str>> {
    let schema = document.follow(schema?).value;
    let types: BTreeSet<&str> = match (schema.get("type"), schema.get("oneOf").or_else(|| schema.get("anyOf"))) {
        (Some(Value::String(name)), None) => BTreeSet::from([name.as_str()]),
        (Some(Value::Array(names)), None) => names.iter().map(|name| name.as_str().unwrap_or_default()).collect(),
        (None, Some(Value::Array(variants))) => {
            let types = variants.iter().map(|variant| document.follow(variant).value.get("type")?.as_str());
            types.collect::<Option<_>>()?
        }
        _ => return None,
    };
    (!types.is_empty() && types.iter().all(|name| SCALARS.contains(name))).then_some(types)
}

/// Whether a schema allows any text.
fn is_any_text(document: &Document, schema: Option<&Value>) -> bool {
    let constraints = ["enum", "const", "format", "pattern", "minLength", "maxLength", "allOf", "not"];
    let schema = schema.map(|schema| document.follow(schema).value);
    schema.is_some_and(|schema| {
        schema.get("type").is_some_and(|name| name == "string")
            && constraints.iter().all(|key| schema.get(key).is_none())
    })
}

/// Whether single values of several types, strings among them, become any text.
pub fn becomes_any_text<'a>(
    (from, old): (&'a Document, Option<&'a Value>),
    (to, new): (&'a Document, Option<&'a Value>),
) -> bool {
    is_any_text(to, new) && scalars(from, old).is_some_and(|types| types.len() > 1 && types.contains("string"))
}

/// What has room for single values of some types, as texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wider<'a> {
    /// Any text.
    Text,
    /// A list of any texts.
    Texts,
    /// A list, whose items are to be compared.
    List(&'a Value),
}

impl Wider<'_> {
    /// In a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "any text",
            Self::Texts => "a list of any texts",
            Self::List(_) => "a list of such values",
        }
    }
}

/// Whether the second schema has room for the single values of the first, as texts.
///
/// `has_repeated_lists` says that a list is as many texts under one name.
pub fn wider<'a>(
    (from, narrow): (&'a Document, Option<&'a Value>),
    (to, wide): (&'a Document, Option<&'a Value>),
    has_repeated_lists: bool,
) -> Option<Wider<'a>> {
    let types = scalars(from, narrow)?;
    if is_any_text(to, wide) {
        // Strings among others are compared as such.
        return (!types.contains("string")).then_some(Wider::Text);
    }
    let list = to.follow(wide?).value;
    let items = list.get("items").filter(|_| has_repeated_lists && list.get("type").is_some_and(|it| it == "array"));
    let has_room = list.get("minItems").and_then(Value::as_u64).unwrap_or_default() <= 1;
    match items.filter(|_| has_room)? {
        items if is_any_text(to, Some(items)) => Some(Wider::Texts),
        items => Some(Wider::List(items)),
    }
}
