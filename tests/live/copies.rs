//! Copies of a file in other formats, by the real analyser, in an object store.

use datagouv::File;
use datagouv::objects::ResourceHandle;

use crate::publisher::{file_name, patient, publish_table, stations};
use crate::run;

/// Enough rows for a copy larger than the cached end of a reader.
const STATIONS: i64 = 20_000;

async fn parquet(resource: &ResourceHandle) -> datagouv::files::PlatformCopy {
    resource.wait_until(patient(), |analysis| analysis.parquet.is_some()).await.unwrap();
    resource.parquet().await.unwrap().unwrap()
}

#[test]
fn a_copy_is_read_by_ranges_until_the_file_is_replaced() {
    run(|live| async move {
        let client = live.user_for("copies");
        let (_, csv) = stations(1..=STATIONS);
        let (resource, before) = publish_table(&client, "csv", csv).await;
        let copy = parquet(&resource).await;
        assert!(!copy.is_outdated(), "{copy:?}");
        assert!(copy.started_at().is_some() && copy.finished_at().is_some());
        let whole = copy.bytes(8 << 20).await.unwrap();
        assert_eq!(copy.size(), Some(whole.len() as u64));

        let reader = copy.ranges().await.unwrap();
        assert_eq!(reader.len(), whole.len() as u64);
        assert!(reader.len() > 1 << 17, "{} bytes are read by one request", reader.len());
        assert_eq!(reader.read(0..4).await.unwrap(), "PAR1");
        assert!(reader.read(1_000..100_000).await.unwrap() == whole[1_000..100_000]);
        assert!(reader.read_suffix(70_000).await.unwrap() == whole[whole.len() - 70_000..]);

        let (_, csv) = stations(5..=STATIONS + 4);
        resource.upload(File::from_bytes(file_name("csv"), csv)).send().await.unwrap();
        resource.wait_for_new_analysis(&before, patient()).await.unwrap();
        let other = parquet(&resource).await;
        assert_eq!(other.url(), copy.url());
        let error = reader.read(0..4).await.unwrap_err();
        assert!(error.is_changed(), "{error}");
        assert_eq!(other.ranges().await.unwrap().read(0..4).await.unwrap(), "PAR1");
    });
}

#[test]
fn a_file_without_a_table_has_no_copies() {
    run(|live| async move {
        let client = live.user_for("copies");
        let resource = crate::publisher::publish(&client, "csv", "only-a-header\n").await;
        resource.wait_for_analysis(patient()).await.unwrap();
        assert!(resource.parquet().await.unwrap().is_none());
        assert!(resource.geojson().await.unwrap().is_none());
        assert!(resource.pmtiles().await.unwrap().is_none());
    });
}

#[cfg(feature = "parquet")]
#[test]
fn selected_columns_of_a_copy_equal_the_rows_and_the_others_are_not_read() {
    use std::sync::{Arc, Mutex};

    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float64Type, Int64Type};
    use futures_util::TryStreamExt;
    use parquet::arrow::ProjectionMask;
    use parquet::arrow::async_reader::AsyncFileReader;

    use crate::publisher::Station;

    /// Records the ranges that are read.
    struct Recording(datagouv::files::RangeReader, Arc<Mutex<Vec<std::ops::Range<u64>>>>);

    impl AsyncFileReader for Recording {
        fn get_bytes(
            &mut self,
            range: std::ops::Range<u64>,
        ) -> futures_util::future::BoxFuture<'_, parquet::errors::Result<bytes::Bytes>> {
            self.1.lock().unwrap().push(range.clone());
            self.0.get_bytes(range)
        }

        fn get_metadata<'a>(
            &'a mut self,
            options: Option<&'a parquet::arrow::arrow_reader::ArrowReaderOptions>,
        ) -> futures_util::future::BoxFuture<'a, parquet::errors::Result<Arc<parquet::file::metadata::ParquetMetaData>>>
        {
            self.0.get_metadata(options)
        }
    }

    run(|live| async move {
        let client = live.user_for("copies");
        let (_, csv) = stations(1..=STATIONS);
        let (resource, _) = publish_table(&client, "csv", csv).await;
        let rows = resource.rows::<Station>().collect(STATIONS as usize).await.unwrap();
        let copy = parquet(&resource).await;

        let read = Arc::default();
        let recording = Recording(copy.ranges().await.unwrap(), Arc::clone(&read));
        let builder = parquet::arrow::ParquetRecordBatchStreamBuilder::new(recording).await.unwrap();
        assert_eq!(builder.metadata().file_metadata().num_rows(), STATIONS);
        let two = ProjectionMask::columns(builder.parquet_schema(), ["puissance", "points"]);
        let mut batches = builder.with_projection(two).build().unwrap();
        let mut expected = rows.iter();
        while let Some(batch) = batches.try_next().await.unwrap() {
            let powers = batch.column_by_name("puissance").unwrap().as_primitive::<Float64Type>();
            let points = batch.column_by_name("points").unwrap().as_primitive::<Int64Type>();
            for (power, points) in powers.iter().zip(points) {
                let row = expected.next().unwrap();
                assert_eq!((power, points), (row.puissance, Some(row.points)));
            }
        }
        assert!(expected.next().is_none());
        let bytes: u64 = read.lock().unwrap().iter().map(|range| range.end - range.start).sum();
        assert!(bytes * 2 < copy.size().unwrap(), "{bytes} of {:?} bytes", copy.size());
        println!("{} ranges, {bytes} of {:?} bytes", read.lock().unwrap().len(), copy.size());
    });
}
