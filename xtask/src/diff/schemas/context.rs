//! What the comparison of a pair of schemas needs beyond the pair.

use super::located::LocatedSchema;
use crate::diff::document::Document;

/// Whether two schemas, each in its document, allow the same values.
type IsEquivalent<'c, 'a> = dyn Fn(&[LocatedSchema<'a>], &[LocatedSchema<'a>]) -> bool + 'c;

/// The documents of a pair of schemas, and how schemas within the pair are compared.
pub struct SchemaContext<'c, 'a> {
    pub old: &'a Document,
    pub new: &'a Document,
    pub is_equivalent: &'c IsEquivalent<'c, 'a>,
}

impl<'a> SchemaContext<'_, 'a> {
    pub fn is_equivalent(&self, old: &[LocatedSchema<'a>], new: &[LocatedSchema<'a>]) -> bool {
        (self.is_equivalent)(old, new)
    }
}
