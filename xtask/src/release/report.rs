//! The report: for people, for an issue, for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::agreement::Finding;
use super::documents::Compared;
use super::repository::Base;
use super::surface::Surface;
use super::version::{Bump, Version};
use crate::diff::change::{Level, Release};
use crate::diff::report::Report as Diff;
use crate::format::Format;

/// Why the public items are not in the report.
pub enum Items {
    Compared(Surface),
    /// The tool is not there, or failed.
    Failed(String),
    /// They were not requested.
    LeftOut,
}

/// What is known about the next release.
pub struct Report {
    pub base: Base,
    /// The version of the base.
    pub before: Option<Version>,
    /// The version of the working tree.
    pub version: Version,
    pub release: Release,
    pub bump: Bump,
    /// The least version that the changes need; none where nothing was released.
    pub needed: Option<Version>,
    pub documents: Vec<Compared>,
    pub items: Items,
    pub findings: Vec<Finding>,
    pub draft: String,
}

/// The counts of an API's document.
struct Counts {
    wire: [usize; 3],
    rust_breaking: usize,
    rust_others: usize,
}

impl Counts {
    fn of(report: &Diff) -> Self {
        let on_the_wire = || report.changes.iter().filter(|change| !change.id.starts_with("rust-"));
        let rust = || report.changes.iter().flat_map(|change| &change.rust);
        Self {
            wire: Level::ALL.map(|level| on_the_wire().filter(|change| change.level == level).count()),
            rust_breaking: rust().filter(|change| change.breaking).count(),
            rust_others: rust().filter(|change| !change.breaking).count(),
        }
    }

    fn sentence(&self) -> String {
        let [breaking, warnings, info] = self.wire;
        format!(
            "on the wire {breaking} breaking, {warnings} warnings, {info} info; in Rust {} breaking, {} others",
            self.rust_breaking, self.rust_others
        )
    }
}

impl Report {
    pub fn write(&self, format: Format) -> String {
        match format {
            Format::Json => self.json(),
            Format::Markdown => self.markdown(),
            _ => self.text(),
        }
    }

    fn is_complete(&self) -> bool {
        matches!(self.items, Items::Compared(_))
    }

    /// How the version moves, in a sentence.
    fn verdict(&self) -> String {
        let least = if self.is_complete() { "" } else { "at least " };
        let what = match self.release {
            Release::Major => "what compiles may no longer",
            Release::Minor => "there is more, and what compiles goes on compiling",
            Release::Patch => "programs notice nothing",
        };
        let name = self.bump.name();
        let zero = self.before.unwrap_or(self.version).major == 0 && self.release != Release::Patch;
        let rule = if zero { " (before 1.0, what breaks is minor, and all else a patch)" } else { "" };
        match (self.needed, self.before) {
            (Some(needed), Some(before)) => {
                format!("{least}{name}: {before} becomes {needed}, since {what}{rule}")
            }
            _ => {
                format!("{least}{name}, since {what}{rule}; nothing was released yet, so that {} will do", self.version)
            }
        }
    }

    fn documents(&self) -> Vec<String> {
        let line = |compared: &Compared| match &compared.report {
            None => format!("{}: new", compared.api),
            Some(report) if report.changes.is_empty() => format!("{}: nothing changed", compared.api),
            Some(report) => format!("{}: {}", compared.api, Counts::of(report).sentence()),
        };
        self.documents.iter().map(line).collect()
    }

    fn notes(&self) -> Vec<&String> {
        self.documents.iter().filter_map(|it| it.report.as_ref()).flat_map(|report| &report.notes).collect()
    }

    fn items(&self) -> String {
        match &self.items {
            Items::Compared(surface) => format!(
                "{} gone, {} with another signature, {} new",
                surface.removed.len(),
                surface.changed.len(),
                surface.added.len()
            ),
            Items::Failed(reason) => format!("INCOMPLETE: not compared. {reason}"),
            Items::LeftOut => "INCOMPLETE: not compared (--without-items)".to_owned(),
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "since {}: {}\n", self.base.name, self.verdict());
        let _ = writeln!(out, "documents");
        self.documents().iter().for_each(|line| out.push_str(&format!("  {line}\n")));
        self.notes().iter().for_each(|note| out.push_str(&format!("  note: {}\n", plain(note))));
        let _ = writeln!(out, "\npublic items\n  {}\n", self.items());
        let _ = writeln!(out, "agreement");
        for Finding { file, line, text } in &self.findings {
            let _ = writeln!(out, "  {file}:{line}: {text}");
        }
        if self.findings.is_empty() {
            let _ = writeln!(out, "  CHANGELOG, versions, README and docs.rs metadata agree");
        }
        let _ = writeln!(out, "\ndraft for CHANGELOG.md\n\n{}", self.draft);
        out
    }

    fn markdown(&self) -> String {
        let mut out = format!("# Release\n\nSince {}: **{}**.\n\n## Documents\n\n", self.base.name, self.verdict());
        self.documents().iter().for_each(|line| out.push_str(&format!("- {line}\n")));
        self.notes().iter().for_each(|note| out.push_str(&format!("- note: {}\n", plain(note))));
        let _ = writeln!(out, "\n## Public items\n\n{}.\n\n## Agreement\n", self.items());
        for Finding { file, line, text } in &self.findings {
            let _ = writeln!(out, "- `{file}:{line}`: {text}");
        }
        if self.findings.is_empty() {
            let _ = writeln!(out, "CHANGELOG, versions, README and docs.rs metadata agree.");
        }
        let _ = writeln!(out, "\n## Draft for CHANGELOG.md\n\n````markdown\n{}````", self.draft);
        out
    }

    fn json(&self) -> String {
        let document = |compared: &Compared| {
            let counts = compared.report.as_ref().map(Counts::of).map(|counts| {
                let [breaking, warning, info] = counts.wire;
                json!({
                    "wire": {"breaking": breaking, "warning": warning, "info": info},
                    "rust": {"breaking": counts.rust_breaking, "others": counts.rust_others},
                })
            });
            let notes = compared.report.as_ref().map(|report| &report.notes);
            let release = compared.report.as_ref().and_then(|report| report.release);
            json!({"api": compared.api.name(), "changes": counts, "release": release, "notes": notes})
        };
        let items = match &self.items {
            Items::Compared(surface) => json!(surface),
            Items::Failed(_) | Items::LeftOut => Value::Null,
        };
        let incomplete = (!self.is_complete()).then(|| self.items());
        let report = json!({
            "since": {"name": self.base.name, "revision": self.base.revision},
            "version": {
                "before": self.before.map(|it| it.to_string()), "now": self.version.to_string(),
                "needed": self.needed.map(|it| it.to_string()),
            },
            "release": self.bump,
            "text": self.verdict(),
            "incomplete": incomplete,
            "documents": self.documents.iter().map(document).collect::<Value>(),
            "items": items,
            "findings": self.findings,
            "draft": self.draft,
        });
        format!("{report:#}\n")
    }
}

/// Control characters of documents must not reach the terminal, nor end a line.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}
