//! Reports for the tools that show findings beside code: GitHub's annotations, JUnit, SARIF.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Report, rows};
use crate::diff::change::{Change, Level};
use crate::diff::decisions::fingerprint;
use crate::diff::places::Side;

/// The file and the position at which a change is shown: in NEW, or in OLD where NEW is no file or has nothing of it.
fn shown(change: &Change, sides: &[Side]) -> Option<(String, usize, usize)> {
    sides.iter().rev().find_map(|side| {
        let place = side.find(change)?;
        Some((side.file()?, place.position.line, place.position.column))
    })
}

fn sides(report: &Report) -> Vec<Side<'_>> {
    report.sources.iter().flat_map(|(old, new)| [Side::of(old), Side::of(new)]).collect()
}

/// Commands that a workflow of GitHub makes annotations of.
pub fn github(report: &Report) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let sides = sides(report);
    let mut out = String::new();
    for change in report.changes.iter().filter(|change| change.accepted.is_none()) {
        let command = match change.worst() {
            Level::Breaking => "error",
            Level::Warning => "warning",
            Level::Info => "notice",
        };
        let place = shown(change, &sides)
            .map(|(file, line, column)| format!("file={},line={line},col={column},", property(&file)));
        let text = data(&super::plain(&change.text));
        let _ = writeln!(out, "::{command} {}title={}::{text}", place.unwrap_or_default(), property(change.id));
    }
    for note in &report.notes {
        let _ = writeln!(out, "::notice title=note::{}", data(&super::plain(note)));
    }
    out
}

fn xml(text: &str) -> String {
    let text = super::plain(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A suite of tests, in which each change is one: breaking ones and warnings fail, accepted ones are skipped.
pub fn junit(report: &Report) -> String {
    let count = |is: &dyn Fn(&Change) -> bool| report.changes.iter().filter(|change| is(change)).count();
    let fails = |change: &Change| change.accepted.is_none() && change.worst() <= Level::Warning;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuite name=\"{} to {}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">",
        xml(&report.old),
        xml(&report.new),
        report.changes.len(),
        count(&fails),
        count(&|change| change.accepted.is_some()),
    );
    for change in &report.changes {
        let operation =
            change.operations.first().map_or("the document".to_owned(), |it| format!("{} {}", it.method, it.path));
        let name = format!("{} {}", change.location, fingerprint(change));
        let case = format!("<testcase classname=\"{}\" name=\"{} {}\"", change.id, xml(&operation), xml(&name));
        let _ = match (&change.accepted, fails(change)) {
            (Some(reason), _) => writeln!(out, "  {case}><skipped message=\"{}\"/></testcase>", xml(reason)),
            (None, true) => {
                let level = change.worst().name();
                writeln!(out, "  {case}><failure type=\"{level}\" message=\"{}\"/></testcase>", xml(&change.text))
            }
            (None, false) => writeln!(out, "  {case}/>"),
        };
    }
    out.push_str("</testsuite>\n");
    out
}

/// SARIF 2.1.0.
pub fn sarif(report: &Report) -> String {
    let level = |level: &str| match level {
        "breaking" => "error",
        "warning" => "warning",
        _ => "note",
    };
    let rules: Value = rows()
        .iter()
        .map(|row| {
            json!({
                "id": row.id,
                "shortDescription": {"text": row.text},
                "defaultConfiguration": {"level": level(row.level)},
            })
        })
        .collect();
    let sides = sides(report);
    let result = |change: &Change| {
        let mut result = json!({
            "ruleId": change.id,
            "level": level(change.worst().name()),
            "message": {"text": change.text},
            "partialFingerprints": {"datagouvDiff/v1": fingerprint(change)},
        });
        if let Some((file, line, column)) = shown(change, &sides) {
            result["locations"] = json!([{"physicalLocation": {
                "artifactLocation": {"uri": file},
                "region": {"startLine": line, "startColumn": column},
            }}]);
        }
        if let Some(reason) = &change.accepted {
            result["suppressions"] = json!([{"kind": "external", "justification": reason}]);
        }
        result
    };
    let log = json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{
            "tool": {"driver": {"name": "cargo xtask diff", "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": report.changes.iter().map(result).collect::<Value>(),
        }],
    });
    format!("{log:#}\n")
}
