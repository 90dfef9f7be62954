use super::*;

/// A document with every kind of object in it.
fn everything() -> Value {
    serde_json::from_str(include_str!("../every_object_of_swagger2.json")).unwrap()
}

/// The pointers to all values of a document.
fn pointers(value: &Value, pointer: &str, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    let mut below = |token: &str, child| {
        let token = token.replace('~', "~0").replace('/', "~1");
        pointers(child, &format!("{pointer}/{token}"), found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, child)| below(name, child)),
        Value::Array(list) => list.iter().enumerate().for_each(|(index, child)| below(&index.to_string(), child)),
        _ => {}
    }
}

#[test]
fn an_error_names_a_place_that_is_there() {
    convert(&everything());
    let mut all = Vec::new();
    pointers(&everything(), "", &mut all);
    let mut refused = 0;
    for pointer in &all {
        for odd in
            [json!(null), json!(true), json!(-1.5), json!("x"), json!([]), json!([0]), json!({}), json!({"$ref": "x"})]
        {
            let mut document = everything();
            *document.pointer_mut(pointer).unwrap() = odd;
            if let Err(error) = to_openapi(&document) {
                refused += 1;
                assert!(document.pointer(&error.pointer).is_some(), "{error}");
            }
        }
    }
    assert!(refused > all.len(), "{refused} of {}", all.len() * 8);
}

#[test]
fn what_swagger_requires_is_missed() {
    for (pointer, name) in [
        ("", "swagger"),
        ("", "info"),
        ("", "paths"),
        ("/info", "title"),
        ("/info", "version"),
        ("/info/license", "name"),
        ("/tags/0", "name"),
        ("/tags/0/externalDocs", "url"),
        ("/parameters/b", "schema"),
        ("/parameters/f", "name"),
        ("/parameters/f", "in"),
        ("/parameters/f", "type"),
        ("/responses/r/headers/H", "type"),
        ("/responses/r/headers/H/items", "type"),
        ("/paths/~1a/get", "responses"),
        ("/securityDefinitions/k", "name"),
        ("/securityDefinitions/k", "in"),
        ("/securityDefinitions/o", "flow"),
        ("/securityDefinitions/o", "scopes"),
    ] {
        let mut document = everything();
        let object = document.pointer_mut(pointer).and_then(Value::as_object_mut);
        object.unwrap().remove(name).unwrap();
        assert_refused(&document, pointer, &format!("`{name}` is missing"));
    }
}

#[test]
fn an_unknown_key_is_named_in_every_object_but_maps_and_data() {
    let mut all = Vec::new();
    pointers(&everything(), "", &mut all);
    let mut accepted = Vec::new();
    for pointer in &all {
        let mut document = everything();
        let Some(members) = document.pointer_mut(pointer).and_then(Value::as_object_mut) else {
            continue;
        };
        members.insert("bogus".to_owned(), json!("bogus"));
        match to_openapi(&document) {
            Ok(_) => accepted.push(pointer.as_str()),
            Err(error) => {
                assert!(error.to_string().contains("bogus") || error.message.contains("`$ref`"), "{pointer}: {error}")
            }
        }
    }
    assert_eq!(accepted, ["/responses/r/examples", "/securityDefinitions/o/scopes"]);
}

#[test]
fn the_same_document_gives_the_same_text() {
    let text = || convert(&everything()).to_string();
    assert_eq!(text(), text());
}
