//! Time and memory of a part of a program.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::Outcome;

/// Measures wall and CPU time.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: f64,
    thread: f64,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu(ClockId::ProcessCPUTime), thread: cpu(ClockId::ThreadCPUTime) }
    }

    /// The wall seconds since the start, and the CPU seconds of this process.
    pub(crate) fn stop(&self) -> (f64, f64) {
        (self.wall.elapsed().as_secs_f64(), cpu(ClockId::ProcessCPUTime) - self.cpu)
    }

    /// The CPU seconds of this thread since the start, which other processors cannot shorten.
    pub(crate) fn of_thread(&self) -> f64 {
        cpu(ClockId::ThreadCPUTime) - self.thread
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
fn cpu(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The memory of the program.
pub(crate) struct Memory {
    idle: u64,
}

impl Memory {
    /// Records the resident memory before the work.
    pub(crate) fn idle() -> Outcome<Self> {
        Ok(Self { idle: status("VmRSS:")? })
    }

    /// The peak above the recorded memory, in bytes.
    pub(crate) fn grown(&self) -> Outcome<u64> {
        Ok(status("VmHWM:")?.saturating_sub(self.idle))
    }
}

/// A value of `/proc/self/status`, in bytes.
fn status(name: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix(name)).ok_or("/proc/self/status has no memory usage")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
