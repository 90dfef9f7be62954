//! The rows of an export in memory, for the fuzz targets and the benchmarks.

use std::sync::Arc;

use bytes::Bytes;

use super::open::nothing;
use super::pages::Pending;
use super::profile::{Kind, Schema};
use super::query::Rows;
use super::request::Request;
use super::source::Source;
use crate::{ByteStream, Client, Result};

const RESOURCE: &str = "in-memory";

/// A query whose profile and whose number of rows are known, so that all it would request is the export.
pub(crate) fn of_export<T>(client: &Client, columns: &[(&str, &str)], pieces: Vec<Bytes>) -> Rows<T> {
    let zoned = columns.iter().filter(|(_, python_type)| *python_type == "datetime_aware");
    let schema = Schema {
        columns: columns.iter().map(|(name, python_type)| ((*name).to_owned(), Kind::of(python_type))).collect(),
        ordered: true,
        zoned: zoned.map(|(name, _)| (*name).to_owned()).collect(),
        ..Schema::default()
    };
    client.tables.set(RESOURCE, Arc::new(schema));
    let mut rows = Rows::new(client, Source::Resource(RESOURCE.to_owned()));
    // It is read as one export, and more rows than these are not missed.
    rows.request.extent = Some(nothing(&rows.source, &rows.request));
    rows.request.export = Some(pieces.into());
    rows
}

impl Request {
    /// The response of an export that is in memory.
    pub(super) fn in_memory(&self) -> Option<Pending<Result<ByteStream>>> {
        let body = ByteStream::of_pieces(self.export.as_ref()?.to_vec());
        Some(Box::pin(std::future::ready(Ok(body))))
    }
}
