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
use serde::de::{DeserializeOwned, Error as _};

use super::context::CallContext;
use super::options::BodyMode;
use super::raw_response::{RawResponse, ResponseBody};
use crate::codec::decode::{EmptyBody, decode, decode_response};
use crate::codec::in_place::InPlace;
use crate::{Deviation, Error, Result};

/// The value of a successful response, with its status and headers.
///
/// It dereferences to the value; [`into_inner`](Self::into_inner) returns the value.
#[derive(Clone, PartialEq)]
pub struct Response<T> {
    value: T,
    status: StatusCode,
    headers: HeaderMap,
    deviations: Vec<Deviation>,
}

/// Adds the operation and the request to an error.
fn named(error: Error, context: Option<&CallContext>) -> Error {
    match context {
        Some(context) => context.name(error),
        None => error,
    }
}

impl<T> Response<T> {
    fn new(value: T, status: StatusCode, headers: HeaderMap) -> Self {
        Self { value, status, headers, deviations: Vec::new() }
    }

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

    /// Returns the values that do not have the type of their fields, in the order of the response; usually none.
    ///
    /// They are not errors: such a field keeps its default, and an item of a list is left out. They are also reported to
    /// [`Observe::deviated`](crate::observe::Observe::deviated), and to `tracing` at level debug. Properties that the
    /// platform's document does not name are not deviations: see `unknown()` of the type that contains them. Types of your
    /// own are decoded by their own `Deserialize`, and have no deviations.
    ///
    /// ```no_run
    /// # #[cfg(feature = "main-datasets")]
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// let dataset = client.main().get_dataset().dataset("a-slug-or-id").send().await?;
    /// for deviation in dataset.deviations() {
    ///     eprintln!("{deviation}: {}", deviation.found);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }
}

/// A type that a call can return: any type that can be deserialized from JSON, or [`ByteStream`].
///
/// Zero-sized types such as `()` accept any response, whose body is not read.
pub trait FromResponse: Sized {
    #[doc(hidden)]
    const BODY_MODE: BodyMode;

    #[doc(hidden)]
    fn read(raw: RawResponse, needed: Option<&str>) -> Result<Response<Self>>;
}

impl<T: DeserializeOwned> FromResponse for T {
    const BODY_MODE: BodyMode = if size_of::<T>() == 0 { BodyMode::Discard } else { BodyMode::Buffer };

    fn read(raw: RawResponse, _: Option<&str>) -> Result<Response<T>> {
        let body = ResponseBody::of(raw)?;
        // `()`, a struct without fields, an empty array.
        if size_of::<T>() == 0
            && let Some(value) = ["null", "{}", "[]"].into_iter().find_map(|text| serde_json::from_str(text).ok())
        {
            return Ok(Response::new(value, body.status, body.headers));
        }
        match decode(empty_body(body.status), &body.bytes) {
            Ok(value) => Ok(Response::new(value, body.status, body.headers)),
            Err(error) => Err(body.unreadable(&error.path().to_string(), error.into_inner())),
        }
    }
}

impl ResponseBody {
    /// Decodes the body as the type of a response, and reports deviations.
    pub(crate) fn read_typed<T>(raw: RawResponse, needed: Option<&str>) -> Result<Response<T>>
    where
        T: for<'de> InPlace<'de>,
    {
        let body = Self::of(raw)?;
        let (value, mismatch) = match decode_response(empty_body(body.status), &body.bytes) {
            Ok(read) => read,
            Err(error) => return Err(body.unreadable(&error.path().to_string(), error.into_inner())),
        };
        let deviations = mismatch.map(|mismatch| mismatch.deviations()).unwrap_or_default();
        body.context.deviated(&deviations);
        if let Some(missing) = deviations.iter().find(|deviation| needed == Some(&deviation.path)) {
            return Err(body.unreadable(&missing.path, serde_json::Error::custom(missing)));
        }
        Ok(Response { deviations, ..Response::new(value, body.status, body.headers) })
    }

    #[cold]
    fn unreadable(self, path: &str, error: serde_json::Error) -> Error {
        let Self { bytes, status, headers, context } = self;
        context.name(Error::decode(status, headers, bytes, path, error))
    }
}

/// Decodes a response into its type. It is an error if the named property, without which the value is useless, does not
/// match its field.
pub(crate) type Decode<T> = fn(RawResponse, Option<&str>) -> Result<Response<T>>;

/// How an empty body is decoded: a response with 200 or 201 promises a body, one with another successful status may have none.
fn empty_body(status: StatusCode) -> EmptyBody {
    match status {
        StatusCode::OK | StatusCode::CREATED => EmptyBody::Null,
        _ => EmptyBody::Empty,
    }
}

impl FromResponse for ResponseBody {
    const BODY_MODE: BodyMode = BodyMode::Buffer;

    fn read(raw: RawResponse, _: Option<&str>) -> Result<Response<Self>> {
        let body = Self::of(raw)?;
        let (status, headers) = (body.status, body.headers.clone());
        Ok(Response::new(body, status, headers))
    }
}

impl FromResponse for ByteStream {
    const BODY_MODE: BodyMode = BodyMode::Stream;

    fn read(raw: RawResponse, _: Option<&str>) -> Result<Response<Self>> {
        let response = match raw {
            RawResponse::Buffered(body) => body.into_http().into(),
            RawResponse::Streaming(response) => response,
        };
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Response::new(Self::new(response), status, headers))
    }
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
    context: Option<Arc<CallContext>>,
}

impl ByteStream {
    fn new(response: reqwest::Response) -> Self {
        let context = CallContext::of(&response);
        Self { inner: Box::pin(response.bytes_stream()), context }
    }

    /// A body that is in memory.
    #[cfg(feature = "_internals")]
    pub(crate) fn of_chunks(chunks: Vec<Bytes>) -> Self {
        Self { inner: Box::pin(futures_util::stream::iter(chunks.into_iter().map(Ok))), context: None }
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
        let context = self.context.clone();
        let bytes = self.bytes().await?;
        String::from_utf8(bytes)
            .map_err(|error| named(Error::transport("the text is not UTF-8").with_source(error), context.as_deref()))
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { inner, context: call } = &mut *self;
        inner.as_mut().poll_next(context).map_err(|error| named(error.into(), call.as_deref()))
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByteStream")
    }
}
