//! References with siblings, which OpenAPI 3.0 would ignore.

use serde_json::{Map, Value, json};

/// The kind of an object of an OpenAPI 3.0 document.
#[derive(Clone, Copy)]
enum Role {
    Document,
    Components,
    PathItem,
    Operation,
    Callback,
    /// An object with schemas or media types: parameters, headers, bodies, responses, media types.
    Carrier,
    Schema,
}

/// How objects of a role are nested under a key.
#[derive(Clone, Copy)]
enum Nesting {
    One,
    /// In a list, or in a map in which every key is a name.
    Many,
    /// In a map in which `x-` starts a vendor extension.
    Extensible,
}

/// The nesting and the role of the objects under a key; `None` if they are data.
fn child_role(role: Role, key: &str) -> Option<(Nesting, Role)> {
    use Nesting::*;
    use Role::*;
    Some(match (role, key) {
        (Document, "components") => (One, Components),
        (Document, "paths") => (Extensible, PathItem),
        (Components, "schemas") => (Many, Schema),
        (Components, "responses" | "parameters" | "requestBodies" | "headers") => (Many, Carrier),
        (Components | Operation, "callbacks") => (Many, Callback),
        (Callback, key) if !key.starts_with("x-") => (One, PathItem),
        (PathItem | Operation, "parameters") => (Many, Carrier),
        (PathItem, "get" | "put" | "post" | "delete" | "options" | "head" | "patch" | "trace") => (One, Operation),
        (Operation, "requestBody") => (One, Carrier),
        (Operation, "responses") => (Extensible, Carrier),
        (Carrier, "schema") => (One, Schema),
        (Carrier, "content" | "headers" | "encoding") => (Many, Carrier),
        (Schema, "properties" | "allOf" | "anyOf" | "oneOf") => (Many, Schema),
        (Schema, "items" | "additionalProperties" | "not") => (One, Schema),
        // What OpenAPI 3.1 has besides.
        (Document, "webhooks") => (Extensible, PathItem),
        (Schema, "patternProperties" | "dependentSchemas" | "prefixItems") => (Many, Schema),
        (Schema, "contains" | "propertyNames" | "if" | "then" | "else") => (One, Schema),
        (Schema, "unevaluatedProperties" | "unevaluatedItems") => (One, Schema),
        _ => return None,
    })
}

/// Moves every reference to a schema that has siblings into an `allOf` beside them:
/// `{$ref, nullable}` becomes `{allOf: [{$ref}], nullable}`. The document is an OpenAPI 3.0 one, in
/// which siblings of a `$ref` "SHALL be ignored" (OpenAPI 3.0.3, Reference Object).
///
/// Only schemas are touched: not a property that is called `$ref`, nor examples, defaults and vendor
/// extensions.
pub fn wrap_reference_siblings(document: &mut Value) {
    visit(document, Role::Document);
}

fn visit(value: &mut Value, role: Role) {
    let Value::Object(members) = value else {
        return;
    };
    if let Role::Schema = role {
        wrap(members);
    }
    for (key, child) in members {
        let Some((stand, role)) = child_role(role, key) else {
            continue;
        };
        match (stand, child) {
            (Nesting::One, child) => visit(child, role),
            (_, Value::Array(list)) => list.iter_mut().for_each(|child| visit(child, role)),
            (_, Value::Object(map)) => {
                for (name, child) in map {
                    if !(matches!(stand, Nesting::Extensible) && name.starts_with("x-")) {
                        visit(child, role);
                    }
                }
            }
            _ => {}
        }
    }
}

fn wrap(schema: &mut Map<String, Value>) {
    let has_siblings = schema.len() > 1 && schema.get("$ref").is_some_and(Value::is_string);
    if !has_siblings || schema.get("allOf").is_some_and(|all| !all.is_array()) {
        return;
    }
    let reference = schema.remove("$ref").map(|reference| json!({ "$ref": reference }));
    let all = schema.entry("allOf").or_insert_with(|| json!([]));
    // Last, so that pointers to the other parts stay right.
    if let Value::Array(all) = all {
        all.extend(reference);
    }
}
