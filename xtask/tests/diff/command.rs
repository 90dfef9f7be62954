//! `cargo xtask diff`, as a maintainer runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::documents::{base, patched};

/// A folder for the files of a test, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("datagouv-diff-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let file = self.0.join(name);
        std::fs::write(&file, bytes).unwrap();
        file
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

fn between(old: &Path, new: &Path, more: &[&str]) -> Output {
    let mut arguments = vec![old.to_str().unwrap(), new.to_str().unwrap()];
    arguments.extend(more);
    diff(&arguments)
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What bad input ends with: 2, nothing on stdout, and one line.
fn refused(output: &Output) -> String {
    let line = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{line}");
    assert!(output.stdout.is_empty());
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

#[test]
fn it_fails_on_what_it_is_told_to_fail_on() {
    let folder = Folder::new("fail-on");
    let old = folder.write("old.json", base().to_string());
    let of = |name: &str, patch: Value| folder.write(name, patched(&patch).to_string());
    let get = |patch: Value| json!({"paths": {"/things/{id}": {"get": patch}}});
    let breaking = of("breaking.json", json!({"paths": {"/things/{id}": {"put": null}}}));
    let warning = of("warning.json", get(json!({"operationId": "read_thing"})));
    let info = of("info.json", get(json!({"tags": ["objects"]})));
    for (new, codes) in [(&old, [0, 0, 0]), (&info, [0, 0, 1]), (&warning, [0, 1, 1]), (&breaking, [1, 1, 1])] {
        assert_eq!(between(&old, new, &[]).status.code(), Some(0));
        for (level, code) in ["breaking", "warning", "any"].iter().zip(codes) {
            let output = between(&old, new, &["--fail-on", level]);
            assert_eq!(output.status.code(), Some(code), "{} on {level}", new.display());
        }
    }
}

#[test]
fn the_json_has_its_documented_shape() {
    let folder = Folder::new("json");
    let old = folder.write("old.json", base().to_string());
    let new = folder.write("new.json", patched(&json!({"paths": {"/things/{id}": {"put": null}}})).to_string());
    let report: Value = serde_json::from_str(&said(&between(&old, &new, &["--format", "json"]))).unwrap();
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&report), ["changes", "new", "notes", "old", "release", "summary"]);
    assert_eq!(report["summary"], json!({"breaking": 1, "warning": 0, "info": 0, "accepted": 0}));
    let line = report["changes"][0]["old_place"]["line"].as_u64().unwrap();
    let column = report["changes"][0]["old_place"]["column"].as_u64().unwrap();
    let expected = json!({
        "id": "operation-removed",
        "level": "breaking",
        "direction": null,
        "operation": "set_thing",
        "method": "PUT",
        "path": "/things/{id}",
        "operations": [{"operation": "set_thing", "method": "PUT", "path": "/things/{id}"}],
        "location": "",
        "old": "PUT /things/{id}",
        "new": null,
        "text": "`PUT /things/{id}` is gone.",
        "fingerprint": report["changes"][0]["fingerprint"],
        "accepted": null,
        "old_place": {"pointer": "/paths/~1things~1{id}/put", "line": line, "column": column},
        "new_place": null,
        "rust": null,
    });
    assert_eq!(report["changes"], json!([expected]));
}

#[test]
fn a_name_alone_is_the_vendored_document_against_the_last_commit() {
    let output = diff(&["metrics", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&said(&output)).unwrap();
    assert_eq!(report["old"], "git:HEAD:specs/metrics/openapi.json");
    assert_eq!(report["new"], "metrics");
}

#[test]
fn yaml_and_swagger_are_read_too() {
    let folder = Folder::new("languages");
    let swagger = folder.write(
        "swagger.yaml",
        "swagger: '2.0'\ninfo: {title: things, version: '1'}\nhost: a.test\nbasePath: /api\nschemes: [https]\n\
         paths:\n  /things:\n    get:\n      produces: [application/json]\n      parameters:\n        \
         - {name: tag, in: query, type: array, items: {type: string}, collectionFormat: multi}\n      \
         responses: {200: {description: '', schema: {type: string}}}\n",
    );
    let openapi = folder.write(
        "openapi.yaml",
        "openapi: 3.0.1\ninfo: {title: things, version: '1'}\nservers: [{url: 'https://a.test/api/'}]\n\
         paths:\n  /things:\n    get:\n      parameters:\n        \
         - {name: tag, in: query, schema: {type: array, items: {type: string}}}\n      \
         responses: {'200': {description: '', content: {application/json: {schema: {type: string}}}}}\n",
    );
    let output = between(&swagger, &openapi, &["--fail-on", "any"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn bad_input_is_one_line_that_names_file_and_place() {
    let folder = Folder::new("bad");
    let good = folder.write("good.json", base().to_string());
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let with = |patch: Value| patched(&patch).to_string();
    for (name, bytes, place) in [
        ("empty.json", Vec::new(), "empty"),
        ("binary.json", vec![0xff, 0xfe, 0x00, 0x80], "not text"),
        ("cut.json", b"{\"openapi\": \"3.0.3\",\n".to_vec(), "line 2"),
        ("list.json", b"[]".to_vec(), "must be an object"),
        ("number.yaml", b"1".to_vec(), "must be an object"),
        ("neither.json", b"{\"info\": {}}".to_vec(), "openapi"),
        ("aliases.yaml", b"a: &a [*a]\n".to_vec(), "YAML"),
        ("deep.json", deep.into_bytes(), "recursion"),
        ("new.json", with(json!({"openapi": "3.2.0"})).into_bytes(), "/openapi: OpenAPI 3.2.0 is not known yet"),
        ("paths.json", with(json!({"paths": []})).into_bytes(), "/paths: must be an object"),
        ("swagger.json", br#"{"swagger": "2.0", "info": {"title": "", "version": ""}, "paths": 1}"#.to_vec(), "/paths"),
    ] {
        let bad = folder.write(name, bytes);
        // As OLD, and as NEW.
        for line in [refused(&between(&bad, &good, &[])), refused(&between(&good, &bad, &[]))] {
            assert!(line.contains(name) && line.contains(place), "{name}: {line}");
        }
    }
    assert!(refused(&diff(&["absent.json", good.to_str().unwrap()])).contains("absent.json"));
    assert!(refused(&diff(&["things"])).contains("things"));
}

#[test]
fn a_fault_where_a_meaning_remains_is_a_note_that_names_document_and_place() {
    let folder = Folder::new("faults");
    let good = folder.write("good.json", base().to_string());
    let with = |patch: Value| patched(&patch).to_string();
    let get = |patch: Value| with(json!({"paths": {"/things/{id}": {"get": patch}}}));
    let schema = |schema: Value| with(json!({"components": {"schemas": {"A": schema}}}));
    for (name, text, note) in [
        ("tags.json", get(json!({"tags": "things"})), "/paths/~1things~1{id}/get/tags: must be a list of texts"),
        ("responses.json", get(json!({"responses": null})), "/paths/~1things~1{id}/get: has no responses"),
        (
            "slash.json",
            with(json!({"paths": {"others": {}}})),
            "the path `others` does not begin with `/`; it is `/others`",
        ),
        ("nowhere.json", schema(json!({"$ref": "#/components/schemas/B"})), "/components/schemas/A/$ref: "),
        (
            "elsewhere.json",
            schema(json!({"$ref": "https://a.test/b.json"})),
            "is a URL, and is not fetched; any value is allowed",
        ),
        ("required.json", schema(json!({"required": true})), "/components/schemas/A/required: "),
        ("security.json", with(json!({"security": [{"key": "read"}]})), "/security/0/key: must be a list of texts"),
    ] {
        let file = folder.write(name, &text);
        for (old, new) in [(&file, &good), (&good, &file)] {
            let output = between(old, new, &["--format", "json"]);
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
            let report: Value = serde_json::from_str(&said(&output)).unwrap();
            let notes: Vec<&str> = report["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert_eq!(notes.len(), 1, "{name}: {notes:?}");
            assert!(notes[0].starts_with(&file.to_string_lossy().into_owned()) && notes[0].contains(note), "{notes:?}");
        }
    }
    // What is not read changes nothing.
    let plain = folder.write("plain.json", schema(json!({})));
    let external = folder.write("external.json", schema(json!({"$ref": "b.json"})));
    assert_eq!(between(&plain, &external, &["--fail-on", "any"]).status.code(), Some(0));
}

#[test]
fn the_rules_are_printed_and_their_table_is_current() {
    let output = diff(&["--rules", "--format", "markdown"]);
    assert_eq!(output.status.code(), Some(0));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/diff-rules.md");
    let written = std::fs::read_to_string(file).unwrap();
    // The words above the table are written by hand.
    let table = written.split_once("\n| rule |").map(|(_, table)| format!("| rule |{table}")).unwrap();
    let said = said(&output);
    let differing = table.lines().zip(said.lines()).find(|(written, rule)| written != rule);
    let advice = "`cargo xtask diff --rules --format markdown` is not what docs/diff-rules.md has";
    assert!(table == said, "{advice}: {differing:?}");
}
