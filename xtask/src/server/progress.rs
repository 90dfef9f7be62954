//! The progress that a command prints: each step, and how long it took.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The two halves of a start, which are timed separately.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Packages of Debian and Python.
    Install,
    /// Everything else.
    Start,
}

/// Prints the steps of a command.
pub struct Progress {
    begun: Instant,
    installed: Mutex<Duration>,
}

impl Progress {
    pub fn new() -> Self {
        Self { begun: Instant::now(), installed: Mutex::default() }
    }

    /// Prints that a step begins; [`Step::done`] prints that it ended.
    pub fn step(&self, name: &str) -> Step {
        println!("{name} ...");
        Step { name: name.to_owned(), begun: Instant::now() }
    }

    /// Counts the time from the beginning until now as that of the installation.
    pub fn end_of_installation(&self) {
        if let Ok(mut installed) = self.installed.lock() {
            *installed = self.begun.elapsed();
        }
    }

    /// The seconds of a phase.
    pub fn seconds(&self, phase: Phase) -> f64 {
        let installed = self.installed.lock().map_or(Duration::ZERO, |installed| *installed);
        match phase {
            Phase::Install => installed,
            Phase::Start => self.begun.elapsed().saturating_sub(installed),
        }
        .as_secs_f64()
    }
}

/// A step under way.
pub struct Step {
    name: String,
    begun: Instant,
}

impl Step {
    pub fn done(self, outcome: &str) {
        println!("{}: {outcome} ({:.1} s)", self.name, self.begun.elapsed().as_secs_f64());
    }
}
