//! Pass 8, answers: the objects of responses, read with tolerance.
//!
//! Guarantees: a field of an answer is required only if the document says that it is always there and never null.

use super::hoisting::Hoisted;
use super::types::{Kind, Role};

/// Makes the objects of responses tolerant.
pub fn answers(mut hoisted: Hoisted<'_>) -> Hoisted<'_> {
    for made in hoisted.types.values_mut() {
        if let Kind::Structure(Role::Answer, fields) = &mut made.kind {
            fields.iter_mut().for_each(|field| field.required &= !field.nullable);
        }
    }
    hoisted
}
