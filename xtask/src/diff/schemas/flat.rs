//! What a schema says in all: with what it refers to, and the parts of its `allOf`.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

use datagouv_specs::pointer::unescape;
use serde_json::{Map, Value};

use crate::diff::document::Document;
use crate::diff::place::Place;

/// A schema and its place.
#[derive(Debug, Clone)]
pub struct Spot<'a> {
    pub value: &'a Value,
    pub place: Rc<Place>,
    /// Without its `oneOf` and `anyOf`.
    pub bare: bool,
}

impl<'a> Spot<'a> {
    pub fn new(value: &'a Value, place: Place) -> Self {
        Self { value, place: Rc::new(place), bare: false }
    }

    /// The schema that this one is but another name for: past references, and `allOf` or unions of one.
    pub fn settle(mut self, document: &'a Document) -> Self {
        let mut seen = HashSet::new();
        while seen.insert(std::ptr::from_ref(self.value)) {
            let target = document.follow(self.value);
            if let Some(pointer) = target.pointer {
                self = Self { value: target.value, place: Rc::new(Place::shared(pointer)), bare: self.bare };
            }
            let Value::Object(members) = self.value else { break };
            let mut saying =
                members.iter().filter(|(key, _)| !SILENT.contains(&key.as_str()) && !key.starts_with("x-"));
            match (saying.next(), saying.next()) {
                (Some((key, Value::Array(parts))), None) if parts.len() == 1 && is_composition(key) && !self.bare => {
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

/// What changes nothing on the wire.
const SILENT: [&str; 6] = ["title", "description", "example", "examples", "externalDocs", "xml"];

/// The keywords whose first value counts where several parts have one.
const FIRST: [&str; 6] = ["format", "const", "pattern", "default", "multipleOf", "discriminator"];
const FLAGS: [&str; 5] = ["nullable", "readOnly", "writeOnly", "uniqueItems", "deprecated"];
const LEAST: [&str; 3] = ["minLength", "minItems", "minProperties"];
const MOST: [&str; 3] = ["maxLength", "maxItems", "maxProperties"];

/// A value and the place of the schema that has it.
#[derive(Debug, Clone)]
pub struct Said<'a> {
    pub value: &'a Value,
    pub place: Rc<Place>,
}

/// A bound of numbers.
#[derive(Debug, Clone)]
pub struct Bound {
    pub value: f64,
    pub exclusive: bool,
    pub place: Rc<Place>,
}

/// `oneOf` or `anyOf`.
#[derive(Debug, Clone)]
pub struct Union<'a> {
    pub kind: &'static str,
    pub variants: Vec<Spot<'a>>,
    pub place: Rc<Place>,
}

/// What a schema says in all.
#[derive(Debug, Default)]
pub struct Flat<'a> {
    /// The place of the schema itself.
    pub place: Option<Rc<Place>>,
    /// None: any.
    pub types: Option<BTreeSet<&'a str>>,
    /// Where the types are said.
    pub types_place: Option<Rc<Place>>,
    /// Keywords of one value.
    pub said: BTreeMap<&'static str, Said<'a>>,
    pub values: Option<(Vec<&'a Value>, Rc<Place>)>,
    pub minimum: Option<Bound>,
    pub maximum: Option<Bound>,
    pub required: BTreeMap<&'a str, Rc<Place>>,
    pub properties: BTreeMap<&'a str, Vec<Spot<'a>>>,
    pub items: Vec<Spot<'a>>,
    /// Schemas of the properties that are not named.
    pub additional: Vec<Spot<'a>>,
    /// Where `additionalProperties: false` stands.
    pub closed: Option<Rc<Place>>,
    pub not: Vec<Spot<'a>>,
    pub unions: Vec<Union<'a>>,
}

impl<'a> Flat<'a> {
    /// What schemas say together.
    pub fn of(parts: &[Spot<'a>], document: &'a Document) -> Self {
        let mut flat = Self { place: parts.first().map(|part| part.place.clone()), ..Self::default() };
        // The first on top, so that parts are read in the order in which they stand.
        let mut rest: Vec<Spot> = parts.iter().rev().cloned().collect();
        let mut seen = HashSet::new();
        while let Some(part) = rest.pop() {
            let settled = part.settle(document);
            if let Value::Object(members) = settled.value
                && seen.insert(std::ptr::from_ref(settled.value))
            {
                flat.add(members, &settled, &mut rest, document);
            }
        }
        flat.infer();
        flat
    }

    fn add(
        &mut self,
        members: &'a Map<String, Value>,
        spot: &Spot<'a>,
        rest: &mut Vec<Spot<'a>>,
        document: &'a Document,
    ) {
        let at = |value: &'a Value, place: Place| Spot { value, place: Rc::new(place), bare: false };
        let said = |value: &'a Value| Said { value, place: spot.place.clone() };
        self.add_types(members, spot);
        self.add_bounds(members, spot);
        for key in FIRST {
            if let Some(value) = members.get(key) {
                self.said.entry(key).or_insert_with(|| said(value));
            }
        }
        for key in FLAGS {
            if let Some(value @ Value::Bool(true)) = members.get(key) {
                self.said.entry(key).or_insert_with(|| said(value));
            }
        }
        for (keys, stricter) in [(LEAST, f64::gt as fn(&f64, &f64) -> bool), (MOST, f64::lt)] {
            for key in keys {
                let Some((value, count)) = members.get(key).and_then(|value| Some((value, value.as_f64()?))) else {
                    continue;
                };
                let known = self.said.get(key).and_then(|said| said.value.as_f64());
                if known.is_none_or(|known| stricter(&count, &known)) {
                    self.said.insert(key, said(value));
                }
            }
        }
        if let Some(Value::Array(values)) = members.get("enum") {
            let values: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
            match &mut self.values {
                Some((known, _)) => known.retain(|value| values.iter().any(|it| is_same(it, value))),
                None => self.values = Some((values, spot.place.clone())),
            }
        }
        for name in members.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            self.required.entry(name).or_insert_with(|| spot.place.clone());
        }
        for (name, value) in members.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.properties.entry(name).or_default().push(at(value, spot.place.property(name)));
        }
        if let Some(value @ Value::Object(_)) = members.get("items") {
            self.items.push(at(value, spot.place.items()));
        }
        match members.get("additionalProperties") {
            Some(Value::Bool(false)) => self.closed = self.closed.take().or_else(|| Some(spot.place.clone())),
            // An empty schema says no more than that there may be any.
            Some(value @ Value::Object(schema)) if !schema.is_empty() => {
                self.additional.push(at(value, spot.place.additional()));
            }
            _ => {}
        }
        if let Some(value @ Value::Object(_)) = members.get("not") {
            self.not.push(at(value, (*spot.place).clone()));
        }
        if let Some(Value::Array(all)) = members.get("allOf") {
            let part = |value| Spot { value, place: spot.place.clone(), bare: spot.bare };
            rest.extend(all.iter().rev().map(part));
        }
        for kind in ["oneOf", "anyOf"] {
            if let Some(Value::Array(variants)) = members.get(kind) {
                self.add_union(kind, variants, spot, rest, document);
            }
        }
    }

    fn add_types(&mut self, members: &'a Map<String, Value>, spot: &Spot<'a>) {
        let mut types: BTreeSet<&str> = match members.get("type") {
            Some(Value::String(name)) => BTreeSet::from([name.as_str()]),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        if types.remove("null") {
            self.said.entry("nullable").or_insert(Said { value: &Value::Bool(true), place: spot.place.clone() });
        }
        if types.contains("number") {
            types.insert("integer");
        }
        match &mut self.types {
            Some(known) => known.retain(|name| types.contains(name)),
            None => (self.types, self.types_place) = (Some(types), Some(spot.place.clone())),
        }
    }

    fn add_bounds(&mut self, members: &'a Map<String, Value>, spot: &Spot<'a>) {
        let place = &spot.place;
        let bound = |key: &str, exclusive: &str| {
            // OpenAPI 3.1 has the bound itself where 3.0 has a flag.
            let inclusive = members.get(key).and_then(Value::as_f64);
            match (inclusive, members.get(exclusive)) {
                (Some(value), flag) if flag.is_none_or(|flag| !flag.is_number()) => {
                    Some(Bound { value, exclusive: flag == Some(&Value::Bool(true)), place: place.clone() })
                }
                (_, Some(flag)) => Some(Bound { value: flag.as_f64()?, exclusive: true, place: place.clone() }),
                _ => None,
            }
        };
        let key = |bound: &Bound, sign: f64| (sign * bound.value, bound.exclusive);
        if let Some(bound) = bound("minimum", "exclusiveMinimum")
            && self.minimum.as_ref().is_none_or(|known| key(&bound, 1.0) > key(known, 1.0))
        {
            self.minimum = Some(bound);
        }
        if let Some(bound) = bound("maximum", "exclusiveMaximum")
            && self.maximum.as_ref().is_none_or(|known| key(&bound, -1.0) > key(known, -1.0))
        {
            self.maximum = Some(bound);
        }
    }

    fn add_union(
        &mut self,
        kind: &'static str,
        variants: &'a [Value],
        spot: &Spot<'a>,
        rest: &mut Vec<Spot<'a>>,
        document: &'a Document,
    ) {
        let mut kept = Vec::new();
        for (index, value) in variants.iter().enumerate() {
            if is_null(document.follow(value).value) {
                self.said.entry("nullable").or_insert(Said { value: &Value::Bool(true), place: spot.place.clone() });
                continue;
            }
            let name = variant_name(value, index, document);
            kept.push(Spot { value, place: Rc::new(spot.place.variant(kind, &name)), bare: false });
        }
        if kept.len() == 1 {
            rest.append(&mut kept);
        } else if !kept.is_empty() && !spot.bare {
            self.unions.push(Union { kind, variants: kept, place: spot.place.clone() });
        }
    }

    /// Writes down what goes without saying.
    fn infer(&mut self) {
        if self.types.is_none() {
            let named = match () {
                () if !self.properties.is_empty() => Some("object"),
                () if !self.items.is_empty() => Some("array"),
                () => None,
            };
            self.types = named.map(|name| BTreeSet::from([name]));
        }
        if self.types.as_ref().is_some_and(|types| types.contains("number")) {
            self.types.iter_mut().for_each(|types| {
                types.insert("integer");
            });
        }
    }

    /// Whether a keyword that is true or not is true.
    pub fn is(&self, flag: &str) -> bool {
        self.said.contains_key(flag)
    }

    /// Whether it says nothing of what values are.
    pub fn is_anything(&self) -> bool {
        self.types.is_none()
            && self.values.is_none()
            && self.unions.is_empty()
            && self.not.is_empty()
            && !self.said.contains_key("const")
    }

    /// The types in words.
    pub fn type_words(&self) -> String {
        let Some(types) = &self.types else { return "anything".to_owned() };
        let mut names: Vec<&str> = types.iter().copied().collect();
        if types.contains("number") {
            names.retain(|name| *name != "integer");
        }
        if names.is_empty() { "nothing".to_owned() } else { names.join(" or ") }
    }
}

/// Whether two values of JSON are the same, numbers by what they are.
pub fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || (a.as_f64() == b.as_f64() && a.as_f64().is_some()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        _ => one == other,
    }
}

/// Whether a schema is that of null alone.
fn is_null(schema: &Value) -> bool {
    let Value::Object(members) = schema else { return false };
    match members.get("type") {
        Some(Value::String(name)) => name == "null",
        Some(Value::Array(names)) => names.len() == 1 && names[0] == "null",
        _ => members.get("enum").and_then(Value::as_array).is_some_and(|it| it.len() == 1 && it[0].is_null()),
    }
}

/// What a variant is called: the name of the component, its title, or its number.
fn variant_name(value: &Value, index: usize, document: &Document) -> String {
    let target = document.follow(value);
    let component = target.pointer.and_then(|pointer| pointer.strip_prefix("/components/schemas/"));
    match (component, value.get("title").and_then(Value::as_str)) {
        (Some(name), _) => unescape(name),
        (None, Some(title)) => title.to_owned(),
        (None, None) => index.to_string(),
    }
}
