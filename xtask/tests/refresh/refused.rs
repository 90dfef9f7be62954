//! What is refused, with the place named and no file touched.

use datagouv_specs::Api;
use serde_json::{Value, json};

use crate::server::Answer;
use crate::specs::{Specs, path, tabular_and_more, vendored};

/// Refreshes tabular from an answer that must be refused.
fn refused(answer: Answer) -> String {
    refused_within("600", answer)
}

fn refused_within(seconds: &str, answer: Answer) -> String {
    let specs = Specs::new();
    let before = specs.files();
    specs.server.at(path(Api::Tabular), answer);
    let said = specs.refresh(&["tabular", "--timeout", seconds]).failed();
    assert_eq!(specs.files(), before);
    assert!(said.starts_with("tabular, from http://127.0.0.1:"), "{said}");
    assert!(said.ends_with("nothing is written\n"), "{said}");
    said
}

fn refused_document(document: &Value) -> String {
    refused(Answer::Body("application/json", document.to_string().into_bytes()))
}

#[test]
fn what_does_not_come_whole() {
    let body = tabular_and_more().to_string().into_bytes();
    assert!(refused(Answer::Cut(body.clone(), body.len() / 2)).contains("cut"));
    // Short, and the server says nothing of it.
    let half = body.get(..body.len() / 2).unwrap().to_vec();
    assert!(refused(Answer::Body("application/json", half)).contains("not JSON"));
}

#[test]
fn what_is_no_document() {
    let page = b"<!doctype html><title>Maintenance</title>".to_vec();
    assert!(refused(Answer::Body("text/html", page)).contains("web page"));
    assert!(refused(Answer::Body("application/json", b"{\"openapi\": oops}".to_vec())).contains("line 1 column 13"));
    assert!(refused(Answer::Body("application/json", b"null".to_vec())).contains("must be an object"));
    assert!(refused(Answer::Body("application/json", b"[]".to_vec())).contains("must be an object"));
}

#[test]
fn a_status_of_failure() {
    assert!(refused(Answer::Status(404)).contains("answered 404"));
    assert!(refused(Answer::Status(500)).contains("answered 500"));
}

#[test]
fn too_much() {
    assert!(refused(Answer::Huge(33 << 20)).contains("more than 32 MB"));
}

#[test]
fn too_slow() {
    assert!(refused_within("1", Answer::Silence).contains("timeout"));
}

#[test]
fn a_language_that_is_not_read() {
    let mut document = tabular_and_more();
    document["openapi"] = "3.2.0".into();
    let said = refused_document(&document);
    assert!(said.contains("/openapi: OpenAPI 3.2.0 is not known yet"), "{said}");
}

#[test]
fn what_has_no_equal_in_what_the_pipeline_reads() {
    let mut document = tabular_and_more();
    document["openapi"] = "3.1.0".into();
    document["components"]["schemas"]["Health"]["prefixItems"] = json!([{"type": "string"}]);
    let said = refused_document(&document);
    assert!(said.contains("/components/schemas/Health/prefixItems: OpenAPI 3.0 has nothing"), "{said}");
}

#[test]
fn a_document_with_faults_but_for_a_dry_run() {
    let mut document = tabular_and_more();
    document["paths"]["/health/"]["get"]["responses"]["418"] = json!({"$ref": "errors.json#/Unavailable"});
    let said = refused_document(&document);
    assert!(said.contains("/responses/418: `errors.json#/Unavailable` leads out of the document"), "{said}");
    let specs = Specs::new();
    let before = specs.files();
    specs.serve(Api::Tabular, &document);
    let dry = specs.refresh(&["tabular", "--dry-run"]);
    let said = dry.failed();
    assert_eq!(specs.files(), before);
    assert!(dry.report().contains("[response-error-added]"), "{}", dry.report());
    assert!(said.contains("tabular: error: /paths/~1health~1/get/responses/418/$ref: "), "{said}");
    assert!(said.contains("a document with these faults is not vendored"), "{said}");
}

#[test]
fn a_document_of_another_api() {
    let said = refused_document(&vendored(Api::Metrics));
    assert!(said.contains("this is the document of metrics, and not of tabular"), "{said}");
}

#[test]
fn a_reference_that_leads_nowhere() {
    let mut document = tabular_and_more();
    document["components"]["schemas"]["Health"]["properties"]["region"] =
        json!({"$ref": "#/components/schemas/Region"});
    let said = refused_document(&document);
    assert!(said.contains("/components/schemas/Health/properties/region: `#/components/schemas/Region`"), "{said}");
    document["components"]["schemas"]["Health"]["properties"]["region"] = json!({"$ref": "other.json#/Region"});
    assert!(refused_document(&document).contains("leads out of the document"));
    // A property can have that name.
    let specs = Specs::new();
    document["components"]["schemas"]["Health"]["properties"] = json!({
        "status": {"type": "string"}, "version": {"type": "string"}, "uptime_since": {"type": "string"},
        "$ref": {"type": "string"},
    });
    specs.serve(Api::Tabular, &document);
    specs.refresh(&["tabular", "--check"]).failed();
    assert!(!specs.refresh(&["tabular", "--check"]).said().contains("leads"));
}

#[test]
fn each_action_of_the_overlay_that_does_not_apply_is_listed_with_what_to_do() {
    let mut document = tabular_and_more();
    // What two actions correct is as they make it, and what a third one is about has another name.
    let schemas = &mut document["components"]["schemas"];
    schemas["ResourceProfile"]["properties"]["header"] = json!({"type": "array", "items": {"type": "string"}});
    schemas["Health"]["required"] = json!(["status", "version"]);
    schemas["Health"]["properties"]["uptime_seconds"] =
        json!({"type": "number", "description": "For how many seconds the server has run."});
    let renamed = schemas["ResourceProfile"]["properties"].as_object_mut().unwrap().remove("formats").unwrap();
    schemas["ResourceProfile"]["properties"]["kinds"] = renamed;
    let said = refused_document(&document);
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("overlay.yaml, action")).collect();
    let told = |part: &str| lines.iter().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part} in {said}"));
    let header = told("ResourceProfile.properties['header']");
    assert!(header.contains("action 4: ") && header.ends_with("Upstream mended this: drop it."), "{header}");
    // Its own words, so that whoever drops it knows what it was about.
    assert!(header.contains("Declared an object; an array of names of columns"), "{header}");
    assert!(told("properties.formats` matches nothing").contains("drop it, or correct its target"));
    assert!(told("schemas.Health").contains("action 2: "), "{said}");
    assert!(told("schemas.Health").ends_with("Upstream mended this: drop it."), "{said}");
    assert_eq!(lines.len(), 3, "{said}");
}

#[test]
fn what_the_shape_refuses() {
    let mut document = tabular_and_more();
    let health = document["paths"]["/health/"].clone();
    document["paths"]["/alive/"] = health;
    let said = refused_document(&document);
    assert!(said.contains("/paths/~1health~1/get") && said.contains("get_health"), "{said}");
    let mut document = tabular_and_more();
    document["paths"]["/health/"]["get"]["parameters"] =
        json!([{"in": "cookie", "name": "session", "schema": {"type": "string"}}]);
    let said = refused_document(&document);
    assert!(said.contains("/paths/~1health~1/get/parameters/session"), "{said}");
}

#[test]
fn one_bad_document_keeps_the_good_ones_out() {
    let specs = Specs::new();
    let before = specs.files();
    specs.serve(Api::Tabular, &tabular_and_more());
    specs.server.at(path(Api::Metrics), Answer::Status(500));
    specs.server.at(path(Api::Main), Answer::Status(404));
    let said = specs.refresh(&[]).failed();
    assert!(said.contains("metrics, from") && said.contains("main, from"), "{said}");
    assert_eq!(specs.files(), before);
}

#[test]
fn a_source_that_does_not_fit_what_is_asked_for() {
    let specs = Specs::new();
    let before = specs.files();
    let url = specs.server.url(path(Api::Tabular));
    let said = specs.refresh(&["tabular", "metrics", "--from", &url]).failed();
    assert!(said.contains("is one document, and these are 2 APIs"), "{said}");
    specs.write("thing.json", r#"{"openapi": "3.0.3", "info": {"title": "Things"}, "paths": {}}"#);
    let said = specs.refresh(&["--from", &specs.argument("thing.json")]).failed();
    assert!(said.contains("of which API?"), "{said}");
    let said = specs.refresh(&["tabular", "--from", "udata:17.18.0"]).failed();
    assert!(said.contains("main and main-v2"), "{said}");
    let said = specs.refresh(&["metrics", "--from", "absent.json"]).failed();
    assert!(said.contains("absent.json"), "{said}");
    let mut after = specs.files();
    after.remove("thing.json");
    assert_eq!(after, before);
}

#[test]
fn a_provenance_that_cannot_be_read() {
    let specs = Specs::new();
    specs.write("provenance.toml", "[main\n");
    assert!(specs.refresh(&[]).failed().contains("provenance.toml"));
    specs.write("provenance.toml", "[main]\nlive = \"http://localhost/\"\n");
    assert!(specs.refresh(&[]).failed().contains("`live` of main-v2 is missing"));
}
