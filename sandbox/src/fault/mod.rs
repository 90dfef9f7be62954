//! A server that fails on purpose: real sockets and raw bytes, so that every fault is exact.
//!
//! It is a proxy of a [`Sandbox`](crate::Sandbox) or makes its own responses, and a plan sets which request fails,
//! and how. It logs what arrived, so that a test can assert what was sent, and how often.
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
//! assert_eq!(server.requests().len(), 2, "the lost request, and its retry");
//! # }
//! ```

#[cfg(feature = "gzip")]
mod bomb;
pub(crate) mod play;
pub(crate) mod raw_request;
mod server;
#[cfg(feature = "tls")]
mod tls;
mod upstream;

use std::time::Duration;

use bytes::Bytes;

pub use raw_request::RawRequest;
pub use server::FaultServer;
#[cfg(feature = "tls")]
pub use tls::UntrustedServer;

use crate::response::Reply;

/// A fault of one request.
///
/// A fault of the response comes after the request has been served: what it changes is changed. With
/// [`Fault::Reply`] and [`Fault::ResetInRequest`], the request is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is reset after so many bytes of the request's body.
    ResetInRequest(usize),
    /// The connection is reset before the response.
    ResetBeforeHeaders,
    /// The connection is closed before the response.
    CloseBeforeHeaders,
    /// The server stops: the connection is reset, and its port refuses all others, until
    /// [`FaultServer::open`].
    StopServer,
    /// The connection is closed within the headers.
    CutHeaders,
    /// The connection is reset between the headers and the body.
    ResetAfterHeaders,
    /// The connection is closed after so many bytes of the body, whose length was announced.
    CutBody(usize),
    /// The connection is reset after so many bytes of the body, whose length was announced.
    ResetBody(usize),
    /// Nothing is sent, and the connection stays open.
    StallBeforeHeaders,
    /// Nothing is sent after so many bytes of the body, and the connection stays open.
    StallBody(usize),
    /// The whole body is sent byte by byte, with this pause before each; if it is zero, other tasks run in between.
    Drip(Duration),
    /// The length that is announced is larger than the body by so many bytes; then the connection is closed.
    LengthTooLarge(usize),
    /// The length that is announced is smaller than the body by so many bytes.
    LengthTooSmall(usize),
    /// A chunked body is closed after so many bytes, without its last chunk.
    CutChunked(usize),
    /// A chunked body has a chunk whose size is no number, after so many bytes.
    InvalidChunk(usize),
    /// The body is cut to its first half, in a complete message.
    Halved,
    /// A compressed body is cut to its first half, in a complete message.
    #[cfg(feature = "gzip")]
    TruncatedGzip,
    /// A compressed body has so many bytes when it is decompressed.
    #[cfg(feature = "gzip")]
    GzipBomb(u64),
    /// So many bytes of headers, without end.
    HugeHeaders(u64),
    /// A byte in the middle of the body is invalid in UTF-8.
    InvalidUtf8,
    /// The response is intact; on its connection, which is kept alive, no further response is sent.
    DeadAfterwards,
    /// The response is intact; its connection, which is kept alive, is closed when the next request arrives on it.
    ClosedAfterwards,
    /// Another response.
    Reply(Reply),
}

impl Fault {
    /// An HTML page with status 200.
    #[must_use]
    pub fn html() -> Self {
        Self::Reply(Reply::new(200, "text/html; charset=utf-8", "<!doctype html><title>Maintenance</title>"))
    }

    /// A success without a body.
    #[must_use]
    pub fn empty() -> Self {
        Self::Reply(Reply::empty(200))
    }

    /// An error status, with the body of the platform.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Reply(Reply::json(status, &serde_json::json!({"message": "on purpose"})))
    }

    /// 429, with a `Retry-After` header if one is given.
    #[must_use]
    pub fn too_many_requests(retry_after: Option<&str>) -> Self {
        let Self::Reply(reply) = Self::status(429) else { unreachable!("a status is a reply") };
        Self::Reply(match retry_after {
            Some(value) => reply.with_header("retry-after", value),
            None => reply,
        })
    }

    /// A redirect with a status and a location.
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::Reply(Reply { body: Bytes::new(), ..Reply::empty(status) }.with_header("location", location))
    }

    /// Whether the request is served before the fault.
    pub(crate) fn serves(&self) -> bool {
        match self {
            Self::ResetInRequest(_) | Self::Reply(_) | Self::HugeHeaders(_) => false,
            #[cfg(feature = "gzip")]
            Self::GzipBomb(_) => false,
            _ => true,
        }
    }
}
