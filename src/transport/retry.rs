//! Which requests are retried, and after what delay.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};

/// Retries of failed requests.
///
/// Retried are requests that are idempotent by HTTP's definition (GET, HEAD, OPTIONS, PUT, DELETE;
/// [`Operation::is_idempotent`](crate::Operation::is_idempotent) has the exceptions), and those that the caller marks
/// with [`Call::repeatable`](crate::Call::repeatable). Other POST and PATCH requests are sent once, and so are requests
/// whose body is a stream.
///
/// They are retried after connection failures, time limits, and the statuses 408, 429, 502, 503 and 504; reads after 500
/// as well. A response that is read whole (JSON) is requested again if its body breaks off or stalls.
///
/// The delay before an attempt is random, between zero and a limit that doubles each time (exponential backoff with full
/// jitter), and not shorter than `Retry-After`. If `Retry-After` is longer than
/// [`max_retry_after`](Self::max_retry_after), the call fails at once.
///
/// A DELETE whose response was lost may fail with 404 or 410 when it is retried;
/// [`Error::attempts`](crate::Error::attempts) returns the number.
///
/// ```
/// # fn main() -> datagouv::Result<()> {
/// use std::time::Duration;
/// use datagouv::{Client, RetryPolicy};
///
/// let patient = RetryPolicy::default().attempts(5).max_retry_after(Duration::from_secs(120));
/// let client = Client::builder().retries(patient).build()?;
/// let at_once = Client::builder().retries(RetryPolicy::none()).build()?;
/// # let _ = (client, at_once);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    attempts: u32,
    base_delay: Duration,
    max_delay: Duration,
    max_retry_after: Duration,
    deadline: Option<Duration>,
    budget: Option<u32>,
    at_once: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(20),
            max_retry_after: Duration::from_secs(30),
            deadline: Some(Duration::from_secs(180)),
            budget: Some(500),
            at_once: false,
        }
    }
}

impl RetryPolicy {
    /// Returns a policy without retries.
    pub fn none() -> Self {
        Self::default().attempts(1)
    }

    /// Sets the maximum number of attempts, the first included. The default is 3.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets the limit of the random delay before the second attempt, which doubles for each further one. The default is
    /// 500 ms.
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// Sets the maximum of that limit. The default is 20 seconds.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Sets the longest `Retry-After` that is honoured. The default is 30 seconds. If the server requires more, the call
    /// fails at once ([`Error::retry_after`](crate::Error::retry_after)).
    pub fn max_retry_after(mut self, delay: Duration) -> Self {
        self.max_retry_after = delay;
        self
    }

    /// Sets the time after which no attempt of a call begins. The default is three minutes.
    pub fn deadline(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.deadline = limit.into();
        self
    }

    /// Sets the number of tokens in the retry budget of each host; `None` for no budget. The default is 500.
    ///
    /// A retry takes 5 tokens (10 after a timeout) and returns them if it succeeds; a first attempt that succeeds adds
    /// one. Single failures are therefore always retried, while an outage soon ends all retries of the client
    /// ([`Error::retry_budget_exhausted`](crate::Error::retry_budget_exhausted)).
    pub fn budget(mut self, tokens: impl Into<Option<u32>>) -> Self {
        self.budget = tokens.into();
        self
    }

    /// Sets whether retries are made without any delay, for tests. The default is `false`.
    ///
    /// Everything else stays: whether a request is retried, how often, and that a `Retry-After` that is longer than
    /// [`max_retry_after`](Self::max_retry_after) makes the call fail.
    pub fn at_once(mut self, at_once: bool) -> Self {
        self.at_once = at_once;
        self
    }

    pub(super) fn tokens(&self) -> Option<u32> {
        self.budget
    }

    /// Returns the delay before the next attempt, if there is one: `made` attempts were made in `elapsed`, the server requires
    /// a delay of `retry_after`, and `random` is between 0 and 1.
    pub(super) fn delay(
        &self,
        made: u32,
        elapsed: Duration,
        retry_after: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        if made >= self.attempts {
            return None;
        }
        let delay = match retry_after {
            Some(retry_after) if retry_after > self.max_retry_after => return None,
            // Clients that got the same `Retry-After` should not retry at the same moment.
            Some(retry_after) => retry_after.saturating_add(self.base_delay.mul_f64(random)),
            None => {
                let limit = self.base_delay.saturating_mul(2_u32.saturating_pow(made.saturating_sub(1)));
                limit.min(self.max_delay).mul_f64(random)
            }
        };
        match self.deadline {
            Some(deadline) if elapsed.saturating_add(delay) > deadline => None,
            _ if self.at_once => Some(Duration::ZERO),
            _ => Some(delay),
        }
    }

    /// Whether a delay that a server requires is honoured.
    pub(super) fn honours(&self, retry_after: Duration) -> bool {
        retry_after <= self.max_retry_after
    }
}

/// Whether a failed request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeatable {
    /// It is a read.
    Read,
    /// It is idempotent, or the caller marks it as repeatable.
    Write,
    Never,
}

impl Repeatable {
    pub(crate) fn of(method: &Method, said_so: bool) -> Self {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => Self::Read,
            Method::PUT | Method::DELETE => Self::Write,
            _ if said_so => Self::Write,
            _ => Self::Never,
        }
    }

    /// Whether a request is retried after this status.
    pub(crate) fn after(self, status: StatusCode) -> bool {
        match status.as_u16() {
            408 | 429 | 502 | 503 | 504 => self != Self::Never,
            500 => self == Self::Read,
            _ => false,
        }
    }
}

/// The delay that a server requires. A date is compared with the server's own clock if the response has it (`Date`).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds are a long time all the same.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let now = headers
        .get(DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
        .unwrap_or_else(SystemTime::now);
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_post_or_a_patch_is_never_repeated_unless_the_caller_says_so() {
        for method in [Method::POST, Method::PATCH] {
            assert_eq!(Repeatable::of(&method, false), Repeatable::Never);
            assert_eq!(Repeatable::of(&method, true), Repeatable::Write);
        }
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            assert_eq!(Repeatable::of(&method, false), Repeatable::Read);
        }
        for method in [Method::PUT, Method::DELETE] {
            assert_eq!(Repeatable::of(&method, false), Repeatable::Write);
        }
    }

    #[test]
    fn an_internal_error_is_retried_for_reads_only() {
        let after = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            [Repeatable::Read, Repeatable::Write, Repeatable::Never].map(|request| request.after(status))
        };
        assert_eq!(after(500), [true, false, false]);
        for status in [408, 429, 502, 503, 504] {
            assert_eq!(after(status), [true, true, false], "{status}");
        }
        for status in [400, 401, 403, 404, 409, 410, 416, 423, 424, 501, 505] {
            assert_eq!(after(status), [false; 3], "{status}");
        }
    }

    #[test]
    fn the_delay_is_random_below_a_limit_that_doubles() {
        let policy = RetryPolicy::default().attempts(9).base_delay(SECOND).max_delay(5 * SECOND);
        let longest: Vec<u64> =
            (1..6).map(|made| policy.delay(made, Duration::ZERO, None, 1.0).unwrap().as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 5, 5]);
        assert_eq!(policy.delay(3, Duration::ZERO, None, 0.0), Some(Duration::ZERO));
        assert_eq!(policy.delay(3, Duration::ZERO, None, 0.5), Some(2 * SECOND));
        assert_eq!(policy.attempts(100).delay(90, Duration::ZERO, None, 1.0), Some(5 * SECOND));
    }

    #[test]
    fn immediate_retries_keep_the_other_limits() {
        let policy = RetryPolicy::default().max_retry_after(10 * SECOND).at_once(true);
        assert_eq!(policy.delay(1, SECOND, None, 1.0), Some(Duration::ZERO));
        assert_eq!(policy.delay(1, SECOND, Some(4 * SECOND), 1.0), Some(Duration::ZERO));
        assert_eq!(policy.delay(1, SECOND, Some(11 * SECOND), 0.0), None);
        assert_eq!(policy.delay(3, SECOND, None, 0.0), None);
    }

    #[test]
    fn attempts_and_the_deadline_end_retries() {
        let policy = RetryPolicy::default().base_delay(SECOND).deadline(10 * SECOND);
        assert_eq!(policy.delay(2, 8 * SECOND, None, 1.0), Some(2 * SECOND));
        assert_eq!(policy.delay(2, 9 * SECOND, None, 1.0), None);
        assert_eq!(policy.delay(3, SECOND, None, 0.0), None);
        assert_eq!(RetryPolicy::none().delay(1, SECOND, None, 0.0), None);
    }

    #[test]
    fn retry_after_is_the_minimum_delay_up_to_a_limit() {
        let policy = RetryPolicy::default().base_delay(SECOND).max_retry_after(10 * SECOND);
        assert_eq!(policy.delay(1, SECOND, Some(4 * SECOND), 0.0), Some(4 * SECOND));
        assert_eq!(policy.delay(1, SECOND, Some(4 * SECOND), 1.0), Some(5 * SECOND));
        assert_eq!(policy.delay(1, SECOND, Some(11 * SECOND), 0.0), None);
        assert_eq!(policy.delay(1, SECOND, Some(Duration::MAX), 1.0), None);
    }

    #[test]
    fn retry_after_is_seconds_or_any_form_of_a_date() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            ("Sun Nov  6 08:49:38 1994", Some(1)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("99999999999999999999999999", Some(u64::from(u32::MAX))),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let headers = headers(&[date, ("retry-after", value)]);
            assert_eq!(retry_after(&headers), seconds.map(Duration::from_secs), "{value:?}");
        }
        assert_eq!(retry_after(&headers(&[date])), None);
    }

    #[test]
    fn a_date_without_the_servers_clock_is_compared_with_ours() {
        let in_a_minute = httpdate::fmt_http_date(SystemTime::now() + 60 * SECOND);
        let retry_after = retry_after(&headers(&[("retry-after", &in_a_minute)])).unwrap();
        assert!(retry_after > 30 * SECOND && retry_after <= 60 * SECOND, "{retry_after:?}");
    }
}
