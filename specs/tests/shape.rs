//! Shaping of whole documents, and the documents that it refuses.

use datagouv_specs::shape::types::{Kind, Rust};
use datagouv_specs::shape::{ResponseBody, Shaped, shape};
use datagouv_specs::{Api, Error, generate};
use serde_json::{Value, json};

fn document(paths: Value, schemas: Value) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {"title": "test", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas}
    })
}

fn shaped(paths: Value, schemas: Value) -> Result<Shaped, Error> {
    shape(Api::Main, &document(paths, schemas))
}

fn get(operation: Value) -> Value {
    json!({"/things/": {"get": operation}})
}

fn refusal(paths: Value) -> String {
    shaped(paths, json!({})).unwrap_err().to_string()
}

fn response(schema: Value) -> Value {
    json!({"description": "", "content": {"application/json": {"schema": schema}}})
}

#[test]
fn two_types_of_success_are_refused_with_the_operation() {
    let responses = json!({"200": response(json!({"type": "string"})), "201": response(json!({"type": "integer"}))});
    let error = refusal(get(json!({"operationId": "list_things", "responses": responses})));
    assert_eq!(
        error,
        "/paths/~1things~1/get/responses/201: main, operation list_things: the successful responses have different types"
    );
}

#[test]
fn a_media_type_that_cannot_be_sent_is_refused_with_the_operation() {
    let body = json!({"content": {"application/xml": {"schema": {}}}});
    let error = refusal(get(json!({"operationId": "put_thing", "requestBody": body, "responses": {}})));
    assert!(error.contains("main, operation put_thing") && error.contains("application/xml"), "{error}");
}

#[test]
fn a_cookie_parameter_is_refused_with_the_operation() {
    let parameters = json!([{"in": "cookie", "name": "session", "schema": {"type": "string"}}]);
    let error = refusal(get(json!({"operationId": "list_things", "parameters": parameters, "responses": {}})));
    assert!(error.contains("main, operation list_things") && error.contains("cookie parameter (`session`)"), "{error}");
}

#[test]
fn two_operations_of_one_name_are_refused_with_both() {
    let paths = json!({
        "/a": {"get": {"operationId": "get_thing", "responses": {}}},
        "/b": {"get": {"operationId": "getThing", "responses": {}}}
    });
    let error = refusal(paths);
    assert!(error.contains("getThing") && error.contains("`get_thing` is already that of `get_thing`"), "{error}");
}

#[test]
fn a_parameter_that_a_builder_needs_for_itself_is_refused() {
    let parameters = json!([{"in": "query", "name": "send", "schema": {"type": "string"}}]);
    let error = refusal(get(json!({"operationId": "x", "parameters": parameters, "responses": {}})));
    assert!(error.contains("the builder needs the name `send` for itself"), "{error}");
}

#[test]
fn a_parameter_of_the_path_that_nothing_describes_is_refused_with_the_operation() {
    let paths = json!({"/things/{id}/": {"get": {"operationId": "get_thing", "responses": {}}}});
    let error = refusal(paths);
    assert!(error.contains("operation get_thing") && error.contains("`id` is in the path"), "{error}");
}

#[test]
fn a_definition_used_both_ways_is_two_types() {
    let thing = json!({"type": "object", "required": ["id", "name"], "properties": {
        "id": {"type": "string", "readOnly": true}, "name": {"type": "string"}, "note": {"type": "string", "nullable": true}
    }});
    let reference = json!({"$ref": "#/components/schemas/Thing"});
    let body = json!({"content": {"application/json": {"schema": reference}}});
    let paths = json!({"/t": {"post": {"operationId": "create", "requestBody": body, "responses": {"201": response(reference)}}}});
    let shaped = shaped(paths, json!({"Thing": thing})).unwrap();
    let fields = |name: &str| match &shaped.types[name].kind {
        Kind::Structure(_, fields) => {
            fields.iter().map(|field| (field.name.clone(), field.required, field.nullable)).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let field = |name: &str, required, nullable| (name.to_owned(), required, nullable);
    assert_eq!(fields("Thing"), [field("id", true, false), field("name", true, false), field("note", false, true)]);
    assert_eq!(fields("ThingInput"), [field("name", true, false), field("note", false, true)]);
    assert_eq!(shaped.types["ThingInput"].converts_from.as_deref(), Some("Thing"));
}

#[test]
fn an_update_requires_what_the_server_requires_of_updates() {
    let reference = json!({"$ref": "#/components/schemas/Thing_write"});
    let content = json!({"application/json": {"schema": reference}});
    let paths = json!({"/t": {
        "post": {"operationId": "create", "requestBody": {"content": content}, "responses": {}},
        "put": {"operationId": "update", "requestBody": {"content": content, "x-required-in-requests": []}, "responses": {}}
    }});
    let thing = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}});
    let shaped = shaped(paths, json!({"Thing_write": thing})).unwrap();
    let body = |id: &str| shaped.operations.iter().find(|one| one.operation_id == id).unwrap().body.clone();
    assert_eq!(body("create"), Some(Rust::Named("ThingInput".to_owned())));
    assert_eq!(body("update"), Some(Rust::Named("ThingUpdate".to_owned())));
}

#[test]
fn one_set_of_values_is_one_type() {
    let enumeration = json!({"type": "string", "enum": ["b", "a"]});
    let again = json!({"type": "string", "enum": ["a", "b"]});
    let thing =
        json!({"type": "object", "properties": {"kind": enumeration, "other": {"type": "array", "items": again}}});
    let paths =
        get(json!({"operationId": "x", "responses": {"200": response(json!({"$ref": "#/components/schemas/Thing"}))}}));
    let shaped = shaped(paths, json!({"Thing": thing})).unwrap();
    let enumerations = shaped.types.values().filter(|one| matches!(one.kind, Kind::Enumeration(_))).count();
    assert_eq!(enumerations, 1);
}

#[test]
fn objects_of_a_union_become_one_that_loses_nothing() {
    let one = json!({"type": "object", "required": ["ok", "id"], "properties": {"ok": {"type": "boolean"}, "id": {"type": "string"}}});
    let other = json!({"type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}, "error": {"type": "string"}}});
    let paths = get(json!({"operationId": "x", "responses": {"200": response(json!({"oneOf": [one, other]}))}}));
    let shaped = shaped(paths, json!({})).unwrap();
    let ResponseBody::Json(Rust::Named(name)) = &shaped.operations[0].response else {
        panic!("{:?}", shaped.operations[0].response)
    };
    let Kind::Structure(_, fields) = &shaped.types[name].kind else { panic!("{name}") };
    let fields: Vec<(&str, bool)> = fields.iter().map(|field| (field.name.as_str(), field.required)).collect();
    assert_eq!(fields, [("error", false), ("id", false), ("ok", true)]);
}

#[test]
fn an_undeclared_success_is_bytes_and_one_without_content_is_empty() {
    let undeclared =
        shaped(get(json!({"operationId": "x", "responses": {"404": {"description": ""}}})), json!({})).unwrap();
    assert_eq!(undeclared.operations[0].response, ResponseBody::Bytes(Vec::new()));
    let empty = shaped(get(json!({"operationId": "x", "responses": {"204": {"description": ""}}})), json!({})).unwrap();
    assert_eq!(empty.operations[0].response, ResponseBody::Empty);
}

#[test]
fn a_recursive_schema_ends() {
    let node = json!({"type": "object", "properties": {
        "parent": {"$ref": "#/components/schemas/Node"}, "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}
    }});
    let paths =
        get(json!({"operationId": "x", "responses": {"200": response(json!({"$ref": "#/components/schemas/Node"}))}}));
    let source = generate::generate(&shaped(paths, json!({"Node": node})).unwrap()).unwrap();
    assert!(source.contains("pub parent : :: std :: option :: Option < :: std :: boxed :: Box < Node > >"), "{source}");
}

#[test]
fn a_list_of_itself_ends() {
    let tree = json!({"type": "array", "items": {"$ref": "#/components/schemas/Tree"}});
    let paths =
        get(json!({"operationId": "x", "responses": {"200": response(json!({"$ref": "#/components/schemas/Tree"}))}}));
    let shaped = shaped(paths, json!({"Tree": tree})).unwrap();
    assert_eq!(shaped.operations[0].response, ResponseBody::Json(Rust::List(Box::new(Rust::Any))));
}

fn list_of(schema: Value, parameters: &[(&str, &str)]) -> Result<Shaped, Error> {
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|(location, name)| json!({"in": location, "name": name, "schema": {"type": "string"}}))
        .collect();
    let responses = json!({"200": response(schema)});
    shaped(get(json!({"operationId": "x", "parameters": parameters, "responses": responses})), json!({}))
}

const PAGE: [(&str, &str); 2] = [("query", "page"), ("query", "page_size")];

#[test]
fn the_builder_of_a_paginated_and_masked_list_has_its_streams() {
    let page = json!({"type": "object", "properties": {"data": {"type": "array", "items": {"type": "string"}}, "total": {"type": "integer"}}});
    let source = |parameters: &[(&str, &str)]| generate::generate(&list_of(page.clone(), parameters).unwrap()).unwrap();
    let found = |source: &str| {
        ["pub fn pages", "pub fn items", "pub fn fields <", "pub fn fields_raw", "PageOf for types ::"]
            .map(|text| source.contains(text))
    };
    assert_eq!(found(&source(&[PAGE[0], PAGE[1], ("header", "X-Fields")])), [true; 5]);
    assert_eq!(found(&source(&PAGE)), [true, true, false, false, true]);
    assert_eq!(found(&source(&[("header", "X-Fields")])), [false, false, true, true, false]);
}

#[test]
fn a_type_is_called_the_same_whichever_tags_are_kept() {
    for api in Api::ALL {
        let whole = shape(api, &datagouv_specs::corrected(api).unwrap()).unwrap();
        let mut part = whole.clone();
        part.retain_tags(|tag| tag == Some("datasets"));
        assert!(part.types.keys().all(|name| whole.types[name] == part.types[name]));
    }
}

#[test]
fn every_tag_of_the_catalogue_is_a_feature() {
    let manifest = include_str!("../../Cargo.toml");
    for operation in shape(Api::Main, &datagouv_specs::corrected(Api::Main).unwrap()).unwrap().operations {
        let feature = format!("main-{}", operation.tag.unwrap_or_default().replace('_', "-"));
        assert!(manifest.contains(&format!("\n{feature} = []")), "{feature} is missing");
        assert!(manifest.contains(&format!("\"{feature}\"")), "`main` lacks {feature}");
    }
}
