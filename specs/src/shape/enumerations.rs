//! Enums: which there are, and what each is called.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Found, names, schemas};

/// An enum where it stands: its values, and the names that the document has for what it stands in.
struct Site<'a> {
    values: Vec<String>,
    parent: &'a str,
    property: Option<&'a str>,
}

/// Names the enums of the whole document: by the property where all places agree, by the first place otherwise.
pub fn names<'a>(
    document: &'a Value,
    operations: &'a [Found<'a>],
    taken: &mut BTreeSet<String>,
) -> BTreeMap<Vec<String>, String> {
    let mut enumerations = BTreeMap::new();
    let components = document.pointer("/components/schemas").and_then(Value::as_object);
    let mut found: Vec<Site<'a>> = Vec::new();
    for (component, schema) in components.into_iter().flatten() {
        collect_enumerations(schema, schemas::base(component), None, &mut found);
    }
    for operation in operations {
        for parameter in operation.value.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            if let Some(schema) = parameter.get("schema") {
                collect_enumerations(schema, &operation.name, Some(name), &mut found);
            }
        }
    }
    let in_rust = |Site { values, parent, property }: Site<'a>| {
        (values, names::camel(parent), property.map(names::camel).unwrap_or_default())
    };
    let sites: Vec<(Vec<String>, String, String)> = found.into_iter().map(in_rust).collect();
    let mut properties: BTreeMap<&Vec<String>, BTreeSet<&str>> = BTreeMap::new();
    let mut sets: BTreeMap<&str, BTreeSet<&Vec<String>>> = BTreeMap::new();
    for (values, _, property) in &sites {
        properties.entry(values).or_default().insert(property);
        sets.entry(property).or_default().insert(values);
    }
    for (values, parent, property) in &sites {
        if enumerations.contains_key(values) {
            continue;
        }
        let shared = properties[values].len() == 1 && sets[property.as_str()].len() == 1 && !property.is_empty();
        let name = if shared && !taken.contains(property) { property.clone() } else { format!("{parent}{property}") };
        let name = if taken.contains(&name) { format!("{name}Value") } else { name };
        let name = names::free(name, taken);
        taken.insert(name.clone());
        enumerations.insert(values.clone(), name);
    }
    enumerations
}

/// The values of an enum of strings, sorted; null among them says nothing about the type.
pub fn string_values(schema: &Value) -> Option<Vec<String>> {
    let values = schema.get("enum")?.as_array()?;
    let mut strings = Vec::with_capacity(values.len());
    for value in values.iter().filter(|value| !value.is_null()) {
        strings.push(value.as_str()?.to_owned());
    }
    strings.sort_unstable();
    strings.dedup();
    (!strings.is_empty()).then_some(strings)
}

fn collect_enumerations<'a>(schema: &'a Value, parent: &'a str, property: Option<&'a str>, sites: &mut Vec<Site<'a>>) {
    if let Some(values) = string_values(schema) {
        sites.push(Site { values, parent, property });
        return;
    }
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        collect_enumerations(schema, parent, Some(name), sites);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(key) {
            collect_enumerations(inner, parent, property, sites);
        }
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            collect_enumerations(part, parent, property, sites);
        }
    }
}
