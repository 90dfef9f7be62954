use super::*;

#[test]
fn descriptions_of_an_operation_are_kept() {
    let described = json!({
        "tags": ["t"], "summary": "s", "description": "d", "operationId": "get_a_/b/<c:d>", "deprecated": true,
        "externalDocs": {"url": "u"}, "x-o": [1], "responses": {"204": {"description": "gone"}, "x-r": 1},
    });
    assert_eq!(convert_operation(described.clone()), described);
}

#[test]
fn every_method_of_a_path_item_is_an_operation() {
    for method in ["get", "put", "post", "delete", "options", "head", "patch"] {
        let paths = json!({"/a": {method: {"responses": {"default": {"description": "d"}}}}});
        assert_eq!(convert(&document(json!({"paths": paths})))["paths"], paths);
    }
}

#[test]
fn invalid_operations_are_refused() {
    let pointer = "/paths/~1a/get";
    assert_refused(&operation(json!({"requestBody": {}})), pointer, "`requestBody` has no place here");
    assert_refused(&operation(json!({"deprecated": "yes"})), "/paths/~1a/get/deprecated", "must be true or false");
    assert_refused(&operation(json!({"parameters": {}})), "/paths/~1a/get/parameters", "must be a list");
    assert_refused(&operation(json!({"responses": {}})), "/paths/~1a/get/responses", "there must be a response");
    assert_refused(&operation(json!({"responses": {"2XX": {}}})), "/paths/~1a/get/responses", "`2XX`");
    let without = json!({"paths": {"/a": {"get": {}}}});
    assert_refused(&document(without), pointer, "`responses` is missing");
}
