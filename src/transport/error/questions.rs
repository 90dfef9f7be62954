//! What an error answers when it is asked.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::server::database_code;
use super::{Cause, Error, Kind};
use crate::transport::retry::retry_after;

impl Error {
    /// The HTTP status of the answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.answer.as_ref().map(|answer| answer.status)
    }

    /// The headers of the answer, if there was one.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.answer.as_ref().map(|answer| &answer.headers)
    }

    /// The body of the answer, as it came.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.0.answer.as_ref().map(|answer| &answer.body)
    }

    /// The body of the answer where it is JSON.
    #[must_use]
    pub fn body_json(&self) -> Option<Value> {
        serde_json::from_slice(self.body()?).ok()
    }

    /// The operation that failed, by the name of its method (`get_dataset`).
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Nothing is there (404), or it is not a route of the API.
    ///
    /// The tabular and metrics APIs answer 404 as well where their database has no such operation for the type of a
    /// column: that is not this, but [`is_unsupported`](Self::is_unsupported).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND) && !self.is_unsupported()
    }

    /// The type of a column does not take an operator, an order or an aggregate of the query (404 of the tabular and
    /// metrics APIs, SQLSTATE 42883).
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
            && self.body_json().as_ref().and_then(database_code).is_some_and(|code| code == "42883")
    }

    /// It was there and was deleted (410).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.status() == Some(StatusCode::GONE)
    }

    /// The API key is missing, wrong, revoked or expired (401).
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// The holder of the API key may not do this (403).
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(StatusCode::FORBIDDEN)
    }

    /// The query matches more rows than the tabular and metrics APIs export at once (403); the server's words
    /// are in [`server_message`](Self::server_message).
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.is_forbidden() && self.has_title("Output is too long")
    }

    /// The tabular API does not aggregate the rows of this resource, or not by this column (403).
    #[must_use]
    pub fn is_aggregation_refused(&self) -> bool {
        self.is_forbidden() && self.has_title("Unauthorized parameters")
    }

    /// The tabular API knows no rows of this resource (404): there is no such resource, or it was not read as a
    /// table. What was deleted [is gone](Self::is_gone).
    #[must_use]
    pub fn is_not_tabular(&self) -> bool {
        let of_a_resource =
            self.operation().is_some_and(|name| name.starts_with("get_resource_") || name == "get_meta_resource_info");
        // An unknown table of the database is 404 too, and says so.
        self.is_not_found() && of_a_resource && self.body_json().is_none()
    }

    /// An error of the database that the server does not describe.
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

    /// What the request is about has another state than the one that it needs: the server says so (409), or it was
    /// changed after it was seen.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.0.kind == Kind::Conflict || self.status() == Some(StatusCode::CONFLICT)
    }

    /// The request could not be made of what was given; nothing was sent.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.0.kind == Kind::Request
    }

    /// No answer came, or it broke off.
    #[must_use]
    pub fn is_transport(&self) -> bool {
        self.0.kind == Kind::Transport
    }

    /// A time limit ended the call, whichever: connecting, the head of the answer, a stalled body, the whole
    /// call; or the deadline of a [wait](crate::objects::Wait) has passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == Kind::Deadline || matches!(self.0.cause, Some(Cause::TimedOut | Cause::Stalled | Cause::Late))
    }

    /// The body of the answer stalled: for a time nothing of it came.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.0.cause == Some(Cause::Stalled)
    }

    /// The answer is longer than the client reads into memory, decompressed
    /// ([`ClientBuilder::max_answer`](crate::ClientBuilder::max_answer)).
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.0.cause == Some(Cause::TooLarge)
    }

    /// The client's own rules kept the request from being sent: the circuit breaker, places held by unread
    /// answers, an address that is not public.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.0.kind == Kind::Refused
    }

    /// The circuit breaker of the host is open: it was not asked, or not again
    /// ([`CircuitBreaker`](crate::CircuitBreaker)).
    #[must_use]
    pub fn is_circuit_open(&self) -> bool {
        self.0.circuit_open
    }

    /// There would have been another attempt, but too many have failed of late
    /// ([`RetryPolicy::budget`](crate::RetryPolicy::budget)).
    #[must_use]
    pub fn retry_budget_exhausted(&self) -> bool {
        self.0.budget_exhausted
    }

    /// All places for requests to the host are held by answers that nobody reads
    /// ([`Limits`](crate::Limits)).
    #[must_use]
    pub fn is_saturated(&self) -> bool {
        self.0.cause == Some(Cause::Saturated)
    }

    /// The host is not one of the public Internet
    /// ([`ClientBuilder::deny_private_networks`](crate::ClientBuilder::deny_private_networks)).
    #[must_use]
    pub fn is_private_network(&self) -> bool {
        self.0.cause == Some(Cause::Private)
    }

    /// How often the request was sent: 0 where it never was.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the call took until it failed, the waits between its attempts included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// A file is not what was declared: another size or checksum, or another state of it than the one that
    /// was begun with.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        self.0.kind == Kind::Corrupt
    }

    /// A file of this machine cannot be read or written.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.0.kind == Kind::Local
    }

    /// The answer is a success that cannot be read as its type.
    #[must_use]
    pub fn is_decode(&self) -> bool {
        self.0.kind == Kind::Decode
    }

    /// How long to wait before the next call: what the server asks for (`Retry-After`, in seconds or as a
    /// date), or the time for which the circuit breaker stays open.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.wait.or_else(|| retry_after(self.headers()?))
    }
}
