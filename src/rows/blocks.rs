//! The rows of one query in blocks of whole records, which can be decoded each by itself.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::cutter::Cutter;
use super::decode::Field;
use super::failure::{malformed, missing};
use super::header::{Header, HeaderReader};
use super::open::{Opened, open};
use super::pages::Pending;
use super::plan::{Plan, Reading};
use super::post_filter::PostFilter;
use super::profile::{Kind, Schema};
use super::request::Request;
use super::row::{ROW_NUMBER, Row};
use super::source::Source;
use super::windows::{Part, Windows};
use crate::{Client, Error, Result};

/// Rows that come together.
pub(super) enum Block {
    Records(Arc<Header>, Vec<u8>),
    /// Those of pages.
    Rows(Vec<Row>),
}

impl Block {
    /// The number of bytes of CSV that are to be decoded.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Records(_, records) => records.len(),
            Self::Rows(_) => 0,
        }
    }
}

/// The size at which a block is handed out.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockSize {
    /// Of a block of records.
    pub bytes: usize,
    /// Of a block of rows of pages.
    pub rows: usize,
}

/// Reads the blocks of a query.
pub(super) struct Blocks {
    client: Client,
    source: Source,
    request: Request,
    /// The condition that the client checks on the rows.
    post_filter: Option<PostFilter>,
    stage: Stage,
    plan: Plan,
    schema: Arc<Schema>,
    /// The number of rows that the server counts.
    total: Option<u64>,
    /// The columns that an export must have; `None` if it may have any. Unless some are selected, it may have no others.
    required: Option<Vec<String>>,
    /// The start of an export, until its header is complete.
    start: HeaderReader,
    header: Option<Arc<Header>>,
    /// The bytes that have not been cut.
    pending: Bytes,
    cutter: Cutter,
    /// Whether a block was handed out.
    begun: bool,
    rows: Vec<Row>,
    size: BlockSize,
    /// The memory of blocks that have been read.
    spare: Vec<Vec<u8>>,
    /// Yielded after the last block.
    error: Option<Error>,
}

enum Stage {
    Opening(Pending<Result<Opened>>),
    Reading(Box<Windows>),
    Ended,
}

impl Blocks {
    pub(super) fn new(
        client: &Client,
        source: &Source,
        request: &Request,
        size: BlockSize,
        required: Option<Vec<String>>,
    ) -> Self {
        let (client, source, request) = (client.clone(), source.clone(), request.clone());
        let opening = open(client.clone(), source.clone(), request.clone());
        Self {
            client,
            source,
            // If the condition cannot be sent, opening fails.
            post_filter: request.filtered().map_or(None, |(_, post_filter)| post_filter),
            stage: Stage::Opening(Box::pin(opening)),
            plan: Plan { reading: request.reading(), warnings: Vec::new() },
            schema: Arc::default(),
            request,
            total: None,
            required,
            start: HeaderReader::default(),
            header: None,
            pending: Bytes::new(),
            cutter: Cutter::default(),
            begun: false,
            rows: Vec::new(),
            size,
            spare: Vec::new(),
            error: None,
        }
    }

    /// How the rows are read; certain from the first block on.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The condition that the client checks on the rows.
    pub(super) fn post_filter(&self) -> Option<&PostFilter> {
        self.post_filter.as_ref()
    }

    /// The number of rows that the server counts, including those that the client drops.
    pub(super) fn total(&self) -> Option<u64> {
        self.total.filter(|_| self.post_filter.is_none())
    }

    /// Sets the size of the blocks that follow, in bytes of CSV.
    #[cfg(feature = "arrow")]
    pub(super) fn set_bytes(&mut self, bytes: usize) {
        self.size.bytes = bytes;
    }

    /// The error of exports that ended normally before all rows were received: nothing else reveals an
    /// export that an intermediary cut short.
    pub(super) fn missing(&self, received: u64) -> Option<Error> {
        let total = self.total.filter(|total| *total > received)?;
        // Pages are counted where they are read.
        (!matches!(self.plan.reading, Reading::Pages { .. })).then(|| missing(received, total))
    }

    /// Takes the memory of a block, which is empty, for another.
    pub(super) fn reuse(&mut self, bytes: Vec<u8>) {
        self.spare.push(bytes);
    }

    /// Cancels all requests, and drops what has been received.
    pub(super) fn stop(&mut self) {
        self.end(None);
        (self.header, self.cutter) = (None, Cutter::default());
        self.rows.clear();
    }

    /// Whether `poll_block` has returned all blocks and errors.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Ended) && self.cutter.whole == 0 && self.rows.is_empty() && self.error.is_none()
    }

    /// The next block of the full size, or a smaller one where an export ends; `None` after an error.
    pub(super) fn poll_block(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Block>>> {
        loop {
            if self.rows.len() >= self.size.rows {
                let rest = self.rows.split_off(self.size.rows);
                return Poll::Ready(Some(Ok(Block::Rows(std::mem::replace(&mut self.rows, rest)))));
            }
            if self.cutter.whole >= self.size.bytes {
                return Poll::Ready(self.take_received().map(Ok));
            }
            if !self.pending.is_empty() {
                let piece = self.pending.split_to(self.pending.len().min(self.size.bytes));
                if let Err(reason) = self.cutter.push(&piece) {
                    self.end(Some(malformed(reason)));
                }
                continue;
            }
            let part = match &mut self.stage {
                Stage::Ended => {
                    let block = self.take_received().map(Ok);
                    return Poll::Ready(block.or_else(|| self.error.take().map(Err)));
                }
                Stage::Opening(opening) => match ready!(opening.as_mut().poll(context)) {
                    Ok(opened) => {
                        (self.schema, self.total, self.plan) = (opened.schema, opened.total, opened.plan);
                        self.stage = Stage::Reading(Box::new(opened.windows));
                        continue;
                    }
                    Err(error) => Some(Err(error)),
                },
                Stage::Reading(windows) => ready!(windows.poll_part(context, self.cutter.last)),
            };
            let block = match part.map(|part| part.and_then(|part| self.take(part))) {
                Some(Ok(block)) => block,
                ended => {
                    self.end(ended.and_then(Result::err));
                    continue;
                }
            };
            if let Stage::Reading(windows) = &self.stage
                && windows.reads_pages()
                && let Reading::Export { reason } = &self.plan.reading
            {
                self.plan.reading = Reading::Pages { reason: reason.clone() };
            }
            if let Some(block) = block {
                return Poll::Ready(Some(Ok(block)));
            }
        }
    }

    /// Ends with an error, or without.
    fn end(&mut self, error: Option<Error>) {
        self.stage = Stage::Ended;
        self.pending = Bytes::new();
        self.error = error;
    }

    /// A block of the whole rows that have been received, however few they are.
    pub(super) fn take_received(&mut self) -> Option<Block> {
        let block = if self.rows.is_empty() {
            let (size, spare) = (self.size.bytes, &mut self.spare);
            let room = || spare.pop().unwrap_or_else(|| Vec::with_capacity(size + size / 8));
            let records = self.cutter.take(room)?;
            Block::Records(Arc::clone(self.header.as_ref()?), records)
        } else {
            Block::Rows(std::mem::take(&mut self.rows))
        };
        self.begun = true;
        Some(block)
    }

    fn take(&mut self, part: Part) -> Result<Option<Block>> {
        match part {
            Part::Begin => {
                // An interrupted export is resumed behind its last whole record.
                let block = self.take_received();
                (self.start, self.header, self.cutter) = (HeaderReader::default(), None, Cutter::default());
                return Ok(block);
            }
            Part::Rows(rows) => {
                self.rows.extend(rows);
                if let Stage::Reading(windows) = &self.stage {
                    self.total = self.total.or(windows.total());
                }
            }
            Part::Bytes(bytes) if self.header.is_some() => self.pending = bytes,
            Part::Bytes(bytes) => {
                self.start.push(&bytes);
                self.read_header()?;
            }
            Part::End => {
                if self.header.is_none() {
                    self.start.end();
                    self.read_header()?;
                }
                let rest = std::mem::take(&mut self.pending);
                self.cutter.push(&rest).map_err(malformed)?;
                self.cutter.end();
                return Ok(self.take_received());
            }
        }
        Ok(None)
    }

    /// Reads the header of an export once enough bytes have arrived.
    fn read_header(&mut self) -> Result<()> {
        let expected = if self.request.select.is_empty() {
            self.schema.header()
        } else {
            self.request.export_columns(self.post_filter.as_ref())
        };
        let Some(names) = self.start.names(&expected).map_err(malformed)? else { return Ok(()) };
        // The table may have been rebuilt after its profile was read and cached.
        if let Some(unknown) = names.iter().find(|name| self.schema.kind(name).is_none()) {
            return self.unknown_column(unknown);
        }
        let mut required = Vec::new();
        // Without rows there are no names.
        for name in self.required.iter().flatten().filter(|_| !names.is_empty()) {
            match names.iter().position(|named| named == name) {
                Some(place) => required.push(place),
                None => return Err(self.changed(&format!("it has no column `{name}`"))),
            }
        }
        let number = names.iter().position(|name| name == ROW_NUMBER);
        let field = |name: String| Field {
            kind: self.schema.kind(&name).unwrap_or(Kind::String),
            hidden: self.request.hides(&name),
            name,
        };
        let header = Header {
            fields: names.into_iter().map(field).collect(),
            number,
            #[cfg(feature = "arrow")]
            required,
        };
        self.cutter = Cutter::new(header.fields.len(), number);
        self.header = Some(Arc::new(header));
        self.pending = std::mem::take(&mut self.start).into_rest().into();
        Ok(())
    }

    /// Reads pages, which need no types, if no row was handed out.
    fn unknown_column(&mut self, name: &str) -> Result<()> {
        let Stage::Reading(windows) = &mut self.stage else { return Ok(()) };
        if self.begun || self.required.is_some() {
            return Err(self.changed(&format!("it has a new column `{name}`")));
        }
        self.source.forget(&self.client);
        self.start = HeaderReader::default();
        windows.turn_to_pages()?;
        self.plan.reading = Reading::Pages { reason: format!("the profile does not know the column `{name}`") };
        Ok(())
    }

    /// The error of a table that is not as its profile says.
    fn changed(&self, how: &str) -> Error {
        self.source.forget(&self.client);
        let when = if self.begun { "while it was read" } else { "after its profile was read" };
        Error::transport(format!("the table changed {when}: {how}; read it again, or select columns"))
    }
}
