//! Limits of a host: requests in flight, and requests per second.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

/// Limits of the requests to each host (scheme, host and port): in flight, and per second.
///
/// Requests that have to wait are sent in the order in which they were made. A response counts as in flight until its body
/// is read to its end or dropped: a program that holds as many unread responses of one host as may be in flight, and
/// makes another request, gets an error after a minute ([`Error::is_saturated`](crate::Error::is_saturated)).
///
/// If a server signals that its own limit is reached (`X-RateLimit-Remaining` and `X-RateLimit-Reset`, or the same without
/// `X-`; 429 with `Retry-After`), all requests to it wait until then, up to [`max_pause`](Self::max_pause).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Limits {
    in_flight: Option<NonZeroU32>,
    per_second: Option<NonZeroU32>,
    /// The number of clients that have these requests per second together.
    sharers: NonZeroU32,
    max_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self::none().in_flight(16).per_second(40).max_pause(Duration::from_secs(30))
    }
}

impl Limits {
    /// Returns no limits, for a server of your own.
    pub fn none() -> Self {
        Self { in_flight: None, per_second: None, sharers: NonZeroU32::MIN, max_pause: Duration::ZERO }
    }

    /// Sets the number of requests that may be in flight to a host; `None` for any number. The default is 16.
    pub fn in_flight(mut self, requests: impl Into<Option<u32>>) -> Self {
        self.in_flight = requests.into().map(at_least_one);
        self
    }

    /// Sets the number of requests per second to a host; `None` for any number. The default is 40. After a second without
    /// requests, as many may be sent at once.
    pub fn per_second(mut self, requests: impl Into<Option<u32>>) -> Self {
        self.per_second = requests.into().map(at_least_one);
        self
    }

    /// Sets the longest pause that a server can ask for. The default is 30 seconds.
    pub fn max_pause(mut self, limit: Duration) -> Self {
        self.max_pause = limit;
        self
    }

    /// Returns the share of one of several clients, so that all together keep these limits: processes or machines that
    /// send requests to the same hosts. Each may have one request in flight, however many they are.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use datagouv::{Client, Limits};
    ///
    /// # fn main() -> datagouv::Result<()> {
    /// let share = Limits::default().shared_among(NonZeroU32::new(3).unwrap());
    /// let client = Client::builder().limits(share).build()?;
    /// # let _ = client;
    /// # Ok(())
    /// # }
    /// ```
    pub fn shared_among(mut self, clients: NonZeroU32) -> Self {
        self.in_flight = self.in_flight.map(|requests| at_least_one(requests.get() / clients.get()));
        self.sharers = self.sharers.saturating_mul(clients);
        self
    }
}

fn at_least_one(requests: u32) -> NonZeroU32 {
    NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN)
}

/// After this time without a free permit it is checked whether all are held by unread responses.
const PATIENCE: Duration = Duration::from_secs(60);

/// After a pause, as many requests may be sent at once as the rate allows in this time.
const BURST: Duration = Duration::from_secs(1);

/// The concurrency limiter and the rate limiter of a host.
#[derive(Debug)]
pub(super) struct HostLimiter {
    limits: Limits,
    permits: Option<Arc<Semaphore>>,
    /// The number of permits that are held by responses whose body is not read yet.
    unread: AtomicUsize,
    /// When a permit was released or a response body was read from.
    last_progress: Mutex<Instant>,
    /// When the next request may be sent. A waiting request holds the lock, so that all are sent in order, and one that is
    /// dropped takes nothing.
    next: tokio::sync::Mutex<Instant>,
    paused_until: Mutex<Option<Instant>>,
}

/// The right to have a request in flight.
#[derive(Debug)]
pub(super) struct Permit {
    limiter: Arc<HostLimiter>,
    permit: Option<OwnedSemaphorePermit>,
    unread: bool,
}

/// All permits are held by unread responses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Saturated;

impl HostLimiter {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            permits: limits.in_flight.map(|permits| Arc::new(Semaphore::new(permits.get() as usize))),
            limits,
            unread: AtomicUsize::new(0),
            last_progress: Mutex::new(now),
            next: tokio::sync::Mutex::new(now.checked_sub(BURST).unwrap_or(now)),
            paused_until: Mutex::new(None),
        })
    }

    /// Acquires a permit.
    pub(super) async fn acquire(self: &Arc<Self>) -> Result<Permit, Saturated> {
        let Some(permits) = &self.permits else {
            return Ok(Permit { limiter: Arc::clone(self), permit: None, unread: false });
        };
        let permit = match Arc::clone(permits).try_acquire_owned() {
            Ok(permit) => Some(permit),
            // Boxed: most calls find a free permit, and need no room for the wait.
            Err(_) => Box::pin(self.wait(permits)).await?,
        };
        Ok(Permit { limiter: Arc::clone(self), permit, unread: false })
    }

    /// Waits for a permit, as long as one may become free.
    async fn wait(&self, permits: &Arc<Semaphore>) -> Result<Option<OwnedSemaphorePermit>, Saturated> {
        let mut free = std::pin::pin!(Arc::clone(permits).acquire_owned());
        loop {
            match timeout(PATIENCE, &mut free).await {
                Ok(permit) => return Ok(permit.ok()),
                Err(_) if self.is_saturated() => return Err(Saturated),
                Err(_) => {}
            }
        }
    }

    fn is_saturated(&self) -> bool {
        let permits = self.limits.in_flight.map_or(u32::MAX, NonZeroU32::get) as usize;
        let last_progress = *self.last_progress.lock().unwrap_or_else(PoisonError::into_inner);
        self.unread.load(Ordering::Relaxed) >= permits && last_progress.elapsed() >= PATIENCE
    }

    /// Waits until the rate allows another request.
    pub(super) async fn wait_for_rate(&self) {
        loop {
            let paused = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
            match paused {
                Some(until) if until > Instant::now() => sleep_until(until).await,
                _ => break,
            }
        }
        let Some(per_second) = self.limits.per_second else { return };
        let mut next = self.next.lock().await;
        sleep_until(*next).await;
        let now = Instant::now();
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        *next = (*next).max(earliest) + Duration::from_secs(1) * self.limits.sharers.get() / per_second.get();
    }

    /// Delays all requests, as the server requires.
    pub(super) fn pause(&self, time: Duration) {
        let Some(until) = Instant::now().checked_add(time.min(self.limits.max_pause)) else { return };
        let mut paused = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paused = Some(paused.map_or(until, |paused| paused.max(until)));
    }

    fn record_progress(&self) {
        *self.last_progress.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Permit {
    /// Called when the response head has arrived: from then on the body is up to the caller.
    pub(super) fn mark_unread(&mut self) {
        if !std::mem::replace(&mut self.unread, true) {
            self.limiter.unread.fetch_add(1, Ordering::Relaxed);
        }
        self.limiter.record_progress();
    }

    /// Called when some of the body was read.
    pub(super) fn mark_read(&self) {
        self.limiter.record_progress();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.unread {
            self.limiter.unread.fetch_sub(1, Ordering::Relaxed);
        }
        self.limiter.record_progress();
        drop(self.permit.take());
    }
}

/// Returns how long the server's own limit allows no request, if its headers have it.
pub(super) fn rate_limited_for(headers: &HeaderMap) -> Option<Duration> {
    const REMAINING: [HeaderName; 2] =
        [HeaderName::from_static("x-ratelimit-remaining"), HeaderName::from_static("ratelimit-remaining")];
    const RESET: [HeaderName; 2] =
        [HeaderName::from_static("x-ratelimit-reset"), HeaderName::from_static("ratelimit-reset")];
    // A scan: most responses have neither header, and a lookup by name takes longer.
    let number = |names: [HeaderName; 2]| -> Option<u64> {
        headers.iter().find(|(name, _)| names.contains(name))?.1.to_str().ok()?.trim().parse().ok()
    };
    if number(REMAINING)? > 0 {
        return None;
    }
    let reset = Duration::from_secs(number(RESET)?);
    // Some servers give the seconds that are left, some the seconds since 1970.
    let decades = Duration::from_secs(1_000_000_000);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(if reset < decades { reset } else { reset.saturating_sub(now) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn requests_in_flight_do_not_exceed_the_permits() {
        let limiter = HostLimiter::new(Limits::none().in_flight(2));
        let (first, _second) = (limiter.acquire().await.unwrap(), limiter.acquire().await.unwrap());
        let third = tokio::spawn({
            let limiter = Arc::clone(&limiter);
            async move { limiter.acquire().await.is_ok() }
        });
        tokio::time::sleep(100 * SECOND).await;
        assert!(!third.is_finished());
        drop(first);
        assert!(third.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_wait_takes_no_permit_and_no_turn() {
        let limiter = HostLimiter::new(Limits::none().in_flight(1).per_second(1));
        let permit = limiter.acquire().await.unwrap();
        limiter.wait_for_rate().await;
        for _ in 0..100 {
            assert!(timeout(SECOND / 100, limiter.acquire()).await.is_err());
        }
        drop(permit);
        let began = Instant::now();
        let _place = limiter.acquire().await.unwrap();
        for _ in 0..20 {
            let _ = timeout(SECOND / 1000, limiter.wait_for_rate()).await;
        }
        limiter.wait_for_rate().await;
        assert!(began.elapsed() <= SECOND, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_paced_and_fair() {
        let limiter = HostLimiter::new(Limits::none().per_second(10));
        let order = Arc::new(Mutex::new(Vec::new()));
        let began = Instant::now();
        let tasks: Vec<_> = (0..50)
            .map(|task| {
                let (limiter, order) = (Arc::clone(&limiter), Arc::clone(&order));
                tokio::spawn(async move {
                    limiter.wait_for_rate().await;
                    order.lock().unwrap().push((task, began.elapsed()));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let order = order.lock().unwrap();
        assert!(order.iter().map(|(task, _)| *task).eq(0..50));
        for (n, (_, elapsed)) in order.iter().enumerate() {
            let within = order.iter().filter(|(_, other)| *other <= *elapsed && *elapsed - *other < SECOND).count();
            assert!(within <= 21, "{within} within the second before request {n}");
        }
        assert!(order[49].1 >= 3 * SECOND, "{:?}", order[49].1);
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_share_limits_keep_them_together() {
        let whole = Limits::none().in_flight(7).per_second(5);
        let clients = NonZeroU32::new(3).unwrap();
        let share = whole.clone().shared_among(clients);
        assert_eq!(share.in_flight, NonZeroU32::new(2));
        let began = Instant::now();
        let mut sent = Vec::new();
        for _ in 0..clients.get() {
            let limiter = HostLimiter::new(share.clone());
            sent.push(tokio::spawn(async move {
                let mut count = 0;
                while began.elapsed() < 30 * SECOND {
                    limiter.wait_for_rate().await;
                    count += 1;
                }
                count
            }));
        }
        let mut total = 0;
        for task in sent {
            total += task.await.unwrap();
        }
        // 5 per second, the requests of the first second, and those that waited at the end.
        assert!((150..=150 + 5 + 2 * 3).contains(&total), "{total}");
        assert_eq!(share.clone().shared_among(clients).in_flight, NonZeroU32::new(1));
        let sent = serde_json::to_value(&share).unwrap();
        assert_eq!(serde_json::from_value::<Limits>(sent.clone()).unwrap(), share);
        let mut wrong = sent;
        wrong["per_second"] = 0.into();
        assert!(serde_json::from_value::<Limits>(wrong).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn unread_responses_are_an_error_and_not_a_deadlock() {
        let limiter = HostLimiter::new(Limits::none().in_flight(1));
        let mut permit = limiter.acquire().await.unwrap();
        permit.mark_unread();
        assert_eq!(limiter.acquire().await.unwrap_err(), Saturated);
        let reader = async {
            for _ in 0..20 {
                tokio::time::sleep(10 * SECOND).await;
                permit.mark_read();
            }
            drop(permit);
        };
        let (got, ()) = tokio::join!(limiter.acquire(), reader);
        assert!(got.is_ok());
        assert_eq!(limiter.unread.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_server_is_not_taken_for_unread_responses() {
        let limiter = HostLimiter::new(Limits::none().in_flight(1));
        let permit = limiter.acquire().await.unwrap();
        let waits = async {
            tokio::time::sleep(10 * PATIENCE).await;
            drop(permit);
        };
        let (got, ()) = tokio::join!(limiter.acquire(), waits);
        assert!(got.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_can_delay_all_requests_up_to_a_limit() {
        let limiter = HostLimiter::new(Limits::default().max_pause(20 * SECOND));
        let began = Instant::now();
        limiter.pause(5 * SECOND);
        limiter.pause(2 * SECOND);
        limiter.wait_for_rate().await;
        assert_eq!(began.elapsed().as_secs(), 5);
        limiter.pause(Duration::MAX);
        limiter.wait_for_rate().await;
        assert_eq!(began.elapsed().as_secs(), 25);
    }

    #[test]
    fn rate_limit_headers_are_parsed() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let wait = |pairs: &[(&'static str, String)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()))
                .collect();
            rate_limited_for(&headers).map(|time| time.as_secs())
        };
        let (left, reset) = ("x-ratelimit-remaining", "x-ratelimit-reset");
        assert_eq!(wait(&[(left, "0".into()), (reset, "12".into())]), Some(12));
        let until = wait(&[(left, "0".into()), (reset, (now + 60).to_string())]).unwrap();
        assert!((50..=60).contains(&until), "{until}");
        assert_eq!(wait(&[(left, "0".into()), (reset, (now - 60).to_string())]), Some(0));
        assert_eq!(wait(&[("ratelimit-remaining", "0".into()), ("ratelimit-reset", "3".into())]), Some(3));
        assert_eq!(wait(&[(left, "1".into()), (reset, "12".into())]), None);
        assert_eq!(wait(&[(left, "0".into())]), None);
        assert_eq!(wait(&[(left, "none".into()), (reset, "12".into())]), None);
    }
}
