//! What the release is, by what changed in the documents.

use datagouv_specs::Api;
use serde_json::json;

use crate::repository::Repository;

/// The draft has a line with all of these.
fn assert_draft(draft: &str, parts: &[&str]) {
    let found = draft.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(found, "no line with {parts:?} in\n{draft}");
}

#[test]
fn nothing_changed_is_a_patch_and_all_agrees() {
    let repository = Repository::released();
    repository.raise("0.1.1");
    let (report, code) = repository.report();
    assert_eq!(report["findings"], json!([]), "{report:#}");
    assert_eq!(code, Some(0));
    assert_eq!(report["release"], "patch");
    assert_eq!(report["version"], json!({"before": "0.1.0", "now": "0.1.1", "needed": "0.1.1"}));
    // Without the public items nobody can be sure.
    assert!(report["incomplete"].as_str().unwrap().starts_with("INCOMPLETE"), "{report:#}");
    assert!(report["text"].as_str().unwrap().starts_with("at least patch: 0.1.0 becomes 0.1.1"), "{report:#}");
}

#[test]
fn a_method_that_is_gone_is_minor_before_one_and_the_draft_says_what_to_write() {
    let repository = Repository::released();
    repository.change(Api::Metrics, |document| {
        document["paths"].as_object_mut().unwrap().remove("/api/{model}/data/csv/");
    });
    let (report, code) = repository.report();
    assert_eq!(code, Some(1));
    assert_eq!(report["release"], "minor", "{report:#}");
    assert_eq!(report["version"]["needed"], "0.2.0");
    let finding = &report["findings"][0];
    assert_eq!(finding["text"], "the version is 0.1.0; after 0.1.0 the changes need 0.2.0");
    assert_eq!((&finding["file"], &finding["line"]), (&json!("Cargo.toml"), &json!(5)));
    let draft = report["draft"].as_str().unwrap();
    assert!(draft.starts_with("## 0.2.0 (unreleased)\n"), "{draft}");
    assert_draft(
        draft,
        &["`client.metrics().", "is gone", "client.request(Api::Metrics, \"GET\", \"/api/{model}/data/csv/\")"],
    );
    // With the version that is needed, all agrees.
    repository.raise("0.2.0");
    let (report, code) = repository.report();
    assert_eq!((code, &report["findings"]), (Some(0), &json!([])));
}

#[test]
fn what_is_new_is_a_patch_before_one_and_is_in_the_draft() {
    let repository = Repository::released();
    repository.change(Api::Tabular, |document| {
        document["components"]["schemas"]["Health"]["properties"]["region"] = json!({"type": "string"});
        document["paths"]["/api/regions/"] = json!({"get": {
            "operationId": "listRegions",
            "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}},
        }});
    });
    let (report, _) = repository.report();
    assert_eq!((&report["release"], &report["version"]["needed"]), (&json!("patch"), &json!("0.1.1")));
    let draft = report["draft"].as_str().unwrap();
    assert_draft(draft, &["`tabular::types::Health` has `region`"]);
    assert_draft(draft, &["`client.tabular().list_regions()`: `GET /api/regions/`."]);
    assert!(!draft.contains("Breaking"), "{draft}");
}

#[test]
fn a_renamed_method_and_a_field_that_may_be_absent_say_what_to_write_instead() {
    let repository = Repository::released();
    repository.change(Api::Tabular, |document| {
        let schema = &mut document["components"]["schemas"]["Health"];
        schema["properties"]["version"] = json!({"type": "integer"});
        document["paths"]["/health/"]["get"]["operationId"] = "showHealth".into();
    });
    let (report, _) = repository.report();
    assert_eq!(report["release"], "minor");
    let draft = report["draft"].as_str().unwrap();
    assert_draft(draft, &["`client.tabular().show_health()`: write that instead"]);
    assert_draft(draft, &["`tabular::types::Health::version`", "it was"]);
}

#[test]
fn from_one_on_what_breaks_is_major() {
    let repository = Repository::unreleased();
    repository.raise("1.0.0");
    repository.edit("CHANGELOG.md", "1.0.0 (unreleased)", "1.0.0 (2026-11-20)");
    repository.commit();
    repository.git(&["tag", "v1.0.0"]);
    repository.change(Api::Metrics, |document| {
        document["paths"].as_object_mut().unwrap().remove("/api/{model}/data/csv/");
    });
    let (report, _) = repository.report();
    assert_eq!((&report["release"], &report["version"]["needed"]), (&json!("major"), &json!("2.0.0")));
}

#[test]
fn without_a_tag_the_first_commit_is_compared_with_and_any_version_will_do() {
    let repository = Repository::unreleased();
    repository.change(Api::Metrics, |document| {
        document["paths"].as_object_mut().unwrap().remove("/api/{model}/data/csv/");
    });
    repository.commit();
    let (report, code) = repository.report();
    assert!(report["since"]["name"].as_str().unwrap().starts_with("the first commit"), "{report:#}");
    assert_eq!(report["documents"][3]["changes"]["rust"]["breaking"].as_u64().map(|it| it > 0), Some(true));
    assert_eq!(report["version"]["needed"], json!(null));
    assert_eq!((code, &report["findings"]), (Some(0), &json!([])));
    // The commit can be named; nothing changed since the last one.
    let output = repository.run(&["--since", "HEAD"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("metrics: nothing changed"), "{text}");
}

#[test]
fn what_cannot_be_read_ends_with_two() {
    let repository = Repository::released();
    let failed = |arguments: &[&str]| {
        let output = repository.run(arguments);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(failed(&["--since", "nowhere"]).starts_with("`nowhere` is no commit of "));
    repository.write("specs/tabular/openapi.json", "{");
    assert!(failed(&[]).starts_with("tabular, as vendored: not JSON"));
}

#[test]
fn without_the_tool_the_rest_of_the_report_comes_marked_as_incomplete() {
    let repository = Repository::released();
    repository.raise("0.1.1");
    // A cargo that knows no `public-api`.
    let output = repository.command().args(["--format", "markdown"]).env("CARGO", "false").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("cargo install cargo-public-api --locked"), "{stderr}");
    let text = String::from_utf8(output.stdout).unwrap();
    for part in
        ["**at least patch: ", "INCOMPLETE: not compared. cargo public-api is not installed", "docs.rs metadata agree"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
}
