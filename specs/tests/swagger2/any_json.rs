use super::support::pointers;
use super::*;

/// A document with every kind of object in it.
fn everything() -> Value {
    serde_json::from_str(include_str!("../every_object_of_swagger2.json")).unwrap()
}

#[test]
fn an_error_has_a_pointer_that_exists() {
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
fn a_missing_required_member_is_an_error() {
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
fn an_unknown_key_is_an_error_except_in_maps_and_data() {
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
fn conversion_is_deterministic() {
    let text = || convert(&everything()).to_string();
    assert_eq!(text(), text());
}
