//! Exports of the catalogue as record batches.

use arrow_schema::{DataType, TimeUnit};
use datagouv::{Api, Client};
use datagouv_sandbox::Sandbox;
use serde_json::json;

use crate::cells::{all_of_dump, compare_dump, rows_of};

const CSV: &[(&str, &str)] = &[("Content-Type", "text/csv")];

async fn sandbox() -> (Sandbox, Client) {
    let sandbox = Sandbox::start().await;
    let client = Client::builder().base_url(Api::Main, sandbox.url(Api::Main)).build().unwrap();
    (sandbox, client)
}

async fn all<T: datagouv::dumps::Row>(dump: datagouv::dumps::Dump<T>) -> Vec<T> {
    let (mut stream, mut rows) = (dump.stream(), Vec::new());
    while let Some(row) = stream.next().await {
        rows.push(row.unwrap());
    }
    rows
}

#[tokio::test]
async fn cells_have_the_types_of_their_fields() {
    let (sandbox, client) = sandbox().await;
    let file = "\"id\";\"title\";\"acronym\";\"tags\";\"archived\";\"quality_score\";\"spatial.geom\";\"featured\";\"metric.views\";\"metric.reuses_by_months\";\"created_at\"\r\n\
         \"5d\";\"Bornes; \"\"IRVE\"\"\";\"\";\"bornes,irve\";\"2024-01-02T00:00:00\";\"0.22\";\"{\"\"type\"\": \"\"Point\"\"}\";True;12;\"{'2026-01': 3}\";2024-06-01T08:30:00.123000+02:00\r\n\
         \"5e\";\"\";\"A\";\"\";\"False\";\"\";\"\";;;0;2024-06-01\r\n";
    for _ in 0..2 {
        sandbox.respond_once("get_site_datasets_csv", 200, CSV, file);
    }
    compare_dump(&all(client.dumps().datasets()).await, all_of_dump(client.dumps().datasets()).await);
    sandbox.respond_once("get_site_datasets_csv", 200, CSV, file);
    let mut batches = client.dumps().datasets().record_batches();
    let schema = batches.schema().await.unwrap();
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let types: Vec<&DataType> = schema.fields().iter().map(|field| field.data_type()).collect();
    let text = &DataType::Utf8;
    let expected =
        [text, text, text, text, &utc, &DataType::Float64, text, &DataType::Boolean, &DataType::Int64, text, &utc];
    assert_eq!(types, expected);
    let rows = rows_of(&[batches.next().await.unwrap().unwrap()]);
    let values: Vec<_> = rows[1].iter().map(|(_, value)| value.clone()).collect();
    let none = serde_json::Value::Null;
    let midnight = json!("2024-06-01T00:00:00+00:00");
    let expected = [
        json!("5e"),
        json!(""),
        json!("A"),
        json!(""),
        none.clone(),
        none.clone(),
        none,
        json!(false),
        json!(0),
        json!({}),
        midnight,
    ];
    assert_eq!(values, expected);
    assert_eq!(rows[0][10].1, json!("2024-06-01T06:30:00.123+00:00"));
    assert!(batches.next().await.is_none());
}

#[tokio::test]
async fn an_invalid_cell_is_an_error_with_its_line_or_null() {
    let (sandbox, client) = sandbox().await;
    let file = "name;datasets;reuses;colour\n\"eau\";3;2;\"blue\"\n\"air\";3;unknown;\n";
    sandbox.respond_once("get_site_tags_csv", 200, CSV, file);
    let mut batches = client.dumps().tags().record_batches();
    let error = batches.next().await.unwrap().unwrap_err();
    assert!(error.is_decode(), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("row 2, column `reuses`: `unknown` is not representable: it is no integer of 64 bits"),
        "{text}"
    );
    assert!(batches.next().await.is_none());
    sandbox.respond_once("get_site_tags_csv", 200, CSV, file);
    let mut batches = client.dumps().tags().record_batches().null_where_unrepresentable();
    let rows = rows_of(&[batches.next().await.unwrap().unwrap()]);
    assert_eq!(rows[1][2].1, serde_json::Value::Null);
    // A column without a field is text.
    assert_eq!((&rows[0][3].1, &rows[1][3].1), (&json!("blue"), &json!("")));
}

#[tokio::test]
async fn a_name_that_a_header_repeats_gets_a_number() {
    let (sandbox, client) = sandbox().await;
    // The platform's export of organizations has this column twice.
    let file = "id;metric.dataservices;name;metric.dataservices\n\"5d\";1;\"Métropole\";2\n";
    sandbox.respond_once("get_site_organizations_csv", 200, CSV, file);
    let (schema, batches) = all_of_dump(client.dumps().organizations()).await;
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["id", "metric.dataservices", "name", "metric.dataservices.1"]);
    let values: Vec<_> = rows_of(&batches)[0].iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(values, [json!("5d"), json!(1), json!("Métropole"), json!(2)]);
}

#[tokio::test]
async fn batches_of_an_export_have_the_set_size() {
    let (sandbox, client) = sandbox().await;
    let lines: String = (0..10).map(|n| format!("\"tag {n}\";{n};0;{n}\n")).collect();
    sandbox.respond_once("get_site_tags_csv", 200, CSV, format!("name;datasets;reuses;total\n{lines}"));
    let size = std::num::NonZeroUsize::new(4).unwrap();
    let mut batches = client.dumps().tags().record_batches().batch_size(size);
    let mut lengths = Vec::new();
    while let Some(batch) = batches.next().await {
        lengths.push(batch.unwrap().num_rows());
    }
    assert_eq!(lengths, [4, 4, 2]);
    sandbox.respond_once("get_site_tags_csv", 200, CSV, "name;datasets;reuses;total\n");
    let (schema, batches) = all_of_dump(client.dumps().tags()).await;
    assert_eq!((schema.fields().len(), batches.len()), (4, 0), "no rows, no batch");
}
