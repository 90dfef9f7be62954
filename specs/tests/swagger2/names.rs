use super::*;

#[test]
fn names_become_valid_without_collisions() {
    let names = ["A (read)", "A_read", "A [read]", "A  (read) (b)", "v1.0-x", "é", "__a", "*a"];
    let definitions: Value = names.iter().map(|name| ((*name).to_owned(), json!({"title": name}))).collect();
    let schemas = convert(&document(json!({"definitions": definitions})))["components"]["schemas"].clone();
    let expected = [
        ("A_read", "A_read"),
        ("A_read_2", "A (read)"),
        ("A_read_3", "A [read]"),
        ("A_read_b", "A  (read) (b)"),
        ("_", "é"),
        ("__a", "__a"),
        ("a", "*a"),
        ("v1.0-x", "v1.0-x"),
    ];
    let expected: Value = expected.iter().map(|(name, title)| ((*name).to_owned(), json!({"title": title}))).collect();
    assert_eq!(schemas, expected);
}

#[test]
fn references_are_read_however_they_are_encoded() {
    let names = ["A (read)", "b/c", "d~e", "100%", "f%20g", "é"];
    let definitions: Value = names.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
    let written = [
        ("A (read)", "A_read"),
        ("A%20%28read%29", "A_read"),
        ("b~1c", "b_c"),
        ("b%2Fc", "b_c"),
        ("d~0e", "d_e"),
        ("100%", "100"),
        ("100%25", "100"),
        ("f%20g", "f_20g"),
        ("f%2520g", "f_20g"),
        ("%C3%A9", "_"),
        ("é", "_"),
    ];
    for (token, component) in written {
        let response = json!({"schema": {"$ref": format!("#/definitions/{token}")}});
        let document = with(operation(json!({"responses": {"200": response}})), "definitions", definitions.clone());
        let response = convert(&document)["paths"]["/a"]["get"]["responses"]["200"].clone();
        let reference = format!("#/components/schemas/{component}");
        assert_eq!(response["content"]["application/json"]["schema"], json!({"$ref": reference}), "{token}");
    }
}

#[test]
fn references_may_lead_into_a_definition() {
    let target = json!({"properties": {"p q": {"items": {"allOf": [{}, {"additionalProperties": {}}]}}}});
    let reference = |rest: &str| json!({"$ref": format!("#/definitions/The%20B/{rest}")});
    let rest = "properties/p%20q/items/allOf/1/additionalProperties";
    let definitions = json!({"The B": target, "A": reference(rest)});
    let openapi = convert(&document(json!({"definitions": definitions})));
    let expected = format!("#/components/schemas/The_B/{rest}");
    assert_eq!(openapi["components"]["schemas"]["A"]["$ref"], expected);
    for rest in ["properties", "properties/q", "title", "allOf/x", "items", ""] {
        let definitions = json!({"The B": target, "A": reference(rest)});
        assert_refused(&document(json!({"definitions": definitions})), "/definitions/A/$ref", "leads to no schema");
    }
    assert_schema_refused(json!({"$ref": "#/definitions/B/items"}), "/$ref", "leads to no schema");
}

#[test]
fn references_that_lead_nowhere_are_refused() {
    assert_schema_refused(json!({"$ref": "#/definitions/None"}), "/$ref", "`#/definitions/None` leads to nothing");
    assert_schema_refused(json!({"$ref": "#/parameters/A"}), "/$ref", "must lead to #/definitions/...");
    for elsewhere in ["b.json", "http://h/b#/definitions/B", "B", "#", ""] {
        assert_schema_refused(json!({"$ref": elsewhere}), "/$ref", "out of the document");
    }
    for odd in ["#/definitions/%FF", "#/definitions/%", "#/definitions/%é", "#/definitions", "#/"] {
        assert_schema_refused(json!({"$ref": odd}), "/$ref", "lead");
    }
    assert_schema_refused(json!({"$ref": 3}), "/$ref", "must be a string");
}
