//! Entry points of the fuzz targets and the benchmarks.

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use serde::de::DeserializeOwned;

use crate::{Client, Error};

/// Decodes the body of a response.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    use crate::codec::decode::{EmptyBody, decode};

    decode(EmptyBody::Null, body).map_err(|error| format!("{}: {}", error.path(), error.inner()))
}

/// Returns the error of a response with this body and this `Retry-After`.
pub fn failure(status: StatusCode, retry_after: Option<HeaderValue>, body: &[u8]) -> Error {
    let mut headers = HeaderMap::new();
    if let Some(value) = retry_after {
        headers.insert(RETRY_AFTER, value);
    }
    Error::status_failure(status, headers, Bytes::copy_from_slice(body))
}

/// Returns the file name in a `Content-Disposition` header.
#[cfg(feature = "files")]
pub fn file_name(disposition: HeaderValue) -> Option<String> {
    let headers = HeaderMap::from_iter([(reqwest::header::CONTENT_DISPOSITION, disposition)]);
    crate::files::name_of_response(&headers)
}

/// Returns the query string of a condition on rows; `None` if the client has to check it on the rows.
pub fn query_string(condition: crate::rows::Condition) -> Result<Option<String>, Error> {
    crate::rows::query_string(&condition)
}

/// Returns the rows of an export that is in memory, as the chunks of a body, instead of one that the server sends. The
/// columns are those of the table, each with its type in a profile: `int`, `datetime_aware`.
///
/// The query takes no condition, order or limit. A client remembers the columns of one such table.
pub fn rows_of_export<T>(client: &Client, columns: &[(&str, &str)], chunks: Vec<Bytes>) -> crate::rows::Rows<T> {
    crate::rows::of_export(client, columns, chunks)
}
