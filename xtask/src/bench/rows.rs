//! Reading a large table.

use std::fs;
use std::num::NonZeroUsize;
use std::process::Command;
use std::thread::available_parallelism;

use super::measure::{Run, Sample, alternate, median, sample};
use super::report::{Row, Table, Threshold, Unit, shares_of_server};
use super::{PYTHON_CLIENT, Workloads, folder};

pub(super) const ROWS: u32 = 1_000_000;

/// As many rows as the client of Python reads: it gets 20 with each request, and all of them would take minutes.
const ROWS_OF_PYTHON: u32 = 20_000;

/// The resource that it is served as.
pub(super) const RESOURCE: &str = "5f0c1d7e-3b52-4a60-9d0e-6d2c1f4b8a97";

pub(super) fn measure(workloads: &Workloads, rounds: usize) -> Result<Table, String> {
    let python = super::python()?;
    let rows = ROWS.to_string();
    let server = workloads.server(&["serve", "--table", RESOURCE, "--rows", &rows])?;
    let script = crate::root().join("benchmarks/python/rows.py");
    let path = folder()?.join("rows.csv");
    let file = path.to_string_lossy().into_owned();

    let ours = || workloads.work(&["rows", "--origin", &server.origin, "--resource", RESOURCE]);
    let bytes = || workloads.work(&["row-bytes", "--origin", &server.origin, "--resource", RESOURCE, "--rows", &rows]);
    sample(bytes().args(["--save", &file]))?;
    let share = server.share(|| sample(&mut ours()))?;
    let mut runs: [Run<'_>; 4] = [
        Box::new(|| sample(&mut ours())),
        Box::new(|| {
            let url = format!("{}/tabular", server.origin);
            let mut command = Command::new(python.program("python"));
            sample(command.arg(&script).args([&url, RESOURCE, &ROWS_OF_PYTHON.to_string()]))
        }),
        Box::new(|| sample(&mut workloads.work(&["rows-of-file", &file]))),
        Box::new(|| sample(&mut bytes())),
    ];
    let samples = alternate(rounds, &mut runs)?;
    let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let _ = fs::remove_file(&path);
    let [ours, of_python, of_file, of_bytes] = &samples[..] else {
        return Err("four readings were to be measured".to_owned());
    };
    for (ours, theirs) in ours.iter().zip(of_file) {
        if ours.metric("rows")? < f64::from(ROWS) || ours.output["digest"] != theirs.output["digest"] {
            return Err(format!("not the same rows: {} and {}", ours.output, theirs.output));
        }
    }
    if let Some(short) = of_python.iter().find(|sample| sample.output["rows"] != ROWS_OF_PYTHON) {
        return Err(format!("the client of Python did not read its rows: {}", short.output));
    }

    let metrics = |samples: &[Sample], of: &dyn Fn(&Sample) -> Result<f64, String>| {
        samples.iter().map(of).collect::<Result<Vec<_>, _>>()
    };
    let speed = |sample: &Sample| Ok(sample.metric("rows")? / sample.metric("wall")?);
    let bytes_speed = |sample: &Sample| Ok(f64::from(ROWS) / sample.metric("wall")?);
    let cost = |sample: &Sample| Ok(sample.metric("cpu")? / sample.metric("rows")? * 1e6);
    let single = |metric: &str| Ok::<_, String>(median(metrics(ours, &|sample: &Sample| sample.metric(metric))?));
    let (our_speed, our_cost) = (metrics(ours, &speed)?, metrics(ours, &cost)?);
    let serial = |sample: &Sample| Ok(sample.metric("serial")? / sample.metric("cpu")?);
    let serial = median(metrics(ours, &serial)?) * 100.0;
    let whom = format!("datagouv-client {PYTHON_CLIENT}");
    let table = vec![
        Row::ratio("rows per second", Unit::Count, &our_speed, &whom, &metrics(of_python, &speed)?)
            .threshold(Threshold::AtLeast(50.0)),
        Row::ratio(
            "rows per second",
            Unit::Count,
            &our_speed,
            "csv and serde, from a file",
            &metrics(of_file, &speed)?,
        )
        .threshold(Threshold::AtLeast(1.2)),
        Row::ratio(
            "rows per second",
            Unit::Count,
            &our_speed,
            "reqwest, the bytes dropped",
            &metrics(of_bytes, &bytes_speed)?,
        ),
        Row::ratio("CPU of a million rows", Unit::Seconds, &our_cost, &whom, &metrics(of_python, &cost)?),
        Row::ratio(
            "CPU of a million rows",
            Unit::Seconds,
            &our_cost,
            "csv and serde, from a file",
            &metrics(of_file, &cost)?,
        ),
        Row::ratio(
            "the first row",
            Unit::Seconds,
            &metrics(ours, &|sample| sample.metric("first"))?,
            "reqwest, one page of 200 rows",
            &metrics(of_bytes, &|sample| sample.metric("page"))?,
        )
        .threshold(Threshold::AtMost(3.0)),
        Row::single("requests", Unit::Count, single("requests")?).threshold(Threshold::AtMost(25.0)),
        Row::single("memory over idle", Unit::Bytes, single("memory")?).threshold(Threshold::AtMost(30e6)),
    ];
    let notes = vec![
        format!(
            "Ours decodes on all processors, {} here, of which the thread that polls takes {serial:.0} % of the CPU; the others \
             read on one.",
            available_parallelism().map_or(1, NonZeroUsize::get)
        ),
        format!(
            "The table has 8 columns (whole numbers, decimals, texts, dates, truth values, nulls) and {:.0} MB as CSV. \
             The client's limit of requests per second was lifted; the server's own are those of production: 200 rows a \
             page, 50,000 an export.",
            size as f64 / 1e6
        ),
        format!(
            "The client of Python asks for pages of the default size, 20 rows; it was measured over {ROWS_OF_PYTHON} of \
             the rows, since all of them are 50,000 requests. It reads dictionaries."
        ),
        shares_of_server(&[share]),
    ];
    Ok(Table { title: "Rows: a table of 1,000,000 rows, typed".to_owned(), rows: table, notes })
}
