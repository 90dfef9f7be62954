//! Streams of record batches.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures_core::Stream;
use futures_util::stream::FuturesOrdered;

use super::batch::{Decoded, Decoder, Failure};
use super::blocks::{BlockSize, Blocks};
use super::layout::{Layout, layout};
use super::merged::Merged;
use super::pages::Pending;
use super::query::Rows;
use super::request::Request;
use super::source::Source;
use super::workers::{SMALL_BLOCK, Workers, processors};
use crate::{Client, Error, Result};

const DEFAULT_BATCH_SIZE: usize = 8_192;

/// The maximum size of a block, unless a single record is longer.
const LARGEST: usize = 4 << 20;

/// Smaller blocks cost more than their rows.
const SMALLEST: usize = 16 << 10;

/// So many blocks are decoded at once at most, since each takes memory.
const MOST_DECODED: usize = 8;

impl<T> Rows<T> {
    /// Returns the Arrow schema of the rows, from the profile of the table: see [`RecordBatches`].
    ///
    /// # Errors
    ///
    /// Those of `getResourceProfile`; also if the table has no profile, or no column of a name.
    pub async fn schema(&self) -> Result<SchemaRef> {
        Ok(layout(&self.client, &self.source, &self.request).await?.schema)
    }

    /// Returns a stream of the rows as record batches of Apache Arrow.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tabular")]
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::rows::{Row, col};
    ///
    /// let rows = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf").rows::<Row>();
    /// let mut batches = rows.filter(col("puissance").ge(150)).select(["nom_station", "puissance"]).record_batches();
    /// println!("{}", batches.schema().await?);
    /// while let Some(batch) = batches.next().await {
    ///     println!("{} rows", batch?.num_rows());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn record_batches(self) -> RecordBatches {
        RecordBatches::new(self.client, self.source, self.request)
    }
}

/// A [`Stream`] of the rows of a query as record batches of Apache Arrow; made by [`Rows::record_batches`].
///
/// Its rows are those of [`Rows::stream`], in the same order. Their columns are those that are selected, else all of the
/// table, or of a query that aggregates, the groups and then the aggregates. The row number, `__id`, is a column if it is
/// selected. Each column may hold null, and its type is that of the profile:
///
/// | Profile | Arrow |
/// |---|---|
/// | `int` | `Int64` |
/// | `float` | `Float64` |
/// | `bool` | `Boolean` |
/// | `date` | `Date32` |
/// | `datetime`, of the format `datetime_aware` or `datetime_rfc822` | `Timestamp(Microsecond, "UTC")` |
/// | other `datetime` | `Timestamp(Microsecond, None)` |
/// | `json` | `Utf8`, of the extension type `arrow.json` |
/// | all others | `Utf8` |
/// | `__id` | `UInt64` |
/// | the aggregate `count` | `Int64` |
/// | the aggregate `avg` | `Float64` |
/// | the aggregates `sum`, `min`, `max` | that of the column |
///
/// Cells of JSON hold text. In exports it is the text that the table stores, such as `{"a": [1, 2]}`; in pages it is written
/// anew from the values of the response, without spaces and with no more escapes than needed: `{"a":[1,2]}`. Both are equal
/// as JSON, so compare values, not texts. [`Rows::explain`] returns which of the two is read.
///
/// A value that its column cannot hold is an error, or null with
/// [`null_where_unrepresentable`](Self::null_where_unrepresentable): an integer beyond 64 bits, a year before 1 or after
/// 9999, `infinity` as a date, a time with a zone in a column without one or the reverse. Null differs from the empty text;
/// null of JSON is null.
///
/// Nothing is sent before the stream is polled, and dropping it cancels its requests. Blocks of rows are decoded concurrently on
/// as many threads as there are processors, eight at most. Memory does not grow with the table. Any error ends the stream.
/// A query without rows has no batch.
#[must_use = "a stream does nothing until it is polled"]
pub struct RecordBatches {
    client: Client,
    source: Source,
    request: Request,
    batch_size: NonZeroUsize,
    nulls: bool,
    schema: Option<SchemaRef>,
    stage: Stage,
    /// Blocks that are being decoded, in their order.
    decoding: FuturesOrdered<Pending<Outcome>>,
    workers: Workers,
    batches: VecDeque<RecordBatch>,
    /// How many rows have come, of which those that the client drops are some.
    received: u64,
    rows_left: u64,
}

enum Stage {
    Unsent,
    Opening(Pending<Result<Layout>>),
    Reading(BlockSource, Arc<Decoder>),
    /// All has come, though it may not be decoded yet. What was read in blocks is counted at last.
    Received(Option<Box<Blocks>>),
    Ended,
}

/// Where the blocks of a query come from.
enum BlockSource {
    Single(Box<Blocks>),
    /// A query in several parts.
    Merged(Box<Merged>),
}

enum Outcome {
    Decoded(Decoded),
    Undecodable(Failure),
    /// What was to come failed: this is its place.
    Failed(Error),
}

impl RecordBatches {
    fn new(client: Client, source: Source, request: Request) -> Self {
        Self {
            client,
            source,
            rows_left: request.limit.unwrap_or(u64::MAX),
            request,
            batch_size: NonZeroUsize::new(DEFAULT_BATCH_SIZE).unwrap_or(NonZeroUsize::MIN),
            nulls: false,
            schema: None,
            stage: Stage::Unsent,
            decoding: FuturesOrdered::new(),
            workers: Workers::new(processors().min(MOST_DECODED)),
            batches: VecDeque::new(),
            received: 0,
        }
    }

    /// Sets the most rows of a batch; the default is 8,192. Batches have fewer where an export ends, where the client drops
    /// rows, and where rows are so long that these would take more than about 4 MiB.
    pub fn batch_size(mut self, rows: NonZeroUsize) -> Self {
        self.batch_size = rows;
        self
    }

    /// Gives null for values that their column cannot hold, instead of an error.
    pub fn null_where_unrepresentable(mut self) -> Self {
        self.nulls = true;
        self
    }

    /// Returns the schema of the batches, which is known before the first.
    ///
    /// # Errors
    ///
    /// Those of [`Rows::schema`].
    pub async fn schema(&mut self) -> Result<SchemaRef> {
        if let Some(schema) = &self.schema {
            return Ok(Arc::clone(schema));
        }
        let schema = layout(&self.client, &self.source, &self.request).await?.schema;
        Ok(Arc::clone(self.schema.insert(schema)))
    }

    /// Returns the next batch, or `None` after the last.
    ///
    /// It is cancel-safe: no batch is lost in `select!`.
    pub async fn next(&mut self) -> Option<Result<RecordBatch>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Begins to read the blocks of a layout.
    fn begin(&self, layout: Layout) -> Result<Stage> {
        let (client, source, request, rows) = (&self.client, &self.source, &self.request, self.batch_size.get());
        let (blocks, post_filter) = if request.parts()?.len() == 1 {
            let required = layout.columns.iter().map(|(name, _)| name.clone()).collect();
            // Records of 128 bytes, as far as is known.
            let size = BlockSize { bytes: rows.saturating_mul(128).clamp(SMALLEST, LARGEST), rows };
            let blocks = Blocks::new(client, source, request, size, Some(required));
            let post_filter = blocks.post_filter().cloned();
            (BlockSource::Single(Box::new(blocks)), post_filter)
        } else {
            // The rows of several parts are those that satisfy the condition.
            (BlockSource::Merged(Box::new(Merged::new(client, source, request, rows))), None)
        };
        Ok(Stage::Reading(blocks, Arc::new(Decoder { layout, post_filter, nulls: self.nulls })))
    }

    /// Begins to decode what has come.
    fn fill(&mut self, context: &mut Context<'_>) {
        // Two more than are decoded at once, so that no thread waits for the next.
        let most = if self.request.reads_ahead() { processors().min(MOST_DECODED) + 2 } else { 1 };
        while self.decoding.len() < most {
            let (polled, decoder) = match &mut self.stage {
                Stage::Unsent => {
                    let (client, source, request) = (self.client.clone(), self.source.clone(), self.request.clone());
                    self.stage = Stage::Opening(Box::pin(async move { layout(&client, &source, &request).await }));
                    continue;
                }
                Stage::Opening(opening) => {
                    let Poll::Ready(layout) = opening.as_mut().poll(context) else { return };
                    match layout.and_then(|layout| self.begin(layout)) {
                        Ok(stage) => self.stage = stage,
                        Err(error) => self.fail(error),
                    }
                    continue;
                }
                Stage::Reading(BlockSource::Single(blocks), decoder) => (blocks.poll_block(context), decoder),
                Stage::Reading(BlockSource::Merged(merged), decoder) => (merged.poll_block(context), decoder),
                Stage::Received(_) | Stage::Ended => return,
            };
            match polled {
                Poll::Ready(Some(Ok(block))) => {
                    let (bytes, decoder) = (block.bytes(), Arc::clone(decoder));
                    let decode = move || match decoder.decode(block) {
                        Ok(decoded) => Outcome::Decoded(decoded),
                        Err(failure) => Outcome::Undecodable(failure),
                    };
                    self.decoding.push_back(if bytes < SMALL_BLOCK {
                        Box::pin(std::future::ready(decode()))
                    } else {
                        let decoding = self.workers.decode(decode);
                        Box::pin(async { decoding.await.unwrap_or_else(Outcome::Failed) })
                    });
                }
                Poll::Ready(Some(Err(error))) => self.fail(error),
                Poll::Ready(None) => {
                    self.stage = match std::mem::replace(&mut self.stage, Stage::Ended) {
                        Stage::Reading(BlockSource::Single(blocks), _) => Stage::Received(Some(blocks)),
                        _ => Stage::Received(None),
                    };
                }
                Poll::Pending => return,
            }
        }
    }

    /// Ends with an error, behind what is being decoded.
    fn fail(&mut self, error: Error) {
        self.decoding.push_back(Box::pin(std::future::ready(Outcome::Failed(error))));
        self.stage = Stage::Received(None);
    }

    fn take(&mut self, decoded: Decoded) {
        let Decoded { batch, received, bytes } = decoded;
        self.received += received;
        if let Stage::Reading(BlockSource::Single(blocks), _) = &mut self.stage
            && let Some(size) = bytes.saturating_mul(self.batch_size.get()).checked_div(batch.num_rows())
        {
            // A little less, since a block of a few rows more than a batch becomes two batches.
            blocks.set_bytes((size - size / 16).clamp(SMALLEST, LARGEST));
        }
        let rows_left = usize::try_from(self.rows_left).unwrap_or(usize::MAX);
        let rows = batch.num_rows().min(rows_left);
        self.rows_left -= u64::try_from(rows).unwrap_or(u64::MAX);
        // As equal as they can be.
        let batches = rows.div_ceil(self.batch_size.get());
        let size = rows.div_ceil(batches.max(1)).max(1);
        for from in (0..rows).step_by(size) {
            self.batches.push_back(batch.slice(from, size.min(rows - from)));
        }
    }

    /// Ends all that is on its way.
    fn end(&mut self) {
        self.stage = Stage::Ended;
        self.decoding = FuturesOrdered::new();
    }
}

impl Stream for RecordBatches {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(batch) = this.batches.pop_front() {
                return Poll::Ready(Some(Ok(batch)));
            }
            if this.rows_left == 0 {
                this.end();
            }
            this.fill(context);
            match ready!(Pin::new(&mut this.decoding).poll_next(context)) {
                Some(Outcome::Decoded(decoded)) => this.take(decoded),
                Some(Outcome::Undecodable(failure)) => {
                    let error = failure(this.received);
                    this.end();
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Outcome::Failed(error)) => {
                    this.end();
                    return Poll::Ready(Some(Err(error)));
                }
                None => match std::mem::replace(&mut this.stage, Stage::Ended) {
                    Stage::Received(blocks) => {
                        let missing = blocks.and_then(|blocks| blocks.missing(this.received));
                        return Poll::Ready(missing.map(Err));
                    }
                    Stage::Ended => return Poll::Ready(None),
                    // Nothing to decode has come.
                    waiting => {
                        this.stage = waiting;
                        return Poll::Pending;
                    }
                },
            }
        }
    }
}

impl fmt::Debug for RecordBatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordBatches")
            .field("source", &self.source)
            .field("request", &self.request)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}
