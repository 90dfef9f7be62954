//! Merges both axes into one list: attaches changes of the crate to the changes of the document that cause them.

use std::collections::HashMap;

use datagouv_specs::pointer::escape;

use super::change::{Change, Direction, Level, Operation, Origin, RustChange};
use super::rules::{self, Rule};

/// The rules that cause a method to be added, removed or renamed.
const CAUSES: [(&str, &[&Rule]); 6] = [
    ("rust-method-removed", &[&rules::PATH_REMOVED, &rules::OPERATION_REMOVED, &rules::DEPRECATED_OPERATION_REMOVED]),
    ("rust-method-added", &[&rules::PATH_ADDED, &rules::OPERATION_ADDED]),
    ("rust-method-renamed", &[&rules::OPERATION_ID_CHANGED, &rules::OPERATION_ID_ADDED, &rules::OPERATION_ID_REMOVED]),
    ("rust-feature-moved", &[&rules::OPERATION_TAGS_CHANGED]),
    ("rust-argument-renamed", &[&rules::PATH_PARAMETER_RENAMED]),
    ("rust-argument-required-added", &[&rules::REQUIRED_PARAMETER_ADDED, &rules::REQUIRED_BODY_ADDED]),
];

/// Attaches changes of the crate to the changes of the document that cause them; the others become changes of their
/// own.
pub fn attach(changes: &mut Vec<Change>, rust: Vec<RustChange>) {
    let locations = ChangeIndex::of(changes);
    let causes: Vec<Option<usize>> = rust.iter().map(|found| locations.cause(changes, found)).collect();
    let known: HashMap<(String, String), Operation> = changes
        .iter()
        .flat_map(|change| &change.operations)
        .map(|operation| ((operation.method.clone(), operation.path.clone()), operation.clone()))
        .collect();
    for (found, cause) in rust.into_iter().zip(causes) {
        match cause.and_then(|index| changes.get_mut(index)) {
            Some(change) => change.rust.push(found),
            None => changes.push(alone(&known, found)),
        }
    }
    for change in changes.iter_mut() {
        // The JSON report has the first one as `rust`.
        change.rust.sort_by_key(|rust| !rust.breaking);
    }
    changes.sort_by(Change::order);
}

/// The changes of the document, by operation and by location.
struct ChangeIndex {
    /// By method and path.
    operations: HashMap<(String, String), Vec<usize>>,
    locations: HashMap<String, Vec<usize>>,
}

impl ChangeIndex {
    fn of(changes: &[Change]) -> Self {
        let mut locations = Self { operations: HashMap::new(), locations: HashMap::new() };
        for (index, change) in changes.iter().enumerate() {
            for operation in &change.operations {
                let key = (operation.method.clone(), operation.path.clone());
                locations.operations.entry(key).or_default().push(index);
            }
            locations.locations.entry(change.location.clone()).or_default().push(index);
        }
        locations
    }

    /// The change of the document that causes a change of the crate.
    fn cause(&self, changes: &[Change], found: &RustChange) -> Option<usize> {
        match found.origin.as_ref()? {
            Origin::Operation { method, path, parameter } => {
                let here = self.operations.get(&(method.clone(), path.clone()))?;
                let named = || {
                    let (_, causes) = CAUSES.iter().find(|(rust, _)| *rust == found.id)?;
                    here.iter().find(|index| {
                        let change = &changes[**index];
                        let is_at = parameter.as_ref().is_none_or(|parameter| is_at(change, parameter));
                        is_at && causes.iter().any(|rule| rule.id == change.id)
                    })
                };
                let placed = || {
                    let parameter = parameter.as_ref()?;
                    here.iter().find(|index| is_at(&changes[**index], parameter))
                };
                named().or_else(placed).copied()
            }
            Origin::Schema { name, property } => {
                let mut location = format!("/components/schemas/{}", escape(name));
                if let Some(property) = property {
                    location.push_str(&format!("/properties/{}", escape(property)));
                }
                // Types that are only sent have this suffix.
                let goes_in = found.item.split("::").any(|part| part.ends_with("Input"));
                let way = if goes_in { Direction::Request } else { Direction::Response };
                let here = self.locations.get(&location)?;
                here.iter().find(|index| changes[**index].direction == Some(way)).copied()
            }
        }
    }
}

/// Whether a change is of a parameter, or of a property of the body.
fn is_at(change: &Change, parameter: &str) -> bool {
    let location = change.location.as_str();
    let is_argument = location.starts_with("/parameters/") || location.starts_with("/requestBody/");
    is_argument && location.ends_with(&format!("/{}", escape(parameter)))
}

/// A change of the crate without a change of the document.
fn alone(known: &HashMap<(String, String), Operation>, found: RustChange) -> Change {
    let operations = match &found.origin {
        Some(Origin::Operation { method, path, .. }) => {
            let operation = known.get(&(method.clone(), path.clone())).cloned();
            let without_unions =
                || Operation { method: method.clone(), path: path.clone(), operation: None, tag: None };
            vec![operation.unwrap_or_else(without_unions)]
        }
        _ => Vec::new(),
    };
    Change {
        id: found.id,
        level: if found.breaking { Level::Breaking } else { Level::Info },
        direction: None,
        operations,
        location: found.item.clone(),
        way: String::new(),
        accepted: None,
        old: found.old.clone().map(Into::into),
        new: found.new.clone().map(Into::into),
        text: found.text.clone(),
        rust: vec![found],
    }
}
