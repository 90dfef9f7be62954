use super::*;

fn body() -> Value {
    json!({
        "name": "b", "in": "body", "description": "d", "required": true, "x-b": 1,
        "schema": {"type": "string"},
    })
}

#[test]
fn a_body_has_every_consumed_media_type() {
    let media = json!({"schema": {"type": "string"}});
    let expected = json!({
        "description": "d", "required": true, "x-b": 1, "content": {"application/json": media},
    });
    assert_eq!(convert_operation(json!({"parameters": [body()]}))["requestBody"], expected);
    let own = convert_body(json!(["text/csv", "text/plain"]), json!([body()]));
    assert_eq!(own["content"], json!({"text/csv": media, "text/plain": media}));
    let cleared = convert_body(json!([]), json!([body()]));
    assert_eq!(cleared["content"], json!({"*/*": media}), "an empty list clears that of the document");
}

#[test]
fn a_body_with_type_null_is_nullable() {
    let body = json!({"name": "b", "in": "body", "x-nullable": true, "schema": {"$ref": "#/definitions/B"}});
    let document = with(operation(json!({"parameters": [body]})), "definitions", json!({"B": {}}));
    let body = convert(&document)["paths"]["/a"]["get"]["requestBody"].clone();
    let schema = json!({"allOf": [{"$ref": "#/components/schemas/B"}], "nullable": true});
    assert_eq!(body, json!({"content": {"application/json": {"schema": schema}}}));
}

#[test]
fn a_shared_body_is_a_component_and_inlined_where_media_types_differ() {
    let shared = json!({"The b": body()});
    let reference = json!([{"$ref": "#/parameters/The b"}]);
    let referring = with(operation(json!({"parameters": reference})), "parameters", shared.clone());
    let openapi = convert(&referring);
    let body = openapi["paths"]["/a"]["get"]["requestBody"].clone();
    assert_eq!(body, json!({"$ref": "#/components/requestBodies/The_b"}));
    assert_eq!(openapi["components"]["requestBodies"]["The_b"]["required"], true);
    assert_eq!(openapi["components"].get("parameters"), None);

    let differing = operation(json!({"parameters": reference, "consumes": ["text/csv"]}));
    let openapi = convert(&with(differing, "parameters", shared));
    let body = openapi["paths"]["/a"]["get"]["requestBody"].clone();
    assert_eq!(body["content"], json!({"text/csv": {"schema": {"type": "string"}}}));
}

#[test]
fn a_body_of_a_path_is_given_to_its_operations() {
    let responses = json!({"204": {}});
    let own = json!([{"name": "other", "in": "body", "schema": {"type": "integer"}}]);
    let item = json!({
        "parameters": [body()],
        "put": {"responses": responses},
        "post": {"responses": responses, "parameters": own},
    });
    let item = convert(&document(json!({"paths": {"/a": item}})))["paths"]["/a"].clone();
    assert_eq!(item["put"]["requestBody"]["content"]["*/*"]["schema"]["type"], "string");
    assert_eq!(item["post"]["requestBody"]["content"]["*/*"]["schema"]["type"], "integer");
    assert_eq!(item.get("parameters"), None);
}

#[test]
fn invalid_bodies_are_refused() {
    assert_parameter_refused(json!({"name": "b", "in": "body"}), "", "`schema` is missing");
    assert_parameter_refused(json!({"name": "b", "in": "body", "schema": {}, "type": "string"}), "", "`type`");
    let two = json!([body(), {"name": "c", "in": "body", "schema": {}}]);
    assert_refused(&operation(json!({"parameters": two})), "/paths/~1a/get/parameters/1", "a second body");
    let both = json!([body(), {"name": "f", "in": "formData", "type": "string"}]);
    assert_refused(&operation(json!({"parameters": both})), "/paths/~1a/get", "both a body and a form");
}
