//! Merges schemas that all apply into the effective one.

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use datagouv_specs::pointer::unescape;
use serde_json::{Map, Value};

use super::effective::{Bound, EffectiveSchema, Keyword, Union};
use super::located::{ANNOTATIONS, LocatedSchema};
use crate::diff::document::Document;
use crate::diff::location::Location;
use crate::diff::values::{is_same, type_name};

/// Keywords of which the first value applies where several parts have one.
const FIRST: [&str; 12] = [
    "format",
    "const",
    "pattern",
    "default",
    "multipleOf",
    "discriminator",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "x-sunset",
    "x-stability-level",
    "x-extensible-enum",
];
const FLAGS: [&str; 5] = ["nullable", "readOnly", "writeOnly", "uniqueItems", "deprecated"];
const LEAST: [&str; 3] = ["minLength", "minItems", "minProperties"];
const MOST: [&str; 3] = ["maxLength", "maxItems", "maxProperties"];

impl<'a> EffectiveSchema<'a> {
    /// Merges schemas that all apply.
    pub fn of(parts: &[LocatedSchema<'a>], document: &'a Document) -> Self {
        let mut effective = Self { location: parts.first().map(|part| part.location.clone()), ..Self::default() };
        // Reversed, so that parts are popped in document order.
        let mut rest: Vec<LocatedSchema> = parts.iter().rev().cloned().collect();
        let mut seen = HashSet::new();
        while let Some(part) = rest.pop() {
            let resolved = part.resolve(document);
            if let Value::Object(members) = resolved.value
                && seen.insert(std::ptr::from_ref(resolved.value))
            {
                effective.add(members, &resolved, &mut rest, document);
            }
        }
        let without_null = parts.iter().all(|part| part.without_null);
        if effective.keywords.contains_key("nullable") || without_null {
            let variants = effective.unions.iter_mut().flat_map(|union| &mut union.variants);
            variants.for_each(|variant| variant.without_null = true);
        }
        if without_null {
            effective.keywords.remove("nullable");
        }
        effective.infer();
        effective
    }

    fn add(
        &mut self,
        members: &'a Map<String, Value>,
        located: &LocatedSchema<'a>,
        rest: &mut Vec<LocatedSchema<'a>>,
        document: &'a Document,
    ) {
        let at = LocatedSchema::new;
        let keywords = |value: &'a Value| Keyword { value, location: located.location.clone() };
        self.add_types(members, located);
        self.add_bounds(members, located);
        for key in FIRST {
            if let Some(value) = members.get(key) {
                self.keywords.entry(key).or_insert_with(|| keywords(value));
            }
        }
        for key in FLAGS {
            if let Some(value @ Value::Bool(true)) = members.get(key) {
                self.keywords.entry(key).or_insert_with(|| keywords(value));
            }
        }
        for (keys, stricter) in [(LEAST, f64::gt as fn(&f64, &f64) -> bool), (MOST, f64::lt)] {
            for key in keys {
                let Some((value, count)) = members.get(key).and_then(|value| Some((value, value.as_f64()?))) else {
                    continue;
                };
                let known = self.keywords.get(key).and_then(|keywords| keywords.value.as_f64());
                if known.is_none_or(|known| stricter(&count, &known)) {
                    self.keywords.insert(key, keywords(value));
                }
            }
        }
        if let Some(Value::Array(values)) = members.get("enum") {
            // Without a type, null is allowed where it is listed.
            if !members.contains_key("type") && values.iter().any(Value::is_null) {
                self.allow_null(&located.location);
            }
            self.add_values(values.iter().filter(|value| !value.is_null()).collect(), &located.location);
        }
        for name in members.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            self.required.entry(name).or_insert_with(|| located.location.clone());
        }
        for (name, value) in members.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.properties.entry(name).or_default().push(at(value, located.location.property(name)));
        }
        if let Some(value @ Value::Object(_)) = members.get("items") {
            self.items.push(at(value, located.location.items()));
        }
        let additional = members.get("additionalProperties").or_else(|| members.get("unevaluatedProperties"));
        match additional {
            Some(Value::Bool(false)) => self.closed = self.closed.take().or_else(|| Some(located.location.clone())),
            // An empty schema allows any value, as `true` does.
            Some(value @ Value::Object(schema)) if !schema.is_empty() => {
                self.additional.push(at(value, located.location.additional()));
            }
            _ => {}
        }
        if let Some(value @ Value::Object(_)) = members.get("not") {
            self.not.push(at(value, (*located.location).clone()));
        }
        self.add_conditions(members, located);
        if let Some(Value::Array(all)) = members.get("allOf") {
            let part = |value| LocatedSchema {
                without_unions: located.without_unions,
                ..LocatedSchema::at(value, located.location.clone())
            };
            rest.extend(all.iter().rev().map(part));
        }
        for kind in ["oneOf", "anyOf"] {
            if let Some(Value::Array(variants)) = members.get(kind) {
                self.add_union(kind, variants, located, rest, document);
            }
        }
    }

    /// The keywords that OpenAPI 3.0 does not have.
    fn add_conditions(&mut self, members: &'a Map<String, Value>, located: &LocatedSchema<'a>) {
        let location = &located.location;
        let own = |value: &'a Value| LocatedSchema::at(value, location.clone());
        let at = LocatedSchema::new;
        let map = |key: &str| members.get(key).and_then(Value::as_object).into_iter().flatten();
        for (pattern, value) in map("patternProperties") {
            self.patterns.entry(pattern).or_default().push(at(value, location.pattern(pattern)));
        }
        for (index, value) in members.get("prefixItems").and_then(Value::as_array).into_iter().flatten().enumerate() {
            if self.prefix.len() <= index {
                self.prefix.push(Vec::new());
            }
            if let Some(parts) = self.prefix.get_mut(index) {
                parts.push(at(value, location.item(index)));
            }
        }
        for key in ["items", "unevaluatedItems"] {
            if members.get(key) == Some(&Value::Bool(false)) {
                self.items_closed.get_or_insert_with(|| location.clone());
            }
        }
        if let Some(value @ Value::Object(_)) = members.get("contains") {
            self.contains.push(own(value));
            for key in ["minContains", "maxContains"] {
                self.contained.extend(members.get(key).map(|count| (key, count)));
            }
        }
        if let Some(value @ Value::Object(_)) = members.get("propertyNames") {
            self.names.push(own(value));
        }
        if let Some(value @ Value::Object(_)) = members.get("if") {
            let number = self.conditions.len();
            let parts = [Some(value), members.get("then"), members.get("else")].map(|part| part.map(own));
            self.conditions.insert(format!("if {number}"), parts);
        }
        for (name, value) in map("dependentSchemas") {
            self.conditions.insert(format!("dependent {name}"), [Some(own(value)), None, None]);
        }
        for (name, needed) in map("dependentRequired") {
            for other in needed.as_array().into_iter().flatten().filter_map(Value::as_str) {
                self.dependent.entry((name, other)).or_insert_with(|| location.clone());
            }
        }
    }

    fn allow_null(&mut self, location: &Rc<Location>) {
        let nullable = Keyword { value: &Value::Bool(true), location: location.clone() };
        self.keywords.entry("nullable").or_insert(nullable);
    }

    fn add_values(&mut self, values: Vec<&'a Value>, location: &Rc<Location>) {
        match &mut self.values {
            Some((known, _)) => known.retain(|value| values.iter().any(|it| is_same(it, value))),
            None => self.values = Some((values, location.clone())),
        }
    }

    fn add_types(&mut self, members: &'a Map<String, Value>, located: &LocatedSchema<'a>) {
        let mut types: BTreeSet<&str> = match members.get("type") {
            Some(Value::String(name)) => BTreeSet::from([name.as_str()]),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        if types.remove("null") {
            self.allow_null(&located.location);
        }
        if types.contains("number") {
            types.insert("integer");
        }
        match &mut self.types {
            Some(known) => known.retain(|name| types.contains(name)),
            None => (self.types, self.types_location) = (Some(types), Some(located.location.clone())),
        }
    }

    fn add_bounds(&mut self, members: &'a Map<String, Value>, located: &LocatedSchema<'a>) {
        let location = &located.location;
        let bound = |key: &str, exclusive: &str| {
            // OpenAPI 3.1 has the bound itself where 3.0 has a flag.
            let inclusive = members.get(key).and_then(Value::as_f64);
            match (inclusive, members.get(exclusive)) {
                (Some(value), flag) if flag.is_none_or(|flag| !flag.is_number()) => {
                    Some(Bound { value, exclusive: flag == Some(&Value::Bool(true)), location: location.clone() })
                }
                (_, Some(flag)) => Some(Bound { value: flag.as_f64()?, exclusive: true, location: location.clone() }),
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
        located: &LocatedSchema<'a>,
        rest: &mut Vec<LocatedSchema<'a>>,
        document: &'a Document,
    ) {
        let mut kept = Vec::new();
        for (index, value) in variants.iter().enumerate() {
            if is_null(document.follow(value).value) {
                self.allow_null(&located.location);
                continue;
            }
            let name = variant_name(value, index, document);
            kept.push(LocatedSchema::new(value, located.location.variant(kind, &name)));
        }
        let listed: Option<Vec<Vec<&Value>>> = kept.iter().map(|it| listed(document.follow(it.value).value)).collect();
        if kept.len() == 1 {
            rest.append(&mut kept);
        } else if let Some(values) = listed.filter(|values| !values.is_empty()) {
            // A union of values is an enum.
            self.add_values(values.into_iter().flatten().collect(), &located.location);
        } else if !kept.is_empty() && !located.without_unions {
            self.unions.push(Union { kind, variants: kept, location: located.location.clone() });
        }
    }

    /// Adds the types that other keywords imply.
    fn infer(&mut self) {
        if self.types.is_none() {
            let named = match () {
                () if !self.properties.is_empty() => Some("object"),
                () if !self.items.is_empty() || !self.prefix.is_empty() => Some("array"),
                () => None,
            };
            let only = self.keywords.get("const").map(|only| vec![only.value]);
            let values = self.values.as_ref().map(|(values, _)| values.clone()).or(only).unwrap_or_default();
            let of_values: BTreeSet<&str> = values.into_iter().map(type_name).collect();
            self.types = named.map(|name| BTreeSet::from([name])).or((!of_values.is_empty()).then_some(of_values));
        }
        if self.types.as_ref().is_some_and(|types| types.contains("number")) {
            self.types.iter_mut().for_each(|types| {
                types.insert("integer");
            });
        }
    }
}

/// The values of a schema that says nothing else.
fn listed(schema: &Value) -> Option<Vec<&Value>> {
    let members = schema.as_object()?;
    let is_plain = |key: &String| {
        matches!(key.as_str(), "type" | "enum" | "const")
            || ANNOTATIONS.contains(&key.as_str())
            || key.starts_with("x-")
    };
    if !members.keys().all(is_plain) {
        return None;
    }
    match (members.get("enum"), members.get("const")) {
        (Some(Value::Array(values)), None) if !values.iter().any(Value::is_null) => Some(values.iter().collect()),
        (None, Some(value)) if !value.is_null() => Some(vec![value]),
        _ => None,
    }
}

/// Whether a schema allows only null.
fn is_null(schema: &Value) -> bool {
    let Value::Object(members) = schema else { return false };
    match members.get("type") {
        Some(Value::String(name)) => name == "null",
        Some(Value::Array(names)) => names.len() == 1 && names[0] == "null",
        _ => members.get("enum").and_then(Value::as_array).is_some_and(|it| it.len() == 1 && it[0].is_null()),
    }
}

/// The name of a variant: its component's name, its title, or its index.
fn variant_name(value: &Value, index: usize, document: &Document) -> String {
    let target = document.follow(value);
    let component = target.pointer.and_then(|pointer| pointer.strip_prefix("/components/schemas/"));
    match (component, value.get("title").and_then(Value::as_str)) {
        (Some(name), _) => unescape(name),
        (None, Some(title)) => title.to_owned(),
        (None, None) => index.to_string(),
    }
}
