//! Decisions that stay decided: findings that were accepted, and levels that were overridden.
//!
//! They are in `specs/<api>/accepted.toml`:
//!
//! ```toml
//! [[accepted]]
//! fingerprint = "0123456789abcdef"
//! rule = "response-property-removed"
//! text = "`Dataset.extras` is gone in responses."
//! reason = "No user of the crate reads it: it was always empty."
//! until = "0.4.0"
//!
//! [[severity]]
//! rule = "response-enum-value-added"
//! operation = "GET /datasets/*"
//! location = "*/properties/frequency"
//! level = "info"
//! reason = "Enums of the crate are open."
//! ```
//!
//! A fingerprint is of the rule, of the first operation that the finding reaches, of the way from there, and of both
//! values. It does not change when a document is put in another order, or components are renamed, unless the finding is
//! about the name of a component.

use std::fs;
use std::path::{Path, PathBuf};

use datagouv_specs::Api;
use sha2::{Digest, Sha256};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::change::{Change, Level};
use super::operations::template;

/// The name of the file, in the folder of an API.
pub const FILE: &str = "accepted.toml";

/// What decisions did to a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    /// The file, as it is named to people.
    pub file: String,
    /// The number of changes that are accepted.
    pub accepted: usize,
    /// The number of changes whose level was overridden.
    pub overridden: usize,
    /// Entries that are to be dropped or looked at, each in a sentence.
    pub notes: Vec<String>,
}

/// The decisions of an API.
#[derive(Debug)]
pub struct Decisions {
    path: PathBuf,
    document: DocumentMut,
}

/// The fingerprint of a change: sixteen hexadecimal digits.
pub fn fingerprint(change: &Change) -> String {
    let operation = change.operations.first().map(|it| format!("{} {}", it.method, template(&it.path)));
    let own = match change.location.strip_prefix("/components/schemas/") {
        // The name of the component goes; what is below it stays.
        Some(rest) if operation.is_some() => rest.split_once('/').map_or("", |(_, own)| own),
        _ => change.location.as_str(),
    };
    let parts = serde_json::json!([change.id, operation, change.way, own, change.old, change.new]);
    let digest = Sha256::digest(parts.to_string().as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Decisions {
    /// Reads the decisions of an API, or those of another file. Without a file there are none.
    ///
    /// # Errors
    /// If the file cannot be read, or an entry lacks what it needs.
    pub fn read(path: &Path) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(&error)),
        };
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| failed(&error))?;
        let read = Self { path: path.to_owned(), document };
        for (name, needed) in [("accepted", ["fingerprint", "reason"]), ("severity", ["rule", "level"])] {
            if read.document.get(name).is_some_and(|list| !list.is_array_of_tables()) {
                return Err(failed(&format!("`{name}` must be a list of tables, `[[{name}]]`")));
            }
            for (index, entry) in read.entries(name).enumerate() {
                if let Some(key) = needed.iter().find(|key| text_of(entry, key).is_none_or(str::is_empty)) {
                    return Err(failed(&format!("entry {} of `{name}` has no `{key}`", index + 1)));
                }
                if name == "severity" && level(entry).is_none() {
                    return Err(failed(&format!(
                        "entry {} of `{name}`: the level is breaking, warning or info",
                        index + 1
                    )));
                }
                if let Some(until) = text_of(entry, "until")
                    && numbers(until).is_none()
                {
                    return Err(failed(&format!("entry {} of `{name}`: `{until}` is no version", index + 1)));
                }
            }
        }
        Ok(read)
    }

    /// The file of an API.
    pub fn path_of(api: Api) -> PathBuf {
        crate::root().join("specs").join(api.name()).join(FILE)
    }

    fn entries(&self, name: &str) -> impl Iterator<Item = &Table> {
        self.document.get(name).and_then(Item::as_array_of_tables).into_iter().flatten()
    }

    /// Marks the changes that are accepted, and overrides levels. `version` is that of the crate.
    pub fn apply(&self, changes: &mut [Change], version: &str) -> Decided {
        let relative = self.path.strip_prefix(crate::root()).unwrap_or(&self.path);
        let mut decided = Decided { file: relative.display().to_string(), ..Decided::default() };
        for change in changes.iter_mut() {
            change.accepted = None;
            // The last entry that is about it decides.
            let entry = self.entries("severity").filter(|entry| is_about(entry, change)).last();
            if let Some(level) = entry.and_then(level).filter(|level| *level != change.level) {
                change.level = level;
                decided.overridden += 1;
            }
        }
        for entry in self.entries("accepted") {
            let Some(print) = text_of(entry, "fingerprint") else { continue };
            let named = format!("{} ({print})", text_of(entry, "rule").unwrap_or("an entry"));
            let is_over = text_of(entry, "until").is_some_and(|until| numbers(until) <= numbers(version));
            let found: Vec<&mut Change> = changes.iter_mut().filter(|change| fingerprint(change) == print).collect();
            if found.is_empty() {
                decided.notes.push(format!("{}: {named} no longer occurs: drop it", decided.file));
            } else if is_over {
                let until = text_of(entry, "until").unwrap_or_default();
                decided.notes.push(format!("{}: {named} was accepted until {until}: decide anew", decided.file));
            } else {
                for change in found {
                    change.accepted = text_of(entry, "reason").map(str::to_owned);
                    decided.accepted += 1;
                }
            }
        }
        decided
    }

    /// Adds entries for changes, and writes the file. Returns how many are new.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn accept<'c>(
        &mut self,
        changes: impl Iterator<Item = &'c Change>,
        reason: &str,
        until: Option<&str>,
    ) -> Result<usize, String> {
        let mut known: Vec<String> =
            self.entries("accepted").filter_map(|entry| text_of(entry, "fingerprint").map(str::to_owned)).collect();
        let mut fresh = Vec::new();
        for change in changes {
            let print = fingerprint(change);
            if known.contains(&print) {
                continue;
            }
            let mut entry = Table::new();
            entry.insert("fingerprint", value(print.clone()));
            entry.insert("rule", value(change.id));
            entry.insert("text", value(change.text.as_str()));
            entry.insert("reason", value(reason));
            if let Some(until) = until {
                entry.insert("until", value(until));
            }
            known.push(print);
            fresh.push(entry);
        }
        let count = fresh.len();
        let list = self.document.entry("accepted").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        if let Some(list) = list.as_array_of_tables_mut() {
            fresh.into_iter().for_each(|entry| list.push(entry));
        }
        let text = self.document.to_string();
        fs::write(&self.path, text).map_err(|error| format!("{}: {error}", self.path.display()))?;
        Ok(count)
    }
}

/// The version of the crate.
pub fn crate_version() -> String {
    let manifest = fs::read_to_string(crate::root().join("Cargo.toml")).unwrap_or_default();
    let manifest: DocumentMut = manifest.parse().unwrap_or_default();
    let version = |path: &[&str]| {
        let mut item = manifest.as_item();
        for key in path {
            item = item.get(key)?;
        }
        item.as_str().map(str::to_owned)
    };
    version(&["workspace", "package", "version"]).or_else(|| version(&["package", "version"])).unwrap_or_default()
}

fn text_of<'t>(entry: &'t Table, key: &str) -> Option<&'t str> {
    entry.get(key).and_then(Item::as_str)
}

fn level(entry: &Table) -> Option<Level> {
    let name = text_of(entry, "level")?;
    Level::ALL.into_iter().find(|level| level.name() == name)
}

/// Whether an override is about a change: where it names a rule, an operation or a location, all of them match.
fn is_about(entry: &Table, change: &Change) -> bool {
    let matches = |key: &str, text: &str| text_of(entry, key).is_none_or(|pattern| is_like(pattern, text));
    let by_operation = text_of(entry, "operation").is_none_or(|pattern| {
        change.operations.iter().any(|it| is_like(pattern, &format!("{} {}", it.method, it.path)))
    });
    matches("rule", change.id) && matches("location", &change.location) && by_operation
}

/// Whether a text is like a pattern, in which `*` stands for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(index, _)| index).chain([rest.len()]);
            ends.filter_map(|index| rest.get(index..)).any(|rest| is_like(after, rest))
        }),
    }
}

/// The numbers of a version.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let numbers: Option<Vec<u64>> = version.split('.').map(|number| number.parse().ok()).collect();
    numbers.filter(|numbers| (1..=3).contains(&numbers.len())).map(|mut numbers| {
        numbers.resize(3, 0);
        numbers
    })
}
