//! The expected request, derived from the document and the samples alone.

use std::collections::BTreeMap;

use datagouv_sandbox::{Received, form};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::call::{Given, plain};
use crate::document::{Body, Document, Kind, Operation};

/// How a received request differs from the expected one; empty if it does not.
#[must_use]
pub fn differences(
    document: &Document,
    operation: &Operation,
    base: &str,
    given: &Given,
    received: &Received,
) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(received.violation.as_ref().map(|violation| format!("violates the document: {violation}")));
    compare(&mut found, "method", &operation.method, &received.method);
    compare(&mut found, "path", &expected_segments(operation, base, given), &segments(&received.path));
    compare(&mut found, "query", &expected_query(operation, given), &received_query(operation, received));
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == "header") {
        let expected = plain(&given.0[&parameter.key()]);
        let values: Vec<_> = received.headers.get_all(&parameter.name).iter().map(|value| value.as_bytes()).collect();
        let seen: Vec<_> = values.into_iter().map(String::from_utf8_lossy).collect();
        compare(&mut found, &format!("header {}", parameter.name), &vec![expected.into()], &seen);
    }
    match &operation.body {
        None => {
            compare(&mut found, "content type", &None, &received.header("content-type"));
            compare(&mut found, "length of the body", &0, &received.body.len());
        }
        Some(body) if body.is_form() => compare_forms(&mut found, document, body, given, received),
        Some(body) => {
            compare(&mut found, "content type", &Some(body.media_type.as_str()), &received.header("content-type"));
            match serde_json::from_slice::<Value>(&received.body) {
                Ok(seen) => compare_json(&mut found, "body", &given.0["body"], &seen),
                Err(error) => found.push(format!("the body is not JSON: {error}")),
            }
        }
    }
    found
}

fn compare<T: PartialEq + std::fmt::Debug>(found: &mut Vec<String>, what: &str, expected: &T, seen: &T) {
    if expected != seen {
        found.push(format!("{what}: expected {expected:?}, seen {seen:?}"));
    }
}

/// The segments of a path, each decoded.
fn segments(path: &str) -> Vec<String> {
    path.split('/').map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned()).collect()
}

fn expected_segments(operation: &Operation, base: &str, given: &Given) -> Vec<String> {
    let template = format!("{base}{}", operation.path);
    let mut expected: Vec<String> = template.split('/').map(str::to_owned).collect();
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == "path") {
        let (mark, value) = (format!("{{{}}}", parameter.name), plain(&given.0[&parameter.key()]));
        expected.iter_mut().filter(|segment| segment.contains(&mark)).for_each(|segment| {
            *segment = segment.replace(&mark, &value);
        });
    }
    expected
}

/// The pairs of the query in the order of their names; keys of a list keep the order of their values.
fn expected_query(operation: &Operation, given: &Given) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == "query") {
        let (name, value) = (&parameter.name, &given.0[&parameter.key()]);
        match (parameter.kind, value) {
            (Kind::List, Value::Array(items)) => pairs.extend(items.iter().map(|item| (name.clone(), plain(item)))),
            (Kind::Object, Value::Object(members)) => {
                pairs.extend(members.iter().map(|(key, value)| (key.clone(), plain(value))));
            }
            _ => pairs.push((name.clone(), plain(value))),
        }
    }
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    pairs
}

fn received_query(operation: &Operation, received: &Received) -> Vec<(String, String)> {
    let declared = |name: &str| {
        let mut query = operation.parameters.iter().filter(|parameter| parameter.place == "query");
        query.any(|parameter| parameter.kind != Kind::Object && parameter.name == name)
    };
    let mut pairs: Vec<(String, String)> = received
        .query_pairs
        .iter()
        .map(|(name, value)| match declared(name) {
            true => (name.clone(), value.clone()),
            false => (decoded_again(name), decoded_again(value)),
        })
        .collect();
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    pairs
}

/// The servers take names that depend on the data from a query that they decode a second time, as a form.
fn decoded_again(text: &str) -> String {
    let cut = text.split('#').next().unwrap_or_default();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(cut.as_bytes()).into_owned().collect();
    match pairs.as_slice() {
        [(name, value)] if value.is_empty() => name.clone(),
        other => format!("{other:?}"),
    }
}

/// A field of a form: its file name, if it is a file, and its text.
type Field = (Option<String>, String);

fn compare_forms(found: &mut Vec<String>, document: &Document, body: &Body, given: &Given, received: &Received) {
    let content_type = received.header("content-type").unwrap_or_default();
    if content_type.split(';').next() != Some(body.media_type.as_str()) {
        found.push(format!("content type: expected {}, seen {content_type}", body.media_type));
        return;
    }
    let fields = match body.media_type.as_str() {
        "multipart/form-data" => form::multipart(content_type, &received.body),
        _ => Ok(form::urlencoded(&received.body)),
    };
    let fields = match fields {
        Ok(fields) => fields,
        Err(reason) => return found.push(format!("the form cannot be read: {reason}")),
    };
    let mut seen: BTreeMap<String, Vec<Field>> = BTreeMap::new();
    for field in fields {
        let text = String::from_utf8_lossy(&field.data).into_owned();
        seen.entry(field.name).or_default().push((field.file_name, text));
    }
    let mut expected: BTreeMap<String, Vec<Field>> = BTreeMap::new();
    for (name, schema) in document.sent_properties(&body.schema) {
        let sample = &given.0[&format!("form.{name}")];
        let fields = match document.kind(schema) {
            Kind::File => vec![(Some(plain(&sample["file_name"])), plain(&sample["data"]))],
            Kind::List => sample.as_array().into_iter().flatten().map(|item| (None, plain(item))).collect(),
            _ => vec![(None, plain(sample))],
        };
        expected.insert(name.to_owned(), fields);
    }
    compare(found, "form", &expected, &seen);
}

/// The pointers at which two values differ.
pub fn compare_json(found: &mut Vec<String>, at: &str, expected: &Value, seen: &Value) {
    match (expected, seen) {
        (Value::Object(expected), Value::Object(seen)) => {
            for (name, value) in expected {
                let at = format!("{at}.{name}");
                match seen.get(name) {
                    Some(seen) => compare_json(found, &at, value, seen),
                    None => found.push(format!("{at}: {value} is lost")),
                }
            }
            for (name, value) in seen.iter().filter(|(name, _)| !expected.contains_key(*name)) {
                found.push(format!("{at}.{name}: {value} was not given"));
            }
        }
        (Value::Array(expected), Value::Array(seen)) if expected.len() == seen.len() => {
            for (number, (expected, seen)) in expected.iter().zip(seen).enumerate() {
                compare_json(found, &format!("{at}[{number}]"), expected, seen);
            }
        }
        _ if expected == seen => {}
        _ => found.push(format!("{at}: expected {expected}, seen {seen}")),
    }
}
