//! Finds renamed methods and types: those that are used where the others were.

use std::collections::{BTreeMap, BTreeSet};

use super::surface::{Kind, Surface};
use crate::overlays::words;

/// The new names of renamed methods and types of OLD.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames {
    /// Renamed methods.
    pub methods: BTreeMap<String, String>,
    /// Renamed types.
    pub types: BTreeMap<String, String>,
}

impl Renames {
    /// Finds them.
    pub fn find(old: &Surface, new: &Surface) -> Self {
        let mut renames = Self { methods: methods(old, new), types: BTreeMap::new() };
        let mut claims: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut open: Vec<(String, String)> = Vec::new();
        let claim = |one: &str, other: &str, claims: &mut BTreeMap<String, BTreeSet<String>>| {
            let mut found = Vec::new();
            for (one, other) in pairs(one, other, old, new) {
                if claims.entry(one.clone()).or_default().insert(other.clone()) {
                    found.push((one, other));
                }
            }
            found
        };
        for (name, method) in &old.methods {
            let Some(other) = new.methods.get(renames.methods.get(name).unwrap_or(name)) else { continue };
            open.append(&mut claim(&method.response, &other.response, &mut claims));
            for (argument, taken) in &method.arguments {
                if let Some(other) = other.arguments.get(argument) {
                    open.append(&mut claim(&taken.rust, &other.rust, &mut claims));
                }
            }
        }
        while let Some((one, other)) = open.pop() {
            let (Some(one), Some(other)) = (old.types.get(&one), new.types.get(&other)) else { continue };
            for (name, rust) in parts(&one.kind) {
                if let Some(other) = parts(&other.kind).get(name) {
                    open.append(&mut claim(rust, other, &mut claims));
                }
            }
        }
        // Not a rename if both still exist, or if two types claim the same name.
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        let gone = claims.into_iter().filter(|(name, _)| !new.types.contains_key(name));
        let single: Vec<(String, String)> = gone
            .filter_map(|(name, others)| {
                let mut others = others.into_iter().filter(|other| !old.types.contains_key(other));
                let other = others.next()?;
                others.next().is_none().then_some((name, other))
            })
            .collect();
        for (_, other) in &single {
            *taken.entry(other.clone()).or_default() += 1;
        }
        renames.types = single.into_iter().filter(|(_, other)| taken.get(other) == Some(&1)).collect();
        renames
    }

    /// A type of OLD with the names of NEW.
    pub fn translate(&self, rust: &str) -> String {
        words(rust).into_iter().map(|word| self.types.get(word).map_or(word, String::as_str)).collect()
    }
}

/// The parts that have types.
fn parts(kind: &Kind) -> &BTreeMap<String, String> {
    static NONE: BTreeMap<String, String> = BTreeMap::new();
    match kind {
        Kind::Structure(parts) | Kind::Union(parts) => parts,
        Kind::Enumeration(_) => &NONE,
    }
}

/// Methods that call the same path under another name.
fn methods(old: &Surface, new: &Surface) -> BTreeMap<String, String> {
    let gone = old.methods.iter().filter(|(name, _)| !new.methods.contains_key(*name));
    let pairs = gone.filter_map(|(name, method)| {
        let called = &method.operation;
        let (other, _) = new.methods.iter().find(|(other, candidate)| {
            let candidate = &candidate.operation;
            !old.methods.contains_key(*other)
                && candidate.method == called.method
                && anonymous(&candidate.path) == anonymous(&called.path)
        })?;
        Some((name.clone(), other.clone()))
    });
    pairs.collect()
}

/// A path without the names of its parameters.
pub fn anonymous(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

/// The types of the documents at the same positions of two types.
fn pairs(one: &str, other: &str, old: &Surface, new: &Surface) -> Vec<(String, String)> {
    let (one, other) = (words(one), words(other));
    if one.len() != other.len() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (one, other) in one.into_iter().zip(other) {
        if old.types.contains_key(one) && new.types.contains_key(other) {
            found.push((one.to_owned(), other.to_owned()));
        } else if one != other {
            return Vec::new();
        }
    }
    found
}
