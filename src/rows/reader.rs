//! The rows of one query, one at a time, with their numbers.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::task::{Context, Poll, ready};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::blocks::{Block, BlockSize, Blocks};
use super::cells::{Buffers, Cells};
use super::decode;
use super::failure::unreadable_row;
use super::pages::Pending;
use super::plan::Plan;
use super::post_filter::PostFilter;
use super::request::Request;
use super::row::{ROW_NUMBER, Row};
use super::source::Source;
use super::workers::{SMALL_BLOCK, Workers, processors};
use crate::{Client, Error, Result};

const BLOCK: BlockSize = BlockSize { bytes: 64 << 10, rows: 1_000 };

/// The maximum number of blocks that are queued, since each takes memory.
const MOST_QUEUED: usize = 16;

/// How often the stream lets the runtime go on before it begins another block. A runtime of one thread would otherwise not read
/// from its connections as long as there are rows to hand out, and the other processors would have nothing to decode.
const YIELDS: u8 = 2;

/// Reads the rows of a query.
pub(super) struct Reader {
    request: Request,
    blocks: Blocks,
    /// The blocks that have been received, in their order. Rows are taken from the first.
    queue: VecDeque<Queued>,
    workers: Workers,
    /// The memory of blocks whose rows have been handed out.
    spare: Vec<Buffers>,
    /// The number of blocks to queue.
    most_queued: usize,
    /// The number of rows in the blocks before the first of the queue.
    received: u64,
    handed_out: u64,
    /// Whether the numbers of rows are needed, and that of the last row.
    numbers_rows: bool,
    number: Option<i64>,
    /// Whether the rows of a block have been handed out, and those of the next not begun.
    is_between_blocks: bool,
    /// How often the runtime may still go on before the next block begins.
    yields: u8,
    ended: bool,
}

enum Queued {
    /// The rest of a block of rows of pages.
    Rows(std::vec::IntoIter<Row>),
    Decoding(Pending<Result<Cells>>),
    Cells(Cells),
    Failed(Error),
}

impl Reader {
    pub(super) fn new(client: &Client, source: &Source, request: Request, numbers_rows: bool) -> Self {
        let processors = processors();
        // Twice as many as are decoded at once, so that no thread waits for work, and the one whose rows are handed out.
        let most_queued =
            if processors > 1 && request.reads_ahead() { (2 * processors + 1).min(MOST_QUEUED) } else { 1 };
        Self {
            blocks: Blocks::new(client, source, &request, BLOCK, None),
            request,
            queue: VecDeque::new(),
            spare: Vec::new(),
            // One processor is for the thread that polls.
            workers: Workers::new(processors.saturating_sub(1).max(1)),
            most_queued,
            received: 0,
            handed_out: 0,
            numbers_rows,
            number: None,
            is_between_blocks: true,
            yields: 0,
            ended: false,
        }
    }

    /// The number of rows that the server counts, including those that the client drops.
    pub(super) fn total(&self) -> Option<u64> {
        self.blocks.total()
    }

    /// The number of the last row; `None` after an error that ends the rows.
    pub(super) fn number(&self) -> Option<i64> {
        self.number
    }

    pub(super) fn plan(&self) -> &Plan {
        self.blocks.plan()
    }

    /// Cancels all requests.
    pub(super) fn stop(&mut self) {
        self.ended = true;
        self.number = None;
        self.blocks.stop();
        self.queue.clear();
    }

    /// The next row. Rows that cannot be decoded are followed by others; after any other error, `None`.
    pub(super) fn poll_row<T: DeserializeOwned>(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        loop {
            if self.ended || self.request.limit.is_some_and(|limit| self.handed_out >= limit) {
                self.stop();
                return Poll::Ready(None);
            }
            if let Some(row) = self.next_at_hand() {
                return Poll::Ready(Some(row));
            }
            let waits = self.receive(context);
            if waits && self.yields > 0 && !self.queue.is_empty() {
                self.yields -= 1;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let error = match self.queue.front_mut() {
                Some(Queued::Decoding(decoding)) => match ready!(decoding.as_mut().poll(context)) {
                    Ok(cells) => {
                        self.queue.pop_front();
                        self.queue.push_front(Queued::Cells(cells));
                        self.yields = 0;
                        continue;
                    }
                    Err(error) => Some(error),
                },
                Some(Queued::Failed(_)) => match self.queue.pop_front() {
                    Some(Queued::Failed(error)) => Some(error),
                    _ => None,
                },
                Some(Queued::Rows(_) | Queued::Cells(_)) => {
                    self.yields = YIELDS;
                    self.is_between_blocks = false;
                    continue;
                }
                None if self.blocks.is_done() => self.blocks.missing(self.received),
                None => return Poll::Pending,
            };
            self.stop();
            return Poll::Ready(error.map(Err));
        }
    }

    /// The next row of the first block, if that has been decoded: the short way of [`poll_row`](Self::poll_row).
    #[inline]
    pub(super) fn next_at_hand<T: DeserializeOwned>(&mut self) -> Option<Result<T>> {
        if self.is_between_blocks || self.request.limit.is_some_and(|limit| self.handed_out >= limit) {
            return None;
        }
        let row = match self.queue.front_mut() {
            Some(Queued::Cells(cells)) => {
                if self.numbers_rows {
                    self.number = cells.number();
                }
                cells.next(self.received)
            }
            Some(Queued::Rows(_)) => self.next_of_page(),
            _ => None,
        };
        match row {
            Some(_) => self.handed_out += 1,
            None => self.end_block(),
        }
        row
    }

    /// The next row of a block of rows of pages that satisfies the condition.
    fn next_of_page<T: DeserializeOwned>(&mut self) -> Option<Result<T>> {
        let Some(Queued::Rows(rows)) = self.queue.front_mut() else { return None };
        for mut row in rows {
            self.received += 1;
            let holds = |filter: &PostFilter| filter.holds(&|column| text_of(&row[column]));
            if !self.blocks.post_filter().is_none_or(holds) {
                continue;
            }
            self.number = row[ROW_NUMBER].as_i64();
            if !self.request.select.is_empty() || self.request.hides_number {
                row.retain(|name| !self.request.hides(name));
            }
            return Some(decode::from_row(&row).map_err(|failure| unreadable_row(self.received, &row, failure)));
        }
        None
    }

    /// Removes the first block, whose rows have been handed out, from the queue.
    fn end_block(&mut self) {
        self.is_between_blocks = true;
        let Some(Queued::Cells(cells)) = self.queue.pop_front() else { return };
        self.received += cells.received();
        if let Some(error) = cells.error() {
            self.queue.push_front(Queued::Failed(error));
        }
        let (bytes, buffers) = cells.into_buffers();
        self.blocks.reuse(bytes);
        self.spare.push(buffers);
    }

    /// Queues the blocks that have come. Returns whether there is room for others, which have not.
    fn receive(&mut self, context: &mut Context<'_>) -> bool {
        while self.queue.len() < self.most_queued {
            let block = match self.blocks.poll_block(context) {
                Poll::Ready(Some(Ok(block))) => block,
                Poll::Ready(Some(Err(error))) => {
                    self.queue.push_back(Queued::Failed(error));
                    return false;
                }
                Poll::Ready(None) => return false,
                // Rows that have been received do not wait for others.
                Poll::Pending if self.queue.is_empty() => match self.blocks.take_received() {
                    Some(block) => block,
                    None => return true,
                },
                Poll::Pending => return true,
            };
            let queued = self.queued(block);
            self.queue.push_back(queued);
        }
        false
    }

    fn queued(&mut self, block: Block) -> Queued {
        let inline = self.most_queued == 1 || block.bytes() < SMALL_BLOCK;
        match block {
            Block::Rows(rows) => Queued::Rows(rows.into_iter()),
            Block::Records(header, bytes) if inline => {
                let buffers = self.spare.pop().unwrap_or_default();
                Queued::Cells(Cells::decode(header, self.blocks.post_filter(), bytes, buffers))
            }
            Block::Records(header, bytes) => {
                let post_filter = self.blocks.post_filter().cloned();
                let buffers = self.spare.pop().unwrap_or_default();
                let decode = move || Cells::decode(header, post_filter.as_ref(), bytes, buffers);
                Queued::Decoding(Box::pin(self.workers.decode(decode)))
            }
        }
    }
}

/// The text of a value; `None` for null.
pub(super) fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}
