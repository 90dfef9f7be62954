//! The Parquet copy of a plan that came from another machine.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::{Result, plan_err};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::{ParquetError, Result as ParquetResult};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datagouv::Client;
use datagouv::files::{FileState, RangeReader};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

/// The scan of a file, which is opened again when it is first read.
pub(super) fn reopened(
    scan: &Arc<dyn ExecutionPlan>,
    client: &Client,
    state: &FileState,
) -> Result<Arc<dyn ExecutionPlan>> {
    let config = config(scan);
    let source = config.and_then(|config| config.file_source().downcast_ref::<ParquetSource>());
    let (Some(config), Some(source)) = (config, source) else {
        return plan_err!("a Parquet copy is not read by a scan of Parquet, but by `{}`", scan.name());
    };
    let file = File { client: client.clone(), state: state.clone(), opened: OnceCell::new() };
    let source = source.clone().with_parquet_file_reader_factory(Arc::new(Factory(Arc::new(file))));
    let config = FileScanConfigBuilder::from(config.clone()).with_source(Arc::new(source)).build();
    Ok(DataSourceExec::from_data_source(config))
}

/// What a scan of files reads.
pub(super) fn config(scan: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    scan.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref()
}

/// A file in the state that it was planned in.
#[derive(Debug)]
struct File {
    client: Client,
    state: FileState,
    opened: OnceCell<(RangeReader, Arc<ParquetMetaData>)>,
}

impl File {
    async fn open(&self) -> ParquetResult<&(RangeReader, Arc<ParquetMetaData>)> {
        let open = async || {
            let reader = RangeReader::reopen(&self.client, &self.state).await;
            let mut reader = reader.map_err(|error| ParquetError::External(Box::new(error)))?;
            let metadata = reader.get_metadata(None).await?;
            Ok((reader, metadata))
        };
        self.opened.get_or_try_init(open).await
    }
}

/// Hands out the file, which all partitions of a task share, with its footer.
#[derive(Debug)]
struct Factory(Arc<File>);

impl ParquetFileReaderFactory for Factory {
    fn create_reader(
        &self,
        _: usize,
        _: PartitionedFile,
        _: Option<usize>,
        _: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        Ok(Box::new(Reader(Arc::clone(&self.0))))
    }
}

struct Reader(Arc<File>);

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move {
            let mut reader = self.0.open().await?.0.clone();
            reader.get_bytes(range).await
        }
        .boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move {
            let mut reader = self.0.open().await?.0.clone();
            reader.get_byte_ranges(ranges).await
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move { Ok(Arc::clone(&self.0.open().await?.1)) }.boxed()
    }
}
