//! Reports of changes, the worst first, by tag and operation.

mod annotations;
mod html;
mod json;
mod markdown;
mod text;

use std::collections::BTreeMap;
use std::fmt::Write;

use datagouv_specs::Api;

use super::change::{Change, Direction, Level, Operation, Release};
use super::decisions::{Decided, Decisions, crate_version};
use super::rules::RULES;
use super::{Format, rust};
use crate::source::Loaded;

/// The changes between two documents.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The source of OLD, as it was given.
    pub old: String,
    /// The source of NEW, as it was given.
    pub new: String,
    /// The changes, in the order of reports.
    pub changes: Vec<Change>,
    /// The release that is needed; `None` if the documents are of no API of the crate.
    pub release: Option<Release>,
    /// Notes on how the report was made.
    pub notes: Vec<String>,
    /// The API that both documents describe.
    pub api: Option<Api>,
    /// The documents, in whose texts changes are looked up.
    pub sources: Option<(Loaded, Loaded)>,
    /// The decisions that were taken before.
    pub decided: Decided,
}

/// The changes of a level.
struct Section<'r> {
    level: Level,
    groups: Vec<Group<'r>>,
}

/// The changes of a tag.
struct Group<'r> {
    /// `None` for changes of the document, or of operations with several tags.
    title: String,
    /// By the operations that they reach.
    parts: Vec<(&'r [Operation], Vec<&'r Change>)>,
}

impl Report {
    /// The report as a text.
    pub fn write(&self, format: Format, colour: bool) -> String {
        match format {
            Format::Text => text::write(self, colour),
            Format::Markdown => markdown::write(self),
            Format::Json => json::write(self),
            Format::Html => html::write(self),
            Format::Github => annotations::github(self),
            Format::Junit => annotations::junit(self),
            Format::Sarif => annotations::sarif(self),
        }
    }

    /// Applies decisions, and reports those that no longer apply.
    pub fn decide(&mut self, decisions: &Decisions) {
        self.notes.retain(|note| !self.decided.notes.contains(note));
        self.decided = decisions.apply(&mut self.changes, &crate_version());
        self.notes.extend(self.decided.notes.iter().cloned());
        self.changes.sort_by(Change::order);
    }

    /// The changes that are not accepted.
    pub fn open(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.accepted.is_none())
    }

    /// What decisions did, in a sentence.
    fn decisions(&self) -> Option<String> {
        let Decided { file, accepted, overridden, .. } = &self.decided;
        let counts = [(accepted, "accepted before"), (overridden, "with another level")];
        let told: Vec<String> =
            counts.iter().filter(|(count, _)| **count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        (!told.is_empty()).then(|| format!("{} ({file})", told.join(", ")))
    }

    fn count(&self, level: Level) -> usize {
        self.open().filter(|change| change.level == level).count()
    }

    /// The release that changes on the wire need, which programs notice at run time.
    pub(super) fn wire_release(&self) -> Release {
        if self.changes.is_empty() { Release::Patch } else { Release::Minor }
    }

    /// The number of changes of each level, on the wire and in Rust.
    fn counts(&self) -> Vec<String> {
        let count = |level: Level| {
            let count = self.wire(level);
            format!("{count} {}", level_words(level, count))
        };
        let mut counts = vec![format!("On the wire: {}", Level::ALL.map(count).join(", "))];
        if self.release.is_some() {
            let all: usize = self.changes.iter().map(|change| change.rust.len()).sum();
            let breaking = self.changes.iter().flat_map(|change| &change.rust).filter(|rust| rust.breaking).count();
            let others = all - breaking;
            let word = if others == 1 { "other" } else { "others" };
            counts.push(format!("In Rust: {breaking} breaking, {others} {word}"));
        }
        counts.extend(self.decisions());
        counts
    }

    /// The number of changes of the document of a level.
    fn wire(&self, level: Level) -> usize {
        self.open().filter(|change| change.level == level && !change.id.starts_with("rust-")).count()
    }

    /// The release that is needed, in a sentence.
    fn verdict(&self) -> Option<&'static str> {
        Some(match self.release? {
            Release::Major => "This release must be major: a program that compiles may no longer.",
            Release::Minor => "This release must be minor: there is more, and what compiles goes on compiling.",
            Release::Patch => "This release may be a patch: programs notice nothing.",
        })
    }

    fn sections(&self) -> Vec<Section<'_>> {
        let section = |level| Section { level, groups: groups(self.open().filter(|it| it.worst() == level)) };
        Level::ALL.into_iter().map(section).filter(|section| !section.groups.is_empty()).collect()
    }
}

/// Control characters of documents must not reach the terminal, nor end a line.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn level_title(level: Level) -> &'static str {
    match level {
        Level::Breaking => "Breaking",
        Level::Warning => "Warnings",
        Level::Info => "Info",
    }
}

fn level_words(level: Level, count: usize) -> &'static str {
    match (level, count) {
        (Level::Breaking, _) => "breaking",
        (Level::Warning, 1) => "warning",
        (Level::Warning, _) => "warnings",
        (Level::Info, _) => "info",
    }
}

/// Changes by the operations that they reach.
type Parts<'r> = BTreeMap<&'r [Operation], Vec<&'r Change>>;

fn groups<'r>(changes: impl Iterator<Item = &'r Change>) -> Vec<Group<'r>> {
    // The document first, then tags by name, then changes of several tags, then changes of the crate alone.
    let mut tags: BTreeMap<(u8, String), Parts> = BTreeMap::new();
    for change in changes {
        let tag = |operation: &Operation| operation.tag.clone().unwrap_or_else(|| "no tag".to_owned());
        let key = match change.operations.split_first() {
            None if change.id.starts_with("rust-") => (3, "the types of the crate".to_owned()),
            None => (0, "the document".to_owned()),
            Some((first, rest)) if rest.iter().all(|other| tag(other) == tag(first)) => (1, tag(first)),
            Some(_) => (2, "several tags".to_owned()),
        };
        tags.entry(key).or_default().entry(&change.operations).or_default().push(change);
    }
    let group = |((_, title), parts): (_, Parts<'r>)| Group { title, parts: parts.into_iter().collect() };
    tags.into_iter().map(group).collect()
}

/// The effects of a change on programs, a mark and a sentence each; only the first ones of many.
fn rust_lines(change: &Change) -> Vec<(&'static str, String)> {
    let mark = |breaking: bool| if breaking { "Rust (breaking)" } else { "Rust" };
    // A change of the crate alone is its own sentence.
    let rust: Vec<_> = change.rust.iter().filter(|rust| rust.text != change.text).collect();
    let mut lines: Vec<_> = rust.iter().take(NAMED).map(|rust| (mark(rust.breaking), rust.text.clone())).collect();
    if let Some(rest) = rust.get(NAMED..).filter(|rest| !rest.is_empty()) {
        lines.push((mark(rest[0].breaking), format!("and {} others.", rest.len())));
    }
    lines
}

/// The parts of a sentence: every second one is code.
fn parts(text: &str) -> Vec<&str> {
    // If the document contributes backticks, code cannot be told apart, and the sentence has none.
    let is_clear = text.matches('`').count().is_multiple_of(2) && !text.contains("``");
    if is_clear { text.split('`').collect() } else { vec![text] }
}

/// The number of operations of a change that are named.
const NAMED: usize = 4;

/// The operations of a change: each shown by a function.
fn reach(operations: &[Operation], show: impl Fn(&Operation) -> String) -> String {
    let count = operations.len();
    // One other is named rather than counted.
    if count <= NAMED + 1 {
        return operations.iter().map(show).collect::<Vec<_>>().join(", ");
    }
    let shown: Vec<String> = operations.iter().take(NAMED).map(show).collect();
    format!("{count} operations: {}, {} others", shown.join(", "), count - NAMED)
}

/// A line of the table of the rules.
struct Row {
    id: &'static str,
    level: &'static str,
    direction: &'static str,
    text: &'static str,
}

/// The rules of both axes.
fn rows() -> Vec<Row> {
    let level = |breaking| if breaking { Level::Breaking } else { Level::Info };
    let wire = RULES.iter().map(|rule| Row {
        id: rule.id,
        level: rule.level.name(),
        direction: rule.direction.map_or("", Direction::name),
        text: rule.text,
    });
    let rust =
        rust::RULES.iter().map(|(id, breaking, text)| Row { id, level: level(*breaking).name(), direction: "", text });
    wire.chain(rust).collect()
}

/// The table of the rules.
pub fn rules(format: Format) -> String {
    let rows = rows();
    let mut out = String::new();
    match format {
        Format::Json => {
            let row = |row: &Row| {
                let direction = Some(row.direction).filter(|direction| !direction.is_empty());
                serde_json::json!({ "id": row.id, "level": row.level, "direction": direction, "text": row.text })
            };
            let list: serde_json::Value = rows.iter().map(row).collect();
            let _ = writeln!(out, "{list:#}");
        }
        Format::Text | Format::Github | Format::Junit | Format::Sarif => {
            let width = rows.iter().map(|row| row.id.len()).max().unwrap_or_default();
            for Row { id, level, direction, text } in &rows {
                let _ = writeln!(out, "{id:width$}  {level:8}  {direction:8}  {text}");
            }
            let _ = writeln!(out, "{} rules", rows.len());
        }
        Format::Markdown => {
            let _ = writeln!(out, "| rule | level | direction | what changed |\n|---|---|---|---|");
            for Row { id, level, direction, text } in &rows {
                let _ = writeln!(out, "| `{id}` | {level} | {direction} | {text} |");
            }
        }
        Format::Html => out.push_str(&html::rules(&rows)),
    }
    out
}
