//! Differences between schemas, and the sentences that report them.

use std::rc::Rc;

use serde_json::Value;

use super::located::LocatedSchema;
use crate::diff::change::Direction;
use crate::diff::location::Location;
use crate::diff::rules::{Pair, Rule};

/// A change whose operations are not known yet: schemas are compared before it is known what uses them.
#[derive(Debug, Clone)]
pub struct Difference {
    pub rule: &'static Rule,
    pub location: String,
    pub old: Option<Value>,
    pub new: Option<Value>,
    pub text: String,
}

/// The result of comparing a pair.
pub struct SchemaDifferences<'a> {
    pub direction: Direction,
    pub differences: Vec<Difference>,
    pub children: Vec<(Vec<LocatedSchema<'a>>, Vec<LocatedSchema<'a>>)>,
}

impl<'a> SchemaDifferences<'a> {
    /// Adds a change; the predicate follows the location in the sentence.
    pub fn report(
        &mut self,
        pair: &'static Pair,
        location: &Location,
        (old, new): (Option<Value>, Option<Value>),
        predicate: impl AsRef<str>,
    ) {
        self.report_rule(pair.on(self.direction), location, (old, new), predicate);
    }

    pub fn report_rule(
        &mut self,
        rule: &'static Rule,
        location: &Location,
        (old, new): (Option<Value>, Option<Value>),
        predicate: impl AsRef<str>,
    ) {
        let mut text = sentence(location, predicate.as_ref());
        // Elsewhere the location implies the direction.
        if location.is_shared() {
            text.push_str(if self.direction == Direction::Request { " in requests" } else { " in responses" });
        }
        self.differences.push(Difference { rule, location: location.pointer.clone(), old, new, text });
    }

    pub fn descend(&mut self, old: Vec<LocatedSchema<'a>>, new: Vec<LocatedSchema<'a>>) {
        self.children.push((old, new));
    }
}

/// A sentence about a location.
pub fn sentence(location: &Location, predicate: &str) -> String {
    let location = location.to_string();
    let mut characters = location.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{} {predicate}", characters.as_str())
}

/// The location of a change of a keyword: in the components if one side is there, else in NEW, else in OLD.
pub fn changed_location<'p>(old: Option<&'p Rc<Location>>, new: Option<&'p Rc<Location>>) -> &'p Location {
    match (old, new) {
        (Some(old), Some(new)) if old.is_shared() && !new.is_shared() => old,
        (_, Some(new)) => new,
        (Some(old), None) => old,
        (None, None) => unknown_location(),
    }
}

/// The location of what has none.
pub fn unknown_location() -> &'static Location {
    static UNKNOWN: std::sync::OnceLock<Location> = std::sync::OnceLock::new();
    UNKNOWN.get_or_init(|| Location::of("", "the schema"))
}
