//! Small documents, and what changes between them.

use serde_json::{Value, json};
use xtask::diff::change::Change;
use xtask::diff::compare;
use xtask::diff::document::Document;

/// A document that is right, with a little of everything that rules look at.
pub fn base() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {"title": "things", "version": "1"},
        "servers": [{"url": "https://a.test/api"}],
        "paths": {
            "/things/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
                "get": {
                    "operationId": "get_thing",
                    "tags": ["things"],
                    "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
                    "responses": {"200": {
                        "description": "",
                        "content": {"application/json": {"schema": {"type": "string"}}},
                    }},
                },
                "put": {
                    "operationId": "set_thing",
                    "tags": ["things"],
                    "requestBody": {"content": {"application/json": {"schema": {"type": "string"}}}},
                    "responses": {"204": {"description": ""}},
                },
            },
        },
        "components": {"securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "other": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "oauth": {"type": "oauth2", "flows": {"implicit": {
                "authorizationUrl": "https://a.test/authorize",
                "scopes": {"read": "", "write": ""},
            }}},
        }},
    })
}

/// Writes a patch into a value: an object member by member, null takes away, and the rest replaces (RFC 7396).
pub fn patch(target: &mut Value, with: &Value) {
    let Value::Object(members) = with else {
        *target = with.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(target) = target else { return };
    for (name, member) in members {
        if member.is_null() {
            target.remove(name);
        } else {
            patch(target.entry(name.clone()).or_insert(Value::Null), member);
        }
    }
}

/// The base with a patch.
pub fn patched(with: &Value) -> Value {
    let mut document = base();
    patch(&mut document, with);
    document
}

/// A document in which one schema goes both ways.
pub fn both_ways(schema: &Value, others: &Value) -> Value {
    let media = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}});
    let mut document = json!({
        "openapi": "3.0.3",
        "info": {"title": "things", "version": "1"},
        "paths": {"/things": {"post": {"requestBody": media, "responses": {"200": media}}}},
        "components": {"schemas": others},
    });
    document["components"]["schemas"]["Thing"] = schema.clone();
    document
}

/// What changes between two documents, in the order of reports.
pub fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let document =
        |name: &str, value: &Value| Document::new(name, value.clone()).unwrap_or_else(|error| panic!("{error}"));
    compare(&document("old", old), &document("new", new)).unwrap()
}

/// The rules that two documents touch, sorted.
pub fn rules(old: &Value, new: &Value) -> Vec<&'static str> {
    let mut rules: Vec<_> = changes(old, new).iter().map(|change| change.id).collect();
    rules.sort_unstable();
    rules
}
