//! A request on its way: what the builder of an operation becomes when it is sent.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use reqwest::Request;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exec::Endpoint;
use crate::{ByteStream, Error, Operation, Response, Result};

type Reading<T> = Pin<Box<dyn Future<Output = Result<Response<T>>> + Send>>;

/// What a call asks of the way it is sent, beyond what the client was set up with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallOptions {
    /// The time that the whole call may take, its body included.
    pub timeout: Option<Duration>,
    /// Whether a request that is not idempotent may be sent more than once.
    pub repeatable: bool,
}

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
    endpoint: Endpoint,
    operation: &'static Operation,
    /// The request, or why there is none.
    request: Result<Request>,
    options: CallOptions,
    read: fn(reqwest::Response) -> Reading<T>,
}

impl<T> Call<T> {
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

    /// The time that the whole call may take, its body included, instead of the client's.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.options.timeout = Some(limit);
        self
    }

    /// Says that a request which is not idempotent (a POST, a PATCH) may be sent again after a failure that
    /// leaves open whether the server has acted on it.
    pub fn repeatable(mut self) -> Self {
        self.options.repeatable = true;
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
    pub fn json<U: DeserializeOwned + 'static>(self) -> Call<U> {
        let Self { endpoint, operation, request, options, .. } = self;
        Call { endpoint, operation, request, options, read: |answer| Box::pin(Response::from_response(answer)) }
    }

    /// Gives the body of the answer as it comes, whatever it is.
    pub fn bytes(self) -> Call<ByteStream> {
        let Self { endpoint, operation, request, options, .. } =
            self.map_request(|request| Ok(drop(request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*")))));
        Call { endpoint, operation, request, options, read: |answer| Box::pin(async { Ok(Response::stream(answer)) }) }
    }

    /// The request as it stands, without the API key; `None` where it could not be made, which is the error
    /// of [`send`](Self::send).
    #[must_use]
    pub fn request(&self) -> Option<&Request> {
        self.request.as_ref().ok()
    }

    /// Sends it.
    ///
    /// # Errors
    ///
    /// Where the request could not be made, no answer came, the answer is not a success, or it cannot be
    /// read as its type.
    pub async fn send(self) -> Result<Response<T>> {
        let read = self.read;
        read(self.raw().await?).await
    }

    /// Sends it, and brings back a success whose body is still to be read.
    pub(crate) async fn raw(self) -> Result<reqwest::Response> {
        let Self { endpoint, operation, request, options, .. } = self;
        let request = request.map_err(|error| error.of_operation(operation.name))?;
        endpoint.exec(request, operation, options).await
    }

    /// The same call once more, to be sent beside this one; `None` where its body is a stream.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        let request = Ok(self.request.as_ref().ok()?.try_clone()?);
        let Self { endpoint, operation, options, read, .. } = self;
        Some(Self { endpoint: endpoint.clone(), operation, request, options: *options, read: *read })
    }

    /// Changes the request.
    pub(crate) fn map_request(mut self, change: impl FnOnce(&mut Request) -> Result<()>) -> Self {
        self.request = self.request.and_then(|mut request| change(&mut request).map(|()| request));
        self
    }

    pub(crate) fn operation(&self) -> &'static Operation {
        self.operation
    }
}

// What the generated builders call, by the kind of the operation's answer.

impl<T: DeserializeOwned + 'static> Call<T> {
    pub(crate) fn of_json(endpoint: &Endpoint, operation: &'static Operation, request: Result<Request>) -> Self {
        let read = |answer| -> Reading<T> { Box::pin(Response::from_response(answer)) };
        Self { endpoint: endpoint.clone(), operation, request, options: CallOptions::default(), read }
    }
}

impl Call<ByteStream> {
    pub(crate) fn of_bytes(endpoint: &Endpoint, operation: &'static Operation, request: Result<Request>) -> Self {
        let read = |answer| -> Reading<ByteStream> { Box::pin(async { Ok(Response::stream(answer)) }) };
        Self { endpoint: endpoint.clone(), operation, request, options: CallOptions::default(), read }
    }
}

impl Call<()> {
    pub(crate) fn of_nothing(endpoint: &Endpoint, operation: &'static Operation, request: Result<Request>) -> Self {
        let read = |answer| -> Reading<()> { Box::pin(async { Ok(Response::empty(answer)) }) };
        Self { endpoint: endpoint.clone(), operation, request, options: CallOptions::default(), read }
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query and the headers may hold what their sender wants to keep.
        let path = self.request.as_ref().map(|request| request.url().path());
        f.debug_struct("Call")
            .field("operation", &self.operation.name)
            .field("path", &path)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
