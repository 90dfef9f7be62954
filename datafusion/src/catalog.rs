//! The schemas `metrics` and `catalog`.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datagouv::Client;
use datagouv::dumps::RecordBatches;
use futures_util::TryStreamExt;

use crate::error::external;
use crate::scan::fitted;
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
pub(crate) struct Catalog {
    client: Client,
    /// Their columns, where a header has come.
    schemas: Mutex<BTreeMap<String, SchemaRef>>,
}

impl Catalog {
    pub(crate) fn new(client: &Client) -> Self {
        Self { client: client.clone(), schemas: Mutex::default() }
    }
}

const EXPORTS: [&str; 4] = ["datasets", "organizations", "resources", "reuses"];

#[async_trait]
impl SchemaProvider for Catalog {
    fn table_names(&self) -> Vec<String> {
        EXPORTS.map(str::to_owned).to_vec()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let open: fn(&Client) -> RecordBatches = match name {
            "datasets" => |client| client.dumps().datasets().record_batches(),
            "organizations" => |client| client.dumps().organizations().record_batches(),
            "resources" => |client| client.dumps().resources().record_batches(),
            "reuses" => |client| client.dumps().reuses().record_batches(),
            _ => return Ok(None),
        };
        let known = self.schemas.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let schema = match known {
            Some(schema) => schema,
            None => {
                let schema = open(&self.client).schema().await.map_err(external)?;
                let mut schemas = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
                schemas.insert(name.to_owned(), Arc::clone(&schema));
                schema
            }
        };
        let export = Export { client: self.client.clone(), open, schema: Arc::clone(&schema) };
        Ok(Some(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(export)])?)))
    }

    fn table_exist(&self, name: &str) -> bool {
        EXPORTS.contains(&name)
    }
}

/// An export of the catalogue.
#[derive(Debug)]
struct Export {
    client: Client,
    open: fn(&Client) -> RecordBatches,
    schema: SchemaRef,
}

impl PartitionStream for Export {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batch_size = NonZeroUsize::new(context.session_config().batch_size()).unwrap_or(NonZeroUsize::MIN);
        // Times of harvested datasets are whatever their sites write.
        let batches = (self.open)(&self.client).batch_size(batch_size).null_where_unrepresentable();
        let schema = Arc::clone(&self.schema);
        let batches = batches.map_err(external).and_then(move |batch| std::future::ready(fitted(&batch, &schema)));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}
