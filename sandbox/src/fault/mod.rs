//! A server that fails on purpose: real sockets and raw bytes, so that every fault is exact.
//!
//! It stands before a [`Sandbox`](crate::Sandbox) or answers on its own, and a plan says what goes wrong
//! with which request. It keeps what arrived, so that a test can prove what was sent, and how often.
//!
//! ```no_run
//! # async fn example() {
//! use datagouv_sandbox::{Api, Sandbox};
//! use datagouv_sandbox::fault::{Fault, FaultServer};
//!
//! let sandbox = Sandbox::start_platform().await;
//! let server = FaultServer::before(&sandbox).await;
//! server.fault_once(Fault::ResetBeforeHeaders);
//! println!("{}/datasets/", server.url(Api::Main));
//! assert_eq!(server.requests().len(), 2, "the lost one, and the one that came again");
//! # }
//! ```

pub(crate) mod arrival;
#[cfg(feature = "gzip")]
mod bomb;
pub(crate) mod play;
mod server;
#[cfg(feature = "tls")]
mod tls;
mod upstream;

use std::time::Duration;

use bytes::Bytes;

pub use arrival::Arrival;
pub use server::FaultServer;
#[cfg(feature = "tls")]
pub use tls::UntrustedServer;

use crate::answer::Reply;

/// What goes wrong with one request.
///
/// Where the answer is harmed on its way, the request has been served: what it changes is changed. Where the
/// answer is another one ([`Fault::Reply`]), and in [`Fault::ResetInRequest`], it has not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is reset after so many bytes of the request's body.
    ResetInRequest(usize),
    /// The connection is reset where the answer would begin.
    ResetBeforeHeaders,
    /// The connection is closed where the answer would begin.
    CloseBeforeHeaders,
    /// The server is gone: the connection is reset, and its port refuses all others, until
    /// [`FaultServer::open`].
    Vanish,
    /// The connection is closed in the midst of the headers.
    CutHeaders,
    /// The connection is reset between the headers and the body.
    ResetAfterHeaders,
    /// The connection is closed after so many bytes of the body, whose length was announced.
    CutBody(usize),
    /// The connection is reset after so many bytes of the body, whose length was announced.
    ResetBody(usize),
    /// Nothing comes, and the connection stays open.
    StallBeforeHeaders,
    /// Nothing comes after so many bytes of the body, and the connection stays open.
    StallBody(usize),
    /// The whole body comes, byte by byte, with this pause before each; without one, other tasks run in between.
    Drip(Duration),
    /// The length that is announced is larger than the body by so many bytes; then the connection is closed.
    LengthTooLarge(usize),
    /// The length that is announced is smaller than the body by so many bytes.
    LengthTooSmall(usize),
    /// A chunked body is closed after so many bytes, without its last chunk.
    CutChunked(usize),
    /// A chunked body has a chunk whose size is no number, after so many bytes.
    InvalidChunk(usize),
    /// The body is its first half, in a message that is whole.
    Halved,
    /// A compressed body lacks its second half, in a message that is whole.
    #[cfg(feature = "gzip")]
    TruncatedGzip,
    /// A compressed body becomes so many bytes when it is unpacked.
    #[cfg(feature = "gzip")]
    GzipBomb(u64),
    /// So many bytes of headers, without end.
    HugeHeaders(u64),
    /// A byte in the midst of the body is one that UTF-8 never has.
    InvalidUtf8,
    /// The answer is fine; the connection, said to stay open, answers nothing after it.
    DeadAfterwards,
    /// The answer is fine; the connection, said to stay open, is closed when the next request comes on it.
    ClosedAfterwards,
    /// Another answer.
    Reply(Reply),
}

impl Fault {
    /// A page for people where an answer was expected.
    #[must_use]
    pub fn html() -> Self {
        Self::Reply(Reply::new(200, "text/html; charset=utf-8", "<!doctype html><title>Maintenance</title>"))
    }

    /// A success without a body.
    #[must_use]
    pub fn empty() -> Self {
        Self::Reply(Reply::empty(200))
    }

    /// A failure, in the platform's words.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Reply(Reply::json(status, &serde_json::json!({"message": "on purpose"})))
    }

    /// 429, with `Retry-After` if it is given.
    #[must_use]
    pub fn too_many_requests(retry_after: Option<&str>) -> Self {
        let Self::Reply(reply) = Self::status(429) else { unreachable!("a status is a reply") };
        Self::Reply(match retry_after {
            Some(value) => reply.with_header("retry-after", value),
            None => reply,
        })
    }

    /// A redirect of a status to a place.
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::Reply(Reply { body: Bytes::new(), ..Reply::empty(status) }.with_header("location", location))
    }

    /// Whether the request is served before the fault shows.
    pub(crate) fn serves(&self) -> bool {
        match self {
            Self::ResetInRequest(_) | Self::Reply(_) | Self::HugeHeaders(_) => false,
            #[cfg(feature = "gzip")]
            Self::GzipBomb(_) => false,
            _ => true,
        }
    }
}
