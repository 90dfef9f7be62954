//! What is refused, with the place named and no file touched.

use datagouv_specs::Api;
use serde_json::{Value, json};

use crate::server::Response;
use crate::specs::{Specs, path, tabular_and_more, vendored};

/// Refreshes tabular from an response that must be refused.
fn refused(response: Response) -> String {
    refused_within("600", response)
}

fn refused_within(seconds: &str, response: Response) -> String {
    let specs = Specs::new();
    let before = specs.files();
    specs.server.at(path(Api::Tabular), response);
    let output = specs.refresh(&["tabular", "--timeout", seconds]).failed();
    assert_eq!(specs.files(), before);
    assert!(output.starts_with("tabular, from http://127.0.0.1:"), "{output}");
    assert!(output.ends_with("nothing is written\n"), "{output}");
    output
}

fn refused_document(document: &Value) -> String {
    refused(Response::Body("application/json", document.to_string().into_bytes()))
}

#[test]
fn a_truncated_body_is_refused() {
    let body = tabular_and_more().to_string().into_bytes();
    assert!(refused(Response::Cut(body.clone(), body.len() / 2)).contains("cut"));
    // Short, and the server says nothing of it.
    let half = body.get(..body.len() / 2).unwrap().to_vec();
    assert!(refused(Response::Body("application/json", half)).contains("not JSON"));
}

#[test]
fn a_body_that_is_no_document_is_refused() {
    let page = b"<!doctype html><title>Maintenance</title>".to_vec();
    assert!(refused(Response::Body("text/html", page)).contains("web page"));
    assert!(refused(Response::Body("application/json", b"{\"openapi\": [}".to_vec())).contains("line 1 column 14"));
    assert!(refused(Response::Body("application/json", b"null".to_vec())).contains("must be an object"));
    assert!(refused(Response::Body("application/json", b"[]".to_vec())).contains("must be an object"));
}

#[test]
fn an_error_status_is_refused() {
    assert!(refused(Response::Status(404)).contains("responded 404"));
    assert!(refused(Response::Status(500)).contains("responded 500"));
}

#[test]
fn a_body_over_the_limit_is_refused() {
    assert!(refused(Response::Huge(33 << 20)).contains("more than 32 MB"));
}

#[test]
fn a_response_over_the_time_limit_is_refused() {
    assert!(refused_within("1", Response::Silence).contains("timeout"));
}

#[test]
fn an_unsupported_openapi_version_is_refused() {
    let mut document = tabular_and_more();
    document["openapi"] = "3.2.0".into();
    let output = refused_document(&document);
    assert!(output.contains("/openapi: OpenAPI 3.2.0 is not known yet"), "{output}");
}

#[test]
fn a_keyword_without_equivalent_is_refused() {
    let mut document = tabular_and_more();
    document["openapi"] = "3.1.0".into();
    document["components"]["schemas"]["Health"]["prefixItems"] = json!([{"type": "string"}]);
    let output = refused_document(&document);
    assert!(output.contains("/components/schemas/Health/prefixItems: OpenAPI 3.0 has nothing"), "{output}");
}

#[test]
fn a_document_with_faults_is_refused_except_in_a_dry_run() {
    let mut document = tabular_and_more();
    document["paths"]["/health/"]["get"]["responses"]["418"] = json!({"$ref": "errors.json#/Unavailable"});
    let output = refused_document(&document);
    assert!(output.contains("/responses/418: `errors.json#/Unavailable` leads out of the document"), "{output}");
    let specs = Specs::new();
    let before = specs.files();
    specs.serve(Api::Tabular, &document);
    let dry = specs.refresh(&["tabular", "--dry-run"]);
    let output = dry.failed();
    assert_eq!(specs.files(), before);
    assert!(dry.report().contains("[response-error-added]"), "{}", dry.report());
    assert!(output.contains("tabular: error: /paths/~1health~1/get/responses/418/$ref: "), "{output}");
    assert!(output.contains("a document with these faults is not vendored"), "{output}");
}

#[test]
fn a_document_in_several_files_is_refused_except_in_a_dry_run() {
    let specs = Specs::new();
    let mut document = tabular_and_more();
    let health = &mut document["components"]["schemas"]["Health"]["properties"];
    health["region"] = json!({"$ref": "parts/schemas.json#/Region"});
    specs.write("several/openapi.json", &document.to_string());
    let schemas =
        json!({"Region": {"type": "object", "properties": {"code": {"$ref": "#/Code"}}}, "Code": {"type": "integer"}});
    specs.write("several/parts/schemas.json", &schemas.to_string());
    let before = specs.files();
    let from = specs.argument("several/openapi.json");
    let refused = specs.refresh(&["tabular", "--from", &from]).failed();
    assert!(refused.contains("`parts/schemas.json#/Region` leads out of the document"), "{refused}");
    let dry = specs.refresh(&["tabular", "--from", &from, "--dry-run"]);
    let output = dry.failed();
    assert!(dry.report().contains("[response-property-added]"), "{}", dry.report());
    assert!(output.contains("tabular: a document that refers to other files is not vendored"), "{output}");
    // What is not there is refused in a dry run too, with the file.
    specs.write("several/parts/schemas.json", "{}");
    let missing = specs.refresh(&["tabular", "--from", &from, "--dry-run"]).failed();
    assert!(missing.contains("parts/schemas.json"), "{missing}");
    specs.write("several/parts/schemas.json", &schemas.to_string());
    assert_eq!(specs.files(), before);
}

#[test]
fn a_document_of_another_api_is_refused() {
    let output = refused_document(&vendored(Api::Metrics));
    assert!(output.contains("this is the document of metrics, and not of tabular"), "{output}");
}

#[test]
fn a_dangling_reference_is_refused() {
    let mut document = tabular_and_more();
    document["components"]["schemas"]["Health"]["properties"]["region"] =
        json!({"$ref": "#/components/schemas/Region"});
    let output = refused_document(&document);
    assert!(output.contains("/components/schemas/Health/properties/region: `#/components/schemas/Region`"), "{output}");
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
    assert!(!specs.refresh(&["tabular", "--check"]).output().contains("leads"));
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
    let output = refused_document(&document);
    let lines: Vec<&str> = output.lines().filter(|line| line.contains("overlay.yaml, action")).collect();
    let line =
        |part: &str| lines.iter().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part} in {output}"));
    let header = line("ResourceProfile.properties['header']");
    assert!(header.contains("action 4: ") && header.ends_with("Upstream mended this: drop it."), "{header}");
    // Its own words, so that whoever drops it knows what it was about.
    assert!(header.contains("Declared an object; an array of names of columns"), "{header}");
    assert!(line("properties.formats` matches nothing").contains("drop it, or correct its target"));
    assert!(line("schemas.Health").contains("action 2: "), "{output}");
    assert!(line("schemas.Health").ends_with("Upstream mended this: drop it."), "{output}");
    assert_eq!(lines.len(), 3, "{output}");
}

#[test]
fn a_document_that_shaping_refuses_is_refused() {
    let mut document = tabular_and_more();
    let health = document["paths"]["/health/"].clone();
    document["paths"]["/alive/"] = health;
    let output = refused_document(&document);
    assert!(output.contains("/paths/~1health~1/get") && output.contains("get_health"), "{output}");
    let mut document = tabular_and_more();
    document["paths"]["/health/"]["get"]["parameters"] =
        json!([{"in": "cookie", "name": "session", "schema": {"type": "string"}}]);
    let output = refused_document(&document);
    assert!(output.contains("/paths/~1health~1/get/parameters/session"), "{output}");
}

#[test]
fn one_refused_document_refuses_all() {
    let specs = Specs::new();
    let before = specs.files();
    specs.serve(Api::Tabular, &tabular_and_more());
    specs.server.at(path(Api::Metrics), Response::Status(500));
    specs.server.at(path(Api::Main), Response::Status(404));
    let output = specs.refresh(&[]).failed();
    assert!(output.contains("metrics, from") && output.contains("main, from"), "{output}");
    assert_eq!(specs.files(), before);
}

#[test]
fn a_source_that_does_not_match_the_apis_is_refused() {
    let specs = Specs::new();
    let before = specs.files();
    let url = specs.server.url(path(Api::Tabular));
    let output = specs.refresh(&["tabular", "metrics", "--from", &url]).failed();
    assert!(output.contains("is one document, and these are 2 APIs"), "{output}");
    specs.write("thing.json", r#"{"openapi": "3.0.3", "info": {"title": "Things"}, "paths": {}}"#);
    let output = specs.refresh(&["--from", &specs.argument("thing.json")]).failed();
    assert!(output.contains("of which API?"), "{output}");
    let output = specs.refresh(&["tabular", "--from", "udata:17.18.0"]).failed();
    assert!(output.contains("main and main-v2"), "{output}");
    let output = specs.refresh(&["metrics", "--from", "absent.json"]).failed();
    assert!(output.contains("absent.json"), "{output}");
    let mut after = specs.files();
    after.remove("thing.json");
    assert_eq!(after, before);
}

#[test]
fn an_unreadable_provenance_is_refused() {
    let specs = Specs::new();
    specs.write("provenance.toml", "[main\n");
    assert!(specs.refresh(&[]).failed().contains("provenance.toml"));
    specs.write("provenance.toml", "[main]\nlive = \"http://localhost/\"\n");
    assert!(specs.refresh(&[]).failed().contains("`live` of main-v2 is missing"));
}
