//! Pass 5, enums: one name for each set of values.
//!
//! Guarantees: every enum of strings in a component or a parameter has a name, the same wherever the same values stand:
//! that of its property where all places agree on it, otherwise that of the first place.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::components::{Components, base, enum_values};
use super::names;
use super::naming::Names;
use super::operations::DocumentOperation;

/// A schema with an enum: its values, and the names of what it is in.
struct Occurrence<'a> {
    values: Vec<String>,
    parent: &'a str,
    property: Option<&'a str>,
}

/// Names the enums of the whole document.
pub fn enums(components: Components<'_>, operations: &[DocumentOperation<'_>], mut type_names: Names) -> Names {
    let mut occurrences = Vec::new();
    for (component, schema) in components.iter() {
        collect(schema, base(component), None, &mut occurrences);
    }
    for operation in operations {
        // In the order of the document, which decides the name where places disagree.
        for parameter in operation.value.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            if let Some(schema) = parameter.get("schema") {
                collect(schema, &operation.name, Some(name), &mut occurrences);
            }
        }
    }
    let in_rust = |Occurrence { values, parent, property }: Occurrence<'_>| {
        (values, names::camel(parent), property.map(names::camel).unwrap_or_default())
    };
    let occurrences: Vec<(Vec<String>, String, String)> = occurrences.into_iter().map(in_rust).collect();
    let mut properties: BTreeMap<&Vec<String>, BTreeSet<&str>> = BTreeMap::new();
    let mut sets: BTreeMap<&str, BTreeSet<&Vec<String>>> = BTreeMap::new();
    for (values, _, property) in &occurrences {
        properties.entry(values).or_default().insert(property);
        sets.entry(property).or_default().insert(values);
    }
    for (values, parent, property) in &occurrences {
        if type_names.enums.contains_key(values) {
            continue;
        }
        let shared = properties[values].len() == 1 && sets[property.as_str()].len() == 1 && !property.is_empty();
        let is_free = shared && !type_names.is_taken(property);
        let name = if is_free { property.clone() } else { format!("{parent}{property}") };
        let name = if type_names.is_taken(&name) { format!("{name}Value") } else { name };
        let name = type_names.take(name);
        type_names.enums.insert(values.clone(), name);
    }
    type_names
}

fn collect<'a>(schema: &'a Value, parent: &'a str, property: Option<&'a str>, occurrences: &mut Vec<Occurrence<'a>>) {
    if let Some(values) = enum_values(schema) {
        occurrences.push(Occurrence { values, parent, property });
        return;
    }
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        collect(schema, parent, Some(name), occurrences);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(key) {
            collect(inner, parent, property, occurrences);
        }
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            collect(part, parent, property, occurrences);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shape::naming::naming;
    use crate::shape::roles::Roles;

    fn enum_names(schemas: Value) -> BTreeMap<Vec<String>, String> {
        let document = json!({"components": {"schemas": schemas}});
        let components = Components::of(&document);
        enums(components, &[], naming(components, &Roles::default())).enums
    }

    #[test]
    fn the_same_values_have_one_name_whatever_their_order() {
        let thing =
            json!({"properties": {"kind": {"enum": ["b", "a"]}, "kinds": {"items": {"enum": ["a", "b", null]}}}});
        let names = enum_names(json!({"Thing": thing}));
        assert_eq!(
            names.into_iter().collect::<Vec<_>>(),
            [(vec!["a".to_owned(), "b".to_owned()], "ThingKind".to_owned())]
        );
    }

    #[test]
    fn a_property_names_its_values_where_all_places_agree() {
        let of = |values: &[&str]| json!({"properties": {"kind": {"enum": values}}});
        assert!(enum_names(json!({"A": of(&["x"]), "B": of(&["x"])})).into_values().eq(["Kind"]));
        assert!(enum_names(json!({"A": of(&["x"]), "B": of(&["y"])})).into_values().eq(["AKind", "BKind"]));
    }
}
