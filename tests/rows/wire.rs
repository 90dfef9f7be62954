//! The requests of a query, and its rows.

use std::num::NonZeroUsize;

use datagouv::rows::{Condition, Reading, Row, avg, col, count, max};
use datagouv::{Api, Client, Limits};
use datagouv_sandbox::Sandbox;
use datagouv_sandbox::platform::{CHARGING_POINTS_RESOURCE, COMMUNES_RESOURCE, NewTable};
use serde_json::{Value, json};

use super::{Counted, TABLE, counted, exports, numbers, of_every_type, platform};

#[tokio::test]
async fn rows_of_csv_and_json_are_equal_in_every_type() {
    let (sandbox, client) = platform().await;
    let table = of_every_type();
    let expected = table.rows.clone();
    sandbox.add_table(TABLE, table);
    let rows = client.resource(TABLE).rows::<Row>();
    let streamed = rows.clone().collect(100).await.unwrap();
    let mut pages = rows.pages();
    let paged = pages.next().await.unwrap().unwrap();
    assert!(pages.next().await.is_none());
    assert_eq!(streamed, paged.rows);
    assert_eq!(paged.total, Some(4));
    let values: Vec<Vec<Value>> =
        streamed.into_iter().map(|row| row.into_iter().skip(1).map(|(_, value)| value).collect()).collect();
    assert_eq!(values, expected);
}

#[tokio::test]
async fn a_table_is_exported_in_ordered_windows_of_50_000_rows() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(120_001));
    let rows = client.resource(TABLE).rows::<Counted>();
    let mut stream = rows.stream();
    let mut expected = 1;
    while let Some(row) = stream.next().await {
        assert_eq!(row.unwrap().n, expected);
        assert_eq!((stream.so_far(), stream.total()), (expected, Some(120_001)));
        expected += 1;
    }
    assert_eq!(expected, 120_002);
    assert_eq!(stream.reading(), &Reading::Windows);
    let received = sandbox.take_requests();
    let queries: Vec<&str> = received.iter().map(|request| request.query.as_str()).collect();
    assert_eq!(
        queries,
        [
            "",
            "__id__sort=desc&page=1&page_size=2",
            // The first window is narrow, so that its rows arrive soon, and starts at the lowest number.
            "__id__less=1000&__id__sort=asc",
            "__id__greater=1001&__id__less=51000&__id__sort=asc",
            "__id__greater=51001&__id__less=101000&__id__sort=asc",
            "__id__greater=101001&__id__less=120001&__id__sort=asc",
        ]
    );
}

#[tokio::test]
async fn windows_are_read_in_descending_order() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(50_003));
    let rows = client.resource(TABLE).rows::<Counted>().sort(col("__id").desc());
    assert_eq!(numbers(rows).await.unwrap(), (1..=50_003).rev().collect::<Vec<u64>>());
    assert_eq!(
        exports(&sandbox),
        ["__id__greater=49004&__id__less=50003&__id__sort=desc", "__id__less=49003&__id__sort=desc"]
    );
}

#[tokio::test]
async fn gaps_in_row_numbers_lose_no_rows_and_a_filter_widens_the_windows() {
    let (sandbox, client) = platform().await;
    let mut table = counted(60_000);
    table.numbers = Some((1..=60_000).map(|n| Some(n * 7 - 6)).collect());
    sandbox.add_table(TABLE, table);
    let rows = client.resource(TABLE).rows::<Counted>();
    assert_eq!(numbers(rows.clone()).await.unwrap(), (1..=60_000).collect::<Vec<u64>>());
    assert_eq!(exports(&sandbox).len(), 3, "windows of 50,000 numbers would be nine");
    let filtered = rows.filter(col("n").gt(100).and(col("n").ne(500)));
    assert_eq!(numbers(filtered).await.unwrap(), (101..=60_000).filter(|n| *n != 500).collect::<Vec<u64>>());
    let exports = exports(&sandbox);
    assert!(
        exports.iter().all(|query| query.starts_with("n__strictly_greater=100&n__differs=500&n__isnotnull=&__id__")),
        "{exports:?}"
    );
}

#[tokio::test]
async fn a_small_table_is_one_export() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(1_000));
    let rows = client.resource(TABLE).rows::<Counted>();
    assert_eq!(numbers(rows.clone().filter(col("even").eq(true))).await.unwrap().len(), 500);
    assert_eq!(exports(&sandbox), ["even__exact=true&__id__sort=asc"]);
    // Windows do not apply to another order.
    let sorted = rows.sort(col("n").desc());
    let plan = sorted.explain().await.unwrap();
    assert_eq!(plan.reading, Reading::Export { reason: "the rows are sorted by `n`".to_owned() });
    assert_eq!(numbers(sorted).await.unwrap(), (1..=1_000).rev().collect::<Vec<u64>>());
    assert_eq!(exports(&sandbox), ["n__sort=desc,__id.asc"]);
}

#[tokio::test]
async fn narrows_windows_until_the_server_exports_them() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(1_000));
    sandbox.limit_rows(50, 300);
    let rows = client.resource(TABLE).rows::<Counted>();
    for (rows, expected) in [
        (rows.clone(), (1..=1_000).collect::<Vec<u64>>()),
        (rows.sort(col("__id").desc()), (1..=1_000).rev().collect()),
    ] {
        assert_eq!(numbers(rows).await.unwrap(), expected);
    }
    let widest = exports(&sandbox).len();
    assert!(widest < 40, "{widest} exports");
}

#[tokio::test]
async fn falls_back_to_pages_for_sorted_rows() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(1_000));
    sandbox.limit_rows(40, 300);
    let mut stream = client.resource(TABLE).rows::<Counted>().sort(col("n").desc()).stream();
    let mut read = Vec::new();
    while let Some(row) = stream.next().await {
        read.push(row.unwrap().n);
    }
    assert_eq!(read, (1..=1_000).rev().collect::<Vec<u64>>());
    assert_eq!(stream.reading().to_string(), "pages: the rows are sorted by `n`");
    let pages = sandbox.take_requests().into_iter().filter(|request| request.query.contains("page_size=40")).count();
    assert_eq!(pages, 25, "the server's maximum is read from its refusal");
}

#[tokio::test]
async fn windows_select_the_row_number_without_returning_it() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(50_001));
    let rows = client.resource(TABLE).rows::<Row>().select(["even"]).collect(usize::MAX).await.unwrap();
    assert_eq!(rows.len(), 50_001);
    assert_eq!(serde_json::to_string(&rows[1]).unwrap(), r#"{"even":true}"#);
    assert!(exports(&sandbox).iter().all(|query| query.ends_with("&columns=even,__id")));
}

#[tokio::test]
async fn resumes_a_cut_export() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(60_000));
    sandbox.cut_once("getResourceDataCsv", 5_000);
    let rows = client.resource(TABLE).rows::<Counted>().concurrency(NonZeroUsize::MIN);
    assert_eq!(numbers(rows).await.unwrap(), (1..=60_000).collect::<Vec<u64>>());
    let exports = exports(&sandbox);
    assert_eq!(exports.len(), 4, "{exports:?}");
    let again: Vec<&str> = exports[1].split(['=', '&']).collect();
    assert!((300..1_000).contains(&again[1].parse::<u64>().unwrap()) && again[3] == "1000", "{exports:?}");
}

#[tokio::test]
async fn retried_windows_need_one_permit() {
    let sandbox = Sandbox::start_platform().await;
    let limits = Limits::none().in_flight(1);
    let client = Client::builder().base_url(Api::Tabular, sandbox.url(Api::Tabular)).limits(limits).build().unwrap();
    let mut table = counted(3_000);
    // Larger than the read-ahead of a window.
    table.columns.push(("t".to_owned(), "string".to_owned()));
    table.rows.iter_mut().for_each(|row| row.push(json!("x".repeat(8_000))));
    sandbox.add_table(TABLE, table);
    sandbox.limit_rows(50, 1_000);
    let rows = client.resource(TABLE).rows::<Counted>();
    assert_eq!(numbers(rows).await.unwrap(), (1..=3_000).collect::<Vec<u64>>());
}

#[tokio::test]
async fn sends_nothing_before_it_is_polled_and_limits_requests_in_flight() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(400_000));
    let mut stream = client.resource(TABLE).rows::<Counted>().concurrency(NonZeroUsize::new(2).unwrap()).stream();
    assert!(sandbox.requests().is_empty());
    for _ in 0..10 {
        stream.next().await.unwrap().unwrap();
    }
    drop(stream);
    assert!(exports(&sandbox).len() <= 2);
}

#[tokio::test]
async fn conditions_are_sent_with_their_meaning() {
    let (_sandbox, client) = platform().await;
    let points = client.resource(CHARGING_POINTS_RESOURCE).rows::<Row>();
    for (condition, expected) in [
        (col("puissance").ge(22).and(col("commune").is_in(["Brest", "Lyon"]).or(col("points").gt(5))), 40),
        (!col("commune").is_in(["Brest", "Lyon"]), 100),
        (col("commune").contains("BR") | col("commune").is_null(), 10),
        (col("__id").lt(5) | col("__id").gt(119), 5),
        (col("commune").eq("Brest") & col("puissance").eq(7.4), 0),
        (col("mise_en_service").lt("2020-01-01"), 18),
        (Condition::any([]), 0),
        (Condition::all([]), 120),
    ] {
        let text = condition.to_string();
        let query = points.clone().filter(condition);
        let counted = query.clone().count().await.unwrap();
        assert_eq!(query.collect(1_000).await.unwrap().len() as u64, counted, "{text}");
        assert_eq!(counted, expected, "{text}");
    }
}

#[tokio::test]
async fn groups_are_read_in_pages_sorted_by_their_keys() {
    let (sandbox, client) = platform().await;
    let points = client.resource(CHARGING_POINTS_RESOURCE).rows::<Row>();
    let query = points.clone().group_by(["acces_libre"]).aggregate([count("id_pdc"), max("points"), avg("points")]);
    assert!(matches!(query.explain().await.unwrap().reading, Reading::Pages { .. }));
    let groups = query.clone().sort(col("acces_libre").desc()).collect(10).await.unwrap();
    let expected = [
        json!({"acces_libre": true, "id_pdc__count": 80, "points__max": 6, "points__avg": 4.0}),
        json!({"acces_libre": false, "id_pdc__count": 40, "points__max": 4, "points__avg": 2.5}),
    ];
    assert_eq!(groups.iter().map(|group| serde_json::to_value(group).unwrap()).collect::<Vec<_>>(), expected);
    let sent = sandbox.take_requests().pop().unwrap().query;
    assert_eq!(
        sent,
        "acces_libre__sort=desc&acces_libre__groupby&id_pdc__count&points__max&points__avg&page=1&page_size=50"
    );
    for (refused, reason) in [
        (query.clone().sort(col("points").asc()), "`points` is none"),
        (query.clone().select(["points"]), "select none"),
        (points.group_by(["points"]), "does not group by `points` alone"),
    ] {
        let error = refused.collect(10).await.unwrap_err();
        assert!(error.is_request() && error.to_string().contains(reason), "{error}");
    }
    assert!(sandbox.take_requests().is_empty());
}

#[tokio::test]
async fn sorted_pages_have_every_row_once() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(1_000));
    sandbox.limit_rows(40, 300);
    let rows = client.resource(TABLE).rows::<Counted>().sort(col("even").desc());
    let mut paged = Vec::new();
    let mut pages = rows.clone().pages();
    while let Some(page) = pages.next().await {
        paged.extend(page.unwrap().rows.into_iter().map(|row| row.n));
    }
    let expected: Vec<u64> = (1..=1_000).filter(|n| n % 2 == 0).chain((1..=1_000).filter(|n| n % 2 == 1)).collect();
    assert_eq!(paged, expected);
    assert_eq!(numbers(rows).await.unwrap(), expected, "longer than an export");
}

#[tokio::test]
async fn groups_over_many_pages_are_yielded_once() {
    let (sandbox, client) = platform().await;
    let table = NewTable { aggregates: true, ..counted(500) };
    sandbox.add_table(TABLE, table);
    let groups = client.resource(TABLE).rows::<Row>().group_by(["n"]).aggregate([count("even")]);
    let groups = groups.collect(1_000).await.unwrap();
    assert_eq!(
        groups.iter().map(|group| group["n"].as_u64().unwrap()).collect::<Vec<_>>(),
        (1..=500).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_few_rows_are_one_request() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(120_000));
    let rows = client.resource(TABLE).rows::<Counted>();
    for (rows, expected) in [
        (rows.clone().limit(3), vec![1, 2, 3]),
        (rows.clone().limit(3).sort(col("n").desc()), vec![120_000, 119_999, 119_998]),
        (rows.clone().limit(1).filter(col("even").eq(true)), vec![2]),
    ] {
        sandbox.take_requests();
        assert_eq!(numbers(rows).await.unwrap(), expected);
        let received = sandbox.take_requests();
        assert_eq!(received.len(), 1, "{received:?}");
    }
    assert_eq!(rows.clone().first().await.unwrap(), Some(Counted { n: 1 }));
    assert_eq!(rows.clone().filter(col("n").lt(1)).first().await.unwrap(), None);
    assert!(numbers(rows.clone().limit(0)).await.unwrap().is_empty());
    sandbox.take_requests();
    assert_eq!(numbers(rows.limit(20_000)).await.unwrap(), (1..=20_000).collect::<Vec<u64>>());
    assert_eq!(exports(&sandbox), ["__id__less=20000&__id__sort=asc"]);
}

#[tokio::test]
async fn learns_the_largest_page_size_from_an_error() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(90));
    sandbox.limit_rows(30, 50_000);
    for requests in [4, 3] {
        let mut pages = client.resource(TABLE).rows::<Counted>().pages();
        let mut rows = 0;
        while let Some(page) = pages.next().await {
            rows += page.unwrap().rows.len();
        }
        assert_eq!((rows, sandbox.take_requests().len()), (90, requests));
    }
    sandbox.limit_rows(200, 50_000);
    let (other, client) = platform().await;
    other.add_table(TABLE, counted(90));
    other.limit_rows(200, 50_000);
    let mut pages = client.resource(TABLE).rows::<Counted>().pages();
    assert_eq!(pages.next().await.unwrap().unwrap().rows.len(), 90);
}

#[tokio::test]
async fn splits_a_long_list_of_values_and_merges_the_rows_in_order() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(10_000));
    let wanted: Vec<u64> = (0..3_000).map(|n| n * 3 + 1).rev().collect();
    let rows = client.resource(TABLE).rows::<Row>().filter(col("n").is_in(wanted.clone()));
    let in_order: Vec<u64> = wanted.iter().rev().copied().collect();
    for (rows, expected) in [(rows.clone(), &in_order), (rows.clone().sort(col("__id").desc()), &wanted)] {
        let found = rows.clone().select(["n"]).collect(usize::MAX).await.unwrap();
        assert!(found.iter().all(|row| row.len() == 1));
        assert_eq!(&found.iter().map(|row| row["n"].as_u64().unwrap()).collect::<Vec<_>>(), expected);
        let first = rows.limit(2).collect(usize::MAX).await.unwrap();
        assert_eq!([first[0]["n"].as_u64(), first[1]["n"].as_u64()], [Some(expected[0]), Some(expected[1])]);
    }
    assert_eq!(rows.count().await.unwrap(), 3_000);
    assert!(sandbox.take_requests().iter().all(|request| request.query.len() < 8_000));
    let error = rows.clone().sort(col("even").asc()).collect(10).await.unwrap_err();
    assert!(error.is_request() && error.to_string().contains("cannot be sorted by another column"), "{error}");
    assert!(sandbox.take_requests().is_empty());
}

#[tokio::test]
async fn reads_row_numbers_below_one() {
    let (sandbox, client) = platform().await;
    let table = NewTable { numbers: Some((0..6_000).map(Some).collect()), ..counted(6_000) };
    sandbox.add_table(TABLE, table);
    let rows = client.resource(TABLE).rows::<Counted>();
    assert_eq!(numbers(rows.clone()).await.unwrap(), (1..=6_000).collect::<Vec<u64>>());
    assert_eq!(rows.filter(Condition::any([])).count().await.unwrap(), 0);
}

#[tokio::test]
async fn raw_exports_are_the_bytes_of_the_server() {
    let (_sandbox, client) = platform().await;
    let query =
        client.resource(COMMUNES_RESOURCE).rows::<Row>().filter(col("nom").eq("Brest")).select(["nom", "population"]);
    assert_eq!(query.csv().await.unwrap().into_inner().text().await.unwrap(), "nom,population\nBrest,139619\n");
    let json = query.json().await.unwrap().into_inner().text().await.unwrap();
    assert_eq!(json, "[{\"nom\":\"Brest\",\"population\":139619}]\n");
    let none = query.filter(col("nom").eq("Lyon"));
    assert_eq!(none.collect(10).await.unwrap(), []);
}
