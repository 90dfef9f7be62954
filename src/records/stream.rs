//! Streams of records.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::table::{Detected, Table};
use crate::Result;
#[cfg(feature = "tabular")]
use crate::rows::RowStream;

/// A [`Stream`] of the rows of a file; made by [`Records::open`](super::Records::open) and [`read`](super::read).
///
/// Memory does not grow with the file. A row that cannot be decoded is an error with its line and column
/// ([`is_decode`](crate::Error::is_decode)), and the rows behind it follow. Bytes that cannot be decoded or unpacked, and a
/// transfer that breaks off, end the stream with their error.
#[must_use = "a stream does nothing until it is polled"]
pub struct RecordStream<T> {
    rows: Inner<T>,
    origin: RecordSource,
    so_far: u64,
}

enum Inner<T> {
    #[cfg(feature = "tabular")]
    Rows(Box<RowStream<T>>),
    File(Box<Table>, std::marker::PhantomData<fn() -> T>),
}

/// Where the rows of a [`RecordStream`] come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordSource {
    /// The tabular API.
    Tabular,
    /// The file itself.
    #[non_exhaustive]
    File {
        /// Why not the tabular API; `None` for a file that was opened with [`read`](super::read).
        reason: Option<String>,
        /// How the file is written.
        detected: Detected,
    },
}

impl fmt::Display for RecordSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::File { reason, detected } = self else { return f.write_str("the tabular API") };
        write!(f, "the file, {} with ", detected.encoding)?;
        match detected.separator {
            Some(separator) => write!(f, "the separator {separator:?}")?,
            None => f.write_str("one column")?,
        }
        match reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

// Nothing in it is pinned.
impl<T> Unpin for RecordStream<T> {}

impl<T: DeserializeOwned> RecordStream<T> {
    #[cfg(feature = "tabular")]
    pub(super) fn of_rows(rows: RowStream<T>) -> Self {
        Self { rows: Inner::Rows(Box::new(rows)), origin: RecordSource::Tabular, so_far: 0 }
    }

    pub(super) fn of_file(table: Table, reason: Option<String>) -> Self {
        let origin = RecordSource::File { reason, detected: table.detected().clone() };
        Self { rows: Inner::File(Box::new(table), std::marker::PhantomData), origin, so_far: 0 }
    }

    /// Returns the next row, or `None` after the last.
    ///
    /// It is cancel-safe: no row is lost in `select!`.
    pub async fn next(&mut self) -> Option<Result<T>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns where the rows come from.
    #[must_use]
    pub fn source(&self) -> &RecordSource {
        &self.origin
    }

    /// Returns the names of the columns, in order; of rows of the tabular API, none.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        match &self.rows {
            #[cfg(feature = "tabular")]
            Inner::Rows(_) => Vec::new(),
            Inner::File(table, _) => table.columns().collect(),
        }
    }

    /// Returns the number of rows that the stream has yielded, errors of rows included.
    #[must_use]
    pub fn so_far(&self) -> u64 {
        self.so_far
    }
}

impl<T: DeserializeOwned> Stream for RecordStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let row = ready!(match &mut this.rows {
            #[cfg(feature = "tabular")]
            Inner::Rows(rows) => Pin::new(rows.as_mut()).poll_next(context),
            Inner::File(table, _) => {
                let row = table.poll_row(context);
                // An encoding that shows late.
                if let RecordSource::File { detected, .. } = &mut this.origin {
                    detected.encoding = table.detected().encoding;
                }
                row
            }
        });
        this.so_far += u64::from(row.is_some());
        Poll::Ready(row)
    }
}

impl<T> fmt::Debug for RecordStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordStream")
            .field("origin", &self.origin)
            .field("so_far", &self.so_far)
            .finish_non_exhaustive()
    }
}
