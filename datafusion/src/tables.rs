//! Tables by resource, dataset and model.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use datafusion::common::plan_err;
use datafusion::error::{DataFusionError, Result};
use datagouv::Client;
use datagouv::objects::Analysis;
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::error::external;
use crate::groups_table::Aggregating;
use crate::options::Options;
use crate::source::Source;
use crate::table::RowsTable;

/// How long a schema is taken to hold, as in the client.
const KEPT: Duration = Duration::from_secs(300);

/// The tables of a client. Their schemas are remembered for five minutes.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    client: Client,
    options: Options,
    known: Arc<Mutex<Known>>,
    aggregating: Aggregating,
}

/// Tables by what names them, and since when they are known.
type Known = BTreeMap<String, (Instant, Arc<RowsTable>)>;

/// A table that a query names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Resource(String),
    Dataset(String),
    Model(String),
}

impl Name {
    fn key(&self) -> String {
        match self {
            Self::Resource(id) => format!("resource {id}"),
            Self::Dataset(id) => format!("dataset {id}"),
            Self::Model(model) => format!("metrics {model}"),
        }
    }
}

impl Tables {
    pub(crate) fn new(client: &Client, options: Options) -> Self {
        Self { client: client.clone(), options, known: Arc::default(), aggregating: Arc::default() }
    }

    /// A table whose schema is known already.
    pub(crate) fn known(&self, name: &Name) -> Option<Arc<RowsTable>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&name.key()).filter(|(since, _)| since.elapsed() < KEPT).map(|(_, table)| Arc::clone(table))
    }

    pub(crate) async fn table(&self, name: &Name) -> Result<Arc<RowsTable>> {
        if let Some(table) = self.known(name) {
            return Ok(table);
        }
        let source = match name {
            Name::Resource(id) => Source::Resource(id.clone()),
            Name::Dataset(id) => Source::Resource(self.only_table(id).await?),
            Name::Model(model) => Source::Model(model.clone()),
        };
        let table = Arc::new(
            RowsTable::open(&self.client, source, &self.options, Arc::clone(&self.aggregating))
                .await
                .map_err(external)?,
        );
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.key(), (Instant::now(), Arc::clone(&table)));
        Ok(table)
    }

    /// The table, where a plan is made and nothing can be awaited.
    pub(crate) fn table_now(&self, name: &Name) -> Result<Arc<RowsTable>> {
        match self.known(name) {
            Some(table) => Ok(table),
            None => wait(self.table(name))?,
        }
    }

    /// The id of the one resource of a dataset whose rows the platform has.
    async fn only_table(&self, dataset: &str) -> Result<String> {
        let found = self.client.dataset(dataset).get().await.map_err(external)?;
        let mut tables = Vec::new();
        if let [only] = found.resources.as_slice() {
            // Whether it has rows, the tabular API says.
            return Ok(only.id.clone());
        }
        for resource in found.resources {
            if Analysis::from_extras(&resource.extras).has_rows() {
                tables.push((resource.id, resource.title));
            }
        }
        match tables.as_slice() {
            [(id, _)] => Ok(id.clone()),
            [] => plan_err!("the dataset `{dataset}` has no resource whose rows the tabular API has"),
            tables => {
                let list: Vec<String> =
                    tables.iter().map(|(id, title)| format!("resource('{id}') ({title})")).collect();
                plan_err!("the dataset `{dataset}` has {} tables: choose one of {}", list.len(), list.join(", "))
            }
        }
    }
}

/// Waits for a future within a function that is not async.
fn wait<T>(future: impl Future<Output = T>) -> Result<T> {
    match Handle::try_current() {
        Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => {
            Ok(tokio::task::block_in_place(|| handle.block_on(future)))
        }
        _ => Err(DataFusionError::Plan(
            "the columns of this table are not known yet, and cannot be waited for on this runtime: plan the query with \
             `datagouv_datafusion::sql`, or use a runtime of several threads"
                .to_owned(),
        )),
    }
}
