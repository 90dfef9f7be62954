//! Response bodies: read whole up to a limit, or passed on as a stream that obeys the time limits of its call.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};
use reqwest::{Body, Response, ResponseBuilderExt};
use tokio::time::{Instant, timeout};

use super::limits::Permit;
use super::observe::{Outcome, Record};
use super::timeouts::{Deadline, Idle};
use crate::{Error, Result};

/// Bodies of failures are cut at this length.
const MAX_ERROR_BODY: usize = 1 << 20;

/// Why the client stopped reading a body.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BodyError {
    /// Nothing arrived for this long.
    Stalled(Duration),
    /// The whole call took longer than this.
    DeadlineElapsed(Duration),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stalled(limit) => write!(f, "the body stalled: nothing arrived for {limit:?}"),
            Self::DeadlineElapsed(limit) => write!(f, "the call took longer than {limit:?}"),
        }
    }
}

impl std::error::Error for BodyError {}

async fn chunk(response: &mut Response, idle: Duration) -> Result<Option<Bytes>> {
    let mut chunk = pin!(response.chunk());
    // Bytes that have arrived already need no timer.
    let mut wait = Idle::default();
    poll_fn(|context| match chunk.as_mut().poll(context) {
        Poll::Ready(chunk) => Poll::Ready(Ok(chunk?)),
        Poll::Pending if wait.has_lasted(idle, None, context) => {
            Poll::Ready(Err(Error::broken_body(BodyError::Stalled(idle))))
        }
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Reads a body of at most `limit` bytes after decompression.
pub(super) async fn whole(response: &mut Response, limit: usize, idle: Duration, record: &mut Record) -> Result<Bytes> {
    let too_large = |response: &Response| Error::too_large(response.status(), response.headers().clone(), limit);
    let announced = usize::try_from(response.content_length().unwrap_or_default()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(too_large(response));
    }
    // Chunks share the connection's read buffers. To copy each on arrival would keep a second buffer for the whole body of
    // every call that is under way.
    let (mut first, mut others) = (Bytes::new(), Vec::new());
    let mut length = 0;
    while let Some(chunk) = chunk(response, idle).await? {
        record.bytes += chunk.len() as u64;
        length += chunk.len();
        if length > limit {
            return Err(too_large(response));
        }
        if first.is_empty() {
            first = chunk;
        } else {
            others.push(chunk);
        }
    }
    // Most responses are short and arrive in one chunk.
    if others.is_empty() {
        return Ok(first);
    }
    let mut body = BytesMut::with_capacity(length);
    body.extend_from_slice(&first);
    others.iter().for_each(|chunk| body.extend_from_slice(chunk));
    Ok(body.freeze())
}

/// Reads the body of a failure up to its length limit.
pub(super) async fn failure(response: &mut Response, idle: Duration, record: &mut Record) -> Error {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = BytesMut::new();
    let reading = async {
        while let Some(chunk) = response.chunk().await? {
            record.bytes += chunk.len() as u64;
            let left = MAX_ERROR_BODY - body.len();
            body.extend(chunk.iter().take(left));
            if body.len() == MAX_ERROR_BODY {
                break;
            }
        }
        Ok::<(), reqwest::Error>(())
    };
    // An incomplete body is still useful.
    let _ = timeout(idle, reading).await;
    Error::status_failure(status, headers, body.freeze())
}

/// Passes on the body of a success, which holds its permit and its record until it is read to its end or dropped.
pub(super) fn streamed(
    response: Response,
    mut permit: Permit,
    idle: Duration,
    deadline: Option<Deadline>,
    record: Record,
) -> Result<Response> {
    permit.mark_unread();
    let in_flight = Some((permit, record));
    with_body(response, |body| {
        let mut streamed = Streamed { body, idle, deadline, wait: Idle::default(), in_flight };
        if streamed.body.is_end_stream() {
            streamed.end(Outcome::Success);
        }
        Body::wrap(streamed)
    })
}

/// Replaces the body of a response.
fn with_body(response: Response, change: impl FnOnce(Body) -> Body) -> Result<Response> {
    let url = response.url().clone();
    let (parts, body) = http::Response::<Body>::from(response).into_parts();
    let mut changed = http::Response::builder()
        .status(parts.status)
        .version(parts.version)
        .url(url)
        .body(change(body))
        .map_err(|error| Error::transport("the response has no URL").with_source(error))?;
    *changed.headers_mut() = parts.headers;
    changed.extensions_mut().extend(parts.extensions);
    Ok(changed.into())
}

struct Streamed {
    body: Body,
    idle: Duration,
    deadline: Option<Deadline>,
    wait: Idle,
    /// Released as soon as the body has ended.
    in_flight: Option<(Permit, Record)>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Streamed {
    fn end(&mut self, outcome: Outcome) {
        if let Some((_permit, mut record)) = self.in_flight.take() {
            record.finish(outcome);
        }
    }

    fn break_off(&mut self, why: impl Into<Failure>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        self.end(Outcome::Failure);
        Poll::Ready(Some(Err(why.into())))
    }
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.in_flight.is_none() {
            return Poll::Ready(None);
        }
        if let Some(deadline) = self.deadline.filter(|deadline| deadline.at <= Instant::now()) {
            return self.break_off(BodyError::DeadlineElapsed(deadline.limit));
        }
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.wait.ends();
                if let Some((permit, record)) = &mut self.in_flight {
                    permit.mark_read();
                    record.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
                if self.body.is_end_stream() {
                    self.end(Outcome::Success);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => self.break_off(error),
            Poll::Ready(None) => {
                self.end(Outcome::Success);
                Poll::Ready(None)
            }
            Poll::Pending => {
                let (idle, deadline) = (self.idle, self.deadline);
                if !self.wait.has_lasted(idle, deadline, context) {
                    return Poll::Pending;
                }
                match deadline.filter(|deadline| deadline.at <= Instant::now()) {
                    Some(deadline) => self.break_off(BodyError::DeadlineElapsed(deadline.limit)),
                    None => self.break_off(BodyError::Stalled(idle)),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.in_flight.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        if self.in_flight.is_none() { SizeHint::with_exact(0) } else { self.body.size_hint() }
    }
}
