//! Where an answer sends its request on to, and what goes there.

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION, PROXY_AUTHORIZATION, RANGE,
    TRANSFER_ENCODING,
};
use reqwest::{Method, Request, Response, StatusCode, Url};

use super::key::API_KEY;
use crate::{Error, Result};

/// Browsers and clients stop about here; the platform never needs more than two.
pub(super) const MAX_REDIRECTS: usize = 10;

/// Where an answer sends its request on to, if it does.
pub(super) fn target(request: &Request, answer: &Response) -> Result<Option<Url>> {
    let follows = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = answer.headers().get(LOCATION).filter(|_| follows) else { return Ok(None) };
    // Locations are often raw UTF-8, which a header's text is not.
    let location = std::str::from_utf8(location.as_bytes())
        .map_err(|error| Error::transport("the redirect is not text").with_source(error))?;
    let target = request
        .url()
        .join(location)
        .map_err(|error| Error::transport("the redirect is not a URL").with_source(error))?;
    match target.scheme() {
        // Even over http nothing secret is left to overhear: no key, no cookie, no credentials, no body.
        "https" | "http" => Ok(Some(target)),
        scheme => Err(Error::transport(format!("a redirect to {scheme} is not followed"))),
    }
}

/// The request that goes there; `once` tells that its body, which could be read only once, is gone.
pub(super) fn sent_on(request: &Request, once: bool, status: StatusCode, target: Url) -> Result<Request> {
    let (method, headers) = (request.method(), request.headers());
    let keeps_body = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if !reads && !keeps_body && status != StatusCode::SEE_OTHER {
        // Clients make a GET of it, whose success would be taken for that of what was never done.
        return Err(Error::transport(format!("the server answers a {method} with {status}: not followed")));
    }
    let same_origin = target.origin() == request.url().origin();
    let mut sent_on = if reads || !keeps_body {
        Request::new(if reads { method.clone() } else { Method::GET }, target)
    } else if !same_origin {
        return Err(Error::transport("the server sends the body on to another origin"));
    } else {
        let mut copy = request
            .try_clone()
            .filter(|_| !once)
            .ok_or_else(|| Error::transport("the server sends the body elsewhere, and it can be read only once"))?;
        *copy.url_mut() = target;
        copy
    };
    if same_origin {
        let lost = if reads || !keeps_body { &[CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING][..] } else { &[] };
        *sent_on.headers_mut() = headers.clone();
        lost.iter().for_each(|name| drop(sent_on.headers_mut().remove(name)));
    } else {
        // What is asked for stays; who asks is none of another's business.
        for name in [ACCEPT, ACCEPT_ENCODING, RANGE, reqwest::header::IF_RANGE] {
            if let Some(value) = headers.get(&name) {
                sent_on.headers_mut().insert(name, value.clone());
            }
        }
    }
    for name in [API_KEY, AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
        sent_on.headers_mut().remove(name);
    }
    Ok(sent_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent_on(method: Method, status: u16, target: &str) -> Result<Request> {
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
        super::sent_on(&request, false, status.try_into().unwrap(), target.parse().unwrap())
    }

    fn names(request: &Request) -> Vec<&str> {
        let mut names: Vec<&str> = request.headers().keys().map(reqwest::header::HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn nothing_secret_is_sent_on_even_to_the_same_origin() {
        let request = sent_on(Method::GET, 302, "https://h/y").unwrap();
        assert_eq!(names(&request), ["accept", "range", "x-fields"]);
    }

    #[test]
    fn another_origin_learns_what_is_asked_for_and_no_more() {
        for target in ["https://other/y", "http://h/y", "https://h:8443/y"] {
            let request = sent_on(Method::GET, 302, target).unwrap();
            assert_eq!(names(&request), ["accept", "range"]);
            assert!(request.body().is_none());
        }
    }

    #[test]
    fn a_body_goes_on_within_its_origin_where_the_status_keeps_it() {
        for status in [307, 308] {
            let request = sent_on(Method::PUT, status, "https://h/y").unwrap();
            assert_eq!((request.method(), request.body().unwrap().as_bytes()), (&Method::PUT, Some(&b"body"[..])));
            assert!(sent_on(Method::PUT, status, "http://h/y").is_err());
        }
        let request = sent_on(Method::POST, 303, "https://h/y").unwrap();
        assert_eq!((request.method(), request.body().is_none()), (&Method::GET, true));
        assert!(!names(&request).contains(&"content-type"));
    }

    #[test]
    fn a_write_that_would_become_a_read_is_not_followed() {
        for status in [301, 302] {
            for method in [Method::POST, Method::PUT, Method::DELETE] {
                let error = sent_on(method, status, "https://h/y").unwrap_err();
                assert!(error.to_string().contains("not followed"), "{error}");
            }
            assert_eq!(sent_on(Method::HEAD, status, "https://h/y").unwrap().method(), Method::HEAD);
        }
    }
}
