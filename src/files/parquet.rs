//! Parquet files read by range requests, with the `parquet` crate.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::platform_copy::PlatformCopy;
use super::range_reader::RangeReader;
use crate::{Error, Result};

/// Reads Parquet by range requests. The footer is within the last 64 KiB as a rule, which are there already.
impl AsyncFileReader for RangeReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move { self.read(range).await.map_err(external) }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move { self.read_all(&ranges).await.map_err(external) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            let length = self.len();
            let metadata =
                ParquetMetaDataReader::new().with_arrow_reader_options(options).load_and_finish(self, length).await?;
            Ok(Arc::new(metadata))
        }
        .boxed()
    }
}

impl PlatformCopy {
    /// Opens a copy in Parquet, and returns the builder of a stream of its record batches, which is the `parquet` crate's:
    /// it selects columns and row groups, and filters rows. One request reads the footer; each row group then takes as many
    /// requests as there are gaps between the selected columns.
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use futures_util::TryStreamExt;
    /// use parquet::arrow::ProjectionMask;
    ///
    /// let resource = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf");
    /// if let Some(copy) = resource.parquet().await? {
    ///     let batches = copy.record_batches().await?;
    ///     let two = ProjectionMask::columns(batches.parquet_schema(), ["commune", "puissance"]);
    ///     let mut batches = batches.with_projection(two).build()?;
    ///     while let Some(batch) = batches.try_next().await? {
    ///         println!("{} rows", batch.num_rows());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`ranges`](Self::ranges); a [decoding error](Error::is_decode) if the file is not Parquet. The errors of the
    /// stream are those of the `parquet` crate, with an [`Error`] as the source where a request failed.
    pub async fn record_batches(&self) -> Result<ParquetRecordBatchStreamBuilder<RangeReader>> {
        let reader = self.ranges().await?;
        ParquetRecordBatchStreamBuilder::new(reader).await.map_err(internal)
    }
}

fn external(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

fn internal(error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<Error>() {
            Ok(error) => *error,
            Err(source) => Error::unreadable("the file cannot be read as Parquet").with_source(source),
        },
        error => Error::unreadable("the file cannot be read as Parquet").with_source(error),
    }
}
