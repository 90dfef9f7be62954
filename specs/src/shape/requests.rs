//! Pass 9, requests: the objects of requests, written strictly.
//!
//! Guarantees: a required field of a component that responses have too is not nullable, since it was in responses that
//! it was seen null; and each object of requests knows the object of responses that it can be converted from.

use super::components::base;
use super::hoisting::Hoisted;
use super::naming::Names;
use super::types::{Kind, Role};

/// Completes the objects of requests by what is known of the same components in responses.
pub fn requests(mut hoisted: Hoisted<'_>) -> Hoisted<'_> {
    for (name, component) in &hoisted.sent_components {
        let Some(made) = hoisted.types.get_mut(name) else { continue };
        made.converts_from = response_of(&hoisted.names, component);
        if hoisted.names.of(component, Role::Response).is_some()
            && let Kind::Structure(_, fields) = &mut made.kind
        {
            fields.iter_mut().filter(|field| field.required).for_each(|field| field.nullable = false);
        }
    }
    hoisted
}

/// The type of responses that describes what a component of requests writes.
fn response_of(names: &Names, component: &str) -> Option<String> {
    let stem = base(component);
    // What is only sent may be a component of its own, other than the one that is received.
    let received = stem.strip_suffix("Input").unwrap_or(stem);
    [component, &format!("{stem}_read"), stem, received]
        .into_iter()
        .find_map(|candidate| names.of(candidate, Role::Response).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::shape::hoisting::hoisted;

    fn document(sent: &str, received: &str) -> Value {
        let content = |name: &str| json!({"content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}}});
        let thing = json!({"properties": {"note": {"nullable": true}}, "required": ["note"]});
        json!({
            "paths": {"/t": {"post": {
                "operationId": "x", "requestBody": content(sent), "responses": {"200": content(received)}
            }}},
            "components": {"schemas": {"Thing": thing, "Thing_write": thing, "Other": thing}}
        })
    }

    /// The type that a request converts from, and whether null may be sent for its note.
    fn request(document: &Value, name: &str) -> (Option<String>, bool) {
        let hoisted = requests(hoisted(document).unwrap());
        let Kind::Structure(Role::Request, fields) = &hoisted.types[name].kind else { panic!("{name}") };
        (hoisted.types[name].converts_from.clone(), fields[0].nullable)
    }

    #[test]
    fn a_required_field_is_nullable_only_if_no_response_has_the_component() {
        assert_eq!(request(&document("Thing", "Thing"), "ThingInput"), (Some("Thing".to_owned()), false));
        assert_eq!(request(&document("Thing", "Other"), "Thing"), (None, true));
    }

    #[test]
    fn a_write_component_converts_from_the_response_of_its_name() {
        assert_eq!(request(&document("Thing_write", "Thing"), "ThingInput"), (Some("Thing".to_owned()), true));
    }
}
