//! The checks that a document passes before it replaces the vendored one.

use std::path::Path;

use datagouv_specs::pointer::escape;
use datagouv_specs::{Api, document, generate, shape};
use serde_json::Value;

use crate::overlays::SourceOverlay;
use crate::source;

/// A document that passed.
pub struct CheckedDocument {
    /// Its canonical text.
    pub text: String,
    /// Its overlay, compiled for it.
    pub overlay: String,
    /// The tags of its operations.
    pub tags: Vec<String>,
}

/// Runs the whole pipeline on a document, with the overlay as it is written in the API's folder. Returns every reason to
/// refuse the document, as far as one does not hide the next.
pub fn check(api: Api, received: &Value, folder: &Path) -> Result<CheckedDocument, Vec<String>> {
    let one = |error: String| vec![error];
    let openapi = document::to_openapi(received.clone()).map_err(|error| one(error.to_string()))?;
    match source::api_of_document(received) {
        Some(other) if other != api => return Err(one(format!("this is the document of {other}, and not of {api}"))),
        _ => {}
    }
    if openapi.get("paths").and_then(Value::as_object).is_none_or(|paths| paths.is_empty()) {
        return Err(one("/paths: a document without paths".to_owned()));
    }
    let dangling = dangling(&openapi);
    if !dangling.is_empty() {
        return Err(dangling);
    }
    let compiled = SourceOverlay::read(folder).map_err(one)?.compile(&openapi)?;
    let dangling = self::dangling(&compiled.document);
    if !dangling.is_empty() {
        return Err(dangling.into_iter().map(|error| format!("corrected: {error}")).collect());
    }
    let shaped = shape::shape(api, &compiled.document).map_err(|error| one(error.to_string()))?;
    let generated = generate::generate(&shaped).map_err(|error| one(error.to_string()))?;
    syn::parse_file(&generated).map_err(|error| one(format!("what is generated is not Rust: {error}")))?;
    let mut tags: Vec<String> = shaped.operations.iter().filter_map(|operation| operation.tag.clone()).collect();
    tags.sort();
    tags.dedup();
    Ok(CheckedDocument { text: document::canonical_text(received), overlay: compiled.text, tags })
}

/// The references that lead nowhere, each with its pointer.
fn dangling(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(document, document, &mut String::new(), &mut found);
    found
}

fn walk(document: &Value, value: &Value, pointer: &mut String, found: &mut Vec<String>) {
    let length = pointer.len();
    let mut descend = |key: &str, value: &Value, pointer: &mut String| {
        pointer.push('/');
        pointer.push_str(&escape(key));
        walk(document, value, pointer, found);
        pointer.truncate(length);
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| descend(key, value, pointer)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| descend(&index.to_string(), value, pointer));
        }
        _ => {}
    }
    // A property may have this name too; then its value is no text.
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        match reference.strip_prefix('#') {
            None => found.push(format!("{pointer}: `{reference}` leads out of the document")),
            Some(target) if document.pointer(target).is_none() => {
                found.push(format!("{pointer}: `{reference}` leads nowhere"));
            }
            Some(_) => {}
        }
    }
}
