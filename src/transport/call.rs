//! A request on its way: what the builder of an operation becomes when it is sent.

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
use crate::{ByteStream, Error, Operation, Response, Result};

/// The request of an operation, ready to be sent, and the type of its answer.
///
/// Every builder becomes one: by `send`, unseen, or by `call`, to say what the document of the API does not
/// know of. It owns all that it needs.
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
    /// What is compiled once for all types of answers.
    parts: Box<CallParts>,
    operation: &'static Operation,
    /// How the answer is read, where it is not the type's own way.
    decode: Option<Decode<T>>,
    answer: PhantomData<fn() -> T>,
}

impl<T> Call<T> {
    pub(crate) fn new(endpoint: &Endpoint, operation: &'static Operation, request: Result<Request>) -> Self {
        let (endpoint, options) = (endpoint.clone(), CallOptions::default());
        let parts = Box::new(CallParts { endpoint, operation: Some(operation), request, options });
        Self { parts, operation, decode: None, answer: PhantomData }
    }

    /// Of an operation that answers JSON.
    pub(crate) fn of_json(endpoint: &Endpoint, operation: &'static Operation, request: Result<Request>) -> Self
    where
        T: for<'de> InPlace<'de>,
    {
        Self { decode: Some(ResponseBody::decode_answer), ..Self::new(endpoint, operation, request) }
    }

    /// The same call, its answer read as another type.
    pub(crate) fn answering<U>(self) -> Call<U> {
        Call { parts: self.parts, operation: self.operation, decode: None, answer: PhantomData }
    }

    /// Adds a parameter to the query, also one that the document does not know.
    pub fn query(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.map_request(|request| {
            request.url_mut().query_pairs_mut().append_pair(name.as_ref(), value.as_ref());
            Ok(())
        })
    }

    /// Sets a header, also one that the document does not know. The API key's own cannot be set: the client
    /// knows where it may go.
    ///
    /// A name or a value that HTTP does not allow is the error of [`send`](Self::send).
    pub fn header(self, name: &str, value: &str) -> Self {
        self.map_request(|request| {
            let name = HeaderName::try_from(name)
                .map_err(|error| Error::request(format!("`{name}` is no name of a header")).with_source(error))?;
            let value = HeaderValue::from_str(value)?;
            request.headers_mut().insert(name, value);
            Ok(())
        })
    }

    /// The time that the whole call may take, its body included, instead of the client's
    /// ([`Timeouts::call`](crate::Timeouts::call)).
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.parts.options.timeout = Some(limit);
        self
    }

    /// The time that the head of the answer may take, instead of the client's
    /// ([`Timeouts::head`](crate::Timeouts::head)).
    pub fn head_timeout(mut self, limit: Duration) -> Self {
        self.parts.options.head_timeout = Some(limit);
        self
    }

    /// The time in which nothing of the answer's body may come, instead of the client's
    /// ([`Timeouts::idle`](crate::Timeouts::idle)).
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.parts.options.idle_timeout = Some(limit);
        self
    }

    /// Says that a request which is not idempotent (a POST, a PATCH) may be sent again after a failure that
    /// leaves open whether the server has acted on it.
    pub fn repeatable(mut self) -> Self {
        self.parts.options.repeatable = true;
        self
    }

    /// Gives the request a body of JSON.
    ///
    /// What cannot be written as JSON is the error of [`send`](Self::send).
    pub fn body(self, value: &(impl Serialize + ?Sized)) -> Self {
        self.map_request(|request| {
            let body = serde_json::to_vec(value)
                .map_err(|error| Error::request("the body cannot be written as JSON").with_source(error))?;
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.into());
            Ok(())
        })
    }

    /// Reads the answer, which is JSON, as another type.
    pub fn json<U: DeserializeOwned>(self) -> Call<U> {
        self.answering()
    }

    /// Gives the body of the answer as it comes, whatever it is.
    pub fn bytes(self) -> Call<ByteStream> {
        self.map_request(|request| {
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
            Ok(())
        })
        .answering()
    }

    /// The request as it stands, without the API key; `None` where it could not be made, which is the error
    /// of [`send`](Self::send).
    #[must_use]
    pub fn request(&self) -> Option<&Request> {
        self.parts.request.as_ref().ok()
    }

    /// Sends it.
    ///
    /// # Errors
    ///
    /// Where the request could not be made, no answer came, the answer is not a success, or it cannot be
    /// read as its type.
    pub fn send(mut self) -> impl Future<Output = Result<Response<T>>> + Send + use<T>
    where
        T: FromResponse,
    {
        self.parts.options.reading = T::BODY_MODE;
        let (sent, decode) = (send(self.parts), self.decode);
        async move {
            let answered = sent.await?;
            match decode {
                Some(decode) => decode(ResponseBody::of(answered)?, None),
                None => T::read(answered),
            }
        }
    }

    /// The same call once more, to be sent beside this one; `None` where its body is a stream.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        let CallParts { endpoint, operation, request, options } = &*self.parts;
        let request = Ok(request.as_ref().ok()?.try_clone()?);
        let parts = CallParts { endpoint: endpoint.clone(), operation: *operation, request, options: *options };
        Some(Self { parts: Box::new(parts), operation: self.operation, decode: self.decode, answer: PhantomData })
    }

    /// Changes the request.
    pub(crate) fn map_request(mut self, change: impl FnOnce(&mut Request) -> Result<()>) -> Self {
        if let Ok(request) = &mut self.parts.request
            && let Err(error) = change(request)
        {
            self.parts.request = Err(error);
        }
        self
    }

    /// How the answer is read, where it is not the type's own way.
    pub(crate) fn decode(&self) -> Option<Decode<T>> {
        self.decode
    }

    pub(crate) fn operation(&self) -> &'static Operation {
        self.operation
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query and the headers may hold what their sender wants to keep.
        let path = self.parts.request.as_ref().map(|request| request.url().path());
        f.debug_struct("Call")
            .field("operation", &self.operation.name)
            .field("path", &path)
            .field("options", &self.parts.options)
            .finish_non_exhaustive()
    }
}
