//! The report for a terminal.

use std::fmt::Write;

use super::{Report, level_title, plain, reach, rust_lines};
use crate::diff::change::Level;

/// The styles of a terminal, or none.
struct Styles {
    on: bool,
}

impl Styles {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn faint(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn level(&self, level: Level, text: &str) -> String {
        let code = match level {
            Level::Breaking => "1;31",
            Level::Warning => "1;33",
            Level::Info => "1;36",
        };
        self.paint(code, text)
    }
}

pub fn write(report: &Report, colour: bool) -> String {
    let styles = Styles { on: colour };
    let mut out = String::new();
    let title = plain(&format!("{} → {}", report.old, report.new));
    let _ = writeln!(out, "{}", styles.bold(&title));
    if report.changes.is_empty() {
        let _ = writeln!(out, "No change.");
    } else {
        report.counts().iter().for_each(|counts| out.extend([counts.as_str(), "\n"]));
    }
    if let Some(verdict) = report.verdict() {
        let _ = writeln!(out, "{}", styles.bold(verdict));
    }
    for section in report.sections() {
        let _ = writeln!(out, "\n{}", styles.level(section.level, &level_title(section.level).to_uppercase()));
        for group in section.groups {
            let _ = writeln!(out, "  {}", styles.bold(&plain(&group.title)));
            for (operations, changes) in group.parts {
                let indent = if operations.is_empty() { "    " } else { "      " };
                if !operations.is_empty() {
                    let named = reach(operations, |operation| format!("{} {}", operation.method, operation.path));
                    let _ = writeln!(out, "    {}", plain(&named));
                }
                for change in changes {
                    let id = styles.faint(&format!("[{}]", change.id));
                    let _ = writeln!(out, "{indent}{} {id}", plain(&change.text));
                    for (mark, text) in rust_lines(change) {
                        let _ = writeln!(out, "{indent}  {mark}: {}", plain(&text));
                    }
                }
            }
        }
    }
    if !report.notes.is_empty() {
        let _ = writeln!(out, "\n{}", styles.bold("Notes"));
    }
    for note in &report.notes {
        let _ = writeln!(out, "  {}", plain(note));
    }
    out
}
