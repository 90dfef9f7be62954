use super::*;

#[test]
fn keywords_of_a_parameter_move_into_its_schema() {
    let parameter = json!({
        "name": "n", "in": "query", "description": "d", "required": true, "allowEmptyValue": true, "x-p": 1,
        "type": "integer", "format": "int32", "default": 2, "enum": [2, 4],
        "minimum": 1, "exclusiveMinimum": true,
        "maximum": 9, "exclusiveMaximum": false, "multipleOf": 2,
    });
    let expected = json!({
        "name": "n", "in": "query", "description": "d", "required": true, "allowEmptyValue": true, "x-p": 1,
        "schema": {"type": "integer", "format": "int32", "default": 2, "enum": [2, 4], "minimum": 1,
            "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": false, "multipleOf": 2},
    });
    assert_eq!(convert_parameter(parameter), expected);
    let text = json!({
        "name": "n", "in": "header", "type": "string", "minLength": 1, "maxLength": 2, "pattern": "p",
    });
    let schema = json!({"type": "string", "minLength": 1, "maxLength": 2, "pattern": "p"});
    assert_eq!(convert_parameter(text)["schema"], schema);
}

#[test]
fn a_path_parameter_is_required() {
    let parameter = convert_parameter(json!({"name": "n", "in": "path", "type": "string"}));
    assert_eq!(parameter["required"], true);
    let optional = json!({"name": "n", "in": "path", "type": "string", "required": false});
    assert_parameter_refused(optional, "", "must be required");
}

#[test]
fn a_parameter_with_type_null_is_nullable() {
    let parameter = json!({"name": "n", "in": "query", "type": "array", "x-nullable": true,
        "items": {"type": "string", "x-nullable": true, "x-i": 1}});
    let parameter = convert_parameter(parameter);
    let items = json!({"type": "string", "nullable": true, "x-i": 1});
    assert_eq!(parameter["schema"], json!({"type": "array", "nullable": true, "items": items}));
    assert_eq!(parameter.get("x-nullable"), None);
}

#[test]
fn every_collection_format_is_a_style() {
    let style = |location, format| {
        let mut parameter = json!({"name": "n", "in": location, "type": "array", "items": {"type": "string"}});
        if let Some(format) = format {
            parameter["collectionFormat"] = Value::from(format);
        }
        let parameter = convert_parameter(parameter);
        let style = parameter["style"].as_str().unwrap().to_owned();
        (style, parameter["explode"].as_bool().unwrap())
    };
    assert_eq!(style("query", None), ("form".to_owned(), false), "csv is the default of Swagger, not of OpenAPI");
    assert_eq!(style("query", Some("csv")), ("form".to_owned(), false));
    assert_eq!(style("query", Some("ssv")), ("spaceDelimited".to_owned(), false));
    assert_eq!(style("query", Some("pipes")), ("pipeDelimited".to_owned(), false));
    assert_eq!(style("query", Some("multi")), ("form".to_owned(), true));
    assert_eq!(style("header", Some("csv")), ("simple".to_owned(), false));
    assert_eq!(style("path", None), ("simple".to_owned(), false));
    let nullable = json!({"name": "n", "in": "query", "type": ["array", "null"],
        "items": {"type": "string"}, "collectionFormat": "multi"});
    assert_eq!(convert_parameter(nullable)["explode"], true);
}

#[test]
fn collection_formats_that_openapi_lacks_are_refused() {
    let list = |location: &str, format: &str| json!({"name": "n", "in": location, "type": "array", "collectionFormat": format});
    for (location, format) in
        [("query", "tsv"), ("header", "ssv"), ("path", "pipes"), ("header", "multi"), ("query", "xyz")]
    {
        assert_parameter_refused(list(location, format), "/collectionFormat", &format!("`{format}` in {location}"));
    }
    let nested = json!({"name": "n", "in": "query", "type": "array",
        "items": {"type": "array", "items": {"type": "string"}}});
    assert_parameter_refused(nested, "/items", "lists in a list");
    let nested = json!({"name": "n", "in": "query", "type": "array",
        "items": {"type": "array", "collectionFormat": "pipes", "items": {"type": "string"}}});
    assert_parameter_refused(nested, "/items", "lists in a list");
    let single = json!({"name": "n", "in": "query", "type": "string", "collectionFormat": "csv"});
    assert_parameter_refused(single, "/collectionFormat", "only a list");
}

#[test]
fn shared_parameters_are_components() {
    let shared = json!({"page (of all)": {"name": "page", "in": "query", "type": "integer"}});
    let reference = json!({"parameters": [{"$ref": "#/parameters/page%20(of%20all)"}]});
    let openapi = convert(&with(operation(reference), "parameters", shared));
    let expected = json!([{"$ref": "#/components/parameters/page_of_all"}]);
    assert_eq!(openapi["paths"]["/a"]["get"]["parameters"], expected);
    let expected = json!({"page_of_all": {"name": "page", "in": "query", "schema": {"type": "integer"}}});
    assert_eq!(openapi["components"]["parameters"], expected);
}

#[test]
fn parameters_of_a_path_stay_there() {
    let parameters = json!([{"name": "n", "in": "query", "type": "string"}]);
    let paths = json!({"/a": {"parameters": parameters, "get": {"responses": {"204": {}}}}});
    let item = convert(&document(json!({"paths": paths})))["paths"]["/a"].clone();
    assert_eq!(item["parameters"], json!([{"name": "n", "in": "query", "schema": {"type": "string"}}]));
    assert_eq!(item["get"].get("parameters"), None);
}

#[test]
fn invalid_parameters_are_refused() {
    assert_parameter_refused(json!("n"), "", "must be an object");
    assert_parameter_refused(json!({"name": "n", "type": "string"}), "", "`in` is missing");
    assert_parameter_refused(json!({"name": "n", "in": "cookie", "type": "string"}), "/in", "`cookie`");
    assert_parameter_refused(json!({"name": "n", "in": "query"}), "", "`type` is missing");
    assert_parameter_refused(
        json!({"name": "n", "in": "query", "type": "object"}),
        "/type",
        "`object` is no type here",
    );
    assert_parameter_refused(json!({"name": "n", "in": "query", "type": "file"}), "/type", "`file` is no type here");
    assert_parameter_refused(json!({"name": "n", "in": "query", "type": "string", "example": 1}), "", "`example`");
    let numeric = json!({"name": "n", "in": "query", "type": "integer", "exclusiveMinimum": 1});
    assert_parameter_refused(numeric, "/exclusiveMinimum", "must be true or false");
    let in_header = json!({"name": "n", "in": "header", "type": "string", "allowEmptyValue": true});
    assert_parameter_refused(in_header, "", "`allowEmptyValue`");
    let items = json!({"name": "n", "in": "query", "type": "array",
        "items": {"type": "string", "description": "d"}});
    assert_parameter_refused(items, "/items", "`description`");
    let same = json!({"name": "n", "in": "query", "type": "string"});
    let twice = operation(json!({"parameters": [same, same]}));
    assert_refused(&twice, "/paths/~1a/get/parameters/1", "already");
    let sibling = json!({"$ref": "#/parameters/p", "description": "d"});
    assert_parameter_refused(sibling, "", "may have no siblings");
    assert_parameter_refused(json!({"$ref": "#/definitions/p"}), "/$ref", "must lead to #/parameters/...");
    assert_parameter_refused(json!({"$ref": "#/parameters/p"}), "/$ref", "leads to nothing");
    assert_parameter_refused(json!({"$ref": "p.json#/p"}), "/$ref", "out of the document");
    let shared = json!({"p": {"$ref": "#/parameters/p"}});
    assert_refused(&document(json!({"parameters": shared})), "/parameters/p", "`in` is missing");
}

#[test]
fn the_customary_extension_for_an_example_is_the_example() {
    let parameter = json!({"name": "q", "in": "query", "type": "string", "x-example": "e"});
    assert_eq!(convert_parameter(parameter)["example"], "e");
    let field = json!({"name": "f", "in": "formData", "type": "string", "x-example": "e"});
    let body = convert_operation(json!({"parameters": [field]}))["requestBody"].clone();
    let media = &body["content"]["application/x-www-form-urlencoded"];
    assert_eq!(media["schema"]["properties"]["f"], json!({"type": "string", "example": "e"}));
}
