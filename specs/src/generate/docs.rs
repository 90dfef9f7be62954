//! The docs of operations, their builders and parameters.

use std::collections::BTreeMap;

use serde_json::Value;

use super::prose::{listed, markdown};
use super::syntax::constructor_order;
use crate::Api;
use crate::shape::types::{Field, Kind, Rust, Type};
use crate::shape::{Operation, Parameter};

/// How many characters an example has on one line.
const LINE: usize = 80;

/// Formats that say nothing to the caller: placeholders of the servers' framework, and what the type says.
const SILENT_FORMATS: [&str; 4] = ["binary", "mask", "my-custom-format", "password"];

/// The docs of a client.
pub(super) fn client(api: Api) -> String {
    let module = api.module();
    format!(
        "The client of the API `{api}`: a method for each operation. [`Client::{module}`](crate::Client::{module}) returns it; \
         [`OPERATIONS`] lists them."
    )
}

/// The docs of the method of an operation: an example has what is required, and nothing else.
pub(super) fn operation(api: Api, operation: &Operation, types: &BTreeMap<String, Type>) -> String {
    let mut text = String::new();
    let summary = operation.summary.as_deref().map(|summary| summary.trim_end_matches(['.', ',']));
    let description = operation.description.as_deref().filter(|text| summary != Some(text.trim_end_matches('.')));
    for part in [summary, description].into_iter().flatten() {
        text += &markdown(part);
        text += "\n\n";
    }
    text += &format!("`{} {}`\n\n```text\n", operation.method, operation.path);
    text += &example(api, operation, types);
    text += "\n```";
    text
}

fn example(api: Api, operation: &Operation, types: &BTreeMap<String, Type>) -> String {
    let required = operation.parameters.iter().filter(|parameter| parameter.required);
    let mut calls: Vec<String> = required.map(|parameter| format!(".{0}({0})", parameter.name)).collect();
    calls.extend(operation.body.as_ref().map(|body| format!(".body({})", body_of_example(body, types))));
    calls.push(".send()".to_owned());
    let start = format!("client.{}().{}()", api.module(), operation.name);
    if start.len() + calls.iter().map(String::len).sum::<usize>() < LINE {
        format!("{start}{}.await?", calls.concat())
    } else {
        format!("{start}\n    {}\n    .await?", calls.join("\n    "))
    }
}

/// A body, made from what the server requires of it.
fn body_of_example(body: &Rust, types: &BTreeMap<String, Type>) -> String {
    let named = if let Rust::Named(name) = body { types.get(name) } else { None };
    let fields: Vec<&Field> = match named.map(|made| &made.kind) {
        Some(Kind::Structure(_, fields) | Kind::Form(fields, _)) => {
            constructor_order(fields).into_iter().filter(|field| field.required && !field.rest).collect()
        }
        _ => Vec::new(),
    };
    match named {
        Some(made) if !fields.is_empty() => {
            let arguments: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            format!("types::{}::new({})", made.name, arguments.join(", "))
        }
        _ => "body".to_owned(),
    }
}

/// The docs of the builder of an operation.
pub(super) fn builder(operation: &Operation) -> String {
    let name = &operation.name;
    let mut required: Vec<String> = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .map(|parameter| format!("[`{0}`](Self::{0})", parameter.name))
        .collect();
    required.extend(operation.body.as_ref().map(|_| "[`body`](Self::body)".to_owned()));
    let required = if required.is_empty() { String::new() } else { format!(" Requires {}.", listed(&required)) };
    format!("Builds the request of [`{name}`](super::Client::{name}).{required}")
}

/// The docs of the method that sets a parameter.
pub(super) fn parameter(parameter: &Parameter) -> String {
    let Parameter { name, sent_as, location, description, required, schema, rust } = parameter;
    let mut text = match description {
        Some(description) => sentence(description),
        None => format!("The {location} parameter `{sent_as}`."),
    };
    let mut add = |fact: String| {
        text.push(' ');
        text += &fact;
    };
    if description.is_some() && name.trim_end_matches('_') != sent_as {
        add(format!("Sent as the {location} parameter `{sent_as}`."));
    }
    if *required {
        add("Required.".to_owned());
    }
    if let Some(default) = schema.get("default").filter(|default| !default.is_null()) {
        add(format!("Default: `{}`.", plain(default)));
    }
    let several = matches!(rust, Rust::Values | Rust::List(_));
    if let Some(values) = enum_of(schema).or_else(|| schema.get("items").and_then(enum_of)) {
        let which = if several { "Any" } else { "One" };
        add(format!("{which} of {}.", values.join(", ")));
    }
    if several {
        add("Can have several values.".to_owned());
    }
    bounds(schema).into_iter().for_each(&mut add);
    let format = schema.get("format").and_then(Value::as_str).filter(|_| *rust == Rust::String);
    if let Some(format) = format.filter(|format| !SILENT_FORMATS.contains(format)) {
        add(format!("Format: `{format}`."));
    }
    text
}

/// The docs of the method that sets the body.
pub(super) fn body(operation: &Operation) -> String {
    match &operation.request {
        Some(media_type) => format!("The body, `{media_type}`. Required."),
        None => "The body. Required.".to_owned(),
    }
}

fn enum_of(schema: &Value) -> Option<Vec<String>> {
    let values = schema.get("enum")?.as_array()?.iter().filter(|value| !value.is_null());
    let values: Vec<String> = values.map(|value| format!("`{}`", plain(value))).collect();
    (!values.is_empty()).then_some(values)
}

fn bounds(schema: &Value) -> Vec<String> {
    let number = |key: &str| schema.get(key).filter(|bound| bound.is_number());
    let exclusive = |key: &str| schema.get(key).and_then(Value::as_bool) == Some(true);
    let mut bounds = Vec::new();
    if let Some(bound) = number("minimum") {
        let word = if exclusive("exclusiveMinimum") { "More than" } else { "At least" };
        bounds.push(format!("{word} {bound}."));
    }
    if let Some(bound) = number("maximum") {
        let word = if exclusive("exclusiveMaximum") { "Less than" } else { "At most" };
        bounds.push(format!("{word} {bound}."));
    }
    for (key, word, unit) in [
        ("minLength", "At least", "characters"),
        ("maxLength", "At most", "characters"),
        ("minItems", "At least", "values"),
        ("maxItems", "At most", "values"),
    ] {
        bounds.extend(number(key).map(|bound| format!("{word} {bound} {unit}.")));
    }
    bounds.extend(schema.get("pattern").and_then(Value::as_str).map(|pattern| format!("Matches `{pattern}`.")));
    bounds
}

/// A value as it is sent: a string without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A description with a full stop, so that more can follow.
fn sentence(description: &str) -> String {
    let mut text = markdown(description);
    if !text.ends_with(['.', '!', '?', '…', ':']) {
        text.push('.');
    }
    text
}
