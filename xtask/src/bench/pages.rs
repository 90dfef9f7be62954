//! Walking the catalogue.

use std::process::Command;

use super::measure::{Run, Sample, alternate, sample};
use super::report::{Row, Table, Threshold, Unit, shares_of_server};
use super::{PYTHON_CLIENT, Workloads};

/// The three fields of a masked walk, for the client of Python.
const MASK: &str = "data{id,slug,title}";

/// Both programs print the time of the walk itself: Python's start and its imports, and reading the certificates of the system, come
/// before it.
fn walk_sample(sample: Sample) -> Result<Sample, String> {
    Ok(Sample { wall: sample.metric("wall")?, cpu: sample.metric("cpu")?, ..sample })
}

pub(super) fn measure(workloads: &Workloads, rounds: usize) -> Result<Table, String> {
    let python = super::python()?;
    let server = workloads.serve()?;
    let script = crate::root().join("benchmarks/python/walk.py");
    let whom = format!("datagouv-client {PYTHON_CLIENT}");
    let mut rows = Vec::new();
    let mut shares = Vec::new();
    for (what, ours, theirs, times) in [
        ("one request at a time", &[][..], &["objects"][..], 25.0),
        ("one request at a time, against dictionaries", &[], &["dictionaries"], 10.0),
        ("eight requests at a time", &["--concurrency", "8"], &["objects"], 25.0),
        ("masked to three fields", &["--mask"], &["dictionaries", MASK], 10.0),
        ("masked to three fields, pages of 100", &["--mask", "--page-size", "100"], &["dictionaries", MASK], 10.0),
    ] {
        let walk = || workloads.work(&[&["walk", "--origin", &server.origin], ours].concat());
        shares.push(server.share(|| sample(&mut walk()))?);
        let mut runs: [Run<'_>; 2] = [
            Box::new(|| walk_sample(sample(&mut walk())?)),
            Box::new(|| {
                let mut command = Command::new(python.program("python"));
                walk_sample(sample(command.arg(&script).arg(&server.origin).args(theirs))?)
            }),
        ];
        let samples = alternate(rounds, &mut runs)?;
        let [ours, theirs] = &samples[..] else { return Err("two walks were to be measured".to_owned()) };
        for sample in ours.iter().chain(theirs) {
            if sample.metric("items")? < 10_000.0 {
                return Err(format!("a walk did not find all datasets: {}", sample.output));
            }
        }
        let metrics = |samples: &[Sample], of: fn(&Sample) -> f64| samples.iter().map(of).collect::<Vec<_>>();
        let row = |name: &str, of: fn(&Sample) -> f64| {
            let (ours, theirs) = (metrics(ours, of), metrics(theirs, of));
            Row::ratio(format!("{what}: {name}"), Unit::Seconds, &ours, &whom, &theirs)
        };
        rows.push(row("wall", |sample| sample.wall).threshold(Threshold::AtMost(1.0 / times)));
        rows.push(row("CPU", |sample| sample.cpu));
    }
    let of_pages = "Pages have 100 datasets, which the client of Python is told; ours chooses so itself, and 500 where only plain \
                    fields are asked for."
        .to_owned();
    let title = "Pages: a walk through 10,000 datasets of 5 resources".to_owned();
    Ok(Table { title, rows, notes: vec![of_pages, shares_of_server(&shares)] })
}
