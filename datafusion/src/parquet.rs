//! The platform's Parquet copies of tables: which may be read in place of the rows of the tabular API, and how.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::compute::kernels::cast_utils::string_to_datetime;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::errors::Result as ParquetResult;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datagouv::files::RangeReader;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use crate::parquet_exec::ParquetCopyExec;
use crate::source::Source;
use crate::table::{RowsTable, project};
use crate::types::{ROW_NUMBER, is_json};

/// How long a copy is taken to be that of the table.
const KEPT: Duration = Duration::from_secs(60);

/// What is known of the copy of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copies(Arc<Mutex<Option<(Instant, Lookup)>>>);

/// A copy, or why there is none to be read.
type Lookup = std::result::Result<Arc<Copy>, String>;

/// A copy that is as fresh as the table, opened.
#[derive(Debug)]
pub(crate) struct Copy {
    reader: RangeReader,
    metadata: Arc<ParquetMetaData>,
    schema: Schema,
}

impl Copies {
    /// The copy, if it holds some columns as the table does.
    pub(crate) async fn holding(&self, table: &RowsTable, columns: &[usize]) -> Lookup {
        let Source::Resource(id) = &table.source else { return Err("metrics have no Parquet copy".to_owned()) };
        if !table.options.parquet {
            return Err("Parquet copies are turned off".to_owned());
        }
        let fields = || columns.iter().filter_map(|index| table.schema.fields().get(*index));
        for field in fields() {
            let name = field.name();
            let lost = match field.data_type() {
                _ if name == ROW_NUMBER => "is not in the Parquet copy",
                DataType::Timestamp(..) => "has lost its time of day in the Parquet copy",
                _ if is_json(field) => "is of JSON, which the Parquet copy may write in another way",
                _ => continue,
            };
            return Err(format!("`{name}` {lost}"));
        }
        let copy = self.open(table, id).await?;
        for field in fields() {
            let held = copy.schema.field_with_name(field.name()).ok().map(|held| held.data_type());
            let alike = match (field.data_type(), held) {
                (_, None) => return Err(format!("the Parquet copy has no column `{}`", field.name())),
                (DataType::Utf8, Some(held)) => matches!(held, DataType::Utf8 | DataType::LargeUtf8),
                (wanted, Some(held)) => wanted == held,
            };
            if !alike {
                return Err(format!("`{}` is of another type in the Parquet copy", field.name()));
            }
        }
        Ok(copy)
    }

    async fn open(&self, table: &RowsTable, id: &str) -> Lookup {
        let mut known = self.0.lock().await;
        if let Some((since, found)) = known.as_ref()
            && since.elapsed() < KEPT
        {
            return found.clone();
        }
        let found = open(table, id).await;
        *known = Some((Instant::now(), found.clone()));
        found
    }
}

/// Opens the copy, if it was made of the rows that the tabular API has.
async fn open(table: &RowsTable, id: &str) -> Lookup {
    let unknown = |error: datagouv::Error| format!("whether there is a Parquet copy is not known: {error}");
    let copy = table.client.resource(id).parquet().await.map_err(unknown)?;
    let Some(copy) = copy else { return Err("there is no Parquet copy".to_owned()) };
    if copy.is_outdated() {
        return Err("the Parquet copy is of an earlier file".to_owned());
    }
    // Rows and copy are written by one import, and only its times show that they are.
    let rows = table.client.tabular().get_meta_resource_info().rid(id).send().await.map_err(unknown)?.into_inner();
    let created = instant(rows.created_at.as_str());
    let started = copy.started_at().and_then(|time| instant(time.as_str()));
    let finished = copy.finished_at().and_then(|time| instant(time.as_str()));
    match (started, created, finished) {
        (Some(started), Some(created), Some(finished)) if started <= created && created <= finished => {}
        _ => return Err("the Parquet copy is not known to be of the import that the rows are of".to_owned()),
    }
    let unreadable = |error: &dyn std::fmt::Display| format!("the Parquet copy cannot be read: {error}");
    let mut reader = copy.ranges().await.map_err(|error| unreadable(&error))?;
    let metadata = reader.get_metadata(None).await.map_err(|error| unreadable(&error))?;
    let file = metadata.file_metadata();
    let schema = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata());
    let schema = schema.map_err(|error| unreadable(&error))?;
    Ok(Arc::new(Copy { reader, metadata, schema }))
}

fn instant(text: &str) -> Option<i64> {
    let utc: Tz = "+00:00".parse().ok()?;
    Some(string_to_datetime(&utc, text).ok()?.timestamp_micros())
}

impl Copy {
    /// Reads columns of the copy, and filters them as the server would have done.
    pub(crate) fn scan(
        self: Arc<Self>,
        table: &RowsTable,
        state: &dyn Session,
        columns: &[usize],
        filters: &[Expr],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let predicate = conjunction(filters.iter().cloned());
        let mut read = columns.to_vec();
        read.extend(used(&table.schema, filters).into_iter().filter(|index| !columns.contains(index)));
        let rows = usize::try_from(self.metadata.file_metadata().num_rows()).unwrap_or(0);
        let url = self.reader.url().to_owned();
        let path = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let file = PartitionedFile::new(path.to_owned(), self.reader.len());
        let source = ParquetSource::new(Arc::clone(&table.schema))
            .with_parquet_file_reader_factory(Arc::new(Factory(Arc::clone(&self))));
        let statistics = Statistics { num_rows: Precision::Exact(rows), ..Statistics::new_unknown(&table.schema) };
        // Its store is never read: the factory above reads the file.
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file(file)
            .with_statistics(statistics)
            .with_projection_indices(Some(read.clone()))?
            .build();
        let scan = DataSourceExec::from_data_source(config);
        let row_groups = self.metadata.num_row_groups();
        let (client, file) = (&table.client, self.reader.state());
        let copy = ParquetCopyExec::new(scan, &table.source, client, file, rows, row_groups);
        let copy: Arc<dyn ExecutionPlan> = Arc::new(copy);
        let Some(predicate) = predicate else { return Ok(copy) };
        let schema = DFSchema::try_from(copy.schema().as_ref().clone())?;
        let predicate = state.create_physical_expr(predicate, &schema)?;
        let filtered: Arc<dyn ExecutionPlan> = Arc::new(FilterExec::try_new(predicate, copy)?);
        if read.len() == columns.len() {
            return Ok(filtered);
        }
        project(filtered, &(0..columns.len()).collect::<Vec<_>>())
    }
}

/// The columns that filters read.
pub(crate) fn used(schema: &Schema, filters: &[Expr]) -> Vec<usize> {
    let mut columns: Vec<usize> = filters
        .iter()
        .flat_map(|filter| filter.column_refs().into_iter().filter_map(|column| schema.index_of(&column.name).ok()))
        .collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Hands out the reader that is open, with the footer that was read.
#[derive(Debug)]
struct Factory(Arc<Copy>);

impl ParquetFileReaderFactory for Factory {
    fn create_reader(
        &self,
        _: usize,
        _: PartitionedFile,
        _: Option<usize>,
        _: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        Ok(Box::new(Opened { reader: self.0.reader.clone(), metadata: Arc::clone(&self.0.metadata) }))
    }
}

struct Opened {
    reader: RangeReader,
    metadata: Arc<ParquetMetaData>,
}

impl AsyncFileReader for Opened {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.reader.get_bytes(range)
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.reader.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let metadata = Arc::clone(&self.metadata);
        async move { Ok(metadata) }.boxed()
    }
}
