//! Observability: a `tracing` span for each call, and events for counters.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Request, StatusCode};
use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;

use super::breaker::CircuitState;
use super::host::Host;
use crate::{Deviation, Error, Operation};

/// Receives events while calls run, for counters and histograms.
///
/// The methods are called within the call: they should return quickly and must not block.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use datagouv::observe::{CallFinished, Observe};
///
/// #[derive(Default)]
/// struct Bytes(AtomicU64);
///
/// impl Observe for Bytes {
///     fn call_finished(&self, call: &CallFinished<'_>) {
///         self.0.fetch_add(call.bytes, Ordering::Relaxed);
///     }
/// }
///
/// # fn main() -> datagouv::Result<()> {
/// let bytes = Arc::new(Bytes::default());
/// let client = datagouv::Client::builder().observer(Arc::clone(&bytes) as Arc<dyn Observe>).build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[allow(unused_variables)]
pub trait Observe: Send + Sync {
    /// An attempt has failed, and another one follows.
    fn retrying(&self, event: &Retrying<'_>) {}

    /// A call is not retried, since the retry budget of its host is exhausted.
    fn retry_budget_exhausted(&self, event: &RetryBudgetExhausted<'_>) {}

    /// A call has ended: its response was read, it has failed, or it was dropped.
    fn call_finished(&self, event: &CallFinished<'_>) {}

    /// The circuit breaker of a host has changed its state.
    fn circuit_changed(&self, event: &CircuitChanged<'_>) {}

    /// A request was delayed by the limits of the client or of the server.
    fn throttled(&self, event: &Throttled<'_>) {}

    /// A response was decoded, and some of its values do not have the form that their fields promise.
    fn deviated(&self, event: &Deviated<'_>) {}
}

/// An attempt has failed, and another one follows.
#[derive(Debug)]
#[non_exhaustive]
pub struct Retrying<'a> {
    /// The name of the operation; `None` for a file.
    pub operation: Option<&'a str>,
    /// Scheme, host and port.
    pub host: &'a str,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The delay before the next attempt.
    pub delay: Duration,
    /// Why it failed.
    pub error: &'a Error,
}

/// A call is not retried, since the retry budget of its host is exhausted
/// ([`RetryPolicy::budget`](crate::RetryPolicy::budget)).
#[derive(Debug)]
#[non_exhaustive]
pub struct RetryBudgetExhausted<'a> {
    /// The name of the operation; `None` for a file.
    pub operation: Option<&'a str>,
    /// Scheme, host and port.
    pub host: &'a str,
}

/// A call has ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallFinished<'a> {
    /// The name of the operation; `None` for a file.
    pub operation: Option<&'a str>,
    /// The HTTP method.
    pub method: &'a str,
    /// Scheme, host and port that the call was made to, before redirects.
    pub host: &'a str,
    /// The status of the last response, if there was one.
    pub status: Option<StatusCode>,
    /// The number of attempts.
    pub attempts: u32,
    /// The bytes of the response body that were read, after decompression.
    pub bytes: u64,
    /// From the beginning of the call to the end of the body.
    pub elapsed: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The response is a success and was read to its end.
    Success,
    /// No response, a response that is a failure, or one that broke off.
    Failure,
    /// The call or its stream was dropped before its end.
    Dropped,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Dropped => "dropped",
        }
    }
}

/// The circuit breaker of a host has changed its state.
#[derive(Debug)]
#[non_exhaustive]
pub struct CircuitChanged<'a> {
    /// Scheme, host and port.
    pub host: &'a str,
    /// The new state.
    pub state: CircuitState,
}

/// A request was delayed by the limits of the client or of the server.
#[derive(Debug)]
#[non_exhaustive]
pub struct Throttled<'a> {
    /// Scheme, host and port.
    pub host: &'a str,
    /// How long it waited.
    pub waited: Duration,
}

/// A response was decoded, and some of its values do not have the form that their fields promise.
#[derive(Debug)]
#[non_exhaustive]
pub struct Deviated<'a> {
    /// The name of the operation.
    pub operation: Option<&'a str>,
    /// The values, at least one.
    pub deviations: &'a [Deviation],
}

/// The observer of a client.
#[derive(Clone, Default)]
pub(crate) struct Observers {
    pub observer: Option<Arc<dyn Observe>>,
    /// Whether spans have the query.
    pub queries: bool,
}

impl Observers {
    pub(super) fn deviated(&self, operation: Option<&'static Operation>, deviations: &[Deviation]) {
        let Some(first) = deviations.first() else { return };
        let operation = operation.map(|operation| operation.name);
        tracing::debug!(operation, count = deviations.len(), %first, "values of the response do not match their fields");
        if let Some(observer) = &self.observer {
            observer.deviated(&Deviated { operation, deviations });
        }
    }
}

/// The record of one call. If it is dropped before it is finished, the outcome is [`Outcome::Dropped`].
pub(super) struct Record {
    observer: Option<Arc<dyn Observe>>,
    pub span: Span,
    operation: Option<&'static str>,
    method: Method,
    /// The host of the first request.
    pub host: Arc<Host>,
    pub began: Instant,
    pub attempts: u32,
    pub status: Option<StatusCode>,
    pub bytes: u64,
    finished: bool,
}

impl Record {
    pub(super) fn begin(
        observers: &Observers,
        operation: Option<&'static Operation>,
        request: &Request,
        host: Arc<Host>,
    ) -> Self {
        let span = tracing::info_span!(
            "datagouv",
            operation = operation.map(|operation| operation.name),
            method = request.method().as_str(),
            host = host.name,
            // The template: an argument may be what its sender wants to keep.
            path = operation.map(|operation| operation.path),
            query = Empty,
            status = Empty,
            attempts = Empty,
            bytes = Empty,
            milliseconds = Empty,
            outcome = Empty,
        );
        if let Some(query) = request.url().query().filter(|_| observers.queries) {
            span.record("query", query);
        }
        Self {
            observer: observers.observer.clone(),
            span,
            operation: operation.map(|operation| operation.name),
            method: request.method().clone(),
            host,
            began: Instant::now(),
            attempts: 0,
            status: None,
            bytes: 0,
            finished: false,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn retrying(&self, error: &Error, delay: Duration) {
        let (attempt, milliseconds) = (self.attempts, millis(delay));
        tracing::warn!(attempt, delay_milliseconds = milliseconds, %error, "an attempt has failed: another follows");
        if let Some(observer) = &self.observer {
            let (operation, host) = (self.operation, self.host.name.as_str());
            observer.retrying(&Retrying { operation, host, attempt, delay, error });
        }
    }

    pub(super) fn budget_exhausted(&self) {
        tracing::warn!(host = self.host.name, "the retry budget is exhausted: no other attempt follows");
        if let Some(observer) = &self.observer {
            let (operation, host) = (self.operation, self.host.name.as_str());
            observer.retry_budget_exhausted(&RetryBudgetExhausted { operation, host });
        }
    }

    pub(super) fn circuit_changed(&self, host: &str, state: CircuitState) {
        tracing::warn!(host, ?state, "the circuit breaker has changed");
        if let Some(observer) = &self.observer {
            observer.circuit_changed(&CircuitChanged { host, state });
        }
    }

    pub(super) fn throttled(&self, host: &str, waited: Duration) {
        tracing::debug!(host, milliseconds = millis(waited), "the request has waited for a limit");
        if let Some(observer) = &self.observer {
            observer.throttled(&Throttled { host, waited });
        }
    }

    pub(super) fn finish(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let elapsed = self.elapsed();
        if let Some(status) = self.status {
            self.span.record("status", status.as_u16());
        }
        self.span.record("attempts", self.attempts);
        self.span.record("bytes", self.bytes);
        self.span.record("milliseconds", millis(elapsed));
        self.span.record("outcome", outcome.as_str());
        if let Some(observer) = &self.observer {
            observer.call_finished(&CallFinished {
                operation: self.operation,
                method: self.method.as_str(),
                host: &self.host.name,
                status: self.status,
                attempts: self.attempts,
                bytes: self.bytes,
                elapsed,
                outcome,
            });
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.finish(Outcome::Dropped);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
