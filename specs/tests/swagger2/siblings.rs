use super::*;

#[test]
fn every_schema_of_an_openapi_document_is_reached_and_nothing_else() {
    let before = json!({"$ref": "#/r", "nullable": true});
    let after = json!({"allOf": [{"$ref": "#/r"}], "nullable": true});
    // Every place that holds a schema, in every container that can.
    let build = |schema: &Value| {
        let nested = json!({
            "properties": {"$ref": schema, "x-p": schema, "example": schema, "q": {"properties": schema}},
            "items": schema, "additionalProperties": schema, "not": schema,
            "allOf": [schema], "anyOf": [schema], "oneOf": [{"items": schema}],
        });
        let media = json!({"schema": schema, "encoding": {"e": {"headers": {"schema": {"schema": schema}}}}});
        let carrier = json!({"schema": schema, "content": {"schema": media}});
        let body = json!({"content": {"schema": media}});
        let response = json!({"content": {"schema": media}, "headers": {"h": carrier}});
        let operation = json!({"parameters": [carrier], "requestBody": body, "responses": {"200": response}});
        let item = json!({"parameters": [carrier], "get": operation, "trace": operation,
            "post": {"callbacks": {"c": {"{$request.body#/u}": {"post": operation}}}}});
        let components = json!({"schemas": {"x-s": nested, "example": schema}, "responses": {"x": response},
            "parameters": {"schema": carrier}, "requestBodies": {"x": body}, "headers": {"x": carrier},
            "callbacks": {"c": {"/u": item}}});
        json!({"paths": {"/a": item}, "components": components})
    };
    let mut document = build(&before);
    wrap_reference_siblings(&mut document);
    // There, `$ref` and `nullable` are properties that are called so.
    let mut expected = build(&after);
    expected["components"]["schemas"]["x-s"]["properties"]["q"]["properties"] = before;
    assert_eq!(document, expected);
    wrap_reference_siblings(&mut document);
    assert_eq!(document, expected, "a second time changes nothing");
}

#[test]
fn data_and_other_references_are_left_alone() {
    let data = json!({"$ref": "#/r", "b": {"schema": {"$ref": "#/r", "c": 1}}});
    let untouched = json!({
        "x-root": data, "info": {"schema": data},
        "paths": {"x-p": {"get": {"requestBody": {"schema": data}}}, "/a": {"x-i": data, "get": {
            "parameters": [{"$ref": "#/p", "description": "d"},
                {"schema": {"default": data, "enum": [data]}, "example": data}],
            "responses": {"x-r": {"schema": data},
                "200": {"content": {"m": {"example": data, "examples": {"e": {"value": data}}}}}},
        }}},
        "components": {"examples": {"e": data}, "callbacks": {"c": {"x-c": {"parameters": [{"schema": data}]}}}, "schemas": {
            "A": {"example": data, "x-a": data, "properties": {"$ref": {"type": "string"}, "allOf": {}}},
            "odd": {"$ref": 3, "b": 1}, "alone": {"$ref": "#/r"}, "odder": {"$ref": "#/r", "allOf": "x"}}},
    });
    let mut document = untouched.clone();
    wrap_reference_siblings(&mut document);
    assert_eq!(document, untouched);
}

#[test]
fn any_json_is_handled_without_a_panic() {
    for mut odd in [
        json!(null),
        json!([1]),
        json!({"paths": 1}),
        json!({"paths": [1]}),
        json!({"components": {"schemas": {"a": [{}]}}}),
    ] {
        let before = odd.clone();
        wrap_reference_siblings(&mut odd);
        assert_eq!(odd, before);
    }
}
