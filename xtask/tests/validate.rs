//! `cargo xtask validate`, as a maintainer runs it.

use std::path::PathBuf;
use std::process::{Command, Output};

use datagouv_specs::Api;
use serde_json::{Value, json};

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).arg("validate").args(arguments).output().unwrap()
}

/// The report of a text, and the code with which the command ends.
fn report(name: &str, text: &str) -> (Value, i32) {
    let file: PathBuf = std::env::temp_dir().join(format!("datagouv-validate-{}-{name}", std::process::id()));
    std::fs::write(&file, text).unwrap();
    let output = xtask(&[file.to_str().unwrap(), "--format", "json"]);
    std::fs::remove_file(&file).unwrap();
    let report = serde_json::from_slice(&output.stdout);
    (report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))), output.status.code().unwrap())
}

/// The rules that are found, each with its place.
fn found(report: &Value) -> Vec<(&str, &str)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|it| (it["rule"].as_str().unwrap(), it["pointer"].as_str().unwrap())).collect()
}

#[test]
fn the_vendored_documents_have_no_errors() {
    for api in Api::ALL {
        let output = xtask(&[api.name(), "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{api}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&report["summary"]["error"], &report["summary"]["warning"]), (&json!(0), &json!(0)), "{api}");
    }
}

#[test]
fn a_fault_is_reported_by_the_schema_and_by_the_reader() {
    let text = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n    get:\n      tags: things\n      \
                responses: {'200': {description: ''}}\n";
    let (report, code) = report("tags.yaml", text);
    assert_eq!(code, 1);
    assert_eq!(found(&report), [("schema", "/paths/~1a/get/tags"), ("wrong-form", "/paths/~1a/get/tags")]);
    let [by_schema, by_rule] = report["findings"].as_array().unwrap().as_slice() else { panic!("{report:#}") };
    assert_eq!(by_schema["text"], "it is not of type \"array\"");
    assert_eq!((&by_rule["level"], &by_rule["line"], &by_rule["column"]), (&json!("warning"), &json!(6), &json!(7)));
    assert_eq!(by_rule["reading"], "it is a list of that text");
    assert_eq!(report["version"], "openapi-3.0");
    assert_eq!(report["summary"], json!({"error": 1, "warning": 1, "info": 0}));
}

#[test]
fn each_version_has_its_schema() {
    let of = |version: Value, schema: Value| {
        let mut document =
            json!({"info": {"title": "t", "version": "1"}, "paths": {}, "components": {"schemas": {"A": schema}}});
        for (name, value) in version.as_object().unwrap() {
            document[name] = value.clone();
        }
        document.to_string()
    };
    let list = json!({"type": ["string", "null"]});
    let (in_30, _) = report("type-30.json", &of(json!({"openapi": "3.0.3"}), list.clone()));
    assert_eq!(
        found(&in_30)[..2],
        [("component-unused", "/components/schemas/A"), ("schema", "/components/schemas/A/type")]
    );
    let (in_31, code) = report("type-31.json", &of(json!({"openapi": "3.1.0"}), list));
    assert_eq!((found(&in_31), code), (vec![("component-unused", "/components/schemas/A")], 0));
    // The schemas of 3.1 are looked into as well.
    let (bad, code) = report("bad-31.json", &of(json!({"openapi": "3.1.0"}), json!({"maxLength": -1})));
    assert_eq!(code, 1);
    assert!(found(&bad).contains(&("schema", "/components/schemas/A/maxLength")), "{bad:#}");
    let two = json!({"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": {}}}});
    let (two, code) = report("two.json", &two.to_string());
    assert_eq!(code, 1);
    assert_eq!(found(&two), [("schema", "/paths/~1a/get"), ("no-responses", "/paths/~1a/get")]);
}

#[test]
fn own_rules_find_faults_that_a_schema_cannot() {
    let response = json!({"responses": {"200": {"description": ""}}});
    let mut twice = response.clone();
    twice["operationId"] = "a".into();
    let document = json!({
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/a/{id}": {"get": twice},
            "/a/{name}": {"get": twice, "parameters": [{"name": "other", "in": "path", "required": true, "schema": {}}]},
        },
        "components": {"schemas": {"A": {
            "properties": {"b": {"type": "string", "enum": ["x"], "default": "y"}, "a": {"$ref": "#/components/schemas/A", "title": "A"}},
            "required": ["c"],
        }}},
    });
    let (report, _) = report("own.json", &document.to_string());
    let expected = [
        ("path-twice", "/paths/~1a~1{name}"),
        ("operation-id-twice", "/paths/~1a~1{name}/get/operationId"),
        ("path-parameter-missing", "/paths/~1a~1{id}/get"),
        ("path-parameter-missing", "/paths/~1a~1{name}/get"),
        ("path-parameter-unknown", "/paths/~1a~1{name}/parameters/0"),
        ("required-unknown", "/components/schemas/A/required"),
        ("default-not-in-enum", "/components/schemas/A/properties/b/default"),
        ("reference-siblings-ignored", "/components/schemas/A/properties/a/$ref"),
    ];
    let found = found(&report);
    for rule in expected {
        assert_eq!(found.iter().filter(|it| **it == rule).count(), 1, "{rule:?} in {found:?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:?}");
}

#[test]
fn constructs_that_the_pipeline_cannot_read_are_warnings() {
    let tuple = json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {},
        "components": {"schemas": {"A": {"prefixItems": [true]}}}});
    let (report, code) = report("tuple.json", &tuple.to_string());
    assert_eq!(code, 0);
    assert!(found(&report).contains(&("no-equal", "/components/schemas/A/prefixItems")), "{report:#}");
}

#[test]
fn a_file_that_is_no_document_exits_with_2() {
    for (name, text, said) in
        [("list", "[]", "must be an object"), ("later", r#"{"openapi": "3.2.0"}"#, "not known yet")]
    {
        let file = std::env::temp_dir().join(format!("datagouv-validate-{}-{name}.json", std::process::id()));
        std::fs::write(&file, text).unwrap();
        let output = xtask(&[file.to_str().unwrap()]);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(said));
    }
}

#[test]
fn each_rule_is_documented() {
    let output = xtask(&["--rules"]);
    let table = String::from_utf8(output.stdout).unwrap();
    for rule in ["schema", "operation-id-twice", "external-reference", "no-responses"] {
        assert!(table.lines().any(|line| line.split_whitespace().next() == Some(rule)), "{rule}");
    }
}
