//! Compares bodies with the schemas that describe them.

use std::collections::{BTreeMap, BTreeSet};

use datagouv_specs::pointer::escape;
use serde_json::Value;

use super::operations::{Operation, follow};
use crate::diff::type_name;

/// An observation that the document does not cover.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A property that the schema does not name, with the types of its values.
    UnknownProperty(String),
    /// A value outside an enum.
    EnumValue(String),
    /// Null where it is not allowed.
    Null,
    /// A value of another type.
    Type { expected: String, found: &'static str },
    /// A required property that is not there.
    Missing(String),
    /// A status that the operation does not describe.
    Status(u16),
    /// A body where none is described.
    Body(u16),
    /// A body of a media type that is not described.
    MediaType(String),
}

impl Kind {
    /// Its name, for programs and in the file of the decisions.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnknownProperty(_) => "unknown-property",
            Self::EnumValue(_) => "enum-value",
            Self::Null => "null",
            Self::Type { .. } => "type",
            Self::Missing(_) => "missing-property",
            Self::Status(_) => "status",
            Self::Body(_) => "body",
            Self::MediaType(_) => "media-type",
        }
    }

    /// What it is of: a name, a value, a type, a status.
    pub fn detail(&self) -> Value {
        match self {
            Self::UnknownProperty(text) | Self::EnumValue(text) | Self::Missing(text) | Self::MediaType(text) => {
                text.as_str().into()
            }
            Self::Null => Value::Null,
            Self::Type { found, .. } => (*found).into(),
            Self::Status(status) | Self::Body(status) => (*status).into(),
        }
    }
}

/// Where it is seen: a pointer of the document.
pub type Place = String;

/// A departure, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    pub place: Place,
    pub kind: Kind,
    /// How many values departed.
    pub seen: usize,
    /// How many values there were.
    pub of: usize,
    /// The types of an unknown property.
    pub types: BTreeSet<&'static str>,
    /// The first operation in whose response it was.
    pub operation: String,
}

/// All that was seen of an API.
#[derive(Debug, Default)]
pub struct Observations {
    /// The number of values at each place.
    values: BTreeMap<Place, usize>,
    found: BTreeMap<(Place, Kind), (usize, BTreeSet<&'static str>, String)>,
}

/// How deep bodies are gone into.
const DEPTH: usize = 64;

/// One departure that is not counted yet.
struct Found {
    place: Place,
    kind: Kind,
    types: Option<&'static str>,
}

/// A schema with its references followed and its `allOf` merged.
#[derive(Default)]
struct Merged<'a> {
    types: BTreeSet<&'a str>,
    nullable: bool,
    values: Option<&'a Vec<Value>>,
    properties: BTreeMap<&'a str, (&'a Value, Place)>,
    required: Vec<(&'a str, Place)>,
    additional: Option<(&'a Value, Place)>,
    items: Option<(&'a Value, Place)>,
    unions: Vec<(&'a Vec<Value>, Place)>,
    /// Where it was found last: the component, where it is one.
    place: Place,
}

impl Observations {
    /// Looks at a response; without a body where it is not JSON.
    pub fn response(&mut self, document: &Value, operation: &Operation, status: u16, body: Option<&Value>) {
        let responses = document.pointer(&operation.pointer).and_then(|it| it.get("responses"));
        let names = [status.to_string(), format!("{}XX", status / 100), "default".to_owned()];
        let place = format!("{}/responses", operation.pointer);
        let response = names.iter().find_map(|name| Some((name, responses?.get(name)?)));
        let Some((name, response)) = response else {
            self.count(&place);
            self.add(Found { place, kind: Kind::Status(status), types: None }, &operation.name);
            return;
        };
        let place = format!("{place}/{name}");
        let (Some(body), content) = (body, follow(document, response).get("content")) else { return };
        let content = content.and_then(Value::as_object).into_iter().flatten();
        let media = content
            .filter(|(name, _)| name.contains("json") || *name == "*/*")
            .find_map(|(name, media)| Some((format!("{place}/content/{}/schema", escape(name)), media.get("schema")?)));
        let Some((place, schema)) = media else {
            if status < 400 {
                self.count(&place);
                self.add(Found { place, kind: Kind::Body(status), types: None }, &operation.name);
            }
            return;
        };
        let mut found = Vec::new();
        self.value(document, schema, place, body, DEPTH, &mut found);
        for one in found {
            self.add(one, &operation.name);
        }
    }

    /// Looks at the media type of a response whose body is not read.
    pub fn media_type(&mut self, document: &Value, operation: &Operation, status: u16, media_type: &str) {
        let place = format!("{}/responses/{status}", operation.pointer);
        let response = document.pointer(&place).map(|response| follow(document, response));
        let Some(content) = response.and_then(|it| it.get("content")).and_then(Value::as_object) else { return };
        let essence = |name: &str| name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_described = content.keys().any(|name| *name == "*/*" || essence(name) == essence(media_type));
        self.count(&place);
        if !is_described {
            self.add(Found { place, kind: Kind::MediaType(essence(media_type)), types: None }, &operation.name);
        }
    }

    /// The departures, by place.
    pub fn departures(&self) -> Vec<Departure> {
        let departure =
            |((place, kind), (seen, types, operation)): (&(Place, Kind), &(usize, BTreeSet<_>, String))| Departure {
                place: place.clone(),
                kind: kind.clone(),
                seen: *seen,
                of: self.values.get(place).copied().unwrap_or(*seen).max(*seen),
                types: types.clone(),
                operation: operation.clone(),
            };
        self.found.iter().map(departure).collect()
    }

    fn count(&mut self, place: &str) {
        *self.values.entry(place.to_owned()).or_default() += 1;
    }

    fn add(&mut self, found: Found, operation: &str) {
        let entry = self.found.entry((found.place, found.kind));
        let (seen, types, _) = entry.or_insert_with(|| (0, BTreeSet::new(), operation.to_owned()));
        *seen += 1;
        types.extend(found.types);
    }

    fn value(
        &mut self,
        document: &Value,
        schema: &Value,
        place: Place,
        value: &Value,
        depth: usize,
        found: &mut Vec<Found>,
    ) {
        if depth == 0 {
            return;
        }
        let merged = Merged::of(document, schema, place);
        let place = merged.place.clone();
        self.count(&place);
        let at = |kind: Kind| Found { place: place.clone(), kind, types: None };
        if value.is_null() {
            let is_said =
                merged.nullable || (merged.types.is_empty() && merged.unions.is_empty() && merged.values.is_none());
            let by_union = merged.unions.iter().any(|(variants, place)| {
                variants.iter().any(|variant| Merged::of(document, variant, place.clone()).nullable)
            });
            if !is_said && !by_union {
                found.push(at(Kind::Null));
            }
            return;
        }
        let name = type_name(value);
        let fits = merged.types.is_empty()
            || merged.types.contains(name)
            || (name == "integer" && merged.types.contains("number"))
            || (value.as_f64().is_some_and(|it| it.fract() == 0.0) && merged.types.contains("integer"));
        if !fits {
            let expected = merged.types.iter().copied().collect::<Vec<_>>().join(" or ");
            found.push(at(Kind::Type { expected, found: name }));
            return;
        }
        if merged.values.is_some_and(|values| !values.contains(value)) {
            found.push(at(Kind::EnumValue(shown(value))));
        }
        for (variants, place) in &merged.unions {
            self.union(document, variants, place, value, depth, found);
        }
        match value {
            Value::Object(members) => self.object(document, &merged, members, depth, found),
            Value::Array(list) => {
                if let Some((items, place)) = &merged.items {
                    list.iter().for_each(|item| self.value(document, items, place.clone(), item, depth - 1, found));
                }
            }
            _ => {}
        }
    }

    fn object(
        &mut self,
        document: &Value,
        merged: &Merged,
        members: &serde_json::Map<String, Value>,
        depth: usize,
        found: &mut Vec<Found>,
    ) {
        for (name, value) in members {
            if let Some((schema, place)) = merged.properties.get(name.as_str()) {
                self.value(document, schema, place.clone(), value, depth - 1, found);
            } else if let Some((schema, place)) = &merged.additional {
                self.value(document, schema, place.clone(), value, depth - 1, found);
            } else if !merged.properties.is_empty() && merged.unions.is_empty() {
                let kind = Kind::UnknownProperty(name.clone());
                found.push(Found { place: merged.place.clone(), kind, types: Some(type_name(value)) });
            }
        }
        for (name, place) in merged.required.iter().filter(|(name, _)| !members.contains_key(*name)) {
            found.push(Found { place: place.clone(), kind: Kind::Missing((*name).to_owned()), types: None });
        }
    }

    /// A union is as its variant that a value departs from least.
    fn union(
        &mut self,
        document: &Value,
        variants: &[Value],
        place: &str,
        value: &Value,
        depth: usize,
        found: &mut Vec<Found>,
    ) {
        let mut best: Option<(Self, Vec<Found>)> = None;
        for (index, variant) in variants.iter().enumerate() {
            let mut counted = Self::default();
            let mut departures = Vec::new();
            counted.value(document, variant, format!("{place}/{index}"), value, depth - 1, &mut departures);
            if best.as_ref().is_none_or(|(_, least)| departures.len() < least.len()) {
                best = Some((counted, departures));
            }
        }
        if let Some((counted, departures)) = best {
            for (place, count) in counted.values {
                *self.values.entry(place).or_default() += count;
            }
            found.extend(departures);
        }
    }
}

impl<'a> Merged<'a> {
    fn of(document: &'a Value, schema: &'a Value, place: Place) -> Self {
        let mut merged = Self { place: place.clone(), ..Self::default() };
        merged.add(document, schema, place, true, 32);
        merged
    }

    fn add(&mut self, document: &'a Value, schema: &'a Value, place: Place, is_own: bool, depth: usize) {
        if depth == 0 {
            return;
        }
        let (mut schema, mut place) = (schema, place);
        let mut chain = 0;
        while let Some(reference) = schema.get("$ref").and_then(Value::as_str)
            && chain < 32
        {
            chain += 1;
            let pointer = reference.strip_prefix('#').unwrap_or(reference);
            let Some(target) = document.pointer(pointer) else { return };
            (schema, place) = (target, pointer.to_owned());
        }
        if is_own {
            self.place.clone_from(&place);
        }
        self.nullable |= schema.get("nullable") == Some(&Value::Bool(true));
        self.types.extend(schema.get("type").and_then(Value::as_str));
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            self.nullable |= values.contains(&Value::Null);
            self.values = Some(values);
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.properties.insert(name, (property, format!("{place}/properties/{}", escape(name))));
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        self.required.extend(required.map(|name| (name, place.clone())));
        match schema.get("additionalProperties") {
            Some(value) if value == &Value::Bool(false) => {}
            Some(value) => self.additional = Some((value, format!("{place}/additionalProperties"))),
            None => {}
        }
        if let Some(items) = schema.get("items") {
            self.items = Some((items, format!("{place}/items")));
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(variants) = schema.get(key).and_then(Value::as_array) {
                self.unions.push((variants, format!("{place}/{key}")));
            }
        }
        for (index, part) in schema.get("allOf").and_then(Value::as_array).into_iter().flatten().enumerate() {
            // A part that is alone in adding something is what the schema is of.
            let is_alone = schema.get("properties").is_none()
                && schema.get("allOf").is_some_and(|all| all.as_array().is_some_and(|all| all.len() == 1));
            self.add(document, part, format!("{place}/allOf/{index}"), is_own && is_alone, depth - 1);
        }
        // Null is reported where the schema is used.
        if is_own && schema.get("nullable").is_some() {
            self.place = place;
        }
    }
}

/// A value of an enum as it may be reported: a short word, or its type.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let is_word = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/".contains(letter);
            if text.len() <= 40 && text.chars().all(is_word) { text.clone() } else { "a longer text".to_owned() }
        }
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        other => type_name(other).to_owned(),
    }
}
