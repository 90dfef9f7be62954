//! Successful responses before they are decoded.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};

use super::context::CallContext;
use crate::{Error, Result};

/// A success.
pub enum RawResponse {
    /// Its body was read.
    Buffered(ResponseBody),
    /// Its body is to be read.
    Streaming(Response),
}

/// The complete body of a response, not decoded.
pub struct ResponseBody {
    pub(crate) bytes: Bytes,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) context: CallContext,
}

impl ResponseBody {
    pub(crate) fn of(raw: RawResponse) -> Result<Self> {
        match raw {
            RawResponse::Buffered(body) => Ok(body),
            // Unreachable: the body mode of the call is `Buffer`.
            RawResponse::Streaming(_) => Err(Error::transport("the response body was not read")),
        }
    }

    pub(crate) fn into_http(self) -> http::Response<Bytes> {
        let mut response = http::Response::new(self.bytes);
        (*response.status_mut(), *response.headers_mut()) = (self.status, self.headers);
        self.context.attach_to(response.extensions_mut());
        response
    }
}
