//! Many calls at once.

use super::Workloads;
use super::measure::{Run, Sample, alternate, sample};
use super::report::{Row, Table, Threshold, Unit};

const CALLS: &str = "1000";

pub(super) fn measure(workloads: &Workloads, rounds: usize) -> Result<Table, String> {
    // No request is responded to before all have arrived.
    let server = workloads.server(&["serve-simulated", "--together", CALLS])?;
    let calls = |implementation: &'static str| -> Run<'_> {
        let arguments =
            ["concurrent", "--origin", &server.origin, "--calls", CALLS, "--implementation", implementation];
        let arguments = arguments.map(str::to_owned);
        Box::new(move || sample(&mut workloads.work(&arguments.each_ref().map(String::as_str))))
    };
    let samples = alternate(rounds, &mut [calls("client"), calls("bare")])?;
    let [ours, theirs] = &samples[..] else { return Err("two programs were to be measured".to_owned()) };
    let metric = |samples: &[Sample], name: &str| {
        samples.iter().map(|sample| sample.metric(name)).collect::<Result<Vec<_>, _>>()
    };
    let row = |label: &str, unit: Unit, name: &str| {
        Ok::<_, String>(Row::ratio(
            label,
            unit,
            &metric(ours, name)?,
            "reqwest and serde by hand",
            &metric(theirs, name)?,
        ))
    };
    let rows = vec![
        row("memory over idle", Unit::Bytes, "memory")?.threshold(Threshold::AtMost(1.2)),
        row("CPU", Unit::Seconds, "cpu")?,
    ];
    let notes = vec!["Each call reads a dataset of 30 resources and counts them.".to_owned()];
    Ok(Table { title: "Concurrent: 1,000 calls at once".to_owned(), rows, notes })
}
