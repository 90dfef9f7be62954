//! What a program notices of a new document: each kind of change, and what nearly is one.

mod methods;
mod overlays;
mod types;

use datagouv_specs::Api;
use serde_json::{Value, json};
use xtask::diff::rust::{Axis, Crate, axis};
use xtask::overlays::SourceOverlay;

/// A small API: a list, one thing, what creates and what changes it.
pub fn things() -> Value {
    let thing = json!({"$ref": "#/components/schemas/Thing"});
    let response = json!({"200": {"description": "", "content": {"application/json": {"schema": thing}}}});
    let list = json!({"type": "array", "items": thing});
    let body = json!({"required": true, "content": {"application/json": {"schema": thing}}});
    let path = json!({"in": "path", "name": "thing", "required": true, "schema": {"type": "string"}});
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Things", "version": "1"},
        "paths": {
            "/things/": {
                "get": {
                    "operationId": "list_things",
                    "tags": ["things"],
                    "parameters": [
                        {"in": "query", "name": "page", "schema": {"type": "integer"}},
                        {"in": "query", "name": "sort", "schema": {"type": "string", "enum": ["created", "-created"]}},
                    ],
                    "responses": {"200": {"description": "", "content": {"application/json": {"schema": list}}}},
                },
                "post": {"operationId": "create_thing", "tags": ["things"], "requestBody": body, "responses": response},
            },
            "/things/{thing}/": {
                "parameters": [path],
                "get": {"operationId": "get_thing", "tags": ["things"], "responses": response},
                "delete": {"operationId": "delete_thing", "tags": ["things"], "responses": {"204": {"description": ""}}},
            },
        },
        "components": {"schemas": {
            "Thing": {
                "type": "object",
                "required": ["title"],
                "properties": {
                    "id": {"type": "string", "readOnly": true},
                    "title": {"type": "string"},
                    "kind": {"type": "string", "enum": ["big", "small"]},
                    "owner": {"$ref": "#/components/schemas/Owner"},
                },
            },
            "Owner": {"type": "object", "properties": {"name": {"type": "string"}}},
        }},
    })
}

/// The document with a change.
pub fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut document = things();
    change(&mut document);
    document
}

/// The crate of a document that nothing corrects.
fn plain(api: Api, document: &Value) -> Crate {
    let overlay = SourceOverlay::read(&xtask::root().join("specs").join(api.name())).unwrap();
    Crate::of(api, document, Some(br#"{"actions": []}"#), &overlay).unwrap()
}

pub fn between(api: Api, old: &Value, new: &Value) -> Axis {
    axis(api, ("old", plain(api, old)), ("new", plain(api, new)))
}

/// What is found from the small API to another, as `id item`, without what is the same in all items.
pub fn found(new: &Value) -> Vec<String> {
    told(&between(Api::Main, &things(), new))
}

/// The same, the other way round.
pub fn found_back(new: &Value) -> Vec<String> {
    told(&between(Api::Main, new, &things()))
}

pub fn told(axis: &Axis) -> Vec<String> {
    assert!(axis.notes.is_empty(), "{:?}", axis.notes);
    let item = |item: &str| item.trim_start_matches("datagouv::main::").trim_start_matches("types::").to_owned();
    axis.changes
        .iter()
        .map(|change| format!("{} {}", change.id.trim_start_matches("rust-"), item(&change.item)))
        .collect()
}
