//! Rules that JSON Schema cannot express.

use std::collections::{BTreeMap, BTreeSet};

use datagouv_specs::faults::Version;
use datagouv_specs::pointer::escape;
use serde_json::Value;

use super::finding::{Finding, Severity};

/// The rules, each with its level.
pub const RULES: &[(&str, Severity, &str)] = &[
    (
        "no-equal",
        Severity::Warning,
        "OpenAPI 3.0 has nothing for a construct of the document: the pipeline does not read it, `diff` does.",
    ),
    ("operation-id-twice", Severity::Error, "Two operations have one `operationId`."),
    ("path-twice", Severity::Error, "Two paths differ in the names of their parameters alone."),
    ("path-parameter-missing", Severity::Error, "A path has a parameter that an operation does not describe."),
    ("path-parameter-unknown", Severity::Error, "An operation describes a parameter that its path does not have."),
    ("required-unknown", Severity::Warning, "A schema requires a property that it does not describe."),
    ("default-not-in-enum", Severity::Warning, "The default of a schema is none of its values."),
    (
        "reference-siblings-ignored",
        Severity::Info,
        "A reference to a schema has siblings, which OpenAPI 3.0 ignores; they are read.",
    ),
    ("component-unused", Severity::Info, "Nothing refers to a component."),
];

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

fn found(rule: &'static str, pointer: impl Into<String>, text: impl Into<String>) -> Finding {
    let level = RULES.iter().find(|(id, ..)| *id == rule).map_or(Severity::Error, |(_, level, _)| *level);
    Finding::new(rule, level, pointer, text)
}

/// What is found in a document that was read.
pub fn validate(document: &Value, version: Version) -> Vec<Finding> {
    let mut findings = Vec::new();
    operations(document, &mut findings);
    let mut references = BTreeSet::new();
    walk(document, "", version, &mut references, &mut findings);
    let sections = match version {
        Version::Swagger2 => vec!["/definitions".to_owned(), "/parameters".to_owned(), "/responses".to_owned()],
        _ => {
            let components = document.get("components").and_then(Value::as_object).into_iter().flatten();
            let sections =
                components.map(|(name, _)| name).filter(|name| *name != "securitySchemes" && !name.starts_with("x-"));
            sections.map(|name| format!("/components/{name}")).collect()
        }
    };
    for section in sections {
        for (name, _) in document.pointer(&section).and_then(Value::as_object).into_iter().flatten() {
            let pointer = format!("{section}/{}", escape(name));
            let decoded = format!("#{section}/{name}");
            let is_used = |it: &&String| **it == decoded || it.starts_with(&format!("#{pointer}")) || *name == **it;
            if !references.iter().any(|it| is_used(&it)) {
                findings.push(found("component-unused", pointer, "nothing refers to it"));
            }
        }
    }
    findings
}

fn operations(document: &Value, findings: &mut Vec<Finding>) {
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    let mut templates: BTreeMap<String, &str> = BTreeMap::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        if !path.starts_with('/') {
            continue;
        }
        let at = format!("/paths/{}", escape(path));
        let names: Vec<&str> = path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect();
        let template = names.iter().fold(path.clone(), |template, name| template.replace(&format!("{{{name}}}"), "{}"));
        if let Some(other) = templates.insert(template, path) {
            findings.push(found("path-twice", &at, format!("is `{other}`, but for the names of parameters")));
        }
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let at = format!("{at}/{method}");
            if let Some(id) = operation.get("operationId").and_then(Value::as_str)
                && let Some(other) = ids.insert(id, at.clone())
            {
                let text = format!("`{id}` is the `operationId` of {other} too");
                findings.push(found("operation-id-twice", format!("{at}/operationId"), text));
            }
            let mut described = BTreeSet::new();
            for (owner, at) in [(item, at.rsplit_once('/').map_or("", |it| it.0)), (operation, at.as_str())] {
                let list = owner.get("parameters").and_then(Value::as_array).into_iter().flatten();
                for (index, parameter) in list.enumerate() {
                    let target = follow(document, parameter);
                    let text = |key: &str| target.get(key).and_then(Value::as_str).unwrap_or_default();
                    if text("in") == "path" {
                        described.insert(text("name"));
                        if !names.contains(&text("name")) {
                            let text = format!("the path has no `{}`", text("name"));
                            findings.push(found("path-parameter-unknown", format!("{at}/parameters/{index}"), text));
                        }
                    }
                }
            }
            for name in names.iter().filter(|name| !described.contains(**name)) {
                findings.push(found("path-parameter-missing", &at, format!("`{name}` of the path is not described")));
            }
        }
    }
}

/// A parameter, by way of one reference after another.
fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut current = value;
    for _ in 0..32 {
        let Some(pointer) = current.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#')) else {
            break;
        };
        let Some(target) = document.pointer(pointer) else { break };
        current = target;
    }
    current
}

/// Schemas anywhere, recognised by their keywords.
fn walk(value: &Value, at: &str, version: Version, references: &mut BTreeSet<String>, findings: &mut Vec<Finding>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                references.insert(decoded(reference));
                let is_schema = at.contains("/schemas/") || at.contains("/schema") || at.contains("/definitions/");
                if version == Version::OpenApi30 && is_schema && members.len() > 1 && !at.ends_with("/properties") {
                    let others: Vec<&str> = members.keys().map(String::as_str).filter(|key| *key != "$ref").collect();
                    let text = format!("has the siblings {}", others.join(", "));
                    findings.push(found("reference-siblings-ignored", format!("{at}/$ref"), text));
                }
            }
            for target in
                members.get("mapping").and_then(Value::as_object).into_iter().flatten().filter_map(|it| it.1.as_str())
            {
                references.insert(decoded(target));
            }
            if let Some(Value::Object(properties)) = members.get("properties")
                && !["allOf", "oneOf", "anyOf", "$ref"].iter().any(|key| members.contains_key(*key))
            {
                let names =
                    members.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
                for name in names.filter(|name| !properties.contains_key(*name)) {
                    findings.push(found(
                        "required-unknown",
                        format!("{at}/required"),
                        format!("`{name}` is no property"),
                    ));
                }
            }
            if let (Some(default), Some(Value::Array(values))) = (members.get("default"), members.get("enum"))
                && !values.contains(default)
                && !default.is_null()
            {
                findings.push(found(
                    "default-not-in-enum",
                    format!("{at}/default"),
                    format!("{default} is none of the values"),
                ));
            }
            for (name, child) in members {
                // Data may look like anything.
                if !matches!(name.as_str(), "example" | "examples" | "default" | "enum") && !name.starts_with("x-") {
                    walk(child, &format!("{at}/{}", escape(name)), version, references, findings);
                }
            }
        }
        Value::Array(list) => {
            for (index, child) in list.iter().enumerate() {
                walk(child, &format!("{at}/{index}"), version, references, findings);
            }
        }
        _ => {}
    }
}

/// A reference with its fragment decoded, as far as it is one.
fn decoded(reference: &str) -> String {
    percent_encoding::percent_decode_str(reference).decode_utf8_lossy().into_owned()
}
