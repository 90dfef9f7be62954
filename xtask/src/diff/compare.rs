//! Compares two documents: each change once, with the operations that it affects.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::change::{Change, Direction, Level, Operation};
use super::document::Document;
use super::location::Location;
use super::operations::{self, Entry};
use super::rules::Rule;
use super::schemas::{Difference, Schemas, TooLarge, Visited, sentence};
use super::{bodies, parameters, responses, security, servers, webhooks};

/// The differences of one operation, and the pairs of schemas that it uses.
pub struct OperationDifferences {
    operation: Operation,
    /// Whether OLD promises nothing of the operation.
    is_unstable: bool,
    differences: Vec<Difference>,
    roots: Vec<(usize, String)>,
}

/// Old and new values of a change.
pub type Values = (Option<Value>, Option<Value>);

impl OperationDifferences {
    /// No differences yet.
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
    schemas: Schemas<'a>,
}

impl<'a> Comparison<'a> {
    /// Compares two schemas of an operation; a schema that is absent allows any value.
    pub fn schemas(
        &mut self,
        old: Option<&'a Value>,
        new: Option<&'a Value>,
        location: &Location,
        way: Direction,
        output: &mut OperationDifferences,
    ) {
        if old.is_some() || new.is_some() {
            output.roots.push((self.schemas.pair(old, new, location, way), location.own().to_owned()));
        }
    }

    fn operation(&mut self, old: &Entry<'a>, new: &Entry<'a>) -> OperationDifferences {
        let mut output = OperationDifferences::new(new.operation.clone());
        output.is_unstable = old.is_unstable();
        operations::compare(old, new, &mut output);
        parameters::compare(self, old, new, &mut output);
        bodies::compare(self, old, new, &mut output);
        responses::compare(self, old, new, &mut output);
        security::compare(self, old, new, &mut output);
        servers::compare_operations(old, new, &mut output);
        output
    }
}

/// Returns the changes from one document to another.
///
/// # Errors
/// If there are too many pairs of schemas to compare.
pub fn compare(old: &Document, new: &Document) -> Result<Vec<Change>, TooLarge> {
    let mut comparison = Comparison { old, new, schemas: Schemas::new(old, new) };
    let match_operations = operations::match_operations(old, new);
    let mut reaches: Vec<OperationDifferences> = Vec::new();
    for (was, is) in &match_operations.pairs {
        reaches.push(comparison.operation(was, is));
    }
    for entry in &match_operations.removed {
        let mut output = OperationDifferences::new(entry.operation.clone());
        output.is_unstable = entry.is_unstable();
        operations::removed(entry, match_operations.keeps_path_of(entry), &mut output);
        reaches.push(output);
    }
    for entry in &match_operations.added {
        let mut output = OperationDifferences::new(entry.operation.clone());
        operations::added(entry, match_operations.had_path_of(entry), &mut output);
        reaches.push(output);
    }
    reaches.extend(webhooks::compare(&mut comparison, old, new));
    comparison.schemas.compare()?;
    let mut document = security::schemes(old, new);
    document.extend(servers::compare(old, new));
    Ok(collect(&comparison.schemas, &reaches, document))
}

/// A difference, with all operations that it affects, and the way to it from the first of them.
struct Found<'d> {
    difference: &'d Difference,
    operations: BTreeSet<&'d Operation>,
    /// Whether an operation is among them of which OLD promises something, or it is of the document.
    is_promised: bool,
    way: String,
}

impl<'d> Found<'d> {
    fn new(difference: &'d Difference, is_promised: bool) -> Self {
        Self { difference, operations: BTreeSet::new(), is_promised, way: String::new() }
    }

    /// What changes in operations of which nothing is promised is no breach.
    fn level(&self) -> Level {
        if self.is_promised { self.difference.rule.level } else { self.difference.rule.level.max(Level::Warning) }
    }
}

/// Merges equal differences into one change with all operations that it affects.
fn collect(schemas: &Schemas, reaches: &[OperationDifferences], document: Vec<Difference>) -> Vec<Change> {
    let mut found: HashMap<(&str, &str, String), Found> = HashMap::new();
    let mut visited = Visited::default();
    let key = |difference: &'_ Difference| format!("{}\n{:?}\n{:?}", difference.text, difference.old, difference.new);
    for difference in &document {
        let entry = found.entry((difference.rule.id, &difference.location, key(difference)));
        entry.or_insert_with(|| Found::new(difference, true));
    }
    for output in reaches {
        let of_schemas = schemas.reached(&output.roots, &mut visited);
        let own = output.differences.iter().map(|difference| (difference, String::new()));
        for (difference, way) in of_schemas.into_iter().chain(own) {
            let entry = found.entry((difference.rule.id, &difference.location, key(difference)));
            let entry = entry.or_insert_with(|| Found::new(difference, false));
            entry.is_promised |= !output.is_unstable;
            let is_first = entry.operations.first().is_none_or(|first| output.operation < **first);
            entry.operations.insert(&output.operation);
            if is_first {
                entry.way = way;
            }
        }
    }
    let mut changes: Vec<Change> = found
        .into_values()
        .map(|found| (found.level(), found))
        .map(|(level, Found { difference, operations, way, .. })| Change {
            id: difference.rule.id,
            level,
            direction: difference.rule.direction,
            operations: operations.into_iter().cloned().collect(),
            location: difference.location.clone(),
            way,
            old: difference.old.clone(),
            new: difference.new.clone(),
            text: format!("{}.", difference.text),
            accepted: None,
            rust: Vec::new(),
        })
        .collect();
    changes.sort_by(Change::order);
    changes
}
