//! Progress of transfers.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The progress of an upload, a download, a mirror, or of the reading of a file: the same for all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The number of bytes transferred so far. It decreases if a transfer starts over.
    pub bytes: u64,
    /// The total number of bytes, if known.
    pub total: Option<u64>,
    /// The number of files that are finished.
    pub files: u64,
    /// The total number of files, if known.
    pub total_files: Option<u64>,
    /// The bytes per second since the beginning; `None` at the beginning.
    pub rate: Option<f64>,
    /// How long the rest takes at this rate, if the total number of bytes or of files is known.
    pub eta: Option<Duration>,
}

/// Measures the rate of a transfer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    begun: Instant,
}

impl Rate {
    pub(crate) fn start() -> Self {
        Self { begun: Instant::now() }
    }

    /// The progress with its rate, and the time that is left.
    pub(crate) fn of(self, bytes: u64, total: Option<u64>, files: u64, total_files: Option<u64>) -> Progress {
        let elapsed = self.begun.elapsed();
        let seconds = elapsed.as_secs_f64();
        let rate = (seconds > 0.0 && bytes > 0).then(|| bytes as f64 / seconds);
        let left = |done: u64, total: u64| {
            let share = total.saturating_sub(done) as f64 / done as f64;
            Duration::try_from_secs_f64(seconds * share).ok().filter(|_| done > 0 && seconds > 0.0)
        };
        let by_files = || left(files, total_files?);
        let eta = total.and_then(|total| left(bytes, total)).or_else(by_files);
        Progress { bytes, total, files, total_files, rate, eta }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(total) = self.total_files.filter(|total| *total > 1) {
            write!(f, "{} of {total} files, ", self.files)?;
        }
        match self.total {
            Some(total) => write!(f, "{} of {total} bytes", self.bytes),
            None => write!(f, "{} bytes", self.bytes),
        }
    }
}

/// The closure that receives the progress, if there is one.
#[derive(Clone, Default)]
pub(super) struct Listener(Option<Arc<Inner>>);

struct Inner {
    listener: Box<dyn Fn(Progress) + Send + Sync>,
    /// Measured from the first report.
    rate: Mutex<Option<Rate>>,
}

impl Listener {
    pub(super) fn new(listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Inner { listener: Box::new(listener), rate: Mutex::new(None) })))
    }

    pub(super) fn report(&self, bytes: u64, total: Option<u64>) {
        let Some(inner) = &self.0 else { return };
        let rate = {
            let mut rate = inner.rate.lock().unwrap_or_else(PoisonError::into_inner);
            // A transfer begins.
            if bytes == 0 {
                *rate = None;
            }
            *rate.get_or_insert_with(Rate::start)
        };
        (inner.listener)(rate.of(bytes, total, u64::from(total == Some(bytes)), Some(1)));
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Listener" } else { "None" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_remaining_time_follows_from_the_rate() {
        let rate = Rate::start();
        assert_eq!(rate.of(0, Some(100), 0, None), Progress { total: Some(100), ..Progress::default() });
        tokio::time::advance(Duration::from_secs(10)).await;
        let now = rate.of(25, Some(100), 0, None);
        assert_eq!((now.rate, now.eta), (Some(2.5), Some(Duration::from_secs(30))));
        let files = rate.of(25, None, 2, Some(4));
        assert_eq!(
            (files.eta, files.to_string()),
            (Some(Duration::from_secs(10)), "2 of 4 files, 25 bytes".to_owned())
        );
        assert_eq!(rate.of(25, None, 0, Some(4)).eta, None);
    }
}
