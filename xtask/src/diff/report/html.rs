//! The report for a browser, in one file.

use std::fmt::Write;

use super::{Report, Row, level_title, parts, reach, rust_lines};

const STYLE: &str = "
:root { color-scheme: light dark; --breaking: #c62828; --warning: #b26a00; --info: #1565c0; }
@media (prefers-color-scheme: dark) { :root { --breaking: #ff8a80; --warning: #ffc166; --info: #8ab4f8; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
h2 { border-bottom: 2px solid; padding-bottom: .2rem; }
h2.breaking, .count.breaking { color: var(--breaking); }
h2.warning, .count.warning { color: var(--warning); }
h2.info, .count.info { color: var(--info); }
.count { font-weight: 600; margin-right: 1rem; }
.reach { margin: .8rem 0 0; overflow-wrap: anywhere; }
ul { margin: .2rem 0; }
code { font: .9em ui-monospace, monospace; background: #8882; border-radius: 3px; padding: 0 .2em; }
.rule { font-size: .75rem; opacity: .7; white-space: nowrap; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .6rem; border-bottom: 1px solid #8884; }
";

/// Escapes text, except that code becomes `<code>`.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    // HTML has no control characters.
    for (index, part) in parts(&super::plain(text)).into_iter().enumerate() {
        let part = part.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let _ = if index % 2 == 1 { write!(out, "<code>{part}</code>") } else { write!(out, "{part}") };
    }
    out
}

fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n"
    )
}

pub fn write(report: &Report) -> String {
    let mut out = String::new();
    if report.changes.is_empty() {
        let _ = writeln!(out, "<p>No change.</p>");
    } else {
        for counts in report.counts() {
            let _ = writeln!(out, "<p>{counts}</p>");
        }
    }
    if let Some(verdict) = report.verdict() {
        let _ = writeln!(out, "<p><strong>{verdict}</strong></p>");
    }
    for section in report.sections() {
        let name = section.level.name();
        let _ = writeln!(out, "<h2 class=\"{name}\">{}</h2>", level_title(section.level));
        for group in section.groups {
            let _ = writeln!(out, "<h3>{}</h3>", escaped(&group.title));
            for (operations, changes) in group.parts {
                if !operations.is_empty() {
                    let named = reach(operations, |operation| format!("`{} {}`", operation.method, operation.path));
                    let _ = writeln!(out, "<p class=\"reach\">{}</p>", escaped(&named));
                }
                let _ = writeln!(out, "<ul>");
                for change in changes {
                    let rule = format!("<span class=\"rule\">{}</span>", change.id);
                    let _ = write!(out, "<li>{} {rule}", escaped(&change.text));
                    for (mark, text) in rust_lines(change) {
                        let _ = write!(out, "<br>{mark}: {}", escaped(&text));
                    }
                    let _ = writeln!(out, "</li>");
                }
                let _ = writeln!(out, "</ul>");
            }
        }
    }
    if !report.notes.is_empty() {
        let _ = writeln!(out, "<h2>Notes</h2>\n<ul>");
        for note in &report.notes {
            let _ = writeln!(out, "<li>{}</li>", escaped(note));
        }
        let _ = writeln!(out, "</ul>");
    }
    page(&format!("{} → {}", report.old, report.new), &out)
}

/// The table of the rules.
pub fn rules(rows: &[Row]) -> String {
    let mut out = "<table>\n<tr><th>rule</th><th>level</th><th>direction</th><th>what changed</th></tr>\n".to_owned();
    for Row { id, level, direction, text } in rows {
        let _ = write!(out, "<tr><td><code>{id}</code></td><td class=\"count {level}\">{level}</td>");
        let _ = writeln!(out, "<td>{direction}</td><td>{}</td></tr>", escaped(text));
    }
    out.push_str("</table>\n");
    page("The rules of the diff", &out)
}
