//! Decoding a page, without the network: compared with other readers of JSON.

use std::fs;
use std::process::Command;

use super::measure::{Run, Sample, alternate, sample};
use super::report::{Row, Table, Threshold, Unit};
use super::valgrind::count;
use super::{Workloads, build_program, folder};

/// How often the page is decoded in a run.
const TIMES: u32 = 1_000;

/// The readers, and the limits for the ratios of wall time.
const READERS: [(&str, f64); 3] = [("serde_json", 0.70), ("sonic-rs", 1.2), ("simd-json", 1.2)];

pub(super) fn measure(workloads: &Workloads, rounds: usize) -> Result<Table, String> {
    let readers = build_program("with-json-readers")?;
    let path = folder()?.join("page.json");
    let file = path.to_string_lossy().into_owned();
    sample(&mut workloads.work(&["decode", "--save", &file]))?;
    let ours = |times: u32| workloads.work(&["decode", "--times", &times.to_string()]);
    let theirs = |reader: &str, times: u32| {
        let mut command = Command::new(&readers);
        command.args([reader, &file, &times.to_string()]);
        command
    };

    let mut runs: Vec<Run<'_>> = vec![Box::new(|| sample(&mut ours(TIMES)))];
    for (reader, _) in READERS {
        let theirs = &theirs;
        runs.push(Box::new(move || sample(&mut theirs(reader, TIMES))));
    }
    let samples = alternate(rounds, &mut runs)?;
    drop(runs);
    if let Some(other) = samples.iter().flatten().find(|sample| sample.output["found"] != samples[0][0].output["found"])
    {
        return Err(format!("a reader found other resources: {}", other.output));
    }
    let walls = |samples: &[Sample]| {
        samples.iter().map(|sample| Ok(sample.metric("wall")? / f64::from(TIMES))).collect::<Result<Vec<_>, String>>()
    };
    let of_ours = walls(&samples[0])?;
    let mut rows = Vec::new();
    for ((reader, limit), samples) in READERS.into_iter().zip(&samples[1..]) {
        let row = Row::ratio("wall", Unit::Seconds, &of_ours, reader, &walls(samples)?);
        rows.push(row.threshold(Threshold::AtMost(limit)));
    }

    let mut notes = vec![
        "The page has 100 datasets of 3 resources each. Ours decodes into the client's types, the others into structures that \
         serde derives; ours keeps unknown properties and values of other types, which they refuse or drop."
            .to_owned(),
    ];
    let instructions = |few: &Command, many: &Command, more: u32| -> Result<f64, String> {
        Ok(count(many)?.minus(count(few)?).divided_by(f64::from(more)).instructions)
    };
    match instructions(&ours(1), &ours(21), 20) {
        Ok(of_ours) => {
            for (reader, _) in READERS {
                let theirs = instructions(&theirs(reader, 1), &theirs(reader, 21), 20)?;
                rows.push(Row::ratio("instructions", Unit::Count, &[of_ours], reader, &[theirs]));
            }
        }
        Err(reason) => notes.push(format!("Instructions could not be counted: {reason}")),
    }
    let _ = fs::remove_file(&path);
    Ok(Table { title: "Decode: a page of 100 datasets, without the network".to_owned(), rows, notes })
}
