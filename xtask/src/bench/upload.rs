//! Sending a large file.

use std::fs::File;
use std::io::Write;
use std::process::Command;

use super::measure::{Run, Sample, alternate, median, sample};
use super::report::{Row, Table, Threshold, Unit, shares_of_server};
use super::{Workloads, folder};

const SIZE: u32 = 1_000_000_000;

pub(super) fn measure(workloads: &Workloads, rounds: usize) -> Result<Table, String> {
    let path = folder()?.join("upload.bin");
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let block = vec![0x5a; 1_000_000];
    let mut file = File::create(&path).map_err(failed)?;
    for _ in 0..SIZE / 1_000_000 {
        file.write_all(&block).map_err(failed)?;
    }
    drop(file);
    let digest = Command::new("sha1sum").arg(&path).output().map_err(|error| format!("sha1sum: {error}"))?;
    let digest = String::from_utf8_lossy(&digest.stdout);
    let sha1 = digest.split(' ').next().ok_or("sha1sum prints nothing")?;
    // The server responds with the size and the checksum that the id of the dataset names.
    let dataset = format!("{SIZE}-{sha1}");
    let server = workloads.server(&["serve-simulated"])?;
    let file = path.to_string_lossy().into_owned();
    let ours = || workloads.work(&["upload", "--origin", &server.origin, "--dataset", &dataset, &file]);
    let curl = || {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--show-error",
            "--fail",
            "--output",
            "/dev/null",
            "--form",
            &format!("file=@{file}"),
        ]);
        command.arg(format!("{}/api/1/datasets/{dataset}/upload/", server.origin));
        command
    };
    let share = server.share(|| sample(&mut ours()))?;
    let mut runs: [Run<'_>; 2] = [Box::new(|| sample(&mut ours())), Box::new(|| sample(&mut curl()))];
    let samples = alternate(rounds, &mut runs)?;
    let _ = std::fs::remove_file(&path);
    let [ours, of_curl] = &samples[..] else { return Err("two uploads were to be measured".to_owned()) };
    let metrics = |samples: &[Sample], of: fn(&Sample) -> f64| samples.iter().map(of).collect::<Vec<_>>();
    let speed: fn(&Sample) -> f64 = |sample| f64::from(SIZE) / sample.wall;
    let cpu: fn(&Sample) -> f64 = |sample| sample.cpu;
    let memory = ours.iter().map(|sample| sample.metric("memory")).collect::<Result<Vec<_>, _>>()?;
    let rows = vec![
        Row::ratio("throughput", Unit::BytesPerSecond, &metrics(ours, speed), "curl -F", &metrics(of_curl, speed))
            .threshold(Threshold::AtLeast(0.95)),
        Row::ratio("CPU", Unit::Seconds, &metrics(ours, cpu), "curl -F", &metrics(of_curl, cpu)),
        Row::single("memory over idle", Unit::Bytes, median(memory)).threshold(Threshold::AtMost(30e6)),
    ];
    let notes = vec!["curl sends the file whole and computes no checksum.".to_owned(), shares_of_server(&[share])];
    Ok(Table { title: "Upload: a file of 1 GB in parts, its SHA-1 checked".to_owned(), rows, notes })
}
