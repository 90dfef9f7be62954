//! The progress of several files together.

use std::borrow::Borrow;
use std::sync::{Arc, Mutex, PoisonError};

use super::progress::{Progress, Rate};

/// A closure that receives a file, and the progress of all.
pub(crate) type TallyListener<File> = Arc<dyn Fn(&File, Progress) + Send + Sync>;

/// Counts the bytes and the files of several transfers.
pub(crate) struct Tally<File: ?Sized> {
    listener: Option<TallyListener<File>>,
    rate: Rate,
    total: u64,
    counted: Arc<Mutex<Counted>>,
}

#[derive(Default)]
struct Counted {
    bytes: u64,
    files: u64,
}

impl<File: ?Sized> Clone for Tally<File> {
    fn clone(&self) -> Self {
        let Self { listener, rate, total, counted } = self;
        Self { listener: listener.clone(), rate: *rate, total: *total, counted: Arc::clone(counted) }
    }
}

impl<File: ?Sized + 'static> Tally<File> {
    pub(crate) fn new(listener: Option<TallyListener<File>>, total: u64) -> Self {
        Self { listener, rate: Rate::start(), total, counted: Arc::default() }
    }

    /// Returns the listener of a file.
    pub(crate) fn of_file(
        &self,
        file: impl Borrow<File> + Send + Sync + 'static,
    ) -> impl Fn(Progress) + Send + Sync + 'static {
        let tally = self.clone();
        let seen = Mutex::new(0);
        move |progress: Progress| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            // A transfer that starts over counts anew what it had.
            let (before, now) = (std::mem::replace(&mut *seen, progress.bytes), progress.bytes);
            tally.count(file.borrow(), |counted| counted.bytes = counted.bytes.saturating_sub(before) + now);
        }
    }

    pub(crate) fn finished(&self, file: &File) {
        self.count(file, |counted| counted.files += 1);
    }

    fn count(&self, file: &File, count: impl FnOnce(&mut Counted)) {
        let Some(listener) = &self.listener else { return };
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        count(&mut counted);
        listener(file, self.rate.of(counted.bytes, None, counted.files, Some(self.total)));
    }
}
