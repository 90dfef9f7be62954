//! Errors of rows that do not come, or cannot be read.

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::decode::Failure;
use super::records::Malformed;
use super::row::Row;
use crate::Error;

/// The error of rows that do not come though the server counts them.
pub(super) fn missing(received: u64, total: u64) -> Error {
    Error::transport(format!(
        "{received} of {total} rows came: the table changed while it was read, or a response was cut short"
    ))
}

/// The error of an export that is no CSV.
pub(super) fn malformed(reason: Malformed) -> Error {
    Error::unreadable(format!("the export cannot be read: {}", reason.reason()))
}

/// Why a record cannot be read that has more or fewer values than the table has columns.
pub(super) fn uneven(values: usize, columns: usize) -> String {
    format!("the row has {values} values, the table {columns}")
}

/// The error of a row of JSON that cannot be read as its type.
pub(super) fn unreadable_row(number: u64, row: &Row, failure: Failure) -> Error {
    unreadable(number, &serde_json::to_string(row).unwrap_or_default(), failure)
}

/// The error of a row that cannot be read as its type.
pub(super) fn unreadable(number: u64, text: &str, (column, error): Failure) -> Error {
    let place = match column {
        Some(column) => format!("row {number}, column {column}"),
        None => format!("row {number}"),
    };
    Error::decode(StatusCode::OK, HeaderMap::new(), Bytes::copy_from_slice(text.as_bytes()), &place, error)
}
