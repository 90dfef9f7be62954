//! The one way of all requests: where they may go, what they carry, how redirects are followed, how failures
//! are read.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, LOCATION,
    TRANSFER_ENCODING,
};
use reqwest::{Method, Request, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::call::CallOptions;
use crate::response::OperationName;
use crate::runtime::REFUSED_ARGUMENT;
use crate::{Error, Operation, Result};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const API_VERSION: HeaderName = HeaderName::from_static("api-version");

/// Browsers and clients stop about here; the platform never needs more than two.
const MAX_REDIRECTS: usize = 10;

/// An error's body is for reading: beyond this it is cut.
const MAX_ERROR_BODY: usize = 1 << 20;

/// What all the clients of a [`Client`](crate::Client) share.
pub(crate) struct Shared {
    pub http: reqwest::Client,
    pub api_key: Option<SecretString>,
    /// Whether the key may go over http to a host that is not this machine.
    pub insecure_key: bool,
}

/// Where one API is, and what its requests may carry.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) shared: Arc<Shared>,
    /// The base URL, or why there is none.
    pub(crate) base: Arc<Result<Url, String>>,
    /// Whether the API knows the platform's key.
    pub(crate) keyed: bool,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("base", &(*self.base).as_ref().map(Url::as_str)).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// The base URL as text, without a slash at its end; of a host that cannot be where there is no API.
    pub(crate) fn base_url(&self) -> String {
        let base = (*self.base).as_ref().map_or("http://absent.invalid", Url::as_str);
        base.trim_end_matches('/').to_owned()
    }

    /// The URL of a path below the base URL.
    pub(crate) fn url_of(&self, path: &str) -> Result<Url> {
        let refused = |reason: &str| Error::request(format!("the path `{path}` {reason}"));
        let base = self.base_url();
        let url = Url::parse(&format!("{base}/{}", path.trim_start_matches('/')))
            .map_err(|error| refused("makes no URL").with_source(error))?;
        let below_base = Url::parse(&base).is_ok_and(|base| below(url.path(), base.path()));
        if below_base { Ok(url) } else { Err(refused("leaves the base URL")) }
    }

    /// Sends a request of an operation, and brings back a success or the error.
    pub(crate) async fn exec(
        &self,
        mut request: Request,
        operation: &'static Operation,
        options: CallOptions,
    ) -> Result<Response> {
        let (method, url) = (request.method().clone(), request.url().clone());
        if options.timeout.is_some() {
            *request.timeout_mut() = options.timeout;
        }
        let name = operation.name;
        let mut response =
            self.send(request).await.map_err(|error| error.of_operation(name).of_request(&method, &url))?;
        response.extensions_mut().insert(OperationName(name));
        Ok(response)
    }

    async fn send(&self, mut request: Request) -> Result<Response> {
        let base = (*self.base).as_ref().map_err(|reason| Error::request(reason.clone()))?;
        if request.url().path().contains(REFUSED_ARGUMENT) {
            return Err(Error::request(
                "an argument of the path is empty, `.` or `..`, or holds a NUL: it would be another path",
            ));
        }
        // progenitor's own; the platform does not know it.
        request.headers_mut().remove(API_VERSION);
        for _ in 0..=MAX_REDIRECTS {
            self.authenticate(&mut request, base)?;
            let again = Again::of(&request);
            let response = self.shared.http.execute(request).await?;
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            match redirect(&response, &again)? {
                Some(target) => request = again.to(status, target)?,
                None => return Err(failure(response).await),
            }
        }
        Err(Error::transport(format!("more than {MAX_REDIRECTS} redirects")))
    }

    /// The key goes to the API's own origin and paths, and nowhere else.
    fn authenticate(&self, request: &mut Request, base: &Url) -> Result<()> {
        request.headers_mut().remove(API_KEY);
        let Some(key) = self.shared.api_key.as_ref().filter(|_| self.keyed) else { return Ok(()) };
        let url = request.url();
        let within = url.origin() == base.origin() && below(url.path(), base.path());
        let private = url.scheme() == "https" || is_loopback(url) || self.shared.insecure_key;
        if within && !private {
            return Err(Error::request(format!(
                "the API key is not sent over {} to {}: use https",
                url.scheme(),
                url.host_str().unwrap_or_default()
            )));
        }
        if within {
            let mut value = HeaderValue::from_str(key.expose_secret())
                .map_err(|_| Error::request("the API key holds characters that a header cannot"))?;
            value.set_sensitive(true);
            request.headers_mut().insert(API_KEY, value);
        }
        Ok(())
    }
}

/// Whether a path is below a base path, at a segment's border.
fn below(path: &str, base: &str) -> bool {
    path.strip_prefix(base.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}

/// What is needed of a request to send it once more elsewhere.
struct Again {
    method: Method,
    url: Url,
    headers: HeaderMap,
    copy: Option<Request>,
}

impl Again {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            url: request.url().clone(),
            headers: request.headers().clone(),
            copy: request.try_clone(),
        }
    }

    fn to(self, status: StatusCode, target: Url) -> Result<Request> {
        let keeps_body = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        let reads = matches!(self.method, Method::GET | Method::HEAD);
        let same_origin = target.origin() == self.url.origin();
        let mut request = if reads || !keeps_body {
            Request::new(if reads { self.method } else { Method::GET }, target)
        } else if !same_origin {
            return Err(Error::transport("the server sends the body on to another origin"));
        } else {
            let mut copy = self
                .copy
                .ok_or_else(|| Error::transport("the server sends the body elsewhere, and it can be read only once"))?;
            *copy.url_mut() = target;
            copy
        };
        if same_origin {
            let lost = if reads || !keeps_body { &[CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING][..] } else { &[] };
            *request.headers_mut() = self.headers;
            lost.iter().for_each(|name| drop(request.headers_mut().remove(name)));
        } else if let Some(accept) = self.headers.get(ACCEPT) {
            request.headers_mut().insert(ACCEPT, accept.clone());
        }
        for name in [API_KEY, AUTHORIZATION, COOKIE] {
            request.headers_mut().remove(name);
        }
        Ok(request)
    }
}

/// Where an answer sends its request, if it does.
fn redirect(response: &Response, from: &Again) -> Result<Option<Url>> {
    let follows = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.headers().get(LOCATION).filter(|_| follows) else { return Ok(None) };
    // Locations are often raw UTF-8, which a header's text is not.
    let location = std::str::from_utf8(location.as_bytes())
        .map_err(|error| Error::transport("the redirect is not text").with_source(error))?;
    let target =
        from.url.join(location).map_err(|error| Error::transport("the redirect is not a URL").with_source(error))?;
    match target.scheme() {
        // Even over http nothing secret is left to overhear: no key, no cookie, no credentials.
        "https" | "http" => Ok(Some(target)),
        scheme => Err(Error::transport(format!("a redirect to {scheme} is not followed"))),
    }
}

async fn failure(mut response: Response) -> Error {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    // What broke off is still worth reading; the status says enough.
    while let Ok(Some(chunk)) = response.chunk().await {
        let left = MAX_ERROR_BODY - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(left)]);
        if body.len() == MAX_ERROR_BODY {
            break;
        }
    }
    Error::status_failure(status, headers, Bytes::from(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_ends_at_a_segment() {
        assert!(below("/api/1/datasets/", "/api/1"));
        assert!(below("/api/1", "/api/1/"));
        assert!(!below("/api/10/datasets/", "/api/1"));
        assert!(!below("/avatars/x.png", "/api/1"));
    }

    #[test]
    fn this_machine_is_known_by_its_addresses() {
        for (url, loopback) in [
            ("http://127.0.0.1:1/", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("http://localhost.example.org/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), loopback, "{url}");
        }
    }
}
