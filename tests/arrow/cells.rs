//! Compares record batches with the rows of the same query.
#![allow(dead_code, reason = "not every test that shares these needs all of them")]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef, TimeUnit};
use datagouv::rows::{RecordBatches, Row, Rows};
use serde_json::{Map, Value, json};

/// A row as pairs of a column and its value.
pub type Cells = Vec<(String, Value)>;

/// All batches of a query; each must have the schema that is known beforehand.
pub async fn all(mut batches: RecordBatches) -> datagouv::Result<(SchemaRef, Vec<RecordBatch>)> {
    let schema = batches.schema().await?;
    let mut read = Vec::new();
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        assert_eq!(batch.schema(), schema);
        read.push(batch);
    }
    Ok((schema, read))
}

/// A value of an array, as a row has it. Numbers are compared as floats in columns of floats.
fn cell(array: &dyn Array, is_json: bool, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 if is_json => serde_json::from_str(array.as_string::<i32>().value(row)).unwrap(),
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt64 => json!(array.as_primitive::<UInt64Type>().value(row)),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Date32 => json!(array.as_primitive::<Date32Type>().value_as_date(row).unwrap().to_string()),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let time = array.as_primitive::<TimestampMicrosecondType>().value_as_datetime(row).unwrap();
            let text = time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
            let text = text.trim_end_matches('0').trim_end_matches('.');
            json!(format!("{text}{}", zone.as_ref().map_or("", |_| "+00:00")))
        }
        other => panic!("a column of {other}"),
    }
}

fn float(number: f64) -> Value {
    if number.is_nan() {
        json!("NaN")
    } else if number.is_infinite() {
        json!(if number > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(number)
    }
}

/// The rows of batches.
pub fn rows_of(batches: &[RecordBatch]) -> Vec<Cells> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let columns = batch.schema_ref().fields().iter().zip(batch.columns());
            let value = |field: &Field, array: &Arc<dyn Array>| {
                let is_json = field.metadata().get("ARROW:extension:name").is_some_and(|name| name == "arrow.json");
                cell(array, is_json, row)
            };
            rows.push(columns.map(|(field, array)| (field.name().clone(), value(field, array))).collect());
        }
    }
    rows
}

/// A row with the columns of a schema, in its order, and with its floats.
pub fn cells_of(row: &Map<String, Value>, schema: &SchemaRef) -> Cells {
    let value = |field: &Field| match (field.data_type(), &row[field.name()]) {
        (DataType::Float64, Value::Number(number)) => json!(number.as_f64().unwrap()),
        (_, value) => value.clone(),
    };
    schema.fields().iter().map(|field| (field.name().clone(), value(field))).collect()
}

/// The texts of the only column of a query, as it is read.
pub async fn texts(query: Rows<Row>) -> Vec<Option<String>> {
    let (_, batches) = all(query.record_batches()).await.unwrap();
    let column = |batch: &RecordBatch| {
        let texts = batch.column(0).as_string::<i32>().iter().map(|text| text.map(str::to_owned));
        texts.collect::<Vec<_>>()
    };
    batches.iter().flat_map(column).collect()
}

/// Checks that the JSON of the recorded table is the stored text in exports, is written anew in pages, and means the same.
pub async fn compare_texts_of_json(recorded: Rows<Row>) {
    let rows = recorded.select(["j"]);
    let (exported, paged) = (texts(rows.clone()).await, texts(rows.limit(40)).await);
    assert_eq!(exported[1].as_deref(), Some(r#"{"k": [1, null], "é": "x,\"y\""}"#));
    assert_eq!(paged[1].as_deref(), Some(r#"{"k":[1,null],"é":"x,\"y\""}"#));
    let values = |texts: &[Option<String>]| -> Vec<Option<Value>> {
        texts.iter().map(|text| text.as_ref().map(|text| serde_json::from_str(text).unwrap())).collect()
    };
    assert_eq!(values(&paged), values(&exported[..40]));
}

/// Reads a query as batches and as rows, and compares them cell by cell.
pub async fn compare(query: Rows<Row>) -> datagouv::Result<Vec<RecordBatch>> {
    let batches = all(query.clone().record_batches()).await?;
    compare_read(batches, query, |_, _| false).await
}

/// The same, with null for times that have a zone in a column that has none, and the reverse.
pub async fn compare_with_nulls(query: Rows<Row>) -> datagouv::Result<Vec<RecordBatch>> {
    let batches = all(query.clone().record_batches().null_where_unrepresentable()).await?;
    compare_read(batches, query, |field, value| match (field.data_type(), value.as_str()) {
        (DataType::Timestamp(_, zone), Some(text)) => zone.is_some() != text.ends_with("+00:00"),
        _ => false,
    })
    .await
}

async fn compare_read(
    (schema, batches): (SchemaRef, Vec<RecordBatch>),
    query: Rows<Row>,
    is_null: impl Fn(&Field, &Value) -> bool,
) -> datagouv::Result<Vec<RecordBatch>> {
    let rows = query.collect(usize::MAX).await?;
    let read = rows_of(&batches);
    assert_eq!(read.len(), rows.len(), "as many rows");
    for (read, row) in read.iter().zip(rows) {
        let mut expected = cells_of(&row.into_iter().collect(), &schema);
        for (field, (_, value)) in schema.fields().iter().zip(&mut expected) {
            if is_null(field, value) {
                *value = Value::Null;
            }
        }
        assert_eq!(*read, expected);
    }
    Ok(batches)
}

/// The batches of an export.
pub async fn all_of_dump<T: datagouv::dumps::Row>(dump: datagouv::dumps::Dump<T>) -> (SchemaRef, Vec<RecordBatch>) {
    let mut batches = dump.record_batches();
    let schema = batches.schema().await.unwrap();
    let mut read = Vec::new();
    while let Some(batch) = batches.next().await {
        read.push(batch.unwrap());
    }
    (schema, read)
}

/// Compares the batches of an export with its typed rows, cell by cell.
pub fn compare_dump<T: serde::Serialize>(rows: &[T], (schema, read): (SchemaRef, Vec<RecordBatch>)) {
    let read = rows_of(&read);
    assert_eq!(read.len(), rows.len(), "as many rows");
    for (read, row) in read.into_iter().zip(rows) {
        let row = serde_json::to_value(row).unwrap();
        for (field, (column, mut read)) in schema.fields().iter().zip(read) {
            // The number of a column whose name the header repeats: the platform writes the same value in both.
            let name = column.strip_suffix(".1").filter(|_| row.get(&column).is_none()).unwrap_or(&column);
            let expected = match (&row[name], field.data_type()) {
                // Names, separated by commas.
                (Value::Array(names), DataType::Utf8) => {
                    json!(names.iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>().join(","))
                }
                (Value::Number(number), DataType::Float64) => json!(number.as_f64().unwrap()),
                (Value::String(text), DataType::Timestamp(..)) => {
                    let time = |text: &str| datagouv::DateTime::from(text).to_chrono().unwrap().to_utc();
                    read = json!(time(read.as_str().unwrap()).to_string());
                    json!(time(text).to_string())
                }
                (value, _) => value.clone(),
            };
            assert_eq!(read, expected, "{column}");
        }
    }
}
