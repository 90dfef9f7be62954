//! References with siblings, which OpenAPI 3.0 would ignore.

use serde_json::{Map, Value, json};

use crate::nesting::{self, Nesting, Role};

/// The nesting and the role of the objects under a key, those of keywords of OpenAPI 3.1 included.
fn child_role(role: Role, key: &str) -> Option<(Nesting, Role)> {
    nesting::child_role(role, key).or(match (role, key) {
        (Role::Schema, "patternProperties" | "dependentSchemas" | "prefixItems") => Some((Nesting::Many, Role::Schema)),
        (Role::Schema, "contains" | "propertyNames" | "if" | "then" | "else") => Some((Nesting::One, Role::Schema)),
        (Role::Schema, "unevaluatedProperties" | "unevaluatedItems") => Some((Nesting::One, Role::Schema)),
        _ => None,
    })
}

/// Moves every reference to a schema that has siblings into an `allOf` next to them:
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
        let Some((nesting, role)) = child_role(role, key) else {
            continue;
        };
        match (nesting, child) {
            (Nesting::One, child) => visit(child, role),
            (_, Value::Array(list)) => list.iter_mut().for_each(|child| visit(child, role)),
            (_, Value::Object(map)) => {
                for (name, child) in map {
                    if !(matches!(nesting, Nesting::Extensible) && name.starts_with("x-")) {
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
