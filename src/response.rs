//! Responses of successful calls.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde_path_to_error::Track;

use crate::exec::{Answered, Called, Reading};
use crate::{Error, Result};

/// The value of a successful response, with its status and headers.
///
/// It dereferences to the value; [`into_inner`](Self::into_inner) returns the value.
#[derive(Clone, PartialEq)]
pub struct Response<T> {
    value: T,
    status: StatusCode,
    headers: HeaderMap,
}

/// Adds the operation and the request to an error.
fn named(error: Error, called: Option<&Called>) -> Error {
    match called {
        Some(called) => called.name(error),
        None => error,
    }
}

impl<T> Response<T> {
    /// Returns the value.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Returns the HTTP status, which is 2xx.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the response headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// A type that a call can return: any type that can be deserialized from JSON, or [`ByteStream`].
///
/// Zero-sized types such as `()` accept any response, whose body is not read.
pub trait Answer: Sized {
    #[doc(hidden)]
    const READING: Reading;

    #[doc(hidden)]
    fn read(answered: Answered) -> Result<Response<Self>>;
}

impl<T: DeserializeOwned> Answer for T {
    const READING: Reading = if size_of::<T>() == 0 { Reading::Nothing } else { Reading::Whole };

    fn read(answered: Answered) -> Result<Response<T>> {
        let body = Body::of(answered)?;
        // `()`, a structure without fields, an array of nothing.
        if size_of::<T>() == 0
            && let Some(value) = ["null", "{}", "[]"].into_iter().find_map(|text| serde_json::from_str(text).ok())
        {
            return Ok(Response { value, status: body.status, headers: body.headers });
        }
        body.decode()
    }
}

/// The complete body of a response, not decoded.
pub struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) called: Called,
}

impl Body {
    fn of(answered: Answered) -> Result<Self> {
        match answered {
            Answered::Whole(body) => Ok(body),
            // Unreachable: the body mode of the call is `Whole`.
            Answered::Stream(_) => Err(Error::transport("the answer was not read")),
        }
    }

    pub(crate) fn into_http(self) -> http::Response<Bytes> {
        let mut response = http::Response::new(self.bytes);
        (*response.status_mut(), *response.headers_mut()) = (self.status, self.headers);
        self.called.go_with(response.extensions_mut());
        response
    }

    pub(crate) fn decode<T: DeserializeOwned>(self) -> Result<Response<T>> {
        let Self { bytes, status, headers, called } = self;
        match decode(status, &bytes) {
            Ok(value) => Ok(Response { value, status, headers }),
            Err(error) => {
                let path = error.path().to_string();
                Err(called.name(Error::decode(status, headers, bytes, &path, error.into_inner())))
            }
        }
    }
}

impl Answer for Body {
    const READING: Reading = Reading::Whole;

    fn read(answered: Answered) -> Result<Response<Self>> {
        let body = Self::of(answered)?;
        Ok(Response { status: body.status, headers: body.headers.clone(), value: body })
    }
}

impl Answer for ByteStream {
    const READING: Reading = Reading::Stream;

    fn read(answered: Answered) -> Result<Response<Self>> {
        let response = match answered {
            Answered::Whole(body) => body.into_http().into(),
            Answered::Stream(response) => response,
        };
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Response { value: Self::new(response), status, headers })
    }
}

/// Reads a body. The path to what cannot be read is worked out only when something cannot.
pub(crate) fn decode<T: DeserializeOwned>(
    status: StatusCode,
    body: &[u8],
) -> Result<T, serde_path_to_error::Error<serde_json::Error>> {
    // Checked at once, it is not checked again for each text in it.
    let text = std::str::from_utf8(body);
    if let Some(value) = text.ok().and_then(|text| serde_json::from_str(text).ok()) {
        return Ok(value);
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        // A success without a body, where the document promised one: whatever is empty of its kind. Where the
        // status promises one too (200, 201) it got lost.
        let empty: &[_] = match status {
            StatusCode::OK | StatusCode::CREATED => &["null"],
            _ => &["null", "{}", "[]", "\"\""],
        };
        for empty in empty {
            if let Ok(value) = serde_json::from_str(empty) {
                return Ok(value);
            }
        }
    }
    let mut track = Track::new();
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    T::deserialize(serde_path_to_error::Deserializer::new(&mut deserializer, &mut track))
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| serde_path_to_error::Error::new(track.path(), error))
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Response<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("value", &self.value).finish_non_exhaustive()
    }
}

/// The body of a response as it arrives, a [`Stream`] of [`Bytes`]: CSV, RDF, Atom, images.
///
/// [`bytes`](Self::bytes) and [`text`](Self::text) read all of it.
pub struct ByteStream {
    inner: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    called: Option<Arc<Called>>,
}

impl ByteStream {
    fn new(response: reqwest::Response) -> Self {
        let called = Called::of(&response);
        Self { inner: Box::pin(response.bytes_stream()), called }
    }

    /// Returns the next bytes, or `None` at the end.
    ///
    /// # Errors
    ///
    /// Returns an error if the body breaks off or stalls.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await.transpose()
    }

    /// Reads all bytes into memory, whatever their number.
    ///
    /// # Errors
    ///
    /// Returns an error if the body breaks off or stalls.
    pub async fn bytes(mut self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all)
    }

    /// Reads all bytes into memory as text.
    ///
    /// # Errors
    ///
    /// Returns an error if the body breaks off or stalls, or is not UTF-8.
    pub async fn text(self) -> Result<String> {
        let called = self.called.clone();
        let bytes = self.bytes().await?;
        String::from_utf8(bytes)
            .map_err(|error| named(Error::transport("the text is not UTF-8").with_source(error), called.as_deref()))
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { inner, called } = &mut *self;
        inner.as_mut().poll_next(context).map_err(|error| named(error.into(), called.as_deref()))
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByteStream")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_success_is_whatever_is_empty_of_its_kind() {
        let nothing = StatusCode::NO_CONTENT;
        assert!(decode::<Option<u8>>(nothing, b"").unwrap().is_none());
        assert!(decode::<Vec<u8>>(nothing, b" \n").unwrap().is_empty());
        assert!(decode::<Option<u8>>(StatusCode::OK, b"").unwrap().is_none());
    }

    #[test]
    fn a_body_that_got_lost_is_no_empty_thing() {
        for status in [StatusCode::OK, StatusCode::CREATED] {
            assert!(decode::<Vec<u8>>(status, b"").is_err());
            assert!(decode::<std::collections::BTreeMap<String, u8>>(status, b"\n").is_err());
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_path() {
        let error = decode::<std::collections::BTreeMap<String, Vec<u8>>>(StatusCode::OK, br#"{"data": [1, "x"]}"#)
            .unwrap_err();
        assert_eq!(error.path().to_string(), "data[1]");
    }

    #[test]
    fn what_follows_a_value_is_an_error() {
        let error = decode::<u8>(StatusCode::OK, b"1 2").unwrap_err();
        assert_eq!(error.to_string(), "trailing characters at line 1 column 3");
    }

    #[test]
    fn what_is_not_utf_8_is_an_error_only_where_it_is_read() {
        #[derive(Debug, serde::Deserialize)]
        struct Read {
            read: String,
        }
        let found = decode::<Read>(StatusCode::OK, b"{\"other\": \"\xff\", \"read\": \"a\"}");
        assert_eq!(found.unwrap().read, "a");
        let error = decode::<Read>(StatusCode::OK, b"{\"read\": \"\xff\"}").unwrap_err();
        assert_eq!(error.path().to_string(), "read");
    }
}
