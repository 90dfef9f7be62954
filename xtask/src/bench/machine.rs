//! The machine that was measured on, and how busy it was.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

/// The machine at a time, or between two times.
#[derive(Debug)]
pub struct Machine {
    date: String,
    commit: String,
    processor: String,
    processors: usize,
    compiler: String,
    /// The mean number of processes that ran or waited to, over a minute; at the start and at the end.
    load: Vec<String>,
}

impl Machine {
    pub fn now() -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            commit: output_of("git", &["describe", "--always", "--dirty"]),
            processor: processor.map_or("unknown", |(_, name)| name).to_owned(),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            compiler: output_of("rustc", &["--version"]),
            load: load.split(' ').next().map(str::to_owned).into_iter().collect(),
        }
    }

    /// From then to now.
    #[must_use]
    pub fn since(mut self, then: &Self) -> Self {
        self.load.splice(..0, then.load.iter().cloned());
        self
    }

    pub fn text(&self) -> String {
        format!(
            "Measured on {} at {}, {}, on {} processors ({}); load at the start and at the end: {}.",
            self.date,
            self.commit,
            self.compiler,
            self.processors,
            self.processor,
            self.load.join(" and ")
        )
    }

    pub fn json(&self) -> Value {
        json!({
            "date": self.date, "commit": self.commit, "processor": self.processor, "processors": self.processors,
            "compiler": self.compiler, "load": self.load,
        })
    }
}

fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(crate::root()).output();
    output.map_or_else(|error| error.to_string(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
