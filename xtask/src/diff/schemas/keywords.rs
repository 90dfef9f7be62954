//! Compares keywords of single values: types, enums, bounds, lengths.

use std::rc::Rc;

use serde_json::Value;

use super::differences::{SchemaDifferences, changed_location};
use super::effective::{Bound, EffectiveSchema, Keyword};

use crate::diff::announced;
use crate::diff::location::Location;
use crate::diff::rules::{self, Pair};
use crate::diff::values::{display, is_same};

/// The location of a keyword, or that of the schema where a side does not have the keyword.
fn keyword_location<'p>(old: Option<&'p Keyword>, new: Option<&'p Keyword>) -> &'p Location {
    changed_location(old.map(|keywords| &keywords.location), new.map(|keywords| &keywords.location))
}

fn value(keywords: Option<&Keyword>) -> Option<Value> {
    keywords.map(|keywords| keywords.value.clone())
}

/// Compares defaults and deprecation, which do not restrict values.
pub fn annotations(old: &EffectiveSchema, new: &EffectiveSchema, output: &mut SchemaDifferences) {
    announced(old, new, output);
    flag("deprecated", &rules::DEPRECATED, &rules::NO_LONGER_DEPRECATED, "deprecated", old, new, output);
    single("default", old, new, output, |old, new| match (old, new) {
        (None, Some(new)) => Some((&rules::DEFAULT_ADDED, format!("now defaults to {}", display(new)))),
        (Some(old), None) => Some((&rules::DEFAULT_REMOVED, format!("no longer defaults to {}", display(old)))),
        (Some(old), Some(new)) if !is_same(old, new) => {
            Some((&rules::DEFAULT_CHANGED, format!("defaults to {}, no longer to {}", display(new), display(old))))
        }
        _ => None,
    });
    // Without a type, null is allowed anyway.
    if old.types.is_some() && new.types.is_some() || !old.unions.is_empty() && !new.unions.is_empty() {
        flag("nullable", &rules::BECAME_NULLABLE, &rules::NO_LONGER_NULLABLE, "null", old, new, output);
    }
}

/// Compares a boolean keyword.
fn flag(
    key: &str,
    added: &'static Pair,
    removed: &'static Pair,
    predicate: &str,
    old: &EffectiveSchema,
    new: &EffectiveSchema,
    output: &mut SchemaDifferences,
) {
    let (was, is) = (old.keywords.get(key), new.keywords.get(key));
    let (rule, verb) = match (was, is, predicate) {
        (None, Some(_), "null") => (added, "may be"),
        (Some(_), None, "null") => (removed, "may no longer be"),
        (None, Some(_), _) => (added, "is now"),
        (Some(_), None, _) => (removed, "is no longer"),
        _ => return,
    };
    let location = side_place(was, is, old, new);
    let values = (Some(was.is_some().into()), Some(is.is_some().into()));
    output.report(rule, location, values, format!("{verb} {predicate}"));
}

/// Where a keyword is that one side does not have.
fn side_place<'p>(
    was: Option<&'p Keyword>,
    is: Option<&'p Keyword>,
    old: &'p EffectiveSchema,
    new: &'p EffectiveSchema,
) -> &'p Location {
    let location = keyword_location(was, is);
    match (was, is) {
        // What one side has by reference, and the other here, is where it is shared.
        (Some(_), Some(_)) => location,
        _ if location.is_shared() => location,
        _ => changed_location(old.location.as_ref(), new.location.as_ref()),
    }
}

/// Compares a keyword with a single value.
fn single(
    key: &str,
    old: &EffectiveSchema,
    new: &EffectiveSchema,
    output: &mut SchemaDifferences,
    judge: impl Fn(Option<&Value>, Option<&Value>) -> Option<(&'static Pair, String)>,
) {
    let (was, is) = (old.keywords.get(key), new.keywords.get(key));
    if let Some((rule, text)) = judge(was.map(|keywords| keywords.value), is.map(|keywords| keywords.value)) {
        output.report(rule, side_place(was, is, old, new), (value(was), value(is)), text);
    }
}

/// Compares type and format. Returns whether both have a type in common, so that other keywords can be compared.
pub fn types(old: &EffectiveSchema, new: &EffectiveSchema, output: &mut SchemaDifferences) -> bool {
    let location = changed_location(
        old.types_location.as_ref().or(old.location.as_ref()),
        new.types_location.as_ref().or(new.location.as_ref()),
    );
    let words = (Some(old.type_names().into()), Some(new.type_names().into()));
    let change = format!("was {}, is {}", with_format(old), with_format(new));
    let rule = match (&old.types, &new.types) {
        (Some(was), Some(is)) if was == is => None,
        (None, None) => None,
        (None, Some(_)) => Some(&rules::TYPE_NARROWED),
        (Some(_), None) => Some(&rules::TYPE_WIDENED),
        (Some(was), Some(is)) if was.is_subset(is) => Some(&rules::TYPE_WIDENED),
        (Some(was), Some(is)) if is.is_subset(was) => Some(&rules::TYPE_NARROWED),
        _ => Some(&rules::TYPE_CHANGED),
    };
    // The variants of a union have the type.
    let by_union = rule.is_some() && (!old.unions.is_empty() || !new.unions.is_empty());
    if by_union && (old.types.is_none() || new.types.is_none()) {
        return true;
    }
    if let Some(rule) = rule {
        output.report(rule, location, words, change);
        // The rest of a schema that any value fits is nothing to compare with.
        return !std::ptr::eq(rule, &rules::TYPE_CHANGED) && old.types.is_some() && new.types.is_some();
    }
    single("format", old, new, output, judge_format);
    true
}

fn with_format(effective: &EffectiveSchema) -> String {
    let types = effective.type_names();
    match effective.keywords.get("format").and_then(|keywords| keywords.value.as_str()) {
        Some(format) => format!("{types} ({format})"),
        None => types,
    }
}

fn judge_format(old: Option<&Value>, new: Option<&Value>) -> Option<(&'static Pair, String)> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let (old, new) = (text(old), text(new));
    let rule = match (old.as_str(), new.as_str()) {
        (old, new) if old == new => return None,
        ("", _) => return Some((&rules::FORMAT_ADDED, format!("has now the format `{new}`"))),
        (_, "") => return Some((&rules::FORMAT_REMOVED, format!("no longer has the format `{old}`"))),
        ("int32", "int64") | ("float", "double") => &rules::FORMAT_WIDENED,
        ("int64", "int32") | ("double", "float") => &rules::FORMAT_NARROWED,
        _ => &rules::FORMAT_CHANGED,
    };
    Some((rule, format!("has the format `{new}`, no longer `{old}`")))
}

/// Compares `enum`, `const` and `pattern`.
pub fn values(old: &EffectiveSchema, new: &EffectiveSchema, output: &mut SchemaDifferences) {
    let (was_only, is_only) = (old.keywords.get("const").cloned(), new.keywords.get("const").cloned());
    // One value by `const` on one side, and several by `enum` on the other.
    let is_mixed = match (&was_only, &is_only) {
        (Some(_), None) => new.values.is_some(),
        (None, Some(_)) => old.values.is_some(),
        _ => false,
    };
    let values = |effective: &EffectiveSchema, only: &Option<Keyword>| match only {
        Some(only) if is_mixed => Some((vec![only.value.clone()], only.location.clone())),
        _ => {
            effective.values.as_ref().map(|(values, at)| (values.iter().map(|it| (*it).clone()).collect(), at.clone()))
        }
    };
    enumeration(values(old, &was_only), values(new, &is_only), output);
    single("const", old, new, output, |old, new| match (old, new) {
        _ if is_mixed => None,
        (None, Some(new)) => Some((&rules::CONST_ADDED, format!("is now always {}", display(new)))),
        (Some(old), None) => Some((&rules::CONST_REMOVED, format!("is no longer always {}", display(old)))),
        (Some(old), Some(new)) if !is_same(old, new) => {
            Some((&rules::CONST_CHANGED, format!("is always {}, no longer {}", display(new), display(old))))
        }
        _ => None,
    });
    // What any text matches is no pattern.
    let is_any = |value: &&Value| matches!(value.as_str(), Some("" | ".*" | "^.*$" | "^.*" | ".*$"));
    single("pattern", old, new, output, |old, new| {
        match (old.filter(|it| !is_any(it)), new.filter(|it| !is_any(it))) {
            (None, Some(new)) => Some((&rules::PATTERN_ADDED, format!("now matches {}", display(new)))),
            (Some(old), None) => Some((&rules::PATTERN_REMOVED, format!("no longer matches {}", display(old)))),
            (Some(old), Some(new)) if old != new => {
                Some((&rules::PATTERN_CHANGED, format!("matches {}, no longer {}", display(new), display(old))))
            }
            _ => None,
        }
    });
}

type ListedValues = Option<(Vec<Value>, Rc<Location>)>;

fn enumeration(old: ListedValues, new: ListedValues, output: &mut SchemaDifferences) {
    match (old, new) {
        (None, Some((values, location))) => {
            let text = format!("is now one of {}", listed(&values));
            output.report(&rules::ENUM_ADDED, &location, (None, Some(values.into())), text);
        }
        (Some((values, location)), None) => {
            let text = format!("is no longer one of {} alone", listed(&values));
            output.report(&rules::ENUM_REMOVED, &location, (Some(values.into()), None), text);
        }
        (Some((was, old_place)), Some((is, new_place))) => {
            let location = changed_location(Some(&old_place), Some(&new_place));
            let missing = |from: &[Value], among: &[Value]| -> Vec<Value> {
                from.iter().filter(|value| !among.iter().any(|it| is_same(it, value))).cloned().collect()
            };
            let (gone, fresh) = (missing(&was, &is), missing(&is, &was));
            if !gone.is_empty() {
                let text = format!("is no longer {}", listed(&gone));
                output.report(&rules::ENUM_VALUE_REMOVED, location, (Some(gone.into()), None), text);
            }
            if !fresh.is_empty() {
                let text = format!("may be {}", listed(&fresh));
                output.report(&rules::ENUM_VALUE_ADDED, location, (None, Some(fresh.into())), text);
            }
        }
        (None, None) => {}
    }
}

/// Compares the values of a list that may grow.
pub fn extensible(old: &EffectiveSchema, new: &EffectiveSchema, output: &mut SchemaDifferences) {
    let (was, is) = (old.keywords.get("x-extensible-enum"), new.keywords.get("x-extensible-enum"));
    let list = |keyword: Option<&Keyword>| keyword.and_then(|it| it.value.as_array()).cloned().unwrap_or_default();
    let (before, after) = (list(was), list(is));
    // A list that is new or gone leaves all values allowed.
    if was.is_none() || is.is_none() {
        return;
    }
    let missing = |from: &[Value], among: &[Value]| -> Vec<Value> {
        from.iter().filter(|value| !among.iter().any(|it| is_same(it, value))).cloned().collect()
    };
    let (gone, fresh) = (missing(&before, &after), missing(&after, &before));
    let location = side_place(was, is, old, new);
    if !gone.is_empty() {
        let text = format!("is no longer {}, in a list that may grow", listed(&gone));
        output.report(&rules::EXTENSIBLE_VALUE_REMOVED, location, (Some(gone.into()), None), text);
    }
    if !fresh.is_empty() {
        let text = format!("may be {}, in a list that may grow", listed(&fresh));
        output.report(&rules::EXTENSIBLE_VALUE_ADDED, location, (None, Some(fresh.into())), text);
    }
}

/// Compares how texts carry something else.
pub fn contents(old: &EffectiveSchema, new: &EffectiveSchema, output: &mut SchemaDifferences) {
    let words = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), display);
    for (key, rule, what) in [
        ("contentEncoding", &rules::CONTENT_ENCODING_CHANGED, "encoded as"),
        ("contentMediaType", &rules::CONTENT_TYPE_CHANGED, "a text of"),
        ("contentSchema", &rules::CONTENT_TYPE_CHANGED, "a text of"),
    ] {
        single(key, old, new, output, |old, new| match (old, new) {
            (old, new) if old == new => None,
            (old, new) => Some((rule, format!("is {what} {}, no longer {}", words(new), words(old)))),
        });
    }
}

/// Compares what is announced of what a schema describes.
fn announced(old: &EffectiveSchema, new: &EffectiveSchema, output: &mut SchemaDifferences) {
    for (key, compare) in
        [("x-sunset", announced::sunset as announced::Compare), ("x-stability-level", announced::stability)]
    {
        let (was, is) = (old.keywords.get(key), new.keywords.get(key));
        if let Some((announcement, text)) = compare(was.map(|it| it.value), is.map(|it| it.value)) {
            let rule = announcement.of_value(output.direction);
            output.report_rule(rule, side_place(was, is, old, new), (value(was), value(is)), text);
        }
    }
}

/// Values in a sentence, the first of them where there are many.
fn listed(values: &[Value]) -> String {
    let mut display: Vec<String> = values.iter().take(8).map(display).collect();
    if values.len() > display.len() {
        display.push(format!("{} others", values.len() - display.len()));
    }
    display.join(", ")
}

/// Compares bounds of numbers, lengths, items and properties.
pub fn bounds(old: &EffectiveSchema, new: &EffectiveSchema, output: &mut SchemaDifferences) {
    use rules::*;
    let up =
        [&MINIMUM_ADDED, &MINIMUM_REMOVED, &MINIMUM_RAISED, &MINIMUM_LOWERED, &MINIMUM_EXCLUSIVE, &MINIMUM_INCLUSIVE];
    let down =
        [&MAXIMUM_ADDED, &MAXIMUM_REMOVED, &MAXIMUM_RAISED, &MAXIMUM_LOWERED, &MAXIMUM_EXCLUSIVE, &MAXIMUM_INCLUSIVE];
    bound("minimum", old.minimum.as_ref(), new.minimum.as_ref(), up, output);
    bound("maximum", old.maximum.as_ref(), new.maximum.as_ref(), down, output);
    least("minLength", "characters", [&MIN_LENGTH_RAISED, &MIN_LENGTH_LOWERED], old, new, output);
    least("minItems", "items", [&MIN_ITEMS_RAISED, &MIN_ITEMS_LOWERED], old, new, output);
    least("minProperties", "properties", [&MIN_PROPERTIES_RAISED, &MIN_PROPERTIES_LOWERED], old, new, output);
    let lengths = [&MAX_LENGTH_ADDED, &MAX_LENGTH_REMOVED, &MAX_LENGTH_RAISED, &MAX_LENGTH_LOWERED];
    most("maxLength", "characters", lengths, old, new, output);
    let items = [&MAX_ITEMS_ADDED, &MAX_ITEMS_REMOVED, &MAX_ITEMS_RAISED, &MAX_ITEMS_LOWERED];
    most("maxItems", "items", items, old, new, output);
    let properties = [&MAX_PROPERTIES_ADDED, &MAX_PROPERTIES_REMOVED, &MAX_PROPERTIES_RAISED, &MAX_PROPERTIES_LOWERED];
    most("maxProperties", "properties", properties, old, new, output);
    single("multipleOf", old, new, output, judge_multiple);
    if old.is("uniqueItems") != new.is("uniqueItems") {
        let (was, is) = (old.keywords.get("uniqueItems"), new.keywords.get("uniqueItems"));
        let (rule, text) = match is {
            Some(_) => (&UNIQUE_ITEMS_ADDED, "has now distinct items"),
            None => (&UNIQUE_ITEMS_REMOVED, "has no longer distinct items"),
        };
        output.report(rule, side_place(was, is, old, new), (value(was), value(is)), text);
    }
}

fn bound(
    name: &str,
    old: Option<&Bound>,
    new: Option<&Bound>,
    rules: [&'static Pair; 6],
    output: &mut SchemaDifferences,
) {
    let [added, removed, raised, lowered, exclusive, inclusive] = rules;
    let location = |bound: Option<&Bound>| bound.map(|bound| bound.location.clone());
    let display = |bound: &Bound| {
        let value = number(bound.value);
        if bound.exclusive { format!("{value} (exclusive)") } else { value.to_string() }
    };
    let (rule, text) = match (old, new) {
        (None, Some(new)) => (added, format!("has now the {name} {}", display(new))),
        (Some(old), None) => (removed, format!("no longer has the {name} {}", display(old))),
        (Some(old), Some(new)) => {
            let rule = match new.value.partial_cmp(&old.value) {
                Some(std::cmp::Ordering::Greater) => raised,
                Some(std::cmp::Ordering::Less) => lowered,
                _ if new.exclusive && !old.exclusive => exclusive,
                _ if old.exclusive && !new.exclusive => inclusive,
                _ => return,
            };
            (rule, format!("has the {name} {}, no longer {}", display(new), display(old)))
        }
        (None, None) => return,
    };
    let (was, is): (Option<Rc<Location>>, Option<Rc<Location>>) = (location(old), location(new));
    let values = (old.map(|bound| number(bound.value)), new.map(|bound| number(bound.value)));
    output.report(rule, changed_location(was.as_ref(), is.as_ref()), values, text);
}

/// A number as a document writes it.
fn number(value: f64) -> Value {
    // Every integer below 2^53 is a float and the other way.
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 { (value as i64).into() } else { value.into() }
}

fn count<'s>(effective: &'s EffectiveSchema, key: &str) -> (Option<&'s Keyword<'s>>, Option<f64>) {
    let keywords = effective.keywords.get(key);
    (keywords, keywords.and_then(|keywords| keywords.value.as_f64()))
}

/// A lower bound, which is zero where it is absent.
fn least(
    key: &str,
    unit: &str,
    [raised, lowered]: [&'static Pair; 2],
    old: &EffectiveSchema,
    new: &EffectiveSchema,
    output: &mut SchemaDifferences,
) {
    let ((was, old_count), (is, new_count)) = (count(old, key), count(new, key));
    let (old_count, new_count) = (old_count.unwrap_or_default(), new_count.unwrap_or_default());
    if old_count != new_count {
        let rule = if new_count > old_count { raised } else { lowered };
        let text = format!("has at least {} {unit}, no longer {}", number(new_count), number(old_count));
        output.report(rule, side_place(was, is, old, new), (value(was), value(is)), text);
    }
}

fn most(
    key: &str,
    unit: &str,
    rules: [&'static Pair; 4],
    old: &EffectiveSchema,
    new: &EffectiveSchema,
    output: &mut SchemaDifferences,
) {
    let [added, removed, raised, lowered] = rules;
    let ((was, old_count), (is, new_count)) = (count(old, key), count(new, key));
    let (rule, text) = match (old_count, new_count) {
        (None, Some(new)) => (added, format!("has now at most {} {unit}", number(new))),
        (Some(old), None) => (removed, format!("no longer has at most {} {unit}", number(old))),
        (Some(old), Some(new)) if old != new => {
            let text = format!("has at most {} {unit}, no longer {}", number(new), number(old));
            (if new > old { raised } else { lowered }, text)
        }
        _ => return,
    };
    output.report(rule, side_place(was, is, old, new), (value(was), value(is)), text);
}

/// Compares how many items match `contains`: one at least by default.
pub fn contained(old: &EffectiveSchema, new: &EffectiveSchema, location: &Location, output: &mut SchemaDifferences) {
    use rules::*;
    let count = |effective: &EffectiveSchema, key: &str| effective.contained.get(key).and_then(|value| value.as_f64());
    let least = |effective: &EffectiveSchema| count(effective, "minContains").unwrap_or(1.0);
    let (was, is) = (least(old), least(new));
    if was != is {
        let rule = if is > was { &MIN_CONTAINS_RAISED } else { &MIN_CONTAINS_LOWERED };
        let text = format!("has at least {} items that match a schema, no longer {}", number(is), number(was));
        output.report(rule, location, (Some(number(was)), Some(number(is))), text);
    }
    let (rule, text) = match (count(old, "maxContains"), count(new, "maxContains")) {
        (None, Some(is)) => (&MAX_CONTAINS_ADDED, format!("has now at most {} items that match a schema", number(is))),
        (Some(was), None) => {
            (&MAX_CONTAINS_REMOVED, format!("no longer has at most {} items that match a schema", number(was)))
        }
        (Some(was), Some(is)) if was != is => {
            let rule = if is > was { &MAX_CONTAINS_RAISED } else { &MAX_CONTAINS_LOWERED };
            (rule, format!("has at most {} items that match a schema, no longer {}", number(is), number(was)))
        }
        _ => return,
    };
    let value = |effective: &EffectiveSchema| effective.contained.get("maxContains").map(|value| (*value).clone());
    output.report(rule, location, (value(old), value(new)), text);
}

fn judge_multiple(old: Option<&Value>, new: Option<&Value>) -> Option<(&'static Pair, String)> {
    // Tolerant, since decimals are not exact: 0.3 / 0.1 is not quite 3.
    let divides = |small: f64, large: f64| {
        let times = large / small;
        (times - times.round()).abs() < 1e-9 && times.round() >= 1.0
    };
    match (old.and_then(Value::as_f64), new.and_then(Value::as_f64)) {
        (None, Some(new)) => Some((&rules::MULTIPLE_OF_ADDED, format!("is now a multiple of {}", number(new)))),
        (Some(old), None) => Some((&rules::MULTIPLE_OF_REMOVED, format!("is no longer a multiple of {}", number(old)))),
        (Some(old), Some(new)) if old != new => {
            let rule = match () {
                () if divides(new, old) => &rules::MULTIPLE_OF_LOOSENED,
                () if divides(old, new) => &rules::MULTIPLE_OF_TIGHTENED,
                () => &rules::MULTIPLE_OF_CHANGED,
            };
            Some((rule, format!("is a multiple of {}, no longer of {}", number(new), number(old))))
        }
        _ => None,
    }
}
