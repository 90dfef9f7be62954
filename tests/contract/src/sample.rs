//! Samples: a distinct value for every parameter and every property of a request.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::call::Given;
use crate::document::{Document, Kind, Operation, Parameter, list};

/// Which properties a body has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Every property; of alternatives, the one of this number.
    Full(usize),
    /// Every property, empty where it may be: null, or no item.
    Emptied,
    /// What the server requires and nothing else.
    Required,
}

/// The samples for a call, and how many alternatives the body has at most.
#[must_use]
pub fn given(document: &Document, operation: &Operation, style: Style) -> (Given, usize) {
    let mut samples = BTreeMap::new();
    for (number, parameter) in operation.parameters.iter().enumerate() {
        samples.insert(parameter.key(), parameter_sample(document, operation, parameter, number));
    }
    let maker = Maker { document, style, alternatives: Cell::new(1), count: Cell::new(0) };
    if let Some(body) = &operation.body {
        if body.is_form() {
            for (name, schema) in document.sent_properties(&body.schema) {
                samples.insert(format!("form.{name}"), maker.field(schema, name));
            }
        } else {
            let required = body.required.as_deref();
            let made = maker.make(&body.schema, "body", required, &mut Vec::new()).unwrap_or_default();
            samples.insert("body".to_owned(), made);
        }
    }
    (Given(samples), maker.alternatives.get())
}

/// Characters that need escaping in a URL, a header or a form.
const TELLING: &str = "é &=#+?%2F/\"x\"";

fn parameter_sample(document: &Document, operation: &Operation, parameter: &Parameter, number: usize) -> Value {
    let (schema, name) = (&parameter.schema, &parameter.name);
    let one = |number: usize| match document.kind(schema) {
        Kind::List => {
            let items = document.parts(schema).into_iter().find_map(|part| part.get("items"));
            scalar(document, items.unwrap_or(&Value::Null), &format!("{name} {number} {TELLING}"), number)
        }
        _ => scalar(document, schema, &format!("{} {name} {TELLING}", operation.id), number),
    };
    match parameter.kind {
        Kind::List | Kind::Joined => json!([one(number), one(number + 1)]),
        // Servers decode these twice: the second decoding must not change them.
        Kind::Object => json!({"a b__exact": "x&y=z#%41+é", "é&c%3D__sort": "desc"}),
        _ => one(number),
    }
}

/// A scalar. Texts are as given if the schema allows them.
fn scalar(document: &Document, schema: &Value, telling: &str, number: usize) -> Value {
    let parts = document.parts(schema);
    let says = |key: &str| parts.iter().find_map(|part| part.get(key));
    let values: Vec<&Value> =
        says("enum").and_then(Value::as_array).into_iter().flatten().filter(|value| !value.is_null()).collect();
    if !values.is_empty() {
        return values[number % values.len()].clone();
    }
    let bound = |key: &str| says(key).and_then(Value::as_f64);
    let least = bound("minimum").map_or(f64::NEG_INFINITY, |least| least + 1.0);
    let within = |wanted: f64| wanted.max(least).min(bound("maximum").unwrap_or(f64::INFINITY));
    let wanted = u32::try_from(number).map_or(0.0, f64::from) + 100.0;
    match document.kind(schema) {
        #[allow(clippy::cast_possible_truncation, reason = "bounds of a document, made to be an integer")]
        Kind::Integer => json!(within(wanted).floor() as i64),
        Kind::Number => json!(within(wanted + 0.5)),
        Kind::Boolean => json!(number.is_multiple_of(2)),
        _ => json!(text(says("format").and_then(Value::as_str), says("maxLength"), telling, number)),
    }
}

fn text(format: Option<&str>, longest: Option<&Value>, telling: &str, number: usize) -> String {
    let (minute, second) = (number / 60 % 60, number % 60);
    match format {
        Some("uuid") => format!("6f1d8c9e-4b7a-4d52-9a3e-{number:012}"),
        Some("date") => format!("2024-02-{:02}", number % 28 + 1),
        Some("date-time") => format!("2024-02-29T12:{minute:02}:{second:02}.123456+02:00"),
        Some("email") => format!("adresse{number}@example.org"),
        Some("uri" | "url") => format!("https://example.org/a%20b/?c={number}&d=%C3%A9#e"),
        Some("mask") => format!("data{{id,field{number}{{*}}}},total"),
        _ => {
            let longest = longest.and_then(Value::as_u64).and_then(|longest| usize::try_from(longest).ok());
            telling.chars().take(longest.unwrap_or(usize::MAX)).collect()
        }
    }
}

struct Maker<'a> {
    document: &'a Document,
    style: Style,
    alternatives: Cell<usize>,
    count: Cell<usize>,
}

impl<'a> Maker<'a> {
    fn next(&self) -> usize {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    /// The sample of a field of a form.
    fn field(&self, schema: &Value, name: &str) -> Value {
        let number = self.next();
        match self.document.kind(schema) {
            // The sandbox reads names of files as browsers write them, which is in ASCII.
            Kind::File => json!({"file_name": format!("{name} {number}.csv"), "data": "a;é\r\n--x\r\n1;2\r\n\r\n"}),
            Kind::List => json!([format!("{name} 1 {TELLING}"), format!("{name} 2 {TELLING}")]),
            _ => scalar(self.document, schema, &format!("{name} {TELLING}"), number),
        }
    }

    /// A JSON value; none if the schema is one of those above it.
    fn make(
        &self,
        schema: &'a Value,
        at: &str,
        required: Option<&[String]>,
        above: &mut Vec<&'a Value>,
    ) -> Option<Value> {
        let target = self.document.resolve(schema);
        if above.iter().any(|other| std::ptr::eq(*other, target)) {
            return None;
        }
        above.push(target);
        let made = self.visit(target, at, required, above);
        above.pop();
        made
    }

    fn visit(
        &self,
        schema: &'a Value,
        at: &str,
        required: Option<&[String]>,
        above: &mut Vec<&'a Value>,
    ) -> Option<Value> {
        let parts = self.document.parts(schema);
        let alternatives: Vec<&Value> =
            parts.iter().flat_map(|part| list(part, "oneOf").iter().chain(list(part, "anyOf"))).collect();
        if !alternatives.is_empty() {
            self.alternatives.set(self.alternatives.get().max(alternatives.len()));
            let wanted = if let Style::Full(number) = self.style { number } else { 0 };
            return self.make(alternatives[wanted % alternatives.len()], at, None, above);
        }
        let has_type =
            parts.iter().any(|part| ["type", "properties", "enum"].iter().any(|key| part.get(*key).is_some()));
        match self.document.kind(schema) {
            Kind::List => Some(self.items(&parts, at, above)),
            Kind::Object | Kind::Map => Some(self.object(schema, &parts, at, required, above)),
            // Any value is allowed.
            Kind::Text if !has_type => Some(json!({"any": [1, "b", null, {"c": 0.5}], "at": at})),
            _ => Some(scalar(self.document, schema, &format!("{at} {TELLING}"), self.next())),
        }
    }

    fn items(&self, parts: &[&'a Value], at: &str, above: &[&'a Value]) -> Value {
        let limit = |key: &str| parts.iter().find_map(|part| usize::try_from(part.get(key)?.as_u64()?).ok());
        let least = limit("minItems").unwrap_or(0);
        // An empty body would not test its items.
        let may_be_empty = above.len() > 1 && !matches!(self.style, Style::Full(_));
        let wanted = if may_be_empty { 0 } else { 2 };
        let length = wanted.max(least).min(limit("maxItems").unwrap_or(usize::MAX));
        let items = parts.iter().find_map(|part| part.get("items"));
        let item = |number: usize| match items {
            Some(items) => self.make(items, &format!("{at}[{number}]"), None, &mut above.to_vec()),
            None => Some(json!(format!("{at}[{number}]"))),
        };
        (0..length).filter_map(item).collect()
    }

    fn object(
        &self,
        schema: &'a Value,
        parts: &[&'a Value],
        at: &str,
        required: Option<&[String]>,
        above: &mut Vec<&'a Value>,
    ) -> Value {
        let mut made = Map::new();
        let required = match required {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => self.document.required_in_requests(schema),
        };
        let properties = self.document.sent_properties(schema);
        for (name, property) in &properties {
            let needed = required.contains(name);
            let value = match self.style {
                Style::Required if !needed => continue,
                Style::Emptied if !needed && self.is_nullable(property) => Some(self.emptied(property)),
                _ => self.make(property, &format!("{at}.{name}"), None, above),
            };
            made.extend(value.map(|value| ((*name).to_owned(), value)));
        }
        let additional = parts.iter().find_map(|part| part.get("additionalProperties"));
        let is_open = |values: &&Value| **values != json!(false);
        let empty = matches!(self.style, Style::Emptied | Style::Required) && above.len() > 1;
        match additional.filter(is_open) {
            Some(values) if !empty => {
                for name in ["clé a", "b.c"] {
                    let value = if values.is_object() {
                        self.make(values, &format!("{at}.{name}"), None, above)
                    } else {
                        Some(json!({"any": [at]}))
                    };
                    made.extend(value.map(|value| (name.to_owned(), value)));
                }
            }
            None if properties.is_empty() => {
                made.insert("any".to_owned(), json!([1, "b", null, {"c": at}]));
            }
            _ => {}
        }
        Value::Object(made)
    }

    fn is_nullable(&self, schema: &Value) -> bool {
        let says = |schema: &Value| schema.get("nullable") == Some(&json!(true));
        says(schema) || self.document.parts(schema).into_iter().any(says)
    }

    /// Lists and maps are cleared by an empty value, all others by null.
    fn emptied(&self, schema: &Value) -> Value {
        match self.document.kind(schema) {
            Kind::List => json!([]),
            Kind::Map => json!({}),
            _ => Value::Null,
        }
    }
}
