//! Documents with faults: how each fault is read, and that the result passes the strict stages.

mod support;

use datagouv_specs::faults::{self, Note, RULES};
use datagouv_specs::{Api, document};
use serde_json::{Value, json};
use support::pointers;

fn swagger(members: Value) -> Value {
    with(json!({"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": {}}), &members)
}

fn openapi(version: &str, members: Value) -> Value {
    with(json!({"openapi": version, "info": {"title": "t", "version": "1"}, "paths": {}}), &members)
}

fn with(mut document: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

/// A document of Swagger 2.0 whose `GET /a` has these members.
fn operation(members: Value) -> Value {
    swagger(json!({"paths": {"/a": {"get": with(json!({"responses": {"204": {"description": ""}}}), &members)}}}))
}

#[track_caller]
fn read(document: &Value) -> (Value, Vec<Note>) {
    let reading = faults::read(document.clone()).unwrap_or_else(|error| panic!("{error}"));
    // Read once more, nothing is left to say.
    let again = faults::read(reading.document.clone()).unwrap();
    assert_eq!(again.notes, [], "{:#}", reading.document);
    assert_eq!(again.document, reading.document);
    (reading.document, reading.notes)
}

/// The document as it is read, with one fault of this rule at this place.
#[track_caller]
fn one_fault(document: &Value, rule: &str, pointer: &str) -> Value {
    let (read, notes) = read(document);
    let found: Vec<_> = notes.iter().map(|note| (note.rule.id, note.pointer.as_str())).collect();
    assert_eq!(found, [(rule, pointer)], "{notes:#?}");
    document::to_openapi(read.clone()).unwrap_or_else(|error| panic!("{error}"));
    read
}

#[test]
fn a_document_without_faults_is_unchanged() {
    for api in Api::ALL {
        let document = document::parse(api.document_text()).unwrap();
        let (read, notes) = read(&document);
        assert_eq!(notes, [], "{api}");
        assert_eq!(read, document);
    }
}

#[test]
fn the_version_may_be_a_number() {
    assert_eq!(
        one_fault(&with(swagger(json!({})), &json!({"swagger": 2.0})), "version-form", "/swagger")["swagger"],
        "2.0"
    );
    assert_eq!(one_fault(&openapi("3.0", json!({})), "version-form", "/openapi")["openapi"], "3.0.3");
    let three = with(openapi("", json!({})), &json!({"openapi": 3.1}));
    assert_eq!(one_fault(&three, "version-form", "/openapi")["openapi"], "3.1.0");
    for (document, message) in [
        (json!([]), "must be an object"),
        (json!({"info": {}}), "neither `swagger"),
        (json!({"swagger": "1.2"}), "/swagger: Swagger 1.2 is not read"),
        (json!({"openapi": "3.2.0"}), "/openapi: OpenAPI 3.2.0 is not known yet"),
        (json!({"openapi": "4.0.0"}), "/openapi: OpenAPI 4.0.0 is not read"),
        (json!({"openapi": "3.0.3", "paths": []}), "/paths: must be an object"),
    ] {
        let error = faults::read(document).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn an_operation_without_responses_has_a_default_one() {
    let expected = json!({"default": {"description": ""}});
    for document in [swagger(json!({})), openapi("3.0.3", json!({}))] {
        let without = with(document, &json!({"paths": {"/a": {"get": {}}}}));
        assert_eq!(one_fault(&without, "no-responses", "/paths/~1a/get")["paths"]["/a"]["get"]["responses"], expected);
    }
    // In 3.1 they may be absent.
    let (_, notes) = read(&openapi("3.1.0", json!({"paths": {"/a": {"get": {}}}})));
    assert_eq!(notes, []);
}

#[test]
fn a_member_that_is_null_is_absent() {
    let response = json!({"description": "", "content": null});
    let document = openapi("3.0.3", json!({"paths": {"/a": {"get": {"responses": {"200": response}}}}}));
    let read = one_fault(&document, "null-member", "/paths/~1a/get/responses/200/content");
    assert_eq!(read["paths"]["/a"]["get"]["responses"]["200"], json!({"description": ""}));
    // Null is a value of what may be anything.
    let schema = json!({"type": "string", "nullable": true, "default": null, "example": null});
    let (_, notes) = self::read(&openapi("3.0.3", json!({"components": {"schemas": {"A": schema}}})));
    assert_eq!(notes, []);
}

#[test]
fn null_among_types_is_the_type_null() {
    let schema = |version: &str, schema: Value| openapi(version, json!({"components": {"schemas": {"A": schema}}}));
    for version in ["3.0.3", "3.1.0"] {
        for kind in ["oneOf", "anyOf"] {
            let odd = json!({kind: [{"type": "string"}, {"type": null}]});
            let read = one_fault(&schema(version, odd), "wrong-form", &format!("/components/schemas/A/{kind}/1/type"));
            assert_eq!(read["components"]["schemas"]["A"], json!({kind: [{"type": "string"}, {"type": "null"}]}));
        }
    }
    let read =
        one_fault(&schema("3.1.0", json!({"type": [null, "string"]})), "wrong-form", "/components/schemas/A/type/0");
    assert_eq!(read["components"]["schemas"]["A"], json!({"type": ["null", "string"]}));
    // Alone, it is as likely that nothing is said.
    let read = one_fault(&schema("3.1.0", json!({"type": null})), "null-member", "/components/schemas/A/type");
    assert_eq!(read["components"]["schemas"]["A"], json!({}));
}

#[test]
fn a_value_of_the_wrong_type_is_read_as_the_value_it_looks_like() {
    let schema = |schema: Value| openapi("3.0.3", json!({"components": {"schemas": {"A": schema}}}));
    for (key, odd, right) in [
        ("maxLength", json!("3"), json!(3)),
        ("maxLength", json!(3.0), json!(3)),
        ("minimum", json!("1.5"), json!(1.5)),
        ("uniqueItems", json!("true"), json!(true)),
        ("required", json!("a"), json!(["a"])),
        ("enum", json!("a"), json!(["a"])),
        ("pattern", json!(1), json!("1")),
        ("allOf", json!({"type": "string"}), json!([{"type": "string"}])),
    ] {
        let rule = "wrong-form";
        let read = one_fault(&schema(json!({key: odd})), rule, &format!("/components/schemas/A/{key}"));
        assert_eq!(read["components"]["schemas"]["A"], json!({key: right}));
    }
    for (key, odd) in
        [("maxLength", json!(-1)), ("uniqueItems", json!("yes")), ("properties", json!([])), ("enum", json!({}))]
    {
        let read = one_fault(&schema(json!({key: odd})), "wrong-type", &format!("/components/schemas/A/{key}"));
        assert_eq!(read["components"]["schemas"]["A"], json!({}));
    }
}

#[test]
fn an_unresolvable_reference_is_any_value() {
    for (reference, rule) in [
        ("other.json#/A", "external-reference"),
        ("https://a.test/a.yaml", "external-reference"),
        ("#/definitions/Absent", "dangling-reference"),
        ("#/definitions/Itself", "dangling-reference"),
    ] {
        let parameter = json!({"name": "b", "in": "body", "schema": {"$ref": reference}});
        let itself = json!({"allOf": [{"type": "object"}]});
        let mut document = operation(json!({"parameters": [parameter]}));
        if reference.ends_with("Itself") {
            document["definitions"] = json!({"Itself": {"$ref": "#/definitions/Itself"}, "A": itself});
            let (read, notes) = read(&document);
            assert_eq!(notes.iter().map(|note| note.rule.id).collect::<Vec<_>>(), [rule, rule]);
            assert_eq!(read["definitions"]["Itself"], json!({}));
            continue;
        }
        let read = one_fault(&document, rule, "/paths/~1a/get/parameters/0/schema/$ref");
        assert_eq!(read["paths"]["/a"]["get"]["parameters"][0]["schema"], json!({}));
    }
    // What is nothing without its target is left out.
    let read = one_fault(
        &operation(json!({"parameters": [{"$ref": "shared.yaml#/q"}]})),
        "external-reference",
        "/paths/~1a/get/parameters/0/$ref",
    );
    assert_eq!(read["paths"]["/a"]["get"]["parameters"], json!([]));
    let path = swagger(json!({"paths": {"/a": {"$ref": "paths/a.yaml"}}}));
    assert_eq!(one_fault(&path, "external-reference", "/paths/~1a/$ref")["paths"], json!({}));
    let by_name = swagger(json!({"definitions": {"A": {}, "B": {"$ref": "A"}}}));
    let read = one_fault(&by_name, "reference-by-name", "/definitions/B/$ref");
    assert_eq!(read["definitions"]["B"], json!({"$ref": "#/definitions/A"}));
}

#[test]
fn members_unknown_to_swagger_2_become_extensions() {
    let parameter = json!({"name": "q", "in": "query", "type": "string", "example": "e"});
    let read = one_fault(
        &operation(json!({"parameters": [parameter]})),
        "unknown-member",
        "/paths/~1a/get/parameters/0/example",
    );
    assert_eq!(read["paths"]["/a"]["get"]["parameters"][0]["x-example"], "e");
    let union = swagger(json!({"definitions": {"A": {"oneOf": [{"type": "string"}]}}}));
    assert_eq!(one_fault(&union, "unknown-union", "/definitions/A/oneOf")["definitions"]["A"], json!({}));
    // What is an extension already says nothing, whatever it is.
    let extended = json!({"name": "q", "in": "query", "type": "string", "x-example": {"a": null}});
    assert_eq!(self::read(&operation(json!({"parameters": [extended]}))).1, []);
}

#[test]
fn a_parameter_may_have_the_form_of_another_version() {
    let in_the_query = json!({"name": "q", "in": "query", "schema": {"type": "integer", "minimum": 1}});
    let read =
        one_fault(&operation(json!({"parameters": [in_the_query]})), "parameter-schema", "/paths/~1a/get/parameters/0");
    let expected = json!([{"name": "q", "in": "query", "type": "integer", "minimum": 1}]);
    assert_eq!(read["paths"]["/a"]["get"]["parameters"], expected);
    let responses = json!({"204": {"description": ""}});
    let get = json!({"parameters": [{"name": "q", "in": "query", "type": "integer"}], "responses": responses});
    let read = one_fault(
        &openapi("3.0.3", json!({"paths": {"/a": {"get": get}}})),
        "parameter-schema",
        "/paths/~1a/get/parameters/0",
    );
    assert_eq!(
        read["paths"]["/a"]["get"]["parameters"][0],
        json!({"name": "q", "in": "query", "schema": {"type": "integer"}})
    );
    let optional = json!({"name": "id", "in": "path", "type": "string", "required": false});
    one_fault(&operation(json!({"parameters": [optional]})), "path-parameter-optional", "/paths/~1a/get/parameters/0");
}

#[test]
fn the_form_of_a_path_stays_and_the_body_of_its_operation_does_not() {
    let mut document = operation(json!({"parameters": [{"name": "b", "in": "body", "schema": {"type": "object"}}]}));
    document["paths"]["/a"]["parameters"] = json!([{"name": "f", "in": "formData", "type": "string"}]);
    let read = one_fault(&document, "body-and-form", "/paths/~1a/get/parameters/0");
    assert_eq!(read["paths"]["/a"]["get"]["parameters"], json!([]));
    // Within an operation, the body counts.
    let both = json!([{"name": "f", "in": "formData", "type": "string"}, {"name": "b", "in": "body", "schema": {}}]);
    one_fault(&operation(json!({"parameters": both})), "body-and-form", "/paths/~1a/get/parameters/0");
}

#[test]
fn a_list_in_a_multipart_form_is_a_repeated_field() {
    let field = |format: &str| json!({"name": "f", "in": "formData", "type": "array", "items": {"type": "string"}, "collectionFormat": format});
    let members = json!({"consumes": ["multipart/form-data"], "parameters": [field("csv")]});
    let read = one_fault(&operation(members), "collection-format", "/paths/~1a/get/parameters/0");
    assert_eq!(read["paths"]["/a"]["get"]["parameters"], json!([field("multi")]));
    // Elsewhere it has its style.
    let members = json!({"consumes": ["application/x-www-form-urlencoded"], "parameters": [field("csv")]});
    assert_eq!(self::read(&operation(members)).1, []);
    let tabs =
        json!({"name": "q", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "tsv"});
    one_fault(
        &operation(json!({"parameters": [tabs]})),
        "collection-format",
        "/paths/~1a/get/parameters/0/collectionFormat",
    );
}

#[test]
fn keywords_of_another_version_mean_what_they_mean_there() {
    let schema = |version: &str, schema: Value| openapi(version, json!({"components": {"schemas": {"A": schema}}}));
    for (version, odd, rule, key, right) in [
        (
            "3.0.3",
            json!({"type": ["string", "null"]}),
            "type-list",
            "type",
            json!({"type": "string", "nullable": true}),
        ),
        ("3.0.3", json!({"const": 1}), "const-value", "const", json!({"enum": [1]})),
        (
            "3.0.3",
            json!({"exclusiveMinimum": 1}),
            "exclusive-bound",
            "exclusiveMinimum",
            json!({"minimum": 1, "exclusiveMinimum": true}),
        ),
        (
            "3.1.0",
            json!({"minimum": 1, "exclusiveMinimum": true}),
            "exclusive-bound",
            "exclusiveMinimum",
            json!({"exclusiveMinimum": 1}),
        ),
        (
            "3.1.0",
            json!({"type": "string", "nullable": true}),
            "nullable-flag",
            "nullable",
            json!({"type": ["string", "null"]}),
        ),
        (
            "3.0.3",
            json!({"discriminator": "kind"}),
            "discriminator-form",
            "discriminator",
            json!({"discriminator": {"propertyName": "kind"}}),
        ),
        ("3.0.3", json!({"type": "int"}), "unknown-type", "type", json!({"type": "integer"})),
        ("3.0.3", json!({"type": "Date"}), "unknown-type", "type", json!({"type": "string", "format": "date"})),
        ("3.0.3", json!({"type": "Thing"}), "unknown-type", "type", json!({})),
        (
            "3.0.3",
            json!({"type": "array", "items": [{"type": "string"}]}),
            "tuple-items",
            "items",
            json!({"type": "array", "items": {}}),
        ),
    ] {
        let read = one_fault(&schema(version, odd), rule, &format!("/components/schemas/A/{key}"));
        assert_eq!(read["components"]["schemas"]["A"], right);
    }
    let flagged = json!({"properties": {"a": {"type": "string", "required": true}}});
    let read = one_fault(&schema("3.0.3", flagged), "required-flag", "/components/schemas/A/properties/a/required");
    assert_eq!(read["components"]["schemas"]["A"], json!({"properties": {"a": {"type": "string"}}, "required": ["a"]}));
}

#[test]
fn an_alternative_of_unknown_credentials_does_not_make_an_operation_open() {
    let key = json!({"k": {"type": "apiKey", "in": "header", "name": "k"}});
    let document = swagger(json!({"security": [{"k": []}, {"absent": []}], "securityDefinitions": key}));
    assert_eq!(one_fault(&document, "security-unknown", "/security/1")["security"], json!([{"k": []}]));
    let document = swagger(json!({"security": [{"absent": []}], "securityDefinitions": key}));
    assert_eq!(one_fault(&document, "security-unknown", "/security/0").get("security"), None);
}

#[test]
fn rules_are_kebab_case_and_distinct() {
    let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(ids.iter().all(|id| id.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')));
}

/// Documents with every kind of object in them.
fn everything() -> Vec<Value> {
    let two: Value = serde_json::from_str(include_str!("every_object_of_swagger2.json")).unwrap();
    let three = |version: &str, schema: Value| {
        json!({
            "openapi": version,
            "info": {"title": "t", "version": "1"},
            "servers": [{"url": "https://{h}", "variables": {"h": {"default": "a", "enum": ["a"]}}}],
            "security": [{"k": []}],
            "paths": {"/a/{p}": {
                "parameters": [{"name": "p", "in": "path", "required": true, "schema": {"type": "string"}}],
                "get": {"parameters": [{"$ref": "#/components/parameters/q"}],
                    "responses": {"200": {"$ref": "#/components/responses/r"}}},
                "put": {"requestBody": {"content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/A"},
                        "encoding": {"a": {"contentType": "a/b"}}}}},
                    "responses": {"default": {"description": ""}},
                    "callbacks": {"c": {"{$request.body#/u}": {"post": {"responses": {"200": {"description": ""}}}}}}},
            }},
            "components": {
                "schemas": {"A": schema, "B": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"type": "string"}],
                    "discriminator": {"propertyName": "a", "mapping": {"x": "#/components/schemas/A"}}}},
                "parameters": {"q": {"name": "q", "in": "query", "content": {"application/json": {"schema": {"type": "array", "items": {}}}}}},
                "responses": {"r": {"description": "", "headers": {"H": {"schema": {"type": "integer"}}},
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/B"}}}}},
                "securitySchemes": {"k": {"type": "apiKey", "name": "k", "in": "header"},
                    "o": {"type": "oauth2", "flows": {"implicit": {"authorizationUrl": "a", "scopes": {"s": "s"}}}}},
            },
        })
    };
    let old = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "nullable": true, "enum": ["b"]},
        "n": {"type": "number", "minimum": 1, "exclusiveMinimum": true}}, "additionalProperties": {"type": "integer"}});
    let new = json!({"type": ["object", "null"], "required": ["a"], "$defs": {"D": {"const": 1, "$anchor": "d"}},
        "properties": {"a": {"$ref": "#d", "description": "d"}, "n": {"type": "number", "exclusiveMinimum": 1, "examples": [2]}},
        "unevaluatedProperties": false});
    vec![two, three("3.0.3", old), three("3.1.0", new)]
}

#[test]
fn any_value_anywhere_is_read_so_that_the_strict_stages_accept_it() {
    let odds = [
        json!(null),
        json!(true),
        json!(-1.5),
        json!("x"),
        json!("array"),
        json!([]),
        json!([0]),
        json!(["null"]),
        json!({}),
        json!({"$ref": "x"}),
        json!({"$ref": "#/definitions/A (b)", "description": 1}),
        json!({"type": "array", "collectionFormat": "tsv", "required": true, "nullable": true, "const": 1}),
        json!([{"name": "z", "in": "formData", "type": "array"}, {"in": "body", "name": "z"}]),
        json!([{"name": "z", "in": "body", "type": "array", "items": {}, "collectionFormat": "multi"}]),
    ];
    let (mut readable, mut refused) = (0, 0);
    for document in everything() {
        assert_eq!(read(&document).1, []);
        document::to_openapi(document.clone()).unwrap();
        let mut all = Vec::new();
        pointers(&document, "", &mut all);
        for pointer in &all {
            for odd in &odds {
                let mut document = document.clone();
                *document.pointer_mut(pointer).unwrap() = odd.clone();
                let Ok(reading) = faults::read(document) else {
                    refused += 1;
                    continue;
                };
                readable += 1;
                let again = faults::read(reading.document.clone()).unwrap();
                assert_eq!(again.notes, [], "{pointer}: {odd}");
                if let Err(error) = document::to_openapi(reading.document) {
                    assert!(error.message.contains("OpenAPI 3.0 has"), "{pointer}: {odd}: {error}");
                }
            }
        }
    }
    assert!(readable > 20 * refused, "{readable} {refused}");
}
