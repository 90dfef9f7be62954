//! Two documents: what differs, each change once, with the operations that it reaches.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::change::{Change, Direction, Operation};
use super::document::Document;
use super::operations::{self, Entry};
use super::place::Place;
use super::rules::Rule;
use super::schemas::{Draft, Marks, Schemas, TooLarge, sentence};
use super::{bodies, parameters, responses, security, servers};

/// What one operation has.
pub struct Reach {
    operation: Operation,
    drafts: Vec<Draft>,
    roots: Vec<usize>,
}

/// Old and new values of a change.
pub type Values = (Option<Value>, Option<Value>);

impl Reach {
    fn new(operation: Operation) -> Self {
        Self { operation, drafts: Vec::new(), roots: Vec::new() }
    }

    /// Notes a change; the sentence goes on after the place.
    pub fn say(&mut self, rule: &'static Rule, place: &Place, values: Values, predicate: impl AsRef<str>) {
        let text = sentence(place, predicate.as_ref());
        self.tell(rule, &place.location, values, text);
    }

    /// Notes a change by a whole sentence.
    pub fn tell(&mut self, rule: &'static Rule, location: &str, (old, new): Values, text: impl Into<String>) {
        let location = location.to_owned();
        self.drafts.push(Draft { rule, location, old, new, text: text.into() });
    }
}

/// A comparison that is under way.
pub struct Comparison<'a> {
    /// Written against this.
    pub old: &'a Document,
    /// Called now.
    pub new: &'a Document,
    schemas: Schemas<'a>,
}

impl<'a> Comparison<'a> {
    /// Compares two schemas that an operation has: none is one that allows anything.
    pub fn schemas(
        &mut self,
        old: Option<&'a Value>,
        new: Option<&'a Value>,
        place: &Place,
        way: Direction,
        reach: &mut Reach,
    ) {
        if old.is_some() || new.is_some() {
            reach.roots.push(self.schemas.pair(old, new, place, way));
        }
    }

    fn operation(&mut self, old: &Entry<'a>, new: &Entry<'a>) -> Reach {
        let mut reach = Reach::new(new.operation.clone());
        operations::compare(old, new, &mut reach);
        parameters::compare(self, old, new, &mut reach);
        bodies::compare(self, old, new, &mut reach);
        responses::compare(self, old, new, &mut reach);
        security::compare(self, old, new, &mut reach);
        servers::compare_operations(old, new, &mut reach);
        reach
    }
}

/// What changed from one document to another.
///
/// # Errors
/// Where there is more to compare than sense allows.
pub fn compare(old: &Document, new: &Document) -> Result<Vec<Change>, TooLarge> {
    let mut comparison = Comparison { old, new, schemas: Schemas::new(old, new) };
    let matched = operations::matched(old, new);
    let mut reaches: Vec<Reach> = Vec::new();
    for (was, is) in &matched.pairs {
        reaches.push(comparison.operation(was, is));
    }
    for entry in &matched.gone {
        let mut reach = Reach::new(entry.operation.clone());
        operations::gone(entry, matched.keeps_path_of(entry), &mut reach);
        reaches.push(reach);
    }
    for entry in &matched.fresh {
        let mut reach = Reach::new(entry.operation.clone());
        operations::fresh(entry, matched.had_path_of(entry), &mut reach);
        reaches.push(reach);
    }
    comparison.schemas.compare()?;
    let mut document = security::schemes(old, new);
    document.extend(servers::compare(old, new));
    Ok(collect(&comparison.schemas, &reaches, document))
}

/// Each change once, with the operations that it reaches.
fn collect(schemas: &Schemas, reaches: &[Reach], document: Vec<Draft>) -> Vec<Change> {
    let mut found: HashMap<(&str, &str, String), (&Draft, BTreeSet<&Operation>)> = HashMap::new();
    let mut marks = Marks::default();
    let key = |draft: &'_ Draft| format!("{}\n{:?}\n{:?}", draft.text, draft.old, draft.new);
    for draft in &document {
        found.entry((draft.rule.id, &draft.location, key(draft))).or_insert((draft, BTreeSet::new()));
    }
    for reach in reaches {
        for draft in schemas.reached(&reach.roots, &mut marks).into_iter().chain(&reach.drafts) {
            let entry = found.entry((draft.rule.id, &draft.location, key(draft)));
            entry.or_insert((draft, BTreeSet::new())).1.insert(&reach.operation);
        }
    }
    let mut changes: Vec<Change> = found
        .into_values()
        .map(|(draft, operations)| Change {
            id: draft.rule.id,
            level: draft.rule.level,
            direction: draft.rule.direction,
            operations: operations.into_iter().cloned().collect(),
            location: draft.location.clone(),
            old: draft.old.clone(),
            new: draft.new.clone(),
            text: format!("{}.", draft.text),
            rust: Vec::new(),
        })
        .collect();
    changes.sort_by(Change::order);
    changes
}
