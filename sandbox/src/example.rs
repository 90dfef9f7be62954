//! Values made from a schema: plausible, complete, and satisfying the schema they were made from.

use serde_json::{Map, Value, json};

use crate::document::{Document, members};
use crate::format;
use crate::validate::{Checker, Direction};

/// Which properties an example has, and with which values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Every declared property with a plausible value.
    Full,
    /// Null wherever the document allows absence or null, the rest as in `Full`.
    Nulls,
    /// Every property null, whatever the document promises.
    AllNull,
    /// Only what the document promises, arrays empty.
    Minimal,
    /// `{}` and `[]`, whatever the document promises.
    Empty,
    /// As `Full`, with a value outside of every enum and an unknown field in every object.
    Unknown,
}

/// The property that `Style::Unknown` adds to objects.
pub const UNKNOWN_FIELD: &str = "field_of_a_later_version";

/// The value that `Style::Unknown` gives to enums.
pub const UNKNOWN_VALUE: &str = "value-of-a-later-version";

/// The depth in objects below which optional properties are left out, to limit the size of responses.
const DEEPEST: usize = 8;

/// Makes values from the schemas of a document.
#[derive(Debug)]
pub struct Maker<'a> {
    document: &'a Document,
    style: Style,
}

impl<'a> Maker<'a> {
    /// A maker of one style.
    pub fn new(document: &'a Document, style: Style) -> Self {
        Self { document, style }
    }

    /// A value for a schema.
    pub fn make(&self, schema: &'a Value) -> Value {
        self.visit(schema, &mut Vec::new()).unwrap_or(Value::Null)
    }

    /// None if the schema is one of those above it.
    fn visit(&self, schema: &'a Value, above: &mut Vec<&'a Value>) -> Option<Value> {
        let target = self.document.resolve(schema);
        let repeats = above.iter().any(|other| std::ptr::eq(*other, target));
        if repeats && (target.get("properties").is_some() || target.get("allOf").is_some() || above.len() > 64) {
            return None;
        }
        above.push(target);
        let made = self.visit_parts(&self.document.parts(schema), above);
        above.pop();
        made
    }

    fn visit_parts(&self, parts: &[&'a Value], above: &mut Vec<&'a Value>) -> Option<Value> {
        let find = |keyword: &str| parts.iter().find_map(|part| part.get(keyword));
        let kind = find("type").and_then(Value::as_str);
        if let Some(values) = find("enum").and_then(Value::as_array) {
            return Some(self.enumerated(kind, values, parts));
        }
        let looks_like = |keyword: &str| kind.is_none() && find(keyword).is_some();
        if kind == Some("object") || looks_like("properties") || looks_like("additionalProperties") {
            return self.object(parts, above);
        }
        if kind == Some("array") || looks_like("items") {
            return Some(self.array(parts, above));
        }
        if let Some(choice) = parts.iter().flat_map(|part| choices(part)).find(|choice| choice.is_object()) {
            return self.visit(choice, above);
        }
        Some(scalar(parts, kind, self.document))
    }

    fn enumerated(&self, kind: Option<&str>, values: &'a [Value], parts: &[&'a Value]) -> Value {
        if self.style == Style::Unknown && values.iter().any(Value::is_string) {
            return json!(UNKNOWN_VALUE);
        }
        let given = parts.iter().find_map(|part| part.get("example").or_else(|| part.get("default")));
        given
            .filter(|given| values.contains(given))
            .or_else(|| values.iter().find(|value| !value.is_null()))
            .cloned()
            .unwrap_or_else(|| if kind == Some("string") { json!("") } else { Value::Null })
    }

    fn array(&self, parts: &[&'a Value], above: &mut Vec<&'a Value>) -> Value {
        let count = |keyword: &str| parts.iter().find_map(|part| part.get(keyword)?.as_u64());
        let least = count("minItems").unwrap_or(0);
        let length = match self.style {
            Style::Empty => 0,
            Style::Minimal => least,
            _ => least.max(1).min(count("maxItems").unwrap_or(u64::MAX)),
        };
        let items = parts.iter().find_map(|part| part.get("items"));
        let item = match items {
            Some(items) => self.visit(items, above),
            None => Some(json!("exemple")),
        };
        match item {
            Some(item) => (0..length).map(|_| item.clone()).collect(),
            None => json!([]),
        }
    }

    fn object(&self, parts: &[&'a Value], above: &mut Vec<&'a Value>) -> Option<Value> {
        let mut made = Map::new();
        if self.style == Style::Empty {
            return Some(Value::Object(made));
        }
        let required: Vec<&str> =
            parts.iter().flat_map(|part| members(part, "required")).filter_map(Value::as_str).collect();
        let properties = parts.iter().filter_map(|part| part.get("properties")?.as_object()).flatten();
        for (name, schema) in properties {
            if let Some(value) = self.property(name, schema, required.contains(&name.as_str()), above)? {
                made.insert(name.clone(), value);
            }
        }
        if made.is_empty() && matches!(self.style, Style::Full | Style::Unknown | Style::Nulls) {
            let additional = parts.iter().find_map(|part| part.get("additionalProperties"));
            if let Some(schema) = additional.filter(|schema| schema.is_object()) {
                let value = match self.style {
                    Style::Nulls if self.document.allows_null(schema) => Some(Value::Null),
                    _ => self.visit(schema, above),
                };
                made.extend(value.map(|value| ("exemple".to_owned(), value)));
            }
        }
        if let Some(choice) = parts.iter().flat_map(|part| choices(part)).next()
            && let Some(Value::Object(more)) = self.visit(choice, above)
        {
            made.extend(more);
        }
        let typed_map = parts.iter().any(|part| part.get("additionalProperties").is_some());
        if self.style == Style::Unknown && !typed_map {
            made.insert(UNKNOWN_FIELD.to_owned(), json!({"a": [1, "b", null]}));
        }
        only_page(&mut made);
        Some(Value::Object(made))
    }

    /// The value of a property; the inner None leaves it out, the outer None is an impossible object.
    fn property(
        &self,
        name: &str,
        schema: &'a Value,
        required: bool,
        above: &mut Vec<&'a Value>,
    ) -> Option<Option<Value>> {
        let says = |keyword: &str| {
            self.document.parts(schema).iter().any(|part| part.get(keyword).and_then(Value::as_bool) == Some(true))
        };
        if says("writeOnly") {
            return Some(None);
        }
        let nullable = self.document.allows_null(schema);
        match self.style {
            Style::AllNull => return Some(Some(Value::Null)),
            Style::Nulls if nullable || !required => return Some(nullable.then_some(Value::Null)),
            Style::Minimal if !required => return Some(None),
            _ => {}
        }
        if NEIGHBOUR_PAGES.contains(&name) && (nullable || !required) {
            return Some(nullable.then_some(Value::Null));
        }
        if !required && above.len() > DEEPEST {
            return Some(None);
        }
        match self.visit(schema, above) {
            Some(value) => Some(Some(value)),
            None if required && nullable => Some(Some(Value::Null)),
            None if required => None,
            None => Some(None),
        }
    }
}

fn choices(part: &Value) -> impl Iterator<Item = &Value> {
    members(part, "oneOf").chain(members(part, "anyOf"))
}

/// Makes a page the only one, so that a client that follows pages stops.
const NEIGHBOUR_PAGES: [&str; 4] = ["next_page", "previous_page", "next", "prev"];

fn only_page(made: &mut Map<String, Value>) {
    let total = made.get("data").and_then(Value::as_array).map(Vec::len);
    let is_page = ["page", "page_size", "total"].iter().all(|name| made.get(*name).is_some_and(Value::is_number));
    if let Some(total) = total.filter(|_| is_page) {
        for (name, value) in [("page", 1), ("page_size", 20), ("total", total)] {
            made.insert(name.to_owned(), json!(value));
        }
    }
}

fn scalar(parts: &[&Value], kind: Option<&str>, document: &Document) -> Value {
    let checker = Checker::new(document, Direction::Response);
    let given = parts.iter().find_map(|part| part.get("example").or_else(|| part.get("default")));
    if let Some(given) = given.filter(|given| !given.is_null())
        && parts.iter().all(|part| checker.check(part, given).is_ok())
    {
        return given.clone();
    }
    let number = |keyword: &str| parts.iter().find_map(|part| part.get(keyword)?.as_f64());
    let within =
        |wanted: f64| wanted.max(number("minimum").unwrap_or(wanted)).min(number("maximum").unwrap_or(f64::INFINITY));
    match kind {
        Some("string") => {
            let name = parts.iter().find_map(|part| part.get("format")?.as_str()).unwrap_or_default();
            let length = |keyword: &str| parts.iter().find_map(|part| part.get(keyword)?.as_u64());
            let text = format::example(name);
            let least = usize::try_from(length("minLength").unwrap_or(0)).unwrap_or(0);
            let most = length("maxLength").and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
            let padding = "x".repeat(least.saturating_sub(text.chars().count()));
            json!(text.chars().chain(padding.chars()).take(most).collect::<String>())
        }
        Some("integer") => json!(within(1.0) as i64),
        Some("number") => json!(within(1.5)),
        Some("boolean") => json!(true),
        _ => json!("exemple"),
    }
}
