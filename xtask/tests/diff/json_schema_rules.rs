//! The rules of keywords that OpenAPI 3.0 does not have, and of extensions of schemas.

use serde_json::{Value, json};

use super::documents::{both_ways, rules};
use super::schema_rules::{Case, case};

/// A schema of a type with more members.
fn of(kind: &str, members: Value) -> Value {
    let mut schema = json!({"type": kind});
    super::documents::patch(&mut schema, &members);
    schema
}

/// A case of what is there or not.
fn there(rules: [&'static str; 2], plain: Value, with: Value) -> Vec<Case> {
    let wrapped = json!({"allOf": [with], "title": "the same"});
    vec![
        case(rules[0], [plain.clone(), with.clone()], [with.clone(), wrapped.clone()]),
        case(rules[1], [with.clone(), plain], [wrapped, with]),
    ]
}

pub fn cases() -> Vec<Case> {
    let text = json!({"type": "string"});
    let (object, list) = (json!({"type": "object"}), json!({"type": "array"}));
    let needs = |name: &str| json!({"required": [name]});
    let mut cases = Vec::new();
    cases.extend(there(
        ["pattern-property-added", "pattern-property-removed"],
        object.clone(),
        of("object", json!({"patternProperties": {"^x": text}})),
    ));
    cases.extend(there(
        ["prefix-item-added", "prefix-item-removed"],
        list.clone(),
        of("array", json!({"prefixItems": [text]})),
    ));
    cases.extend(there(
        ["items-closed", "items-opened"],
        of("array", json!({"prefixItems": [text]})),
        of("array", json!({"prefixItems": [text], "items": false})),
    ));
    cases.extend(there(["contains-added", "contains-removed"], list.clone(), of("array", json!({"contains": text}))));
    cases.push(case(
        "contains-changed",
        [of("array", json!({"contains": text})), of("array", json!({"contains": {"type": "integer"}}))],
        [of("array", json!({"contains": text})), of("array", json!({"contains": {"allOf": [text]}}))],
    ));
    let contains = |members: Value| {
        let mut schema = of("array", json!({"contains": text}));
        super::documents::patch(&mut schema, &members);
        schema
    };
    let least = |count: u32| contains(json!({"minContains": count}));
    // One at least is what goes without saying.
    cases.push(case("min-contains-raised", [least(1), least(2)], [contains(json!({})), least(1)]));
    cases.push(case("min-contains-lowered", [contains(json!({})), least(0)], [least(1), contains(json!({}))]));
    let most = |count: u32| contains(json!({"maxContains": count}));
    cases.extend(there(["max-contains-added", "max-contains-removed"], contains(json!({})), most(3)));
    cases.push(case("max-contains-raised", [most(3), most(4)], [most(3), contains(json!({"maxContains": 3.0}))]));
    cases.push(case("max-contains-lowered", [most(4), most(3)], [most(4), most(4)]));
    cases.extend(there(
        ["property-names-added", "property-names-removed"],
        object.clone(),
        of("object", json!({"propertyNames": {"maxLength": 3}})),
    ));
    cases.push(case(
        "property-names-changed",
        [3, 4].map(|length| of("object", json!({"propertyNames": {"maxLength": length}}))),
        [of("object", json!({"propertyNames": true})), of("object", json!({"propertyNames": {}}))],
    ));
    cases.extend(there(
        ["condition-added", "condition-removed"],
        object.clone(),
        of("object", json!({"if": needs("a"), "then": needs("b")})),
    ));
    cases.push(case(
        "condition-changed",
        ["b", "c"].map(|name| of("object", json!({"dependentSchemas": {"a": needs(name)}}))),
        // Without a consequence it decides nothing.
        [object.clone(), of("object", json!({"if": needs("a")}))],
    ));
    cases.extend(there(
        ["dependent-required-added", "dependent-required-removed"],
        of("object", json!({"dependentRequired": {"a": ["b"]}})),
        of("object", json!({"dependentRequired": {"a": ["b", "c"]}})),
    ));
    cases.push(case(
        "content-encoding-changed",
        ["base32", "base64url"].map(|name| of("string", json!({"contentEncoding": name}))),
        // 3.0 has a format for this one.
        [of("string", json!({"contentEncoding": "base64"})), of("string", json!({"format": "byte"}))],
    ));
    cases.push(case(
        "content-media-type-changed",
        ["image/png", "image/gif"].map(|name| of("string", json!({"contentMediaType": name}))),
        [
            of("string", json!({"contentMediaType": "application/octet-stream"})),
            of("string", json!({"format": "binary"})),
        ],
    ));
    let sunset = |date: &str| of("string", json!({"x-sunset": date}));
    let (sooner, later) = (sunset("2027-01-31"), sunset("2027-02-01"));
    cases.extend(there(["sunset-added", "sunset-removed"], text.clone(), sooner.clone()));
    cases.push(case("sunset-earlier", [later.clone(), sooner.clone()], [later.clone(), later.clone()]));
    cases.push(case("sunset-later", [sooner, later.clone()], [later.clone(), later]));
    let level = |name: &str| of("string", json!({"x-stability-level": name}));
    cases.push(case("less-stable", [text.clone(), level("beta")], [text.clone(), level("stable")]));
    cases.push(case("more-stable", [level("alpha"), level("beta")], [level("stable"), text.clone()]));
    let extensible = |values: Value| of("string", json!({"x-extensible-enum": values}));
    cases.push(case(
        "extensible-enum-value-added",
        [extensible(json!(["a"])), extensible(json!(["a", "b"]))],
        // A list that is new leaves all values allowed.
        [text.clone(), extensible(json!(["a", "b"]))],
    ));
    cases.push(case(
        "extensible-enum-value-removed",
        [extensible(json!(["a", "b"])), extensible(json!(["a"]))],
        [extensible(json!(["a", "b"])), extensible(json!(["b", "a"]))],
    ));
    cases
}

/// A document of a version in which one schema goes both ways.
pub fn in_version(version: &str, schema: &Value, others: &Value) -> Value {
    let mut document = both_ways(schema, others);
    document["openapi"] = version.into();
    document
}

#[test]
fn what_a_keyword_holds_is_compared_too() {
    let found =
        |old: Value, new: Value| rules(&in_version("3.1.0", &old, &json!({})), &in_version("3.1.0", &new, &json!({})));
    let changed = ["request-type-changed", "response-type-changed"];
    for around in [
        |kind: &str| json!({"patternProperties": {"^x": {"type": kind}}}),
        |kind: &str| json!({"prefixItems": [{"type": kind}]}),
        |kind: &str| json!({"$defs": {"A": {"type": kind}}, "$ref": "#/components/schemas/Thing/$defs/A"}),
        |kind: &str| json!({"$defs": {"A": {"$anchor": "a", "type": kind}}, "properties": {"a": {"$ref": "#a", "title": "A"}}}),
    ] {
        assert_eq!(found(around("string"), around("integer")), changed);
    }
    let closed =
        |unevaluated: bool| json!({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": unevaluated});
    assert_eq!(
        found(closed(true), closed(false)),
        ["request-additional-properties-closed", "response-additional-properties-closed"]
    );
}

#[test]
fn what_is_announced_of_a_property_and_is_none_is_told() {
    let of = |member: Value| in_version("3.0.3", &of("string", member), &json!({}));
    assert_eq!(rules(&of(json!({})), &of(json!({"x-sunset": "soon"}))), ["sunset-invalid"; 2]);
    assert_eq!(rules(&of(json!({})), &of(json!({"x-stability-level": 1}))), ["stability-invalid"; 2]);
    // A date that was none announced nothing.
    let date = of(json!({"x-sunset": "2027-01-01"}));
    assert_eq!(rules(&of(json!({"x-sunset": "soon"})), &date), ["request-sunset-added", "response-sunset-added"]);
}

#[test]
fn an_enum_is_the_same_without_its_type_and_as_a_union_of_its_values() {
    let of = |schema: Value| in_version("3.0.3", &schema, &json!({}));
    let typed = of(json!({"type": "string", "enum": ["a", "b"]}));
    let listed = |names: &[&str]| -> Value {
        let one = |name: &&str| json!({"type": "string", "enum": [name], "description": name});
        of(json!({"oneOf": names.iter().map(one).collect::<Vec<_>>()}))
    };
    assert_eq!(rules(&of(json!({"enum": ["a", "b"]})), &typed), [""; 0]);
    assert_eq!(rules(&typed, &listed(&["b", "a"])), [""; 0]);
    assert_eq!(rules(&listed(&["a", "b"]), &typed), [""; 0]);
    assert_eq!(rules(&typed, &listed(&["a"])), ["request-enum-value-removed", "response-enum-value-removed"]);
    // Null is among them where it is listed.
    let nullable = of(json!({"type": "string", "nullable": true, "enum": ["a", null]}));
    assert_eq!(rules(&of(json!({"enum": ["a", null]})), &nullable), [""; 0]);
}

#[test]
fn one_value_by_const_and_by_enum_are_the_same() {
    let of = |version: &str, schema: Value| in_version(version, &schema, &json!({}));
    let one = of("3.1.0", json!({"type": "string", "const": "a"}));
    let same = of("3.0.3", json!({"type": "string", "enum": ["a"]}));
    let two = of("3.0.3", json!({"type": "string", "enum": ["a", "b"]}));
    assert_eq!(rules(&one, &same), [""; 0]);
    assert_eq!(rules(&same, &one), [""; 0]);
    assert_eq!(rules(&one, &two), ["request-enum-value-added", "response-enum-value-added"]);
    assert_eq!(rules(&two, &one), ["request-enum-value-removed", "response-enum-value-removed"]);
}

#[test]
fn null_in_a_union_is_the_same_among_the_types_and_as_a_variant() {
    let of = |schema: Value| in_version("3.1.0", &schema, &json!({}));
    let types = |names: &[&str]| of(json!({"type": names}));
    let union = |names: &[&str]| -> Value {
        of(json!({"anyOf": names.iter().map(|name| json!({"type": name})).collect::<Vec<_>>()}))
    };
    let names = ["string", "number", "null"];
    assert_eq!(rules(&types(&names), &union(&names)), [""; 0]);
    assert_eq!(rules(&union(&names), &types(&names)), [""; 0]);
    // That null comes and goes is still found, whichever way the document says it.
    for old in [types(&names), union(&names)] {
        for new in [types(&["string", "number"]), union(&["string", "number"])] {
            assert!(rules(&old, &new).contains(&"request-no-longer-nullable"), "{old} {new}");
            assert!(rules(&new, &old).contains(&"response-became-nullable"), "{new} {old}");
        }
    }
    // A union of one variant that is left allows null by itself.
    let nullable = |schema: Value| of(json!({"anyOf": [schema, {"type": "null"}]}));
    assert_eq!(rules(&nullable(json!({"type": "string"})), &types(&["string", "null"])), [""; 0]);
}
