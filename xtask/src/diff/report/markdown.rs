//! The report for a pull request.

use std::fmt::Write;

use super::{Report, level_words, reach};
use crate::diff::change::{Level, Operation};

/// Text in which what has a meaning in Markdown stands for itself, but for code.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        // Every other part is code.
        if index % 2 == 1 {
            let _ = write!(out, "`{}`", part.replace(char::is_control, " "));
            continue;
        }
        for character in part.chars() {
            match character {
                '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '@' => out.extend(['\\', character]),
                character if character.is_control() => out.push(' '),
                character => out.push(character),
            }
        }
    }
    out
}

/// Code, whatever is in it.
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
        let _ = writeln!(out, "| breaking | warnings | info |\n|---:|---:|---:|");
        let count = |level| report.count(level);
        let (breaking, warnings, info) = (count(Level::Breaking), count(Level::Warning), count(Level::Info));
        let _ = writeln!(out, "| {breaking} | {warnings} | {info} |");
    }
    if let Some(verdict) = report.verdict() {
        let _ = writeln!(out, "\n**{verdict}**");
    }
    for section in report.sections() {
        let count = report.count(section.level);
        let mark = match section.level {
            Level::Breaking => "🔴",
            Level::Warning => "🟠",
            Level::Info => "🔵",
        };
        let title = format!("{mark} {count} {}", level_words(section.level, count));
        // What asks for nothing is folded.
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
                    let _ = writeln!(out, "{indent}- {}. <sub>{}</sub>", escaped(&change.text), change.id);
                    if let Some(rust) = change.rust.as_ref().filter(|rust| rust.text != change.text) {
                        let mark = if rust.breaking { " (breaking)" } else { "" };
                        let _ = writeln!(out, "{indent}  - Rust{mark}: {}", escaped(&rust.text));
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
