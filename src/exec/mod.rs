//! The one way of all requests.
//!
//! A call travels through [`Shared::call`] (its record and its deadline), `attempts` (retries), `attempt`
//! (redirects), and `send` (one request to one host: circuit breaker, limits, timeouts). Each rule has its
//! own module.

mod address;
mod body;
mod breaker;
mod budget;
mod called;
mod host;
mod key;
mod limit;
mod observe;
mod redirect;
mod retry;
#[cfg(test)]
mod tests;
mod timeout;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, HeaderValue};
use reqwest::{Request, Response, StatusCode, Url};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument;

use self::address::refuse_private;
use self::body::{failure, streamed, whole};
use self::host::{Host, Hosts, same_origin};
use self::key::below;
use self::limit::{Place, rate_limited_for};
use self::observe::Record;
use self::redirect::{MAX_REDIRECTS, Origin};
use self::timeout::{Deadline, Sending};
use crate::response::Body;
use crate::runtime::REFUSED_ARGUMENT;
use crate::{Error, Operation, Result};

pub(crate) use self::address::Private;
pub(crate) use self::body::Broken;
pub use self::breaker::{CircuitBreaker, CircuitState};
pub(crate) use self::called::Called;
pub(crate) use self::key::Key;
pub use self::limit::Limits;
pub(crate) use self::observe::Observers;
pub use self::observe::{CallFinished, CircuitChanged, Observe, Outcome, RetryBudgetExhausted, Retrying, Throttled};
pub use self::retry::RetryPolicy;
pub(crate) use self::retry::{Repeatable, retry_after};
pub use self::timeout::Timeouts;

/// What a client was set up with, for all its calls.
pub(crate) struct Policy {
    pub retries: RetryPolicy,
    pub circuit: CircuitBreaker,
    pub limits: Limits,
    pub timeouts: Timeouts,
    /// The length of the longest answer that is read into memory.
    pub max_answer: usize,
    pub deny_private_networks: bool,
}

/// What is done with the body of a success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// It is a stream for the caller to read.
    #[default]
    Stream,
    /// It is read within the call, up to the limit; where it breaks off, it is asked for again.
    Whole,
    /// It is not read.
    Nothing,
}

/// What a call asks of the way it is sent, beyond what the client was set up with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallOptions {
    /// The time that the whole call may take, its body included.
    pub timeout: Option<Duration>,
    /// The time that the head of the answer may take.
    pub head_timeout: Option<Duration>,
    /// The time in which nothing of the body may come.
    pub idle_timeout: Option<Duration>,
    /// Whether a request that is not idempotent may be sent more than once.
    pub repeatable: bool,
    pub reading: Reading,
    /// Whether only hosts of the public Internet may be asked for a file.
    pub deny_private_networks: bool,
}

/// Makes a `reqwest` client, as the user wants it.
pub(crate) type Connector = Box<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>;

/// What all the clients of a [`Client`](crate::Client) share.
pub(crate) struct Shared {
    /// For the APIs.
    http: reqwest::Client,
    /// For files of any host: bytes as they are stored, not decompressed; public addresses alone where that
    /// is asked for. Made when first needed.
    files: [OnceLock<reqwest::Client>; 2],
    connector: Connector,
    key: Option<Key>,
    policy: Policy,
    hosts: Hosts,
    observers: Observers,
}

/// Where one API is, and what its requests may carry.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) shared: Arc<Shared>,
    /// The base URL, or why there is none.
    pub(crate) base: Arc<Result<Url, String>>,
    /// Whether the API knows the platform's key.
    pub(crate) keyed: bool,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("base", &(*self.base).as_ref().map(Url::as_str)).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// The base URL as text, without a slash at its end; of a host that cannot be where there is no API.
    pub(crate) fn base_url(&self) -> String {
        let base = (*self.base).as_ref().map_or("http://absent.invalid", Url::as_str);
        base.trim_end_matches('/').to_owned()
    }

    /// The URL of a path below the base URL.
    pub(crate) fn url_of(&self, path: &str) -> Result<Url> {
        let refused = |reason: &str| Error::request(format!("the path `{path}` {reason}"));
        let base = self.base_url();
        let url = Url::parse(&format!("{base}/{}", path.trim_start_matches('/')))
            .map_err(|error| refused("makes no URL").with_source(error))?;
        let below_base = Url::parse(&base).is_ok_and(|base| below(url.path(), base.path()));
        if below_base { Ok(url) } else { Err(refused("leaves the base URL")) }
    }

    /// Sends a request of an operation, and brings back a success or the error.
    pub(crate) async fn exec(
        &self,
        request: Request,
        operation: &'static Operation,
        options: CallOptions,
    ) -> Result<Answered> {
        self.shared.call(request, Some((self, operation)), options).await
    }
}

/// How one call is sent.
struct Way<'a> {
    api: Option<(&'a Endpoint, &'a Url)>,
    repeatable: Repeatable,
    head: Duration,
    idle: Duration,
    deadline: Option<Deadline>,
    reading: Reading,
    public_only: bool,
}

/// A success.
pub enum Answered {
    /// Its body was read.
    Whole(Body),
    /// Its body is to be read.
    Stream(Response),
}

/// A success: its body is done with, or holds a place among the requests to its host until it is.
enum Answer {
    Whole(Response, Bytes),
    Stream(Response, Place),
}

impl Shared {
    pub(crate) fn new(connector: Connector, key: Option<Key>, policy: Policy, observers: Observers) -> Result<Self> {
        Ok(Self {
            http: connector().build()?,
            files: Default::default(),
            hosts: Hosts::new(policy.retries.clone(), policy.circuit.clone(), policy.limits.clone()),
            connector,
            key,
            policy,
            observers,
        })
    }

    /// What the generated clients are told.
    pub(crate) fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Asks any host for a file, by the same rules as all requests and without the key, and brings back a
    /// success or the error. The bytes of its body are those of the file, not decompressed.
    pub(crate) async fn fetch(&self, mut request: Request, options: CallOptions) -> Result<Response> {
        request.headers_mut().entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        match self.call(request, None, options).await? {
            Answered::Whole(body) => Ok(body.into_http().into()),
            Answered::Stream(answer) => Ok(answer),
        }
    }

    /// One call, from its first attempt to its last.
    async fn call(
        &self,
        request: Request,
        of: Option<(&Endpoint, &'static Operation)>,
        options: CallOptions,
    ) -> Result<Answered> {
        let operation = of.map(|(_, operation)| operation);
        let request_line = (request.method().clone(), request.url().clone());
        let mut record = Record::begin(&self.observers, operation, &request, self.hosts.of(request.url()));
        let span = record.span.clone();
        let called = async {
            let way = self.way(&request, of, options)?;
            let attempts = self.attempts(request, &way, &mut record);
            let answer = match way.deadline {
                None => attempts.await,
                Some(deadline) => timeout_at(deadline.at, attempts)
                    .await
                    .unwrap_or_else(|_| Err(Error::broken(Broken::Late(deadline.limit)))),
            };
            Ok::<_, Error>((answer?, way.idle, way.deadline))
        };
        let done = std::pin::pin!(called).instrument(span).await;
        let called = record.called(request_line);
        match done {
            Ok((Answer::Whole(mut answer, bytes), ..)) => {
                record.finish(Outcome::Success);
                let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
                Ok(Answered::Whole(Body { bytes, status, headers, called }))
            }
            Ok((Answer::Stream(mut answer, place), idle, deadline)) => {
                answer.extensions_mut().insert(called);
                streamed(answer, place, idle, deadline, record).map(Answered::Stream)
            }
            Err(error) => {
                record.finish(Outcome::Failure);
                Err(called.name(error))
            }
        }
    }

    fn way<'a>(
        &self,
        request: &Request,
        of: Option<(&'a Endpoint, &'static Operation)>,
        options: CallOptions,
    ) -> Result<Way<'a>> {
        let api = match of {
            Some((endpoint, _)) => match &*endpoint.base {
                Ok(base) => Some((endpoint, base)),
                Err(reason) => return Err(Error::request(reason.clone())),
            },
            None => None,
        };
        if api.is_some() && request.url().path().contains(REFUSED_ARGUMENT) {
            return Err(Error::request(
                "an argument of the path is empty, `.` or `..`, or holds a NUL: it would be another path",
            ));
        }
        let timeouts = &self.policy.timeouts;
        let once = of.is_some_and(|(_, operation)| operation.is_exception()) && !options.repeatable;
        Ok(Way {
            api,
            repeatable: if once { Repeatable::Never } else { Repeatable::of(request.method(), options.repeatable) },
            head: options.head_timeout.unwrap_or(timeouts.head),
            idle: options.idle_timeout.unwrap_or(timeouts.idle),
            deadline: options.timeout.or(timeouts.call).and_then(Deadline::after),
            reading: options.reading,
            public_only: options.deny_private_networks || self.policy.deny_private_networks,
        })
    }

    /// Attempts until one succeeds or none may follow.
    async fn attempts(&self, mut request: Request, way: &Way<'_>, record: &mut Record) -> Result<Answer> {
        let host = Arc::clone(&record.host);
        let spare = if way.repeatable == Repeatable::Never { None } else { copy(&request) };
        let mut spent = None;
        let mut last: Option<Error> = None;
        loop {
            record.attempts += 1;
            let error = match self.attempt(request, spare.as_ref(), way, record).await {
                Ok(answer) => {
                    host.budget.refill(spent);
                    return Ok(answer);
                }
                Err(error) => error,
            };
            if error.is_circuit_open() {
                record.attempts -= 1;
                // Why the circuit has opened says more.
                return Err(last.map_or(error, Error::of_open_circuit));
            }
            let again = spare.as_ref().filter(|_| error.asks_again(way.repeatable)).and_then(copy);
            let random = fastrand::f64();
            let delay = self.policy.retries.delay(record.attempts, record.elapsed(), error.retry_after(), random);
            let (Some(again), Some(delay)) = (again, delay) else { return Err(error) };
            if way.deadline.is_some_and(|deadline| deadline.at.saturating_duration_since(Instant::now()) <= delay) {
                return Err(error);
            }
            spent = host.budget.spend(error.is_timeout());
            if spent.is_none() {
                record.budget_exhausted();
                return Err(error.of_exhausted_budget());
            }
            record.retrying(&error, delay);
            sleep(delay).await;
            request = again;
            last = Some(error);
        }
    }

    /// One attempt, wherever the server sends it on to.
    async fn attempt(
        &self,
        mut request: Request,
        mut spare: Option<&Request>,
        way: &Way<'_>,
        record: &mut Record,
    ) -> Result<Answer> {
        for _ in 0..=MAX_REDIRECTS {
            let http = self.prepare(&mut request, way)?;
            // What is sent on is made of the spare request, or copied now, since nobody can tell then.
            let origin = spare.take().ok_or_else(|| Origin::of(&request));
            let (mut answer, place) = self.send(&http, request, way, record).await?;
            let status = answer.status();
            (record.status, record.bytes) = (Some(status), 0);
            if status.is_success() {
                return Ok(match way.reading {
                    Reading::Stream => Answer::Stream(answer, place),
                    Reading::Whole => {
                        let bytes = whole(&mut answer, self.policy.max_answer, way.idle, record).await?;
                        Answer::Whole(answer, bytes)
                    }
                    Reading::Nothing => Answer::Whole(answer, Bytes::new()),
                });
            }
            let origin = origin.map_or_else(|copied| copied, Origin::of);
            match origin.target(&answer)? {
                Some(target) => request = origin.sent_on(status, target)?,
                None => return Err(failure(answer, way.idle, record).await),
            }
        }
        Err(Error::transport(format!("more than {MAX_REDIRECTS} redirects")))
    }

    /// Gives a request what it may carry, and the client that may send it.
    fn prepare(&self, request: &mut Request, way: &Way<'_>) -> Result<reqwest::Client> {
        if let Some((endpoint, base)) = way.api {
            Key::authenticate(self.key.as_ref().filter(|_| endpoint.keyed), base, request)?;
            if same_origin(request.url(), base) {
                return Ok(self.http.clone());
            }
        }
        request.headers_mut().remove(key::API_KEY);
        if way.public_only {
            refuse_private(request.url()).map_err(Error::private)?;
        }
        let files = &self.files[usize::from(way.public_only)];
        if let Some(http) = files.get() {
            return Ok(http.clone());
        }
        let connector = (self.connector)().no_gzip();
        let http = if way.public_only { address::public_only(connector) } else { connector }.build()?;
        Ok(files.get_or_init(|| http).clone())
    }

    /// One request to one host, as soon as its limits allow.
    async fn send(
        &self,
        http: &reqwest::Client,
        mut request: Request,
        way: &Way<'_>,
        record: &Record,
    ) -> Result<(Response, Place)> {
        let host = self.hosts.same_or(&record.host, request.url());
        let place = enter(&host, record).await?;
        let admission = host.breaker.admit().map_err(|left| Error::circuit_open(&host.name, left))?;
        let sending = Sending::of(&mut request);
        let answer = match sending.head(http.execute(request), way.head).await {
            Ok(answer) => answer.map_err(Error::from),
            Err(timeout::Late) => Err(Error::late(way.head)),
        };
        let alive = match &answer {
            Ok(answer) => Some(!is_outage(answer.status())),
            // What was never sent tells nothing of the host.
            Err(error) => error.is_transport().then_some(false),
        };
        if let Some(state) = alive.and_then(|alive| admission.report(alive)) {
            record.circuit_changed(&host.name, state);
        }
        let answer = answer?;
        let told = retry_after(answer.headers()).filter(|told| self.policy.retries.honours(*told));
        let told = told.filter(|_| answer.status() == StatusCode::TOO_MANY_REQUESTS);
        if let Some(pause) = told.or_else(|| rate_limited_for(answer.headers())) {
            host.gate.pause(pause);
        }
        Ok((answer, place))
    }
}

/// The same request once more; `None` where its body can be read only once.
fn copy(request: &Request) -> Option<Request> {
    if request.body().is_some() {
        return request.try_clone();
    }
    // `try_clone` makes room for what only requests to reqwest have: their own time limits.
    let mut copy = Request::new(request.method().clone(), request.url().clone());
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// Waits for a place and a turn among the requests to a host.
async fn enter(host: &Host, record: &Record) -> Result<Place> {
    let circuit_open = |left| Error::circuit_open(&host.name, left);
    let began = Instant::now();
    host.breaker.check().map_err(circuit_open)?;
    let place = host.gate.place().await.map_err(|limit::Saturated| Error::saturated(&host.name))?;
    // While this one waited the host may have gone.
    host.breaker.check().map_err(circuit_open)?;
    host.gate.turn().await;
    if began.elapsed() >= Duration::from_millis(1) {
        record.throttled(&host.name, began.elapsed());
    }
    Ok(place)
}

/// Whether a status says that nothing is there behind the front.
fn is_outage(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}
