//! Generates a call of every operation with all that the corrected documents declare.
//!
//! The tests choose the values: the generated code only passes them to the methods of the builders.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use datagouv_specs::shape::names::{camel, operation as operation_name, snake};
use datagouv_specs::shape::shape;
use datagouv_specs::shape::types::Rust;
use datagouv_specs::{Api, corrected};
use document::{Body, Document, Kind, Operation, Parameter};

#[allow(dead_code, reason = "the tests need more of it")]
#[path = "src/document.rs"]
mod document;

/// The names of the methods of every builder; a path parameter with one of them is renamed.
const BUILDER_NAMES: [&str; 4] = ["body", "client", "new", "send"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/document.rs");
    let mut calls = String::new();
    for api in Api::ALL {
        let document = Document::corrected(api)?;
        let forms = forms(api)?;
        for operation in document.operations() {
            let form = forms.iter().find(|(id, _)| *id == operation.id).map(|(_, name)| name.as_str());
            write_call(&mut calls, &document, &operation, form)?;
        }
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    fs::write(out.join("calls.rs"), format!("&[\n{calls}]\n"))?;
    Ok(())
}

/// The names of the types of bodies, from the shaped document.
fn forms(api: Api) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let shaped = shape(api, &corrected(api)?)?;
    let named = |body: Option<Rust>| if let Some(Rust::Named(name)) = body { Some(name) } else { None };
    Ok(shaped
        .operations
        .into_iter()
        .filter_map(|operation| Some((operation.operation_id, named(operation.body)?)))
        .collect())
}

fn write_call(
    calls: &mut String,
    document: &Document,
    operation: &Operation,
    form: Option<&str>,
) -> Result<(), Box<dyn Error>> {
    let (api, module) = (camel(document.api.name()), document.api.module());
    let (id, name) = (&operation.id, operation_name(&operation.id));
    write!(
        calls,
        "Call {{ api: Api::{api}, operation_id: {id:?}, name: {name:?}, send: |client, given| Box::pin(async move {{ "
    )?;
    if operation.parameters.is_empty() && operation.body.is_none() {
        write!(calls, "let _ = given; ")?;
    }
    write!(calls, "client.{module}().{name}()")?;
    for (setter, parameter) in setters(operation) {
        let taken = taken(parameter.kind);
        write!(calls, ".{setter}(given.{taken}({:?}))", parameter.key())?;
    }
    match &operation.body {
        Some(body) if body.is_form() => {
            let form = form.ok_or_else(|| format!("{id}: its form has no type"))?;
            write!(calls, ".body({})", written_form(document, body, module, form))?;
        }
        Some(body) => {
            let taken = match document.kind(&body.schema) {
                Kind::Object => "value",
                other => taken(other),
            };
            write!(calls, ".body(given.{taken}(\"body\"))")?;
        }
        None => {}
    }
    writeln!(calls, ".send().await?.finish().await }}) }},")?;
    Ok(())
}

/// The methods of a builder that take the parameters.
fn setters(operation: &Operation) -> Vec<(String, &Parameter)> {
    let (path, others): (Vec<_>, Vec<_>) = operation.parameters.iter().partition(|parameter| parameter.place == "path");
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut setters = Vec::new();
    for parameter in others.into_iter().chain(path) {
        let mut name = parameter.name.clone();
        while taken.contains(&snake(&name)) || BUILDER_NAMES.contains(&snake(&name).as_str()) {
            name = format!("path_{}", name.trim_start_matches('_'));
        }
        taken.insert(snake(&name));
        setters.push((snake(&name), parameter));
    }
    setters
}

fn written_form(document: &Document, body: &Body, module: &str, name: &str) -> String {
    let required = match &body.required {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => document.required_in_requests(&body.schema),
    };
    let (mut arguments, mut methods) = (String::new(), String::new());
    for (property, schema) in document.sent_properties(&body.schema) {
        let value = format!("given.{}({:?})", taken(document.kind(schema)), format!("form.{property}"));
        if required.contains(&property) {
            arguments += &format!("{value}, ");
        } else {
            methods += &format!(".{}({value})", snake(property));
        }
    }
    format!("datagouv::{module}::types::{name}::new({arguments}){methods}")
}

/// The method that converts a sample to the type of the builder.
fn taken(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Joined => "text",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::List => "list",
        Kind::Object => "filters",
        Kind::Map => "map",
        Kind::File => "file",
    }
}
