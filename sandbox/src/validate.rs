//! Checks JSON values against schemas of the document, and locates mismatches.

use std::fmt;

use serde_json::{Map, Value};

use crate::document::{Document, escape, members, strings};
use crate::format;
use crate::sort::sort_by;

/// The direction of a value: a request must not have properties that are read-only or not declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From a client to the server.
    Request,
    /// From the server to a client.
    Response,
}

/// A mismatch between a value and its schema, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// JSON pointer (RFC 6901) into the value; empty for the value as a whole.
    pub pointer: String,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            formatter.write_str(&self.reason)
        } else {
            write!(formatter, "{}: {}", self.pointer, self.reason)
        }
    }
}

/// Checks values against the schemas of a document.
#[derive(Debug, Clone, Copy)]
pub struct Checker<'a> {
    document: &'a Document,
    direction: Direction,
}

/// The depth at which a schema that refers to itself, without descending into the value, is an error.
const DEEPEST: usize = 256;

impl<'a> Checker<'a> {
    /// A checker for values of one direction.
    pub fn new(document: &'a Document, direction: Direction) -> Self {
        Self { document, direction }
    }

    /// Checks a whole value.
    pub fn check(&self, schema: &'a Value, value: &Value) -> Result<(), Mismatch> {
        self.check_requiring(schema, value, None)
    }

    /// Checks a whole value whose required properties at the top are given apart from the schema.
    pub fn check_requiring(
        &self,
        schema: &'a Value,
        value: &Value,
        required: Option<&[&'a str]>,
    ) -> Result<(), Mismatch> {
        let place = Place { at: "", required, known: &[], depth: 0 };
        self.visit(schema, value, place)
    }

    /// The properties that a schema requires of a value in this direction. What a schema requires of requests
    /// replaces what its parts require.
    pub fn required(&self, schema: &'a Value) -> Vec<&'a str> {
        let mut required = Vec::new();
        self.collect_required(schema, 0, &mut required);
        sort_by(&mut required, Ord::cmp);
        required.dedup();
        required
    }

    fn collect_required(&self, schema: &'a Value, depth: usize, required: &mut Vec<&'a str>) {
        let in_requests = strings(schema, "x-required-in-requests").filter(|_| self.direction == Direction::Request);
        if let Some(names) = in_requests {
            required.extend(names);
            return;
        }
        let read_only = |name: &str| {
            self.direction == Direction::Request
                && schema
                    .get("properties")
                    .and_then(|properties| properties.get(name))
                    .is_some_and(|property| self.says(property, "readOnly"))
        };
        required.extend(strings(schema, "required").unwrap_or_default().into_iter().filter(|name| !read_only(name)));
        if depth > DEEPEST {
            return;
        }
        let target = self.document.resolve(schema);
        if !std::ptr::eq(target, schema) {
            self.collect_required(target, depth + 1, required);
        }
        for member in members(schema, "allOf") {
            self.collect_required(member, depth + 1, required);
        }
    }

    fn says(&self, schema: &Value, keyword: &str) -> bool {
        self.document.parts(schema).into_iter().any(|part| part.get(keyword).and_then(Value::as_bool) == Some(true))
    }

    fn visit(&self, schema: &'a Value, value: &Value, place: Place<'_, 'a>) -> Result<(), Mismatch> {
        if place.depth > DEEPEST {
            return place.wrong("the schema refers to itself without end");
        }
        if value.is_null() {
            return if self.document.allows_null(schema) { Ok(()) } else { place.wrong("null is not allowed") };
        }
        let parts = self.document.parts(schema);
        for part in &parts {
            check_scalar(part, value, self.direction).or_else(|reason| place.wrong(reason))?;
            if let Value::Array(items) = value {
                self.check_items(part, items, place)?;
            }
        }
        if let Value::Object(object) = value {
            self.check_object(schema, &parts, object, place)?;
        }
        let known: Vec<&str> =
            parts.iter().flat_map(|part| property_names(part)).chain(place.known.iter().copied()).collect();
        for part in &parts {
            self.check_choices(part, value, Place { known: &known, required: None, ..place })?;
        }
        Ok(())
    }

    fn check_items(&self, part: &'a Value, items: &[Value], place: Place<'_, 'a>) -> Result<(), Mismatch> {
        let count = items.len() as u64;
        if let Some(least) = limit(part, "minItems").filter(|least| count < *least) {
            return place.wrong(format!("{count} items, at least {least} are needed"));
        }
        if let Some(most) = limit(part, "maxItems").filter(|most| count > *most) {
            return place.wrong(format!("{count} items, at most {most} are allowed"));
        }
        if part.get("uniqueItems").and_then(Value::as_bool) == Some(true)
            && items.iter().enumerate().any(|(index, item)| items[..index].contains(item))
        {
            return place.wrong("an item comes twice");
        }
        let Some(schema) = part.get("items") else {
            return Ok(());
        };
        for (index, item) in items.iter().enumerate() {
            let at = format!("{}/{index}", place.at);
            self.visit(schema, item, place.below(&at))?;
        }
        Ok(())
    }

    fn check_object(
        &self,
        schema: &'a Value,
        parts: &[&'a Value],
        object: &Map<String, Value>,
        place: Place<'_, 'a>,
    ) -> Result<(), Mismatch> {
        let required = match place.required {
            Some(names) => names.to_vec(),
            None => self.required(schema),
        };
        if let Some(name) = required.into_iter().find(|name| !object.contains_key(*name)) {
            return place.wrong(format!("`{name}` is required and missing"));
        }
        for (name, member) in object {
            let at = format!("{}/{}", place.at, escape(name));
            let place = place.below(&at);
            let schemas: Vec<&Value> = parts.iter().filter_map(|part| part.get("properties")?.get(name)).collect();
            for schema in &schemas {
                if self.direction == Direction::Request && self.says(schema, "readOnly") {
                    return place.wrong("read-only, must not be sent");
                }
                self.visit(schema, member, place)?;
            }
            if schemas.is_empty() {
                self.check_undeclared(parts, name, member, place)?;
            }
        }
        Ok(())
    }

    fn check_undeclared(
        &self,
        parts: &[&'a Value],
        name: &str,
        member: &Value,
        place: Place<'_, 'a>,
    ) -> Result<(), Mismatch> {
        let mut open = false;
        for additional in parts.iter().filter_map(|part| part.get("additionalProperties")) {
            match additional {
                Value::Bool(false) if !place.known.contains(&name) => {
                    return place.wrong("no such property is allowed");
                }
                Value::Bool(allowed) => open |= allowed,
                schema => {
                    self.visit(schema, member, place)?;
                    open = true;
                }
            }
        }
        // An object that declares no property allows any; one that declares some allows no other,
        // or a misspelt name would never be caught.
        let declares = parts.iter().any(|part| {
            part.get("properties").is_some() || members(part, "oneOf").chain(members(part, "anyOf")).count() > 0
        });
        let known = place.known.contains(&name) || self.in_choices(parts, name);
        if self.direction == Direction::Request && declares && !open && !known {
            return place.wrong("no such property is declared");
        }
        Ok(())
    }

    fn in_choices(&self, parts: &[&'a Value], name: &str) -> bool {
        parts
            .iter()
            .flat_map(|part| members(part, "oneOf").chain(members(part, "anyOf")))
            .flat_map(|choice| self.document.parts(choice))
            .any(|part| {
                part.get("additionalProperties").is_some_and(|additional| *additional != Value::Bool(false))
                    || property_names(part).any(|property| property == name)
            })
    }

    fn check_choices(&self, part: &'a Value, value: &Value, place: Place<'_, 'a>) -> Result<(), Mismatch> {
        for (keyword, only_one) in [("anyOf", false), ("oneOf", true)] {
            let mut fits = 0;
            let mut failures = Vec::new();
            for choice in members(part, keyword) {
                let place = Place { depth: place.depth + 1, ..place };
                match self.visit(choice, value, place) {
                    Ok(()) => fits += 1,
                    Err(mismatch) => failures.push(mismatch.to_string()),
                }
            }
            if fits == 0 && !failures.is_empty() {
                return place.wrong(format!("none of the alternatives fits ({})", failures.join("; ")));
            }
            if only_one && fits > 1 {
                return place.wrong(format!("{fits} of the alternatives fit, only one may"));
            }
        }
        if let Some(unwanted) = part.get("not")
            && self.visit(unwanted, value, Place { depth: place.depth + 1, ..place }).is_ok()
        {
            return place.wrong("this is what it must not be");
        }
        Ok(())
    }
}

/// The position of a visit.
#[derive(Clone, Copy)]
struct Place<'p, 'a> {
    at: &'p str,
    required: Option<&'p [&'a str]>,
    /// The property names that sibling schemas declare for the same object.
    known: &'p [&'p str],
    depth: usize,
}

impl<'p, 'a> Place<'p, 'a> {
    fn below(self, at: &'p str) -> Self {
        Self { at, required: None, known: &[], depth: self.depth + 1 }
    }

    fn wrong<T>(&self, reason: impl Into<String>) -> Result<T, Mismatch> {
        Err(Mismatch { pointer: self.at.to_owned(), reason: reason.into() })
    }
}

fn property_names(part: &Value) -> impl Iterator<Item = &str> {
    part.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str())
}

fn limit(part: &Value, keyword: &str) -> Option<u64> {
    part.get(keyword).and_then(Value::as_u64)
}

/// The keywords that look at the value alone.
fn check_scalar(part: &Value, value: &Value, direction: Direction) -> Result<(), String> {
    if let Some(name) = part.get("type").and_then(Value::as_str) {
        let fits = match name {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => {
                return Err(format!("the schema has a type `{other}` that does not exist"));
            }
        };
        if !fits {
            let article = if matches!(name, "integer" | "array" | "object") { "an" } else { "a" };
            return Err(format!("{} is not {article} {name}", brief(value)));
        }
    }
    if let Some(values) = part.get("enum").and_then(Value::as_array)
        && !values.contains(value)
    {
        let values: Vec<String> = values.iter().map(Value::to_string).collect();
        return Err(format!("{} is not one of {}", brief(value), values.join(", ")));
    }
    match value {
        Value::String(text) => check_text(part, text, direction),
        Value::Number(number) => number.as_f64().map_or(Ok(()), |number| check_number(part, number)),
        _ => Ok(()),
    }
}

fn check_text(part: &Value, text: &str, direction: Direction) -> Result<(), String> {
    let length = text.chars().count() as u64;
    if let Some(least) = limit(part, "minLength").filter(|least| length < *least) {
        return Err(format!("{length} characters, at least {least} are needed"));
    }
    if let Some(most) = limit(part, "maxLength").filter(|most| length > *most) {
        return Err(format!("{length} characters, at most {most} are allowed"));
    }
    // A server may take more than it sends.
    let in_requests = strings(part, "x-formats-in-requests").filter(|_| direction == Direction::Request);
    if let Some(names) = in_requests {
        return match names.iter().any(|name| format::fits(name, text)) {
            true => Ok(()),
            false => Err(format!("{text:?} has none of the formats {}", names.join(", "))),
        };
    }
    match part.get("format").and_then(Value::as_str) {
        Some(name) if !format::fits(name, text) => Err(format!("{text:?} has not the format {name}")),
        _ => Ok(()),
    }
}

fn check_number(part: &Value, number: f64) -> Result<(), String> {
    let bound = |keyword: &str| part.get(keyword).and_then(Value::as_f64);
    let exclusive = |keyword: &str| part.get(keyword).and_then(Value::as_bool) == Some(true);
    if let Some(least) = bound("minimum")
        && (number < least || (number == least && exclusive("exclusiveMinimum")))
    {
        return Err(format!("{number} is under the minimum {least}"));
    }
    if let Some(most) = bound("maximum")
        && (number > most || (number == most && exclusive("exclusiveMaximum")))
    {
        return Err(format!("{number} is over the maximum {most}"));
    }
    match bound("multipleOf") {
        Some(step) if step > 0.0 && number % step != 0.0 => Err(format!("{number} is no multiple of {step}")),
        _ => Ok(()),
    }
}

fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
