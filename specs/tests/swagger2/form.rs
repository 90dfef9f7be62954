use super::*;

fn field(name: &str) -> Value {
    json!({"name": name, "in": "formData", "type": "string"})
}

fn list(format: &str) -> Value {
    json!({
        "name": "l", "in": "formData", "type": "array", "items": {"type": "string"},
        "collectionFormat": format,
    })
}

fn media_types(consumes: Value, parameters: Value) -> Vec<String> {
    let body = convert_body(consumes, parameters);
    body["content"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn form_fields_are_properties() {
    let fields = json!([
        {"name": "a", "in": "formData", "type": "string", "required": true, "description": "d", "x-f": 1},
        {"name": "b", "in": "formData", "type": "integer", "default": 1, "x-nullable": true},
        {"name": "c", "in": "formData", "type": "file", "required": true},
    ]);
    let schema = json!({"type": "object", "required": ["a", "c"], "properties": {
        "a": {"type": "string", "description": "d", "x-f": 1},
        "b": {"type": "integer", "default": 1, "nullable": true},
        "c": {"type": "string", "format": "binary"},
    }});
    let expected = json!({"required": true, "content": {"multipart/form-data": {"schema": schema}}});
    assert_eq!(convert_body(json!(["multipart/form-data"]), fields), expected);
}

#[test]
fn a_form_has_the_consumed_media_types_that_can_carry_it() {
    let (urlencoded, multipart) = ("application/x-www-form-urlencoded", "multipart/form-data");
    let file = json!([field("a"), {"name": "f", "in": "formData", "type": "file"}]);
    let plain = json!([field("a")]);
    assert_eq!(media_types(json!(["application/json"]), plain.clone()), [urlencoded]);
    assert_eq!(media_types(json!([]), plain.clone()), [urlencoded]);
    assert_eq!(media_types(json!([multipart]), plain.clone()), [multipart]);
    assert_eq!(media_types(json!([urlencoded, multipart]), plain.clone()), [urlencoded, multipart]);
    assert_eq!(media_types(json!(["Multipart/Form-Data; boundary=b"]), plain), ["Multipart/Form-Data; boundary=b"]);
    assert_eq!(media_types(json!([urlencoded]), file.clone()), [multipart]);
    assert_eq!(media_types(json!([urlencoded, multipart]), file), [multipart]);
}

#[test]
fn collection_formats_are_encodings() {
    for (format, style, explode) in [
        ("csv", "form", false),
        ("ssv", "spaceDelimited", false),
        ("pipes", "pipeDelimited", false),
        ("multi", "form", true),
    ] {
        let body = convert_body(json!([]), json!([field("a"), list(format)]));
        let encoding = &body["content"]["application/x-www-form-urlencoded"]["encoding"];
        assert_eq!(encoding, &json!({"l": {"style": style, "explode": explode}}));
    }
    let body = convert_body(json!(["multipart/form-data"]), json!([list("multi")]));
    assert_eq!(body["content"]["multipart/form-data"].get("encoding"), None, "one part for each is the default there");
}

#[test]
fn shared_fields_and_those_of_the_path_are_merged() {
    let mut own = field("a");
    own["description"] = json!("own");
    let item = json!({
        "parameters": [field("a"), field("b")],
        "post": {"parameters": [own, {"$ref": "#/parameters/c"}], "responses": {"204": {}}},
        "put": {"responses": {"204": {}}},
    });
    let openapi = convert(&document(json!({"paths": {"/a": item}, "parameters": {"c": field("c")}})));
    let properties = |method: &str| {
        let body = &openapi["paths"]["/a"][method]["requestBody"];
        body["content"]["application/x-www-form-urlencoded"]["schema"]["properties"].clone()
    };
    let text = json!({"type": "string"});
    assert_eq!(properties("post"), json!({"a": {"type": "string", "description": "own"}, "b": text, "c": text}));
    assert_eq!(properties("put"), json!({"a": text, "b": text}));
    assert_eq!(openapi.get("components"), None);
}

#[test]
fn invalid_form_fields_are_refused() {
    let multipart = json!({"consumes": ["multipart/form-data"], "parameters": [list("csv")]});
    assert_refused(&operation(multipart), "/paths/~1a/get/parameters/0", "but `multi` in multipart/form-data");
    assert_parameter_refused(list("tsv"), "/collectionFormat", "`tsv`");
    let mut empty = field("a");
    empty["allowEmptyValue"] = json!(true);
    assert_parameter_refused(empty, "", "allowEmptyValue in a form");
    let files = json!({"name": "f", "in": "formData", "type": "array", "items": {"type": "file"}});
    assert_parameter_refused(files, "/items/type", "`file`");
    let shared = json!({"f": {"name": "f", "in": "formData", "type": "text"}});
    assert_refused(&document(json!({"parameters": shared})), "/parameters/f/type", "`text` is no type here");
}
