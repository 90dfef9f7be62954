//! The report for programs. Its members stay; others may come.

use serde_json::{Value, json};

use super::Report;
use crate::diff::change::{Change, Direction, Level};
use crate::diff::decisions::fingerprint;
use crate::diff::places::{Place, Side};

pub fn write(report: &Report) -> String {
    let sides = report.sources.as_ref().map(|(old, new)| (Side::of(old), Side::of(new)));
    let change = |change: &Change| {
        let (old, new) = sides.as_ref().map_or((None, None), |(old, new)| (old.find(change), new.find(change)));
        self::change(change, old, new)
    };
    let value = json!({
        "old": report.old,
        "new": report.new,
        "changes": report.changes.iter().map(change).collect::<Value>(),
        "summary": {
            "breaking": report.count(Level::Breaking),
            "warning": report.count(Level::Warning),
            "info": report.count(Level::Info),
            "accepted": report.decided.accepted,
        },
        "release": report.release,
        "notes": report.notes,
    });
    format!("{value:#}\n")
}

fn change(change: &Change, old: Option<Place>, new: Option<Place>) -> Value {
    let first = change.operations.first();
    json!({
        "id": change.id,
        "level": change.level.name(),
        "direction": change.direction.map(Direction::name),
        "operation": first.and_then(|operation| operation.operation.as_ref()),
        "method": first.map(|operation| &operation.method),
        "path": first.map(|operation| &operation.path),
        "operations": change.operations,
        "location": change.location,
        "old": change.old,
        "new": change.new,
        "text": change.text,
        "fingerprint": fingerprint(change),
        "accepted": change.accepted,
        "old_place": old,
        "new_place": new,
        "rust": rust(change),
    })
}

/// The first effect on programs, which contains the others.
fn rust(change: &Change) -> Value {
    let Some((first, others)) = change.rust.split_first() else { return Value::Null };
    let mut value = json!(first);
    value["others"] = json!(others);
    value
}
