use super::*;

#[test]
fn keywords_of_both_versions_are_kept() {
    let schema = json!({
        "type": "object", "title": "t", "description": "d", "required": ["p"],
        "minProperties": 1, "maxProperties": 2,
        "example": {"$ref": "data", "type": ["string", "null"]}, "default": {"discriminator": "x"},
        "x-s": {"$ref": 1},
        "externalDocs": {"url": "u"},
        "xml": {"name": "n", "namespace": "u", "prefix": "p", "attribute": true, "wrapped": false},
        "properties": {"p": {"type": "string", "readOnly": true, "enum": ["a"], "format": "f", "minLength": 1},
            "q": {"type": "array", "uniqueItems": true, "minItems": 1, "maxItems": 2,
                "items": {"type": "number", "maximum": 1.5, "exclusiveMaximum": true}},
            "r": {"additionalProperties": {"allOf": [{"type": "integer"}, {}]}},
            "s": {"additionalProperties": false}},
    });
    assert_eq!(convert_schema(schema.clone()), schema);
}

#[test]
fn type_null_and_vendor_nullable_are_nullable() {
    assert_eq!(convert_schema(json!({"type": ["string", "null"]})), json!({"type": "string", "nullable": true}));
    assert_eq!(
        convert_schema(json!({"type": "string", "x-nullable": true})),
        json!({"type": "string", "nullable": true})
    );
    assert_eq!(convert_schema(json!({"type": "string", "x-nullable": false})), json!({"type": "string"}));
    assert_eq!(convert_schema(json!({"type": ["string"]})), json!({"type": "string"}));
}

#[test]
fn several_types_are_alternatives() {
    let schema = json!({"type": ["array", "string", "null"], "items": {"type": "integer"}, "maxLength": 3});
    let alternatives = json!([
        {"type": "array", "items": {"type": "integer"}, "nullable": true},
        {"type": "string", "nullable": true},
    ]);
    assert_eq!(convert_schema(schema), json!({"anyOf": alternatives, "nullable": true, "maxLength": 3}));
    let schema = json!({"type": ["string", "integer"]});
    assert_eq!(convert_schema(schema), json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}));
}

#[test]
fn a_list_of_anything_gets_the_items_that_openapi_demands() {
    assert_eq!(convert_schema(json!({"type": "array"})), json!({"type": "array", "items": {}}));
}

#[test]
fn a_discriminator_maps_the_names_that_changed() {
    let definitions = json!({
        "Pet": {"discriminator": "kind", "properties": {"kind": {"type": "string"}}},
        "Cat (big)": {"allOf": [{"$ref": "#/definitions/Pet"}, {}]},
        "Lion (old)": {"allOf": [{"$ref": "#/definitions/Cat%20%28big%29"}]},
        "Dog": {"allOf": [{"$ref": "#/definitions/Pet"}]},
        "Not (a pet)": {"properties": {"pet": {"$ref": "#/definitions/Pet"}}},
        "Not (either)": {"allOf": [{"$ref": "#/definitions/Pet/properties/kind"}]},
    });
    let schemas = convert(&document(json!({"definitions": definitions})))["components"]["schemas"].clone();
    let mapping = json!({
        "Cat (big)": "#/components/schemas/Cat_big", "Lion (old)": "#/components/schemas/Lion_old",
    });
    assert_eq!(schemas["Pet"]["discriminator"], json!({"propertyName": "kind", "mapping": mapping}));
    let plain = convert_schema(json!({"discriminator": "kind"}));
    assert_eq!(plain, json!({"discriminator": {"propertyName": "kind"}}));
}

#[test]
fn siblings_of_a_reference_are_kept_by_wrapping_it() {
    let reference = json!({"$ref": "#/components/schemas/B"});
    let schema = json!({"$ref": "#/definitions/B", "description": "d", "x-nullable": true});
    assert_eq!(convert_schema(schema), json!({"allOf": [reference], "description": "d", "nullable": true}));
    let schema = json!({"$ref": "#/definitions/B", "allOf": [{"type": "object"}]});
    assert_eq!(convert_schema(schema), json!({"allOf": [{"type": "object"}, reference]}));
    assert_eq!(convert_schema(json!({"$ref": "#/definitions/B"})), reference);
}

#[test]
fn properties_may_have_the_names_of_keywords() {
    let names = ["$ref", "allOf", "type", "x-nullable", "items", "example", "discriminator"];
    let properties: Value = names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
    let schema = json!({"type": "object", "properties": properties});
    assert_eq!(convert_schema(schema.clone()), schema);
}

#[test]
fn invalid_schemas_are_refused() {
    assert_schema_refused(json!([]), "", "must be an object");
    assert_schema_refused(json!({"oneOf": []}), "", "`oneOf` has no place here");
    assert_schema_refused(json!({"properties": {"p/q": {"nullable": true}}}), "/properties/p~1q", "`nullable`");
    assert_schema_refused(json!({"properties": {"p": {"required": true}}}), "/properties/p/required", "must be a list");
    assert_schema_refused(json!({"exclusiveMaximum": 3}), "/exclusiveMaximum", "must be true or false");
    assert_schema_refused(json!({"minLength": -1}), "/minLength", "a whole number");
    assert_schema_refused(json!({"items": [{}]}), "/items", "must be an object");
    assert_schema_refused(json!({"allOf": [{}, 3]}), "/allOf/1", "must be an object");
    assert_schema_refused(json!({"additionalProperties": "no"}), "/additionalProperties", "must be an object");
    assert_schema_refused(json!({"discriminator": {"propertyName": "p"}}), "/discriminator", "must be a string");
    assert_schema_refused(json!({"xml": {"names": "n"}}), "/xml", "`names`");
    assert_schema_refused(json!({"externalDocs": {}}), "/externalDocs", "`url` is missing");
    assert_schema_refused(json!({"type": "any"}), "/type", "`any` is no type here");
    assert_schema_refused(json!({"type": ["string", 1]}), "/type/1", "must be a string");
    assert_schema_refused(json!({"type": "null"}), "/type", "null alone");
    assert_schema_refused(json!({"x-nullable": "yes"}), "/x-nullable", "must be true or false");
}
