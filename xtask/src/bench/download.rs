//! Saving a large file.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::measure::{Run, Sample, alternate, median, sample};
use super::report::{Row, Table, Threshold, Unit, shares_of_server};
use super::{Workloads, folder};

const SIZE: u32 = 1_000_000_000;

pub(super) fn measure(workloads: &Workloads, rounds: usize) -> Result<Table, String> {
    let size = SIZE.to_string();
    let server = workloads.server(&["serve-file", "--size", &size])?;
    let url = format!("{}/large.bin", server.origin);
    let path = folder()?.join("large.bin");
    let file = path.to_string_lossy().into_owned();
    let curl = || {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail", "--output", &file, &url]);
        command
    };
    // A file to be replaced would be deleted during the measurement, and unwritten pages of one run would slow the next.
    let sample_anew = |command: &mut Command| {
        let _ = fs::remove_file(&path);
        sample(&mut Command::new("sync"))?;
        sample(command)
    };

    sample_anew(&mut curl())?;
    let sha256 = digest(&path)?;
    let ours = |sync: &[&str]| {
        workloads.work(&[&["download", &url, &file, "--size", &size, "--sha256", &sha256], sync].concat())
    };
    let mut both = Vec::new();
    for _ in 0..rounds {
        let saved = sample_anew(&mut curl())?;
        both.push(saved.wall + sample(Command::new("sha256sum").arg(&path))?.wall);
    }
    let share = server.share(|| sample_anew(&mut ours(&[])))?;
    let mut runs: [Run<'_>; 4] = [
        Box::new(|| sample_anew(&mut ours(&[]))),
        Box::new(|| sample_anew(&mut curl())),
        Box::new(|| sample_anew(&mut ours(&["--sync"]))),
        Box::new(|| {
            let saved = sample_anew(&mut curl())?;
            let synced = sample(&mut Command::new("sync"))?;
            Ok(Sample { wall: saved.wall + synced.wall, ..saved })
        }),
    ];
    let samples = alternate(rounds, &mut runs)?;
    let _ = fs::remove_file(&path);
    let [ours, of_curl, ours_synced, of_curl_synced] = &samples[..] else {
        return Err("four downloads were to be measured".to_owned());
    };

    let metrics = |samples: &[Sample], of: fn(&Sample) -> f64| samples.iter().map(of).collect::<Vec<_>>();
    let speed: fn(&Sample) -> f64 = |sample| f64::from(SIZE) / sample.wall;
    let cpu: fn(&Sample) -> f64 = |sample| sample.cpu;
    let memory = ours.iter().map(|sample| sample.metric("memory")).collect::<Result<Vec<_>, _>>()?;
    let rows = vec![
        Row::ratio("throughput", Unit::BytesPerSecond, &metrics(ours, speed), "curl", &metrics(of_curl, speed))
            .threshold(Threshold::AtLeast(1.0)),
        Row::ratio(
            "throughput to the disk, `sync(true)`",
            Unit::BytesPerSecond,
            &metrics(ours_synced, speed),
            "curl, then sync",
            &metrics(of_curl_synced, speed),
        )
        .threshold(Threshold::AtLeast(2.0)),
        Row::ratio("CPU", Unit::Seconds, &metrics(ours, cpu), "curl", &metrics(of_curl, cpu)),
        Row::single("memory over idle", Unit::Bytes, median(memory)).threshold(Threshold::AtMost(30e6)),
    ];
    let note = format!(
        "curl checks nothing; with `sha256sum` after it, it took {:.2} s where ours took {:.2} s.",
        median(both),
        median(metrics(ours, |sample| sample.wall)),
    );
    let title = "Download: a file of 1 GB, its SHA-256 checked".to_owned();
    Ok(Table { title, rows, notes: vec![note, shares_of_server(&[share])] })
}

fn digest(path: &Path) -> Result<String, String> {
    let output = Command::new("sha256sum").arg(path).output().map_err(|error| format!("sha256sum: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split(' ')
        .next()
        .filter(|digest| digest.len() == 64)
        .map(str::to_owned)
        .ok_or("sha256sum says nothing".to_owned())
}
