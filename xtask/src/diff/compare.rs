//! Compares two documents: each change once, with the operations that it affects.

use std::collections::{BTreeSet, HashMap};

use super::change::{Change, Operation};
use super::comparison::{Comparison, OperationDifferences};
use super::document::Document;
use super::operations::{self, Entry};
use super::schemas::{Difference, Schemas, TooLarge, Visited};
use super::{bodies, parameters, responses, security, servers};

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
        operations::removed(entry, matches.keeps_path_of(entry), &mut output);
        compared.push(output);
    }
    for entry in &matches.added {
        let mut output = OperationDifferences::new(entry.operation.clone());
        operations::added(entry, matches.had_path_of(entry), &mut output);
        compared.push(output);
    }
    comparison.pairs.compare()?;
    let mut document = security::schemes(old, new);
    document.extend(servers::compare(old, new));
    Ok(collect(&comparison.pairs, &compared, document))
}

/// Compares an operation that both documents have.
fn operation<'a>(comparison: &mut Comparison<'a>, old: &Entry<'a>, new: &Entry<'a>) -> OperationDifferences {
    let mut output = OperationDifferences::new(new.operation.clone());
    operations::compare(old, new, &mut output);
    parameters::compare(comparison, old, new, &mut output);
    bodies::compare(comparison, old, new, &mut output);
    responses::compare(comparison, old, new, &mut output);
    security::compare(comparison, old, new, &mut output);
    servers::compare_operations(old, new, &mut output);
    output
}

/// Merges equal differences into one change with all operations that it affects.
fn collect(schemas: &Schemas, compared: &[OperationDifferences], document: Vec<Difference>) -> Vec<Change> {
    let mut found: HashMap<(&str, &str, String), (&Difference, BTreeSet<&Operation>)> = HashMap::new();
    let mut visited = Visited::default();
    let key = |difference: &'_ Difference| format!("{}\n{:?}\n{:?}", difference.text, difference.old, difference.new);
    for difference in &document {
        found
            .entry((difference.rule.id, &difference.location, key(difference)))
            .or_insert((difference, BTreeSet::new()));
    }
    for output in compared {
        for difference in schemas.reached(&output.roots, &mut visited).into_iter().chain(&output.differences) {
            let entry = found.entry((difference.rule.id, &difference.location, key(difference)));
            entry.or_insert((difference, BTreeSet::new())).1.insert(&output.operation);
        }
    }
    let mut changes: Vec<Change> = found
        .into_values()
        .map(|(difference, operations)| Change {
            id: difference.rule.id,
            level: difference.rule.level,
            direction: difference.rule.direction,
            operations: operations.into_iter().cloned().collect(),
            location: difference.location.clone(),
            old: difference.old.clone(),
            new: difference.new.clone(),
            text: format!("{}.", difference.text),
            rust: Vec::new(),
        })
        .collect();
    changes.sort_by(Change::order);
    changes
}
