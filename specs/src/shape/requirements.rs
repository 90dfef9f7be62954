//! Pass 6, requirements: what operations require of the components that they send.
//!
//! Guarantees: every component that is the body of an operation, or the item of a list that is, has the list of
//! properties required where it is created and the one where it is updated (PUT, PATCH). One type serves all operations
//! of each kind: it requires what all of them require.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::components::{Components, component_name, is_object};
use super::operations::{DocumentBody, DocumentOperation};
use super::types::Role;
use crate::Error;

/// The required properties of each component that is a body, by the component's name.
pub type Requirements = BTreeMap<String, Required>;

/// The required properties of a component that is a body; `None` where no operation of that kind sends it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Required {
    /// Where it is created.
    pub create: Option<BTreeSet<String>>,
    /// Where it is updated.
    pub update: Option<BTreeSet<String>>,
}

/// Collects what operations require of the components that they send.
pub fn requirements(components: Components<'_>, operations: &[DocumentOperation<'_>]) -> Result<Requirements, Error> {
    let mut requirements = Requirements::new();
    for operation in operations {
        let Some((body, component)) = operation.body.as_ref().and_then(|body| Some((body, component_of(body)?))) else {
            continue;
        };
        let list: BTreeSet<String> = match body.value.get("x-required-in-requests") {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(_) => {
                let pointer = format!("{}/requestBody/x-required-in-requests", operation.pointer());
                return Err(Error::new(pointer, "not a list of names"));
            }
            None => match components.lookup(component, Role::Request).filter(|(_, schema)| is_object(schema)) {
                Some((component, schema)) => {
                    let pointer = format!("/components/schemas/{component}");
                    components.properties(schema, Role::Request, &pointer)?.required
                }
                None => continue,
            },
        };
        let required = requirements.entry(component.to_owned()).or_default();
        let slot = if operation.is_update() { &mut required.update } else { &mut required.create };
        *slot = Some(match slot.take() {
            Some(other) => other.intersection(&list).cloned().collect(),
            None => list,
        });
    }
    Ok(requirements)
}

/// The component that a body of JSON is, or that its items are.
pub fn component_of<'a>(body: &DocumentBody<'a>) -> Option<&'a str> {
    if body.media_type != "application/json" {
        return None;
    }
    let schema = body.schema.get("items").unwrap_or(body.schema);
    let parts = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice);
    let reference = schema.get("$ref").or_else(|| match parts {
        Some([single]) => single.get("$ref"),
        _ => None,
    })?;
    component_name(reference.as_str()?, "").ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Api;
    use crate::shape::operations::operations;

    #[test]
    fn creating_and_updating_have_lists_of_their_own_and_one_list_serves_all_that_create() {
        let body = |list: Value| {
            let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}});
            json!({"content": content, "x-required-in-requests": list})
        };
        let document = json!({
            "paths": {
                "/a": {"post": {"operationId": "a", "requestBody": body(json!(["name", "kind"]))}},
                "/b": {
                    "post": {"operationId": "b", "requestBody": body(json!(["name"]))},
                    "put": {"operationId": "c", "requestBody": body(json!([]))}
                }
            },
            "components": {"schemas": {"Thing": {"properties": {"name": {}, "kind": {}}}}}
        });
        let operations = operations(Api::Main, &document).unwrap();
        let requirements = requirements(Components::of(&document), &operations).unwrap();
        let create = Some(BTreeSet::from(["name".to_owned()]));
        assert_eq!(requirements["Thing"], Required { create, update: Some(BTreeSet::new()) });
    }
}
