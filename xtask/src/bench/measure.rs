//! Runs programs, and measures them by the resource usage that the system reports.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::Value;
use wait4::Wait4;

/// The measurements of a run.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Seconds from start to end.
    pub wall: f64,
    /// Seconds of all processors, of the program and of all that it started.
    pub cpu: f64,
    /// The most memory that one of its processes held, in bytes.
    pub peak_memory: f64,
    /// The last line of its output as JSON; null if it is not JSON.
    pub output: Value,
}

impl Sample {
    /// A value of the program's output.
    pub fn metric(&self, name: &str) -> Result<f64, String> {
        self.output[name].as_f64().ok_or_else(|| format!("the program printed no `{name}`: {}", self.output))
    }
}

/// Runs a program to its end.
pub fn sample(command: &mut Command) -> Result<Sample, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut output = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut output).map_err(failed)?;
    }
    let used = child.wait4().map_err(failed)?;
    let wall = start.elapsed().as_secs_f64();
    if !used.status.success() {
        return Err(format!("{program} failed ({})", used.status));
    }
    let cpu = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    let output = output.lines().next_back().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    // `wait4` gives bytes.
    Ok(Sample { wall, cpu, peak_memory: used.rusage.maxrss as f64, output })
}

/// A run to be repeated.
pub type Run<'a> = Box<dyn FnMut() -> Result<Sample, String> + 'a>;

/// Runs each once without counting, then all in turn, `rounds` times.
pub fn alternate(rounds: usize, runs: &mut [Run<'_>]) -> Result<Vec<Vec<Sample>>, String> {
    for run in &mut *runs {
        run()?;
    }
    in_turn(rounds, runs)
}

/// Runs all in turn, `rounds` times, and counts the first as well: for work without a warm state.
pub fn in_turn(rounds: usize, runs: &mut [Run<'_>]) -> Result<Vec<Vec<Sample>>, String> {
    let mut samples = vec![Vec::new(); runs.len()];
    for _ in 0..rounds {
        for (run, samples) in runs.iter_mut().zip(&mut samples) {
            samples.push(run()?);
        }
    }
    Ok(samples)
}

/// The median.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[length / 2],
        length => f64::midpoint(values[length / 2 - 1], values[length / 2]),
    }
}

/// The server of the measured programs, stopped when it is dropped.
pub struct Server {
    child: Child,
    pub origin: String,
}

impl Server {
    /// Starts it, and waits until it prints its address.
    pub fn start(command: &mut Command) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("the server of the benchmarks: {error}");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let mut origin = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut origin).map_err(failed)?;
        }
        Ok(Self { child, origin: origin.trim().to_owned() })
    }

    /// The seconds of processors that it has used so far; in steps of 10 ms.
    pub fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(Path::new("/proc").join(self.child.id().to_string()).join("stat"));
        // The name in parentheses, the second field, may hold spaces (proc(5)); `utime` and `stime` are 14 and 15.
        let ticks = stat.ok().and_then(|stat| {
            let fields: Vec<f64> = stat.rsplit_once(')')?.1.split(' ').filter_map(|field| field.parse().ok()).collect();
            Some(fields.get(10)? + fields.get(11)?)
        });
        ticks.unwrap_or(f64::NAN) / 100.0
    }

    /// What part of all the processors' time it takes while a program runs.
    pub fn share(&self, mut run: impl FnMut() -> Result<Sample, String>) -> Result<f64, String> {
        run()?;
        let before = self.cpu();
        let mut of_program = 0.0;
        for _ in 0..5 {
            of_program += run()?.cpu;
        }
        let of_server = self.cpu() - before;
        Ok(of_server / (of_server + of_program))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
