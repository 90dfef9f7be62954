//! The state of a comparison of two documents, which the rules on parts of an operation share.

use serde_json::Value;

use super::change::{Direction, Operation};
use super::document::Document;
use super::location::Location;
use super::rules::Rule;
use super::schemas::{Difference, Schemas, sentence};

/// The differences of one operation, and the pairs of schemas that it uses.
pub struct OperationDifferences {
    pub operation: Operation,
    /// Whether OLD promises nothing of the operation.
    pub is_unstable: bool,
    pub differences: Vec<Difference>,
    /// The pairs of schemas, by index in [`Schemas`], each with the place where it is.
    pub roots: Vec<(usize, String)>,
}

/// Old and new values of a change.
pub type Values = (Option<Value>, Option<Value>);

impl OperationDifferences {
    pub fn new(operation: Operation) -> Self {
        Self { operation, is_unstable: false, differences: Vec::new(), roots: Vec::new() }
    }

    /// Adds a change; the predicate follows the location in the sentence.
    pub fn report(&mut self, rule: &'static Rule, location: &Location, values: Values, predicate: impl AsRef<str>) {
        let text = sentence(location, predicate.as_ref());
        self.report_text(rule, &location.pointer, values, text);
    }

    /// Adds a change with a whole sentence.
    pub fn report_text(&mut self, rule: &'static Rule, location: &str, (old, new): Values, text: impl Into<String>) {
        let location = location.to_owned();
        self.differences.push(Difference { rule, location, old, new, text: text.into() });
    }
}

/// A comparison of two documents.
pub struct Comparison<'a> {
    /// The document that clients are written against.
    pub old: &'a Document,
    /// The document that is served now.
    pub new: &'a Document,
    /// The pairs of schemas to compare.
    pub pairs: Schemas<'a>,
}

impl<'a> Comparison<'a> {
    pub fn new(old: &'a Document, new: &'a Document) -> Self {
        Self { old, new, pairs: Schemas::new(old, new) }
    }

    /// Compares two schemas of an operation; a schema that is absent allows any value.
    pub fn schemas(
        &mut self,
        old: Option<&'a Value>,
        new: Option<&'a Value>,
        location: &Location,
        direction: Direction,
        output: &mut OperationDifferences,
    ) {
        if old.is_some() || new.is_some() {
            output.roots.push((self.pairs.pair(old, new, location, direction), location.own().to_owned()));
        }
    }
}
