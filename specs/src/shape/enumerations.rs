//! Enums: which there are, and what each is called.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{names, schemas};

/// Names the enums of the whole document: by the property where all places agree, by the first place otherwise.
pub fn names(document: &Value, taken: &mut BTreeSet<String>) -> BTreeMap<Vec<String>, String> {
    let mut enumerations = BTreeMap::new();
    let components = document.pointer("/components/schemas").and_then(Value::as_object);
    let mut sites: Vec<(Vec<String>, String, String)> = Vec::new();
    for (component, schema) in components.into_iter().flatten() {
        collect_enumerations(schema, &names::camel(schemas::base(component)), "", &mut sites);
    }
    for (_, operation) in super::operations(document) {
        for parameter in operation.value.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            if let Some(schema) = parameter.get("schema") {
                collect_enumerations(schema, &names::camel(&operation.name), &names::camel(name), &mut sites);
            }
        }
    }
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
    let mut strings = BTreeSet::new();
    for value in values.iter().filter(|value| !value.is_null()) {
        strings.insert(value.as_str()?.to_owned());
    }
    (!strings.is_empty()).then(|| strings.into_iter().collect())
}

fn collect_enumerations(schema: &Value, parent: &str, property: &str, sites: &mut Vec<(Vec<String>, String, String)>) {
    if let Some(values) = string_values(schema) {
        sites.push((values, parent.to_owned(), property.to_owned()));
        return;
    }
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        collect_enumerations(schema, parent, &names::camel(name), sites);
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
