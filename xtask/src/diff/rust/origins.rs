//! Maps items of the crate to the parts of the document that they come from.

use std::collections::{BTreeMap, BTreeSet};

use datagouv_specs::shape::types::{Kind, Role};
use datagouv_specs::shape::{Shaped, names};
use serde_json::Value;

use crate::diff::change::Origin;

/// Where the types, fields and arguments of a client come from.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// The schema of the components that a type is made of.
    schemas: BTreeMap<String, String>,
    /// The property that a field is.
    properties: BTreeMap<(String, String), String>,
    /// The parameter that an argument is, by method and path.
    parameters: BTreeMap<(String, String, String), String>,
    operations: BTreeSet<(String, String)>,
}

impl Origins {
    /// The origins in a shaped document and in its corrected document.
    pub fn of(shaped: &Shaped, document: &Value) -> Self {
        let mut origins = Self::default();
        let components = document.pointer("/components/schemas").and_then(Value::as_object);
        let components: BTreeSet<&str> = components.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        for (name, made) in &shaped.types {
            let role = match &made.kind {
                Kind::Structure(role, fields) => {
                    for field in fields.iter().filter(|field| !field.rest) {
                        let key = (name.clone(), field.name.clone());
                        origins.properties.insert(key, field.property.clone());
                    }
                    *role
                }
                _ => Role::Response,
            };
            if let Some(component) = component(name, role, &components) {
                origins.schemas.insert(name.clone(), component.to_owned());
            }
        }
        for operation in &shaped.operations {
            let (method, path) = (operation.method.clone(), operation.path.clone());
            let item = document.get("paths").and_then(|paths| paths.get(&path));
            let own = item.and_then(|item| item.get(method.to_ascii_lowercase()));
            let lists = [item, own].into_iter().flatten().filter_map(|holder| holder.get("parameters")?.as_array());
            for parameter in lists.flatten().filter_map(|parameter| parameter.get("name")?.as_str()) {
                let key = (method.clone(), path.clone(), names::snake(parameter));
                origins.parameters.insert(key, parameter.to_owned());
            }
            origins.operations.insert((method, path));
        }
        origins
    }

    /// The name in the document, if it has one.
    pub fn find(&self, origin: &Origin) -> Option<Origin> {
        match origin {
            Origin::Operation { method, path, parameter } => {
                self.operations.contains(&(method.clone(), path.clone())).then(|| Origin::Operation {
                    method: method.clone(),
                    path: path.clone(),
                    parameter: parameter.as_ref().map(|argument| {
                        let key = (method.clone(), path.clone(), argument.clone());
                        self.parameters.get(&key).unwrap_or(argument).clone()
                    }),
                })
            }
            Origin::Schema { name, property } => {
                let schema = self.schemas.get(name)?.clone();
                let property = match property {
                    Some(field) => Some(self.properties.get(&(name.clone(), field.clone()))?.clone()),
                    None => None,
                };
                Some(Origin::Schema { name: schema, property })
            }
        }
    }
}

/// The component that a type is named after: the read one for responses, the written one for requests.
fn component<'c>(name: &str, role: Role, components: &BTreeSet<&'c str>) -> Option<&'c str> {
    let stems = ["Input", "Update", ""].into_iter().filter_map(|suffix| name.strip_suffix(suffix));
    let suffixes = match role {
        Role::Response => ["_read", "", "_write"],
        Role::Request => ["_write", "", "_read"],
    };
    let named = |stem: &str, suffix: &str| {
        components.iter().find(|component| {
            let plain = component.strip_suffix("_read").or_else(|| component.strip_suffix("_write"));
            let own = &component[plain.map_or(component.len(), str::len)..];
            own == suffix && (names::camel(plain.unwrap_or(component)) == stem || names::camel(component) == stem)
        })
    };
    let stems: Vec<&str> = stems.collect();
    suffixes.iter().find_map(|suffix| stems.iter().rev().find_map(|stem| named(stem, suffix).copied()))
}
