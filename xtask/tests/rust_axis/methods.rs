//! Methods, and what their builders take.

use datagouv_specs::Api;
use serde_json::json;
use xtask::diff::change::{Origin, Release};
use xtask::diff::rust::compare;
use xtask::diff::rust::surface::{Method, Operation, Surface};

use crate::{between, found, found_back, things, told, with};

const THING: &str = "/paths/~1things~1{thing}~1";
const LIST: &str = "/paths/~1things~1/get";

#[test]
fn a_document_against_itself_has_no_change() {
    let axis = between(Api::Main, &things(), &things());
    assert_eq!(told(&axis), [""; 0]);
    assert_eq!(axis.release(), Release::Patch);
}

#[test]
fn descriptions_are_no_change() {
    let new = with(|document| {
        document["paths"]["/things/"]["get"]["summary"] = json!("All of them.");
        document["components"]["schemas"]["Thing"]["description"] = json!("A thing.");
        document["components"]["schemas"]["Thing"]["properties"]["title"]["example"] = json!("A title");
        document["info"]["version"] = json!("2");
    });
    assert_eq!(found(&new), [""; 0]);
}

#[test]
fn a_removed_operation_removes_its_method_and_its_types() {
    let new = with(|document| {
        document["paths"]["/things/"].as_object_mut().unwrap().remove("get");
    });
    assert_eq!(found(&new), ["method-removed Client::list_things", "type-removed Sort"]);
    assert_eq!(found_back(&new), ["method-added Client::list_things", "type-added Sort"]);
    assert_eq!(between(Api::Main, &things(), &new).release(), Release::Major);
    assert_eq!(between(Api::Main, &new, &things()).release(), Release::Minor);
}

#[test]
fn another_operation_id_is_another_name_of_the_method() {
    let new =
        with(|document| *document.pointer_mut(&format!("{THING}/get/operationId")).unwrap() = json!("read_thing"));
    let axis = between(Api::Main, &things(), &new);
    assert_eq!(told(&axis), ["method-renamed Client::read_thing"]);
    let change = &axis.changes[0];
    assert_eq!((change.old.as_deref(), change.new.as_deref()), (Some("get_thing"), Some("read_thing")));
    assert_eq!(change.text, "`get_thing` is `read_thing` now.");
    let place = Origin::Operation { method: "GET".to_owned(), path: "/things/{thing}/".to_owned(), parameter: None };
    assert_eq!(change.origin, Some(place));
    // Written otherwise, it is the same name in Rust.
    let new = with(|document| *document.pointer_mut(&format!("{THING}/get/operationId")).unwrap() = json!("getThing"));
    assert_eq!(found(&new), [""; 0]);
}

#[test]
fn a_changed_path_under_the_same_operation_id_breaks_nothing() {
    let new = with(|document| {
        let paths = document["paths"].as_object_mut().unwrap();
        let item = paths.remove("/things/").unwrap();
        paths.insert("/all/things/".to_owned(), item);
    });
    assert_eq!(found(&new), [""; 0]);
}

#[test]
fn a_parameter_of_the_path_with_another_name_is_another_method_of_the_builder() {
    let new = with(|document| {
        let paths = document["paths"].as_object_mut().unwrap();
        let mut item = paths.remove("/things/{thing}/").unwrap();
        item["parameters"][0]["name"] = json!("id");
        paths.insert("/things/{id}/".to_owned(), item);
    });
    assert_eq!(found(&new), ["argument-renamed Client::delete_thing::id", "argument-renamed Client::get_thing::id"]);
}

#[test]
fn an_added_optional_parameter_breaks_nothing() {
    let more = |required: bool| {
        with(|document| {
            let list = document.pointer_mut(&format!("{LIST}/parameters")).unwrap().as_array_mut().unwrap();
            list.push(json!({"in": "query", "name": "q", "required": required, "schema": {"type": "string"}}));
        })
    };
    assert_eq!(found(&more(false)), ["argument-added Client::list_things::q"]);
    assert_eq!(found_back(&more(false)), ["argument-removed Client::list_things::q"]);
    assert_eq!(found(&more(true)), ["argument-required-added Client::list_things::q"]);
    assert_eq!(between(Api::Main, &things(), &more(false)).release(), Release::Minor);
    // It compiles without, and every call fails.
    assert_eq!(between(Api::Main, &things(), &more(true)).release(), Release::Major);
}

#[test]
fn a_parameter_that_becomes_required_fails_calls_without_it() {
    let new = with(|document| {
        *document.pointer_mut(&format!("{LIST}/parameters/0")).unwrap() =
            json!({"in": "query", "name": "page", "required": true, "schema": {"type": "integer"}})
    });
    assert_eq!(found(&new), ["argument-now-required Client::list_things::page"]);
    assert_eq!(found_back(&new), ["argument-now-optional Client::list_things::page"]);
}

#[test]
fn the_type_of_a_parameter_counts_and_its_limits_do_not() {
    let page = |schema: serde_json::Value| {
        with(|document| *document.pointer_mut(&format!("{LIST}/parameters/0/schema")).unwrap() = schema)
    };
    assert_eq!(found(&page(json!({"type": "string"}))), ["argument-type-changed Client::list_things::page"]);
    assert_eq!(found(&page(json!({"type": "integer", "minimum": 1, "default": 1}))), [""; 0]);
    let axis = between(Api::Main, &things(), &page(json!({"type": "array", "items": {"type": "string"}})));
    assert_eq!((axis.changes[0].old.as_deref(), axis.changes[0].new.as_deref()), (Some("i64"), Some("Values")));
}

#[test]
fn a_setter_that_accepts_more_types_breaks_nothing() {
    let sort = |schema: serde_json::Value| {
        with(|document| *document.pointer_mut(&format!("{LIST}/parameters/1/schema")).unwrap() = schema)
    };
    let text = sort(json!({"type": "string"}));
    let list = sort(json!({"type": "array", "items": {"type": "string"}}));
    let told = |old: &serde_json::Value, new: &serde_json::Value| told(&between(Api::Main, old, new));
    assert_eq!(told(&text, &list), ["argument-type-widened Client::list_things::sort"]);
    // `.sort("created")` compiles with an open enumeration too; the reverse does not take its variants.
    assert_eq!(told(&text, &things()), ["argument-type-widened Client::list_things::sort", "type-added Sort"]);
    assert_eq!(told(&things(), &text), ["argument-type-changed Client::list_things::sort", "type-removed Sort"]);
    assert_eq!(told(&list, &text), ["argument-type-changed Client::list_things::sort"]);
    let number = sort(json!({"type": "integer"}));
    assert_eq!(told(&text, &number), ["argument-type-changed Client::list_things::sort"]);
    assert_eq!(told(&number, &list), ["argument-type-changed Client::list_things::sort"]);
}

#[test]
fn an_added_body_is_an_added_argument() {
    let new = with(|document| {
        let body = json!({"content": {"application/json": {"schema": {"type": "string"}}}});
        document.pointer_mut(&format!("{THING}/delete")).unwrap()["requestBody"] = body;
    });
    assert_eq!(found(&new), ["argument-required-added Client::delete_thing::body"]);
    assert_eq!(found_back(&new), ["argument-removed Client::delete_thing::body"]);
}

#[test]
fn a_changed_response_type_is_reported_once() {
    let new = with(|document| {
        let content = json!({"text/csv": {"schema": {"type": "string"}}});
        document.pointer_mut(&format!("{LIST}/responses/200")).unwrap()["content"] = content;
    });
    let axis = between(Api::Main, &things(), &new);
    assert_eq!(told(&axis), ["response-changed Client::list_things"]);
    assert_eq!(axis.changes[0].text, "`list_things` gives `ByteStream`; it gave `Vec<Thing>`.");
}

#[test]
fn a_changed_success_status_breaks_nothing() {
    let new = with(|document| {
        let responses = document.pointer_mut("/paths/~1things~1/post/responses").unwrap().as_object_mut().unwrap();
        let created = responses.remove("200").unwrap();
        responses.insert("201".to_owned(), created);
    });
    assert_eq!(found(&new), [""; 0]);
}

#[test]
fn another_tag_is_another_feature_of_the_catalogue_only() {
    let new =
        with(|document| document.pointer_mut(&format!("{THING}/get")).unwrap()["tags"] = json!(["site", "things"]));
    let axis = between(Api::Main, &things(), &new);
    assert_eq!(told(&axis), ["feature-moved Client::get_thing"]);
    let change = &axis.changes[0];
    assert_eq!((change.old.as_deref(), change.new.as_deref()), (Some("main-things"), Some("main-site")));
    // The other APIs are a feature each; and the second tag is nobody's.
    assert!(between(Api::MainV2, &things(), &new).changes.is_empty());
    let new =
        with(|document| document.pointer_mut(&format!("{THING}/get")).unwrap()["tags"] = json!(["things", "site"]));
    assert_eq!(found(&new), [""; 0]);
}

#[test]
fn items_are_named_by_the_module_of_their_api() {
    let new =
        with(|document| *document.pointer_mut(&format!("{THING}/get/operationId")).unwrap() = json!("read_thing"));
    let axis = between(Api::MainV2, &things(), &new);
    assert_eq!(axis.changes[0].item, "datagouv::main_v2::Client::read_thing");
}

#[test]
fn removed_and_changed_functions_are_reported_and_added_ones_break_nothing() {
    let with_pages = |pages: Option<&str>| {
        let functions = pages.map(|signature| ("pages".to_owned(), signature.to_owned())).into_iter().collect();
        let operation = Operation { method: "GET".to_owned(), path: "/things/".to_owned(), tag: String::new() };
        let method = Method { operation, functions, ..Method::default() };
        Surface { methods: [("list_things".to_owned(), method)].into(), ..Surface::default() }
    };
    let told = |old: Option<&str>, new: Option<&str>| -> Vec<&str> {
        compare(Api::Tabular, &with_pages(old), &with_pages(new)).iter().map(|change| change.id).collect()
    };
    let (one, other) = (Some("(self) -> Pages<Thing>"), Some("(self) -> Pages<String>"));
    assert_eq!(told(one, None), ["rust-function-removed"]);
    assert_eq!(told(one, other), ["rust-function-removed"]);
    assert_eq!(told(None, one), ["rust-item-added"]);
    assert_eq!(told(one, one), [""; 0]);
}
