//! Compares two public surfaces of the crate.

use std::collections::{BTreeMap, BTreeSet};

use datagouv_specs::Api;

use super::renames::Renames;
use super::surface::{Kind, Method, Operation, Surface, Type};
use crate::diff::change::{Origin, RustChange};

/// The rules of this axis: id, whether a program may fail, and what it is about.
pub const RULES: [(&str, bool, &str); 28] = [
    ("rust-method-removed", true, "A method is gone."),
    ("rust-method-renamed", true, "A method has another name: the operationId changed."),
    ("rust-method-added", false, "A method is new."),
    ("rust-argument-removed", true, "A builder no longer takes an argument."),
    ("rust-argument-renamed", true, "A parameter of the path has another name, and the builder's method with it."),
    ("rust-argument-added", false, "A builder takes one argument more, and goes without."),
    ("rust-argument-required-added", true, "A builder takes one argument more: calls compile without it, and fail."),
    ("rust-argument-now-required", true, "Calls without the argument compile, and fail."),
    ("rust-argument-now-optional", false, "A builder goes without an argument that it needed."),
    ("rust-argument-type-changed", true, "A builder turns an argument into another type."),
    ("rust-argument-type-widened", false, "A builder that took a text takes more; what is a text is taken as before."),
    ("rust-response-changed", true, "A call gives another type."),
    ("rust-type-removed", true, "A type is gone."),
    ("rust-type-renamed", true, "A type has another name."),
    ("rust-type-added", false, "A type is new."),
    ("rust-type-kind-changed", true, "A structure became an enumeration or a union, or the reverse."),
    ("rust-field-removed", true, "A field is gone."),
    ("rust-field-added", false, "A field is new; structures cannot be written out by programs, so that none fails."),
    ("rust-field-type-changed", true, "A field has another type."),
    ("rust-field-option-changed", true, "A field became an `Option`, or is none any more."),
    ("rust-constructor-changed", true, "`new` of an input takes other arguments: the server requires other things."),
    ("rust-variant-removed", true, "A variant is gone."),
    ("rust-variant-added", false, "A variant is new; enumerations are open, so that no program fails."),
    ("rust-variant-changed", true, "A variant stands for another text, or holds another type."),
    ("rust-trait-removed", true, "A type no longer implements a trait: often a conversion of a response to an input."),
    ("rust-function-removed", true, "A function of a type or builder is gone, or takes or gives other types."),
    ("rust-feature-moved", true, "A method is behind another feature: the first tag of the operation changed."),
    ("rust-item-added", false, "A function or a trait of a type or builder is new."),
];

/// All differences, in the order of the surface.
pub fn compare(api: Api, old: &Surface, new: &Surface) -> Vec<RustChange> {
    let renames = Renames::find(old, new);
    let mut comparison = Comparison { api, renames: &renames, new, changes: Vec::new() };
    for (name, method) in &old.methods {
        let other = renames.methods.get(name).unwrap_or(name);
        match new.methods.get(other) {
            Some(found) => comparison.method(name, method, other, found),
            None => comparison.method_removed(name, method),
        }
    }
    let renamed: BTreeSet<&String> = renames.methods.values().collect();
    for (name, method) in &new.methods {
        if !old.methods.contains_key(name) && !renamed.contains(name) {
            let Operation { method: verb, path, .. } = &method.operation;
            let text = format!("`{name}` is new: it calls `{verb} {path}`.");
            comparison.push("rust-method-added", &Item::method(api, name, method), None, Some(name.clone()), text);
        }
    }
    for (name, found) in &old.types {
        let other = renames.types.get(name).unwrap_or(name);
        match new.types.get(other) {
            Some(candidate) => comparison.types(name, found, other, candidate),
            None => {
                let text = format!("The {} `{name}` is gone.", found.kind.word());
                comparison.push("rust-type-removed", &Item::of(api, name), Some(name.clone()), None, text);
            }
        }
    }
    let renamed: BTreeSet<&String> = renames.types.values().collect();
    for (name, found) in &new.types {
        if !old.types.contains_key(name) && !renamed.contains(name) {
            let text = format!("The {} `{name}` is new.", found.kind.word());
            comparison.push("rust-type-added", &Item::of(api, name), None, Some(name.clone()), text);
        }
    }
    comparison.changes
}

/// An item of the crate, and where it comes from.
struct Item {
    path: String,
    origin: Origin,
}

impl Item {
    fn method(api: Api, name: &str, method: &Method) -> Self {
        let Operation { method: verb, path, .. } = method.operation.clone();
        let origin = Origin::Operation { method: verb, path, parameter: None };
        Self { path: format!("datagouv::{}::Client::{name}", api.module()), origin }
    }

    fn of(api: Api, name: &str) -> Self {
        let origin = Origin::Schema { name: name.to_owned(), property: None };
        Self { path: format!("datagouv::{}::types::{name}", api.module()), origin }
    }

    /// A part of it: an argument, a field, a variant.
    fn part(&self, part: &str) -> Self {
        let mut origin = self.origin.clone();
        match &mut origin {
            Origin::Operation { parameter: of, .. } | Origin::Schema { property: of, .. } => {
                *of = Some(part.to_owned())
            }
        }
        Self { path: format!("{}::{part}", self.path), origin }
    }
}

struct Comparison<'a> {
    api: Api,
    renames: &'a Renames,
    new: &'a Surface,
    changes: Vec<RustChange>,
}

impl Comparison<'_> {
    fn push(&mut self, id: &'static str, item: &Item, old: Option<String>, new: Option<String>, text: String) {
        let breaking = RULES.iter().any(|(rule, breaking, _)| *rule == id && *breaking);
        let (item, origin) = (item.path.clone(), Some(item.origin.clone()));
        self.changes.push(RustChange { id, breaking, item, old, new, text, origin });
    }

    /// Whether a type converts from a string: an open enum, a date, or the values of a parameter.
    fn accepts_text(&self, rust: &str) -> bool {
        let is_open = |found: &Type| matches!(found.kind, Kind::Enumeration(_));
        ["Date", "DateTime", "Values"].contains(&rust) || self.new.types.get(rust).is_some_and(is_open)
    }

    fn method_removed(&mut self, name: &str, method: &Method) {
        let Operation { method: verb, path, .. } = &method.operation;
        let text = format!("`{name}` is gone: it called `{verb} {path}`.");
        self.push("rust-method-removed", &Item::method(self.api, name, method), Some(name.to_owned()), None, text);
    }

    fn method(&mut self, name: &str, old: &Method, other: &str, new: &Method) {
        let item = Item::method(self.api, other, new);
        if name != other {
            let (was, is) = (Some(name.to_owned()), Some(other.to_owned()));
            self.push("rust-method-renamed", &item, was, is, format!("`{name}` is `{other}` now."));
        }
        let (was, is) = (&old.operation.tag, &new.operation.tag);
        // Only the catalogue's methods are behind features of their own.
        if self.api == Api::Main && was != is {
            let [was, is] = [was, is].map(|tag| if tag.is_empty() { "main".to_owned() } else { format!("main-{tag}") });
            let text = format!("`{other}` is behind the feature `{is}`; it was behind `{was}`.");
            self.push("rust-feature-moved", &item, Some(was), Some(is), text);
        }
        self.arguments(&item, other, old, new);
        if self.renames.translate(&old.response) != new.response {
            let text = format!("`{other}` gives `{}`; it gave `{}`.", new.response, old.response);
            self.push("rust-response-changed", &item, Some(old.response.clone()), Some(new.response.clone()), text);
        }
        self.functions(&item, other, &old.functions, &new.functions);
    }

    fn arguments(&mut self, item: &Item, name: &str, old: &Method, new: &Method) {
        let moved = renamed_parameters(&old.operation.path, &new.operation.path, old, new);
        for (argument, was) in &old.arguments {
            let other = moved.get(argument).unwrap_or(argument);
            let part = item.part(other);
            let Some(is) = new.arguments.get(other) else {
                let text = format!("`{name}` no longer takes `{argument}`.");
                self.push("rust-argument-removed", &part, Some(argument.clone()), None, text);
                continue;
            };
            if other != argument {
                let text = format!("`{argument}` of `{name}` is `{other}` now.");
                self.push("rust-argument-renamed", &part, Some(argument.clone()), Some(other.clone()), text);
            }
            if self.renames.translate(&was.rust) != is.rust {
                let (id, and) = if was.rust == "String" && self.accepts_text(&is.rust) {
                    ("rust-argument-type-widened", ", which it takes as before")
                } else {
                    ("rust-argument-type-changed", "")
                };
                let text = format!("`{other}` of `{name}` is `{}`; it was `{}`{and}.", is.rust, was.rust);
                self.push(id, &part, Some(was.rust.clone()), Some(is.rust.clone()), text);
            }
            match (was.required, is.required) {
                (false, true) => {
                    let text = format!("`{name}` needs `{other}`: without it a call compiles, and fails.");
                    self.push("rust-argument-now-required", &part, None, None, text);
                }
                (true, false) => {
                    let text = format!("`{name}` goes without `{other}`.");
                    self.push("rust-argument-now-optional", &part, None, None, text);
                }
                _ => {}
            }
        }
        let moved: BTreeSet<&String> = moved.values().collect();
        for (argument, is) in &new.arguments {
            if old.arguments.contains_key(argument) || moved.contains(argument) {
                continue;
            }
            let (id, text) = if is.required {
                let text =
                    format!("`{name}` needs `{argument}` (`{}`): without it a call compiles, and fails.", is.rust);
                ("rust-argument-required-added", text)
            } else {
                ("rust-argument-added", format!("`{name}` takes `{argument}` (`{}`).", is.rust))
            };
            self.push(id, &item.part(argument), None, Some(argument.clone()), text);
        }
    }

    fn types(&mut self, name: &str, old: &Type, other: &str, new: &Type) {
        let item = Item::of(self.api, other);
        if name != other {
            let text = format!("The {} `{name}` is `{other}` now.", old.kind.word());
            self.push("rust-type-renamed", &item, Some(name.to_owned()), Some(other.to_owned()), text);
        }
        match (&old.kind, &new.kind) {
            (Kind::Structure(old), Kind::Structure(new)) => self.fields(&item, other, old, new),
            (Kind::Enumeration(old), Kind::Enumeration(new)) | (Kind::Union(old), Kind::Union(new)) => {
                self.variants(&item, other, old, new);
            }
            (was, is) => {
                let text = format!("`{other}` is a {}; it was a {}.", is.word(), was.word());
                let (was, is) = (was.word().to_owned(), is.word().to_owned());
                self.push("rust-type-kind-changed", &item, Some(was), Some(is), text);
                // Covers its fields, functions and traits.
                return;
            }
        }
        let of = |map: &BTreeMap<String, String>| map.get("new").cloned();
        if let (Some(was), Some(is)) = (of(&old.functions), of(&new.functions))
            && self.renames.translate(&was) != is
        {
            let text = format!("`{other}::new` takes ({is}); it took ({was}).");
            self.push("rust-constructor-changed", &item.part("new"), Some(was), Some(is), text);
        }
        // The method of an input's field is reported with the field.
        let told = |parts: &BTreeMap<String, String>, functions: &BTreeMap<String, String>| {
            let own = |name: &String| name != "new" && !parts.contains_key(name.trim_end_matches('_'));
            let own = |name: &String| own(name) && !parts.contains_key(name);
            functions.iter().filter(|(name, _)| own(name)).map(|(name, text)| (name.clone(), text.clone())).collect()
        };
        let parts: BTreeMap<String, String> =
            old.kind.parts().iter().chain(new.kind.parts()).map(|(name, text)| (name.clone(), text.clone())).collect();
        let (was, is): (BTreeMap<_, _>, BTreeMap<_, _>) = (told(&parts, &old.functions), told(&parts, &new.functions));
        self.functions(&item, other, &was, &is);
        for implemented in &old.traits {
            if !new.traits.contains(&self.renames.translate(implemented)) {
                let text = format!("`{other}` no longer implements `{implemented}`.");
                self.push("rust-trait-removed", &item, Some(implemented.clone()), None, text);
            }
        }
        let known: BTreeSet<String> = old.traits.iter().map(|it| self.renames.translate(it)).collect();
        for implemented in new.traits.iter().filter(|implemented| !known.contains(*implemented)) {
            let text = format!("`{other}` implements `{implemented}`.");
            self.push("rust-item-added", &item, None, Some(implemented.clone()), text);
        }
    }

    fn fields(&mut self, item: &Item, name: &str, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) {
        for (field, was) in old {
            let part = item.part(field);
            let Some(is) = new.get(field) else {
                let text = format!("`{name}` has no `{field}` any more (`{was}`).");
                self.push("rust-field-removed", &part, Some(was.clone()), None, text);
                continue;
            };
            let translated = self.renames.translate(was);
            if translated == *is {
                continue;
            }
            let id = if without_option(&translated) == without_option(is) {
                "rust-field-option-changed"
            } else {
                "rust-field-type-changed"
            };
            let text = format!("`{field}` of `{name}` is `{is}`; it was `{was}`.");
            self.push(id, &part, Some(was.clone()), Some(is.clone()), text);
        }
        for (field, is) in new.iter().filter(|(field, _)| !old.contains_key(*field)) {
            let text = format!("`{name}` has `{field}` (`{is}`).");
            self.push("rust-field-added", &item.part(field), None, Some(is.clone()), text);
        }
    }

    fn variants(&mut self, item: &Item, name: &str, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) {
        for (variant, was) in old {
            let part = item.part(variant);
            match new.get(variant) {
                None => {
                    let text = format!("`{name}` has no `{variant}` any more (`{was}`).");
                    self.push("rust-variant-removed", &part, Some(was.clone()), None, text);
                }
                Some(is) if self.renames.translate(was) != *is => {
                    let text = format!("`{name}::{variant}` is `{is}`; it was `{was}`.");
                    self.push("rust-variant-changed", &part, Some(was.clone()), Some(is.clone()), text);
                }
                Some(_) => {}
            }
        }
        for (variant, is) in new.iter().filter(|(variant, _)| !old.contains_key(*variant)) {
            let text = format!("`{name}` has `{variant}` (`{is}`).");
            self.push("rust-variant-added", &item.part(variant), None, Some(is.clone()), text);
        }
    }

    fn functions(&mut self, item: &Item, name: &str, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) {
        for (function, was) in old {
            let is = new.get(function);
            if is.is_some_and(|is| self.renames.translate(was) == *is) {
                continue;
            }
            let text = match is {
                Some(is) => format!("`{function}` of `{name}` is `{is}`; it was `{was}`."),
                None => format!("`{name}` has no `{function}` any more."),
            };
            self.push("rust-function-removed", &item.part(function), Some(was.clone()), is.cloned(), text);
        }
        for (function, is) in new.iter().filter(|(function, _)| !old.contains_key(*function)) {
            let text = format!("`{name}` has `{function}`.");
            self.push("rust-item-added", &item.part(function), None, Some(is.clone()), text);
        }
    }
}

/// A type without the `Option` or the `Field` around it.
fn without_option(rust: &str) -> &str {
    let inner = rust.strip_prefix("Option<").or_else(|| rust.strip_prefix("Field<"));
    inner.and_then(|rest| rest.strip_suffix('>')).unwrap_or(rust)
}

/// Path parameters at the same position with another name.
fn renamed_parameters(old: &str, new: &str, was: &Method, is: &Method) -> BTreeMap<String, String> {
    let named = |path: &str| -> Vec<String> {
        let parts = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        parts.map(datagouv_specs::shape::names::snake).collect()
    };
    let (old, new) = (named(old), named(new));
    if old.len() != new.len() {
        return BTreeMap::new();
    }
    let moved = old.into_iter().zip(new).filter(|(one, other)| {
        one != other
            && was.arguments.contains_key(one)
            && !is.arguments.contains_key(one)
            && is.arguments.contains_key(other)
            && !was.arguments.contains_key(other)
    });
    moved.collect()
}
