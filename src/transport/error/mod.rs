//! The error type of the crate: its construction and its text.

mod questions;
mod server;
mod url;

use std::error::Error as StdError;
use std::path::Path;
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::transport::address::Private;
use crate::transport::body::BodyError;
use crate::transport::retry::Repeatable;

pub use self::server::FieldError;
#[cfg(feature = "main-datasets")]
pub(crate) use self::url::masked;

/// A result whose error type is [`Error`] by default.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of every call, whatever the API and the kind of failure.
///
/// It has methods instead of variants, so that new kinds of failures can be added without breaking programs. Its text names
/// the operation, the status, the server's message, and the URL: without its query, which may contain personal data; that
/// of a file with it, where the values of parameters named after secrets (`key`, `token`, `secret`, `password`, `signature`,
/// `credential`, `auth`, `session`, `jwt`, `policy` and their like) are replaced by `…`. See
/// [the guide](crate::guide::errors) for an overview.
///
/// ```
/// fn advice(error: &datagouv::Error) -> &'static str {
///     match () {
///         () if error.is_not_found() => "it does not exist",
///         () if error.is_gone() => "it was deleted",
///         () if error.is_unauthorized() => "the API key is missing, wrong, revoked or expired",
///         () if !error.field_errors().is_empty() => "the server refused a field",
///         () => "try later",
///     }
/// }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    operation: Option<&'static str>,
    request: Option<String>,
    /// Where redirects of the request led to.
    redirected: Option<String>,
    response: Option<ResponseParts>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    attempts: u32,
    elapsed: Duration,
    cause: Option<Cause>,
    circuit_open: bool,
    budget_exhausted: bool,
    /// How long to wait, if it is not the server that says so.
    wait: Option<Duration>,
}

/// The cause of a failure, beyond its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// A failure that may not happen to the next attempt.
    Transient,
    TimedOut,
    Stalled,
    /// The time limit of the whole call has passed: no attempt may follow.
    DeadlineElapsed,
    TooLarge,
    Private,
    Saturated,
    /// The file was changed while it was read.
    Changed,
    UnexpectedContent,
}

struct ResponseParts {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The request could not be built from the arguments.
    Request,
    /// The client refused to send the request.
    Refused,
    /// No response arrived, or not all of it.
    Transport,
    /// The status of the response is not 2xx.
    Status,
    /// The response is a success that cannot be decoded.
    Decode,
    /// The object was changed after it was read.
    Conflict,
    /// The deadline of a wait has passed.
    Deadline,
    /// The file does not match its declared size or checksum.
    Corrupt,
    /// A local file cannot be read or written.
    Local,
}

impl Error {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            operation: None,
            request: None,
            redirected: None,
            response: None,
            source: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            cause: None,
            circuit_open: false,
            budget_exhausted: false,
            wait: None,
        }))
    }

    fn because(mut self, cause: Cause) -> Self {
        self.0.cause = Some(cause);
        self
    }

    pub(crate) fn request(message: impl Into<String>) -> Self {
        Self::new(Kind::Request, message)
    }

    pub(crate) fn transport(message: impl Into<String>) -> Self {
        Self::new(Kind::Transport, message)
    }

    /// Converts an error of reqwest, without its URL: the URL is shown separately, without its query.
    pub(crate) fn from_reqwest(error: reqwest::Error) -> Self {
        if let Some(body) = found::<BodyError>(&error) {
            return Self::broken_body(*body);
        }
        if let Some(private) = found::<Private>(&error) {
            return Self::private(private.clone());
        }
        let kind = if error.is_builder() { Kind::Request } else { Kind::Transport };
        let message = match () {
            () if error.is_timeout() => "the time limit has passed",
            () if error.is_connect() => "cannot connect to the server",
            () if error.is_builder() => "the request cannot be built",
            () if error.is_body() || error.is_decode() => "the body broke off",
            () => "the connection broke off",
        };
        // What TLS refuses, such as a certificate, would be refused again.
        let refused = error.is_connect() && found::<io::Error>(&error).is_some_and(is_invalid_data);
        let mut made = Self::new(kind, message);
        made.0.cause = match () {
            () if kind == Kind::Request || refused => None,
            () if error.is_timeout() => Some(Cause::TimedOut),
            () => Some(Cause::Transient),
        };
        made.0.source = Some(Box::new(error.without_url()));
        made
    }

    /// The error of a body that a time limit ended.
    pub(crate) fn broken_body(error: BodyError) -> Self {
        let cause = match error {
            BodyError::Stalled(_) => Cause::Stalled,
            BodyError::DeadlineElapsed(_) => Cause::DeadlineElapsed,
        };
        Self::transport(error.to_string()).because(cause)
    }

    pub(crate) fn head_timed_out(limit: Duration) -> Self {
        Self::transport(format!("no response within {limit:?}")).because(Cause::TimedOut)
    }

    pub(crate) fn private(private: Private) -> Self {
        Self::new(Kind::Refused, private.to_string()).because(Cause::Private)
    }

    pub(crate) fn circuit_open(host: &str, wait: Duration) -> Self {
        let message = format!("the circuit breaker of {host} is open after failures in a row: try again in {wait:.0?}");
        let mut error = Self::new(Kind::Refused, message).of_open_circuit();
        error.0.wait = Some(wait);
        error
    }

    pub(crate) fn saturated(host: &str) -> Self {
        let message = format!(
            "all requests in flight to {host} are held by responses whose bodies are not read: read or drop them first"
        );
        Self::new(Kind::Refused, message).because(Cause::Saturated)
    }

    pub(crate) fn too_large(status: StatusCode, headers: HeaderMap, limit: usize) -> Self {
        let mut error = Self::new(
            Kind::Decode,
            format!("the response is longer than {limit} bytes: raise `max_response_size` to accept it"),
        );
        error.0.response = Some(ResponseParts { status, headers, body: Bytes::new() });
        error.because(Cause::TooLarge)
    }

    pub(crate) fn status_failure(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        let mut error = Self::new(Kind::Status, "");
        error.0.response = Some(ResponseParts { status, headers, body });
        error.0.message = error.server_message().unwrap_or_default();
        error
    }

    pub(crate) fn decode(
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        path: &str,
        source: serde_json::Error,
    ) -> Self {
        let location = if path.is_empty() || path == "." {
            "the response".to_owned()
        } else {
            format!("`{path}` of the response")
        };
        let mut error = Self::new(Kind::Decode, format!("{location} cannot be decoded"));
        error.0.response = Some(ResponseParts { status, headers, body });
        error.0.source = Some(Box::new(source));
        error
    }

    /// The error of a success whose body is not as expected, and not JSON.
    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self::new(Kind::Decode, message)
    }

    /// The error of an object that was changed after it was read.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// The error of a wait whose deadline has passed.
    pub(crate) fn deadline(message: impl Into<String>) -> Self {
        Self::new(Kind::Deadline, message)
    }

    /// The error of a file that exceeds the limit in memory.
    pub(crate) fn file_too_large(limit: usize) -> Self {
        Self::unreadable(format!("the file is longer than {limit} bytes")).because(Cause::TooLarge)
    }

    /// The error of a file that does not match its declared size or checksum.
    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(Kind::Corrupt, message)
    }

    /// The error of a file that was changed while it was read.
    pub(crate) fn file_changed() -> Self {
        Self::corrupt("the file was changed while it was read: open it again").because(Cause::Changed)
    }

    /// The error of a file that does not begin as its declared format does; `first` is how it begins.
    pub(crate) fn unexpected_content(message: String, status: StatusCode, headers: HeaderMap, first: Bytes) -> Self {
        let mut error = Self::new(Kind::Decode, message);
        error.0.response = Some(ResponseParts { status, headers, body: first });
        error.because(Cause::UnexpectedContent)
    }

    /// The error of a file that did not pass the check of the caller.
    #[cfg(feature = "files")]
    pub(crate) fn check_failed(name: &str, error: Box<dyn StdError + Send + Sync>) -> Self {
        Self::new(Kind::Refused, format!("`{name}` was not sent, because its check failed: {error}")).with_source(error)
    }

    /// Adds to the message.
    #[cfg(feature = "files")]
    #[must_use]
    pub(crate) fn in_detail(mut self, detail: &str) -> Self {
        if !self.0.message.is_empty() {
            self.0.message.push_str(", ");
        }
        self.0.message.push_str(detail);
        self
    }

    /// The error of a local file.
    pub(crate) fn local(path: &Path, error: io::Error) -> Self {
        Self::new(Kind::Local, format!("{}: {error}", path.display())).with_source(error)
    }

    #[must_use]
    pub(crate) fn of_file(mut self, url: &reqwest::Url) -> Self {
        self.0.request = Some(format!("GET {}", url::of_file(url)));
        self
    }

    #[must_use]
    pub(crate) fn of_operation(mut self, operation: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    #[must_use]
    pub(crate) fn of_request(mut self, method: &reqwest::Method, url: &reqwest::Url) -> Self {
        self.0.request.get_or_insert_with(|| format!("{method} {}", url::of_call(url)));
        self
    }

    /// Says where redirects led to.
    #[must_use]
    pub(crate) fn redirected_to(mut self, url: &reqwest::Url, is_file: bool) -> Self {
        self.0.redirected = Some(if is_file { url::of_file(url) } else { url::of_call(url) });
        self
    }

    #[must_use]
    pub(crate) fn of_attempts(mut self, attempts: u32, elapsed: Duration) -> Self {
        (self.0.attempts, self.0.elapsed) = (attempts, elapsed);
        self
    }

    #[must_use]
    pub(crate) fn of_open_circuit(mut self) -> Self {
        self.0.circuit_open = true;
        self
    }

    #[must_use]
    pub(crate) fn of_exhausted_budget(mut self) -> Self {
        self.0.budget_exhausted = true;
        self
    }

    /// Returns whether the same request may be sent again.
    pub(crate) fn asks_again(&self, request: Repeatable) -> bool {
        match (self.0.kind, self.status()) {
            (Kind::Status, Some(status)) => request.after(status),
            (Kind::Transport, _) => {
                matches!(self.0.cause, Some(Cause::Transient | Cause::TimedOut | Cause::Stalled))
            }
            _ => false,
        }
    }

    #[must_use]
    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    // Generated code uses the name of progenitor's own error variant.
    #[allow(non_snake_case)]
    pub(crate) fn InvalidRequest(reason: String) -> Self {
        Self::request(reason)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{operation}: ")?;
        }
        match (self.0.kind, self.status()) {
            (Kind::Status, Some(status)) => {
                write!(f, "the server responded with {status}")?;
                if !self.0.message.is_empty() {
                    write!(f, ": {}", self.0.message)?;
                }
            }
            _ => f.write_str(&self.0.message)?,
        }
        let Some(request) = &self.0.request else { return Ok(()) };
        write!(f, " ({request}")?;
        if let Some(url) = &self.0.redirected {
            write!(f, ", redirected to {url}")?;
        }
        if self.0.attempts > 1 {
            write!(f, ", sent {} times", self.0.attempts)?;
        }
        f.write_str(")")
    }
}

/// Finds an error of a type in the chain of sources.
fn found<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next: Option<&'a (dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Returns whether the error, or one that it wraps, is of invalid data.
fn is_invalid_data(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == io::ErrorKind::InvalidData || inner.is_some_and(is_invalid_data)
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("operation", &self.0.operation)
            .field("request", &self.0.request)
            .field("status", &self.status())
            .field("attempts", &self.0.attempts)
            .field("elapsed", &self.0.elapsed)
            .field("cause", &self.0.cause)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        Self::from_reqwest(error)
    }
}

impl From<reqwest::header::InvalidHeaderValue> for Error {
    fn from(error: reqwest::header::InvalidHeaderValue) -> Self {
        Self::request("a header value contains characters that HTTP does not allow").with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_the_failure_and_omits_query_and_credentials() {
        let url = reqwest::Url::parse("https://user:pass@www.data.gouv.fr/api/1/datasets/?q=secret").unwrap();
        let body = Bytes::from_static(br#"{"message": "nope"}"#);
        let error = Error::status_failure(StatusCode::BAD_REQUEST, HeaderMap::new(), body);
        let error = error.of_operation("create_dataset").of_request(&reqwest::Method::POST, &url);
        assert_eq!(
            error.to_string(),
            "create_dataset: the server responded with 400 Bad Request: nope (POST https://www.data.gouv.fr/api/1/datasets/)"
        );
    }
}
