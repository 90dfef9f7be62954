//! A document and an overlay that was written for another one.

use datagouv_specs::Api;
use serde_json::{Value, json};
use xtask::diff::rust::{Axis, Crate, axis};
use xtask::overlays::SourceOverlay;

use crate::{things, told, with};

/// What is found between two documents with an overlay that was written for the second.
fn between(name: &str, old: &Value, new: &Value, actions: &str) -> Axis {
    let folder = std::env::temp_dir().join(format!("datagouv-overlay-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let overlay = format!("overlay: 1.0.0\ninfo: {{title: Test, version: 1.0.0}}\nactions:\n{actions}");
    std::fs::write(folder.join("overlay.yaml"), overlay).unwrap();
    let written = SourceOverlay::read(&folder).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let of = |document: &Value| Crate::of(Api::Main, document, None, &written).unwrap();
    axis(Api::Main, ("old", of(old)), ("new", of(new)))
}

fn action(target: &str, change: &str) -> String {
    format!("- {{target: \"{target}\", description: Seen., {change}}}\n")
}

#[test]
fn corrections_of_both_documents_are_no_change() {
    let actions = action("$.components.schemas.Thing.properties.owner", "update: {nullable: true}");
    let new = with(|document| document["info"]["version"] = json!("2"));
    assert_eq!(told(&between("both", &things(), &new, &actions)), [""; 0]);
}

#[test]
fn a_correction_of_what_is_new_is_skipped_in_the_old_document_and_noted() {
    let new = with(|document| {
        document["components"]["schemas"]["Thing"]["properties"]["size"] = json!({"type": "integer"});
    });
    // The one name is in both, the other in NEW alone: what can be corrected is.
    let actions = action("$.components.schemas.Thing.properties['owner','size']", "update: {nullable: true}");
    let axis = between("new", &things(), &new, &actions);
    assert_eq!(axis.notes, ["old: 1 of the overlay's corrections do not apply"]);
    let ids: Vec<&str> = axis.changes.iter().map(|change| change.item.rsplit("types::").next().unwrap()).collect();
    assert_eq!(ids, ["Thing::size", "ThingInput::size"]);
}

#[test]
fn an_inconsistency_after_a_skipped_correction_is_repaired() {
    let new = with(|document| {
        let schemas = &mut document["components"]["schemas"];
        schemas["Thing"]["properties"]["size"] = json!({"type": "integer"});
        schemas["Team"] = json!({"type": "object", "properties": {"size": {"type": "integer"}}});
    });
    // Requires a property that OLD has not, and refers to a schema that OLD has not.
    let actions = [
        action("$.components.schemas.Thing.required", "remove: true"),
        action("$.components.schemas.Thing", "update: {required: [title, size]}"),
        action("$.components.schemas.Team.properties.size", "update: {type: number}"),
        action("$.components.schemas.Thing.properties", "update: {team: {$ref: '#/components/schemas/Team'}}"),
    ]
    .concat();
    let axis = between("mended", &things(), &new, &actions);
    assert_eq!(axis.notes, ["old: 1 of the overlay's corrections do not apply"]);
    let ids: Vec<&str> = axis.changes.iter().map(|change| change.id).collect();
    assert!(ids.contains(&"rust-field-added") && ids.contains(&"rust-type-added"), "{ids:?}");
}

#[test]
fn a_document_that_cannot_be_repaired_is_compared_as_it_was() {
    // The overlay gives the deletion a response, which would be a second one in OLD.
    let old = with(|document| {
        let response = json!({"description": "", "content": {"application/json": {"schema": {"type": "integer"}}}});
        document["paths"]["/things/{thing}/"]["delete"]["responses"] = json!({"200": response});
    });
    let actions = [
        action("$.paths['/things/{thing}/'].delete.responses['204']", "update: {description: Gone.}"),
        action(
            "$.paths['/things/{thing}/'].delete.responses",
            "update: {'204': {content: {application/json: {schema: {type: string}}}}}",
        ),
    ]
    .concat();
    let axis = between("taken", &old, &things(), &actions);
    assert!(axis.notes.iter().any(|note| note.contains("is taken without corrections")), "{:?}", axis.notes);
    let response = axis.changes.iter().find(|change| change.id == "rust-response-changed").unwrap();
    assert_eq!((response.old.as_deref(), response.new.as_deref()), (Some("i64"), Some("String")));
}

#[test]
fn a_schema_before_its_division_is_corrected_as_its_parts() {
    let divided: Value = serde_json::from_str(
        &things().to_string().replace("\"Owner\"", "\"Owner_read\"").replace("schemas/Owner", "schemas/Owner_read"),
    )
    .unwrap();
    let actions = action("$.components.schemas.Owner_read", "update: {required: [name]}");
    let axis = between("divided", &things(), &divided, &actions);
    // Without that, `name` of OLD would have been an `Option`.
    let of_name: Vec<&str> =
        axis.changes.iter().filter(|change| change.item.ends_with("::Owner::name")).map(|change| change.id).collect();
    assert_eq!(of_name, [""; 0], "{:?}", axis.changes);
}

#[test]
fn schemas_that_extend_themselves_terminate() {
    let looped = with(|document| {
        let schemas = document["components"]["schemas"].as_object_mut().unwrap();
        let parents = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        schemas.insert("One".to_owned(), json!({"allOf": [parents("Two"), parents("Two")], "required": ["a"]}));
        schemas.insert("Two".to_owned(), json!({"allOf": [parents("One"), parents("One")]}));
    });
    // Something that does not apply, so that what is left is mended.
    let actions = action("$.components.schemas.Absent", "update: {nullable: true}");
    let axis = between("looped", &looped, &looped, &actions);
    assert!(axis.changes.is_empty(), "{:?}", axis.changes);
}
