//! Refused queries, and responses that do not match the query.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use datagouv::rows::{Reading, Row, Warning, avg, col, count};
use datagouv_sandbox::platform::{CHARGING_POINTS_RESOURCE, COMMUNES_RESOURCE, NewTable};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Counted, TABLE, columns, counted, of_every_type, platform};

#[tokio::test]
async fn reads_pages_without_known_types() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(60));
    sandbox.respond_once("getResourceProfile", 200, &[], r#"{"profile": {}, "deleted_at": null, "indexes": null}"#);
    let mut stream = client.resource(TABLE).rows::<Row>().stream();
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!((first["__id"].as_u64(), first["even"].as_bool(), stream.total()), (Some(1), Some(false), Some(60)));
    assert_eq!(stream.reading(), &Reading::Pages { reason: "the types of the columns are not known".to_owned() });
    let expected = Warning::NoProfile { reason: "it does not tell the types of the columns".to_owned() };
    assert_eq!(stream.warnings(), [expected]);
}

#[tokio::test]
async fn reads_pages_with_a_warning_without_a_profile() {
    for (status, body) in [(500, "Internal Server Error"), (200, "<html>"), (400, "{}")] {
        let (sandbox, client) = platform().await;
        sandbox.add_table(TABLE, counted(300));
        // For every request.
        for _ in 0..3 {
            sandbox.respond_once("getResourceProfile", status, &[], body);
        }
        let rows = client.resource(TABLE).rows::<Counted>();
        let mut stream = rows.stream();
        let mut read = Vec::new();
        while let Some(row) = stream.next().await {
            read.push(row.unwrap().n);
        }
        assert_eq!(read, (1..=300).collect::<Vec<u64>>(), "{status}");
        assert!(matches!(stream.warnings(), [Warning::NoProfile { .. }]), "{:?}", stream.warnings());
    }
    let (_sandbox, client) = platform().await;
    let unknown = client.resource("0d1e2f30-4152-4637-8495-000000000000").rows::<Row>();
    assert!(unknown.collect(1).await.unwrap_err().is_not_tabular());
}

#[tokio::test]
async fn detects_an_outdated_profile() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(10));
    let rows = client.resource(TABLE).rows::<Row>();
    assert_eq!(rows.clone().collect(100).await.unwrap().len(), 10);
    let table = NewTable { columns: columns(&[("m", "float"), ("even", "bool")]), ..counted(5) };
    sandbox.add_table(TABLE, table);
    let read = rows.clone().collect(100).await.unwrap();
    assert_eq!((read.len(), &read[0]["m"]), (5, &json!(1)));
    sandbox.take_requests();
    rows.collect(100).await.unwrap();
    assert!(
        sandbox.take_requests().iter().any(|request| request.path.ends_with("/profile/")),
        "the profile is requested again"
    );
}

#[tokio::test]
async fn a_truncated_export_is_an_error() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(100));
    sandbox.respond_once("getResourceDataCsv", 200, &[("content-type", "text/csv")], "__id,n,even\n1,1,f\n2,2,t\n");
    let mut stream = client.resource(TABLE).rows::<Counted>().stream();
    assert_eq!([stream.next().await.unwrap().unwrap().n, stream.next().await.unwrap().unwrap().n], [1, 2]);
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(error.is_transport() && error.to_string().contains("2 of 100 rows came"), "{error}");
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn reports_the_reasons_of_the_server() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(300));
    sandbox.limit_rows(50, 200);
    let rows = client.resource(TABLE).rows::<Row>();
    let error = rows.csv().await.unwrap_err();
    assert!(error.is_too_long() && error.server_message().unwrap().contains("more than 200 rows"), "{error}");
    assert!(rows.json().await.unwrap_err().is_too_long());
    let error = rows.clone().aggregate([avg("n")]).collect(10).await.unwrap_err();
    assert!(error.is_aggregation_refused() && !error.is_too_long(), "{error}");
    sandbox.delete_table(TABLE);
    let error = rows.count().await.unwrap_err();
    assert!(error.is_gone() && error.server_message().unwrap().contains("permanently deleted"), "{error}");
    let unknown = client.resource("6f1d8c9e-4b7a-4d52-9a3e-2c5b8e7f1a04").rows::<Row>();
    let error = unknown.clone().collect(10).await.unwrap_err();
    assert!(error.is_not_tabular() && !error.is_gone(), "{error}");
    assert!(unknown.count().await.unwrap_err().is_not_tabular());
    let communes = client.resource(COMMUNES_RESOURCE).rows::<Row>();
    let error = communes.filter(col("population").contains("1")).count().await.unwrap_err();
    assert!(error.is_request() && error.to_string().contains("does not take `contains`"), "{error}");
    sandbox.add_table("0d1e2f30-4152-4637-8495-000000000001", of_every_type());
    let sorted = client.resource("0d1e2f30-4152-4637-8495-000000000001").rows::<Row>().sort(col("arbre").asc());
    let error = sorted.clone().first().await.unwrap_err();
    assert!(error.is_unsupported() && !error.is_not_found() && !error.is_not_tabular(), "{error}");
    let error = sorted.csv().await.unwrap_err();
    assert!(
        error.is_unsupported() && error.to_string().contains("ordering operator"),
        "exports give no reason: {error}"
    );
}

#[tokio::test]
async fn pages_that_end_early_are_an_error() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(100));
    sandbox.respond_once("getResourceData", 200, &[], r#"{"data": [{"n": 1}], "links": {}, "meta": {"total": 100}}"#);
    let mut pages = client.resource(TABLE).rows::<Counted>().pages();
    assert_eq!(pages.next().await.unwrap().unwrap().rows.len(), 1);
    let error = pages.next().await.unwrap().unwrap_err();
    assert!(error.is_transport() && error.to_string().contains("1 of 100 rows came"), "{error}");
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn post_filters_conditions_that_the_server_lacks() {
    let (sandbox, client) = platform().await;
    let texts = ["a*b", "axb", "ab", "A*B*", "a,b)"].map(|text| vec![json!(text), json!("x")]);
    let rows = texts.into_iter().chain([vec![Value::Null, json!("x")]]).collect();
    sandbox.add_table(
        TABLE,
        NewTable { columns: columns(&[("t", "string"), ("u", "string")]), rows, ..NewTable::default() },
    );
    let rows = client.resource(TABLE).rows::<Row>();
    for (condition, expected) in [
        (col("t").contains("a*b"), vec![1, 4]),
        (col("t").not_contains("a*b"), vec![2, 3, 5]),
        (!col("t").contains("a*b"), vec![2, 3, 5]),
        (col("t").like("a_b"), vec![1, 2]),
        (!col("t").like("a%"), vec![]),
        (col("t").contains("a,b)") | col("t").is_null(), vec![5, 6]),
    ] {
        let text = condition.to_string();
        for query in [rows.clone(), rows.clone().select(["u", "__id"])] {
            let found = query.filter(condition.clone()).collect(10).await.unwrap();
            assert_eq!(found.iter().map(|row| row["__id"].as_u64().unwrap()).collect::<Vec<_>>(), expected, "{text}");
            assert!(found.iter().all(|row| row.len() == if row.get("t").is_some() { 3 } else { 2 }), "{found:?}");
        }
    }
    let query = rows.filter(col("t").contains("*"));
    assert_eq!(query.clone().limit(1).collect(10).await.unwrap()[0]["__id"], 1);
    for error in [
        query.count().await.unwrap_err(),
        query.csv().await.unwrap_err(),
        query.clone().pages().next().await.unwrap().unwrap_err(),
    ] {
        assert!(error.is_request() && error.to_string().contains("stream the rows"), "{error}");
    }
}

#[tokio::test]
async fn warns_of_rows_that_the_platform_gets_wrong() {
    let (sandbox, client) = platform().await;
    let profile = json!({"profile": {
        "header": ["jour", "n"], "encoding": "mac_latin2", "nb_duplicates": "0",
        "columns": {"jour": {"python_type": "date", "date_format": "%d/%m/%Y"}, "n": {"python_type": "int"}},
    }});
    sandbox.respond_once("getResourceProfile", 200, &[], profile.to_string());
    // Not a resource of the catalogue.
    sandbox.add_table(TABLE, counted(5));
    let plan = client.resource(TABLE).rows::<Row>().explain().await.unwrap();
    assert_eq!(plan.reading, Reading::Windows);
    let day_first = Warning::DayFirstDates { column: "jour".to_owned(), format: "%d/%m/%Y".to_owned() };
    let guessed = Warning::GuessedEncoding { encoding: "mac_latin2".to_owned() };
    assert_eq!(plan.warnings, [day_first, guessed, Warning::Deleted]);
    let known = client.resource(CHARGING_POINTS_RESOURCE).rows::<Row>().explain().await.unwrap();
    assert_eq!(known.warnings, []);
}

#[tokio::test]
async fn refuses_an_invalid_query_before_sending_and_requests_the_profile_once() {
    let (sandbox, client) = platform().await;
    let table = NewTable { indexes: Some(vec!["even".to_owned()]), aggregates: true, ..counted(10) };
    sandbox.add_table(TABLE, table);
    sandbox.limit_rows(200, 50_000);
    let rows = client.resource(TABLE).rows::<Row>().checked();
    for (query, reason) in [
        (rows.clone().filter(col("evne").eq(true)), "did you mean `even`?"),
        (rows.clone().select(["n", "m"]), "there is no column `m`"),
        (rows.clone().filter(col("n").contains("1")), "does not take `contains`"),
        (rows.clone().group_by(["even"]).aggregate([avg("n")]), "`n` has no index"),
    ] {
        let error = query.count().await.err();
        let error = match error {
            Some(error) if error.to_string().contains(reason) => error,
            _ => query.collect(10).await.unwrap_err(),
        };
        assert!(error.is_request() && error.to_string().contains(reason), "{error}");
    }
    let grouped = rows.clone().group_by(["even"]).aggregate([count("even")]);
    assert_eq!(grouped.collect(10).await.unwrap().len(), 2);
    let mut paths: BTreeMap<String, usize> = BTreeMap::new();
    for request in sandbox.take_requests() {
        *paths.entry(request.path.rsplit('/').nth(1).unwrap_or_default().to_owned()).or_default() += 1;
    }
    assert_eq!((paths["profile"], paths["data"]), (1, 1));
    let refused = client.resource(COMMUNES_RESOURCE).rows::<Row>().checked().aggregate([avg("population")]);
    let error = refused.collect(10).await.unwrap_err();
    assert!(error.is_request() && error.to_string().contains("does not aggregate"), "{error}");
}

#[tokio::test]
async fn a_row_that_cannot_be_decoded_is_an_error_and_the_next_ones_follow() {
    #[derive(Debug, Deserialize)]
    struct Small {
        n: u8,
    }
    let (sandbox, client) = platform().await;
    let mut table = counted(3);
    table.rows[1][0] = json!(256);
    sandbox.add_table(TABLE, table);
    let mut stream = client.resource(TABLE).rows::<Small>().stream();
    assert_eq!(stream.next().await.unwrap().unwrap().n, 1);
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(error.is_decode() && error.to_string().contains("row 2, column n"), "{error}");
    assert_eq!(stream.next().await.unwrap().unwrap().n, 3);
    assert!(stream.next().await.is_none());
}

/// A filter by any value finds its row.
#[test]
fn any_value_matches_itself_or_is_refused_with_a_reason() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (sandbox, client) = runtime.block_on(platform());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(200));
    // The names of columns and the values: all characters that the database can store.
    let texts = ("[^\0]{1,12}", "[^\0]{0,12}", "[,.\"#&=+%()\\\\_ é😀a-c]{1,8}");
    let tables = AtomicU32::new(0);
    runner
        .run(&texts, |(column, value, nasty)| {
            runtime.block_on(async {
                // Another resource each time: the profile of the previous one is cached.
                let id = format!("0d1e2f30-4152-4637-8495-{:012x}", tables.fetch_add(1, Ordering::Relaxed));
                let rows = [&value, &nasty, "else"].map(|text| vec![json!(text)]).to_vec();
                sandbox
                    .add_table(&id, NewTable { columns: columns(&[(&column, "string")]), rows, ..NewTable::default() });
                let table = client.resource(&id).rows::<Row>();
                let texts = |rows: Vec<Row>| -> Vec<String> {
                    rows.iter().map(|row| row[column.as_str()].as_str().unwrap_or_default().to_owned()).collect()
                };
                let all = [value.as_str(), &nasty, "else"];
                for wanted in [&value, &nasty] {
                    let expected: Vec<&str> = all.into_iter().filter(|text| text == wanted).collect();
                    let exact = table.clone().filter(col(&column).eq(wanted)).collect(10).await.unwrap();
                    prop_assert_eq!(texts(exact), expected);
                    let others: Vec<&str> = all.into_iter().filter(|text| text != wanted).collect();
                    let different = table.clone().filter(col(&column).is_not_in([wanted])).collect(10).await.unwrap();
                    prop_assert_eq!(texts(different), others);
                }
                let either = [col(&column).is_in([&value, &nasty]), col(&column).eq(&value) | col("__id").eq(2)];
                for (index, condition) in either.into_iter().enumerate() {
                    let expected: Vec<&str> = all
                        .into_iter()
                        .enumerate()
                        .filter(|(at, text)| *text == value || if index == 0 { *text == nasty } else { *at == 1 })
                        .map(|(_, text)| text)
                        .collect();
                    match table.clone().filter(condition).collect(10).await {
                        Ok(rows) => prop_assert_eq!(texts(rows), expected),
                        Err(error) => prop_assert!(error.is_request(), "{}", error),
                    }
                }
                let sorted = table.clone().sort(col(&column).asc()).collect(10).await.unwrap();
                let mut expected = all.to_vec();
                expected.sort_unstable();
                prop_assert_eq!(texts(sorted), expected);
                Ok(())
            })
        })
        .unwrap();
}
