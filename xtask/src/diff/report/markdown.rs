//! The report for a pull request.

use std::fmt::Write;

use super::{Report, parts, reach, rust_lines};
use crate::diff::change::{Level, Operation};

/// Escapes text for Markdown, except code.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in parts(text).into_iter().enumerate() {
        // Every other part is code.
        if index % 2 == 1 {
            let _ = write!(out, "`{}`", part.replace(char::is_control, " "));
            continue;
        }
        for character in part.chars() {
            match character {
                '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '@' => out.extend(['\\', character]),
                character if character.is_control() => out.push(' '),
                character => out.push(character),
            }
        }
    }
    out
}

/// A code span with any content.
fn code(text: &str) -> String {
    format!("`{}`", text.replace(|character: char| character.is_control() || character == '`', " "))
}

fn operation(operation: &Operation) -> String {
    code(&format!("{} {}", operation.method, operation.path))
}

pub fn write(report: &Report) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "## {} → {}\n", code(&report.old), code(&report.new));
    if report.changes.is_empty() {
        let _ = writeln!(out, "No change.");
    } else {
        report.counts().iter().for_each(|counts| out.extend(["- ", counts.as_str(), "\n"]));
    }
    if let Some(verdict) = report.verdict() {
        let _ = writeln!(out, "\n**{verdict}**");
    }
    for section in report.sections() {
        let title = match section.level {
            Level::Breaking => "🔴 Breaking",
            Level::Warning => "🟠 Warnings",
            Level::Info => "🔵 Info",
        };
        // Changes that need no action are folded.
        let folded = section.level == Level::Info;
        if folded {
            let _ = writeln!(out, "\n<details><summary><b>{title}</b></summary>");
        } else {
            let _ = writeln!(out, "\n### {title}");
        }
        for group in section.groups {
            let _ = writeln!(out, "\n#### {}\n", escaped(&group.title));
            for (operations, changes) in group.parts {
                let indent = if operations.is_empty() { "" } else { "  " };
                if !operations.is_empty() {
                    let _ = writeln!(out, "- {}", reach(operations, operation));
                }
                for change in changes {
                    let _ = writeln!(out, "{indent}- {} <sub>{}</sub>", escaped(&change.text), change.id);
                    for (mark, text) in rust_lines(change) {
                        let _ = writeln!(out, "{indent}  - {mark}: {}", escaped(&text));
                    }
                }
            }
        }
        if folded {
            let _ = writeln!(out, "\n</details>");
        }
    }
    out
}
