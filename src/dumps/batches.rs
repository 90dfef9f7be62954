//! Exports as record batches of Apache Arrow.

use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Schema, SchemaRef};
use futures_core::Stream;
use futures_util::stream;

use super::records::Record;
use super::rows::Writer;
use super::{Dump, Row, Rows};
use crate::codec::column_names::unique;
use crate::codec::columns::{Column, ColumnType, Unfit};
use crate::transport::call::Call;
use crate::{ByteStream, Error, Result};

const DEFAULT_BATCH_SIZE: usize = 8_192;

/// Batches of longer cells have fewer rows.
const MOST_BYTES: usize = 4 << 20;

impl<T: Row> Dump<T> {
    /// Returns the rows as record batches of Apache Arrow.
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// let mut batches = client.dumps().organizations().record_batches();
    /// println!("{}", batches.schema().await?);
    /// while let Some(batch) = batches.next().await {
    ///     println!("{} organizations", batch?.num_rows());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn record_batches(self) -> RecordBatches {
        RecordBatches {
            stage: Stage::Opening(Box::pin(open::<T>(self.call))),
            batch_size: NonZeroUsize::new(DEFAULT_BATCH_SIZE).unwrap_or(NonZeroUsize::MIN),
            nulls: false,
            schema: None,
        }
    }
}

/// A [`Stream`] of the rows of an export as record batches of Apache Arrow; made by [`Dump::record_batches`].
///
/// The columns are those of the export, in its order, and may hold null. A column with a field in the row type has the
/// type of the field: `Utf8`, `Int64`, `Float64`, `Boolean`, or `Timestamp(Microsecond, "UTC")` for times, of which those
/// without an offset are UTC. A field that is optional is null where the cell is empty. JSON and counts by month are `Utf8`
/// of the extension type `arrow.json`. Lists of names are as in the export, separated by commas. A column without a field is
/// `Utf8`. A name that an earlier column has gets a number: the export of organizations has `metric.dataservices` twice, and
/// the second is `metric.dataservices.1`.
///
/// A cell that does not fit its column is an error, which ends the stream, or null with
/// [`null_where_unrepresentable`](Self::null_where_unrepresentable). An export without rows has no batch.
#[must_use = "a stream does nothing until it is read"]
pub struct RecordBatches {
    stage: Stage,
    batch_size: NonZeroUsize,
    nulls: bool,
    schema: Option<SchemaRef>,
}

type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Batches = Pin<Box<dyn Stream<Item = Result<RecordBatch>> + Send>>;

enum Stage {
    Opening(Pending<Result<Opened>>),
    Opened(Opened),
    Reading(Batches),
    Ended,
}

/// An export whose header has come.
struct Opened {
    schema: SchemaRef,
    read: Box<dyn FnOnce(NonZeroUsize, bool) -> Batches + Send>,
}

async fn open<T: Row>(call: Call<ByteStream>) -> Result<Opened> {
    let rows = Rows::<T>::open(call).await?;
    let writer = |name: &String| -> Writer {
        let place = T::COLUMNS.iter().position(|column| column == name);
        place
            .and_then(|place| T::WRITERS.get(place))
            .copied()
            .unwrap_or((ColumnType::Text, |text, column| column.push(text)))
    };
    let writers: Vec<Writer> = rows.columns.iter().map(writer).collect();
    // Engines refuse two columns of a name.
    let names = unique(rows.columns.iter().map(String::as_str));
    let fields: Vec<_> = names.iter().zip(&writers).map(|(name, (kind, _))| kind.field(name)).collect();
    let schema = Arc::new(Schema::new(fields));
    let of_batches = Arc::clone(&schema);
    let read = move |batch_size: NonZeroUsize, nulls| -> Batches {
        let reader = Reader { rows, writers, schema: of_batches, batch_size: batch_size.get(), nulls, received: 0 };
        Box::pin(stream::try_unfold(reader, |mut reader| async move {
            Ok(reader.next().await?.map(|batch| (batch, reader)))
        }))
    };
    Ok(Opened { schema, read: Box::new(read) })
}

struct Reader<T> {
    rows: Rows<T>,
    writers: Vec<Writer>,
    schema: SchemaRef,
    batch_size: usize,
    nulls: bool,
    received: u64,
}

impl<T: Row> Reader<T> {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let mut columns: Vec<Column> = self.writers.iter().map(|(kind, _)| Column::new(*kind, 0)).collect();
        let (mut rows, mut bytes) = (0, 0);
        while rows < self.batch_size && bytes < MOST_BYTES {
            let Some(record) = self.rows.full_record().await? else { break };
            self.received += 1;
            rows += 1;
            bytes += self.append(&record, &mut columns)?;
        }
        if rows == 0 {
            return Ok(None);
        }
        let arrays: Vec<ArrayRef> = columns.into_iter().map(Column::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
        batch.map(Some).map_err(|error| self.rows.unreadable(format!("the rows make no record batch: {error}")))
    }

    /// Appends the cells of a record, and returns how many bytes they are.
    fn append(&self, record: &Record, columns: &mut [Column]) -> Result<usize> {
        let mut bytes = 0;
        for (index, ((cell, (_, write)), column)) in record.cells().zip(&self.writers).zip(columns).enumerate() {
            bytes += cell.len();
            match write(cell, column) {
                Ok(()) => {}
                Err(Unfit::Value(_)) if self.nulls => column.push_null(),
                Err(unfit) => return Err(self.unfit(index, cell, unfit)),
            }
        }
        Ok(bytes)
    }

    fn unfit(&self, index: usize, cell: &str, unfit: Unfit) -> Error {
        let column = self.rows.columns.get(index).map_or("", String::as_str);
        let (row, reason) = (self.received, unfit.reason());
        self.rows.unreadable(format!("row {row}, column `{column}`: `{cell}` is not representable: {reason}"))
    }
}

impl RecordBatches {
    /// Sets the most rows of a batch; the default is 8,192. Batches have fewer where these would take more than about 4 MiB.
    pub fn batch_size(mut self, rows: NonZeroUsize) -> Self {
        self.batch_size = rows;
        self
    }

    /// Gives null for cells that do not fit their column, instead of an error.
    pub fn null_where_unrepresentable(mut self) -> Self {
        self.nulls = true;
        self
    }

    /// Returns the schema of the batches, from the header of the export. The request is sent if it was not before.
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails, or the response is no such export. Then there is no batch.
    pub async fn schema(&mut self) -> Result<SchemaRef> {
        std::future::poll_fn(|context| self.poll_open(context)).await?;
        self.schema.clone().ok_or_else(|| Error::unreadable("the export has no schema, since it could not be opened"))
    }

    /// Returns the next batch, or `None` after the last.
    pub async fn next(&mut self) -> Option<Result<RecordBatch>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let Stage::Opening(opening) = &mut self.stage else { return Poll::Ready(Ok(())) };
        let opened = ready!(opening.as_mut().poll(context));
        self.stage = Stage::Ended;
        let opened = opened?;
        self.schema = Some(Arc::clone(&opened.schema));
        self.stage = Stage::Opened(opened);
        Poll::Ready(Ok(()))
    }
}

impl Stream for RecordBatches {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Err(error) = ready!(self.poll_open(context)) {
            return Poll::Ready(Some(Err(error)));
        }
        if let Stage::Opened(_) = &self.stage
            && let Stage::Opened(opened) = std::mem::replace(&mut self.stage, Stage::Ended)
        {
            self.stage = Stage::Reading((opened.read)(self.batch_size, self.nulls));
        }
        match &mut self.stage {
            Stage::Reading(batches) => batches.as_mut().poll_next(context),
            _ => Poll::Ready(None),
        }
    }
}

impl fmt::Debug for RecordBatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordBatches").field("schema", &self.schema).finish_non_exhaustive()
    }
}
