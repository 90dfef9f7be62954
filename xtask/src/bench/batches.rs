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
    let from_memory = ["batches-of-file", &*file];
    let from_server = ["batches", "--origin", &server.origin, "--resource", RESOURCE];
    let share = server.share(|| sample(&mut workloads.work(&from_server)))?;
    let mut runs: [Run<'_>; 5] = [
        Box::new(|| sample(on("0", &workloads.program).args(from_memory))),
        Box::new(|| sample(on("0", &theirs).arg(&file))),
        Box::new(|| sample(on("0,1", &workloads.program).args(from_memory))),
        Box::new(|| sample(on("0", &workloads.program).args(from_server))),
        Box::new(|| sample(on("0,1", &workloads.program).args(from_server))),
    ];
    let samples = alternate(rounds, &mut runs)?;
    let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let _ = fs::remove_file(&path);
    if let Some(short) = samples.iter().flatten().find(|sample| sample.output["rows"] != ROWS) {
        return Err(format!("not all rows: {}", short.output));
    }
    let [one, theirs, two, one_of_server, two_of_server] = &samples[..] else {
        return Err("five readings were to be measured".to_owned());
    };

    let metrics = |samples: &[Sample], of: &dyn Fn(&Sample) -> Result<f64, String>| {
        samples.iter().map(of).collect::<Result<Vec<_>, _>>()
    };
    let speed = |samples: &[Sample]| metrics(samples, &|sample| Ok(f64::from(ROWS) / sample.metric("wall")?));
    let serial = metrics(two, &|sample| Ok(sample.metric("serial")? / sample.metric("cpu")?))?;
    let serial = median(serial) * 100.0;
    let memory = metrics(two_of_server, &|sample| sample.metric("memory"))?;
    let (of_one, of_one_of_server) = (speed(one)?, speed(one_of_server)?);
    let row = |what, ours: &[f64], whom, theirs: &[f64]| Row::ratio(what, Unit::Count, ours, whom, theirs);
    let table = vec![
        row("rows per second from memory, one core", &of_one, "arrow-csv, from memory", &speed(theirs)?)
            .threshold(Threshold::AtLeast(1.0)),
        row("rows per second from memory, two cores", &speed(two)?, "ours, one core", &of_one)
            .threshold(Threshold::AtLeast(1.7)),
        row("rows per second from the server, one core", &of_one_of_server, "ours, from memory", &of_one),
        row("rows per second from the server, two cores", &speed(two_of_server)?, "ours, one core", &of_one_of_server),
        Row::single("memory over idle", Unit::Bytes, median(memory)),
    ];
    let notes = vec![
        format!(
            "The table is that of the rows, {:.0} MB as CSV. From memory, ours reads its bytes in the chunks of a body; \
             arrow-csv 59 reads the same bytes, and the column of truth values as text, since it does not know `t` and `f`.",
            size as f64 / 1e6,
        ),
        format!(
            "The cores are those of `taskset`. From memory, the thread that polls takes {serial:.0} % of the CPU, which other \
             cores cannot take over. The server has the other core to itself where ours has one; where ours has two, it takes \
             its share of them."
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
