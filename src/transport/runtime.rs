//! The seam to the generated clients: what their code calls, under the names that progenitor gives it.

use progenitor_client::QueryParam;
pub use progenitor_client::{ClientInfo, OperationInfo};
use reqwest::header::HeaderValue;
use reqwest::{Request, Url};
use serde::Serialize;

pub use crate::Error;
use crate::transport::form::FormBody;
pub use crate::transport::response::{ByteStream, Response as ResponseValue};

/// The generator knows hooks; here every request goes through [`Call`](crate::Call) instead.
#[allow(dead_code)]
pub(crate) trait ClientHooks<Inner = ()> {}

/// Bodies that are forms. The generator knows one kind of form; which kind it is, the body says.
pub(crate) trait RequestBuilderExt: Sized {
    fn form_urlencoded<Body: FormBody>(self, body: &Body) -> Result<Self, Error>;
}

impl RequestBuilderExt for reqwest::RequestBuilder {
    fn form_urlencoded<Body: FormBody>(self, body: &Body) -> Result<Self, Error> {
        body.form().apply(self)
    }
}

/// Converts an optional argument; `refused` is the error.
#[inline]
pub(crate) fn optional<T, V: TryInto<T>>(value: V, refused: &'static str) -> Result<Option<T>, String> {
    required(value, refused).map(Some)
}

/// Converts a required argument; `refused` is the error.
#[inline]
pub(crate) fn required<T, V: TryInto<T>>(value: V, refused: &'static str) -> Result<T, String> {
    value.try_into().map_err(|_| refused.to_owned())
}

/// Builds a request from the arguments of an operation; an argument that cannot be sent becomes the error.
pub(crate) struct RequestBuilder(Result<Request, Error>);

impl RequestBuilder {
    pub(crate) fn new(request: reqwest::Result<Request>) -> Self {
        Self(request.map_err(Error::from))
    }

    /// Adds a query parameter, if its value is not empty.
    pub(crate) fn query<T: Serialize>(mut self, name: &str, value: Result<T, String>) -> Self {
        if let Ok(request) = &mut self.0
            && let Err(reason) = value.and_then(|value| append(request.url_mut(), name, &value))
        {
            self.0 = Err(Error::InvalidRequest(reason));
        }
        self
    }

    /// Adds a header, if there is a value.
    pub(crate) fn header<T: ToString>(mut self, name: &'static str, value: Result<Option<T>, String>) -> Self {
        if let Ok(request) = &mut self.0 {
            match value.map(|value| value.map(|value| HeaderValue::try_from(value.to_string()))) {
                Ok(None) => {}
                Ok(Some(Ok(value))) => {
                    request.headers_mut().append(name, value);
                }
                Ok(Some(Err(error))) => self.0 = Err(error.into()),
                Err(reason) => self.0 = Err(Error::InvalidRequest(reason)),
            }
        }
        self
    }

    pub(crate) fn done(self) -> crate::Result<Request> {
        self.0
    }
}

fn append<T: Serialize>(url: &mut Url, name: &str, value: &T) -> Result<(), String> {
    let appended = QueryParam::new(name, value)
        .serialize(serde_urlencoded::Serializer::new(&mut url.query_pairs_mut()))
        .map(drop)
        .map_err(|error| format!("`{name}` cannot be a parameter: {error}"));
    if url.query() == Some("") {
        url.set_query(None);
    }
    appended
}

/// The characters that are not encoded in a path segment, other than letters and digits.
const SEGMENT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b'.')
    .remove(b':')
    .remove(b'@')
    .remove(b',');

/// Marks an argument of a path that must not be sent. It is also what a NUL becomes.
pub(crate) const REFUSED_ARGUMENT: &str = "%00";

/// Encodes an argument of a path as one segment of it.
pub(crate) fn encode_path(argument: &str) -> String {
    match argument {
        // As they are, and even percent-encoded, these change the path: an execution refuses the mark.
        "" | "." | ".." => REFUSED_ARGUMENT.to_owned(),
        _ => percent_encoding::utf8_percent_encode(argument, SEGMENT).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_never_changes_the_path() {
        for argument in ["..", ".", "../x", "a/b", "a?b", "a#b", "%2e%2e", "a\\b", "\r\nx", "é", " "] {
            let url = format!("https://h/api/1/datasets/{}/resources/", encode_path(argument));
            let url = reqwest::Url::parse(&url).unwrap();
            let segments: Vec<&str> = url.path_segments().unwrap().collect();
            assert_eq!(segments.len(), 6, "{argument:?}: {url}");
            assert_eq!((url.query(), url.fragment()), (None, None), "{argument:?}: {url}");
        }
    }

    #[test]
    fn characters_of_ids_are_not_encoded() {
        assert_eq!(encode_path("fr:commune:75056"), "fr:commune:75056");
        assert_eq!(encode_path("fr:region:11,country:fr"), "fr:region:11,country:fr");
    }
}
