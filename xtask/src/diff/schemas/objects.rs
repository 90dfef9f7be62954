//! What is inside: properties, items, additional properties, and `not`.

use std::collections::BTreeSet;

use super::flat::{Flat, Spot};
use super::{Found, Schemas, place_of};
use crate::diff::change::Direction;
use crate::diff::document::Document;
use crate::diff::place::Place;
use crate::diff::rules;

impl<'a> Schemas<'a> {
    pub(super) fn objects(&self, old: &Flat<'a>, new: &Flat<'a>, found: &mut Found<'a>) {
        let names: BTreeSet<&str> = old.properties.keys().chain(new.properties.keys()).copied().collect();
        for name in names {
            self.property(name, old, new, found);
        }
        self.required_alone(old, new, found);
        if !old.items.is_empty() || !new.items.is_empty() {
            found.descend(old.items.clone(), new.items.clone());
        }
        self.additional(old, new, found);
    }

    fn property(&self, name: &'a str, old: &Flat<'a>, new: &Flat<'a>, found: &mut Found<'a>) {
        let flag = match found.direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let (was, is) = (old.properties.get(name), new.properties.get(name));
        let hidden = |parts: Option<&Vec<Spot<'a>>>, document| parts.is_some_and(|it| Flat::of(it, document).is(flag));
        let (was_hidden, is_hidden) = (hidden(was, self.old), hidden(is, self.new));
        let place_in =
            |parts: Option<&Vec<Spot<'a>>>| parts.and_then(|parts| parts.first()).map(|spot| spot.place.clone());
        let (old_place, new_place) = (place_in(was), place_in(is));
        let place = place_of(old_place.as_ref(), new_place.as_ref());
        let was_required = old.required.contains_key(name) && !was_hidden;
        let is_required = new.required.contains_key(name) && !is_hidden;
        match (was, is) {
            // It does not travel this way.
            (Some(_), Some(_)) if was_hidden && is_hidden => {}
            (None, Some(_)) if is_hidden => {}
            (Some(_), None) if was_hidden => {}
            (Some(_), Some(_)) if is_hidden => {
                let (rule, text) = match found.direction {
                    Direction::Request => (&rules::BECAME_READ_ONLY, "can no longer be sent"),
                    Direction::Response => (&rules::BECAME_WRITE_ONLY, "no longer comes back"),
                };
                found.say_by(rule, place, (Some(false.into()), Some(true.into())), text);
            }
            (Some(was), Some(is)) => {
                if was_hidden {
                    let (rule, text) = match found.direction {
                        Direction::Request => (&rules::NO_LONGER_READ_ONLY, "can be sent"),
                        Direction::Response => (&rules::NO_LONGER_WRITE_ONLY, "comes back"),
                    };
                    found.say_by(rule, place, (Some(true.into()), Some(false.into())), text);
                }
                required(was_required, is_required, place, found);
                found.descend(was.clone(), is.clone());
            }
            (None, Some(is)) => {
                let (rule, text) = match is_required {
                    true if old.required.contains_key(name) => (&rules::PROPERTY_ADDED, "is new"),
                    true => (&rules::REQUIRED_PROPERTY_ADDED, "is new, and required"),
                    false => (&rules::PROPERTY_ADDED, "is new"),
                };
                found.say(rule, place, (None, Some(words(is, self.new))), text);
            }
            (Some(was), None) => {
                let values = (Some(words(was, self.old)), None);
                match found.direction {
                    Direction::Request if new.closed.is_some() => {
                        found.say_by(&rules::PROPERTY_REFUSED, place, values, "is gone, and no other is taken,");
                    }
                    Direction::Response if was_required && !is_required => {
                        found.say_by(
                            &rules::REQUIRED_PROPERTY_REMOVED,
                            place,
                            values,
                            "is gone, and was always there,",
                        );
                    }
                    _ => found.say(&rules::PROPERTY_REMOVED, place, values, "is gone"),
                }
            }
            (None, None) => {}
        }
    }

    /// Names that are required, and are properties in neither document.
    fn required_alone(&self, old: &Flat<'a>, new: &Flat<'a>, found: &mut Found<'a>) {
        let names: BTreeSet<&str> = old.required.keys().chain(new.required.keys()).copied().collect();
        for name in names {
            if old.properties.contains_key(name) && new.properties.contains_key(name) {
                continue;
            }
            let (was, is) = (old.required.get(name), new.required.get(name));
            // What is new or gone with its property is told with the property.
            let told = match (was, is) {
                (None, Some(_)) => new.properties.contains_key(name),
                (Some(_), None) => old.properties.contains_key(name),
                _ => true,
            };
            if !told {
                let place: Place = place_of(was, is).property(name);
                required(was.is_some(), is.is_some(), &place, found);
            }
        }
    }

    fn additional(&self, old: &Flat<'a>, new: &Flat<'a>, found: &mut Found<'a>) {
        let first = |parts: &[Spot]| parts.first().map(|spot| spot.place.clone());
        let own = |flat: &Flat| flat.place.clone();
        let is_object = |flat: &Flat| flat.types.as_ref().is_none_or(|types| types.contains("object"));
        if !is_object(old) || !is_object(new) {
            return;
        }
        let (was, is) = (old.closed.clone(), new.closed.clone());
        match (&was, &is) {
            (Some(_), Some(_)) => {}
            (None, Some(_)) => {
                let place = place_of(own(old).as_ref(), is.as_ref()).clone();
                let values = (Some(true.into()), Some(false.into()));
                found.say(&rules::ADDITIONAL_CLOSED, &place, values, "has no properties any more but those it names");
            }
            (Some(_), None) => {
                let place = place_of(was.as_ref(), own(new).as_ref()).clone();
                let values = (Some(false.into()), Some(true.into()));
                found.say(&rules::ADDITIONAL_OPENED, &place, values, "may have properties that it does not name");
            }
            (None, None) => match (old.additional.is_empty(), new.additional.is_empty()) {
                (true, true) => {}
                (false, false) => found.descend(old.additional.clone(), new.additional.clone()),
                (true, false) => {
                    let place = place_of(None, first(&new.additional).as_ref()).clone();
                    let values = (None, Some(words(&new.additional, self.new)));
                    found.say(&rules::ADDITIONAL_TYPED, &place, values, "has a schema, and had none");
                }
                (false, true) => {
                    let place = place_of(first(&old.additional).as_ref(), None).clone();
                    let values = (Some(words(&old.additional, self.old)), None);
                    found.say(&rules::ADDITIONAL_UNTYPED, &place, values, "has no schema any more");
                }
            },
        }
    }

    pub(super) fn not(&self, old: &Flat<'a>, new: &Flat<'a>, found: &mut Found<'a>) {
        let first = |parts: &[Spot]| parts.first().map(|spot| spot.place.clone());
        let (old_place, new_place) = (first(&old.not), first(&new.not));
        let place = place_of(old_place.as_ref(), new_place.as_ref());
        let value = |parts: &[Spot]| parts.first().map(|spot| spot.value.clone());
        let (rule, text) = match (old.not.is_empty(), new.not.is_empty()) {
            (true, false) => (&rules::NOT_ADDED, "now excludes what matches a schema"),
            (false, true) => (&rules::NOT_REMOVED, "no longer excludes what matches a schema"),
            (false, false) if !self.is_equivalent(&old.not, &new.not) => {
                (&rules::NOT_CHANGED, "excludes something else")
            }
            _ => return,
        };
        found.say(rule, place, (value(&old.not), value(&new.not)), text);
    }
}

fn required(was: bool, is: bool, place: &Place, found: &mut Found) {
    let (rule, text) = match (was, is) {
        (false, true) => (&rules::PROPERTY_BECAME_REQUIRED, "is now required"),
        (true, false) => (&rules::PROPERTY_BECAME_OPTIONAL, "is no longer required"),
        _ => return,
    };
    found.say(rule, place, (Some(was.into()), Some(is.into())), text);
}

/// What a schema is, for the values of a change.
fn words<'a>(parts: &[Spot<'a>], document: &'a Document) -> serde_json::Value {
    Flat::of(parts, document).type_words().into()
}
