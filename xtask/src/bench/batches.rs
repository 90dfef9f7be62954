//! Reading a large table as record batches.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::measure::{Run, Sample, alternate, median, sample};
use super::report::{Row, Table, Threshold, Unit, shares_of_server};
use super::rows::{RESOURCE, ROWS};
use super::{Workloads, build_program, folder};

pub(super) fn measure(workloads: &Workloads, rounds: usize) -> Result<Table, String> {
    let theirs = build_program("with-arrow-csv")?;
    let rows = ROWS.to_string();
    let server = workloads.server(&["serve", "--table", RESOURCE, "--rows", &rows])?;
    let path = folder()?.join("rows.csv");
    let file = path.to_string_lossy().into_owned();
    let bytes = ["row-bytes", "--origin", &server.origin, "--resource", RESOURCE, "--rows", &rows, "--save", &file];
    sample(&mut workloads.work(&bytes))?;
    let batches = ["batches", "--origin", &server.origin, "--resource", RESOURCE];
    let share = server.share(|| sample(&mut workloads.work(&batches)))?;
    let received = ["row-bytes", "--origin", &server.origin, "--resource", RESOURCE, "--rows", &rows];
    let mut runs: [Run<'_>; 5] = [
        Box::new(|| sample(on("0", &workloads.program).args(batches))),
        Box::new(|| sample(on("0", &theirs).arg(&file))),
        Box::new(|| sample(on("0,1", &workloads.program).args(batches))),
        Box::new(|| sample(on("0", &workloads.program).args(received))),
        Box::new(|| {
            server.confine("0")?;
            let sample = sample(on("0", &workloads.program).args(batches));
            server.confine("0,1")?;
            sample
        }),
    ];
    let samples = alternate(rounds, &mut runs)?;
    let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let _ = fs::remove_file(&path);
    let [one, theirs, two, received, one_for_both] = &samples[..] else {
        return Err("five readings were to be measured".to_owned());
    };
    if let Some(short) =
        [one, theirs, two, one_for_both].into_iter().flatten().find(|sample| sample.output["rows"] != ROWS)
    {
        return Err(format!("not all rows: {}", short.output));
    }

    let metrics = |samples: &[Sample], of: &dyn Fn(&Sample) -> Result<f64, String>| {
        samples.iter().map(of).collect::<Result<Vec<_>, _>>()
    };
    let speed = |sample: &Sample| Ok(f64::from(ROWS) / sample.metric("wall")?);
    let memory = |sample: &Sample| sample.metric("memory");
    let cpu = |sample: &Sample| sample.metric("cpu");
    let of_receiving = median(metrics(received, &cpu)?);
    let decoding = |sample: &Sample| Ok(sample.metric("cpu")? - of_receiving);
    let of_one = metrics(one, &speed)?;
    let serial = |sample: &Sample| Ok(sample.metric("serial")? / sample.metric("cpu")?);
    let serial = median(metrics(two, &serial)?) * 100.0;
    let whom = "arrow-csv, from memory";
    let table = vec![
        Row::ratio("rows per second, one core", Unit::Count, &of_one, whom, &metrics(theirs, &speed)?),
        Row::ratio(
            "CPU without receiving, one core",
            Unit::Seconds,
            &metrics(one, &decoding)?,
            whom,
            &metrics(theirs, &cpu)?,
        )
        .threshold(Threshold::AtMost(1.0)),
        Row::ratio("rows per second, two cores", Unit::Count, &metrics(two, &speed)?, "ours, one core", &of_one),
        Row::ratio(
            "rows per second, two cores",
            Unit::Count,
            &metrics(two, &speed)?,
            "ours and the server, one core",
            &metrics(one_for_both, &speed)?,
        )
        .threshold(Threshold::AtLeast(1.7)),
        Row::single("memory over idle", Unit::Bytes, median(metrics(two, &memory)?)),
    ];
    let notes = vec![
        format!(
            "The table is that of the rows, {:.0} MB as CSV. Ours reads it from the server on loopback, arrow-csv 59 from one \
             file in memory, and the column of truth values as text, since it does not know `t` and `f`. To receive the bytes \
             and drop them costs reqwest {:.0} ms of CPU, which the second row leaves out.",
            size as f64 / 1e6,
            of_receiving * 1e3
        ),
        format!(
            "The cores are those of `taskset`. With one core for ours, the server has the other to itself; with two, it takes \
             its share of them. The last ratio gives both the same cores. The thread that polls takes {serial:.0} % of the CPU, \
             which other cores cannot take over."
        ),
        shares_of_server(&[share]),
    ];
    Ok(Table { title: "Batches: a table of 1,000,000 rows, as record batches".to_owned(), rows: table, notes })
}

/// A program on some cores.
fn on(cores: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", cores]).arg(program);
    command
}
