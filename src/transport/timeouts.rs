//! Time limits: of connecting, of the response head, of a stalled body, of a whole call.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use reqwest::{Body, Request};
use tokio::time::{Instant, sleep};

/// Time limits of a client.
///
/// ```
/// # fn main() -> datagouv::Result<()> {
/// use std::time::Duration;
/// use datagouv::{Client, Timeouts};
///
/// let timeouts = Timeouts::default().connect(Duration::from_secs(3)).call(Duration::from_secs(300));
/// let client = Client::builder().timeouts(timeouts).build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Timeouts {
    pub(crate) connect: Duration,
    pub(super) head: Duration,
    pub(super) idle: Duration,
    pub(super) call: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            head: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            call: None,
        }
    }
}

impl Timeouts {
    /// Sets the time limit for connecting, the TLS handshake included. The default is 10 seconds.
    pub fn connect(mut self, limit: Duration) -> Self {
        self.connect = limit;
        self
    }

    /// Sets the time limit for the response head (status and headers), counted from the end of the request. While the
    /// request body is sent, it is the limit for the time in which the connection takes no byte of it. The default is 60
    /// seconds.
    pub fn head(mut self, limit: Duration) -> Self {
        self.head = limit;
        self
    }

    /// Sets the time limit for silence within a response body. The default is 60 seconds. A body that is slow but makes
    /// progress is not an error; time in which the caller does not read does not count.
    pub fn idle(mut self, limit: Duration) -> Self {
        self.idle = limit;
        self
    }

    /// Sets the time limit for a whole call: all attempts, the delays between them, and the response body, also if it is
    /// streamed. There is none by default, since files may be large.
    pub fn call(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.call = limit.into();
        self
    }
}

/// The deadline of a call, and the time limit that it comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    pub at: Instant,
    pub limit: Duration,
}

impl Deadline {
    /// Returns `None` if the limit is too large to be reached.
    pub(super) fn after(limit: Duration) -> Option<Self> {
        Instant::now().checked_add(limit).map(|at| Self { at, limit })
    }
}

/// The response head did not arrive in time.
#[derive(Debug)]
pub(super) struct Elapsed;

/// Watches when the connection last took bytes of a request body.
pub(super) struct SendWatch {
    began: Instant,
    /// Set for bodies that do not fit into the socket's buffers.
    last_progress: Option<LastProgress>,
}

type LastProgress = Arc<Mutex<Instant>>;

impl SendWatch {
    /// Wraps the request's body.
    pub(super) fn of(request: &mut Request) -> Self {
        let mut sending = Self { began: Instant::now(), last_progress: None };
        if let Some(body) = request.body_mut().take() {
            // What fits into the socket's buffers is sent as soon as it is begun.
            let body = match body.as_bytes() {
                Some(bytes) if bytes.len() <= PIECE => body,
                _ => {
                    let last_progress = sending.last_progress.insert(Arc::new(Mutex::new(sending.began)));
                    Body::wrap(WatchedBody { body, rest: Bytes::new(), last_progress: Arc::clone(last_progress) })
                }
            };
            *request.body_mut() = Some(body);
        }
        sending
    }

    fn last_progress(&self) -> Instant {
        self.last_progress
            .as_ref()
            .map_or(self.began, |last_progress| *last_progress.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for the response head until `limit` has passed since the request made progress.
    pub(super) async fn head<F: Future>(&self, response: F, limit: Duration) -> Result<F::Output, Elapsed> {
        let mut response = std::pin::pin!(response);
        loop {
            let last_progress = self.last_progress();
            let Some(until) = last_progress.checked_add(limit) else { return Ok(response.await) };
            match tokio::time::timeout_at(until, &mut response).await {
                Ok(response) => return Ok(response),
                Err(_) if self.last_progress() == last_progress => return Err(Elapsed),
                Err(_) => {}
            }
        }
    }
}

/// The most bytes that the connection takes at once.
const PIECE: usize = 64 * 1024;

/// A request body that records its progress.
struct WatchedBody {
    body: Body,
    rest: Bytes,
    last_progress: LastProgress,
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                other => return other,
            }
        }
        *self.last_progress.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let piece = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(piece);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper().and_then(|upper| upper.checked_add(rest)) {
            hint.set_upper(upper);
        }
        hint
    }
}

/// A timer for silence within a body.
#[derive(Default)]
pub(super) struct Idle(Option<Pin<Box<tokio::time::Sleep>>>);

impl Idle {
    /// Called if nothing has arrived; returns whether the silence has lasted for `limit`, or the deadline has passed.
    pub(super) fn has_lasted(
        &mut self,
        limit: Duration,
        deadline: Option<Deadline>,
        context: &mut Context<'_>,
    ) -> bool {
        let sleep = self.0.get_or_insert_with(|| {
            let left = deadline.map(|deadline| deadline.at.saturating_duration_since(Instant::now()));
            Box::pin(sleep(left.map_or(limit, |left| limit.min(left))))
        });
        sleep.as_mut().poll(context).is_ready()
    }

    pub(super) fn ends(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_missing_response_head_times_out() {
        let sending = SendWatch { began: Instant::now(), last_progress: None };
        assert!(sending.head(std::future::pending::<()>(), 5 * SECOND).await.is_err());
        assert!(sending.head(tokio::time::sleep(SECOND), Duration::MAX).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_head_timeout_starts_after_the_request_body_is_sent() {
        let last_progress = Arc::new(Mutex::new(Instant::now()));
        let has_moved = || *last_progress.lock().unwrap() = Instant::now();
        let sending = SendWatch { began: Instant::now(), last_progress: Some(Arc::clone(&last_progress)) };
        let upload = async {
            for _ in 0..10 {
                tokio::time::sleep(4 * SECOND).await;
                has_moved();
            }
            tokio::time::sleep(4 * SECOND).await;
        };
        assert!(sending.head(upload, 5 * SECOND).await.is_ok());
        let stuck = async {
            tokio::time::sleep(4 * SECOND).await;
            has_moved();
            tokio::time::sleep(6 * SECOND).await;
        };
        assert!(sending.head(stuck, 5 * SECOND).await.is_err());
    }

    #[tokio::test]
    async fn a_large_body_is_split_without_loss() {
        let body: Bytes = (0..=255).cycle().take(3 * PIECE + 5).collect::<Vec<u8>>().into();
        let mut request = Request::new(reqwest::Method::POST, "http://h/".parse().unwrap());
        *request.body_mut() = Some(body.clone().into());
        let _sending = SendWatch::of(&mut request);
        let mut taken = Vec::new();
        let mut watched = request.body_mut().take().unwrap();
        assert_eq!(watched.size_hint().exact(), Some(body.len() as u64));
        while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut watched).poll_frame(context)).await {
            let data = frame.unwrap().into_data().unwrap();
            assert!(data.len() <= PIECE);
            taken.extend_from_slice(&data);
        }
        assert_eq!(taken, body);
    }
}
