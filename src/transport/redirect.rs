//! Redirects: their targets, and the requests that follow them.

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION, PROXY_AUTHORIZATION, RANGE,
    TRANSFER_ENCODING,
};
use reqwest::{Method, Request, Response, StatusCode, Url};

use super::key::API_KEY;
use crate::{Error, Result};

/// A redirect that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redirect {
    /// The status of the response: 301, 302, 303, 307 or 308.
    pub status: StatusCode,
    /// The URL that it leads to.
    pub url: String,
}

/// The redirects that led to a response, as it carries them.
#[derive(Clone, Default)]
pub(crate) struct Redirects(pub Vec<Redirect>);

/// Browsers and clients stop about here; the platform never needs more than two.
pub(super) const MAX_REDIRECTS: usize = 10;

/// Returns the target of a redirect; `None` if the response is not one.
pub(super) fn target(request: &Request, response: &Response) -> Result<Option<Url>> {
    let follows = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.headers().get(LOCATION).filter(|_| follows) else { return Ok(None) };
    // Locations are often raw UTF-8, which `HeaderValue::to_str` refuses.
    let location = std::str::from_utf8(location.as_bytes())
        .map_err(|error| Error::transport("the redirect is not text").with_source(error))?;
    let target = request
        .url()
        .join(location)
        .map_err(|error| Error::transport("the redirect is not a URL").with_source(error))?;
    match target.scheme() {
        // Allowed over http as well, since the request has no key, no cookie, no credentials and no body.
        "https" | "http" => Ok(Some(target)),
        scheme => Err(Error::transport(format!("a redirect to {scheme} is not followed"))),
    }
}

/// Returns the request that follows a redirect. `once` means that the body could be read only once, and was.
pub(super) fn follow_up(request: &Request, once: bool, status: StatusCode, target: Url) -> Result<Request> {
    let (method, headers) = (request.method(), request.headers());
    let keeps_body = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if !reads && !keeps_body && status != StatusCode::SEE_OTHER {
        // Other clients make a GET of it, whose success would hide that nothing was written.
        return Err(Error::transport(format!(
            "the server responded to {method} with {status}: redirects of writes are not followed"
        )));
    }
    let same_origin = target.origin() == request.url().origin();
    let mut follow_up = if reads || !keeps_body {
        Request::new(if reads { method.clone() } else { Method::GET }, target)
    } else if !same_origin {
        return Err(Error::transport("the server redirects the body to another origin: not followed"));
    } else {
        let mut copy = request
            .try_clone()
            .filter(|_| !once)
            .ok_or_else(|| Error::transport("the server redirects a body that can be read only once: not followed"))?;
        *copy.url_mut() = target;
        copy
    };
    if same_origin {
        let lost = if reads || !keeps_body { &[CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING][..] } else { &[] };
        *follow_up.headers_mut() = headers.clone();
        lost.iter().for_each(|name| drop(follow_up.headers_mut().remove(name)));
    } else {
        // Another origin gets only the headers that select the representation.
        for name in [ACCEPT, ACCEPT_ENCODING, RANGE, reqwest::header::IF_RANGE] {
            if let Some(value) = headers.get(&name) {
                follow_up.headers_mut().insert(name, value.clone());
            }
        }
    }
    for name in [API_KEY, AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
        follow_up.headers_mut().remove(name);
    }
    Ok(follow_up)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow_up(method: Method, status: u16, target: &str) -> Result<Request> {
        let mut request = Request::new(method, "https://h/api/1/x".parse().unwrap());
        *request.body_mut() = Some("body".into());
        for (name, value) in [
            ("accept", "text/csv"),
            ("range", "bytes=5-"),
            ("content-type", "text/plain"),
            ("authorization", "Bearer a"),
            ("cookie", "a=b"),
            ("x-api-key", "key"),
            ("x-fields", "id"),
        ] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        super::follow_up(&request, false, status.try_into().unwrap(), target.parse().unwrap())
    }

    fn names(request: &Request) -> Vec<&str> {
        let mut names: Vec<&str> = request.headers().keys().map(reqwest::header::HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn credentials_are_removed_even_within_the_origin() {
        let request = follow_up(Method::GET, 302, "https://h/y").unwrap();
        assert_eq!(names(&request), ["accept", "range", "x-fields"]);
    }

    #[test]
    fn another_origin_gets_only_headers_that_select_the_representation() {
        for target in ["https://other/y", "http://h/y", "https://h:8443/y"] {
            let request = follow_up(Method::GET, 302, target).unwrap();
            assert_eq!(names(&request), ["accept", "range"]);
            assert!(request.body().is_none());
        }
    }

    #[test]
    fn a_body_follows_307_and_308_within_its_origin() {
        for status in [307, 308] {
            let request = follow_up(Method::PUT, status, "https://h/y").unwrap();
            assert_eq!((request.method(), request.body().unwrap().as_bytes()), (&Method::PUT, Some(&b"body"[..])));
            assert!(follow_up(Method::PUT, status, "http://h/y").is_err());
        }
        let request = follow_up(Method::POST, 303, "https://h/y").unwrap();
        assert_eq!((request.method(), request.body().is_none()), (&Method::GET, true));
        assert!(!names(&request).contains(&"content-type"));
    }

    #[test]
    fn a_write_that_would_become_a_get_is_not_followed() {
        for status in [301, 302] {
            for method in [Method::POST, Method::PUT, Method::DELETE] {
                let error = follow_up(method, status, "https://h/y").unwrap_err();
                assert!(error.to_string().contains("not followed"), "{error}");
            }
            assert_eq!(follow_up(Method::HEAD, status, "https://h/y").unwrap().method(), Method::HEAD);
        }
    }
}
