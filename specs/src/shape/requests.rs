//! Pass 9, requests: the objects of requests, written strictly.
//!
//! Guarantees: a required field of a component that responses have too is not nullable, since it was in responses that
//! it was seen null; and each object of requests knows the answer that it can be made from.

use super::components::base;
use super::hoisting::Hoisted;
use super::naming::Names;
use super::types::{Kind, Role};

/// Completes the objects of requests by what is known of the same components in responses.
pub fn requests(mut hoisted: Hoisted<'_>) -> Hoisted<'_> {
    for (name, component) in &hoisted.sent_components {
        let Some(made) = hoisted.types.get_mut(name) else { continue };
        made.made_from = answer_of(&hoisted.names, component);
        if hoisted.names.of(component, Role::Answer).is_some()
            && let Kind::Structure(_, fields) = &mut made.kind
        {
            fields.iter_mut().filter(|field| field.required).for_each(|field| field.nullable = false);
        }
    }
    hoisted
}

/// The name of the answer that describes what a component of requests writes.
fn answer_of(names: &Names, component: &str) -> Option<String> {
    let stem = base(component);
    // What is only sent may be a component of its own, beside the one that is received.
    let received = stem.strip_suffix("Input").unwrap_or(stem);
    [component, &format!("{stem}_read"), stem, received]
        .into_iter()
        .find_map(|candidate| names.of(candidate, Role::Answer).map(str::to_owned))
}
