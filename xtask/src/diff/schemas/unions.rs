//! Compares `oneOf` and `anyOf`: variants have no order, and are matched by similarity.

use std::collections::BTreeSet;

use datagouv_specs::pointer::{escape, unescape};
use serde_json::Value;

use super::context::SchemaContext;
use super::differences::{SchemaDifferences, changed_location};
use super::effective::{EffectiveSchema, Union};
use super::located::LocatedSchema;

use crate::diff::document::Document;
use crate::diff::location::Location;
use crate::diff::references::reference;
use crate::diff::rules;

/// The number of pairs of variants above which only names are matched.
const MANY: usize = 2_500;

impl<'a> SchemaContext<'_, 'a> {
    /// Compares a schema with a union, in either order. Returns whether one of the two is a union, so that nothing is left
    /// to compare.
    pub(super) fn schema_became_union(
        &self,
        old: &EffectiveSchema<'a>,
        new: &EffectiveSchema<'a>,
        olds: &[LocatedSchema<'a>],
        news: &[LocatedSchema<'a>],
        output: &mut SchemaDifferences<'a>,
    ) -> bool {
        let without_unions = |located: &[LocatedSchema<'a>]| {
            located.iter().map(|located| LocatedSchema { without_unions: true, ..located.clone() }).collect::<Vec<_>>()
        };
        match (old.unions.as_slice(), new.unions.as_slice()) {
            ([], [union]) if old.is_anything() => {
                let values = (Some("anything".into()), Some(names(union).into()));
                let text = format!("was anything, is a union of {}", names(union));
                output.report(&rules::TYPE_NARROWED, &union.location, values, text);
                true
            }
            ([union], []) if new.is_anything() => {
                let values = (Some(names(union).into()), Some("anything".into()));
                let text = format!("was a union of {}, is anything", names(union));
                output.report(&rules::TYPE_WIDENED, &union.location, values, text);
                true
            }
            ([], [union]) => {
                let Some(index) = self.most_similar(olds, &union.variants, true) else {
                    let text = format!("was {}, is a union of {}", old.type_names(), names(union));
                    let location = changed_location(old.location.as_ref(), Some(&union.location));
                    output.report(&rules::UNION_ADDED, location, (None, Some(names(union).into())), text);
                    return true;
                };
                for (other, variant) in union.variants.iter().enumerate() {
                    if other != index {
                        self.variant_added(union, variant, output);
                    }
                }
                let mut merged = without_unions(news);
                merged.push(union.variants[index].clone());
                output.descend(olds.to_vec(), merged);
                true
            }
            ([union], []) => {
                let Some(index) = self.most_similar(news, &union.variants, false) else {
                    let text = format!("was a union of {}, is {}", names(union), new.type_names());
                    let location = changed_location(Some(&union.location), new.location.as_ref());
                    output.report(&rules::UNION_REMOVED, location, (Some(names(union).into()), None), text);
                    return true;
                };
                for (other, variant) in union.variants.iter().enumerate() {
                    if other != index {
                        self.variant_removed(union, variant, output);
                    }
                }
                let mut merged = without_unions(olds);
                merged.push(union.variants[index].clone());
                output.descend(merged, news.to_vec());
                true
            }
            _ => false,
        }
    }

    /// The variant that is most similar to a schema of the other document.
    fn most_similar(
        &self,
        schema: &[LocatedSchema<'a>],
        variants: &[LocatedSchema<'a>],
        schema_is_old: bool,
    ) -> Option<usize> {
        let similarity = |variant: &LocatedSchema<'a>| match schema_is_old {
            true => self.similarity(schema, std::slice::from_ref(variant)),
            false => self.similarity(std::slice::from_ref(variant), schema),
        };
        let scores = variants.iter().map(similarity).enumerate();
        scores
            .filter(|(_, score)| *score >= MIN_SIMILARITY)
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .map(|(index, _)| index)
    }

    pub(super) fn unions(
        &self,
        old: &EffectiveSchema<'a>,
        new: &EffectiveSchema<'a>,
        output: &mut SchemaDifferences<'a>,
    ) {
        for index in 0..old.unions.len().max(new.unions.len()) {
            match (old.unions.get(index), new.unions.get(index)) {
                (Some(was), Some(is)) => self.union(was, is, output),
                (None, Some(union)) => {
                    let text = format!("is now a union of {}", names(union));
                    output.report(&rules::UNION_ADDED, &union.location, (None, Some(names(union).into())), text);
                }
                (Some(union), None) => {
                    let text = format!("is no longer a union of {}", names(union));
                    output.report(&rules::UNION_REMOVED, &union.location, (Some(names(union).into()), None), text);
                }
                (None, None) => {}
            }
        }
        self.discriminator(old, new, output);
    }

    fn union(&self, was: &Union<'a>, is: &Union<'a>, output: &mut SchemaDifferences<'a>) {
        if was.kind != is.kind {
            let location = changed_location(Some(&was.location), Some(&is.location));
            let text = format!("is `{}`, no longer `{}`", is.kind, was.kind);
            output.report(&rules::UNION_KIND_CHANGED, location, (Some(was.kind.into()), Some(is.kind.into())), text);
        }
        let (match_variants, removed, added) = self.match_variants(&was.variants, &is.variants);
        removed.into_iter().for_each(|index| self.variant_removed(was, &was.variants[index], output));
        added.into_iter().for_each(|index| self.variant_added(is, &is.variants[index], output));
        for (old, new) in match_variants {
            output.descend(vec![was.variants[old].clone()], vec![is.variants[new].clone()]);
        }
    }

    /// Matches variants: by name, then by equivalence, then by similarity.
    fn match_variants(
        &self,
        old: &[LocatedSchema<'a>],
        new: &[LocatedSchema<'a>],
    ) -> (Vec<(usize, usize)>, Vec<usize>, Vec<usize>) {
        let mut removed: Vec<usize> = (0..old.len()).collect();
        let mut added: Vec<usize> = (0..new.len()).collect();
        let mut pairs = Vec::new();
        let mut take = |removed: &mut Vec<usize>, added: &mut Vec<usize>, is_pair: &dyn Fn(usize, usize) -> bool| {
            removed.retain(|was| {
                let Some(position) = added.iter().position(|is| is_pair(*was, *is)) else { return true };
                pairs.push((*was, added.remove(position)));
                false
            });
        };
        take(&mut removed, &mut added, &|was, is| {
            reference(old[was].value).is_some_and(|name| reference(new[is].value) == Some(name))
        });
        let one = std::slice::from_ref;
        if removed.len() * added.len() <= MANY {
            take(&mut removed, &mut added, &|was, is| self.is_equivalent(one(&old[was]), one(&new[is])));
            let mut scores: Vec<(f64, usize, usize)> = Vec::new();
            for was in &removed {
                for is in &added {
                    scores.push((self.similarity(one(&old[*was]), one(&new[*is])), *was, *is));
                }
            }
            scores.sort_by(|a, b| b.0.total_cmp(&a.0));
            for (_, was, is) in scores.into_iter().filter(|(score, ..)| *score >= MIN_SIMILARITY) {
                if removed.contains(&was) && added.contains(&is) {
                    removed.retain(|it| *it != was);
                    added.retain(|it| *it != is);
                    pairs.push((was, is));
                }
            }
        }
        (pairs, removed, added)
    }

    /// The similarity of two schemas at their first level, from 0 to 1.
    fn similarity(&self, old: &[LocatedSchema<'a>], new: &[LocatedSchema<'a>]) -> f64 {
        if self.is_equivalent(old, new) {
            return 1.0;
        }
        let (old, new) = (EffectiveSchema::of(old, self.old), EffectiveSchema::of(new, self.new));
        // A type may be wider, as number is than integer.
        let is_within = match (&old.types, &new.types) {
            (Some(was), Some(is)) => was.is_subset(is) || is.is_subset(was),
            (was, is) => was == is,
        };
        if !is_within {
            return 0.0;
        }
        let (was, is): (BTreeSet<&&str>, BTreeSet<&&str>) =
            (old.properties.keys().collect(), new.properties.keys().collect());
        let all = was.union(&is).count();
        if all > 0 {
            return was.intersection(&is).count() as f64 / all as f64 * 0.99;
        }
        // Without properties, only the type can be compared.
        if old.types == new.types { 0.9 } else { 0.6 }
    }

    /// Whether a component of NEW is taken for one of OLD.
    fn is_renamed(&self, old: &str, new: &str) -> bool {
        match (component_schema(self.old, old), component_schema(self.new, new)) {
            (Some(was), Some(is)) => self.similarity(&[was], &[is]) >= MIN_SIMILARITY,
            _ => false,
        }
    }

    fn variant_added(&self, union: &Union<'a>, variant: &LocatedSchema<'a>, output: &mut SchemaDifferences<'a>) {
        let name = last(variant);
        let text = format!("may also be {}", named(&name));
        output.report(&rules::VARIANT_ADDED, &union.location, (None, Some(name.into())), text);
    }

    fn variant_removed(&self, union: &Union<'a>, variant: &LocatedSchema<'a>, output: &mut SchemaDifferences<'a>) {
        let name = last(variant);
        let text = format!("is no longer {}", named(&name));
        output.report(&rules::VARIANT_REMOVED, &union.location, (Some(name.into()), None), text);
    }

    fn discriminator(&self, old: &EffectiveSchema<'a>, new: &EffectiveSchema<'a>, output: &mut SchemaDifferences<'a>) {
        let (was, is) = (old.keywords.get("discriminator"), new.keywords.get("discriminator"));
        let location = changed_location(was.map(|keywords| &keywords.location), is.map(|keywords| &keywords.location));
        let property = |value: &'a Value| value.get("propertyName").and_then(Value::as_str).unwrap_or_default();
        match (was, is) {
            (None, None) => {}
            (None, Some(is)) => {
                let text = format!("is now told apart by `{}`", property(is.value));
                output.report(&rules::DISCRIMINATOR_ADDED, location, (None, Some(property(is.value).into())), text);
            }
            (Some(was), None) => {
                let text = format!("is no longer told apart by `{}`", property(was.value));
                output.report(&rules::DISCRIMINATOR_REMOVED, location, (Some(property(was.value).into()), None), text);
            }
            (Some(was), Some(is)) => {
                let (before, after) = (property(was.value), property(is.value));
                if before != after {
                    let text = format!("is told apart by `{after}`, no longer by `{before}`");
                    let values = (Some(before.into()), Some(after.into()));
                    output.report(&rules::DISCRIMINATOR_CHANGED, location, values, text);
                }
                self.mapping(was.value, is.value, location, output);
            }
        }
    }

    fn mapping(&self, was: &'a Value, is: &'a Value, location: &Location, output: &mut SchemaDifferences<'a>) {
        // Mapping a name to the component of that name is the default.
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
                    // Under another name, it is compared as a variant.
                    if self.is_renamed(component(before), component(after)) {
                        continue;
                    }
                    let text =
                        format!("is told by `{name}` to be `{}`, no longer `{}`", component(after), component(before));
                    (&rules::MAPPING_CHANGED, text)
                }
                _ => continue,
            };
            output.report(rule, location, (before.map(Into::into), after.map(Into::into)), text);
        }
    }
}

/// The component of a name, as a schema.
fn component_schema<'a>(document: &'a Document, name: &str) -> Option<LocatedSchema<'a>> {
    let pointer = format!("/components/schemas/{}", escape(name));
    Some(LocatedSchema::new(document.root().pointer(&pointer)?, Location::shared(&pointer)))
}

/// The similarity from which two schemas are taken for versions of one.
const MIN_SIMILARITY: f64 = 0.5;

/// The name of a component that a mapping leads to, by reference or by name.
fn component(target: &str) -> &str {
    target.strip_prefix("#/components/schemas/").unwrap_or(target)
}

/// The name or index of a variant, from its pointer.
fn last(variant: &LocatedSchema) -> String {
    unescape(variant.location.pointer.rsplit('/').next().unwrap_or_default())
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
