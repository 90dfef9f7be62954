//! Parameters of every kind.

use std::collections::BTreeMap;

use datagouv_specs::pointer::escape;
use serde_json::Value;

use super::announced;
use super::bodies;
use super::change::Direction;
use super::comparison::{Comparison, OperationDifferences};
use super::location::Location;
use super::operations::{Entry, path_names};
use super::rules;
use super::texts::{self, Wider};

type Parameters<'a> = BTreeMap<(String, String), &'a Value>;

/// The headers that a parameter does not describe (OpenAPI 3.0.3, Parameter Object).
const IGNORED: [&str; 3] = ["accept", "content-type", "authorization"];

/// The parameters of an operation, by location and name.
fn parameters<'a>(entry: &Entry<'a>) -> Parameters<'a> {
    let mut parameters = Parameters::new();
    // Those of the operation replace those of the path.
    for owner in [entry.item, entry.value] {
        for parameter in owner.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            let parameter = entry.document.follow(parameter).value;
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            let (location, name) = match text("in") {
                "header" => ("header", text("name").to_lowercase()),
                location => (location, text("name").to_owned()),
            };
            if location != "header" || !IGNORED.contains(&name.as_str()) {
                parameters.insert((location.to_owned(), name), parameter);
            }
        }
    }
    parameters
}

/// The name in the document, which for headers differs from the key.
fn name(parameter: &Value) -> &str {
    parameter.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn location(kind: &str, name: &str) -> Location {
    let subject = match kind {
        "path" => format!("the path parameter `{name}`"),
        "header" => format!("the header `{name}`"),
        "cookie" => format!("the cookie `{name}`"),
        kind => format!("the {kind} parameter `{name}`"),
    };
    Location::of(format!("/parameters/{}/{}", escape(kind), escape(name)), subject)
}

/// Compares the parameters of an operation.
pub fn compare<'a>(
    comparison: &mut Comparison<'a>,
    old: &Entry<'a>,
    new: &Entry<'a>,
    output: &mut OperationDifferences,
) {
    let (mut was, mut is) = (parameters(old), parameters(new));
    renamed(old, new, &mut was, output);
    let names: Vec<(String, String)> = was.keys().filter(|key| is.contains_key(*key)).cloned().collect();
    for key in names {
        if let (Some(was), Some(is)) = (was.remove(&key), is.remove(&key)) {
            let at = location(&key.0, name(is));
            parameter(comparison, was, is, &at, output);
        }
    }
    // A parameter left on both sides under one name was moved.
    let left: Vec<(String, String)> = was.keys().cloned().collect();
    for key in left {
        let there = is.keys().find(|other| other.1.eq_ignore_ascii_case(&key.1)).cloned();
        let Some(there) = there else { continue };
        if let (Some(was), Some(is)) = (was.remove(&key), is.remove(&there)) {
            let at = location(&there.0, name(is));
            let values = (Some(key.0.as_str().into()), Some(there.0.as_str().into()));
            output.report(&rules::PARAMETER_MOVED, &at, values, format!("was in {}", preposition(&key.0)));
            required(was, is, &at, output);
            comparison.schemas(was.get("schema"), is.get("schema"), &at, Direction::Request, output);
        }
    }
    for (key, parameter) in was {
        let at = location(&key.0, name(parameter));
        output.report(&rules::PARAMETER_REMOVED, &at, (Some(name(parameter).into()), None), "is gone");
    }
    for (key, parameter) in is {
        let at = location(&key.0, name(parameter));
        let values = (None, Some(name(parameter).into()));
        match is_true(parameter, "required") {
            true => output.report(&rules::REQUIRED_PARAMETER_ADDED, &at, values, "is new, and required"),
            false => output.report(&rules::PARAMETER_ADDED, &at, values, "is new"),
        }
    }
}

fn preposition(kind: &str) -> &str {
    match kind {
        "query" => "the query",
        "header" => "a header",
        "cookie" => "a cookie",
        "path" => "the path",
        other => other,
    }
}

/// Renames the path parameters of OLD to those at the same position in NEW.
fn renamed(old: &Entry, new: &Entry, was: &mut Parameters, output: &mut OperationDifferences) {
    let names = path_names(&old.operation.path).into_iter().zip(path_names(&new.operation.path));
    let names: Vec<(&str, &str)> = names.filter(|(before, after)| before != after).collect();
    // All are removed before any is inserted, so that two parameters may swap their names.
    let key = |name: &str| ("path".to_owned(), name.to_owned());
    let taken: Vec<_> = names.iter().map(|(before, after)| (*after, was.remove(&key(before)))).collect();
    was.extend(taken.into_iter().filter_map(|(after, parameter)| Some((key(after), parameter?))));
    for (before, after) in names {
        let at = location("path", after);
        let values = (Some(before.into()), Some(after.into()));
        output.report(&rules::PATH_PARAMETER_RENAMED, &at, values, format!("was called `{before}`"));
    }
}

fn is_true(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

fn required(was: &Value, is: &Value, at: &Location, output: &mut OperationDifferences) {
    let (rule, text) = match (is_true(was, "required"), is_true(is, "required")) {
        (false, true) => (&rules::PARAMETER_BECAME_REQUIRED, "is now required"),
        (true, false) => (&rules::PARAMETER_BECAME_OPTIONAL, "is no longer required"),
        _ => return,
    };
    let required = is_true(is, "required");
    output.report(rule, at, (Some((!required).into()), Some(required.into())), text);
}

fn parameter<'a>(
    comparison: &mut Comparison<'a>,
    was: &'a Value,
    is: &'a Value,
    at: &Location,
    output: &mut OperationDifferences,
) {
    required(was, is, at, output);
    announced(was, is, at, output);
    for (key, on, off, text) in [
        ("deprecated", &rules::PARAMETER_DEPRECATED, &rules::PARAMETER_NO_LONGER_DEPRECATED, "deprecated"),
        ("allowEmptyValue", &rules::PARAMETER_EMPTY_ALLOWED, &rules::PARAMETER_EMPTY_REFUSED, "allowed to be empty"),
        (
            "allowReserved",
            &rules::PARAMETER_RESERVED_ALLOWED,
            &rules::PARAMETER_RESERVED_REFUSED,
            "allowed to have reserved characters as they are",
        ),
    ] {
        let (before, after) = (is_true(was, key), is_true(is, key));
        let values = (Some(before.into()), Some(after.into()));
        match (before, after) {
            (false, true) => output.report(on, at, values, format!("is now {text}")),
            (true, false) => output.report(off, at, values, format!("is no longer {text}")),
            _ => {}
        }
    }
    let kind = is.get("in").and_then(Value::as_str).unwrap_or_default();
    styles(comparison, was, is, kind, at, output);
    match (was.get("content"), is.get("content")) {
        (None, None) => schemas(comparison, was, is, kind, at, output),
        (before, after) => {
            let first = |content: Option<&'a Value>| content.and_then(Value::as_object)?.iter().next();
            let (before, after) = (first(before), first(after));
            let essence = |entry: Option<(&'a String, &'a Value)>| entry.map(|(name, _)| bodies::normal(name));
            if essence(before) != essence(after) {
                let text = format!(
                    "is written as {}, no longer as {}",
                    essence(after).unwrap_or_else(|| "its style says".to_owned()),
                    essence(before).unwrap_or_else(|| "its style says".to_owned()),
                );
                let values = (essence(before).map(Value::from), essence(after).map(Value::from));
                output.report(&rules::PARAMETER_CONTENT_CHANGED, at, values, text);
            }
            let schema = |owner: &'a Value, entry: Option<(&'a String, &'a Value)>| match entry {
                Some((_, media)) => media.get("schema"),
                None => owner.get("schema"),
            };
            comparison.schemas(schema(was, before), schema(is, after), at, Direction::Request, output);
        }
    }
}

/// Compares the schemas of a parameter that is written as its style says.
fn schemas<'a>(
    comparison: &mut Comparison<'a>,
    was: &'a Value,
    is: &'a Value,
    kind: &str,
    at: &Location,
    output: &mut OperationDifferences,
) {
    let (before, after) = (was.get("schema"), is.get("schema"));
    let is_form =
        |it: &Value| it.get("style").is_none_or(|style| style == "form") && it.get("explode") != Some(&false.into());
    let has_repeated_lists = kind == "query" && is_form(was) && is_form(is);
    let (old, new) = ((comparison.old, before), (comparison.new, after));
    let (pair, wider, verb) =
        match (texts::wider(old, new, has_repeated_lists), texts::wider(new, old, has_repeated_lists)) {
            (Some(wider), _) => (&rules::TYPE_WIDENED, wider, "may now be"),
            _ if texts::becomes_any_text(old, new) => (&rules::TYPE_WIDENED, texts::Wider::Text, "may now be"),
            (None, Some(wider)) => (&rules::TYPE_NARROWED, wider, "may no longer be"),
            (None, None) => {
                comparison.schemas(before, after, at, Direction::Request, output);
                return;
            }
        };
    if let Wider::List(items) = wider {
        let is_wider = verb == "may now be";
        let (before, after) = if is_wider { (before, Some(items)) } else { (Some(items), after) };
        comparison.schemas(before, after, at, Direction::Request, output);
    }
    let types = |schema: Option<&Value>| schema.and_then(|schema| schema.get("type")).cloned();
    let text = format!("{verb} {}", wider.words());
    output.report(pair.on(Direction::Request), at, (types(before), types(after)), text);
}

/// Compares style and explode, with their defaults.
fn styles(
    comparison: &Comparison,
    was: &Value,
    is: &Value,
    kind: &str,
    at: &Location,
    output: &mut OperationDifferences,
) {
    if was.get("content").is_some() || is.get("content").is_some() {
        return;
    }
    let default = if matches!(kind, "query" | "cookie") { "form" } else { "simple" };
    let style = |value: &Value| value.get("style").and_then(Value::as_str).unwrap_or(default).to_owned();
    let explode = |value: &Value| value.get("explode").and_then(Value::as_bool).unwrap_or(style(value) == "form");
    let (before, after) = (style(was), style(is));
    if before != after {
        let text = format!("has the style `{after}`, no longer `{before}`");
        output.report(&rules::PARAMETER_STYLE_CHANGED, at, (Some(before.into()), Some(after.into())), text);
    }
    let (before, after) = (explode(was), explode(is));
    // It has no meaning for a single value.
    let is_plain = |document: &super::document::Document, value: &Value| {
        let schema = value.get("schema").map(|schema| document.follow(schema).value);
        let name = schema.and_then(|schema| schema.get("type")).and_then(Value::as_str);
        matches!(name, Some("string" | "number" | "integer" | "boolean"))
    };
    if before != after && !(is_plain(comparison.old, was) && is_plain(comparison.new, is)) {
        let text = match after {
            true => "has its values one by one, no longer joined",
            false => "has its values joined, no longer one by one",
        };
        output.report(&rules::PARAMETER_EXPLODE_CHANGED, at, (Some(before.into()), Some(after.into())), text);
    }
}

/// Compares what is announced of a parameter.
fn announced(was: &Value, is: &Value, at: &Location, output: &mut OperationDifferences) {
    for (key, compare) in
        [("x-sunset", announced::sunset as announced::Compare), ("x-stability-level", announced::stability)]
    {
        let (before, after) = (was.get(key), is.get(key));
        if let Some((announcement, text)) = compare(before, after) {
            let rule = announcement.of_value(Direction::Request);
            output.report(rule, at, (before.cloned(), after.cloned()), text);
        }
    }
}
