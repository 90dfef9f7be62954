//! Waiting for background work of the platform.

use std::time::Duration;

use tokio::time::Instant;

use crate::{Error, Result};

/// How to wait for background work of the platform: how often to poll, and for how long.
///
/// The first pause is one second by default; each further pause is half as long again, up to the longest. Waiting only
/// reads, so that it can be dropped and started again at any time.
///
/// ```
/// use std::time::Duration;
/// use datagouv::objects::Wait;
///
/// let hour = Duration::from_secs(3600);
/// let patient = Wait::up_to(hour).longest_pause(Duration::from_secs(60));
/// # let _ = patient;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    deadline: Duration,
    first: Duration,
    longest: Duration,
}

impl Default for Wait {
    /// Waits for up to ten minutes, with pauses from 1 to 30 seconds.
    fn default() -> Self {
        Self::up_to(Duration::from_secs(600))
    }
}

impl Wait {
    /// Waits for up to `deadline`, with pauses from 1 to 30 seconds. The last poll is made when the deadline passes.
    #[must_use]
    pub fn up_to(deadline: Duration) -> Self {
        Self { deadline, first: Duration::from_secs(1), longest: Duration::from_secs(30) }
    }

    /// Sets the first pause. Default: 1 second.
    #[must_use]
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first = pause;
        self
    }

    /// Sets the longest pause. Default: 30 seconds.
    #[must_use]
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest = pause;
        self
    }

    pub(super) fn start(self) -> Poller {
        Poller { wait: self, started: Instant::now(), pause: self.first.max(SHORTEST).min(self.longest.max(SHORTEST)) }
    }
}

/// A shorter pause would flood the server with requests.
const SHORTEST: Duration = Duration::from_millis(10);

/// A wait that has begun.
pub(super) struct Poller {
    wait: Wait,
    started: Instant,
    pause: Duration,
}

impl Poller {
    /// Waits until the next poll, or returns the error of the deadline.
    pub(super) async fn pause(&mut self, state: impl FnOnce() -> String) -> Result<()> {
        let left = self.wait.deadline.saturating_sub(self.started.elapsed());
        if left.is_zero() {
            return Err(Error::deadline(format!("{} after {:?}", state(), self.wait.deadline)));
        }
        tokio::time::sleep(self.pause.min(left)).await;
        self.pause = (self.pause + self.pause / 2).min(self.wait.longest.max(SHORTEST));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_the_longest_and_end_at_the_deadline() {
        let mut poller = Wait::up_to(Duration::from_secs(20)).longest_pause(Duration::from_secs(4)).start();
        let begun = Instant::now();
        let mut looks = Vec::new();
        let error = loop {
            looks.push(begun.elapsed().as_secs_f64().round() as u64);
            if let Err(error) = poller.pause(|| "it is still `pending`".to_owned()).await {
                break error;
            }
        };
        // 1, 1.5, 2.25, 3.375, 4, 4 and what is left of the 20 seconds.
        assert_eq!(looks, [0, 1, 3, 5, 8, 12, 16, 20]);
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(error.to_string(), "it is still `pending` after 20s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_of_zero_does_not_send_requests_in_a_loop() {
        let mut poller =
            Wait::up_to(Duration::from_secs(1)).first_pause(Duration::ZERO).longest_pause(Duration::ZERO).start();
        let mut looks = 0;
        while poller.pause(String::new).await.is_ok() {
            looks += 1;
        }
        assert_eq!(looks, 100);
    }
}
