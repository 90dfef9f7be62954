//! The one way of all requests.
//!
//! A call travels through [`send`] (its record and its deadline) and along its [`Way`]: `attempts`
//! (retries), `attempt` (redirects), and `send` (one request to one host: circuit breaker, limits, timeouts).
//! Each rule has its own module.

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
mod way;

use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderValue};
use reqwest::{Request, Response, Url};
use tokio::time::timeout_at;
use tracing::Instrument;

use self::body::streamed;
use self::called::of_operation;
use self::host::{Host, Hosts};
use self::key::below;
use self::way::{Answer, Way};
use crate::response::Body;
use crate::{Error, Result};

pub(crate) use self::address::Private;
pub(crate) use self::body::Broken;
pub use self::breaker::{CircuitBreaker, CircuitState};
pub(crate) use self::called::{Called, Parts};
pub(crate) use self::key::Key;
pub use self::limit::Limits;
pub(crate) use self::observe::Observers;
pub use self::observe::{
    CallFinished, CircuitChanged, Deviated, Observe, Outcome, RetryBudgetExhausted, Retrying, Throttled,
};
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
    /// Where it is, or why there is none; `None` for files, which are anywhere.
    base: Option<Arc<Result<Base, String>>>,
    /// Whether the API knows the platform's key.
    keyed: bool,
}

/// The base URL of an API, and the host that it is of.
struct Base {
    url: Url,
    host: Arc<Host>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let base = self.base.as_deref().map(|base| base.as_ref().map(|base| base.url.as_str()));
        f.debug_struct("Endpoint").field("base", &base).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Of the base URL, or of the reason why there is none.
    pub(crate) fn new(shared: &Arc<Shared>, base: Result<Url, String>, keyed: bool) -> Self {
        let base = base.map(|url| Base { host: shared.hosts.of(&url), url });
        Self { shared: Arc::clone(shared), base: Some(Arc::new(base)), keyed }
    }

    /// The base URL as text, without a slash at its end; of a host that cannot be where there is no API.
    pub(crate) fn base_url(&self) -> String {
        let base = match self.base.as_deref() {
            Some(Ok(base)) => base.url.as_str(),
            _ => "http://absent.invalid",
        };
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
}

/// A success.
pub enum Answered {
    /// Its body was read.
    Whole(Body),
    /// Its body is to be read.
    Stream(Response),
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
    pub(crate) async fn fetch(self: &Arc<Self>, mut request: Request, options: CallOptions) -> Result<Response> {
        request.headers_mut().entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        let endpoint = Endpoint { shared: Arc::clone(self), base: None, keyed: false };
        match send(Box::new(Parts { endpoint, operation: None, request: Ok(request), options })).await? {
            Answered::Whole(body) => Ok(body.into_http().into()),
            Answered::Stream(answer) => Ok(answer),
        }
    }
}

/// Sends what a call is made of, and brings back a success or the error.
pub(crate) fn send(parts: Box<Parts>) -> Pin<Box<dyn Future<Output = Result<Answered>> + Send>> {
    Box::pin(call(parts))
}

/// One call, from its first attempt to its last.
///
/// What is large stays where it is, in the parts and in the way; what is small is moved.
async fn call(mut parts: Box<Parts>) -> Result<Answered> {
    let request = match parts.request {
        Ok(ref mut request) => request,
        Err(error) => return Err(of_operation(error, parts.operation)),
    };
    let mut way = Way::new(&parts.endpoint, parts.operation, request, &parts.options);
    let (span, deadline) = (way.record.span.clone(), way.deadline);
    let done = {
        let attempts = pin!(way.attempts().instrument(span));
        match deadline {
            None => attempts.await,
            // In a place of its own: most calls have no deadline, and need no room for one.
            Some(deadline) => Box::pin(timeout_at(deadline.at, attempts))
                .await
                .unwrap_or_else(|_| Err(Error::broken(Broken::Late(deadline.limit)))),
        }
    };
    let Way { mut record, idle, .. } = way;
    let called = Called::new(parts, record.attempts, record.began);
    match done {
        Ok(Answer::Whole(mut answer, bytes)) => {
            record.finish(Outcome::Success);
            let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
            Ok(Answered::Whole(Body { bytes, status, headers, called }))
        }
        Ok(Answer::Stream(mut answer, place)) => {
            called.go_with(answer.extensions_mut());
            streamed(answer, place, idle, deadline, record).map(Answered::Stream)
        }
        Err(error) => {
            record.finish(Outcome::Failure);
            Err(called.name(error))
        }
    }
}
