//! Structures, inputs, enumerations and unions.

use datagouv_specs::Api;
use serde_json::{Value, json};
use xtask::diff::change::{Origin, Release};

use crate::{between, found, found_back, things, told, with};

/// The small API with another property of `Thing`.
fn property(name: &str, schema: Value) -> Value {
    with(|document| document["components"]["schemas"]["Thing"]["properties"][name] = schema)
}

#[test]
fn an_added_field_breaks_nothing() {
    let new = property("size", json!({"type": "integer"}));
    // It comes back and goes in.
    assert_eq!(found(&new), ["field-added Thing::size", "field-added ThingInput::size"]);
    assert_eq!(found_back(&new), ["field-removed Thing::size", "field-removed ThingInput::size"]);
    assert_eq!(between(Api::Main, &things(), &new).release(), Release::Minor);
    assert_eq!(between(Api::Main, &new, &things()).release(), Release::Major);
}

#[test]
fn a_field_leads_back_to_its_property() {
    let new = property("fileSize", json!({"type": "integer"}));
    let axis = between(Api::Main, &things(), &new);
    let origin = Origin::Schema { name: "Thing".to_owned(), property: Some("fileSize".to_owned()) };
    assert_eq!(axis.changes[0].item, "datagouv::main::types::Thing::file_size");
    assert!(axis.changes.iter().all(|change| change.origin.as_ref() == Some(&origin)), "{:?}", axis.changes);
}

#[test]
fn the_type_of_a_field_counts() {
    let new = property("title", json!({"type": "integer"}));
    let expected = [
        "field-type-changed Thing::title",
        "field-type-changed ThingInput::title",
        "constructor-changed ThingInput::new",
    ];
    assert_eq!(found(&new), expected);
    let new = property("owner", json!({"type": "array", "items": {"$ref": "#/components/schemas/Owner"}}));
    assert_eq!(found(&new), ["field-type-changed Thing::owner", "field-type-changed ThingInput::owner"]);
    // An address is a text, whatever kind of text.
    assert_eq!(found(&property("title", json!({"type": "string", "format": "uri", "maxLength": 9}))), [""; 0]);
}

#[test]
fn a_field_that_is_no_longer_required_becomes_an_option() {
    let new = with(|document| document["components"]["schemas"]["Thing"]["required"] = json!(["title", "kind"]));
    let expected = [
        "field-option-changed Thing::kind",
        "field-option-changed ThingInput::kind",
        "constructor-changed ThingInput::new",
    ];
    assert_eq!(found(&new), expected);
    assert_eq!(found_back(&new), expected);
    let axis = between(Api::Main, &new, &things());
    assert_eq!((axis.changes[0].old.as_deref(), axis.changes[0].new.as_deref()), (Some("Kind"), Some("Option<Kind>")));
}

#[test]
fn a_nullable_property_changes_only_input_types() {
    let new = property("kind", json!({"type": "string", "enum": ["big", "small"], "nullable": true}));
    let axis = between(Api::Main, &things(), &new);
    assert_eq!(told(&axis), ["field-option-changed ThingInput::kind"]);
    assert_eq!(axis.changes[0].new.as_deref(), Some("Field<Kind>"));
}

#[test]
fn an_added_requirement_is_an_added_constructor_argument() {
    let new = with(|document| {
        document["components"]["schemas"]["Thing"]["x-required-in-requests"] = json!(["title", "owner"]);
    });
    let axis = between(Api::Main, &things(), &new);
    assert_eq!(told(&axis), ["field-option-changed ThingInput::owner", "constructor-changed ThingInput::new"]);
    let constructor = &axis.changes[1];
    assert_eq!(constructor.old.as_deref(), Some("title: impl Into<String>"));
    assert_eq!(constructor.new.as_deref(), Some("title: impl Into<String>, owner: impl Into<OwnerInput>"));
}

#[test]
fn a_lost_default_or_conversion_of_an_input_is_reported() {
    let owner = |required: Value| {
        with(|document| {
            document["components"]["schemas"]["Owner"]["x-required-in-requests"] = required;
        })
    };
    let (none, name) = (owner(json!([])), owner(json!(["name"])));
    let told = told(&between(Api::Main, &none, &name));
    assert!(told.contains(&"trait-removed OwnerInput".to_owned()), "{told:?}");
    assert!(told.contains(&"constructor-changed OwnerInput::new".to_owned()), "{told:?}");
    let back = crate::told(&between(Api::Main, &name, &none));
    assert!(back.contains(&"item-added OwnerInput".to_owned()), "{back:?}");
}

#[test]
fn added_enum_values_break_nothing_and_removed_ones_do() {
    let new = property("kind", json!({"type": "string", "enum": ["big", "small", "huge"]}));
    assert_eq!(found(&new), ["variant-added Kind::Huge"]);
    assert_eq!(found_back(&new), ["variant-removed Kind::Huge"]);
    assert_eq!(between(Api::Main, &things(), &new).release(), Release::Minor);
    // The order of the values is nothing.
    assert_eq!(found(&property("kind", json!({"type": "string", "enum": ["small", "big"]}))), [""; 0]);
}

#[test]
fn a_variant_of_the_same_name_can_stand_for_another_text() {
    let new = property("kind", json!({"type": "string", "enum": ["BIG", "small"]}));
    let axis = between(Api::Main, &things(), &new);
    assert_eq!(told(&axis), ["variant-changed Kind::Big"]);
    assert_eq!((axis.changes[0].old.as_deref(), axis.changes[0].new.as_deref()), (Some("big"), Some("BIG")));
}

#[test]
fn a_schema_with_another_name_is_a_type_with_another_name_and_nothing_else() {
    let new: Value = serde_json::from_str(&things().to_string().replace("Owner", "Person")).unwrap();
    assert_eq!(found(&new), ["type-renamed Person", "type-renamed PersonInput"]);
    // Renamed and changed: each is reported.
    let mut more = new.clone();
    more["components"]["schemas"]["Person"]["properties"]["email"] = json!({"type": "string"});
    let expected = [
        "type-renamed Person",
        "field-added Person::email",
        "type-renamed PersonInput",
        "field-added PersonInput::email",
    ];
    assert_eq!(found(&more), expected);
}

#[test]
fn a_type_that_another_takes_the_place_of_is_not_renamed_when_both_are_there() {
    let new = with(|document| {
        document["components"]["schemas"]["Team"] =
            json!({"type": "object", "properties": {"size": {"type": "integer"}}});
        document["components"]["schemas"]["Thing"]["properties"]["team"] = json!({"$ref": "#/components/schemas/Team"});
    });
    let replaced = with(|document| {
        document["components"]["schemas"]["Team"] = new["components"]["schemas"]["Team"].clone();
        document["components"]["schemas"]["Thing"]["properties"]["team"] = json!({"$ref": "#/components/schemas/Team"});
        document["components"]["schemas"]["Thing"]["properties"]["owner"] =
            json!({"$ref": "#/components/schemas/Team"});
    });
    let told = told(&between(Api::Main, &new, &replaced));
    let expected = [
        "type-removed Owner",
        "type-removed OwnerInput",
        "field-type-changed Thing::owner",
        "field-type-changed ThingInput::owner",
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_object_that_becomes_one_of_several_is_another_kind_of_type() {
    let new = with(|document| {
        document["components"]["schemas"]["Owner"] =
            json!({"oneOf": [{"type": "string"}, {"type": "object", "properties": {"name": {"type": "string"}}}]});
    });
    let told = found(&new);
    assert!(told.contains(&"type-kind-changed Owner".to_owned()), "{told:?}");
    // The union's own variants.
    let third = with(|document| {
        document["components"]["schemas"]["Owner"] = json!({"oneOf": [
            {"type": "string"},
            {"type": "integer"},
            {"type": "object", "properties": {"name": {"type": "string"}}},
        ]});
    });
    let told = crate::told(&between(Api::Main, &new, &third));
    assert!(told.contains(&"variant-added Owner::Integer".to_owned()), "{told:?}");
    let back = crate::told(&between(Api::Main, &third, &new));
    assert!(back.contains(&"variant-removed Owner::Integer".to_owned()), "{back:?}");
}

#[test]
fn a_schema_written_out_where_it_is_used_keeps_its_fields_under_another_name() {
    // Only where it comes back: what goes in is shaped twice, for what creates and what changes.
    let responses = |document: &mut Value| {
        document["paths"]["/things/"].as_object_mut().unwrap().remove("post");
    };
    let old = with(responses);
    let new = with(|document| {
        responses(document);
        let owner = document["components"]["schemas"]["Owner"].clone();
        document["components"]["schemas"]["Thing"]["properties"]["owner"] = owner;
        document["components"]["schemas"].as_object_mut().unwrap().remove("Owner");
    });
    assert_eq!(told(&between(Api::Main, &old, &new)), ["type-renamed ThingOwner"]);
}
