//! What a refresh writes, and that it writes nothing unless it has to.

use datagouv_specs::{Api, document};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use toml_edit::DocumentMut;

use crate::server::Response;
use crate::specs::{Specs, path, tabular_and_more, vendored};

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_unchanged_document_changes_nothing() {
    let specs = Specs::new();
    let before = specs.files();
    let output = specs.refresh(&[]).done();
    for api in Api::ALL {
        assert!(output.contains(&format!("{api}: ")), "{output}");
    }
    assert_eq!(specs.files(), before);
    specs.refresh(&["--check"]).done();
    // Another order of keys, and other spaces, are no difference.
    let mut document = vendored(Api::Tabular);
    let paths = document.as_object_mut().unwrap().remove("paths").unwrap();
    document["paths"] = paths;
    specs.serve(Api::Tabular, &document);
    specs.refresh(&["tabular", "--check"]).done();
    assert_eq!(specs.files(), before);
}

#[test]
fn a_changed_document_replaces_the_old_one_and_its_provenance() {
    let specs = Specs::new();
    let before = specs.files();
    let received = tabular_and_more();
    let url = specs.serve(Api::Tabular, &received);
    specs.refresh(&["tabular"]).done();

    let after = specs.files();
    assert_eq!(after["tabular/openapi.json"], document::canonical_text(&received));
    let provenance: DocumentMut = after["provenance.toml"].parse().unwrap();
    let recorded = |key: &str| provenance["tabular"][key].as_str().map(str::to_owned).unwrap();
    assert_eq!(recorded("source"), url);
    assert_eq!(recorded("live"), url);
    assert_eq!(recorded("version"), "0.5.0");
    assert_eq!(recorded("sha256_received"), sha256(&received.to_string()));
    assert_eq!(recorded("sha256_file"), sha256(&after["tabular/openapi.json"]));
    assert!(provenance["tabular"]["date"].as_datetime().is_some_and(|date| date.date.is_some() && date.time.is_none()));
    // What was noted tells of the document before.
    assert!(provenance["tabular"].get("note").is_none());
    // The rest is as it was, the words about the other documents included.
    for (name, text) in &before {
        match name.as_str() {
            "tabular/openapi.json" | "provenance.toml" => {}
            _ => assert_eq!(&after[name], text, "{name}"),
        }
    }
    assert_eq!(after.len(), before.len());
    let of_main = |text: &str| text.split("[tabular]").next().unwrap().to_owned();
    assert_eq!(of_main(&after["provenance.toml"]), of_main(&before["provenance.toml"]));

    // The same source once more: the same bytes, and nothing to tell.
    specs.refresh(&["tabular"]).done();
    assert_eq!(specs.files(), after);
}

/// The document in OpenAPI 3.1: the same, in the words of JSON Schema 2020-12.
fn in_openapi31(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.remove("nullable") == Some(Value::Bool(true)) {
                match members.get_mut("type") {
                    Some(kind) => *kind = json!([kind, "null"]),
                    None => {
                        let rest = std::mem::take(members);
                        members.insert("anyOf".to_owned(), json!([rest, {"type": "null"}]));
                    }
                }
            }
            if let Some(example) = members.remove("example").filter(|_| members.contains_key("type")) {
                members.insert("examples".to_owned(), json!([example]));
            }
            members.values_mut().for_each(in_openapi31);
        }
        Value::Array(list) => list.iter_mut().for_each(in_openapi31),
        _ => {}
    }
}

#[test]
fn a_document_of_openapi_31_goes_through_the_whole_pipeline() {
    let specs = Specs::new();
    let plain = tabular_and_more();
    let mut received = plain.clone();
    in_openapi31(&mut received);
    received["openapi"] = "3.1.0".into();
    received["webhooks"] = json!({"changed": {"post": {"requestBody": {"content": {"application/json": {}}}}}});
    let region = json!({"$ref": "#/components/schemas/Health/$defs/Region", "description": "Where it is."});
    received["components"]["schemas"]["Health"]["properties"]["region"] = region;
    received["components"]["schemas"]["Health"]["$defs"] =
        json!({"Region": {"type": ["string", "null"], "const": "eu"}});
    specs.serve(Api::Tabular, &received);
    let refreshed = specs.refresh(&["tabular", "--format", "json"]);
    refreshed.done();
    // Vendored as it was served.
    assert_eq!(specs.files()["tabular/openapi.json"], document::canonical_text(&received));
    let report: Value = serde_json::from_str(&refreshed.report()).unwrap();
    let found: Vec<_> =
        report["changes"].as_array().unwrap().iter().map(|change| change["id"].as_str().unwrap()).collect();
    // What is new in both, and nothing for the language.
    assert!(found.contains(&"response-property-added") && found.contains(&"webhook-added"), "{found:?}");
    assert!(!found.iter().any(|id| id.ends_with("-changed") || id.ends_with("-removed")), "{found:?}");
    assert!(report["release"] == "minor" || report["release"] == "major", "{report:#}");
    // The same document once more has nothing new.
    specs.refresh(&["tabular", "--check"]).done();
}

#[test]
fn a_redirect_leads_to_the_document() {
    let specs = Specs::new();
    let url = specs.server.at("/new-place", Response::Body("application/json", tabular_and_more().to_string().into()));
    specs.server.at(path(Api::Tabular), Response::Redirect(url));
    specs.refresh(&["tabular"]).done();
    assert_eq!(specs.files()["tabular/openapi.json"], document::canonical_text(&tabular_and_more()));
}

#[test]
fn check_fails_on_a_difference_and_writes_nothing() {
    let specs = Specs::new();
    let before = specs.files();
    specs.serve(Api::Tabular, &tabular_and_more());
    let output = specs.refresh(&["--check"]).failed();
    assert!(output.contains("tabular: ") && output.contains("differs"), "{output}");
    assert_eq!(specs.files(), before);
}

#[test]
fn a_dry_run_prints_the_report_and_writes_nothing() {
    let specs = Specs::new();
    let before = specs.files();
    specs.serve(Api::Tabular, &tabular_and_more());
    let dry = specs.refresh(&["--dry-run", "--format", "json"]);
    dry.done();
    assert_eq!(specs.files(), before);
    let report: serde_json::Value = serde_json::from_str(&dry.report()).unwrap();
    assert_eq!(report["old"], "tabular, as vendored");
    assert_eq!(report["new"], specs.server.url(path(Api::Tabular)));
    let changes = report["changes"].as_array().unwrap();
    assert!(changes.iter().any(|change| change["location"].as_str().unwrap().contains("region")), "{report:#}");
    // The same report when it is written.
    let written = specs.refresh(&["--format", "json"]);
    written.done();
    assert_eq!(written.report(), dry.report());
    // And none when there is nothing to report.
    assert_eq!(specs.refresh(&["--format", "markdown"]).report(), "");
}

#[test]
fn the_version_of_the_catalogue_is_that_of_its_site() {
    let specs = Specs::new();
    let mut document = vendored(Api::Main);
    document["info"]["description"] = "Another.".into();
    specs.serve(Api::Main, &document);
    let site = br#"{"id": "default", "version": "18.0.0"}"#;
    specs.server.at("/api/1/site/", Response::Body("application/json", site.to_vec()));
    specs.refresh(&["main"]).done();
    let provenance: DocumentMut = specs.files()["provenance.toml"].parse().unwrap();
    assert_eq!(provenance["main"]["version"].as_str(), Some("18.0.0"));
}

#[test]
fn another_source_is_taken_where_it_is_named() {
    let specs = Specs::new();
    // A file, which says itself of which API it is, in YAML.
    specs.write("received.yaml", &serde_yaml_ng::to_string(&tabular_and_more()).unwrap());
    let files = specs.files();
    let file = specs.argument("received.yaml");
    specs.refresh(&["--from", &file]).done();
    let after = specs.files();
    assert_eq!(after["tabular/openapi.json"], document::canonical_text(&tabular_and_more()));
    assert_eq!(after["received.yaml"], files["received.yaml"]);
    assert_eq!(specs.server.requests(), 0);
}

#[test]
fn a_crashed_refresh_is_rolled_back_first() {
    let specs = Specs::new();
    let before = specs.files();
    specs.write(".refresh/journal", "provenance.toml\ntabular/openapi.json\n");
    specs.write(".refresh/0.old", &before["provenance.toml"]);
    specs.write(".refresh/1.old", &before["tabular/openapi.json"]);
    specs.write("provenance.toml", &before["provenance.toml"].replace("0.4.1", "0.5.0"));
    let output = specs.refresh(&["--check"]).done();
    assert!(output.contains("put back"), "{output}");
    assert_eq!(specs.files(), before);
}
