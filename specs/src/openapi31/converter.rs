//! The document that is converted.

use super::definitions::Definitions;
use crate::Error;
use crate::node::Node;

/// The dialects whose keywords are those that are read.
const DIALECTS: [&str; 2] =
    ["https://json-schema.org/draft/2020-12/schema", "https://spec.openapis.org/oas/3.1/dialect/base"];

/// A document that is being converted.
pub(super) struct Converter<'a> {
    pub root: Node<'a>,
    pub definitions: Definitions<'a>,
    /// Whether what has no equal in 3.0 stays, in place of being refused.
    pub keeps: bool,
}

/// Fails where a dialect is not one that is read.
pub(super) fn check_dialect(dialect: &Node) -> Result<(), Error> {
    let name = dialect.text()?;
    match DIALECTS.contains(&name.trim_end_matches('#')) {
        true => Ok(()),
        false => Err(dialect.error(format!("the dialect `{name}` is not read; JSON Schema 2020-12 is"))),
    }
}
