//! The rules of schemas: each with what triggers it both ways, and what nearly does.

use serde_json::{Value, json};

use super::documents::{both_ways, rules};
use super::json_schema_rules::{self, in_version};

/// The rule without its direction; schemas that trigger it both ways, and schemas that do not.
pub struct Case {
    pub rule: &'static str,
    trigger: (Value, Value),
    miss: (Value, Value),
}

pub fn case(rule: &'static str, trigger: [Value; 2], miss: [Value; 2]) -> Case {
    let [old, new] = trigger;
    let [old_miss, new_miss] = miss;
    Case { rule, trigger: (old, new), miss: (old_miss, new_miss) }
}

/// A schema of a type with one keyword.
fn with(kind: &str, key: &str, value: Value) -> Value {
    json!({"type": kind, key: value})
}

fn plain(kind: &str) -> Value {
    json!({"type": kind})
}

/// The same, said at more length.
fn wrapped(schema: &Value) -> Value {
    json!({"allOf": [schema], "description": "the same"})
}

fn object(properties: Value, required: Value) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

/// The cases of keywords that have a value or not, and where that may be more or less.
fn bounds(kind: &str, key: &str, rule: &'static [&'static str; 4]) -> Vec<Case> {
    let [added, removed, raised, lowered] = *rule;
    let of = |value: u64| with(kind, key, value.into());
    vec![
        case(added, [plain(kind), of(3)], [of(3), wrapped(&of(3))]),
        case(removed, [of(3), plain(kind)], [of(3), json!({"allOf": [plain(kind), of(3)]})]),
        case(raised, [of(3), of(4)], [of(3), with(kind, key, json!(3.0))]),
        case(lowered, [of(3), of(2)], [of(3), with(kind, key, json!(3.0))]),
    ]
}

fn least(kind: &str, key: &str, raised: &'static str, lowered: &'static str) -> Vec<Case> {
    let of = |value: u64| with(kind, key, value.into());
    vec![case(raised, [plain(kind), of(1)], [plain(kind), of(0)]), case(lowered, [of(2), of(1)], [of(0), plain(kind)])]
}

fn properties() -> Vec<Case> {
    let (none, text) = (json!({}), json!({"a": {"type": "string"}}));
    vec![
        case(
            "property-added",
            [object(none.clone(), json!([])), object(text.clone(), json!([]))],
            [object(text.clone(), json!(["a"])), wrapped(&object(text.clone(), json!(["a"])))],
        ),
        case(
            "required-property-added",
            [object(none.clone(), json!([])), object(text.clone(), json!(["a"]))],
            [object(none.clone(), json!(["a"])), wrapped(&object(none.clone(), json!(["a"])))],
        ),
        case(
            "property-removed",
            [object(text.clone(), json!([])), object(none.clone(), json!([]))],
            // The same property, by way of `allOf`.
            [object(text.clone(), json!([])), json!({"allOf": [object(text.clone(), json!([]))]})],
        ),
        case(
            "property-became-required",
            [object(text.clone(), json!([])), object(text.clone(), json!(["a"]))],
            [object(text.clone(), json!(["a"])), object(text.clone(), json!(["a", "a"]))],
        ),
        case(
            "property-became-optional",
            [object(text.clone(), json!(["a"])), object(text.clone(), json!([]))],
            [object(text.clone(), json!(["a"])), json!({"allOf": [object(text, json!([])), {"required": ["a"]}]})],
        ),
    ]
}

fn types() -> Vec<Case> {
    let formatted = |kind: &str, format: &str| json!({"type": kind, "format": format});
    vec![
        case(
            "schema-deprecated",
            [plain("string"), with("string", "deprecated", true.into())],
            [plain("string"), with("string", "deprecated", false.into())],
        ),
        case(
            "schema-no-longer-deprecated",
            [with("string", "deprecated", true.into()), plain("string")],
            [with("string", "deprecated", false.into()), plain("string")],
        ),
        case(
            "type-changed",
            [plain("string"), plain("array")],
            // What has items is a list.
            [with("array", "items", json!({})), json!({"items": {}})],
        ),
        case(
            "type-widened",
            [plain("integer"), plain("number")],
            [plain("number"), json!({"type": ["integer", "number"]})],
        ),
        case(
            "type-narrowed",
            [json!({}), plain("string")],
            [plain("object"), json!({"type": "object", "properties": {}})],
        ),
        case(
            "format-added",
            [plain("string"), formatted("string", "uuid")],
            [formatted("string", "uuid"), json!({"allOf": [plain("string"), formatted("string", "uuid")]})],
        ),
        case(
            "format-removed",
            [formatted("string", "uuid"), plain("string")],
            [formatted("string", "uuid"), json!({"allOf": [formatted("string", "uuid"), plain("string")]})],
        ),
        case(
            "format-changed",
            [formatted("string", "date"), formatted("string", "date-time")],
            [formatted("string", "date"), json!({"type": "string", "format": "date", "title": "date-time"})],
        ),
        case(
            "format-widened",
            [formatted("integer", "int32"), formatted("integer", "int64")],
            [formatted("integer", "int32"), wrapped(&formatted("integer", "int32"))],
        ),
        case(
            "format-narrowed",
            [formatted("number", "double"), formatted("number", "float")],
            [formatted("number", "double"), wrapped(&formatted("number", "double"))],
        ),
        case(
            "became-nullable",
            [plain("string"), with("string", "nullable", true.into())],
            [plain("string"), with("string", "nullable", false.into())],
        ),
        case(
            "no-longer-nullable",
            [with("string", "nullable", true.into()), plain("string")],
            // The way of OpenAPI 3.1, and null as a variant.
            [json!({"type": ["string", "null"]}), json!({"oneOf": [plain("string"), plain("null")]})],
        ),
    ]
}

fn values() -> Vec<Case> {
    let one_of = |values: Value| with("string", "enum", values);
    vec![
        case(
            "enum-added",
            [plain("string"), one_of(json!(["a"]))],
            [one_of(json!(["a"])), json!({"allOf": [one_of(json!(["a"])), one_of(json!(["a", "b"]))]})],
        ),
        case(
            "enum-removed",
            [one_of(json!(["a"])), plain("string")],
            [one_of(json!(["a"])), json!({"allOf": [one_of(json!(["a"])), plain("string")]})],
        ),
        case(
            "enum-value-added",
            [one_of(json!(["a"])), one_of(json!(["a", "b"]))],
            [one_of(json!(["a", "b"])), one_of(json!(["b", "a"]))],
        ),
        case(
            "enum-value-removed",
            [one_of(json!(["a", "b"])), one_of(json!(["a"]))],
            [with("number", "enum", json!([1])), with("number", "enum", json!([1.0]))],
        ),
        case(
            "const-added",
            [plain("string"), with("string", "const", "a".into())],
            [with("string", "const", "a".into()), wrapped(&with("string", "const", "a".into()))],
        ),
        case(
            "const-removed",
            [with("string", "const", "a".into()), plain("string")],
            [with("string", "example", "a".into()), plain("string")],
        ),
        case(
            "const-changed",
            [with("string", "const", "a".into()), with("string", "const", "b".into())],
            [with("number", "const", json!(1)), with("number", "const", json!(1.0))],
        ),
        case(
            "pattern-added",
            [plain("string"), with("string", "pattern", "a".into())],
            [plain("string"), with("string", "example", "a".into())],
        ),
        case(
            "pattern-removed",
            [with("string", "pattern", "a".into()), plain("string")],
            [with("string", "description", "a".into()), plain("string")],
        ),
        case(
            "pattern-changed",
            [with("string", "pattern", "a".into()), with("string", "pattern", "b".into())],
            [with("string", "pattern", "a".into()), json!({"allOf": [with("string", "pattern", "a".into())]})],
        ),
        case(
            "default-added",
            [plain("string"), with("string", "default", "a".into())],
            [plain("string"), with("string", "example", "a".into())],
        ),
        case(
            "default-removed",
            [with("string", "default", "a".into()), plain("string")],
            [with("string", "example", "a".into()), plain("string")],
        ),
        case(
            "default-changed",
            [with("string", "default", "a".into()), with("string", "default", "b".into())],
            [with("number", "default", json!(1)), with("number", "default", json!(1.0))],
        ),
    ]
}

fn numbers() -> Vec<Case> {
    let exclusive = |key: &str, flag: &str| json!({"type": "number", key: 1, flag: true});
    let mut cases =
        bounds("number", "minimum", &["minimum-added", "minimum-removed", "minimum-raised", "minimum-lowered"]);
    cases.extend(bounds(
        "number",
        "maximum",
        &["maximum-added", "maximum-removed", "maximum-raised", "maximum-lowered"],
    ));
    for (key, flag, became, no_longer) in [
        ("minimum", "exclusiveMinimum", "minimum-became-exclusive", "minimum-became-inclusive"),
        ("maximum", "exclusiveMaximum", "maximum-became-exclusive", "maximum-became-inclusive"),
    ] {
        let inclusive = with("number", key, json!(1));
        // OpenAPI 3.1 has the number where 3.0 has a flag; the flag alone says nothing.
        cases.push(case(
            became,
            [inclusive.clone(), exclusive(key, flag)],
            [exclusive(key, flag), with("number", flag, json!(1))],
        ));
        cases.push(case(
            no_longer,
            [exclusive(key, flag), inclusive],
            [with("number", flag, true.into()), plain("number")],
        ));
    }
    let multiple = |value: Value| with("number", "multipleOf", value);
    cases.extend([
        case("multiple-of-added", [plain("number"), multiple(json!(2))], [multiple(json!(2)), multiple(json!(2.0))]),
        case("multiple-of-removed", [multiple(json!(2)), plain("number")], [multiple(json!(2.0)), multiple(json!(2))]),
        case(
            "multiple-of-loosened",
            [multiple(json!(0.3)), multiple(json!(0.1))],
            [multiple(json!(1)), multiple(json!(1.0))],
        ),
        case(
            "multiple-of-tightened",
            [multiple(json!(2)), multiple(json!(6))],
            [multiple(json!(6)), wrapped(&multiple(json!(6)))],
        ),
        case(
            "multiple-of-changed",
            [multiple(json!(2)), multiple(json!(3))],
            [multiple(json!(2)), wrapped(&multiple(json!(2)))],
        ),
    ]);
    cases
}

fn sizes() -> Vec<Case> {
    let mut cases = least("string", "minLength", "min-length-raised", "min-length-lowered");
    cases.extend(least("array", "minItems", "min-items-raised", "min-items-lowered"));
    cases.extend(least("object", "minProperties", "min-properties-raised", "min-properties-lowered"));
    cases.extend(bounds(
        "string",
        "maxLength",
        &["max-length-added", "max-length-removed", "max-length-raised", "max-length-lowered"],
    ));
    cases.extend(bounds(
        "array",
        "maxItems",
        &["max-items-added", "max-items-removed", "max-items-raised", "max-items-lowered"],
    ));
    cases.extend(bounds(
        "object",
        "maxProperties",
        &["max-properties-added", "max-properties-removed", "max-properties-raised", "max-properties-lowered"],
    ));
    cases.push(case(
        "unique-items-added",
        [plain("array"), with("array", "uniqueItems", true.into())],
        [plain("array"), with("array", "uniqueItems", false.into())],
    ));
    cases.push(case(
        "unique-items-removed",
        [with("array", "uniqueItems", true.into()), plain("array")],
        [with("array", "uniqueItems", false.into()), plain("array")],
    ));
    cases
}

fn additional() -> Vec<Case> {
    let others = |value: Value| with("object", "additionalProperties", value);
    vec![
        case(
            "additional-properties-closed",
            [plain("object"), others(false.into())],
            [plain("object"), others(true.into())],
        ),
        case(
            "additional-properties-opened",
            [others(false.into()), plain("object")],
            [others(json!({})), others(true.into())],
        ),
        case(
            "additional-properties-typed",
            [plain("object"), others(plain("string"))],
            [plain("object"), others(json!({}))],
        ),
        case(
            "additional-properties-untyped",
            [others(plain("string")), plain("object")],
            [others(json!({})), plain("object")],
        ),
        case(
            "not-added",
            [plain("string"), with("string", "not", json!({"enum": ["a"]}))],
            [with("string", "x-not", json!({})), plain("string")],
        ),
        case(
            "not-removed",
            [with("string", "not", json!({"enum": ["a"]})), plain("string")],
            [with("string", "x-not", json!({})), plain("string")],
        ),
        case(
            "not-changed",
            [with("string", "not", json!({"enum": ["a"]})), with("string", "not", json!({"enum": ["b"]}))],
            [
                with("string", "not", json!({"enum": ["a", "b"]})),
                with("string", "not", json!({"enum": ["b", "a"], "description": "neither"})),
            ],
        ),
    ]
}

fn unions() -> Vec<Case> {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let one = |names: &[&str]| json!({"oneOf": names.iter().map(|name| reference(name)).collect::<Value>()});
    let apart = |discriminator: Value| {
        let mut schema = one(&["Cat", "Dog"]);
        schema["discriminator"] = discriminator;
        schema
    };
    let mapped = |mapping: Value| apart(json!({"propertyName": "kind", "mapping": mapping}));
    let (cat, dog) = ("#/components/schemas/Cat", "#/components/schemas/Dog");
    let kind = apart(json!({"propertyName": "kind"}));
    vec![
        case("variant-added", [one(&["Cat"]), one(&["Cat", "Dog"])], [one(&["Cat", "Dog"]), one(&["Dog", "Cat"])]),
        case(
            "variant-removed",
            [one(&["Cat", "Dog"]), reference("Cat")],
            // The variants as they are, where there were references.
            [one(&["Cat", "Dog"]), json!({"oneOf": [animals()["Dog"], animals()["Cat"]]})],
        ),
        case("union-added", [plain("string"), one(&["Cat", "Dog"])], [reference("Cat"), one(&["Cat"])]),
        case("union-removed", [one(&["Cat", "Dog"]), plain("string")], [one(&["Cat"]), reference("Cat")]),
        case(
            "union-kind-changed",
            [one(&["Cat", "Dog"]), json!({"anyOf": [reference("Cat"), reference("Dog")]})],
            [one(&["Cat"]), json!({"anyOf": [reference("Cat")]})],
        ),
        case("discriminator-added", [one(&["Cat", "Dog"]), kind.clone()], [kind.clone(), wrapped(&kind)]),
        case("discriminator-removed", [kind.clone(), one(&["Cat", "Dog"])], [kind.clone(), wrapped(&kind)]),
        case(
            "discriminator-changed",
            [kind.clone(), apart(json!({"propertyName": "race"}))],
            [kind.clone(), apart(json!({"propertyName": "kind", "x-note": "race"}))],
        ),
        case(
            "discriminator-mapping-added",
            [kind.clone(), mapped(json!({"c": cat}))],
            // What goes without saying.
            [kind.clone(), mapped(json!({"Cat": cat}))],
        ),
        case(
            "discriminator-mapping-removed",
            [mapped(json!({"c": cat})), kind.clone()],
            [mapped(json!({"Cat": cat})), kind],
        ),
        case(
            "discriminator-mapping-changed",
            [mapped(json!({"c": cat})), mapped(json!({"c": dog}))],
            [mapped(json!({"c": cat})), mapped(json!({"c": "Cat"}))],
        ),
    ]
}

/// What unions are of.
fn animals() -> Value {
    json!({
        "Cat": {"type": "object", "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}},
        "Dog": {"type": "object", "properties": {"kind": {"type": "string"}, "tricks": {"type": "string"}}},
    })
}

pub fn cases() -> Vec<Case> {
    let mut cases = properties();
    for more in [types(), values(), numbers(), sizes(), additional(), unions(), json_schema_rules::cases()] {
        cases.extend(more);
    }
    cases
}

/// Whether OpenAPI 3.0 has no keyword for what a rule is about.
fn needs_31(rule: &str) -> bool {
    rule.starts_with("const-") || json_schema_rules::cases().iter().any(|case| case.rule == rule)
}

#[test]
fn each_rule_is_triggered_both_ways_and_by_nothing_else() {
    for Case { rule, trigger: (old, new), .. } in cases() {
        for version in ["3.0.3", "3.1.0"].into_iter().skip(usize::from(needs_31(rule))) {
            let found = rules(&in_version(version, &old, &animals()), &in_version(version, &new, &animals()));
            assert_eq!(found, [format!("request-{rule}"), format!("response-{rule}")], "{version}: {old} to {new}");
        }
    }
}

#[test]
fn a_variant_keeps_its_place_under_another_name_or_with_a_wider_type() {
    let union = |name: &str, kind: &str| {
        let cat = json!({"type": "object", "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}});
        let mut document = both_ways(
            &json!({
                "oneOf": [{"$ref": format!("#/components/schemas/{name}")}, {"type": kind}],
                "discriminator": {"propertyName": "kind", "mapping": {"c": format!("#/components/schemas/{name}")}},
            }),
            &json!({}),
        );
        document["components"]["schemas"][name] = cat;
        document
    };
    assert_eq!(rules(&union("Cat", "integer"), &union("Felid", "integer")), [""; 0]);
    let wider = ["request-type-widened", "response-type-widened"];
    assert_eq!(rules(&union("Cat", "integer"), &union("Cat", "number")), wider);
}

#[test]
fn what_is_nearly_a_change_is_none() {
    for Case { rule, miss: (old, new), .. } in cases() {
        for version in ["3.0.3", "3.1.0"].into_iter().skip(usize::from(needs_31(rule))) {
            let found = rules(&in_version(version, &old, &animals()), &in_version(version, &new, &animals()));
            assert!(found.is_empty(), "{version}: {rule}: {old} to {new} is {found:?}");
        }
    }
}
