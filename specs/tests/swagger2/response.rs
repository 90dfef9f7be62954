use super::*;

#[test]
fn every_produced_media_type_has_the_schema() {
    let response = json!({"description": "d", "schema": {"type": "string"}, "x-r": 1});
    let media = json!({"schema": {"type": "string"}});
    let expected = json!({"description": "d", "content": {"application/json": media}, "x-r": 1});
    assert_eq!(convert_response(response.clone()), expected);
    let content = |produces: Value| {
        let operation = convert_operation(json!({"produces": produces, "responses": {"default": response}}));
        operation["responses"]["default"]["content"].clone()
    };
    assert_eq!(content(json!(["text/csv", "text/plain"])), json!({"text/csv": media, "text/plain": media}));
    assert_eq!(content(json!([])), json!({"*/*": media}));
}

#[test]
fn a_response_without_schema_has_no_content_and_one_without_description_an_empty_one() {
    assert_eq!(convert_response(json!({})), json!({"description": ""}));
}

#[test]
fn a_file_is_binary() {
    let response = |schema| convert_response(json!({"schema": schema}))["content"].clone();
    let binary = json!({"type": "string", "format": "binary"});
    assert_eq!(response(json!({"type": "file"})), json!({"application/json": {"schema": binary}}));
    let mut file = json!({
        "title": "t", "description": "d", "default": "a", "example": "b", "required": ["c"],
        "readOnly": true, "externalDocs": {"url": "u"}, "format": "byte", "x-f": 1,
    });
    let mut expected = file.clone();
    file["type"] = json!("file");
    file["x-nullable"] = json!(true);
    expected["type"] = json!("string");
    expected["nullable"] = json!(true);
    assert_eq!(response(file), json!({"application/json": {"schema": expected}}));
    let pointer = "/paths/~1a/get/responses/200/schema";
    let response = |schema| operation(json!({"responses": {"200": {"schema": schema}}}));
    assert_refused(&response(json!({"type": "file", "items": {}})), pointer, "`items`");
    let inside = json!({"type": "array", "items": {"type": "file"}});
    assert_refused(&response(inside), &format!("{pointer}/items/type"), "`file`");
}

#[test]
fn examples_are_those_of_media_types() {
    let examples = json!({"application/json": {"$ref": "data"}, "text/csv": null});
    let response = convert_response(json!({"schema": {"type": "string"}, "examples": examples}));
    let schema = json!({"type": "string"});
    let expected = json!({
        "application/json": {"schema": schema, "example": {"$ref": "data"}},
        "text/csv": {"schema": schema, "example": null},
    });
    assert_eq!(response["content"], expected);
    let response = convert_response(json!({"examples": {"text/csv": "a;b"}}));
    assert_eq!(response["content"], json!({"text/csv": {"example": "a;b"}}));
}

#[test]
fn headers_have_a_schema() {
    let headers = json!({
        "X-Total": {"description": "d", "type": "integer", "minimum": 0, "x-h": 1, "x-nullable": true},
        "x-list": {"type": "array", "items": {"type": "string"}},
    });
    let expected = json!({
        "X-Total": {"description": "d", "x-h": 1,
            "schema": {"type": "integer", "minimum": 0, "nullable": true}},
        "x-list": {"style": "simple", "explode": false,
            "schema": {"type": "array", "items": {"type": "string"}}},
    });
    assert_eq!(convert_response(json!({"headers": headers}))["headers"], expected);
}

#[test]
fn a_shared_response_is_a_component_and_inlined_where_media_types_differ() {
    let shared = json!({"No/t": {"schema": {"type": "string"}}, "Empty": {}});
    let responses = json!({"404": {"$ref": "#/responses/No~1t"}, "410": {"$ref": "#/responses/Empty"}});
    let convert = |members: Value| {
        let openapi = convert(&with(operation(members), "responses", shared.clone()));
        (openapi["paths"]["/a"]["get"]["responses"].clone(), openapi["components"]["responses"].clone())
    };
    let (converted, components) = convert(json!({"responses": responses}));
    assert_eq!(converted["404"], json!({"$ref": "#/components/responses/No_t"}));
    let content = json!({"application/json": {"schema": {"type": "string"}}});
    assert_eq!(components, json!({"No_t": {"description": "", "content": content}, "Empty": {"description": ""}}));

    let (converted, _) = convert(json!({"responses": responses, "produces": ["text/csv"]}));
    assert_eq!(converted["404"]["content"], json!({"text/csv": {"schema": {"type": "string"}}}));
    assert_eq!(converted["410"], json!({"$ref": "#/components/responses/Empty"}));
}

#[test]
fn invalid_responses_are_refused() {
    let response = |response| operation(json!({"responses": {"200": response}}));
    let pointer = "/paths/~1a/get/responses/200";
    assert_refused(&response(json!({"content": {}})), pointer, "`content` has no place here");
    assert_refused(&response(json!({"headers": {"H": {}}})), &format!("{pointer}/headers/H"), "`type` is missing");
    let header = json!({"headers": {"H": {"type": "string", "required": true}}});
    assert_refused(&response(header), &format!("{pointer}/headers/H"), "`required`");
    let multi = json!({"headers": {"H": {"type": "array", "collectionFormat": "multi"}}});
    assert_refused(&response(multi), &format!("{pointer}/headers/H/collectionFormat"), "`multi` in header");
    assert_refused(&response(json!({"$ref": "#/responses/None"})), &format!("{pointer}/$ref"), "leads to nothing");
}
