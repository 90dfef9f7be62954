//! Compares properties, items, additional properties, and `not`.

use std::collections::BTreeSet;

use super::context::SchemaContext;
use super::differences::{SchemaDifferences, changed_location};
use super::effective::EffectiveSchema;
use super::located::LocatedSchema;

use crate::diff::change::Direction;
use crate::diff::document::Document;
use crate::diff::location::Location;
use crate::diff::rules;

impl<'a> SchemaContext<'_, 'a> {
    pub(super) fn objects(
        &self,
        old: &EffectiveSchema<'a>,
        new: &EffectiveSchema<'a>,
        output: &mut SchemaDifferences<'a>,
    ) {
        let names: BTreeSet<&str> = old.properties.keys().chain(new.properties.keys()).copied().collect();
        for name in names {
            self.property(name, old, new, output);
        }
        self.required_alone(old, new, output);
        if !old.items.is_empty() || !new.items.is_empty() {
            output.descend(old.items.clone(), new.items.clone());
        }
        self.additional(old, new, output);
    }

    fn property(
        &self,
        name: &'a str,
        old: &EffectiveSchema<'a>,
        new: &EffectiveSchema<'a>,
        output: &mut SchemaDifferences<'a>,
    ) {
        let flag = match output.direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let (was, is) = (old.properties.get(name), new.properties.get(name));
        let hidden = |parts: Option<&Vec<LocatedSchema<'a>>>, document| {
            parts.is_some_and(|it| EffectiveSchema::of(it, document).is(flag))
        };
        let (was_hidden, is_hidden) = (hidden(was, self.old), hidden(is, self.new));
        let place_in = |parts: Option<&Vec<LocatedSchema<'a>>>| {
            parts.and_then(|parts| parts.first()).map(|located| located.location.clone())
        };
        let (old_place, new_place) = (place_in(was), place_in(is));
        let location = changed_location(old_place.as_ref(), new_place.as_ref());
        let was_required = old.required.contains_key(name) && !was_hidden;
        let is_required = new.required.contains_key(name) && !is_hidden;
        match (was, is) {
            // The property is not sent in this direction.
            (Some(_), Some(_)) if was_hidden && is_hidden => {}
            (None, Some(_)) if is_hidden => {}
            (Some(_), None) if was_hidden => {}
            (Some(_), Some(_)) if is_hidden => {
                let (rule, text) = match output.direction {
                    Direction::Request => (&rules::BECAME_READ_ONLY, "can no longer be sent"),
                    Direction::Response => (&rules::BECAME_WRITE_ONLY, "no longer comes back"),
                };
                output.report_rule(rule, location, (Some(false.into()), Some(true.into())), text);
            }
            (Some(was), Some(is)) => {
                if was_hidden {
                    let (rule, text) = match output.direction {
                        Direction::Request => (&rules::NO_LONGER_READ_ONLY, "can be sent"),
                        Direction::Response => (&rules::NO_LONGER_WRITE_ONLY, "comes back"),
                    };
                    output.report_rule(rule, location, (Some(true.into()), Some(false.into())), text);
                }
                required(was_required, is_required, location, output);
                output.descend(was.clone(), is.clone());
            }
            (None, Some(is)) => {
                let (rule, text) = match is_required {
                    true if old.required.contains_key(name) => (&rules::PROPERTY_ADDED, "is new"),
                    true => (&rules::REQUIRED_PROPERTY_ADDED, "is new, and required"),
                    false => (&rules::PROPERTY_ADDED, "is new"),
                };
                output.report(rule, location, (None, Some(words(is, self.new))), text);
            }
            (Some(was), None) => {
                let values = (Some(words(was, self.old)), None);
                match output.direction {
                    Direction::Request if new.closed.is_some() => {
                        output.report_rule(
                            &rules::PROPERTY_REFUSED,
                            location,
                            values,
                            "is gone, and no other is taken,",
                        );
                    }
                    Direction::Response if was_required && !is_required => {
                        output.report_rule(
                            &rules::REQUIRED_PROPERTY_REMOVED,
                            location,
                            values,
                            "is gone, and was always there,",
                        );
                    }
                    _ => output.report(&rules::PROPERTY_REMOVED, location, values, "is gone"),
                }
            }
            (None, None) => {}
        }
    }

    /// Compares required names that are properties in neither document.
    fn required_alone(&self, old: &EffectiveSchema<'a>, new: &EffectiveSchema<'a>, output: &mut SchemaDifferences<'a>) {
        let names: BTreeSet<&str> = old.required.keys().chain(new.required.keys()).copied().collect();
        for name in names {
            if old.properties.contains_key(name) && new.properties.contains_key(name) {
                continue;
            }
            let (was, is) = (old.required.get(name), new.required.get(name));
            // Added or removed with its property, which is reported.
            let told = match (was, is) {
                (None, Some(_)) => new.properties.contains_key(name),
                (Some(_), None) => old.properties.contains_key(name),
                _ => true,
            };
            if !told {
                let location: Location = changed_location(was, is).property(name);
                required(was.is_some(), is.is_some(), &location, output);
            }
        }
    }

    fn additional(&self, old: &EffectiveSchema<'a>, new: &EffectiveSchema<'a>, output: &mut SchemaDifferences<'a>) {
        let first = |parts: &[LocatedSchema]| parts.first().map(|located| located.location.clone());
        let own = |effective: &EffectiveSchema| effective.location.clone();
        let is_object =
            |effective: &EffectiveSchema| effective.types.as_ref().is_none_or(|types| types.contains("object"));
        if !is_object(old) || !is_object(new) {
            return;
        }
        let (was, is) = (old.closed.clone(), new.closed.clone());
        match (&was, &is) {
            (Some(_), Some(_)) => {}
            (None, Some(_)) => {
                let location = changed_location(own(old).as_ref(), is.as_ref()).clone();
                let values = (Some(true.into()), Some(false.into()));
                output.report(
                    &rules::ADDITIONAL_CLOSED,
                    &location,
                    values,
                    "has no properties any more but those it names",
                );
            }
            (Some(_), None) => {
                let location = changed_location(was.as_ref(), own(new).as_ref()).clone();
                let values = (Some(false.into()), Some(true.into()));
                output.report(
                    &rules::ADDITIONAL_OPENED,
                    &location,
                    values,
                    "may have properties that it does not name",
                );
            }
            (None, None) => match (old.additional.is_empty(), new.additional.is_empty()) {
                (true, true) => {}
                (false, false) => output.descend(old.additional.clone(), new.additional.clone()),
                (true, false) => {
                    let location = changed_location(None, first(&new.additional).as_ref()).clone();
                    let values = (None, Some(words(&new.additional, self.new)));
                    output.report(&rules::ADDITIONAL_TYPED, &location, values, "has a schema, and had none");
                }
                (false, true) => {
                    let location = changed_location(first(&old.additional).as_ref(), None).clone();
                    let values = (Some(words(&old.additional, self.old)), None);
                    output.report(&rules::ADDITIONAL_UNTYPED, &location, values, "has no schema any more");
                }
            },
        }
    }

    pub(super) fn not(&self, old: &EffectiveSchema<'a>, new: &EffectiveSchema<'a>, output: &mut SchemaDifferences<'a>) {
        let first = |parts: &[LocatedSchema]| parts.first().map(|located| located.location.clone());
        let (old_place, new_place) = (first(&old.not), first(&new.not));
        let location = changed_location(old_place.as_ref(), new_place.as_ref());
        let value = |parts: &[LocatedSchema]| parts.first().map(|located| located.value.clone());
        let (rule, text) = match (old.not.is_empty(), new.not.is_empty()) {
            (true, false) => (&rules::NOT_ADDED, "now excludes what matches a schema"),
            (false, true) => (&rules::NOT_REMOVED, "no longer excludes what matches a schema"),
            (false, false) if !self.is_equivalent(&old.not, &new.not) => {
                (&rules::NOT_CHANGED, "excludes something else")
            }
            _ => return,
        };
        output.report(rule, location, (value(&old.not), value(&new.not)), text);
    }
}

fn required(was: bool, is: bool, location: &Location, output: &mut SchemaDifferences) {
    let (rule, text) = match (was, is) {
        (false, true) => (&rules::PROPERTY_BECAME_REQUIRED, "is now required"),
        (true, false) => (&rules::PROPERTY_BECAME_OPTIONAL, "is no longer required"),
        _ => return,
    };
    output.report(rule, location, (Some(was.into()), Some(is.into())), text);
}

/// The types of a schema, as the value of a change.
fn words<'a>(parts: &[LocatedSchema<'a>], document: &'a Document) -> serde_json::Value {
    EffectiveSchema::of(parts, document).type_names().into()
}
