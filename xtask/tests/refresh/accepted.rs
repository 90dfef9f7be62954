//! Findings that were accepted before, in the reports of a refresh.

use serde_json::{Value, json};

use crate::specs::{Specs, tabular_and_more};
use datagouv_specs::Api;

fn report(specs: &Specs) -> Value {
    let refreshed = specs.refresh(&["tabular", "--dry-run", "--format", "json"]);
    refreshed.done();
    serde_json::from_str(&refreshed.report()).unwrap()
}

/// The entry of an accepted finding.
fn entry(fingerprint: &str, rule: &str) -> String {
    format!("[[accepted]]\nfingerprint = \"{fingerprint}\"\nrule = \"{rule}\"\nreason = \"Nobody reads it.\"\n\n")
}

#[test]
fn an_accepted_finding_is_marked_and_counted() {
    let specs = Specs::new();
    specs.serve(Api::Tabular, &tabular_and_more());
    let before = report(&specs);
    assert_eq!(before["summary"]["accepted"], 0);
    let change = before["changes"].as_array().unwrap().iter().find(|it| it["id"] == "response-property-added").unwrap();
    specs.write(
        "tabular/accepted.toml",
        &entry(change["fingerprint"].as_str().unwrap(), change["id"].as_str().unwrap()),
    );
    let after = report(&specs);
    assert_eq!(after["summary"]["accepted"], 1, "{after:#}");
    let is_accepted = |it: &&Value| it["fingerprint"] == change["fingerprint"];
    let accepted = after["changes"].as_array().unwrap().iter().find(is_accepted).unwrap();
    assert_eq!(accepted["accepted"], "Nobody reads it.");
    // For people too.
    assert!(specs.refresh(&["tabular", "--dry-run"]).report().contains("1 accepted before"));
}

#[test]
fn an_entry_that_no_longer_occurs_is_reported() {
    let specs = Specs::new();
    specs.write("tabular/accepted.toml", &entry("0123456789abcdef", "response-property-removed"));
    let note = "response-property-removed (0123456789abcdef) no longer occurs: drop it";
    // With a document that has not changed nothing occurs.
    let output = specs.refresh(&["tabular"]).done();
    assert!(output.contains(note), "{output}");
    specs.serve(Api::Tabular, &tabular_and_more());
    let notes = report(&specs)["notes"].clone();
    assert!(notes.as_array().unwrap().iter().any(|it| it.as_str().unwrap().contains(note)), "{notes:#}");
}

#[test]
fn a_level_is_overridden() {
    let specs = Specs::new();
    specs.serve(Api::Tabular, &tabular_and_more());
    let severity =
        "[[severity]]\nrule = \"response-property-added\"\nlevel = \"warning\"\nreason = \"We keep count.\"\n";
    specs.write("tabular/accepted.toml", severity);
    let report = report(&specs);
    assert_eq!(report["summary"]["warning"], json!(1), "{report:#}");
}

#[test]
fn a_file_of_decisions_that_cannot_be_read_refuses_the_refresh() {
    let specs = Specs::new();
    specs.serve(Api::Tabular, &tabular_and_more());
    specs.write("tabular/accepted.toml", "[[accepted]]\nfingerprint = \"0123456789abcdef\"\n");
    let before = specs.files();
    let output = specs.refresh(&["tabular"]).failed();
    assert!(output.contains("accepted.toml: entry 1 of `accepted` has no `reason`"), "{output}");
    assert_eq!(specs.files(), before);
}
