//! The execution of one call: its attempts, the redirects that they follow, and each request to a host.
//!
//! Large values such as the request are stored in [`Execution`], so that futures stay small.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Request, Response, StatusCode};
use tokio::time::{Instant, sleep};

use super::address::{self, refuse_private};
use super::body::{failure, whole};
use super::endpoint::{Base, Endpoint, Shared};
use super::host::Host;
use super::key::{API_KEY, Key};
use super::limits::{self, Permit, rate_limited_for};
use super::observe::Record;
use super::options::{BodyMode, CallOptions};
use super::redirect::{MAX_REDIRECTS, Redirect, Redirects, follow_up, target};
use super::retry::Repeatable;
use super::runtime::REFUSED_ARGUMENT;
use super::timeouts::{self, Deadline, SendWatch};
use crate::{Error, Operation, Result};

/// The state of a call while it is sent.
pub(super) struct Execution<'a> {
    shared: &'a Shared,
    request: &'a mut Request,
    /// The request of the redirect that is followed, within an attempt.
    redirected: Option<Box<Request>>,
    redirects: Redirects,
    endpoint: &'a Endpoint,
    repeatable: Repeatable,
    /// Whether the request's body can be read only once.
    once: bool,
    head: Duration,
    pub idle: Duration,
    pub deadline: Option<Deadline>,
    body_mode: BodyMode,
    public_only: bool,
    pub record: Record,
}

/// A success. A body that is streamed holds its permit until it is read or dropped.
pub(super) enum AttemptResponse {
    Buffered(Response, Bytes),
    Streaming(Response, Permit),
}

impl<'a> Execution<'a> {
    pub(super) fn new(
        endpoint: &'a Endpoint,
        operation: Option<&'static Operation>,
        request: &'a mut Request,
        options: &CallOptions,
    ) -> Self {
        let shared = &*endpoint.shared;
        let host = match endpoint.base.as_deref() {
            Some(Ok(base)) => shared.hosts.same_or(&base.host, request.url()),
            _ => shared.hosts.of(request.url()),
        };
        let timeouts = &shared.policy.timeouts;
        let once = request.body().is_some_and(|body| body.as_bytes().is_none());
        let exception = operation.is_some_and(Operation::is_exception) && !options.repeatable;
        let never = once || exception;
        Self {
            shared,
            record: Record::begin(&shared.observers, operation, request, host),
            redirected: None,
            redirects: Redirects::default(),
            endpoint,
            repeatable: if never { Repeatable::Never } else { Repeatable::of(request.method(), options.repeatable) },
            once,
            head: options.head_timeout.unwrap_or(timeouts.head),
            idle: options.idle_timeout.unwrap_or(timeouts.idle),
            deadline: options.timeout.or(timeouts.call).and_then(Deadline::after),
            body_mode: options.body_mode,
            public_only: options.deny_private_networks || shared.policy.deny_private_networks,
            request,
        }
    }

    /// Runs attempts until one succeeds or no other may follow.
    pub(super) async fn attempts(&mut self) -> Result<AttemptResponse> {
        self.refuse()?;
        let mut spent = None;
        let mut last: Option<Error> = None;
        loop {
            self.record.attempts += 1;
            let error = match self.attempt().await {
                Ok(response) => {
                    self.record.host.budget.refill(spent);
                    return Ok(response);
                }
                Err(error) => error,
            };
            if error.is_circuit_open() {
                self.record.attempts -= 1;
                // The error before it says why the circuit is open.
                return Err(last.map_or(error, Error::of_open_circuit));
            }
            if self.repeatable == Repeatable::Never || !error.asks_again(self.repeatable) {
                return Err(error);
            }
            let (made, elapsed, random) = (self.record.attempts, self.record.elapsed(), fastrand::f64());
            let delay = self.shared.policy.retries.delay(made, elapsed, error.retry_after(), random);
            let Some(delay) = delay else { return Err(error) };
            if self.deadline.is_some_and(|deadline| deadline.at.saturating_duration_since(Instant::now()) <= delay) {
                return Err(error);
            }
            spent = self.record.host.budget.spend(error.is_timeout());
            if spent.is_none() {
                self.record.budget_exhausted();
                return Err(error.of_exhausted_budget());
            }
            self.record.retrying(&error, delay);
            sleep(delay).await;
            last = Some(error);
        }
    }

    /// Returns an error if the request cannot be sent.
    fn refuse(&self) -> Result<()> {
        match self.endpoint.base.as_deref() {
            Some(Ok(_)) => {}
            Some(Err(reason)) => return Err(Error::request(reason.clone())),
            None => return Ok(()),
        }
        if self.request.url().path().contains(REFUSED_ARGUMENT) {
            return Err(Error::request(
                "an argument of the path is empty, `.` or `..`, or holds a NUL: it would be another path",
            ));
        }
        Ok(())
    }

    /// Runs one attempt, with the redirects that it leads to.
    async fn attempt(&mut self) -> Result<AttemptResponse> {
        self.redirected = None;
        self.redirects.0.clear();
        for _ in 0..=MAX_REDIRECTS {
            let (mut response, permit) = self.send().await?;
            let status = response.status();
            (self.record.status, self.record.bytes) = (Some(status), 0);
            if status.is_success() {
                if !self.redirects.0.is_empty() {
                    response.extensions_mut().insert(std::mem::take(&mut self.redirects));
                }
                return Ok(match self.body_mode {
                    BodyMode::Stream => AttemptResponse::Streaming(response, permit),
                    BodyMode::Buffer => {
                        let limit = self.shared.policy.max_response_size;
                        let bytes = whole(&mut response, limit, self.idle, &mut self.record).await?;
                        AttemptResponse::Buffered(response, bytes)
                    }
                    BodyMode::Discard => AttemptResponse::Buffered(response, Bytes::new()),
                });
            }
            let request = self.redirected.as_deref().unwrap_or(self.request);
            match target(request, &response)? {
                Some(target) => {
                    self.redirects.0.push(Redirect { status, url: target.to_string() });
                    self.redirected = Some(Box::new(follow_up(request, self.once, status, target)?));
                }
                // Boxed, so that the future of a success does not reserve space for it.
                None => {
                    let error = Box::pin(failure(&mut response, self.idle, &mut self.record)).await;
                    return Err(match &self.redirected {
                        Some(request) => error.redirected_to(request.url(), self.endpoint.base.is_none()),
                        None => error,
                    });
                }
            }
        }
        Err(Error::transport(format!("more than {MAX_REDIRECTS} redirects")))
    }

    /// Sends one request to one host, as soon as its limits allow.
    async fn send(&mut self) -> Result<(Response, Permit)> {
        let http = self.prepare()?;
        let request = self.redirected.as_deref_mut().unwrap_or(self.request);
        let host = self.shared.hosts.same_or(&self.record.host, request.url());
        let permit = enter(&host, &self.record).await?;
        let admission = host.breaker.admit().map_err(|left| Error::circuit_open(&host.name, left))?;
        let (sending, response) = {
            let mut sent = outgoing(request);
            (SendWatch::of(&mut sent), http.execute(sent))
        };
        let response = match sending.head(response, self.head).await {
            Ok(response) => response.map_err(Error::from),
            Err(timeouts::Elapsed) => Err(Error::head_timed_out(self.head)),
        };
        let alive = match &response {
            Ok(response) => Some(!is_outage(response.status())),
            // A request that was not sent does not count for the circuit breaker.
            Err(error) => error.is_transport().then_some(false),
        };
        if let Some(state) = alive.and_then(|alive| admission.report(alive)) {
            self.record.circuit_changed(&host.name, state);
        }
        let response = response?;
        if let Some(pause) = self.requested_pause(&response) {
            host.limiter.pause(pause);
        }
        Ok((response, permit))
    }

    /// Returns how long the server requires all requests to wait.
    fn requested_pause(&self, response: &Response) -> Option<Duration> {
        let retry_after = match response.status() {
            StatusCode::TOO_MANY_REQUESTS => super::retry::retry_after(response.headers()),
            _ => None,
        };
        retry_after
            .filter(|pause| self.shared.policy.retries.honours(*pause))
            .or_else(|| rate_limited_for(response.headers()))
    }

    /// Adds the API key if the host may receive it, and selects the HTTP client for the request.
    fn prepare(&mut self) -> Result<&'a reqwest::Client> {
        let (shared, request) = (self.shared, self.redirected.as_deref_mut().unwrap_or(self.request));
        if let Some(Ok(Base { url, host })) = self.endpoint.base.as_deref() {
            Key::authenticate(shared.key.as_ref().filter(|_| self.endpoint.keyed), url, request)?;
            if host.serves(request.url()) {
                return Ok(&shared.http);
            }
        }
        request.headers_mut().remove(API_KEY);
        if self.public_only {
            refuse_private(request.url()).map_err(Error::private)?;
        }
        let files = &shared.files[usize::from(self.public_only)];
        if let Some(http) = files.get() {
            return Ok(http);
        }
        let connector = (shared.connector)().no_gzip().no_brotli().no_zstd().no_deflate();
        let http = if self.public_only { address::public_only(connector) } else { connector }.build()?;
        Ok(files.get_or_init(|| http))
    }
}

/// Returns a copy of a request, so that it can be retried. A body that can be read only once is moved into it.
fn outgoing(request: &mut Request) -> Request {
    if let Some(copy) = request.body().and_then(|_| request.try_clone()) {
        return copy;
    }
    // Cheaper than `try_clone`, which allocates extensions for per-request settings of reqwest.
    let mut sent = Request::new(request.method().clone(), request.url().clone());
    // The copy stays here, since its capacity does not suffice for the headers that reqwest adds.
    let headers = request.headers().clone();
    *sent.headers_mut() = std::mem::replace(request.headers_mut(), headers);
    *sent.body_mut() = request.body_mut().take();
    sent
}

/// Acquires a permit of a host and waits for its rate limit.
async fn enter(host: &Host, record: &Record) -> Result<Permit> {
    let circuit_open = |left| Error::circuit_open(&host.name, left);
    let began = Instant::now();
    host.breaker.check().map_err(circuit_open)?;
    let permit = host.limiter.acquire().await.map_err(|limits::Saturated| Error::saturated(&host.name))?;
    // The circuit may have opened in the meantime.
    host.breaker.check().map_err(circuit_open)?;
    host.limiter.wait_for_rate().await;
    if began.elapsed() >= Duration::from_millis(1) {
        record.throttled(&host.name, began.elapsed());
    }
    Ok(permit)
}

/// Whether a status means that the server behind the gateway does not respond.
fn is_outage(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}
