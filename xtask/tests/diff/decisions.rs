//! Decisions that stay decided, and the formats that show where changes stand.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};
use xtask::diff::decisions::{Decisions, fingerprint};

use super::documents::{both_ways, changes, patch};

/// A folder for the files of a test, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("datagouv-decisions-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.0.join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn diff(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).arg("diff").args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A document with a schema within a schema, under names that can be chosen.
fn document(outer: &str, inner: &str, kind: &str, with: Value) -> Value {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let mut document = both_ways(
        &reference(outer),
        &json!({
            outer: {"type": "object", "properties": {
                "first": reference(inner), "others": {"type": "array", "items": reference(inner)},
            }},
            inner: {"type": "object", "properties": {"size": {"type": kind}}},
        }),
    );
    patch(&mut document, &with);
    document
}

#[test]
fn a_fingerprint_stays_when_components_are_renamed_and_lists_are_in_another_order() {
    let prints = |old: &Value, new: &Value| {
        let mut prints: Vec<String> = changes(old, new).iter().map(fingerprint).collect();
        prints.sort();
        prints
    };
    let before = prints(&document("A", "B", "string", json!({})), &document("A", "B", "integer", json!({})));
    assert_eq!(before.len(), 2);
    assert_ne!(before[0], before[1]);
    let renamed = prints(&document("A", "B", "string", json!({})), &document("Zoo", "Animal", "integer", json!({})));
    assert_eq!(renamed, before);
    let renamed =
        prints(&document("Zoo", "Animal", "string", json!({})), &document("Zoo", "Animal", "integer", json!({})));
    assert_eq!(renamed, before);
    // Another value, another way, another operation: another finding.
    let other = prints(&document("A", "B", "string", json!({})), &document("A", "B", "boolean", json!({})));
    assert!(other.iter().all(|print| !before.contains(print)));
    let with_more = json!({"paths": {"/all": {"get": {"responses": {"200": {"content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/B"}}}}}}}}});
    let of = |kind: &str| document("A", "B", kind, with_more.clone());
    let reached_otherwise = prints(&of("string"), &of("integer"));
    assert_eq!(reached_otherwise.iter().filter(|print| before.contains(print)).count(), 1);
}

#[test]
fn two_schemas_with_the_same_change_are_two_findings() {
    let schema = |kind: &str| json!({"type": "object", "properties": {"size": {"type": kind}}});
    let document = |kind: &str| {
        both_ways(
            &json!({"type": "object", "properties": {
                "a": {"$ref": "#/components/schemas/A"}, "b": {"$ref": "#/components/schemas/B"},
            }}),
            &json!({"A": schema(kind), "B": schema(kind)}),
        )
    };
    let found = changes(&document("string"), &document("integer"));
    let prints: std::collections::BTreeSet<String> = found.iter().map(fingerprint).collect();
    assert_eq!((found.len(), prints.len()), (4, 4));
}

#[test]
fn what_is_accepted_does_not_fail_and_what_no_longer_occurs_is_told() {
    let folder = Folder::new("accept");
    let old = folder.write("old.json", &document("A", "B", "string", json!({})).to_string());
    let new = folder.write("new.json", &document("A", "B", "integer", json!({})).to_string());
    let file = folder.path("accepted.toml");
    let run = |more: &[&str]| {
        let mut arguments = vec![old.as_str(), new.as_str(), "--decisions", file.as_str(), "--fail-on", "breaking"];
        arguments.extend(more);
        diff(&arguments)
    };
    assert_eq!(run(&[]).status.code(), Some(1));
    // Without a reason nothing is accepted.
    assert_eq!(run(&["--accept"]).status.code(), Some(2));
    let output = run(&["--accept", "--reason", "No one sends it.", "--until", "99.0"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "2 accepted\n");
    let written = folder.read("accepted.toml");
    assert_eq!(written.matches("[[accepted]]").count(), 2);
    assert!(written.contains("reason = \"No one sends it.\"") && written.contains("until = \"99.0\""), "{written}");

    let output = run(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        said(&output).contains("On the wire: 0 breaking, 0 warnings, 0 info\n2 accepted before ("),
        "{}",
        said(&output)
    );
    let report: Value = serde_json::from_str(&said(&run(&["--format", "json"]))).unwrap();
    assert_eq!(report["summary"], json!({"breaking": 0, "warning": 0, "info": 0, "accepted": 2}));
    assert_eq!(report["changes"][0]["accepted"], "No one sends it.");
    // Accepting once more adds nothing.
    assert_eq!(String::from_utf8_lossy(&run(&["--accept", "--reason", "again"]).stderr), "0 accepted\n");
    assert_eq!(folder.read("accepted.toml"), written);

    // Compared with itself, nothing of it occurs.
    let output = diff(&[&old, &old, "--decisions", &file]);
    assert_eq!(said(&output).matches("no longer occurs: drop it").count(), 2, "{}", said(&output));
    // From that version on it is decided anew.
    folder.write("accepted.toml", &written.replace("99.0", "0.0.1"));
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("was accepted until 0.0.1: decide anew"), "{}", said(&output));
}

#[test]
fn a_level_is_overridden_by_rule_and_place() {
    let folder = Folder::new("severity");
    let old = folder.write("old.json", &document("A", "B", "string", json!({})).to_string());
    let new = folder.write("new.json", &document("A", "B", "integer", json!({})).to_string());
    let of = |text: &str| {
        let file = folder.write("accepted.toml", text);
        let output = diff(&[&old, &new, "--decisions", &file, "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str::<Value>(&said(&output)).unwrap()["summary"].clone()
    };
    let rule = "[[severity]]\nrule = \"response-type-changed\"\nlevel = \"info\"\n";
    assert_eq!(of(rule), json!({"breaking": 1, "warning": 0, "info": 1, "accepted": 0}));
    let here = format!("{rule}location = \"*/properties/size\"\noperation = \"POST /th*\"\n");
    assert_eq!(of(&here), json!({"breaking": 1, "warning": 0, "info": 1, "accepted": 0}));
    let elsewhere = format!("{rule}operation = \"GET /th*\"\n");
    assert_eq!(of(&elsewhere), json!({"breaking": 2, "warning": 0, "info": 0, "accepted": 0}));
}

#[test]
fn a_file_of_decisions_that_cannot_be_read_is_refused_with_the_entry() {
    let folder = Folder::new("bad");
    let old = folder.write("old.json", &document("A", "B", "string", json!({})).to_string());
    for (text, told) in [
        ("[[accepted]\n", "accepted.toml"),
        ("accepted = 1\n", "`accepted` must be a list of tables"),
        ("[[accepted]]\nfingerprint = \"a\"\n", "entry 1 of `accepted` has no `reason`"),
        ("[[accepted]]\nfingerprint = \"a\"\nreason = \"b\"\nuntil = \"soon\"\n", "`soon` is no version"),
        ("[[severity]]\nrule = \"a\"\nlevel = \"bad\"\n", "the level is breaking, warning or info"),
    ] {
        let file = folder.write("accepted.toml", text);
        let output = diff(&[&old, &old, "--decisions", &file]);
        assert_eq!(output.status.code(), Some(2));
        let line = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(line.contains(told) && line.contains("accepted.toml"), "{line}");
    }
}

#[test]
fn the_decisions_of_each_api_can_be_read() {
    for api in datagouv_specs::Api::ALL {
        Decisions::read(&Decisions::path_of(api)).unwrap();
    }
}

#[test]
fn each_change_has_its_place_in_both_texts() {
    let folder = Folder::new("places");
    let swagger = |kind: &str| {
        format!(
            "swagger: '2.0'\ninfo: {{title: t, version: '1'}}\nproduces: [application/json]\npaths:\n  /a/{{id}}:\n    \
             parameters:\n      - {{name: id, in: path, type: string, required: true}}\n    get:\n      parameters:\n        \
             - {{name: q, in: query, type: {kind}}}\n      responses:\n        200: {{description: '', schema: {{$ref: '#/definitions/A (b)'}}}}\n\
             definitions:\n  A (b):\n    properties:\n      size: {{type: {kind}}}\n"
        )
    };
    let old = folder.write("old.yaml", &swagger("string"));
    let new = folder.write("new.yaml", &format!("\n{}", swagger("integer")));
    let report: Value = serde_json::from_str(&said(&diff(&[&old, &new, "--format", "json"]))).unwrap();
    let mut found = Vec::new();
    for change in report["changes"].as_array().unwrap() {
        let place = |side: &str| (change[side]["line"].as_u64().unwrap(), change[side]["column"].as_u64().unwrap());
        found.push((change["new_place"]["pointer"].as_str().unwrap(), place("old_place"), place("new_place")));
    }
    found.sort();
    let parameter = ("/paths/~1a~1{id}/get/parameters/0", (10, 11), (11, 11));
    assert_eq!(found, [("/definitions/A (b)/properties/size", (16, 7), (17, 7)), parameter]);

    let github = said(&diff(&[&old, &new, "--format", "github"]));
    let line = format!("::error file={},line=17,col=7,title=response-type-changed::", new.replace(':', "%3A"));
    assert!(github.lines().any(|it| it.starts_with(&line)), "{github}");
    let sarif: Value = serde_json::from_str(&said(&diff(&[&old, &new, "--format", "sarif"]))).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    let region = &results[0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!(region, &json!({"startLine": 17, "startColumn": 7}));
    assert_eq!(results[0]["partialFingerprints"]["datagouvDiff/v1"], report["changes"][0]["fingerprint"]);
    let junit = said(&diff(&[&old, &new, "--format", "junit"]));
    assert!(junit.contains("tests=\"2\" failures=\"2\" skipped=\"0\""), "{junit}");
    assert!(junit.contains("<failure type=\"breaking\""), "{junit}");
}
