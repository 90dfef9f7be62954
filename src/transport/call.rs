//! A request and the type of its response: what the builder of an operation becomes.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use reqwest::Request;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::CallParts;
use super::endpoint::Endpoint;
use super::options::CallOptions;
use super::raw_response::ResponseBody;
use super::response::{Decode, FromResponse};
use super::send::send;
use crate::codec::in_place::InPlace;
use crate::{Api, ByteStream, Error, Operation, Response, Result};

/// A request that is ready to be sent, and the type of its response.
///
/// The `call` method of every builder returns one, to set what the API's document does not have: other parameters and
/// headers, time limits, another response type. It borrows nothing.
///
/// ```no_run
/// # #[cfg(feature = "main-datasets")]
/// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
/// use std::time::Duration;
///
/// #[derive(serde::Deserialize)]
/// struct Titled {
///     title: String,
/// }
///
/// let dataset = client
///     .main()
///     .get_dataset()
///     .dataset("a-slug-or-id")
///     .call()
///     .query("lang", "en")
///     .timeout(Duration::from_secs(5))
///     .json::<Titled>()
///     .send()
///     .await?;
/// println!("{}", dataset.title);
/// # Ok(())
/// # }
/// ```
#[must_use = "a call does nothing until it is sent"]
pub struct Call<T> {
    /// The part that is compiled once for all response types.
    parts: Box<CallParts>,
    operation: &'static Operation,
    /// How the response becomes its type.
    decode: Decode<T>,
    response: PhantomData<fn() -> T>,
}

impl<T> Call<T> {
    pub(crate) fn new(endpoint: &Endpoint, operation: &'static Operation, request: Result<Request>) -> Self
    where
        T: FromResponse,
    {
        Self::read_by(T::read, endpoint, operation, request)
    }

    /// Creates a call of an operation that returns JSON.
    pub(crate) fn of_json(endpoint: &Endpoint, operation: &'static Operation, request: Result<Request>) -> Self
    where
        T: for<'de> InPlace<'de>,
    {
        Self::read_by(ResponseBody::read_typed, endpoint, operation, request)
    }

    fn read_by(
        decode: Decode<T>,
        endpoint: &Endpoint,
        operation: &'static Operation,
        request: Result<Request>,
    ) -> Self {
        let (endpoint, options) = (endpoint.clone(), CallOptions::default());
        let parts = Box::new(CallParts { endpoint, operation: Some(operation), request, options });
        Self { parts, operation, decode, response: PhantomData }
    }

    /// Changes the response type.
    pub(crate) fn with_response<U: FromResponse>(self) -> Call<U> {
        Call { parts: self.parts, operation: self.operation, decode: U::read, response: PhantomData }
    }

    /// Adds a query parameter, whether the API's document has it or not.
    pub fn query(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.map_request(|request| {
            request.url_mut().query_pairs_mut().append_pair(name.as_ref(), value.as_ref());
            Ok(())
        })
    }

    /// Sets a header, whether the API's document has it or not. The header of the API key is ignored: set the key with
    /// [`ClientBuilder::api_key`](crate::ClientBuilder::api_key).
    ///
    /// [`send`](Self::send) returns an error if HTTP does not allow the name or the value.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.map_request(|request| {
            let name = HeaderName::try_from(name)
                .map_err(|error| Error::request(format!("`{name}` is not a valid header name")).with_source(error))?;
            let value = HeaderValue::from_str(value)?;
            request.headers_mut().insert(name, value);
            Ok(())
        })
    }

    /// Sets the time limit of the whole call, its retries and its body included. Default: the client's
    /// [`Timeouts::call`](crate::Timeouts::call).
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.parts.options.timeout = Some(limit);
        self
    }

    /// Sets the time limit for the response headers. Default: the client's
    /// [`Timeouts::head`](crate::Timeouts::head).
    pub fn head_timeout(mut self, limit: Duration) -> Self {
        self.parts.options.head_timeout = Some(limit);
        self
    }

    /// Sets the time limit for silence within the response body. Default: the client's
    /// [`Timeouts::idle`](crate::Timeouts::idle).
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.parts.options.idle_timeout = Some(limit);
        self
    }

    /// Allows retries of a request that is not idempotent (POST, PATCH), even after failures where the server may have acted
    /// on it.
    pub fn repeatable(mut self) -> Self {
        self.parts.options.repeatable = true;
        self
    }

    /// Sets the body of the request, as JSON.
    ///
    /// [`send`](Self::send) returns an error if `value` cannot be serialized.
    pub fn body(self, value: &(impl Serialize + ?Sized)) -> Self {
        self.map_request(|request| {
            let body = serde_json::to_vec(value)
                .map_err(|error| Error::request("the request body cannot be serialized as JSON").with_source(error))?;
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.into());
            Ok(())
        })
    }

    /// Decodes the response, which is JSON, as another type.
    pub fn json<U: DeserializeOwned>(self) -> Call<U> {
        self.with_response()
    }

    /// Returns the body of the response as a stream of bytes, whatever its media type.
    pub fn bytes(self) -> Call<ByteStream> {
        self.map_request(|request| {
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
            Ok(())
        })
        .with_response()
    }

    /// Returns the request as built so far, without the API key; `None` if it is invalid, in which case
    /// [`send`](Self::send) returns the error.
    #[must_use]
    pub fn request(&self) -> Option<&Request> {
        self.parts.request.as_ref().ok()
    }

    /// Sends the request and decodes the response.
    ///
    /// # Errors
    ///
    /// Returns an error if the request is invalid, if no response arrives, if its status is not 2xx, or if its body cannot be
    /// decoded.
    pub fn send(mut self) -> impl Future<Output = Result<Response<T>>> + Send + use<T>
    where
        T: FromResponse,
    {
        self.parts.options.body_mode = T::BODY_MODE;
        let (sent, decode) = (send(self.parts), self.decode);
        async move { decode(sent.await?, None) }
    }

    /// Clones the call; `None` if its body is a stream.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        let CallParts { endpoint, operation, request, options } = &*self.parts;
        let request = Ok(request.as_ref().ok()?.try_clone()?);
        let parts = CallParts { endpoint: endpoint.clone(), operation: *operation, request, options: *options };
        Some(Self { parts: Box::new(parts), operation: self.operation, decode: self.decode, response: PhantomData })
    }

    /// Modifies the request, if it is valid.
    pub(crate) fn map_request(mut self, change: impl FnOnce(&mut Request) -> Result<()>) -> Self {
        if let Ok(request) = &mut self.parts.request
            && let Err(error) = change(request)
        {
            self.parts.request = Err(error);
        }
        self
    }

    /// The query of the request, to build the same one again.
    pub(crate) fn into_query(self) -> Result<String> {
        Ok(self.parts.request?.url().query().unwrap_or_default().to_owned())
    }

    /// How the response becomes its type.
    pub(crate) fn decode(&self) -> Decode<T> {
        self.decode
    }

    /// Returns the operation. A call made by [`Client::request`](crate::Client::request) has one without a path.
    #[must_use]
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Returns the API that the request is sent to; `None` if it is sent to a URL of no API.
    #[must_use]
    pub fn api(&self) -> Option<Api> {
        self.parts.endpoint.api
    }

    /// Returns the request as built so far, without the API key.
    ///
    /// # Errors
    ///
    /// Returns what [`send`](Self::send) would: the reason why the request is invalid.
    pub fn into_request(self) -> Result<Request> {
        self.parts.request
    }
}

/// A builder that becomes a [`Call`]: those of all operations.
///
/// For code that takes any operation, such as rules of a test server.
///
/// ```
/// # #[cfg(feature = "main-datasets")]
/// # fn main() -> datagouv::Result<()> {
/// use datagouv::IntoCall;
///
/// fn name_of(request: impl IntoCall) -> &'static str {
///     request.into_call().operation().name
/// }
///
/// let client = datagouv::Client::new()?;
/// assert_eq!(name_of(client.main().get_dataset()), "get_dataset");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "main-datasets"))]
/// # fn main() {}
/// ```
pub trait IntoCall {
    /// The type of the response.
    type Response;

    /// Returns the request with what was set so far.
    fn into_call(self) -> Call<Self::Response>;
}

impl<T> IntoCall for Call<T> {
    type Response = T;

    fn into_call(self) -> Self {
        self
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query and the headers may contain personal data.
        let path = self.parts.request.as_ref().map(|request| request.url().path());
        f.debug_struct("Call")
            .field("operation", &self.operation.name)
            .field("path", &path)
            .field("options", &self.parts.options)
            .finish_non_exhaustive()
    }
}
