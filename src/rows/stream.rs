//! Streams of rows.

use std::cmp::Ordering;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::plan::{Reading, Warning};
use super::reader::Reader;
use super::request::Request;
use super::source::Source;
use crate::{Client, Error, Result};

/// A [`Stream`] of rows; made by [`Rows::stream`](super::Rows::stream).
///
/// A row that cannot be decoded is an error, and the rows behind it follow; any other error ends the stream. Dropping the stream
/// cancels its requests.
///
/// Memory does not grow with the table: at most 4 MiB of each window are fetched ahead, and 16 blocks of 64 KiB are decoded ahead.
///
/// Large tables are decoded on several processors. Exports are split into records, and their numbers, truth values and instants
/// decoded, on tokio's threads for blocking work. Your type is deserialized from these values where the stream is polled, so that it
/// need not be `Send`. All columns of an export are decoded: [select](super::Rows::select) those that you need.
///
/// A query whose list of values is too long for one request ([`is_in`](super::Column::is_in)) is sent in parts, whose rows
/// are merged in the order of the table.
#[must_use = "a stream does nothing until it is polled"]
pub struct RowStream<T> {
    source: Source,
    /// One for each part of the query.
    readers: Vec<Reader>,
    /// The next row of each reader, where there are several.
    heads: Vec<Head<T>>,
    descending: bool,
    /// Why nothing is sent.
    refused: Option<Error>,
    limit: Option<u64>,
    so_far: u64,
    ended: bool,
}

enum Head<T> {
    Unknown,
    Row { number: Option<i64>, row: Result<T> },
    Ended,
}

// Nothing in it is pinned.
impl<T> Unpin for RowStream<T> {}

impl<T: DeserializeOwned> RowStream<T> {
    pub(super) fn new(client: Client, source: Source, request: Request) -> Self {
        let (parts, refused) = match request.parts() {
            Ok(parts) => (parts, None),
            Err(error) => (vec![request.clone()], Some(error)),
        };
        let heads = parts.iter().map(|_| Head::Unknown).collect();
        let is_merged = parts.len() > 1;
        let readers = parts.into_iter().map(|part| Reader::new(&client, &source, part, is_merged)).collect();
        Self {
            source,
            readers,
            heads,
            descending: request.descending() == Some(true),
            refused,
            limit: request.limit,
            so_far: 0,
            ended: false,
        }
    }

    /// Returns the next row, or `None` after the last.
    ///
    /// It is cancel-safe: no row is lost in `select!`.
    pub async fn next(&mut self) -> Option<Result<T>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns the number of rows that match, whatever the [limit](super::Rows::limit). It is known with the first row,
    /// unless the query aggregates or has a condition that the client checks.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.readers.iter().map(Reader::total).sum()
    }

    /// Returns the number of rows that the stream has yielded.
    #[must_use]
    pub fn so_far(&self) -> u64 {
        self.so_far
    }

    /// Returns how the rows are read. It is certain from the first row on.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        self.readers.first().map_or(&Reading::Windows, |reader| &reader.plan().reading)
    }

    /// Returns warnings about the values of the rows: those of the table's profile, or all that
    /// [`explain`](super::Rows::explain) gives if the query is [checked](super::Rows::checked). They are known with the
    /// first row.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        self.readers.first().map_or(&[], |reader| &reader.plan().warnings)
    }

    /// The row whose turn it is.
    fn poll_merged(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        if let [reader] = self.readers.as_mut_slice() {
            return reader.poll_row(context);
        }
        let mut waits = false;
        for (reader, head) in self.readers.iter_mut().zip(&mut self.heads) {
            if matches!(head, Head::Unknown) {
                match reader.poll_row(context) {
                    Poll::Ready(Some(row)) => *head = Head::Row { number: reader.number(), row },
                    Poll::Ready(None) => *head = Head::Ended,
                    Poll::Pending => waits = true,
                }
            }
        }
        if waits {
            return Poll::Pending;
        }
        let descending = self.descending;
        let before = |left: Option<i64>, right: Option<i64>| match (left, right) {
            // An error comes at once.
            (None, _) | (_, None) => left.is_some().cmp(&right.is_some()),
            (Some(left), Some(right)) if descending => right.cmp(&left),
            (Some(left), Some(right)) => left.cmp(&right),
        };
        let mut first: Option<(usize, Option<i64>)> = None;
        for (index, head) in self.heads.iter().enumerate() {
            let Head::Row { number, .. } = head else { continue };
            if first.is_none_or(|(_, of_first)| before(*number, of_first) == Ordering::Less) {
                first = Some((index, *number));
            }
        }
        let head = first.and_then(|(index, _)| self.heads.get_mut(index));
        match head.map(|head| std::mem::replace(head, Head::Unknown)) {
            Some(Head::Row { row, .. }) => Poll::Ready(Some(row)),
            _ => Poll::Ready(None),
        }
    }
}

impl<T: DeserializeOwned> Stream for RowStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(error) = this.refused.take() {
            this.ended = true;
            return Poll::Ready(Some(Err(error)));
        }
        if this.ended || this.limit.is_some_and(|limit| this.so_far >= limit) {
            this.readers.iter_mut().for_each(Reader::stop);
            return Poll::Ready(None);
        }
        if let [reader] = this.readers.as_mut_slice()
            && let Some(row) = reader.next_at_hand()
        {
            this.so_far += 1;
            return Poll::Ready(Some(row));
        }
        let Some(row) = ready!(this.poll_merged(context)) else {
            this.ended = true;
            return Poll::Ready(None);
        };
        match &row {
            Ok(_) => this.so_far += 1,
            Err(error) if error.is_decode() => this.so_far += 1,
            Err(_) => this.ended = true,
        }
        Poll::Ready(Some(row))
    }
}

impl<T> fmt::Debug for RowStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowStream")
            .field("source", &self.source)
            .field("parts", &self.readers.len())
            .field("so_far", &self.so_far)
            .finish_non_exhaustive()
    }
}
