//! `cargo xtask drift`, against a server that departs from its document.

#[allow(dead_code, reason = "the tests of refresh use the rest")]
#[path = "refresh/server.rs"]
mod server;

use std::process::{Command, Output};

use datagouv_specs::Api;
use serde_json::{Value, json};
use server::{Response, Server};

fn body(value: &Value) -> Response {
    Response::Body("application/json", value.to_string().into_bytes())
}

fn drift(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(["drift", "--pause", "0"]).args(arguments).output().unwrap()
}

/// A metrics API whose two read operations have these bodies.
fn metrics(health: &Value, data: &Value, document: &Value) -> (Server, String) {
    let server = Server::start();
    server.at("/api/doc/swagger.json", body(document));
    let url = server.at("/health/", body(health));
    for model in ["datasets", "organizations", "resources", "reuses", "site"] {
        server.at(&format!("/api/{model}/data/"), body(data));
    }
    (server, url.trim_end_matches("/health/").to_owned())
}

fn vendored() -> Value {
    serde_json::from_str(Api::Metrics.document_text()).unwrap()
}

fn health() -> Value {
    json!({"status": "ok", "version": "0.4.1", "uptime_seconds": 1.5, "uptime_since": "2026-11-28T00:00:00Z"})
}

fn report(output: &Output) -> Value {
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{}", said()))[0].clone()
}

#[test]
fn documented_responses_are_no_drift() {
    let (_server, url) = metrics(&health(), &json!({"data": [], "links": {}, "meta": {}}), &vendored());
    let output = drift(&["--metrics", &url, "--format", "json"]);
    let report = report(&output);
    let of_health =
        report["departures"].as_array().unwrap().iter().filter(|it| it["operation"] == "GET /health/").count();
    assert_eq!(of_health, 0, "{report:#}");
    assert_eq!(report["served"], json!([]));
    assert!(report["called"].as_array().unwrap().iter().any(|it| it["operation"] == "GET /health/"), "{report:#}");
}

#[test]
fn undocumented_values_are_reported_with_counts_and_a_draft() {
    let mut departing = health();
    departing["region"] = json!("secret words of someone");
    departing["status"] = Value::Null;
    departing["version"] = json!(4);
    let (_server, url) = metrics(&departing, &json!({}), &vendored());
    let output = drift(&["--metrics", &url, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report = report(&output);
    let mut found: Vec<(&str, &Value, &Value, &Value)> = Vec::new();
    for departure in report["departures"].as_array().unwrap().iter().filter(|it| it["operation"] == "GET /health/") {
        found.push((departure["kind"].as_str().unwrap(), &departure["detail"], &departure["seen"], &departure["of"]));
    }
    found.sort_by_key(|it| it.0);
    let one = json!(1);
    assert_eq!(
        found,
        [
            ("null", &Value::Null, &one, &one),
            ("type", &json!("integer"), &one, &one),
            ("unknown-property", &json!("region"), &one, &one),
        ],
        "{report:#}"
    );
    let markdown = String::from_utf8(drift(&["--metrics", &url, "--format", "markdown"]).stdout).unwrap();
    assert!(markdown.contains("update: {\"region\":{\"type\":\"string\"}}"), "{markdown}");
    assert!(markdown.contains("Undeclared; there in 1 of 1"), "{markdown}");
    assert!(markdown.contains("update: {\"nullable\":true}"), "{markdown}");
    // Nothing of what anyone wrote is in a report.
    for text in [markdown, report.to_string()] {
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn a_new_operation_in_the_served_document_is_reported() {
    let mut document = vendored();
    document["paths"]["/api/new/"] = json!({"get": {"responses": {"200": {"description": ""}}}});
    let (_server, url) = metrics(&health(), &json!({}), &document);
    let output = drift(&["--metrics", &url, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(report(&output)["served"], json!(["`GET /api/new/` is new."]));
}

#[test]
fn an_unreachable_platform_exits_with_2() {
    let output = drift(&["--metrics", "http://127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("metrics, at http://127.0.0.1:1: "));
    assert_eq!(drift(&[]).status.code(), Some(2));
}

/// A tabular API with one table, of which all operations but one respond as they are described.
fn tabular(table: &str) -> (Server, String) {
    let server = Server::start();
    let document = serde_json::from_str(Api::Tabular.document_text()).unwrap();
    server.at("/api/doc/swagger.json", body(&document));
    let url = server.at("/health/", body(&health()));
    let resource = format!("/api/resources/{table}");
    server.at(&format!("{resource}/"), body(&json!({"created_at": "", "url": "", "links": []})));
    server.at(&format!("{resource}/data/?page_size=20"), body(&json!({"data": [], "links": {}, "meta": {}})));
    server.at(&format!("{resource}/data/json/"), body(&json!([])));
    server.at(&format!("{resource}/data/csv/"), Response::Body("text/html", b"<p>".to_vec()));
    (server, url.trim_end_matches("/health/").to_owned())
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|it| it["operation"].as_str().unwrap()).collect()
}

#[test]
fn tables_are_those_that_the_tabular_api_lists_or_that_are_named() {
    let table = "9073e089-a282-4fab-a88f-e6958789b586";
    let data = "GET /api/resources/{rid}/data/";
    let (server, url) = tabular(table);
    // Without a list and without a name there is nothing to call about, and no example of the document is taken for one.
    let none = report(&drift(&["--tabular", &url, "--format", "json"]));
    assert!(!names(&none["called"]).contains(&data) && names(&none["not_called"]).contains(&data), "{none:#}");
    let named = report(&drift(&["--tabular", &url, "--resource", table, "--format", "json"]));
    assert!(names(&named["called"]).contains(&data), "{named:#}");
    for list in [json!([table]), json!({"allowed": false, "exceptions": [table]})] {
        server.at("/api/aggregation-exceptions/", body(&list));
        let listed = report(&drift(&["--tabular", &url, "--format", "json"]));
        assert!(names(&listed["called"]).contains(&data), "{listed:#}");
        assert_eq!(names(&listed["not_called"]), Vec::<&str>::new());
        // What is called and gives nothing is not passed over.
        assert!(names(&listed["called_in_vain"]).contains(&"GET /api/resources/{rid}/profile/"), "{listed:#}");
    }
}

#[test]
fn a_body_of_a_media_type_that_is_not_described_is_a_departure() {
    let table = "9073e089-a282-4fab-a88f-e6958789b586";
    let (_server, url) = tabular(table);
    let report = report(&drift(&["--tabular", &url, "--resource", table, "--format", "json"]));
    let departures = report["departures"].as_array().unwrap();
    let found: Vec<_> = departures.iter().filter(|it| it["kind"] == "media-type").collect();
    assert_eq!(found.len(), 1, "{report:#}");
    assert_eq!(found[0]["operation"], "GET /api/resources/{rid}/data/csv/");
    assert_eq!(found[0]["detail"], "text/html");
}
