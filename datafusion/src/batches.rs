//! interim
use std::sync::Arc;

use datafusion::arrow::array::*;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::record_batch::RecordBatch;
use datagouv::rows::{Row, Rows};
use datagouv::{Client, Result};
use serde_json::Value;

use crate::source::Source;

pub(crate) async fn schema(client: &Client, source: &Source) -> Result<SchemaRef> {
    let mut fields = Vec::new();
    match source {
        Source::Resource(id) => {
            let profile = client.tabular().get_resource_profile().rid(id).call().json::<Value>().send().await?.into_inner();
            let columns = profile["profile"]["columns"].as_object().cloned().unwrap_or_default();
            for name in profile["profile"]["header"].as_array().cloned().unwrap_or_default() {
                let name = name.as_str().unwrap_or_default().to_owned();
                let kind = columns[&name]["python_type"].as_str().unwrap_or_default();
                let (data_type, json) = match kind {
                    "int" => (DataType::Int64, false),
                    "float" => (DataType::Float64, false),
                    "bool" => (DataType::Boolean, false),
                    "date" => (DataType::Date32, false),
                    "datetime_aware" => (DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
                    kind if kind.starts_with("datetime") => (DataType::Timestamp(TimeUnit::Microsecond, None), false),
                    "json" => (DataType::Utf8, true),
                    _ => (DataType::Utf8, false),
                };
                let mut field = Field::new(name, data_type, true);
                if json {
                    field = field.with_metadata([("datagouv:type".to_owned(), "json".to_owned())].into());
                }
                fields.push(field);
            }
        }
        Source::Model(model) => {
            let rows = client.metrics_of::<Row>(model).limit(1).collect(1).await?;
            for (name, value) in rows.first().map(|row| row.iter().collect::<Vec<_>>()).unwrap_or_default() {
                let data_type = if value.is_string() { DataType::Utf8 } else { DataType::Float64 };
                fields.push(Field::new(name, data_type, true));
            }
        }
    }
    Ok(Arc::new(Schema::new(fields)))
}

pub(crate) fn record_batches(
    rows: Rows<Row>,
    schema: SchemaRef,
    _: std::num::NonZeroUsize,
) -> impl futures_util::Stream<Item = Result<RecordBatch>> + Send {
    use futures_util::StreamExt;
    rows.stream().chunks(8192).map(move |rows| {
        let rows = rows.into_iter().collect::<Result<Vec<Row>>>()?;
        let columns: Vec<ArrayRef> = schema.fields().iter().map(|field| {
            let values = || rows.iter().map(|row| &row[field.name().as_str()]);
            let texts = || values().map(|value| match value { Value::Null => None, Value::String(text) => Some(text.clone()), other => Some(other.to_string()) });
            let text_array: ArrayRef = Arc::new(StringArray::from_iter(texts()));
            match field.data_type() {
                DataType::Utf8 => text_array,
                DataType::Boolean => Arc::new(BooleanArray::from_iter(values().map(Value::as_bool))) as ArrayRef,
                DataType::UInt64 => Arc::new(UInt64Array::from_iter(values().map(Value::as_u64))) as ArrayRef,
                DataType::Float64 => Arc::new(Float64Array::from_iter(texts().map(|text| text.map(|text| text.parse::<f64>().unwrap_or(f64::NAN))))) as ArrayRef,
                other => datafusion::arrow::compute::cast(&text_array, other).unwrap(),
            }
        }).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(|error| panic!("{error}"))
    })
}
