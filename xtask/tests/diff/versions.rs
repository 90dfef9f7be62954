//! The same change has the same finding in Swagger 2.0, OpenAPI 3.0 and OpenAPI 3.1.

use serde_json::{Value, json};

use super::documents::rules;

/// A document of each version, with the same meaning: a body and a response of a schema, and a parameter.
fn documents(schema: [Value; 3], parameter: [Value; 3]) -> [Value; 3] {
    let [two, three, one] = schema;
    let [two_parameter, three_parameter, one_parameter] = parameter;
    let swagger = json!({
        "swagger": "2.0",
        "info": {"title": "things", "version": "1"},
        "host": "a.test",
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": {"/things": {"post": {
            "parameters": [{"name": "body", "in": "body", "schema": {"$ref": "#/definitions/Thing"}}, two_parameter],
            "responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/Thing"}}},
        }}},
        "definitions": {"Thing": two},
    });
    let openapi = |version: &str, schema: Value, parameter: Value| {
        let media = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}});
        json!({
            "openapi": version,
            "info": {"title": "things", "version": "1"},
            "servers": [{"url": "https://a.test"}],
            "paths": {"/things": {"post": {
                "parameters": [parameter], "requestBody": media, "responses": {"200": media},
            }}},
            "components": {"schemas": {"Thing": schema}},
        })
    };
    [swagger, openapi("3.0.3", three, three_parameter), openapi("3.1.0", one, one_parameter)]
}

/// A parameter of each version.
fn query(name: &str, members: Value) -> [Value; 3] {
    let mut plain = json!({"name": name, "in": "query", "type": "string"});
    super::documents::patch(&mut plain, &members);
    let mut schema = json!({"type": "string"});
    super::documents::patch(&mut schema, &members);
    let with_schema = json!({"name": name, "in": "query", "schema": schema});
    [plain, with_schema.clone(), with_schema]
}

fn same(schema: Value) -> [Value; 3] {
    [schema.clone(), schema.clone(), schema]
}

#[track_caller]
fn assert_same(old: [Value; 3], new: [Value; 3], expected: &[&str]) {
    for old in &old {
        for new in &new {
            let versions = [old, new].map(|it| it.get("swagger").or_else(|| it.get("openapi")).unwrap().clone());
            assert_eq!(rules(old, new), expected, "{versions:?}");
        }
    }
}

#[test]
fn documents_of_one_meaning_do_not_differ() {
    let nullable = [
        json!({"type": "string", "x-nullable": true, "minimum": 1, "exclusiveMinimum": true}),
        json!({"type": "string", "nullable": true, "minimum": 1, "exclusiveMinimum": true}),
        json!({"type": ["string", "null"], "exclusiveMinimum": 1}),
    ];
    let all = documents(nullable, query("q", json!({})));
    assert_same(all.clone(), all, &[]);
    let one = [json!({"enum": ["a"]}), json!({"enum": ["a"]}), json!({"const": "a"})];
    let all = documents(one, query("q", json!({})));
    assert_same(all.clone(), all, &[]);
    let reference = |nullable: Value| json!({"properties": {"a": nullable, "b": {"type": "object"}}});
    let inner = "/properties/b";
    let of = |section: &str| format!("#/{section}/Thing{inner}");
    let schemas = [
        reference(json!({"allOf": [{"$ref": of("definitions")}], "x-nullable": true})),
        reference(json!({"allOf": [{"$ref": of("components/schemas")}], "nullable": true})),
        reference(json!({"anyOf": [{"$ref": of("components/schemas")}, {"type": "null"}]})),
    ];
    let all = documents(schemas, query("q", json!({})));
    assert_same(all.clone(), all, &[]);
}

#[test]
fn the_same_change_has_the_same_finding() {
    let text = same(json!({"type": "string"}));
    let plain = || documents(text.clone(), query("q", json!({})));
    let nullable = [
        json!({"type": "string", "x-nullable": true}),
        json!({"type": "string", "nullable": true}),
        json!({"type": ["string", "null"]}),
    ];
    let new = documents(nullable, query("q", json!({})));
    assert_same(plain(), new, &["request-became-nullable", "response-became-nullable"]);

    let several = [
        json!({"type": ["string", "integer"]}),
        json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        json!({"type": ["string", "integer"]}),
    ];
    let new = documents(several, query("q", json!({})));
    assert_same(plain(), new, &["request-variant-added", "response-variant-added"]);

    let bounded = [
        json!({"type": "string", "maxLength": 3}),
        json!({"type": "string", "maxLength": 3}),
        json!({"type": "string", "maxLength": 3}),
    ];
    let new = documents(bounded, query("q", json!({"enum": ["a"]})));
    assert_same(plain(), new, &["request-enum-added", "request-max-length-added", "response-max-length-added"]);

    let number = |bound: Value| {
        let mut schema = json!({"type": "number"});
        super::documents::patch(&mut schema, &bound);
        schema
    };
    let inclusive = documents(same(number(json!({"minimum": 1}))), query("q", json!({})));
    let exclusive = [
        number(json!({"minimum": 1, "exclusiveMinimum": true})),
        number(json!({"minimum": 1, "exclusiveMinimum": true})),
        number(json!({"exclusiveMinimum": 1})),
    ];
    let exclusive = documents(exclusive, query("q", json!({})));
    let expected = ["request-minimum-became-exclusive", "response-minimum-became-exclusive"];
    assert_same(inclusive, exclusive, &expected);

    let new = documents(text.clone(), query("r", json!({})));
    assert_same(plain(), new, &["parameter-added", "parameter-removed"]);
}

#[test]
fn what_a_webhook_sends_is_compared_as_a_response() {
    let document =
        |webhooks: Value| json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "webhooks": webhooks});
    let hook = |kind: &str| {
        let media = json!({"application/json": {"schema": {"type": "object", "properties": {"a": {"type": kind}}}}});
        json!({"changed": {"post": {"requestBody": {"content": media}}}})
    };
    assert_eq!(rules(&document(hook("string")), &document(hook("integer"))), ["response-type-changed"]);
    assert_eq!(rules(&document(json!({})), &document(hook("string"))), ["webhook-added"]);
    assert_eq!(rules(&document(hook("string")), &document(json!({}))), ["webhook-removed"]);
    assert_eq!(rules(&document(hook("string")), &document(hook("string"))), [""; 0]);
    let bodies = |content: Value| document(json!({"changed": {"post": {"requestBody": {"content": content}}}}));
    let (json, xml) = (bodies(json!({"application/json": {}})), bodies(json!({"application/xml": {}})));
    assert_eq!(rules(&json, &xml), ["response-media-type-added", "response-media-type-removed"]);
    let none = document(json!({"changed": {"post": {}}}));
    assert_eq!(rules(&json, &none), ["response-body-removed"]);
    assert_eq!(rules(&none, &json), ["response-body-added"]);
}

#[test]
fn each_request_of_a_callback_is_compared() {
    let document = |requests: Value| {
        let operation = json!({"responses": {"200": {"description": ""}}, "callbacks": {"done": requests}});
        json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": operation}},
        })
    };
    let answered = json!({"responses": {"204": {"description": ""}}});
    let mut with_body = answered.clone();
    with_body["requestBody"] = json!({"content": {"application/json": {"schema": {"type": "string"}}}});
    let one = document(json!({"{$request.query.url}": {"post": answered}}));
    let by_two_methods = document(json!({"{$request.query.url}": {"post": answered, "put": answered}}));
    let to_two_urls =
        document(json!({"{$request.query.url}": {"post": answered}, "https://b.test": {"post": answered}}));
    for more in [by_two_methods, to_two_urls] {
        assert_eq!(rules(&one, &more), ["callback-added"]);
        assert_eq!(rules(&more, &one), ["callback-removed"]);
    }
    let full = document(json!({"{$request.query.url}": {"post": with_body}}));
    assert_eq!(rules(&full, &one), ["response-body-removed"]);
    assert_eq!(rules(&one, &full), ["response-body-added"]);
}
