//! `cargo xtask convert`, as a maintainer runs it.

use std::path::PathBuf;
use std::process::{Command, Output};

fn convert(name: &str, text: &str) -> Output {
    let file = std::env::temp_dir().join(format!("datagouv-convert-{}-{name}", std::process::id()));
    std::fs::write(&file, text).unwrap();
    let output = run(&file);
    std::fs::remove_file(&file).unwrap();
    output
}

fn run(file: &PathBuf) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).arg("convert").arg(file).output().unwrap()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

const YAML: &str = "
swagger: '2.0'
info: {title: test, version: '1'}
paths:
  /things/{id}:
    get:
      parameters: [{name: id, in: path, required: true, type: string}]
      responses: {200: {description: ok, schema: {type: string, x-nullable: true}}}
";

#[test]
fn json_and_yaml_are_converted() {
    let json = r#"{"swagger": "2.0", "info": {"title": "test", "version": "1"}, "paths": {}}"#;
    for (name, text) in [("a.json", json), ("a.yaml", YAML)] {
        let output = convert(name, text);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["openapi"], "3.0.3");
    }
}

#[test]
fn faults_are_printed_and_the_rest_is_converted() {
    let output = convert("faults.yaml", &YAML.replace("'2.0'", "2.0").replace("type: string}]", "type: strange}]"));
    assert_eq!(output.status.code(), Some(0));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let schema = &document["paths"]["/things/{id}"]["get"]["parameters"][0]["schema"];
    assert_eq!(schema, &serde_json::json!({"type": "string"}));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("warning: /swagger: is 2.0; it is \"2.0\""), "{said}");
    assert!(said.contains("/paths/~1things~1{id}/get/parameters/0/type: `strange` is no type here"), "{said}");
}

#[test]
fn bad_input_is_one_line_that_names_the_place() {
    let tuple = r#"{"openapi": "3.1.0", "info": {"title": "", "version": ""}, "components": {"schemas": {"A":
        {"prefixItems": [{}]}}}}"#;
    let said = refused(&convert("tuple.json", tuple));
    assert!(said.contains("/components/schemas/A/prefixItems: OpenAPI 3.0 has nothing"), "{said}");
    let said = refused(&convert("not.json", "{\"swagger\": \n\n oops"));
    assert!(said.contains("not.json") && said.contains("line 3"), "{said}");
    let said = refused(&convert("later.json", r#"{"openapi": "3.2.0", "info": {}, "paths": {}}"#));
    assert!(said.contains("/openapi: OpenAPI 3.2.0 is not known yet"), "{said}");
    let said = refused(&run(&PathBuf::from("absent.json")));
    assert!(said.contains("absent.json"), "{said}");
}
