//! What arrived at the sandbox, as a test wants to look at it.

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::http::request::Parts;

use crate::Api;

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Received {
    /// The API whose base the path starts with.
    pub api: Option<Api>,
    /// The operation, where the path and the method name one.
    pub operation_id: Option<String>,
    /// The method, in capitals.
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
    /// What the document forbids in this request, where it forbids something.
    pub violation: Option<String>,
}

impl Received {
    pub(crate) fn new(parts: &Parts, body: Bytes) -> Self {
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let query_pairs = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self {
            api: None,
            operation_id: None,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query,
            query_pairs,
            headers: parts.headers.clone(),
            body,
            violation: None,
        }
    }

    /// A header's text, None where it is absent or not readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON, null where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
