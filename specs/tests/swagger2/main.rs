//! What a Swagger 2.0 document becomes, construct by construct, and what is refused where.

mod any_json;
mod body;
mod document;
mod form;
mod names;
mod operation;
mod parameter;
mod response;
mod schema;
mod security;
mod siblings;
#[path = "../support/mod.rs"]
mod support;

use datagouv_specs::swagger2::{to_openapi, wrap_reference_siblings};
use serde_json::{Value, json};

/// The smallest document, with `members` put in.
fn document(members: Value) -> Value {
    let mut document = json!({"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": {}});
    for (name, value) in members.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

/// A document whose `GET /a` has these members.
fn operation(members: Value) -> Value {
    let mut operation = json!({"responses": {"204": {"description": ""}}});
    for (name, value) in members.as_object().unwrap() {
        operation[name] = value.clone();
    }
    document(json!({
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": {"/a": {"get": operation}},
    }))
}

fn with(mut document: Value, name: &str, value: Value) -> Value {
    document[name] = value;
    document
}

#[track_caller]
fn convert(document: &Value) -> Value {
    to_openapi(document).unwrap_or_else(|error| panic!("refused: {error}"))
}

/// What `GET /a` with these members becomes.
#[track_caller]
fn convert_operation(members: Value) -> Value {
    convert(&operation(members))["paths"]["/a"]["get"].clone()
}

#[track_caller]
fn convert_parameter(parameter: Value) -> Value {
    convert_operation(json!({"parameters": [parameter]}))["parameters"][0].clone()
}

#[track_caller]
fn convert_response(response: Value) -> Value {
    convert_operation(json!({"responses": {"200": response}}))["responses"]["200"].clone()
}

#[track_caller]
fn convert_body(consumes: Value, parameters: Value) -> Value {
    convert_operation(json!({"consumes": consumes, "parameters": parameters}))["requestBody"].clone()
}

/// What definition `A` becomes.
#[track_caller]
fn convert_schema(schema: Value) -> Value {
    convert(&document(json!({"definitions": {"A": schema, "B": {}}})))["components"]["schemas"]["A"].clone()
}

#[track_caller]
fn assert_refused(document: &Value, pointer: &str, words: &str) {
    let error = to_openapi(document).expect_err("must be refused");
    assert_eq!(error.pointer, pointer, "{error}");
    assert!(error.message.contains(words), "{error}");
}

#[track_caller]
fn assert_parameter_refused(parameter: Value, pointer: &str, words: &str) {
    let pointer = format!("/paths/~1a/get/parameters/0{pointer}");
    assert_refused(&operation(json!({"parameters": [parameter]})), &pointer, words);
}

#[track_caller]
fn assert_schema_refused(schema: Value, pointer: &str, words: &str) {
    let document = document(json!({"definitions": {"A": schema, "B": {"type": ["array", "string"], "items": {}}}}));
    assert_refused(&document, &format!("/definitions/A{pointer}"), words);
}
