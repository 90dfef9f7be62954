//! What a walk or a table a hundred times as long costs for each item.

use super::Workloads;
use super::measure::sample;
use super::report::{Row, Table, Threshold, Unit};
use super::rows::RESOURCE;

pub(super) fn measure(workloads: &Workloads) -> Result<Table, String> {
    let mut rows = Vec::new();
    for (label, work, count, sizes) in [
        ("walk, 1,000,000 datasets", "walk", "items", [("--datasets", "10000"), ("--datasets", "1000000")]),
        ("table, 100,000,000 rows", "rows", "rows", [("--rows", "1000000"), ("--rows", "100000000")]),
    ] {
        let mut costs = Vec::new();
        for (flag, size) in sizes {
            let server = workloads.server(&["serve-simulated", flag, size])?;
            let mut arguments = vec![work, "--origin", &server.origin];
            if work == "rows" {
                arguments.extend(["--resource", RESOURCE]);
            }
            // The short one is over before the processor is at its pace.
            let run = || sample(&mut workloads.work(&arguments));
            if costs.is_empty() {
                run()?;
            }
            let sample = run()?;
            let found = sample.metric(count)?;
            if found.to_string() != size {
                return Err(format!("{work} found {found} of {size}"));
            }
            costs.push((sample.metric("cpu")? / found, sample.peak_memory));
        }
        let [(short, small), (long, large)] = costs[..] else { return Err("two sizes were to be measured".to_owned()) };
        let against = "a hundredth of it";
        let cost = Row::ratio(format!("{label}: CPU of 1,000"), Unit::Seconds, &[long * 1e3], against, &[short * 1e3]);
        rows.push(cost.threshold(Threshold::AtMost(1.1)));
        let memory = Row::ratio(format!("{label}: peak memory"), Unit::Bytes, &[large], against, &[small]);
        rows.push(memory.threshold(Threshold::AtMost(1.1)));
    }
    let notes = vec!["One run of each: the long ones take minutes.".to_owned()];
    Ok(Table { title: "Scale".to_owned(), rows, notes })
}
