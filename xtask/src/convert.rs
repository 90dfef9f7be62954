//! `convert`: the OpenAPI 3.0.3 of any Swagger 2.0 document.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

/// Bad input ends with 2 and one line.
pub fn run(file: &Path) -> ExitCode {
    match convert(file) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{}: {}", file.display(), reason.replace('\n', " "));
            ExitCode::from(2)
        }
    }
}

fn convert(file: &Path) -> Result<String, String> {
    let document = read(file)?;
    let converted = datagouv_specs::swagger2::to_openapi(&document).map_err(|error| error.to_string())?;
    serde_json::to_string_pretty(&converted).map_err(|error| error.to_string())
}

/// A document of JSON or YAML.
pub fn read(file: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    // What looks like JSON gets the messages of a reader of JSON.
    if text.trim_start().starts_with(['{', '[']) {
        return serde_json::from_str(&text).map_err(|error| format!("not JSON: {error}"));
    }
    serde_yaml_ng::from_str(&text).map_err(|error| format!("neither JSON nor YAML: {error}"))
}
