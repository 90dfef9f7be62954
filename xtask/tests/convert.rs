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
fn bad_input_is_one_line_that_names_the_place() {
    let said = refused(&convert("place.yaml", &YAML.replace("type: string}]", "type: strange}]")));
    assert!(said.contains("/paths/~1things~1{id}/get/parameters/0"), "{said}");
    let said = refused(&convert("not.json", "{\"swagger\": \n\n oops"));
    assert!(said.contains("not.json") && said.contains("line 3"), "{said}");
    let said = refused(&convert("three.json", r#"{"openapi": "3.0.3", "info": {}, "paths": {}}"#));
    assert!(said.contains("swagger"), "{said}");
    let said = refused(&run(&PathBuf::from("absent.json")));
    assert!(said.contains("absent.json"), "{said}");
}
