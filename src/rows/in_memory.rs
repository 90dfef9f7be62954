//! The rows of an export in memory, for the fuzz targets and the benchmarks.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::open::nothing;
use super::pages::Pending;
use super::profile::Schema;
use super::query::Rows;
use super::request::Request;
use super::source::Source;
use crate::{ByteStream, Client, Result};

const RESOURCE: &str = "in-memory";

/// A query whose profile and whose number of rows are known, so that all it would request is the export.
pub(crate) fn of_export<T>(client: &Client, columns: &[(&str, &str)], chunks: Vec<Bytes>) -> Rows<T> {
    let types: Map<String, Value> =
        columns.iter().map(|(name, kind)| ((*name).to_owned(), json!({"python_type": kind}))).collect();
    let header: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let profile = json!({"profile": {"header": header, "columns": types}});
    let schema = Schema::from_profile(&profile).unwrap_or_default();
    client.tables.set(RESOURCE, Arc::new(schema));
    let mut rows = Rows::new(client, Source::Resource(RESOURCE.to_owned()));
    // It is read as one export, and more rows than these are not missed.
    rows.request.extent = Some(nothing(&rows.source, &rows.request));
    rows.request.export = Some(chunks.into());
    rows
}

impl Request {
    /// The response of an export that is in memory.
    pub(super) fn export_in_memory(&self) -> Option<Pending<Result<ByteStream>>> {
        let body = ByteStream::of_chunks(self.export.as_ref()?.to_vec());
        Some(Box::pin(std::future::ready(Ok(body))))
    }
}
