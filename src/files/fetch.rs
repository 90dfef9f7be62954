//! Requests for files, which may be on any host.

use reqwest::Response;
use reqwest::header::{ACCEPT, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};

use crate::transport::CallOptions;
use crate::{Client, Result};

/// Requests a file without content encoding, so that ranges, sizes and checksums are those of the file. The API key is not
/// sent.
pub(super) async fn fetch(client: &Client, url: &Url, headers: &[(HeaderName, HeaderValue)]) -> Result<Response> {
    let mut request = Request::new(Method::GET, url.clone());
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
    for (name, value) in headers {
        request.headers_mut().insert(name, value.clone());
    }
    client.shared.fetch(request, CallOptions::default()).await
}
