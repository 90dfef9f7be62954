//! `coverage`: which operations of the documents are generated, called in tests, and called on a real server.
//!
//! The operations are read from the vendored documents, the methods from the generated code: independently, so that a
//! missing operation is found.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use datagouv_specs::{Api, corrected, document, generate, shape};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use syn::{Attribute, Expr, ImplItem, Item, Lit, Meta};

use crate::format::Format;
use crate::root;

/// A line of the report.
#[derive(Serialize)]
struct OperationCoverage {
    api: &'static str,
    operation_id: String,
    method: String,
    path: String,
    /// The method that calls it.
    rust: Option<String>,
    /// The media type of its body.
    media: Option<String>,
    generated: bool,
    sandbox: bool,
    server: bool,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct CalledOperation {
    api: String,
    operation_id: String,
}

/// Prints which operations are covered. Fails if one is not generated, or, with `live`, if no response of a
/// real server to it was recorded.
pub fn run(format: Format, live: bool) -> ExitCode {
    match lines() {
        Ok(lines) => {
            print(&lines, format);
            let is_covered = |line: &OperationCoverage| line.generated && (line.server || !live);
            if lines.iter().all(is_covered) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}

fn lines() -> Result<Vec<OperationCoverage>, String> {
    let sandbox = called_in_sandbox()?;
    let server = called_on_server(&root().join("tests/fixtures"))?;
    let mut lines = Vec::new();
    for api in Api::ALL {
        let document = document::parse(api.document_text()).map_err(|error| error.to_string())?;
        let generated = generated(api)?;
        for (method, path, operation) in document_operations(&document) {
            let operation_id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
            let found = generated.iter().find(|one| one.method == method && one.path == without_parameter_names(&path));
            let called = CalledOperation { api: api.name().to_owned(), operation_id };
            let (sandbox, server) = (sandbox.contains(&called), server.contains(&called));
            lines.push(OperationCoverage {
                api: api.name(),
                operation_id: called.operation_id,
                media: media(operation, &document),
                rust: found.map(|one| format!("{}::Client::{}", api.module(), one.name)),
                generated: found.is_some(),
                method,
                path,
                sandbox,
                server,
            });
        }
    }
    Ok(lines)
}

/// The operations of a vendored document, whichever language it is in.
fn document_operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document.get("paths").and_then(Value::as_object);
    let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    let of_path = |(path, item): (&String, &'_ Value)| -> Vec<(String, String)> {
        methods
            .iter()
            .filter(|method| item.get(**method).is_some())
            .map(|method| (method.to_string(), path.clone()))
            .collect()
    };
    let found: Vec<(String, String)> = paths.into_iter().flatten().flat_map(of_path).collect();
    found
        .into_iter()
        .map(|(method, path)| {
            let operation = &document["paths"][&path][&method];
            (method.to_ascii_uppercase(), path, operation)
        })
        .collect()
}

/// The media type of a body, from Swagger 2.0 or OpenAPI 3.0.
fn media(operation: &Value, document: &Value) -> Option<String> {
    if let Some(content) = operation.pointer("/requestBody/content").and_then(Value::as_object) {
        return content.keys().next().cloned();
    }
    let parameters = operation.get("parameters").and_then(Value::as_array)?;
    let has = |location: &str| {
        parameters.iter().any(|parameter| parameter.get("in").and_then(Value::as_str) == Some(location))
    };
    if !has("body") && !has("formData") {
        return None;
    }
    let consumes = operation.get("consumes").or_else(|| document.get("consumes"))?;
    consumes.get(0).and_then(Value::as_str).map(str::to_owned)
}

/// A method of a generated client.
struct Generated {
    name: String,
    method: String,
    path: String,
}

/// The methods in the generated code of a client.
fn generated(api: Api) -> Result<Vec<Generated>, String> {
    let source = corrected(api)
        .and_then(|document| shape::shape(api, &document))
        .and_then(|shaped| generate::generate(&shaped))
        .map_err(|error| error.to_string())?;
    let file = syn::parse_file(&source).map_err(|error| format!("{api}: what was generated is not Rust: {error}"))?;
    let mut found = Vec::new();
    for item in file.items {
        let Item::Impl(block) = item else { continue };
        for item in block.items {
            let ImplItem::Fn(function) = item else { continue };
            if let Some((method, path)) = request_of(&function.attrs) {
                found.push(Generated {
                    name: function.sig.ident.to_string(),
                    method,
                    path: without_parameter_names(&path),
                });
            }
        }
    }
    Ok(found)
}

/// The method and path in a method's documentation, which stand on a line of their own: `` `GET /path` ``.
fn request_of(attributes: &[Attribute]) -> Option<(String, String)> {
    attributes.iter().find_map(|attribute| {
        let Meta::NameValue(meta) = &attribute.meta else { return None };
        let Expr::Lit(literal) = &meta.value else { return None };
        let Lit::Str(text) = &literal.lit else { return None };
        let text = text.value();
        text.lines().find_map(|line| {
            let (method, path) = line.strip_prefix('`')?.strip_suffix('`')?.split_once(' ')?;
            (method.bytes().all(|letter| letter.is_ascii_uppercase()) && path.starts_with('/'))
                .then(|| (method.to_owned(), path.to_owned()))
        })
    })
}

/// A path without the names of its parameters, which are never sent.
fn without_parameter_names(path: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for letter in path.chars() {
        match letter {
            '{' => {
                inside = true;
                out.push_str("{}");
            }
            '}' => inside = false,
            _ if !inside => out.push(letter),
            _ => {}
        }
    }
    out
}

/// The operations of which a response of a real server was recorded.
fn called_on_server(folder: &Path) -> Result<BTreeSet<CalledOperation>, String> {
    let mut called = BTreeSet::new();
    let failed = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    for entry in std::fs::read_dir(folder).map_err(|error| failed(folder, &error))? {
        let path = entry.map_err(|error| failed(folder, &error))?.path();
        if path.is_dir() {
            called.append(&mut called_on_server(&path)?);
        } else {
            let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
            called.insert(serde_json::from_str(&text).map_err(|error| failed(&path, &error))?);
        }
    }
    Ok(called)
}

/// Runs the contract test, and reads which calls it passed.
fn called_in_sandbox() -> Result<BTreeSet<CalledOperation>, String> {
    let file = root().join("target/coverage-sandbox.json");
    std::fs::create_dir_all(root().join("target")).map_err(|error| format!("target: {error}"))?;
    let _ = std::fs::remove_file(&file);
    let status = crate::cargo("test")
        .args(["--quiet", "--package", "datagouv-contract"])
        .env("DATAGOUV_COVERAGE", &file)
        .stdout(std::process::Stdio::null())
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        eprintln!("the contract test fails: what it did not reach counts as not called");
    }
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}

fn print(lines: &[OperationCoverage], format: Format) {
    if format == Format::Json {
        println!("{}", serde_json::to_string_pretty(lines).unwrap_or_default());
        return;
    }
    println!("{:<10} {:>10} {:>10} {:>10} {:>10}", "api", "operations", "generated", "sandbox", "server");
    let row = |name: &str, lines: &[&OperationCoverage]| {
        let count = |of: fn(&OperationCoverage) -> bool| lines.iter().filter(|line| of(line)).count();
        let (generated, sandbox, server) =
            (count(|line| line.generated), count(|line| line.sandbox), count(|line| line.server));
        println!("{name:<10} {:>10} {generated:>10} {sandbox:>10} {server:>10}", lines.len());
    };
    for api in Api::ALL {
        row(api.name(), &lines.iter().filter(|line| line.api == api.name()).collect::<Vec<_>>());
    }
    row("all", &lines.iter().collect::<Vec<_>>());
    let missing = |message: &str, of: fn(&&OperationCoverage) -> bool| {
        for line in lines.iter().filter(of) {
            println!("{message}: {} {} {} ({})", line.api, line.method, line.path, line.operation_id);
        }
    };
    missing("not generated", |line| !line.generated);
    missing("not called in the sandbox", |line| !line.sandbox);
    missing("not called on a real server", |line| !line.server);
}
