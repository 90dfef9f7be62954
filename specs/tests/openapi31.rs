//! What an OpenAPI 3.1 document becomes, construct by construct, and what is refused where.

use datagouv_specs::document;
use datagouv_specs::openapi31::to_openapi30;
use serde_json::{Value, json};

/// The smallest document, with `members` put in.
fn document(members: Value) -> Value {
    let mut document = json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}});
    for (name, value) in members.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

fn components(schemas: Value) -> Value {
    document(json!({"components": {"schemas": schemas}}))
}

#[track_caller]
fn convert(document: &Value) -> Value {
    to_openapi30(document).unwrap_or_else(|error| panic!("refused: {error}"))
}

#[track_caller]
fn schema(schema: Value) -> Value {
    convert(&components(json!({"A": schema, "B": {"type": "object"}})))["components"]["schemas"]["A"].clone()
}

#[track_caller]
fn refused(schema: Value) -> String {
    to_openapi30(&components(json!({"A": schema, "B": {"type": "object"}}))).unwrap_err().to_string()
}

#[test]
fn null_among_the_types_is_nullable() {
    assert_eq!(schema(json!({"type": ["string", "null"]})), json!({"type": "string", "nullable": true}));
    assert_eq!(schema(json!({"type": ["null", "array"]})), json!({"type": "array", "items": {}, "nullable": true}));
    assert_eq!(schema(json!({"type": "null"})), json!({"enum": [null]}));
    assert_eq!(schema(json!({"type": ["integer", "number"]})), json!({"type": "number"}));
}

#[test]
fn several_types_are_variants_each_with_its_own_keywords() {
    assert_eq!(
        schema(json!({"type": ["string", "array", "null"], "items": {"type": "integer"}, "maxLength": 3})),
        json!({
            "anyOf": [
                {"type": "string", "nullable": true},
                {"type": "array", "items": {"type": "integer"}, "nullable": true},
            ],
            "maxLength": 3,
            "nullable": true,
        })
    );
}

#[test]
fn a_null_variant_makes_the_schema_nullable() {
    let nothing = json!({"type": "null"});
    // As FastAPI writes an optional value.
    assert_eq!(
        schema(json!({"anyOf": [{"type": "string", "format": "date"}, nothing], "title": "Day"})),
        json!({"type": "string", "format": "date", "nullable": true, "title": "Day"})
    );
    let reference = json!({"$ref": "#/components/schemas/B"});
    assert_eq!(schema(json!({"oneOf": [nothing, reference]})), json!({"allOf": [reference], "nullable": true}));
    assert_eq!(
        schema(json!({"anyOf": [{"type": "string"}, {"type": "integer"}, nothing]})),
        json!({"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": true})
    );
    // What the schema says itself is not replaced by what its variant says.
    assert_eq!(
        schema(json!({"anyOf": [{"type": "string", "maxLength": 3}, nothing], "maxLength": 5})),
        json!({"allOf": [{"type": "string", "maxLength": 3}], "maxLength": 5, "nullable": true})
    );
    // The type of the whole does not allow null, whatever the variants do.
    assert_eq!(
        schema(json!({"type": "string", "anyOf": [{"maxLength": 3}, nothing]})),
        json!({"type": "string", "maxLength": 3})
    );
}

#[test]
fn const_is_an_enum_of_one_value_null_included() {
    assert_eq!(schema(json!({"const": "a"})), json!({"enum": ["a"]}));
    assert_eq!(schema(json!({"const": "a", "enum": ["a", "b"]})), json!({"enum": ["a"]}));
    assert_eq!(
        schema(json!({"type": ["string", "null"], "enum": ["a", null]})),
        json!({"type": "string", "enum": ["a", null], "nullable": true})
    );
    // A value that the type does not allow never comes, and null is one of them.
    assert_eq!(schema(json!({"type": "string", "enum": ["a", null]})), json!({"type": "string", "enum": ["a"]}));
    assert_eq!(schema(json!({"type": ["string", "null"], "enum": ["a"]})), json!({"type": "string", "enum": ["a"]}));
    assert!(refused(json!({"const": "c", "enum": ["a"]})).contains("/components/schemas/A/const"));
}

#[test]
fn exclusive_bounds_become_flags() {
    assert_eq!(
        schema(json!({"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 5.5})),
        json!({"type": "number", "minimum": 1, "exclusiveMinimum": true, "maximum": 5.5, "exclusiveMaximum": true})
    );
    // The stricter one is left.
    assert_eq!(schema(json!({"minimum": 3, "exclusiveMinimum": 1})), json!({"minimum": 3}));
    assert_eq!(schema(json!({"maximum": 3, "exclusiveMaximum": 3})), json!({"maximum": 3, "exclusiveMaximum": true}));
    assert!(refused(json!({"minimum": 3, "exclusiveMinimum": true})).contains("/A/exclusiveMinimum: must be a number"));
}

#[test]
fn boolean_schemas_are_converted() {
    assert_eq!(schema(json!(true)), json!({}));
    assert_eq!(schema(json!(false)), json!({"not": {}}));
    assert_eq!(
        schema(json!({"properties": {"a": true}, "additionalProperties": false})),
        json!({"properties": {"a": {}}, "additionalProperties": false})
    );
    assert_eq!(schema(json!({"type": "array", "items": false})), json!({"type": "array", "items": {}, "maxItems": 0}));
}

#[test]
fn annotations_are_kept() {
    assert_eq!(schema(json!({"examples": ["a", "b"]})), json!({"example": "a"}));
    assert_eq!(schema(json!({"examples": ["a"], "example": "c"})), json!({"example": "c"}));
    assert_eq!(
        schema(json!({"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"})),
        json!({"type": "string", "format": "byte", "x-contentMediaType": "image/png"})
    );
    assert_eq!(
        schema(json!({"type": "string", "contentMediaType": "application/octet-stream"})),
        json!({"type": "string", "format": "binary"})
    );
    assert_eq!(schema(json!({"$comment": "c", "since": "2"})), json!({"x-since": "2"}));
    let info = convert(&document(json!({"info": {"title": "t", "version": "1", "summary": "s"}})))["info"].clone();
    assert_eq!(info, json!({"title": "t", "version": "1", "x-summary": "s"}));
}

#[test]
fn definitions_within_schemas_are_components() {
    let converted = convert(&components(json!({
        "A": {
            "$defs": {"Name": {"type": "string", "$anchor": "name"}, "B": {"$defs": {"C": {"type": "integer"}}}},
            "properties": {
                "name": {"$ref": "#/components/schemas/A/$defs/Name"},
                "again": {"$ref": "#name"},
                "b": {"$ref": "#/components/schemas/A/$defs/B"},
                "c": {"$ref": "#/components/schemas/A/%24defs/B/$defs/C"},
            },
        },
        "B": {"type": "boolean"},
    })));
    assert_eq!(
        converted["components"]["schemas"],
        json!({
            "A": {"properties": {
                "name": {"$ref": "#/components/schemas/Name"},
                "again": {"$ref": "#/components/schemas/Name"},
                "b": {"$ref": "#/components/schemas/A_B"},
                "c": {"$ref": "#/components/schemas/C"},
            }},
            "A_B": {},
            "B": {"type": "boolean"},
            "C": {"type": "integer"},
            "Name": {"type": "string"},
        })
    );
    // A property can have that name.
    assert_eq!(
        schema(json!({"properties": {"$defs": {"properties": {"x": {"type": "string"}}}}})),
        json!({"properties": {"$defs": {"properties": {"x": {"type": "string"}}}}})
    );
}

#[test]
fn a_reference_with_siblings_keeps_them() {
    let reference = json!({"$ref": "#/components/schemas/B"});
    assert_eq!(
        schema(json!({"$ref": "#/components/schemas/B", "description": "d"})),
        json!({"allOf": [reference], "description": "d"})
    );
    let parameter = json!({"name": "q", "in": "query", "description": "old", "schema": {"type": ["string", "null"]}});
    let converted = convert(&document(json!({
        "paths": {"/a": {"get": {"parameters": [
            {"$ref": "#/components/parameters/q", "description": "new"}, {"$ref": "#/components/parameters/q"},
        ]}}},
        "components": {"parameters": {"q": parameter}},
    })));
    let parameters = &converted["paths"]["/a"]["get"]["parameters"];
    let schema = json!({"type": "string", "nullable": true});
    assert_eq!(parameters[0], json!({"name": "q", "in": "query", "description": "new", "schema": schema}));
    assert_eq!(parameters[1], json!({"$ref": "#/components/parameters/q"}));
}

#[test]
fn unevaluated_members_are_additional_ones_where_nothing_else_evaluates() {
    let properties = json!({"a": {"type": "string"}});
    assert_eq!(
        schema(json!({"properties": properties, "unevaluatedProperties": false})),
        json!({"properties": properties, "additionalProperties": false})
    );
    assert_eq!(
        schema(json!({"additionalProperties": {"type": "string"}, "unevaluatedProperties": false})),
        json!({"additionalProperties": {"type": "string"}})
    );
    let inherits = json!({"allOf": [{"$ref": "#/components/schemas/B"}], "unevaluatedProperties": false});
    assert!(refused(inherits).contains("/components/schemas/A/unevaluatedProperties: OpenAPI 3.0 has nothing"));
}

#[test]
fn a_keyword_without_an_equivalent_is_refused_with_its_pointer() {
    for (key, value) in [
        ("prefixItems", json!([{"type": "string"}])),
        ("contains", json!({"type": "string"})),
        ("dependentRequired", json!({"a": ["b"]})),
        ("dependentSchemas", json!({"a": {"required": ["b"]}})),
        ("patternProperties", json!({"^a": {}})),
        ("propertyNames", json!({"pattern": "^a"})),
        ("$dynamicRef", json!("#meta")),
        ("$id", json!("https://a.test/schema")),
    ] {
        assert_eq!(
            refused(json!({key: value})),
            format!("/components/schemas/A/{key}: OpenAPI 3.0 has nothing for `{key}`")
        );
    }
    let condition = json!({"if": {"required": ["a"]}, "then": {"required": ["b"]}});
    assert!(refused(condition).contains("/components/schemas/A/if"));
    // A condition without consequence, and keywords that allow everything, say nothing.
    assert_eq!(schema(json!({"if": {"required": ["a"]}, "propertyNames": true, "minContains": 1})), json!({}));
    assert!(refused(json!({"type": "file"})).contains("/components/schemas/A/type: `file` is no type"));
    assert!(refused(json!({"type": "string", "nullable": true})).contains("has no `nullable`"));
    assert!(refused(json!({"$ref": "other.json"})).contains("/A/$ref: `other.json` leads out of the document"));
    assert!(refused(json!({"$ref": "#/components/schemas/C"})).contains("`#/components/schemas/C` leads to nothing"));
    let dialect = document(json!({"jsonSchemaDialect": "http://json-schema.org/draft-07/schema#"}));
    assert!(to_openapi30(&dialect).unwrap_err().to_string().contains("/jsonSchemaDialect"));
}

#[test]
fn mutual_tls_and_roles_are_refused() {
    let schemes = |scheme: Value| json!({"securitySchemes": {"s": scheme}});
    let mutual = document(json!({"components": schemes(json!({"type": "mutualTLS"}))}));
    let message = to_openapi30(&mutual).unwrap_err().to_string();
    assert!(
        message.contains("/components/securitySchemes/s/type: OpenAPI 3.0 has no security scheme `mutualTLS`"),
        "{message}"
    );
    let key = json!({"type": "apiKey", "in": "header", "name": "k"});
    let roles = document(json!({"security": [{"s": ["admin"]}], "components": schemes(key)}));
    assert!(to_openapi30(&roles).unwrap_err().to_string().starts_with("/security/0/s: "));
}

#[test]
fn referenced_path_items_are_inlined() {
    let converted = convert(&document(json!({
        "paths": {"/a": {"$ref": "#/components/pathItems/a", "summary": "A"}},
        "webhooks": {"changed": {"post": {"requestBody": {"content": {"application/json": {"schema": {"const": 1}}}}}}},
        "components": {"pathItems": {"a": {"get": {"operationId": "get_a"}}}},
    })));
    let responses = json!({"default": {"description": ""}});
    assert_eq!(
        converted["paths"],
        json!({"/a": {"summary": "A", "get": {"operationId": "get_a", "responses": responses}}})
    );
    assert_eq!(converted["components"], json!({}));
    assert_eq!(converted.get("webhooks"), None);
    let body = &converted["x-webhooks"]["changed"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body, &json!({"enum": [1]}));
}

#[test]
fn a_binary_body_needs_no_schema() {
    let content = json!({"application/octet-stream": {}, "image/png": {}, "application/json": {}});
    let response = json!({"description": "", "content": content});
    let converted = convert(&document(json!({"paths": {"/a": {"get": {"responses": {"200": response}}}}})));
    let binary = json!({"schema": {"type": "string", "format": "binary"}});
    assert_eq!(
        converted.pointer("/paths/~1a/get/responses/200/content").unwrap(),
        &json!({"application/octet-stream": binary, "image/png": binary, "application/json": {}})
    );
}

#[test]
fn later_versions_are_refused() {
    let of = |version: &str| document::to_openapi(json!({"openapi": version, "paths": {}}));
    assert_eq!(of("3.1.1").unwrap()["openapi"], "3.0.3");
    assert!(of("3.2.0").unwrap_err().to_string().starts_with("/openapi: OpenAPI 3.2.0 is not known yet"));
    assert!(of("2.5").unwrap_err().to_string().starts_with("/openapi: OpenAPI 2.5 is not read"));
}

#[test]
fn a_converted_document_is_not_converted_again() {
    let once = convert(&components(json!({"A": {"anyOf": [{"type": ["integer", "string"]}, {"const": null}]}})));
    assert_eq!(document::to_openapi(once.clone()).unwrap(), once);
}

#[test]
fn the_headers_of_an_encoding_are_converted_and_a_media_type_has_none() {
    let header = json!({"X-N": {"schema": {"type": ["string", "null"]}}});
    let media = json!({"encoding": {"f": {"headers": header}}, "headers": header});
    let body = json!({"content": {"multipart/form-data": media}});
    let converted = convert(&document(json!({"components": {"requestBodies": {"B": body}}})));
    let media = converted.pointer("/components/requestBodies/B/content/multipart~1form-data").unwrap();
    let schema = media.pointer("/encoding/f/headers/X-N/schema").unwrap();
    assert_eq!(schema, &json!({"type": "string", "nullable": true}));
    assert_eq!(media["headers"], header);
}
