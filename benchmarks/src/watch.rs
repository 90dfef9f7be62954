//! What a part of a program takes.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// A part of the program that has begun.
pub(crate) struct Watch {
    wall: Instant,
    cpu: f64,
}

impl Watch {
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
