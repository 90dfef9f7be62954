//! Reports: made to be read, the worst first, by tag and operation.

mod html;
mod json;
mod markdown;
mod text;

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Format;
use super::change::{Change, Level, Operation, Release};
use super::rules::{RULES, Rule};

/// What changed between two documents.
#[derive(Debug, Clone)]
pub struct Report {
    /// The source of OLD, as it was given.
    pub old: String,
    /// The source of NEW, as it was given.
    pub new: String,
    /// The changes, in the order of reports.
    pub changes: Vec<Change>,
    /// How the version of the crate must move; none where the documents are of no API of the crate.
    pub release: Option<Release>,
}

/// The changes of a level.
struct Section<'r> {
    level: Level,
    groups: Vec<Group<'r>>,
}

/// The changes of a tag.
struct Group<'r> {
    /// None: of the document, or of operations of several tags.
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
        }
    }

    fn count(&self, level: Level) -> usize {
        self.changes.iter().filter(|change| change.level == level).count()
    }

    /// `2 breaking, 1 warning, 3 info`
    fn counts(&self) -> String {
        let count = |level: Level| format!("{} {}", self.count(level), level_words(level, self.count(level)));
        Level::ALL.map(count).join(", ")
    }

    /// What the next release must be, in a sentence.
    fn verdict(&self) -> Option<&'static str> {
        Some(match self.release? {
            Release::Major => "This release must be major: a program that compiles may no longer.",
            Release::Minor => "This release must be minor: there is more, and what compiles goes on compiling.",
            Release::Patch => "This release may be a patch: programs notice nothing.",
        })
    }

    fn sections(&self) -> Vec<Section<'_>> {
        let section = |level| Section { level, groups: groups(self.changes.iter().filter(|it| it.level == level)) };
        Level::ALL.into_iter().map(section).filter(|section| !section.groups.is_empty()).collect()
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
    // The document first, then the tags by name, then what reaches several.
    let mut tags: BTreeMap<(u8, String), Parts> = BTreeMap::new();
    for change in changes {
        let tag = |operation: &Operation| operation.tag.clone().unwrap_or_else(|| "no tag".to_owned());
        let key = match change.operations.split_first() {
            None => (0, "the document".to_owned()),
            Some((first, rest)) if rest.iter().all(|other| tag(other) == tag(first)) => (1, tag(first)),
            Some(_) => (2, "several tags".to_owned()),
        };
        tags.entry(key).or_default().entry(&change.operations).or_default().push(change);
    }
    let group = |((_, title), parts): (_, Parts<'r>)| Group { title, parts: parts.into_iter().collect() };
    tags.into_iter().map(group).collect()
}

/// How many operations of a change are named.
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

/// The table of the rules.
pub fn rules(format: Format) -> String {
    let direction = |rule: &Rule| rule.direction.map_or("", super::change::Direction::name);
    let mut out = String::new();
    match format {
        Format::Json => {
            let rule = |rule: &&Rule| {
                serde_json::json!({
                    "id": rule.id,
                    "level": rule.level.name(),
                    "direction": rule.direction.map(super::change::Direction::name),
                    "text": rule.text,
                })
            };
            let list: serde_json::Value = RULES.iter().map(rule).collect();
            let _ = writeln!(out, "{list:#}");
        }
        Format::Text => {
            let width = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
            for rule in RULES {
                let (id, level) = (rule.id, rule.level.name());
                let _ = writeln!(out, "{id:width$}  {level:8}  {:8}  {}", direction(rule), rule.text);
            }
            let _ = writeln!(out, "{} rules", RULES.len());
        }
        Format::Markdown => {
            let _ = writeln!(out, "| rule | level | direction | |\n|---|---|---|---|");
            for rule in RULES {
                let (id, level, text) = (rule.id, rule.level.name(), rule.text);
                let _ = writeln!(out, "| `{id}` | {level} | {} | {text} |", direction(rule));
            }
        }
        Format::Html => out.push_str(&html::rules()),
    }
    out
}
