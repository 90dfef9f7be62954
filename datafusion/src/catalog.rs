//! The schemas `metrics` and `catalog`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::Result;
use datagouv::Client;

use crate::error::external;
use crate::export::{Export, ExportTable};
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

#[async_trait]
impl SchemaProvider for Catalog {
    fn table_names(&self) -> Vec<String> {
        Export::ALL.map(|export| export.to_string()).to_vec()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(export) = Export::named(name) else { return Ok(None) };
        let known = self.schemas.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let schema = match known {
            Some(schema) => schema,
            None => {
                let schema = export.batches(&self.client).schema().await.map_err(external)?;
                let mut schemas = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
                schemas.insert(name.to_owned(), Arc::clone(&schema));
                schema
            }
        };
        Ok(Some(Arc::new(ExportTable { client: self.client.clone(), export, schema })))
    }

    fn table_exist(&self, name: &str) -> bool {
        Export::named(name).is_some()
    }
}
