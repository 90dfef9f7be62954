//! Corrects a document for which the overlay was not written.
//!
//! The overlay corrects the vendored document. Applied to another one, some of its actions match nothing, and the result
//! of the others may be inconsistent. What the pipeline then refuses is repaired or left out here, and reported.

use std::collections::BTreeSet;

use datagouv_specs::shape::{Shaped, shape};
use datagouv_specs::{Api, document, overlay};
use serde_json::{Value, json};

use crate::overlays::SourceOverlay;

/// How many errors are repaired before the document is given up.
const ATTEMPTS: usize = 64;

/// A document that is corrected and shaped.
pub struct Corrected {
    /// The shaped document.
    pub shaped: Shaped,
    /// The corrected document.
    pub document: Value,
    /// What was left out.
    pub notes: Vec<String>,
}

/// Corrects a document by the compiled overlay that was written for it; `None` if the overlay does not apply.
pub fn exactly(api: Api, received: &Value, overlay: &Value) -> Option<Corrected> {
    let mut document = document::to_openapi(received.clone()).ok()?;
    overlay::apply(overlay, &mut document).ok()?;
    let shaped = shape(api, &document).ok()?;
    Some(Corrected { shaped, document, notes: Vec::new() })
}

/// Corrects a document by any overlay.
///
/// # Errors
///
/// If the document is not supported, or cannot be shaped whatever is left out.
pub fn leniently(api: Api, received: &Value, overlay: &SourceOverlay) -> Result<Corrected, String> {
    let plain = document::to_openapi(received.clone()).map_err(|error| error.to_string())?;
    let (mut corrected, skipped) = overlay.correct_leniently(&plain);
    let mut notes = Vec::new();
    if !skipped.is_empty() {
        notes.push(format!("{} of the overlay's corrections do not apply", skipped.len()));
    }
    if notes.is_empty() {
        let shaped = shape(api, &corrected).map_err(|error| error.to_string())?;
        return Ok(Corrected { shaped, document: corrected, notes });
    }
    let schemas = corrected.pointer("/components/schemas").cloned().unwrap_or_default();
    repair_references(&mut corrected, &schemas);
    let schemas = corrected.pointer("/components/schemas").cloned().unwrap_or_default();
    repair_required(&mut corrected, &schemas);
    let mut restored = BTreeSet::new();
    for _ in 0..ATTEMPTS {
        let error = match shape(api, &corrected) {
            Ok(shaped) => return Ok(Corrected { shaped, document: corrected, notes }),
            Err(error) => error,
        };
        let Some(pointer) = enclosing_pointer(&error.pointer) else { return Err(error.to_string()) };
        let uncorrected = plain.pointer(&pointer).cloned();
        let first = restored.insert(pointer.clone());
        match uncorrected.filter(|_| first) {
            Some(value) => {
                if let Some(target) = corrected.pointer_mut(&pointer) {
                    *target = value;
                }
                notes.push(format!("{pointer} is taken without corrections: {}", error.message));
            }
            None => {
                remove(&mut corrected, &pointer);
                notes.push(format!("{pointer} is left out: {}", error.message));
            }
        }
    }
    Err("the overlay and the document do not fit".to_owned())
}

/// The pointer of the operation or the component that contains a pointer.
fn enclosing_pointer(pointer: &str) -> Option<String> {
    let names: Vec<&str> = pointer.split('/').collect();
    match names.as_slice() {
        ["", "paths", path, method, ..] => Some(format!("/paths/{path}/{method}")),
        ["", "components", kind, name, ..] => Some(format!("/components/{kind}/{name}")),
        _ => None,
    }
}

fn remove(document: &mut Value, pointer: &str) {
    let Some((holder, name)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(holder)) = document.pointer_mut(holder) {
        holder.remove(&name.replace("~1", "/").replace("~0", "~"));
    }
}

/// Replaces references to missing schemas by a schema that allows any value.
fn repair_references(value: &mut Value, schemas: &Value) {
    let dangling = |value: &Value| {
        let name = value.get("$ref").and_then(Value::as_str)?.strip_prefix("#/components/schemas/")?;
        schemas.get(name).is_none().then_some(())
    };
    if dangling(value).is_some() {
        *value = json!({});
    }
    match value {
        Value::Object(object) => object.values_mut().for_each(|value| repair_references(value, schemas)),
        Value::Array(items) => items.iter_mut().for_each(|value| repair_references(value, schemas)),
        _ => {}
    }
}

/// Removes required names that are not properties.
fn repair_required(value: &mut Value, schemas: &Value) {
    // The list of a body refers to the schema of its content.
    let described = value.pointer("/content/application~1json/schema").unwrap_or(value);
    let known = properties(described.get("items").unwrap_or(described), schemas);
    for list in ["required", "x-required-in-requests"] {
        if let Some(Value::Array(names)) = value.get_mut(list) {
            names.retain(|name| name.as_str().is_none_or(|name| known.contains(name)));
        }
    }
    match value {
        Value::Object(object) => object.values_mut().for_each(|value| repair_required(value, schemas)),
        Value::Array(items) => items.iter_mut().for_each(|value| repair_required(value, schemas)),
        _ => {}
    }
}

/// The names of the properties of a schema and of its parents.
fn properties(schema: &Value, schemas: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // Each parent once: they may be shared or recursive.
    let mut seen = BTreeSet::new();
    let mut open = vec![schema];
    while let Some(schema) = open.pop() {
        found.extend(schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|it| it.0.clone()));
        open.extend(schema.get("allOf").and_then(Value::as_array).into_iter().flatten());
        let reference = schema.get("$ref").and_then(Value::as_str);
        if let Some(name) = reference.and_then(|reference| reference.strip_prefix("#/components/schemas/"))
            && seen.insert(name)
        {
            open.extend(schemas.get(name));
        }
    }
    found
}
