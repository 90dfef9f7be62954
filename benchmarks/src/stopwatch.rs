//! What a part of a program takes.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::Outcome;

/// A part of the program that has begun.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: f64,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu() }
    }

    /// The seconds since the start, and those of all processors in this process.
    pub(crate) fn stop(&self) -> (f64, f64) {
        (self.wall.elapsed().as_secs_f64(), cpu() - self.cpu)
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The memory of the program.
pub(crate) struct Memory {
    idle: u64,
}

impl Memory {
    /// What it holds now, before its work.
    pub(crate) fn idle() -> Outcome<Self> {
        Ok(Self { idle: status("VmRSS:")? })
    }

    /// How much more it held at most, in bytes.
    pub(crate) fn grown(&self) -> Outcome<u64> {
        Ok(status("VmHWM:")?.saturating_sub(self.idle))
    }
}

/// A line of the system's account of this process (proc(5)), in bytes.
fn status(name: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("the system tells no memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
