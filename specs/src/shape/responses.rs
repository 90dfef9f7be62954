//! Pass 8, responses: the objects of responses, read with tolerance.
//!
//! Guarantees: a field of a response is required only if the document says that it is always there and never null.

use super::hoisting::Hoisted;
use super::types::{Kind, Role};

/// Makes the objects of responses tolerant.
pub fn responses(mut hoisted: Hoisted<'_>) -> Hoisted<'_> {
    for made in hoisted.types.values_mut() {
        if let Kind::Structure(Role::Response, fields) = &mut made.kind {
            fields.iter_mut().for_each(|field| field.required &= !field.nullable);
        }
    }
    hoisted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shape::hoisting::hoisted;

    #[test]
    fn a_nullable_field_is_not_required_of_a_response() {
        let thing = json!({"properties": {"id": {}, "note": {"nullable": true}}, "required": ["id", "note"]});
        let content = json!({"content": {"application/json": {"schema": thing}}});
        let document = json!({"paths": {"/t": {"post": {
            "operationId": "x", "requestBody": content, "responses": {"200": content}
        }}}});
        let hoisted = responses(hoisted(&document).unwrap());
        let required = |name: &str| match &hoisted.types[name].kind {
            Kind::Structure(_, fields) => fields.iter().map(|field| field.required).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(required("XResponse"), [true, false]);
        assert_eq!(required("XBody"), [true, true]);
    }
}
