//! The component schemas of a document, and how they are looked up in a role.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::types::Role;
use crate::Error;

static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

/// How many references may follow one another before they are taken for a cycle.
const MAX_DEPTH: usize = 32;

/// The schemas under `/components/schemas`.
#[derive(Debug, Clone, Copy)]
pub struct Components<'a>(&'a Map<String, Value>);

/// The properties of an object schema and of those it extends (`allOf`).
#[derive(Debug, Default)]
pub struct Properties<'a> {
    /// The schema of each property, by its name in JSON.
    pub schemas: BTreeMap<String, &'a Value>,
    /// The names of the required properties.
    pub required: BTreeSet<String>,
}

impl<'a> Components<'a> {
    /// The components of a document.
    pub fn of(document: &'a Value) -> Self {
        Self(document.pointer("/components/schemas").and_then(Value::as_object).unwrap_or(&NONE))
    }

    /// All of them, by name.
    pub fn iter(self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.0.iter()
    }

    /// The component that a reference means in a role, and its schema.
    pub fn resolve(self, reference: &str, role: Role, pointer: &str) -> Result<(&'a str, &'a Value), Error> {
        self.lookup(component_name(reference, pointer)?, role)
            .ok_or_else(|| Error::new(pointer, format!("`{reference}` is not in the document")))
    }

    /// The component of that name, and its schema. In a request, `X (read)` means `X (write)` where the document has
    /// both and the latter can send all properties of the former: a reference to an object by its id does not write
    /// that object.
    pub fn lookup(self, name: &str, role: Role) -> Option<(&'a str, &'a Value)> {
        let read = self.0.get_key_value(name);
        let written = || {
            let stem = name.strip_suffix("_read").filter(|_| role == Role::Request)?;
            let written = self.0.get_key_value(&format!("{stem}_write"))?;
            sendable(read?.1).is_subset(&sendable(written.1)).then_some(written)
        };
        written().or(read).map(|(name, schema)| (name.as_str(), schema))
    }

    /// The properties of an object schema in a role, inherited ones included.
    pub fn properties<'s>(self, schema: &'s Value, role: Role, pointer: &str) -> Result<Properties<'s>, Error>
    where
        'a: 's,
    {
        let mut properties = Properties::default();
        self.collect_properties(schema, role, &mut properties, 0, pointer)?;
        Ok(properties)
    }

    fn collect_properties<'s>(
        self,
        schema: &'s Value,
        role: Role,
        properties: &mut Properties<'s>,
        depth: usize,
        pointer: &str,
    ) -> Result<(), Error>
    where
        'a: 's,
    {
        if depth > MAX_DEPTH {
            return Err(Error::new(pointer, "a schema is its own parent"));
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let (_, parent) = self.resolve(reference, role, pointer)?;
            return self.collect_properties(parent, role, properties, depth + 1, pointer);
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.collect_properties(part, role, properties, depth + 1, pointer)?;
        }
        for (property, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            properties.schemas.insert(property.clone(), schema);
        }
        let for_requests = schema.get("x-required-in-requests").filter(|_| role == Role::Request);
        // This list is complete: it replaces what the parents require of responses.
        if for_requests.is_some() {
            properties.required.clear();
        }
        let required = for_requests.or_else(|| schema.get("required")).and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            // A list written for responses names read-only properties too.
            let read_only = properties.schemas.get(name).is_some_and(|schema| flag(schema, "readOnly"));
            if !(role == Role::Request && read_only) {
                properties.required.insert(name.to_owned());
            }
        }
        Ok(())
    }

    /// The `additionalProperties` of a schema or of one that it extends; `None` where they are not allowed.
    pub fn additional_properties<'s>(self, schema: &'s Value, role: Role) -> Option<&'s Value>
    where
        'a: 's,
    {
        self.find_additional_properties(schema, role, 0)
    }

    fn find_additional_properties<'s>(self, schema: &'s Value, role: Role, depth: usize) -> Option<&'s Value>
    where
        'a: 's,
    {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str).filter(|_| depth <= MAX_DEPTH) {
            let (_, parent) = self.resolve(reference, role, "").ok()?;
            return self.find_additional_properties(parent, role, depth + 1);
        }
        let parents = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        let own = schema.get("additionalProperties").filter(|values| **values != Value::Bool(false));
        own.or_else(|| parents.filter_map(|parent| self.find_additional_properties(parent, role, depth + 1)).next())
    }
}

/// The properties that a schema itself declares and that may be sent.
fn sendable(schema: &Value) -> BTreeSet<&str> {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties.filter(|(_, schema)| !flag(schema, "readOnly")).map(|(name, _)| name.as_str()).collect()
}

/// The name of a component without the suffix of its role.
pub fn base(component: &str) -> &str {
    component.strip_suffix("_read").or_else(|| component.strip_suffix("_write")).unwrap_or(component)
}

/// The component's name in a reference to a schema.
pub fn component_name<'r>(reference: &'r str, pointer: &str) -> Result<&'r str, Error> {
    reference
        .strip_prefix("#/components/schemas/")
        .ok_or_else(|| Error::new(pointer, format!("`{reference}` is not a reference to a schema")))
}

/// Whether a boolean keyword of a schema is true.
pub fn flag(schema: &Value, keyword: &str) -> bool {
    schema.get(keyword).and_then(Value::as_bool).unwrap_or(false)
}

/// Whether a schema is an object with known properties.
pub fn is_object(schema: &Value) -> bool {
    schema.get("properties").is_some()
        || schema.get("allOf").and_then(Value::as_array).is_some_and(|parts| parts.len() > 1)
}

/// The variants of a union (`oneOf`, `anyOf`) of more than one.
pub fn union_variants(schema: &Value) -> Option<&[Value]> {
    let variants = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    (variants.len() > 1).then_some(variants.as_slice())
}

/// The values of an enum of strings, sorted; null among them says nothing about the type.
pub fn enum_values(schema: &Value) -> Option<Vec<String>> {
    let values = schema.get("enum")?.as_array()?;
    let mut strings = Vec::with_capacity(values.len());
    for value in values.iter().filter(|value| !value.is_null()) {
        strings.push(value.as_str()?.to_owned());
    }
    strings.sort_unstable();
    strings.dedup();
    (!strings.is_empty()).then_some(strings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_takes_the_write_component_only_where_it_can_send_the_same() {
        let object = |names: &[&str]| {
            let properties: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
            json!({"type": "object", "properties": properties})
        };
        let document = json!({"components": {"schemas": {
            "Thing_read": object(&["name"]), "Thing_write": object(&["name", "note"]),
            "Owner_read": object(&["name"]), "Owner_write": object(&["id"])
        }}});
        let components = Components::of(&document);
        let name = |name: &str, role| components.lookup(name, role).map(|(name, _)| name);
        assert_eq!(name("Thing_read", Role::Request), Some("Thing_write"));
        assert_eq!(name("Thing_read", Role::Response), Some("Thing_read"));
        assert_eq!(name("Owner_read", Role::Request), Some("Owner_read"));
    }

    #[test]
    fn properties_include_inherited_ones_and_requests_require_no_read_only_property() {
        let document = json!({"components": {"schemas": {"Parent": {
            "properties": {"id": {"readOnly": true}, "name": {}}, "required": ["id", "name"]
        }}}});
        let schema = json!({"allOf": [{"$ref": "#/components/schemas/Parent"}, {"properties": {"note": {}}}]});
        let properties = |role| Components::of(&document).properties(&schema, role, "").unwrap();
        assert!(properties(Role::Response).schemas.keys().eq(["id", "name", "note"]));
        assert!(properties(Role::Response).required.iter().eq(["id", "name"]));
        assert!(properties(Role::Request).required.iter().eq(["name"]));
    }

    #[test]
    fn a_schema_that_extends_itself_is_an_error() {
        let document = json!({"components": {"schemas": {"Loop": {"allOf": [{"$ref": "#/components/schemas/Loop"}]}}}});
        let schema = json!({"$ref": "#/components/schemas/Loop"});
        let error = Components::of(&document).properties(&schema, Role::Response, "/here").unwrap_err();
        assert_eq!(error.to_string(), "/here: a schema is its own parent");
    }
}
