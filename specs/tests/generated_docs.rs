//! The docs of generated code.

use std::collections::BTreeSet;

use datagouv_specs::shape::{Shaped, shape};
use datagouv_specs::{Api, corrected, generate};
use serde_json::{Value, json};

fn generated(paths: Value, schemas: Value) -> String {
    let info = json!({"title": "test", "version": "1"});
    let document = json!({"openapi": "3.0.3", "info": info, "paths": paths, "components": {"schemas": schemas}});
    generate::generate(&shape(Api::Main, &document).unwrap()).unwrap()
}

/// The last doc comment before an item, as it is written in the source.
fn docs_of<'s>(source: &'s str, item: &str) -> &'s str {
    let before = source.split_once(item).unwrap_or_else(|| panic!("no `{item}`")).0;
    let text = before.rsplit_once("# [doc = \"").unwrap_or_else(|| panic!("`{item}` has no docs")).1;
    text.split_once("\"]").unwrap().0
}

/// The docs of the method that sets the only parameter of an operation.
fn setter(parameter: Value) -> String {
    let paths =
        json!({"/things/": {"get": {"operationId": "list_things", "parameters": [parameter], "responses": {}}}});
    let source = generated(paths, json!({}));
    docs_of(&source, "pub fn given <").to_owned()
}

fn query(schema: Value) -> Value {
    json!({"in": "query", "name": "given", "description": "How many", "schema": schema})
}

fn json_of(schema: Value) -> Value {
    json!({"description": "", "content": {"application/json": {"schema": schema}}})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

#[test]
fn a_setter_has_the_description_of_its_parameter_and_its_default() {
    assert_eq!(setter(query(json!({"type": "integer", "default": 20}))), "How many. Default: `20`.");
    assert_eq!(setter(query(json!({"type": "string", "default": "-created"}))), "How many. Default: `-created`.");
    assert_eq!(setter(query(json!({"type": "boolean", "default": false}))), "How many. Default: `false`.");
    assert_eq!(setter(query(json!({"type": "string", "default": null}))), "How many.");
}

#[test]
fn a_setter_says_whether_its_parameter_is_required() {
    let parameter = json!({"in": "query", "name": "given", "required": true, "description": "Un état.", "schema": {"type": "string"}});
    assert_eq!(setter(parameter), "Un état. Required.");
}

#[test]
fn a_setter_has_the_values_of_an_enum_in_the_order_of_the_document() {
    let values = json!({"type": "string", "enum": ["title", "-title", null]});
    assert_eq!(setter(query(values.clone())), "How many. One of `title`, `-title`.");
    let list = setter(query(json!({"type": "array", "items": values})));
    assert_eq!(list, "How many. Any of `title`, `-title`. Can have several values.");
}

#[test]
fn a_setter_has_the_bounds_of_its_values() {
    let bounds = json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true, "maximum": 50});
    assert_eq!(setter(query(bounds)), "How many. More than 0. At most 50.");
    let text = json!({"type": "string", "format": "uuid", "minLength": 2, "pattern": "^a"});
    assert_eq!(setter(query(text)), "How many. At least 2 characters. Matches `^a`. Format: `uuid`.");
}

#[test]
fn a_setter_of_a_parameter_without_a_description_names_it() {
    let parameter = json!({"in": "header", "name": "Given", "schema": {"type": "string"}});
    assert_eq!(setter(parameter), "The header parameter `Given`.");
    let described = json!({"in": "header", "name": "Given", "description": "A mask", "schema": {"type": "string"}});
    assert_eq!(setter(described), "A mask. Sent as the header parameter `Given`.");
}

#[test]
fn markup_that_a_description_does_not_mean_stays_text() {
    let described =
        |text: &str| setter(json!({"in": "query", "name": "given", "description": text, "schema": {"type": "string"}}));
    assert_eq!(described("A <title> [beta]."), r"A \\<title> \\[beta].");
    assert_eq!(described("`a<b>[c]` and [text](https://a.fr)."), "`a<b>[c]` and [text](https://a.fr).");
    assert_eq!(described("See https://a.fr/b."), "See <https://a.fr/b>.");
}

#[test]
fn the_example_of_an_operation_has_what_is_required_and_nothing_else() {
    let thing = json!({"type": "object", "required": ["description", "name"], "properties": {
        "description": {"type": "string"}, "name": {"type": "string"}, "note": {"type": "string"}
    }});
    let text = json!({"type": "string"});
    let parameters = json!([
        {"in": "query", "name": "q", "schema": text}, {"in": "query", "name": "state", "required": true, "schema": text},
        {"in": "path", "name": "id", "required": true, "schema": text}
    ]);
    let body = json!({"content": {"application/json": {"schema": reference("Thing")}}});
    let paths = json!({
        "/things/": {"get": {"operationId": "list_things", "summary": "List.", "responses": {}}},
        "/things/{id}/": {"put": {"operationId": "put_thing", "parameters": parameters, "requestBody": body, "responses": {}}}
    });
    let source = generated(paths, json!({"Thing": thing}));
    let list = r"List\n\n`GET /things/`\n\n```text\nclient.main().list_things().send().await?\n```";
    assert_eq!(docs_of(&source, "pub fn list_things"), list);
    let put = r"`PUT /things/{id}/`\n\n```text\nclient.main().put_thing()\n    .state(state)\n    .id(id)\n    .body(types::Thing::new(name, description))\n    .send()\n    .await?\n```";
    assert_eq!(docs_of(&source, "pub fn put_thing"), put);
}

#[test]
fn a_type_names_the_operations_that_return_it_and_take_it() {
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let operation = |id: &str| json!({"operationId": id, "requestBody": json_of(reference("Thing")), "responses": {"200": json_of(reference("Thing"))}});
    let schemas = json!({"Thing": object(json!({"owner": reference("Owner")})), "Owner": object(json!({"id": {}}))});
    let paths = json!({"/a/": {"post": operation("create_thing")}});
    let source = generated(paths, schemas.clone());
    let link = "[`create_thing`](super::Client::create_thing)";
    let docs = |name: &str| docs_of(&source, &format!("pub struct {name} {{"));
    assert_eq!(docs("Thing"), format!("Returned by {link}."));
    assert_eq!(docs("ThingInput"), format!("Taken by {link}."));
    assert_eq!(docs("Owner"), format!("In responses of {link}."));
    assert_eq!(docs("OwnerInput"), format!("In requests of {link}."));

    // Too many to link all: the first are, and what is inside of them names what it is part of.
    let paths: serde_json::Map<String, Value> =
        (1..=7).map(|at| (format!("/{at}/"), json!({"post": operation(&format!("create_{at}"))}))).collect();
    let source = generated(Value::Object(paths), schemas);
    let docs = |name: &str| docs_of(&source, &format!("pub struct {name} {{"));
    assert_eq!(docs("Thing").matches("](super::Client::create_").count(), 4, "{}", docs("Thing"));
    assert!(docs("Thing").ends_with(" and 3 others."), "{}", docs("Thing"));
    assert_eq!(docs("Owner"), "Part of [`Thing`].");
    assert_eq!(docs("OwnerInput"), "Part of [`ThingInput`].");
}

/// What follows a text wherever it stands, up to the end that is given.
fn all<'s>(source: &'s str, start: &str, end: char) -> BTreeSet<&'s str> {
    source.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

#[test]
fn links_to_operations_and_types_resolve_in_every_part_of_an_api() {
    let check = |shaped: &Shaped| {
        let source = generate::generate(shaped).unwrap();
        let operations: BTreeSet<&str> = shaped.operations.iter().map(|operation| operation.name.as_str()).collect();
        let linked = all(&source, "](super::Client::", ')');
        assert_eq!(linked.difference(&operations).next(), None);
        assert_eq!(linked, operations, "every operation is linked at least by its builder");
        let parts: Vec<&str> = all(&source, "Part of ", '.').into_iter().collect();
        for name in parts.iter().flat_map(|text| text.split("[`").skip(1)).filter_map(|rest| rest.split('`').next()) {
            assert!(shaped.types.contains_key(name), "{name}");
        }
    };
    for api in Api::ALL {
        let shaped = shape(api, &corrected(api).unwrap()).unwrap();
        check(&shaped);
        if api == Api::Main {
            let mut datasets = shaped;
            datasets.retain_tags(|tag| tag == Some("datasets"));
            check(&datasets);
        }
    }
}
