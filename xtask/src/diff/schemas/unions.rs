//! `oneOf` and `anyOf`: variants have no order, and are matched by what they are.

use std::collections::BTreeSet;

use datagouv_specs::pointer::unescape;
use serde_json::Value;

use super::flat::{Flat, Spot, Union};
use super::{Found, Schemas, place_of};
use crate::diff::document::reference;
use crate::diff::rules;

/// Above so many pairs of variants, names alone are matched.
const MANY: usize = 2_500;

impl<'a> Schemas<'a> {
    /// A schema that became a union, or the other way; whether that was so, and all is said.
    pub(super) fn one_became_many(
        &self,
        old: &Flat<'a>,
        new: &Flat<'a>,
        olds: &[Spot<'a>],
        news: &[Spot<'a>],
        found: &mut Found<'a>,
    ) -> bool {
        let bare =
            |spots: &[Spot<'a>]| spots.iter().map(|spot| Spot { bare: true, ..spot.clone() }).collect::<Vec<_>>();
        match (old.unions.as_slice(), new.unions.as_slice()) {
            ([], [union]) if old.is_anything() => {
                let values = (Some("anything".into()), Some(names(union).into()));
                let text = format!("was anything, is a union of {}", names(union));
                found.say(&rules::TYPE_NARROWED, &union.place, values, text);
                true
            }
            ([union], []) if new.is_anything() => {
                let values = (Some(names(union).into()), Some("anything".into()));
                let text = format!("was a union of {}, is anything", names(union));
                found.say(&rules::TYPE_WIDENED, &union.place, values, text);
                true
            }
            ([], [union]) => {
                let Some(index) = self.likest(olds, &union.variants, true) else {
                    let text = format!("was {}, is a union of {}", old.type_words(), names(union));
                    let place = place_of(old.place.as_ref(), Some(&union.place));
                    found.say(&rules::UNION_ADDED, place, (None, Some(names(union).into())), text);
                    return true;
                };
                for (other, variant) in union.variants.iter().enumerate() {
                    if other != index {
                        self.variant_added(union, variant, found);
                    }
                }
                let mut merged = bare(news);
                merged.push(union.variants[index].clone());
                found.descend(olds.to_vec(), merged);
                true
            }
            ([union], []) => {
                let Some(index) = self.likest(news, &union.variants, false) else {
                    let text = format!("was a union of {}, is {}", names(union), new.type_words());
                    let place = place_of(Some(&union.place), new.place.as_ref());
                    found.say(&rules::UNION_REMOVED, place, (Some(names(union).into()), None), text);
                    return true;
                };
                for (other, variant) in union.variants.iter().enumerate() {
                    if other != index {
                        self.variant_removed(union, variant, found);
                    }
                }
                let mut merged = bare(olds);
                merged.push(union.variants[index].clone());
                found.descend(merged, news.to_vec());
                true
            }
            _ => false,
        }
    }

    /// The variant that is most like a schema of the other document.
    fn likest(&self, schema: &[Spot<'a>], variants: &[Spot<'a>], schema_is_old: bool) -> Option<usize> {
        let likeness = |variant: &Spot<'a>| match schema_is_old {
            true => self.likeness(schema, std::slice::from_ref(variant)),
            false => self.likeness(std::slice::from_ref(variant), schema),
        };
        let scores = variants.iter().map(likeness).enumerate();
        scores.filter(|(_, score)| *score >= LIKE).max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(index, _)| index)
    }

    pub(super) fn unions(&self, old: &Flat<'a>, new: &Flat<'a>, found: &mut Found<'a>) {
        for index in 0..old.unions.len().max(new.unions.len()) {
            match (old.unions.get(index), new.unions.get(index)) {
                (Some(was), Some(is)) => self.union(was, is, found),
                (None, Some(union)) => {
                    let text = format!("is now a union of {}", names(union));
                    found.say(&rules::UNION_ADDED, &union.place, (None, Some(names(union).into())), text);
                }
                (Some(union), None) => {
                    let text = format!("is no longer a union of {}", names(union));
                    found.say(&rules::UNION_REMOVED, &union.place, (Some(names(union).into()), None), text);
                }
                (None, None) => {}
            }
        }
        self.discriminator(old, new, found);
    }

    fn union(&self, was: &Union<'a>, is: &Union<'a>, found: &mut Found<'a>) {
        if was.kind != is.kind {
            let place = place_of(Some(&was.place), Some(&is.place));
            let text = format!("is `{}`, no longer `{}`", is.kind, was.kind);
            found.say(&rules::UNION_KIND_CHANGED, place, (Some(was.kind.into()), Some(is.kind.into())), text);
        }
        let (matched, gone, fresh) = self.matched(&was.variants, &is.variants);
        gone.into_iter().for_each(|index| self.variant_removed(was, &was.variants[index], found));
        fresh.into_iter().for_each(|index| self.variant_added(is, &is.variants[index], found));
        for (old, new) in matched {
            found.descend(vec![was.variants[old].clone()], vec![is.variants[new].clone()]);
        }
    }

    /// Which variant is which: those of the same name, then those that say the same, then the most alike.
    fn matched(&self, old: &[Spot<'a>], new: &[Spot<'a>]) -> (Vec<(usize, usize)>, Vec<usize>, Vec<usize>) {
        let mut gone: Vec<usize> = (0..old.len()).collect();
        let mut fresh: Vec<usize> = (0..new.len()).collect();
        let mut pairs = Vec::new();
        let mut take = |gone: &mut Vec<usize>, fresh: &mut Vec<usize>, is_pair: &dyn Fn(usize, usize) -> bool| {
            gone.retain(|was| {
                let Some(position) = fresh.iter().position(|is| is_pair(*was, *is)) else { return true };
                pairs.push((*was, fresh.remove(position)));
                false
            });
        };
        take(&mut gone, &mut fresh, &|was, is| {
            reference(old[was].value).is_some_and(|name| reference(new[is].value) == Some(name))
        });
        let one = std::slice::from_ref;
        if gone.len() * fresh.len() <= MANY {
            take(&mut gone, &mut fresh, &|was, is| self.is_equivalent(one(&old[was]), one(&new[is])));
            let mut scores: Vec<(f64, usize, usize)> = Vec::new();
            for was in &gone {
                for is in &fresh {
                    scores.push((self.likeness(one(&old[*was]), one(&new[*is])), *was, *is));
                }
            }
            scores.sort_by(|a, b| b.0.total_cmp(&a.0));
            for (_, was, is) in scores.into_iter().filter(|(score, ..)| *score >= LIKE) {
                if gone.contains(&was) && fresh.contains(&is) {
                    gone.retain(|it| *it != was);
                    fresh.retain(|it| *it != is);
                    pairs.push((was, is));
                }
            }
        }
        (pairs, gone, fresh)
    }

    /// How alike two schemas are at their first level, from 0 to 1.
    fn likeness(&self, old: &[Spot<'a>], new: &[Spot<'a>]) -> f64 {
        if self.is_equivalent(old, new) {
            return 1.0;
        }
        let (old, new) = (Flat::of(old, self.old), Flat::of(new, self.new));
        if old.types != new.types {
            return 0.0;
        }
        let (was, is): (BTreeSet<&&str>, BTreeSet<&&str>) =
            (old.properties.keys().collect(), new.properties.keys().collect());
        let all = was.union(&is).count();
        if all > 0 {
            return was.intersection(&is).count() as f64 / all as f64 * 0.99;
        }
        // What has no properties is told by its type.
        0.9
    }

    fn variant_added(&self, union: &Union<'a>, variant: &Spot<'a>, found: &mut Found<'a>) {
        let name = last(variant);
        let text = format!("may also be {}", named(&name));
        found.say(&rules::VARIANT_ADDED, &union.place, (None, Some(name.into())), text);
    }

    fn variant_removed(&self, union: &Union<'a>, variant: &Spot<'a>, found: &mut Found<'a>) {
        let name = last(variant);
        let text = format!("is no longer {}", named(&name));
        found.say(&rules::VARIANT_REMOVED, &union.place, (Some(name.into()), None), text);
    }

    fn discriminator(&self, old: &Flat<'a>, new: &Flat<'a>, found: &mut Found<'a>) {
        let (was, is) = (old.said.get("discriminator"), new.said.get("discriminator"));
        let place = place_of(was.map(|said| &said.place), is.map(|said| &said.place));
        let property = |value: &'a Value| value.get("propertyName").and_then(Value::as_str).unwrap_or_default();
        match (was, is) {
            (None, None) => {}
            (None, Some(is)) => {
                let text = format!("is now told apart by `{}`", property(is.value));
                found.say(&rules::DISCRIMINATOR_ADDED, place, (None, Some(property(is.value).into())), text);
            }
            (Some(was), None) => {
                let text = format!("is no longer told apart by `{}`", property(was.value));
                found.say(&rules::DISCRIMINATOR_REMOVED, place, (Some(property(was.value).into()), None), text);
            }
            (Some(was), Some(is)) => {
                let (before, after) = (property(was.value), property(is.value));
                if before != after {
                    let text = format!("is told apart by `{after}`, no longer by `{before}`");
                    let values = (Some(before.into()), Some(after.into()));
                    found.say(&rules::DISCRIMINATOR_CHANGED, place, values, text);
                }
                self.mapping(was.value, is.value, place, found);
            }
        }
    }

    fn mapping(&self, was: &'a Value, is: &'a Value, place: &crate::diff::place::Place, found: &mut Found<'a>) {
        // What maps a name to the component of that name says nothing.
        let entries = |value: &'a Value| -> std::collections::BTreeMap<&'a str, &'a str> {
            let mapping = value.get("mapping").and_then(Value::as_object).into_iter().flatten();
            let entries = mapping.filter_map(|(name, target)| Some((name.as_str(), target.as_str()?)));
            entries.filter(|(name, target)| component(target) != *name).collect()
        };
        let (was, is) = (entries(was), entries(is));
        let names: BTreeSet<&str> = was.keys().chain(is.keys()).copied().collect();
        for name in names {
            let (before, after) = (was.get(name).copied(), is.get(name).copied());
            let (rule, text) = match (before, after) {
                (None, Some(after)) => {
                    (&rules::MAPPING_ADDED, format!("may be told by `{name}` to be `{}`", component(after)))
                }
                (Some(before), None) => {
                    (&rules::MAPPING_REMOVED, format!("is no longer told by `{name}` to be `{}`", component(before)))
                }
                (Some(before), Some(after)) if component(before) != component(after) => {
                    let text =
                        format!("is told by `{name}` to be `{}`, no longer `{}`", component(after), component(before));
                    (&rules::MAPPING_CHANGED, text)
                }
                _ => continue,
            };
            found.say(rule, place, (before.map(Into::into), after.map(Into::into)), text);
        }
    }
}

/// From here on two schemas are taken for versions of one.
const LIKE: f64 = 0.5;

/// The name of a component that a mapping leads to, by reference or by name.
fn component(target: &str) -> &str {
    target.strip_prefix("#/components/schemas/").unwrap_or(target)
}

/// The name or number of a variant, as its place has it.
fn last(variant: &Spot) -> String {
    unescape(variant.place.location.rsplit('/').next().unwrap_or_default())
}

fn named(name: &str) -> String {
    match name.parse::<usize>() {
        Ok(number) => format!("variant {}", number + 1),
        Err(_) => format!("`{name}`"),
    }
}

fn names(union: &Union) -> String {
    union.variants.iter().map(|variant| named(&last(variant))).collect::<Vec<_>>().join(", ")
}
