//! Compares the keywords of JSON Schema that OpenAPI 3.0 does not have.

use std::collections::BTreeSet;

use serde_json::Value;

use super::context::SchemaContext;
use super::differences::{SchemaDifferences, changed_location, unknown_location};
use super::effective::EffectiveSchema;
use super::keywords;
use super::located::LocatedSchema;
use crate::diff::location::Location;
use crate::diff::rules::{self, Pair};

impl<'a> SchemaContext<'_, 'a> {
    pub(super) fn conditions(
        &self,
        old: &EffectiveSchema<'a>,
        new: &EffectiveSchema<'a>,
        output: &mut SchemaDifferences<'a>,
    ) {
        keywords::contents(old, new, output);
        keywords::extensible(old, new, output);
        self.patterns(old, new, output);
        self.prefix(old, new, output);
        self.contains(old, new, output);
        self.names(old, new, output);
        self.consequences(old, new, output);
        dependent(old, new, output);
    }

    fn patterns(&self, old: &EffectiveSchema<'a>, new: &EffectiveSchema<'a>, output: &mut SchemaDifferences<'a>) {
        let patterns: BTreeSet<&str> = old.patterns.keys().chain(new.patterns.keys()).copied().collect();
        for pattern in patterns {
            match (old.patterns.get(pattern), new.patterns.get(pattern)) {
                (Some(was), Some(is)) => output.descend(was.clone(), is.clone()),
                (None, Some(is)) => {
                    let text = "has a schema, and had none";
                    output.report(&rules::PATTERN_PROPERTY_ADDED, place(is), (None, Some(pattern.into())), text);
                }
                (Some(was), None) => {
                    let text = "has no schema any more";
                    output.report(&rules::PATTERN_PROPERTY_REMOVED, place(was), (Some(pattern.into()), None), text);
                }
                (None, None) => {}
            }
        }
    }

    fn prefix(&self, old: &EffectiveSchema<'a>, new: &EffectiveSchema<'a>, output: &mut SchemaDifferences<'a>) {
        for index in 0..old.prefix.len().max(new.prefix.len()) {
            match (old.prefix.get(index), new.prefix.get(index)) {
                (Some(was), Some(is)) => output.descend(was.clone(), is.clone()),
                (None, Some(is)) => {
                    let text = "has a schema of its own, and had none";
                    output.report(&rules::PREFIX_ITEM_ADDED, place(is), (None, Some(index.into())), text);
                }
                (Some(was), None) => {
                    let text = "has no schema of its own any more";
                    output.report(&rules::PREFIX_ITEM_REMOVED, place(was), (Some(index.into()), None), text);
                }
                (None, None) => {}
            }
        }
        let flags = |was: bool| (Some(Value::from(was)), Some(Value::from(!was)));
        match (&old.items_closed, &new.items_closed) {
            (None, Some(at)) => {
                output.report(&rules::ITEMS_CLOSED, at, flags(true), "has no items any more but those it names");
            }
            (Some(at), None) => {
                output.report(&rules::ITEMS_OPENED, at, flags(false), "may have items after those it names");
            }
            _ => {}
        }
    }

    fn contains(&self, old: &EffectiveSchema<'a>, new: &EffectiveSchema<'a>, output: &mut SchemaDifferences<'a>) {
        let rules = [&rules::CONTAINS_ADDED, &rules::CONTAINS_REMOVED, &rules::CONTAINS_CHANGED];
        let texts = [
            "now has items that match a schema",
            "no longer needs items that match a schema",
            "has other items that match a schema",
        ];
        self.whole(&old.contains, &new.contains, rules, texts, output);
        if !old.contains.is_empty() && !new.contains.is_empty() {
            keywords::contained(old, new, place(&new.contains), output);
        }
    }

    fn names(&self, old: &EffectiveSchema<'a>, new: &EffectiveSchema<'a>, output: &mut SchemaDifferences<'a>) {
        let rules = [&rules::PROPERTY_NAMES_ADDED, &rules::PROPERTY_NAMES_REMOVED, &rules::PROPERTY_NAMES_CHANGED];
        let texts = [
            "now has names of properties that match a schema",
            "no longer has names of properties that match a schema",
            "has names of properties that match another schema",
        ];
        self.whole(&old.names, &new.names, rules, texts, output);
    }

    /// Compares schemas for equality alone.
    fn whole(
        &self,
        old: &[LocatedSchema<'a>],
        new: &[LocatedSchema<'a>],
        [added, removed, changed]: [&'static Pair; 3],
        texts: [&str; 3],
        output: &mut SchemaDifferences<'a>,
    ) {
        let value = |parts: &[LocatedSchema]| parts.first().map(|part| part.value.clone());
        let (rule, at, text) = match (old.is_empty(), new.is_empty()) {
            (true, false) => (added, place(new), texts[0]),
            (false, true) => (removed, place(old), texts[1]),
            (false, false) if !self.is_equivalent(old, new) => {
                let at = |parts: &[LocatedSchema<'a>]| parts.first().map(|part| part.location.clone());
                let (was, is) = (at(old), at(new));
                let at = changed_location(was.as_ref(), is.as_ref()).clone();
                output.report(changed, &at, (value(old), value(new)), texts[2]);
                return;
            }
            _ => return,
        };
        output.report(rule, at, (value(old), value(new)), text);
    }

    fn consequences(&self, old: &EffectiveSchema<'a>, new: &EffectiveSchema<'a>, output: &mut SchemaDifferences<'a>) {
        let names: BTreeSet<&String> = old.conditions.keys().chain(new.conditions.keys()).collect();
        for name in names {
            let (was, is) = (old.conditions.get(name), new.conditions.get(name));
            let words = match name.strip_prefix("dependent ") {
                Some(property) => format!("what `{property}` needs"),
                None => "`if` decides".to_owned(),
            };
            let parts = |it: Option<&[Option<LocatedSchema<'a>>; 3]>| -> Vec<LocatedSchema<'a>> {
                it.into_iter().flatten().flatten().cloned().collect()
            };
            let (before, after) = (parts(was), parts(is));
            let value = |parts: &[LocatedSchema]| -> Option<Value> {
                (!parts.is_empty()).then(|| parts.iter().map(|part| part.value.clone()).collect())
            };
            let values = (value(&before), value(&after));
            match (was, is) {
                (None, Some(_)) => {
                    output.report(&rules::CONDITION_ADDED, place(&after), values, format!("has a condition: {words}"));
                }
                (Some(_), None) => {
                    let text = format!("has a condition no more: {words}");
                    output.report(&rules::CONDITION_REMOVED, place(&before), values, text);
                }
                (Some(was), Some(is)) => {
                    let is_same = was.iter().zip(is).all(|(was, is)| {
                        let [was, is] = [was, is].map(|part| part.iter().cloned().collect::<Vec<_>>());
                        was.is_empty() == is.is_empty() && self.is_equivalent(&was, &is)
                    });
                    if !is_same {
                        let text = format!("has another condition: {words}");
                        output.report(&rules::CONDITION_CHANGED, place(&after), values, text);
                    }
                }
                (None, None) => {}
            }
        }
    }
}

fn place<'p>(parts: &'p [LocatedSchema]) -> &'p Location {
    match parts.first() {
        Some(part) => &part.location,
        None => unknown_location(),
    }
}

fn dependent(old: &EffectiveSchema, new: &EffectiveSchema, output: &mut SchemaDifferences) {
    let pairs: BTreeSet<_> = old.dependent.keys().chain(new.dependent.keys()).collect();
    for pair in pairs {
        let (name, needed) = pair;
        let (rule, at, text) = match (old.dependent.get(pair), new.dependent.get(pair)) {
            (None, Some(at)) => (&rules::DEPENDENT_ADDED, at, format!("needs `{needed}` where it has `{name}`")),
            (Some(at), None) => {
                (&rules::DEPENDENT_REMOVED, at, format!("no longer needs `{needed}` where it has `{name}`"))
            }
            _ => continue,
        };
        let value = || Some(Value::from(vec![*name, *needed]));
        let is_there = new.dependent.contains_key(pair);
        let values = if is_there { (None, value()) } else { (value(), None) };
        output.report(rule, at, values, text);
    }
}
