//! The schema check refuses invalid values with their JSON pointer.

use datagouv_sandbox::example::{Maker, Style};
use datagouv_sandbox::validate::{Checker, Direction};
use datagouv_sandbox::{Api, Document};
use serde_json::{Value, json};

fn document() -> Document {
    let schemas = json!({
        "Organization": {
            "type": "object",
            "required": ["id", "name"],
            "properties": {
                "id": {"type": "string", "readOnly": true},
                "name": {"type": "string", "minLength": 2, "maxLength": 10},
                "parent": {"allOf": [{"$ref": "#/components/schemas/Organization"}], "nullable": true},
                "tags": {"type": "array", "maxItems": 2, "items": {"type": "string"}}
            }
        },
        "Team": {
            "allOf": [
                {"$ref": "#/components/schemas/Organization"},
                {"type": "object", "required": ["kind"], "properties": {
                    "kind": {"type": "string", "enum": ["open", "closed"]},
                    "score": {"type": "number", "minimum": 0, "maximum": 1},
                    "extras": {"type": "object", "additionalProperties": {}},
                    "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
                    "born": {"type": "string", "format": "date"},
                    "zone": {"oneOf": [
                        {"type": "string"},
                        {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}
                    ]}
                }}
            ]
        },
        "Heavier": {
            "x-required-in-requests": [],
            "allOf": [
                {"$ref": "#/components/schemas/Lighter"},
                {"type": "object", "required": ["rank"], "properties": {"rank": {"type": "integer"}}}
            ]
        },
        "Lighter": {
            "type": "object",
            "required": ["id", "name"],
            "x-required-in-requests": ["label"],
            "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "label": {"type": "string"}}
        }
    });
    let value = json!({"openapi": "3.0.3", "paths": {}, "components": {"schemas": schemas}});
    Document::new(Api::Main, value).expect("a good document")
}

fn check(direction: Direction, schema: &str, value: Value) -> Result<(), String> {
    let document = document();
    let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
    Checker::new(&document, direction).check(&schema, &value).map_err(|mismatch| mismatch.to_string())
}

fn sent(value: Value) -> Result<(), String> {
    check(Direction::Request, "Team", value)
}

fn refused(value: Value) -> String {
    sent(value).expect_err("a refusal")
}

#[test]
fn accepts_a_valid_body() {
    let body = json!({
        "name": "Equipe", "kind": "open", "score": 1, "parent": null, "tags": ["a"], "born": "2024-02-29",
        "extras": {"anything": {"at": ["all", null]}}, "counts": {"2026-10": 3}, "zone": {"code": "fr"}
    });
    assert_eq!(sent(body), Ok(()));
}

#[test]
fn every_violation_has_a_json_pointer() {
    for (change, reason) in [
        (json!({"name": 3}), "/name: 3 is not a string"),
        (json!({"name": "x"}), "/name: 1 characters, at least 2 are needed"),
        (json!({"name": "12345678901"}), "/name: 11 characters, at most 10 are allowed"),
        (json!({"name": null}), "/name: null is not allowed"),
        (json!({"kind": "ajar"}), "/kind: \"ajar\" is not one of \"open\", \"closed\""),
        (json!({"score": "1"}), "/score: \"1\" is not a number"),
        (json!({"score": 1.5}), "/score: 1.5 is over the maximum 1"),
        (json!({"score": -0.5}), "/score: -0.5 is under the minimum 0"),
        (json!({"tags": "a"}), "/tags: \"a\" is not an array"),
        (json!({"tags": ["a", 2]}), "/tags/1: 2 is not a string"),
        (json!({"tags": ["a", "b", "c"]}), "/tags: 3 items, at most 2 are allowed"),
        (json!({"counts": {"2026-10": 3.5}}), "/counts/2026-10: 3.5 is not an integer"),
        (json!({"extras": []}), "/extras: [] is not an object"),
        (json!({"born": "29/02/2024"}), "/born: \"29/02/2024\" has not the format date"),
        (json!({"id": "5"}), "/id: read-only, must not be sent"),
        (json!({"parent": {"name": "Parent", "id": "5"}}), "/parent/id: read-only, must not be sent"),
        (json!({"parent": {}}), "/parent: `name` is required and missing"),
        (json!({"a/b~c": 1}), "/a~1b~0c: no such property is declared"),
        (json!({"zone": {"kode": "fr"}}), "/zone/kode: no such property is declared"),
        (
            json!({"zone": {}}),
            "/zone: none of the alternatives fits (/zone: {} is not a string; /zone: `code` is required and missing)",
        ),
    ] {
        let mut body = json!({"name": "Equipe", "kind": "open"});
        for (name, value) in change.as_object().expect("an object") {
            body[name] = value.clone();
        }
        assert_eq!(refused(body), reason);
    }
}

#[test]
fn required_properties_depend_on_the_direction() {
    assert_eq!(refused(json!({"name": "Equipe"})), "`kind` is required and missing");
    let bare = json!({"name": "Equipe", "kind": "open"});
    assert_eq!(
        check(Direction::Response, "Team", bare),
        Err("`id` is required and missing".to_owned()),
        "a read-only property is required of responses"
    );
    assert_eq!(check(Direction::Request, "Lighter", json!({"label": "x"})), Ok(()));
    assert_eq!(check(Direction::Request, "Heavier", json!({"label": "x"})), Ok(()), "it stands for all parts");
    assert_eq!(
        check(Direction::Response, "Heavier", json!({"id": "1", "label": "x"})),
        Err("`name` is required and missing".to_owned())
    );
    assert_eq!(
        check(Direction::Request, "Lighter", json!({"id": "1", "name": "x"})),
        Err("`label` is required and missing".to_owned())
    );
}

#[test]
fn responses_may_have_unknown_properties() {
    let body = json!({"id": "1", "name": "Equipe", "kind": "open", "later": true});
    assert_eq!(check(Direction::Response, "Team", body), Ok(()));
}

#[test]
fn one_of_refuses_two_matching_alternatives() {
    let document = Document::new(Api::Main, json!({})).expect("an empty document");
    let schema = json!({"oneOf": [{"type": "integer"}, {"type": "number"}]});
    let checker = Checker::new(&document, Direction::Response);
    assert!(checker.check(&schema, &json!(1.5)).is_ok());
    let mismatch = checker.check(&schema, &json!(1)).expect_err("both fit");
    assert_eq!(mismatch.reason, "2 of the alternatives fit, only one may");
}

#[test]
fn refuses_a_schema_that_refers_only_to_itself() {
    let circle = json!({"components": {"schemas": {"A": {"oneOf": [{"$ref": "#/components/schemas/A"}]}}}});
    let document = Document::new(Api::Main, circle).expect("references lead somewhere");
    let schema = json!({"$ref": "#/components/schemas/A"});
    assert!(Checker::new(&document, Direction::Request).check(&schema, &json!(1)).is_err());
}

#[test]
fn a_reference_without_a_target_is_an_error_with_its_pointer() {
    let error =
        Document::new(Api::Tabular, json!({"paths": {"/a/": {"$ref": "#/components/b"}}})).expect_err("has no target");
    assert_eq!(error.to_string(), "document of tabular, /paths/~1a~1: `#/components/b` has no target");
}

fn made(style: Style, schema: Value) -> Value {
    Maker::new(&document(), style).make(&schema)
}

#[test]
fn an_example_has_every_property_and_ends_at_recursive_schemas() {
    let value = made(Style::Full, json!({"$ref": "#/components/schemas/Team"}));
    assert_eq!(
        value,
        json!({
            "id": "exemple", "name": "exemple", "tags": ["exemple"], "kind": "open", "score": 1.0,
            "extras": {"exemple": "exemple"}, "counts": {"exemple": 1}, "born": "2026-01-15", "zone": "exemple",
            "parent": {"id": "exemple", "name": "exemple", "tags": ["exemple"]}
        })
    );
}

#[test]
fn each_style_has_its_properties_and_values() {
    let team = || json!({"$ref": "#/components/schemas/Team"});
    assert_eq!(made(Style::Minimal, team()), json!({"id": "exemple", "name": "exemple", "kind": "open"}));
    assert_eq!(made(Style::Nulls, team()), json!({"id": "exemple", "name": "exemple", "kind": "open", "parent": null}));
    assert_eq!(made(Style::Empty, team()), json!({}));
    let all = made(Style::AllNull, team());
    assert!(all.as_object().is_some_and(|all| all.len() == 10 && all.values().all(Value::is_null)), "{all}");
    let unknown = made(Style::Unknown, team());
    assert_eq!(unknown["kind"], "value-of-a-later-version");
    assert!(unknown["parent"]["field_of_a_later_version"].is_object());
    assert_eq!(unknown["counts"], json!({"exemple": 1}), "a map of one type gets no value of another");
}

#[test]
fn examples_keep_the_bounds_and_use_valid_examples_of_the_document() {
    for (schema, value) in [
        (json!({"type": "string", "minLength": 10}), json!("exemplexxx")),
        (json!({"type": "string", "maxLength": 3}), json!("exe")),
        (json!({"type": "integer", "minimum": 5}), json!(5)),
        (json!({"type": "integer", "maximum": -5}), json!(-5)),
        (json!({"type": "string", "example": "site"}), json!("site")),
        (json!({"type": "string", "example": 5, "default": "x"}), json!("exemple")),
        (json!({"type": "string", "format": "uuid"}), json!("6f1d8c9e-4b7a-4d52-9a3e-2c5b8e7f1a04")),
        (json!({"enum": [null, "a"], "type": "string", "nullable": true}), json!("a")),
        (json!({"type": "array", "minItems": 2, "items": {"type": "boolean"}}), json!([true, true])),
        (json!({}), json!("exemple")),
    ] {
        assert_eq!(made(Style::Full, schema.clone()), value, "{schema}");
    }
}
