//! The report for programs. Its members stay; others may come.

use serde_json::{Value, json};

use super::Report;
use crate::diff::change::{Change, Direction, Level};

pub fn write(report: &Report) -> String {
    let value = json!({
        "old": report.old,
        "new": report.new,
        "changes": report.changes.iter().map(change).collect::<Value>(),
        "summary": {
            "breaking": report.count(Level::Breaking),
            "warning": report.count(Level::Warning),
            "info": report.count(Level::Info),
        },
        "release": report.release,
        "notes": report.notes,
    });
    format!("{value:#}\n")
}

fn change(change: &Change) -> Value {
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
