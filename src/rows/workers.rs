//! Decodes blocks beside the thread that polls their stream.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use tokio::sync::oneshot;

use crate::{Error, Result};

/// Blocks of fewer bytes are decoded where their stream is polled: another thread would take longer to begin.
pub(super) const SMALL_BLOCK: usize = 32 << 10;

/// The number of processors that the program may use.
pub(super) fn processors() -> usize {
    available_parallelism().map_or(1, NonZeroUsize::get)
}

/// A limited number of tokio's threads for blocking work. More threads than processors would slow down the thread that polls,
/// which all others wait for.
#[derive(Debug)]
pub(super) struct Workers {
    most: usize,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    jobs: VecDeque<Box<dyn FnOnce() + Send>>,
    /// The number of threads that take jobs.
    running: usize,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("jobs", &self.jobs.len()).field("running", &self.running).finish()
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Workers {
    /// At most so many threads.
    pub(super) fn new(most: usize) -> Self {
        Self { most, shared: Arc::default() }
    }

    /// Decodes, once all that was given before has begun. If the result is no longer awaited by then, nothing is done.
    ///
    /// # Errors
    ///
    /// If the decoding panics, or the runtime ends.
    pub(super) fn decode<T: Send + 'static>(
        &self,
        decode: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send + 'static {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move || {
            if !sender.is_closed() {
                let _ = sender.send(decode());
            }
        });
        let mut shared = lock(&self.shared);
        shared.jobs.push_back(job);
        if shared.running < self.most {
            shared.running += 1;
            let shared = Arc::clone(&self.shared);
            tokio::task::spawn_blocking(move || work(&shared));
        }
        async {
            receiver.await.map_err(|_| Error::unreadable("the rows were not decoded: the decoding was interrupted"))
        }
    }
}

/// Does all jobs.
fn work(shared: &Mutex<Shared>) {
    loop {
        let mut locked = lock(shared);
        let Some(job) = locked.jobs.pop_front() else {
            locked.running -= 1;
            return;
        };
        drop(locked);
        // Its result is an error then, and the jobs behind it are done nevertheless.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn no_more_threads_work_than_are_allowed_and_all_jobs_are_done() {
        let workers = Workers::new(2);
        let (working, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs: Vec<_> = (0..50)
            .map(|number| {
                let (working, most) = (Arc::clone(&working), Arc::clone(&most));
                workers.decode(move || {
                    most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    working.fetch_sub(1, Ordering::SeqCst);
                    number
                })
            })
            .collect();
        for (number, job) in jobs.into_iter().enumerate() {
            assert_eq!(job.await.unwrap(), number);
        }
        assert!(most.load(Ordering::SeqCst) <= 2);
        assert_eq!(workers.decode(|| 1).await.unwrap(), 1, "a thread is begun anew");
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_next_jobs_are_done() {
        let workers = Workers::new(1);
        let (first, second) = (workers.decode(|| panic!("of a test")), workers.decode(|| 2));
        let error: Result<u8> = first.await;
        assert!(error.unwrap_err().to_string().contains("the rows were not decoded"));
        assert_eq!(second.await.unwrap(), 2);
    }

    #[tokio::test]
    async fn what_is_no_longer_awaited_is_not_done() {
        let workers = Workers::new(1);
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let first = workers.decode(move || blocked.recv());
        let done = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&done);
        drop(workers.decode(move || count.fetch_add(1, Ordering::SeqCst)));
        release.send(()).unwrap();
        first.await.unwrap().unwrap();
        workers.decode(|| ()).await.unwrap();
        assert_eq!(done.load(Ordering::SeqCst), 0);
    }
}
