//! Checks requests against their operation: parameters, media type, body.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};

use crate::document::{Document, strings};
use crate::form;
use crate::route::Operation;
use crate::text::{check_text, has_type, typed};
use crate::validate::{Checker, Direction};

/// A violation of the document, and the status of the response to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// 400, or 415 for a media type that the operation does not take.
    pub status: u16,
    /// What is wrong, and where.
    pub message: String,
}

impl Violation {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }
}

/// A request and its operation.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The document of the API.
    pub document: &'a Document,
    /// The operation of the path and the method.
    pub operation: &'a Operation,
    /// Path parameters, decoded.
    pub captures: &'a [(String, String)],
    /// Query parameters in their order, decoded.
    pub query: &'a [(String, String)],
    /// Headers.
    pub headers: &'a HeaderMap,
    /// The body, empty when there is none.
    pub body: &'a Bytes,
}

/// The text of a header, empty where it is absent or not readable.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Checks a request against all that the document declares.
pub fn check(incoming: &Incoming<'_>) -> Result<(), Violation> {
    check_query_names(incoming)?;
    for parameter in &incoming.operation.parameters {
        check_parameter(incoming, parameter)?;
    }
    check_body(incoming)
}

fn name(parameter: &Value) -> &str {
    parameter.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn place(parameter: &Value) -> &str {
    parameter.get("in").and_then(Value::as_str).unwrap_or_default()
}

fn is_true(node: &Value, keyword: &str) -> bool {
    node.get(keyword).and_then(Value::as_bool) == Some(true)
}

fn style(parameter: &Value) -> &str {
    let default = if matches!(place(parameter), "query" | "cookie") { "form" } else { "simple" };
    parameter.get("style").and_then(Value::as_str).unwrap_or(default)
}

fn explodes(parameter: &Value) -> bool {
    parameter.get("explode").and_then(Value::as_bool).unwrap_or_else(|| style(parameter) == "form")
}

/// The object parameter whose properties are query parameters of their own.
fn is_spread_object(document: &Document, parameter: &Value) -> bool {
    place(parameter) == "query"
        && style(parameter) == "form"
        && explodes(parameter)
        && parameter.get("schema").is_some_and(|schema| {
            has_type(document, schema, "object")
                || document.parts(schema).iter().any(|part| part.get("additionalProperties").is_some())
        })
}

/// The names that a query may hold because a spread object declares them.
fn spread_names<'a>(document: &'a Document, parameter: &'a Value) -> Vec<&'a str> {
    let Some(schema) = parameter.get("schema") else {
        return Vec::new();
    };
    let parts = document.parts(schema);
    let properties = parts.into_iter().filter_map(|part| part.get("properties")?.as_object());
    properties.flatten().map(|(name, _)| name.as_str()).collect()
}

/// Whether a spread object takes any name at all.
fn is_free(document: &Document, parameter: &Value) -> bool {
    parameter.get("schema").is_some_and(|schema| {
        let parts = document.parts(schema);
        let additional = parts.iter().find_map(|part| part.get("additionalProperties"));
        match additional {
            Some(additional) => *additional != Value::Bool(false),
            None => !parts.iter().any(|part| part.get("properties").is_some()),
        }
    })
}

/// `lang` is undeclared and accepted everywhere: labels and error texts follow it.
fn is_declared(incoming: &Incoming<'_>, key: &str) -> bool {
    let declares = |parameter: &Value| {
        if is_spread_object(incoming.document, parameter) {
            return is_free(incoming.document, parameter) || spread_names(incoming.document, parameter).contains(&key);
        }
        let name = name(parameter);
        name == key
            || (style(parameter) == "deepObject" && key.strip_prefix(name).is_some_and(|rest| rest.starts_with('[')))
    };
    key == "lang"
        || incoming.operation.parameters.iter().any(|parameter| place(parameter) == "query" && declares(parameter))
}

fn check_query_names(incoming: &Incoming<'_>) -> Result<(), Violation> {
    match incoming.query.iter().find(|(key, _)| !is_declared(incoming, key)) {
        Some((key, _)) => Err(Violation::new(format!("query parameter `{key}`: not declared"))),
        None => Ok(()),
    }
}

fn check_parameter(incoming: &Incoming<'_>, parameter: &Value) -> Result<(), Violation> {
    let (name, place) = (name(parameter), place(parameter));
    if is_spread_object(incoming.document, parameter) {
        return check_spread_object(incoming, parameter);
    }
    let pick = |pairs: &[(String, String)]| -> Vec<String> {
        pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    };
    let texts = match place {
        "path" => pick(incoming.captures),
        "query" => pick(incoming.query),
        // OpenAPI ignores these three when they are declared as parameters.
        "header" if ["accept", "content-type", "authorization"].contains(&&*name.to_ascii_lowercase()) => {
            return Ok(());
        }
        "header" => header_texts(incoming.headers, name)?,
        _ => return Ok(()),
    };
    let wrong = |reason: String| Violation::new(format!("{place} parameter `{name}`: {reason}"));
    if texts.is_empty() {
        return if is_true(parameter, "required") { Err(wrong("required and missing".into())) } else { Ok(()) };
    }
    if is_true(parameter, "allowEmptyValue") && texts.iter().all(String::is_empty) {
        return Ok(());
    }
    let Some(schema) = parameter.get("schema") else {
        return Ok(());
    };
    let array = has_type(incoming.document, schema, "array");
    let value = if array && (explodes(parameter) && place == "query") {
        Candidates::List(texts)
    } else if let [text] = texts.as_slice() {
        if array { Candidates::List(split(parameter, text)) } else { Candidates::One(text.clone()) }
    } else if array {
        return Err(wrong("given more than once, but declared as one list".into()));
    } else {
        return Err(wrong("given more than once".into()));
    };
    value.check(incoming.document, schema).map_err(wrong)
}

fn split(parameter: &Value, text: &str) -> Vec<String> {
    let separator = match style(parameter) {
        "spaceDelimited" => ' ',
        "pipeDelimited" => '|',
        _ => ',',
    };
    text.split(separator).map(str::to_owned).collect()
}

fn header_texts(headers: &HeaderMap, name: &str) -> Result<Vec<String>, Violation> {
    headers
        .get_all(name)
        .iter()
        .map(|value| {
            String::from_utf8(value.as_bytes().to_vec())
                .map_err(|_| Violation::new(format!("header parameter `{name}`: not UTF-8")))
        })
        .collect()
}

fn check_spread_object(incoming: &Incoming<'_>, parameter: &Value) -> Result<(), Violation> {
    let Some(schema) = parameter.get("schema") else {
        return Ok(());
    };
    let declared_apart = |key: &str| {
        key == "lang"
            || incoming.operation.parameters.iter().any(|other| {
                place(other) == "query" && name(other) == key && !is_spread_object(incoming.document, other)
            })
    };
    let parts = incoming.document.parts(schema);
    let names = spread_names(incoming.document, parameter);
    for (key, text) in incoming.query.iter().filter(|(key, _)| !declared_apart(key)) {
        let own = parts.iter().find_map(|part| part.get("properties")?.get(key));
        let additional = parts.iter().find_map(|part| part.get("additionalProperties"));
        if let Some(schema) = own.or(additional).filter(|schema| schema.is_object()) {
            check_text(incoming.document, schema, text)
                .map_err(|reason| Violation::new(format!("query parameter `{key}`: {reason}")))?;
        }
    }
    let given = |name: &&&str| incoming.query.iter().any(|(key, _)| key == **name);
    let required = Checker::new(incoming.document, Direction::Request).required(schema);
    match names.iter().find(|name| required.contains(*name) && !given(name)) {
        Some(name) => Err(Violation::new(format!("query parameter `{name}`: required and missing"))),
        None => Ok(()),
    }
}

/// The JSON values that the text of a parameter may mean.
enum Candidates {
    One(String),
    List(Vec<String>),
}

impl Candidates {
    fn check(&self, document: &Document, schema: &Value) -> Result<(), String> {
        match self {
            Self::One(text) => check_text(document, schema, text),
            Self::List(texts) => {
                let items = document.parts(schema).into_iter().find_map(|part| part.get("items"));
                let values = texts.iter().map(|text| match items {
                    Some(items) => typed(document, items, text),
                    None => Value::String(text.clone()),
                });
                Checker::new(document, Direction::Request)
                    .check(schema, &values.collect())
                    .map_err(|mismatch| mismatch.to_string())
            }
        }
    }
}

fn check_body(incoming: &Incoming<'_>) -> Result<(), Violation> {
    let Some(declared) = &incoming.operation.body else {
        return if incoming.body.is_empty() {
            Ok(())
        } else {
            Err(Violation::new("request body: this operation takes none"))
        };
    };
    let content_type = incoming.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if incoming.body.is_empty() {
        return if is_true(declared, "required") {
            Err(Violation::new("request body: required and missing"))
        } else {
            Ok(())
        };
    }
    let (media_type, schema) = media_type(declared, content_type)?;
    let required = strings(declared, "x-required-in-requests");
    let checker = Checker::new(incoming.document, Direction::Request);
    let wrong = |reason: String| Violation::new(format!("request body: {reason}"));
    match media_type.as_str() {
        "multipart/form-data" => {
            let fields = form::multipart(content_type, incoming.body).map_err(wrong)?;
            form::check(incoming.document, schema, required.as_deref(), &fields).map_err(wrong)
        }
        "application/x-www-form-urlencoded" => {
            let fields = form::urlencoded(incoming.body);
            form::check(incoming.document, schema, required.as_deref(), &fields).map_err(wrong)
        }
        json if is_json(json) => {
            let value: Value =
                serde_json::from_slice(incoming.body).map_err(|error| wrong(format!("not JSON: {error}")))?;
            checker.check_requiring(schema, &value, required.as_deref()).map_err(|mismatch| wrong(mismatch.to_string()))
        }
        _ => Ok(()),
    }
}

/// Whether a media type, without its parameters, is JSON.
pub(crate) fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type.ends_with("+json")
}

/// The media type without parameters, in small letters.
pub(crate) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn media_type<'a>(declared: &'a Value, content_type: &str) -> Result<(String, &'a Value), Violation> {
    static NO_CONTENT: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    let content = declared.get("content").and_then(Value::as_object).unwrap_or(&NO_CONTENT);
    let sent = essence(content_type);
    let takes = |declared: &str| {
        let declared = essence(declared);
        declared == sent
            || declared == "*/*"
            || declared.strip_suffix("/*").is_some_and(|kind| sent.split('/').next() == Some(kind))
    };
    match content.iter().find(|(name, _)| takes(name)) {
        Some((_, media)) => Ok((sent, media.get("schema").unwrap_or(&Value::Null))),
        None => {
            let names: Vec<&str> = content.keys().map(String::as_str).collect();
            let message = format!("content type `{content_type}`: the operation takes {}", names.join(" or "));
            Err(Violation { status: 415, message })
        }
    }
}
