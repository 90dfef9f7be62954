//! Compares two documents: each change once, with the operations that it affects.

use std::collections::{BTreeSet, HashMap};

use super::change::{Change, Level, Operation};
use super::comparison::{Comparison, OperationDifferences};
use super::document::Document;
use super::operations::{self, Entry};
use super::schemas::{Difference, Schemas, TooLarge, Visited};
use super::{bodies, parameters, responses, security, servers, webhooks};

/// Returns the changes from one document to another.
///
/// # Errors
/// If there are too many pairs of schemas to compare.
pub fn compare(old: &Document, new: &Document) -> Result<Vec<Change>, TooLarge> {
    let mut comparison = Comparison::new(old, new);
    let matches = operations::match_operations(old, new);
    let mut compared: Vec<OperationDifferences> = Vec::new();
    for (was, is) in &matches.pairs {
        compared.push(operation(&mut comparison, was, is));
    }
    for entry in &matches.removed {
        let mut output = OperationDifferences::new(entry.operation.clone());
        output.is_unstable = entry.is_unstable();
        operations::removed(entry, matches.keeps_path_of(entry), &mut output);
        compared.push(output);
    }
    for entry in &matches.added {
        let mut output = OperationDifferences::new(entry.operation.clone());
        operations::added(entry, matches.had_path_of(entry), &mut output);
        compared.push(output);
    }
    compared.extend(webhooks::compare(&mut comparison, old, new));
    comparison.pairs.compare()?;
    let mut document = security::schemes(old, new);
    document.extend(servers::compare(old, new));
    Ok(collect(&comparison.pairs, &compared, document))
}

/// Compares an operation that both documents have.
fn operation<'a>(comparison: &mut Comparison<'a>, old: &Entry<'a>, new: &Entry<'a>) -> OperationDifferences {
    let mut output = OperationDifferences::new(new.operation.clone());
    output.is_unstable = old.is_unstable();
    operations::compare(old, new, &mut output);
    parameters::compare(comparison, old, new, &mut output);
    bodies::compare(comparison, old, new, &mut output);
    responses::compare(comparison, old, new, &mut output);
    security::compare(comparison, old, new, &mut output);
    servers::compare_operations(old, new, &mut output);
    output
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
fn collect(schemas: &Schemas, compared: &[OperationDifferences], document: Vec<Difference>) -> Vec<Change> {
    let mut found: HashMap<(&str, &str, String), Found> = HashMap::new();
    let mut visited = Visited::default();
    let key = |difference: &'_ Difference| format!("{}\n{:?}\n{:?}", difference.text, difference.old, difference.new);
    for difference in &document {
        let entry = found.entry((difference.rule.id, &difference.location, key(difference)));
        entry.or_insert_with(|| Found::new(difference, true));
    }
    for output in compared {
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
