//! Pass 3, roles: which components are met in responses, and which in requests.
//!
//! Guarantees: every component that a success or a body refers to, directly or not, is in the set of its role. What
//! is read-only is not looked into for requests, nor what is write-only for responses.

use std::collections::BTreeSet;

use serde_json::Value;

use super::components::{Components, component_name, flag};
use super::operations::DocumentOperation;
use super::types::Role;

/// The names of components by the role in which they are met; one may be in both.
#[derive(Debug, Default)]
pub struct Roles {
    /// Met in responses.
    pub responses: BTreeSet<String>,
    /// Met in requests.
    pub requests: BTreeSet<String>,
}

/// Finds the roles of the components.
pub fn roles(components: Components<'_>, operations: &[DocumentOperation<'_>]) -> Roles {
    let mut roles = Roles::default();
    for operation in operations {
        for (_, response) in &operation.successes {
            collect(components, response, Role::Response, &mut roles.responses);
        }
        if let Some(body) = &operation.body {
            collect(components, body.value, Role::Request, &mut roles.requests);
        }
    }
    roles
}

fn collect(components: Components<'_>, value: &Value, role: Role, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            let name = reference.and_then(|reference| component_name(reference, "").ok());
            if let Some((component, schema)) = name.and_then(|name| components.lookup(name, role))
                && found.insert(component.to_owned())
            {
                collect(components, schema, role, found);
            }
            let hidden = if role == Role::Request { "readOnly" } else { "writeOnly" };
            let shown = object.values().filter(|value| !flag(value, hidden));
            shown.for_each(|value| collect(components, value, role, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(components, value, role, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Api;
    use crate::shape::operations::operations;

    #[test]
    fn a_component_has_the_roles_in_which_it_is_reached() {
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let content = json!({"content": {"application/json": {"schema": reference("Thing")}}});
        let document = json!({
            "paths": {"/t": {"post": {"operationId": "x", "requestBody": content, "responses": {"201": content}}}},
            "components": {"schemas": {
                "Thing": {"properties": {
                    "owner": {"readOnly": true, "allOf": [reference("Owner")]},
                    "secret": {"writeOnly": true, "allOf": [reference("Secret")]}
                }},
                "Owner": {}, "Secret": {}, "Unused": {}
            }}
        });
        let roles = roles(Components::of(&document), &operations(Api::Main, &document).unwrap());
        assert!(roles.responses.iter().eq(["Owner", "Thing"]), "{roles:?}");
        assert!(roles.requests.iter().eq(["Secret", "Thing"]), "{roles:?}");
    }
}
