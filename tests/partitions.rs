//! Queries partitioned into ranges of row numbers.

use std::num::NonZeroUsize;

use datagouv::rows::{Rows, avg, col};
use datagouv::{Api, Client, Limits, Result};
use datagouv_sandbox::Sandbox;
use datagouv_sandbox::platform::NewTable;
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Deserialize, PartialEq)]
struct Counted {
    n: u64,
}

/// Rows `{n, even}` with the numbers 1 to `most`, of which those between `gap` are missing.
async fn table(most: u64, gap: std::ops::Range<u64>) -> (Sandbox, Rows<Counted>) {
    let numbers: Vec<u64> = (1..=most).filter(|n| !gap.contains(n)).collect();
    let table = NewTable {
        columns: [("n", "int"), ("even", "bool")].map(|(name, kind)| (name.to_owned(), kind.to_owned())).to_vec(),
        rows: numbers.iter().map(|n| vec![json!(n), json!(n % 2 == 0)]).collect(),
        numbers: Some(numbers.iter().map(|n| Some(*n)).collect()),
        aggregates: true,
        ..NewTable::default()
    };
    let (sandbox, resource) = Sandbox::start_with_table(table).await;
    let client = Client::builder()
        .base_url(Api::Tabular, sandbox.url(Api::Tabular))
        .base_url(Api::MainV2, sandbox.url(Api::MainV2))
        .limits(Limits::none())
        .build()
        .unwrap();
    (sandbox, client.resource(resource).rows())
}

async fn numbers(rows: Rows<Counted>) -> Result<Vec<u64>> {
    Ok(rows.collect(usize::MAX).await?.into_iter().map(|row| row.n).collect())
}

fn parts(most: usize) -> NonZeroUsize {
    NonZeroUsize::new(most).unwrap()
}

/// How many pages and exports were requested.
fn requests(sandbox: &Sandbox) -> (usize, usize) {
    let received = sandbox.take_requests();
    let ending = |end: &str| received.iter().filter(|request| request.path.ends_with(end)).count();
    (ending("/data/"), ending("/csv/"))
}

#[tokio::test]
async fn partitions_cover_every_row_once_in_order() {
    let (_sandbox, rows) = table(260_000, 100_000..130_000).await;
    for (most, expected) in [(1, 1), (3, 3), (4, 4), (9, 5)] {
        let partitions = rows.extent().await.unwrap().ranges(parts(most));
        assert_eq!(partitions.len(), expected);
        let mut found = Vec::new();
        for partition in partitions {
            found.extend(numbers(rows.clone().row_numbers(partition)).await.unwrap());
        }
        assert_eq!(found, (1..=260_000).filter(|n| !(100_000..130_000).contains(n)).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_range_of_row_numbers_is_read_in_windows_of_that_range() {
    let (sandbox, rows) = table(300_000, 0..0).await;
    let part = rows.clone().row_numbers(200_001..=300_000).row_numbers(i64::MIN..=290_000);
    assert_eq!(part.count().await.unwrap(), 90_000);
    requests(&sandbox);
    assert_eq!(numbers(part.clone()).await.unwrap(), (200_001..=290_000).collect::<Vec<_>>());
    // A narrow window, then 50,000 rows, then the rest.
    assert_eq!(requests(&sandbox), (1, 3));
    let last_first = part.filter(col("even").eq(true)).sort(col("__id").desc());
    let expected: Vec<u64> = (200_001..=290_000).rev().filter(|n| n % 2 == 0).collect();
    assert_eq!(numbers(last_first).await.unwrap(), expected);
    assert_eq!(numbers(rows.clone().row_numbers(299_999..=999_999)).await.unwrap(), [299_999, 300_000]);
    assert_eq!(numbers(rows.row_numbers(std::ops::RangeInclusive::new(5, 4))).await.unwrap(), [0_u64; 0]);
}

#[tokio::test]
async fn a_partition_resumes_after_a_cut_export() {
    let (sandbox, rows) = table(120_000, 0..0).await;
    let part = rows.row_numbers(60_001..=110_000).concurrency(NonZeroUsize::MIN);
    sandbox.cut_once("getResourceDataCSV", 20_000);
    assert_eq!(numbers(part).await.unwrap(), (60_001..=110_000).collect::<Vec<_>>());
    let bounds: Vec<String> = sandbox
        .take_requests()
        .into_iter()
        .filter(|request| request.path.ends_with("/csv/"))
        .filter_map(|request| request.query.rsplit_once("__id__greater=").map(|(_, rest)| rest.to_owned()))
        .collect();
    assert!(bounds.iter().all(|bound| !bound.starts_with("60001&__id__less=110000&__id")), "{bounds:?}");
    assert_eq!(bounds.len(), 2, "{bounds:?}");
}

#[tokio::test]
async fn a_table_of_one_export_is_one_partition_and_counted_once() {
    let (sandbox, rows) = table(30_000, 0..0).await;
    let extent = rows.extent().await.unwrap();
    assert_eq!(extent.ranges(parts(4)), [i64::MIN..=i64::MAX]);
    requests(&sandbox);
    assert_eq!(numbers(rows.known_extent(extent)).await.unwrap().len(), 30_000);
    // A first, narrow window and the rest.
    assert_eq!(requests(&sandbox), (0, 2));
}

#[tokio::test]
async fn the_extent_of_a_query_is_one_request() {
    let (sandbox, rows) = table(60_000, 10..20).await;
    let extent = rows.clone().filter(col("n").lt(30_001)).extent().await.unwrap();
    assert_eq!((extent.rows, extent.last), (Some(29_990), Some(30_000)));
    assert_eq!(requests(&sandbox), (1, 0));
    let nothing = rows.clone().filter(col("n").lt(0)).extent().await.unwrap();
    assert_eq!((nothing.rows, nothing.last), (Some(0), None));
    assert!(rows.group_by(["even"]).aggregate([avg("n")]).extent().await.unwrap_err().is_request());
}
