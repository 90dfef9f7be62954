//! Single calls, compared with reqwest and serde used directly.

use std::process::Command;

use super::Workloads;
use super::measure::{Run, Sample, alternate, sample};
use super::report::{Row, Table, Threshold, Unit, shares_of_server};
use super::valgrind::{Counts, count};

const BASELINE: &str = "reqwest and serde by hand";

/// How many datasets are on the page.
const DATASETS: f64 = 100.0;

/// A kind of call: its label, its command-line value, how often it is counted and timed, and the limit for the ratio of
/// instructions.
struct CallKind {
    label: &'static str,
    argument: &'static str,
    counted: u32,
    timed: u32,
    instructions: f64,
}

const KINDS: [CallKind; 3] = [
    CallKind { label: "a call beside decoding", argument: "formats", counted: 200, timed: 5000, instructions: 1.02 },
    CallKind { label: "a dataset of 30 resources", argument: "dataset", counted: 100, timed: 3000, instructions: 0.75 },
    CallKind { label: "a page of 100 datasets", argument: "page", counted: 10, timed: 300, instructions: 0.75 },
];

pub(super) fn measure(workloads: &Workloads, rounds: usize) -> Result<Table, String> {
    let server = workloads.server(&["serve", "--calls"])?;
    let call = |kind: &CallKind, by: &str, calls: u32| {
        let calls = calls.to_string();
        workloads.work(&[
            "call",
            "--origin",
            &server.origin,
            "--request",
            kind.argument,
            "--implementation",
            by,
            "--calls",
            &calls,
        ])
    };
    let mut rows = Vec::new();
    let mut notes = vec![
        "Instructions and allocations are those of a process of many calls beyond one of a few, counted by valgrind."
            .to_owned(),
    ];
    let (mut small, mut shares) = (None, Vec::new());
    for kind in &KINDS {
        let counted = [("client"), ("bare")].map(|by| counts(kind, |calls| call(kind, by, calls)));
        match counted {
            [Ok(ours), Ok(theirs)] => {
                rows.extend(counted_rows(kind, ours, theirs));
                let (small_ours, small_theirs) = *small.get_or_insert((ours, theirs));
                if kind.argument == "page" {
                    let per_dataset = |all: Counts, small| all.minus(small).divided_by(DATASETS).allocations;
                    let (ours, theirs) = (per_dataset(ours, small_ours), per_dataset(theirs, small_theirs));
                    let row = Row::ratio("each dataset: allocations", Unit::Count, &[ours], BASELINE, &[theirs]);
                    rows.push(row.threshold(Threshold::AtMost(1.2)));
                }
            }
            [Err(reason), _] | [_, Err(reason)] => notes.push(format!("{} could not be counted: {reason}", kind.label)),
        }
        shares.push(server.share(|| sample(&mut call(kind, "client", kind.timed)))?);
        let mut timed = ["client", "bare"].map(|by| {
            let run: Run<'_> = Box::new(|| per_call(sample(&mut call(kind, by, kind.timed))?, kind.timed));
            run
        });
        let samples = alternate(rounds, &mut timed)?;
        let [ours, theirs] = &samples[..] else { return Err("two sides were to be measured".to_owned()) };
        let walls = |samples: &[Sample]| samples.iter().map(|sample| sample.wall).collect::<Vec<_>>();
        rows.push(Row::ratio(format!("{}: wall", kind.label), Unit::Seconds, &walls(ours), BASELINE, &walls(theirs)));
    }
    notes.push(shares_of_server(&shares));
    Ok(Table { title: "Call: one typed call over a connection that is kept".to_owned(), rows, notes })
}

/// The mean of a call, from the totals that the program prints.
fn per_call(sample: Sample, calls: u32) -> Result<Sample, String> {
    let calls = f64::from(calls);
    Ok(Sample { wall: sample.metric("wall")? / calls, cpu: sample.metric("cpu")? / calls, ..sample })
}

/// The mean of a call: the counts of many calls minus those of one, so that start-up is excluded.
fn counts(kind: &CallKind, call: impl Fn(u32) -> Command) -> Result<Counts, String> {
    let few = count(&call(1))?;
    let many = count(&call(1 + kind.counted))?;
    Ok(many.minus(few).divided_by(f64::from(kind.counted)))
}

fn counted_rows(kind: &CallKind, ours: Counts, theirs: Counts) -> [Row; 3] {
    let row = |name: &str, unit: Unit, of: fn(&Counts) -> f64| {
        Row::ratio(format!("{}: {name}", kind.label), unit, &[of(&ours)], BASELINE, &[of(&theirs)])
    };
    [
        row("instructions", Unit::Count, |counts| counts.instructions).threshold(Threshold::AtMost(kind.instructions)),
        row("allocations", Unit::Count, |counts| counts.allocations).threshold(Threshold::AtMost(1.2)),
        row("bytes allocated", Unit::Bytes, |counts| counts.bytes),
    ]
}
