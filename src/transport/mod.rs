//! One request, from its builder to its response.
//!
//! A [`Call`](call::Call) is built by an operation's builder, and sent by [`send`](send::send), which opens its record
//! and its deadline and runs its [`Execution`](execution::Execution): `attempts` (retries), `attempt` (redirects) and
//! `send` (one request to one host: circuit breaker, limits, timeouts). Each rule has a module of its own. `runtime` is
//! the seam to the generated clients.

mod address;
mod body;
mod breaker;
mod budget;
pub(crate) mod call;
mod context;
mod endpoint;
pub(crate) mod error;
mod execution;
pub(crate) mod file;
pub(crate) mod form;
mod host;
mod key;
mod limits;
mod observe;
pub(crate) mod operation;
mod options;
mod raw_response;
mod redirect;
pub(crate) mod response;
mod retry;
pub(crate) mod runtime;
mod send;
#[cfg(test)]
mod tests;
mod timeouts;

pub use self::breaker::{CircuitBreaker, CircuitState};
pub(crate) use self::endpoint::{Connector, Endpoint, Shared};
pub(crate) use self::key::Key;
pub use self::limits::Limits;
pub(crate) use self::observe::Observers;
pub use self::observe::{
    CallFinished, CircuitChanged, Deviated, Observe, Outcome, RetryBudgetExhausted, Retrying, Throttled,
};
pub(crate) use self::options::{CallOptions, Policy};
pub(crate) use self::raw_response::{RawResponse, ResponseBody};
#[cfg(feature = "files")]
pub use self::redirect::Redirect;
#[cfg(feature = "files")]
pub(crate) use self::redirect::Redirects;
pub(crate) use self::retry::Repeatable;
pub use self::retry::RetryPolicy;
pub use self::timeouts::Timeouts;
