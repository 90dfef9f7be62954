//! The log of the requests that arrived at the sandbox.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde::de::DeserializeOwned;

use crate::Api;
use crate::api::Apis;
use crate::fault::RawRequest;
use crate::form::{self, Field};

/// A request as it was received.
#[derive(Debug, Clone)]
pub struct Received {
    /// The API whose base the path starts with.
    pub api: Option<Api>,
    /// The operation of the path and the method, if there is one.
    pub operation_id: Option<String>,
    /// The method, in upper case.
    pub method: String,
    /// The whole path as it was sent, still encoded.
    pub path: String,
    /// The query as it was sent, still encoded; empty when there is none.
    pub query: String,
    /// The query's parameters in their order, decoded once.
    pub query_pairs: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How the request violates the document, if it does.
    pub violation: Option<String>,
}

impl Received {
    pub(crate) fn new(request: &RawRequest) -> Self {
        // Servers drop a fragment, which no client should send.
        let query = request.query().split('#').next().unwrap_or_default().to_owned();
        let query_pairs = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self {
            api: None,
            operation_id: None,
            method: request.method.clone(),
            path: request.path().split('#').next().unwrap_or_default().to_owned(),
            query,
            query_pairs,
            headers: request.header_map(),
            body: request.body.clone(),
            violation: None,
        }
    }

    /// A header's text, None where it is absent or not readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as a value of a type, such as the one that an operation takes.
    ///
    /// # Panics
    ///
    /// When the body is not of the type.
    #[track_caller]
    pub fn decode<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!(
                "the body of {} {} does not have the type that it is decoded as: {error}",
                self.method, self.path
            ),
        }
    }

    /// The fields of a body that is a form.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the form.
    pub fn form(&self) -> Result<Vec<Field>, String> {
        let content_type = self.header("content-type").unwrap_or_default();
        if content_type.starts_with("multipart/") {
            form::multipart(content_type, &self.body)
        } else {
            Ok(form::urlencoded(&self.body))
        }
    }

    /// The body as JSON, null where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Requests that arrived, in their order; made by [`Sandbox::received`](crate::Sandbox::received).
#[derive(Debug, Clone)]
pub struct Requests {
    requests: Vec<Received>,
    apis: Arc<Apis>,
}

impl Requests {
    pub(crate) fn new(requests: Vec<Received>, apis: Arc<Apis>) -> Self {
        Self { requests, apis }
    }

    /// Those for an operation of any API, by the `operationId` of its document or by its method in the client.
    ///
    /// # Panics
    ///
    /// When no API has such an operation.
    #[track_caller]
    #[must_use]
    pub fn of(&self, operation: &str) -> Self {
        let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
        let wanted = plain(operation);
        let mut known = self.apis.iter().flat_map(|(_, routes)| routes.operations());
        assert!(known.any(|known| plain(&known.id) == wanted), "no API has an operation `{operation}`");
        self.filter(|request| request.operation_id.as_deref().is_some_and(|id| plain(id) == wanted))
    }

    /// Those for a path of the server.
    #[must_use]
    pub fn of_path(&self, path: &str) -> Self {
        self.filter(|request| request.path == path)
    }

    fn filter(&self, keep: impl Fn(&Received) -> bool) -> Self {
        let requests = self.requests.iter().filter(|request| keep(request)).cloned().collect();
        Self { requests, apis: Arc::clone(&self.apis) }
    }
}

impl Deref for Requests {
    type Target = [Received];

    fn deref(&self) -> &[Received] {
        &self.requests
    }
}
