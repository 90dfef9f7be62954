//! Bars on a terminal, and lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;

use datagouv::files::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// Shows the progress of a transfer.
pub struct Bar {
    bar: Option<ProgressBar>,
    /// The last tenth, or ten megabytes, that a line was printed for.
    printed: Mutex<u64>,
}

impl Bar {
    /// Begins a bar.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::no_length();
            let template = "{bar:30} {msg}";
            bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, printed: Mutex::new(0) }
    }

    /// Shows the progress, with a name before it.
    pub fn show(&self, name: &str, now: Progress) {
        let rate = now.rate.map(|rate| format!(", {:.1} MB/s", rate / 1e6)).unwrap_or_default();
        let left = now.eta.map(|left| format!(", {} s left", left.as_secs())).unwrap_or_default();
        let text = format!("{name}: {now}{rate}{left}");
        let of_files = now.total_files.filter(|total| *total > 1).map(|total| (now.files, total));
        let (done, total) = of_files.unwrap_or((now.bytes, now.total.unwrap_or(0)));
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            bar.set_message(text);
            return;
        }
        let step = (done * 10).checked_div(total).unwrap_or(done / 10_000_000);
        if let Ok(mut printed) = self.printed.lock()
            && step > *printed
        {
            *printed = step;
            eprintln!("{text}");
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
