//! Rows as record batches: the same values as the rows, cell by cell.

mod cells;
mod consumers;
mod dumps;

use std::num::NonZeroUsize;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, TimeUnit};
use datagouv::rows::{Row, Rows, avg, col, count, max, min, sum};
use datagouv::{Api, Client, Limits};
use datagouv_sandbox::Sandbox;
use datagouv_sandbox::platform::NewTable;
use serde_json::{Value, json};

use cells::{all, compare, compare_texts_of_json, rows_of};

async fn table(table: NewTable) -> (Sandbox, Client, Rows<Row>) {
    let (sandbox, resource) = Sandbox::start_with_table(table).await;
    let client =
        Client::builder().base_url(Api::Tabular, sandbox.url(Api::Tabular)).limits(Limits::none()).build().unwrap();
    let rows = client.resource(resource).rows::<Row>();
    (sandbox, client, rows)
}

fn columns(columns: &[(&str, &str)]) -> Vec<(String, String)> {
    columns.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect()
}

/// Rows `{n, even}` with the numbers 1 to `most`.
fn counted(most: u64) -> NewTable {
    let rows = (1..=most).map(|n| vec![json!(n), json!(n % 2 == 0)]).collect();
    NewTable { columns: columns(&[("n", "int"), ("even", "bool")]), rows, ..NewTable::default() }
}

fn recorded(document: &str) -> NewTable {
    NewTable::from_json(&serde_json::from_str(document).unwrap()).unwrap()
}

fn size(rows: usize) -> NonZeroUsize {
    NonZeroUsize::new(rows).unwrap()
}

fn lengths(batches: &[RecordBatch]) -> Vec<usize> {
    batches.iter().map(RecordBatch::num_rows).collect()
}

#[tokio::test]
async fn batches_have_the_values_of_the_rows_in_exports_and_in_pages() {
    for document in [include_str!("../truth/table.json"), include_str!("../truth/special.json")] {
        let (_sandbox, _, rows) = table(recorded(document)).await;
        let exported = compare(rows.clone()).await.unwrap();
        // A limit is read in pages.
        let paged = compare(rows.clone().limit(40)).await.unwrap();
        assert_eq!(exported.len(), 1);
        assert_eq!(rows_of(&paged), rows_of(&exported)[..40]);
    }
}

#[tokio::test]
async fn json_is_its_stored_text_in_exports_and_written_anew_in_pages() {
    let (_sandbox, _, rows) = table(recorded(include_str!("../truth/table.json"))).await;
    compare_texts_of_json(rows).await;
}

#[tokio::test]
async fn the_schema_is_that_of_the_profile() {
    let types = [
        ("texte", "string"),
        ("entier", "int"),
        ("flottant", "float"),
        ("booleen", "bool"),
        ("jour", "date"),
        ("instant", "datetime"),
        ("instant UTC", "timestamptz"),
        ("arbre", "json"),
    ];
    let empty = NewTable { columns: columns(&types), aggregates: true, ..NewTable::default() };
    let (_sandbox, _, rows) = table(empty).await;
    let of = |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
    let expected = [
        DataType::Utf8,
        DataType::Int64,
        DataType::Float64,
        DataType::Boolean,
        DataType::Date32,
        of(None),
        of(Some("UTC")),
        DataType::Utf8,
    ];
    let schema = rows.schema().await.unwrap();
    for ((field, (name, _)), expected) in schema.fields().iter().zip(types).zip(&expected) {
        assert_eq!((field.name().as_str(), field.data_type(), field.is_nullable()), (name, expected, true));
    }
    assert_eq!(schema.field(7).metadata()["ARROW:extension:name"], "arrow.json");
    assert!(schema.field(0).metadata().is_empty());

    let selected = rows.clone().select(["jour", "__id", "jour"]).schema().await.unwrap();
    let fields: Vec<_> = selected.fields().iter().map(|field| (field.name().as_str(), field.data_type())).collect();
    assert_eq!(fields, [("jour", &DataType::Date32), ("__id", &DataType::UInt64)]);

    let aggregates = [count("texte"), avg("entier"), sum("entier"), sum("flottant"), min("jour"), max("texte")];
    let grouped = rows.clone().group_by(["booleen"]).aggregate(aggregates).schema().await.unwrap();
    let fields: Vec<_> = grouped.fields().iter().map(|field| (field.name().as_str(), field.data_type())).collect();
    assert_eq!(
        fields,
        [
            ("booleen", &DataType::Boolean),
            ("texte__count", &DataType::Int64),
            ("entier__avg", &DataType::Float64),
            ("entier__sum", &DataType::Int64),
            ("flottant__sum", &DataType::Float64),
            ("jour__min", &DataType::Date32),
            ("texte__max", &DataType::Utf8),
        ]
    );

    let error = rows.clone().select(["entiers"]).schema().await.unwrap_err();
    assert_eq!(error.to_string(), "there is no column `entiers`: did you mean `entier`?");
    let (_, batches) = all(rows.record_batches()).await.unwrap();
    assert!(batches.is_empty(), "no rows, no batch");
}

#[tokio::test]
async fn a_table_is_in_order_with_any_batch_size() {
    let (_sandbox, _, rows) = table(counted(120_000)).await;
    let rows = rows.select(["n"]);
    for batch_size in [1_000, 8_192, 1_000_000] {
        let (_, batches) = all(rows.clone().record_batches().batch_size(size(batch_size))).await.unwrap();
        assert!(lengths(&batches).iter().all(|length| *length <= batch_size), "{:?}", lengths(&batches));
        let numbers: Vec<Value> = rows_of(&batches).into_iter().map(|row| row[0].1.clone()).collect();
        assert!(numbers.iter().zip(1..).all(|(number, n)| *number == json!(n)));
        assert_eq!(numbers.len(), 120_000);
    }
    let (_, batches) = all(rows.clone().limit(60_000).record_batches()).await.unwrap();
    assert_eq!(lengths(&batches).iter().sum::<usize>(), 60_000);
    let (_, batches) = all(rows.limit(0).record_batches()).await.unwrap();
    assert_eq!(lengths(&batches), [0; 0]);
}

#[tokio::test]
async fn a_limit_requests_no_window_beyond_it() {
    let (sandbox, _, rows) = table(counted(120_000)).await;
    let (_, batches) = all(rows.limit(20_000).record_batches()).await.unwrap();
    assert_eq!(lengths(&batches).iter().sum::<usize>(), 20_000);
    let exports = sandbox.take_requests().into_iter().filter(|request| request.path.ends_with("/data/csv/"));
    assert_eq!(exports.count(), 1);
}

#[tokio::test]
async fn the_row_number_is_a_column_if_selected_and_every_query_applies() {
    let (_sandbox, _, rows) = table(NewTable { aggregates: true, ..counted(7_000) }).await;
    let query = rows.clone().select(["even", "__id"]).filter(col("n").gt(10)).sort(col("__id").desc());
    let batches = compare(query).await.unwrap();
    assert_eq!(rows_of(&batches[..1])[0], [("even".to_owned(), json!(true)), ("__id".to_owned(), json!(7_000))]);
    compare(rows.clone().sort(col("n").desc()).limit(2_500)).await.unwrap();
    let groups = compare(rows.clone().group_by(["even"]).aggregate([count("n"), avg("n"), max("n")])).await.unwrap();
    assert_eq!(lengths(&groups), [2]);
    // In several parts, which are merged.
    let listed = rows.filter(col("n").is_in((1..=7_000).filter(|n| n % 3 == 0)));
    let batches = compare(listed).await.unwrap();
    assert_eq!(lengths(&batches).iter().sum::<usize>(), 2_333);
}

#[tokio::test]
async fn post_filters_apply_to_batches() {
    let rows = (0..9_000).map(|n| vec![json!(format!("{n}, rue *")), json!(n)]).collect();
    let named = NewTable { columns: columns(&[("rue", "string"), ("n", "int")]), rows, ..NewTable::default() };
    let (_sandbox, _, rows) = table(named).await;
    let filter = col("rue").contains("7, rue *").or(col("rue").contains("99, "));
    let batches = compare(rows.filter(filter).select(["n"])).await.unwrap();
    assert_eq!(lengths(&batches).iter().sum::<usize>(), 990);
}

#[tokio::test]
async fn an_invalid_value_is_an_error_with_its_row_or_null() {
    for (kind, value, reason) in [
        ("date", json!("12024-01-31"), "it is no date of the years 1 to 9999"),
        ("date", json!("infinity"), "it is no date of the years 1 to 9999"),
        ("datetime", json!("0044-03-15T12:00:00 BC"), "it is no date and time of the years 1 to 9999"),
    ] {
        for (read_as, limit) in [("an export", 100_000), ("pages", 50)] {
            let mut values = vec![vec![Value::Null]; 20];
            values[11] = vec![value.clone()];
            let strange = NewTable { columns: columns(&[("a", kind)]), rows: values, ..NewTable::default() };
            let (_sandbox, _, rows) = table(strange).await;
            let rows = rows.limit(limit);
            let mut batches = rows.clone().record_batches();
            let error = batches.next().await.unwrap().unwrap_err();
            assert!(error.is_decode(), "{error}");
            assert_eq!(error.to_string(), "`row 12, column a` of the response cannot be decoded", "{read_as}");
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.ends_with(&format!("is not representable: {reason}")), "{source}");
            assert!(batches.next().await.is_none(), "an error ends the batches");
            let (_, batches) = all(rows.record_batches().null_where_unrepresentable()).await.unwrap();
            let read = rows_of(&batches);
            assert_eq!(read.len(), 20);
            assert!(read.iter().all(|row| row[0].1.is_null()));
        }
    }
}

#[tokio::test]
async fn resumes_a_cut_export() {
    // Before the first complete block, and after some.
    for (most, cut, batch_size) in [(60_000, 5_000, 8_192), (4_900, 40_000, 100)] {
        let (sandbox, _, rows) = table(counted(most)).await;
        sandbox.cut_once("getResourceDataCsv", cut);
        let query = rows.concurrency(NonZeroUsize::MIN).record_batches().batch_size(size(batch_size));
        let (_, batches) = all(query).await.unwrap();
        let numbers: Vec<Value> = rows_of(&batches).into_iter().map(|row| row[0].1.clone()).collect();
        assert_eq!(numbers.len(), usize::try_from(most).unwrap());
        assert!(numbers.iter().zip(1..).all(|(number, n)| *number == json!(n)));
        let received = sandbox.take_requests();
        let mut exports = received.iter().filter(|one| one.path.ends_with("/csv/")).map(|one| one.query.as_str());
        let again = exports.nth(1).unwrap();
        let first: usize = again.split(['=', '&']).nth(1).unwrap().parse().unwrap();
        // A row takes about twelve bytes, and the last of them may be missing.
        assert!((cut / 15..cut / 8).contains(&first), "{again}");
    }
}

#[tokio::test]
async fn a_truncated_export_is_an_error() {
    let (sandbox, _, rows) = table(counted(100)).await;
    sandbox.respond_once("getResourceDataCsv", 200, &[("content-type", "text/csv")], "__id,n,even\n1,1,f\n2,2,t\n");
    let mut batches = rows.record_batches();
    assert_eq!(batches.next().await.unwrap().unwrap().num_rows(), 2);
    let error = batches.next().await.unwrap().unwrap_err();
    assert!(error.is_transport() && error.to_string().contains("2 of 100 rows came"), "{error}");
    assert!(batches.next().await.is_none());
}

#[tokio::test]
async fn an_export_that_is_not_csv_is_an_error_after_the_rows_before_it() {
    let (sandbox, _, rows) = table(counted(3)).await;
    for (body, reason) in [
        ("__id,n,even\n1,1,f\n2,\"2,t\n", "a quoted value does not end as CSV asks"),
        ("__id,n,even\n1,1,f\n2,2\n", "`row 2` of the response cannot be decoded"),
        ("__id,n,even\n1,1,f\n2,2,t\n3,3,maybe\n", "`row 3, column even` of the response cannot be decoded"),
    ] {
        sandbox.respond_once("getResourceDataCsv", 200, &[("content-type", "text/csv")], body);
        let mut batches = rows.clone().record_batches();
        let error = batches.next().await.unwrap().unwrap_err();
        assert!(error.is_decode() && error.to_string().contains(reason), "{error}");
        assert!(batches.next().await.is_none());
    }
}

#[tokio::test]
async fn a_table_changed_after_its_profile_is_one_error() {
    let (sandbox, client, rows) = table(counted(10)).await;
    assert_eq!(lengths(&compare(rows.clone()).await.unwrap()), [10]);
    let id = "0d1e2f30-4152-4637-8495-a6b7c8d9eafb";
    sandbox.add_table(id, counted(10));
    let rows = client.resource(id).rows::<Row>();
    compare(rows.clone()).await.unwrap();
    sandbox.add_table(id, NewTable { columns: columns(&[("m", "float"), ("even", "bool")]), ..counted(5) });
    let error = rows.clone().record_batches().next().await.unwrap().unwrap_err();
    assert!(
        error.to_string().contains("the table changed after its profile was read: it has a new column `m`"),
        "{error}"
    );
    assert_eq!(compare(rows).await.unwrap()[0].schema_ref().field(0).data_type(), &DataType::Float64);
}

#[tokio::test]
async fn a_table_without_known_types_has_no_batches() {
    let (sandbox, _, rows) = table(counted(10)).await;
    let nothing = r#"{"profile": {}, "deleted_at": null, "indexes": null}"#;
    sandbox.respond_once("getResourceProfile", 200, &[], nothing);
    let error = rows.schema().await.unwrap_err();
    assert!(error.to_string().contains("the types of the columns are not known"), "{error}");
    sandbox.respond_once("getResourceProfile", 200, &[], nothing);
    assert!(rows.record_batches().next().await.unwrap().is_err());
}

#[tokio::test]
async fn sends_nothing_before_it_is_polled_and_is_fused() {
    let (sandbox, _, rows) = table(counted(10)).await;
    let mut batches = rows.record_batches();
    assert!(sandbox.take_requests().is_empty());
    assert_eq!(batches.next().await.unwrap().unwrap().num_rows(), 10);
    for _ in 0..2 {
        assert!(batches.next().await.is_none());
    }
}
