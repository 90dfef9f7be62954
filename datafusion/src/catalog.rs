//! The schemas `metrics` and `catalog`.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::array::{TimestampMicrosecondArray, timezone::Tz};
use datafusion::arrow::compute::kernels::cast_utils::string_to_datetime;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datagouv::Client;
use datagouv::dumps::{ColumnType, Dump, Row};
use futures_util::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::Value;

use crate::error::external;
use crate::tables::{Name, Tables};

/// The models of the metrics API, each a table.
pub(crate) const MODELS: [&str; 12] = [
    "datasets",
    "datasets_total",
    "dataservices",
    "dataservices_total",
    "organizations",
    "organizations_total",
    "resources",
    "resources_total",
    "reuses",
    "reuses_total",
    "site",
    "site_total",
];

/// The schema `metrics`.
#[derive(Debug)]
pub(crate) struct Metrics(pub Tables);

#[async_trait]
impl SchemaProvider for Metrics {
    fn table_names(&self) -> Vec<String> {
        MODELS.map(str::to_owned).to_vec()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.0.table(&Name::Model(name.to_owned())).await {
            Ok(table) => Ok(Some(table)),
            Err(error) => match error.find_root() {
                datafusion::error::DataFusionError::External(cause)
                    if cause.downcast_ref::<datagouv::Error>().is_some_and(datagouv::Error::is_not_found) =>
                {
                    Ok(None)
                }
                _ => Err(error),
            },
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        MODELS.contains(&name)
    }
}

/// The schema `catalog`: the exports of the whole site.
#[derive(Debug)]
pub(crate) struct Catalog(pub Client);

const EXPORTS: [&str; 4] = ["datasets", "organizations", "resources", "reuses"];

#[async_trait]
impl SchemaProvider for Catalog {
    fn table_names(&self) -> Vec<String> {
        EXPORTS.map(str::to_owned).to_vec()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let client = &self.0;
        Ok(Some(match name {
            "datasets" => table(client, |client| client.dumps().datasets())?,
            "organizations" => table(client, |client| client.dumps().organizations())?,
            "resources" => table(client, |client| client.dumps().resources())?,
            "reuses" => table(client, |client| client.dumps().reuses())?,
            _ => return Ok(None),
        }))
    }

    fn table_exist(&self, name: &str) -> bool {
        EXPORTS.contains(&name)
    }
}

fn table<T>(client: &Client, dump: fn(&Client) -> Dump<T>) -> Result<Arc<dyn TableProvider>>
where
    T: Row + Serialize + std::fmt::Debug + Sync,
{
    let fields = Dump::<T>::columns().map(|(name, kind)| Field::new(name, data_type(kind), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let export = Export { client: client.clone(), dump, schema: Arc::clone(&schema), row: PhantomData };
    Ok(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(export)])?))
}

fn data_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Decimal => DataType::Float64,
        ColumnType::DateTime => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        _ => DataType::Utf8,
    }
}

/// An export of the catalogue.
struct Export<T> {
    client: Client,
    dump: fn(&Client) -> Dump<T>,
    schema: SchemaRef,
    row: PhantomData<fn() -> T>,
}

impl<T> std::fmt::Debug for Export<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").finish_non_exhaustive()
    }
}

impl<T: Row + Serialize + Sync> PartitionStream for Export<T> {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let rows = (self.dump)(&self.client).stream();
        let batches = rows.try_chunks(context.session_config().batch_size().max(1)).map(move |rows| match rows {
            Ok(rows) => batch(&rows, &schema),
            Err(error) => Err(external(error.1)),
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

/// Rows as a batch. A cell that does not fit the type of its column is null.
fn batch<T: Serialize>(rows: &[T], schema: &SchemaRef) -> Result<RecordBatch> {
    let rows = rows.iter().map(serde_json::to_value).collect::<std::result::Result<Vec<Value>, _>>();
    let rows = rows.map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))?;
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let values = || rows.iter().map(|row| row.get(field.name()).unwrap_or(&Value::Null));
        match field.data_type() {
            DataType::Boolean => Arc::new(BooleanArray::from_iter(values().map(Value::as_bool))),
            DataType::Int64 => Arc::new(Int64Array::from_iter(values().map(Value::as_i64))),
            DataType::Float64 => Arc::new(Float64Array::from_iter(values().map(Value::as_f64))),
            DataType::Timestamp(..) => {
                let micros = values().map(|value| micros(value.as_str()?));
                Arc::new(TimestampMicrosecondArray::from_iter(micros).with_timezone("UTC"))
            }
            _ => Arc::new(StringArray::from_iter(values().map(text))),
        }
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect())?)
}

/// A time without a zone is one of UTC: so the platform writes them.
fn micros(text: &str) -> Option<i64> {
    let utc: Tz = "+00:00".parse().ok()?;
    Some(string_to_datetime(&utc, text).ok()?.timestamp_micros())
}

/// Lists are names separated by commas, as the export has them.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(names) if names.iter().all(Value::is_string) => {
            Some(names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
        }
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_exports_are_of_utc_unless_they_say_otherwise() {
        assert_eq!(micros("2024-01-31T08:00:00.5"), Some(1_706_688_000_500_000));
        assert_eq!(micros("2024-01-31T08:00:00.5+01:00"), Some(1_706_684_400_500_000));
        assert_eq!(micros("2024-01-31"), Some(1_706_659_200_000_000));
        assert_eq!(micros("False"), None);
    }

    #[test]
    fn cells_of_another_type_are_null_and_lists_are_text() {
        let rows = [serde_json::json!({"n": "many", "ok": true, "tags": ["a", "b"]})];
        let fields = [
            ("n", ColumnType::Integer),
            ("ok", ColumnType::Boolean),
            ("tags", ColumnType::List),
            ("x", ColumnType::Text),
        ];
        let fields = fields.map(|(name, kind)| Field::new(name, data_type(kind), true));
        let batch = batch(&rows, &Arc::new(Schema::new(fields.to_vec()))).unwrap();
        let shown = datafusion::arrow::util::pretty::pretty_format_batches(&[batch]).unwrap().to_string();
        assert!(shown.contains("|   | true | a,b  |   |"), "{shown}");
    }
}
