//! The rows of a query that is sent in several parts, in blocks.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::blocks::Block;
use super::request::Request;
use super::row::Row;
use super::source::Source;
use super::stream::RowStream;
use crate::{Client, Error, Result};

/// Merges the rows one by one, by their numbers: such a query is rare.
pub(super) struct Merged {
    rows: RowStream<Row>,
    block: Vec<Row>,
    batch_size: usize,
    ended: bool,
    /// Yielded after the last block.
    error: Option<Error>,
}

impl Merged {
    pub(super) fn new(client: &Client, source: &Source, request: &Request, batch_size: usize) -> Self {
        let rows = RowStream::new(client.clone(), source.clone(), request.clone());
        Self { rows, block: Vec::new(), batch_size, ended: false, error: None }
    }

    /// The next block. `None` after an error.
    pub(super) fn poll_block(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Block>>> {
        while !self.ended && self.block.len() < self.batch_size {
            match ready!(Pin::new(&mut self.rows).poll_next(context)) {
                Some(Ok(row)) => self.block.push(row),
                ended => (self.ended, self.error) = (true, ended.and_then(Result::err)),
            }
        }
        if self.block.is_empty() {
            return Poll::Ready(self.error.take().map(Err));
        }
        Poll::Ready(Some(Ok(Block::Rows(std::mem::take(&mut self.block)))))
    }
}
