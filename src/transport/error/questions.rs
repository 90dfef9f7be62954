//! The questions that an error answers.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::server::database_code;
use super::{Cause, Error, Kind};
use crate::transport::retry::retry_after;

impl Error {
    /// Returns the HTTP status of the response, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.answer.as_ref().map(|answer| answer.status)
    }

    /// Returns the headers of the response, if there was one.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.answer.as_ref().map(|answer| &answer.headers)
    }

    /// Returns the body of the response, if there was one.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.0.answer.as_ref().map(|answer| &answer.body)
    }

    /// Returns the body of the response, if it is JSON.
    #[must_use]
    pub fn body_json(&self) -> Option<Value> {
        serde_json::from_slice(self.body()?).ok()
    }

    /// Returns the operation that failed, by the name of its method (`get_dataset`); `None` for files.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Returns whether the object does not exist, or the path is not a route of the API (404).
    ///
    /// The tabular and metrics APIs also answer 404 if the type of a column does not support an operator: that is
    /// [`is_unsupported`](Self::is_unsupported) instead.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND) && !self.is_unsupported()
    }

    /// Returns whether the type of a column does not support an operator, an order or an aggregate of the query (404 of the
    /// tabular and metrics APIs, SQLSTATE 42883).
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
            && self.body_json().as_ref().and_then(database_code).is_some_and(|code| code == "42883")
    }

    /// Returns whether the object was deleted (410).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.status() == Some(StatusCode::GONE)
    }

    /// Returns whether the API key is missing, wrong, revoked or expired (401).
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// Returns whether the holder of the API key is not allowed to do this (403).
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(StatusCode::FORBIDDEN)
    }

    /// Returns whether the query matches more rows than the tabular and metrics APIs export at once, 50,000 (403).
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.is_forbidden() && self.has_title("Output is too long")
    }

    /// Returns whether the tabular API does not allow aggregation for this resource or this column (403).
    #[must_use]
    pub fn is_aggregation_refused(&self) -> bool {
        self.is_forbidden() && self.has_title("Unauthorized parameters")
    }

    /// Returns whether the tabular API has no rows of this resource (404): the resource does not exist, or the platform did not
    /// import it as a table. For a deleted resource, [`is_gone`](Self::is_gone) is true instead.
    #[must_use]
    pub fn is_not_tabular(&self) -> bool {
        let of_a_resource =
            self.operation().is_some_and(|name| name.starts_with("get_resource_") || name == "get_meta_resource_info");
        // An unknown table of the database is 404 too, and says so.
        self.is_not_found() && of_a_resource && self.body_json().is_none()
    }

    /// Returns whether it is an error of the database that the server does not describe.
    #[cfg(any(feature = "tabular", feature = "metrics"))]
    pub(crate) fn lacks_reason(&self) -> bool {
        self.has_title("Database error") && self.body_json().as_ref().and_then(database_code).is_none()
    }

    fn has_title(&self, title: &str) -> bool {
        let json = self.body_json();
        let errors = json.as_ref().and_then(|json| json.get("errors")?.as_array());
        errors
            .is_some_and(|errors| errors.iter().any(|error| error.get("title").and_then(Value::as_str) == Some(title)))
    }

    /// Returns whether the object is not in the state that the request needs (409), or was changed after it was read
    /// (`update_unless_changed`).
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.0.kind == Kind::Conflict || self.status() == Some(StatusCode::CONFLICT)
    }

    /// Returns whether the request could not be built from the arguments. Nothing was sent.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.0.kind == Kind::Request
    }

    /// Returns whether no response arrived, or it broke off.
    #[must_use]
    pub fn is_transport(&self) -> bool {
        self.0.kind == Kind::Transport
    }

    /// Returns whether a time limit ended the call: that of connecting, of the response headers, of silence within the body
    /// or of the whole call ([`Timeouts`](crate::Timeouts)), or the deadline of a [`Wait`](crate::objects::Wait).
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == Kind::Deadline || matches!(self.0.cause, Some(Cause::TimedOut | Cause::Stalled | Cause::Late))
    }

    /// Returns whether the body stalled: nothing of it arrived within the time limit.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.0.cause == Some(Cause::Stalled)
    }

    /// Returns whether the response or file is larger than the limit of what is read into memory
    /// ([`ClientBuilder::max_answer`](crate::ClientBuilder::max_answer)).
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.0.cause == Some(Cause::TooLarge)
    }

    /// Returns whether the client refused to send the request: because of the circuit breaker, of unread responses, of an
    /// address that is not public, or of a check that a file did not pass (`Upload::check`).
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.0.kind == Kind::Refused
    }

    /// Returns whether the circuit breaker of the host is open, so that the request was not sent, or not again
    /// ([`CircuitBreaker`](crate::CircuitBreaker)).
    #[must_use]
    pub fn is_circuit_open(&self) -> bool {
        self.0.circuit_open
    }

    /// Returns whether the call was not retried because the retry budget of the host is exhausted
    /// ([`RetryPolicy::budget`](crate::RetryPolicy::budget)).
    #[must_use]
    pub fn retry_budget_exhausted(&self) -> bool {
        self.0.budget_exhausted
    }

    /// Returns whether all requests in flight to the host are held by responses whose bodies are not read
    /// ([`Limits`](crate::Limits)).
    #[must_use]
    pub fn is_saturated(&self) -> bool {
        self.0.cause == Some(Cause::Saturated)
    }

    /// Returns whether the host is not on the public Internet
    /// ([`ClientBuilder::deny_private_networks`](crate::ClientBuilder::deny_private_networks)).
    #[must_use]
    pub fn is_private_network(&self) -> bool {
        self.0.cause == Some(Cause::Private)
    }

    /// Returns how often the request was sent; 0 if never.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns how long the call took until it failed, delays between attempts included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// Returns whether a file does not match its declared size or checksum, or changed while it was read.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        self.0.kind == Kind::Corrupt
    }

    /// Returns whether a file was changed while it was read. Opened again, it can be read in its new state.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.0.cause == Some(Cause::Changed)
    }

    /// Returns whether something else came than the declared format of a file promises, such as the HTML page of a firewall
    /// in place of a CSV. [`body`](Self::body) returns its first bytes.
    #[must_use]
    pub fn is_unexpected_content(&self) -> bool {
        self.0.cause == Some(Cause::UnexpectedContent)
    }

    /// Returns whether a local file cannot be read or written.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.0.kind == Kind::Local
    }

    /// Returns whether the response is a success that cannot be decoded as its type.
    #[must_use]
    pub fn is_decode(&self) -> bool {
        self.0.kind == Kind::Decode
    }

    /// Returns how long to wait before the next call: the server's `Retry-After`, or the time for which the circuit breaker
    /// stays open.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.wait.or_else(|| retry_after(self.headers()?))
    }
}
