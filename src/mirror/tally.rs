//! The progress of a mirror over all of its files.

use std::sync::{Arc, Mutex, PoisonError};

use crate::files::{Progress, Rate};

pub(super) type Listener = Arc<dyn Fn(&str, Progress) + Send + Sync>;

/// Counts the bytes and the files of a run.
#[derive(Clone)]
pub(super) struct Tally {
    listener: Option<Listener>,
    rate: Rate,
    total: u64,
    counted: Arc<Mutex<Counted>>,
}

#[derive(Default)]
struct Counted {
    bytes: u64,
    files: u64,
}

impl Tally {
    pub(super) fn new(listener: Option<Listener>, total: u64) -> Self {
        Self { listener, rate: Rate::start(), total, counted: Arc::default() }
    }

    /// Returns the listener of a file.
    pub(super) fn of_file(&self, path: String) -> impl Fn(Progress) + Send + Sync + 'static {
        let tally = self.clone();
        let seen = Mutex::new(0);
        move |progress: Progress| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            // A transfer that starts over counts anew what it had.
            let (before, now) = (std::mem::replace(&mut *seen, progress.bytes), progress.bytes);
            tally.count(&path, |counted| counted.bytes = counted.bytes.saturating_sub(before) + now);
        }
    }

    pub(super) fn finished(&self, path: &str) {
        self.count(path, |counted| counted.files += 1);
    }

    fn count(&self, path: &str, count: impl FnOnce(&mut Counted)) {
        let Some(listener) = &self.listener else { return };
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        count(&mut counted);
        listener(path, self.rate.of(counted.bytes, None, counted.files, Some(self.total)));
    }
}
