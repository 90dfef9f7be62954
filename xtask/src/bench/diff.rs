//! Comparing two documents.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::measure::{Run, alternate, median, sample};
use super::report::{Row, Table, Threshold, Unit};
use super::{build, folder};

pub(super) fn measure(rounds: usize) -> Result<Table, String> {
    let program = build("xtask")?;
    let failed = |error: std::io::Error| error.to_string();
    let vendored = fs::read(crate::root().join("specs/main/swagger.json")).map_err(failed)?;
    let mut document: Value = serde_json::from_slice(&vendored).map_err(|error| error.to_string())?;
    let edits = edit(&mut document);
    let edited = folder()?.join("edited.json");
    fs::write(&edited, document.to_string()).map_err(failed)?;

    let run = || {
        let mut command = Command::new(&program);
        command.args(["diff", "--format", "json", "main"]).arg(&edited);
        command
    };
    let output = run().output().map_err(failed)?;
    let report: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("the report: {error}"))?;
    let changes = report["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let in_rust = changes.iter().filter(|change| !change["rust"].is_null()).count();
    if in_rust == 0 {
        return Err(format!("{edits} edits are noticed in Rust, too: {}", report["notes"]));
    }

    let mut runs: [Run<'_>; 1] = [Box::new(|| sample(&mut run()))];
    let samples = alternate(rounds, &mut runs)?.concat();
    fs::remove_file(&edited).map_err(failed)?;
    let rows = vec![
        Row::single("wall", Unit::Seconds, median(samples.iter().map(|sample| sample.wall)))
            .threshold(Threshold::AtMost(1.0)),
        Row::single("CPU", Unit::Seconds, median(samples.iter().map(|sample| sample.cpu))),
        Row::single("memory", Unit::Bytes, median(samples.iter().map(|sample| sample.peak_memory)))
            .threshold(Threshold::AtMost(200e6)),
    ];
    let note = format!(
        "The vendored document against itself with {edits} edits: operations dropped, parameters made required, \
         properties retyped and dropped. {} changes are found, {in_rust} of which a program in Rust notices.",
        changes.len()
    );
    Ok(Table {
        title: "Diff: two documents of the main API, on the wire and in Rust".to_owned(),
        rows,
        notes: vec![note],
    })
}

/// Edits a document here and there, always in the same places; returns the number of edits.
fn edit(document: &mut Value) -> usize {
    let mut edits = 0;
    let mut each = |every: usize, index: usize| {
        let is_edited = index % every == every - 1;
        edits += usize::from(is_edited);
        is_edited
    };
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    let mut operations = 0;
    for (_, path) in paths {
        let Some(path) = path.as_object_mut() else { continue };
        path.retain(|_, operation| {
            operations += 1;
            !(operation.is_object() && each(20, operations))
        });
        for parameter in
            path.values_mut().filter_map(|operation| operation.get_mut("parameters")?.as_array_mut()).flatten()
        {
            if parameter["in"] == "query" && parameter["required"] != true && each(15, operations) {
                parameter["required"] = json!(true);
            }
        }
    }
    let definitions = document["definitions"].as_object_mut().into_iter().flatten();
    let mut properties = 0;
    for (_, definition) in definitions {
        let Some(own) = definition.get_mut("properties").and_then(Value::as_object_mut) else { continue };
        own.retain(|_, _| {
            properties += 1;
            !each(50, properties)
        });
        for property in own.values_mut() {
            properties += 1;
            if property["type"] == "string" && each(25, properties) {
                *property = json!({"type": "integer"});
            }
        }
    }
    edits
}
