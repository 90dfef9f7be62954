#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unreachable)
)]

mod catalog;
#[cfg(feature = "codec")]
pub mod codec;
mod computed;
mod dynamic;
mod error;
mod export;
mod filters;
mod functions;
mod groups;
mod groups_table;
mod leaf;
mod options;
mod parquet;
mod parquet_exec;
mod scan;
mod source;
mod table;
mod tables;
mod top;
mod types;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::optimizer::OptimizerRule;
use datafusion::prelude::SessionContext;
use datagouv::Client;

use catalog::{Catalog, Metrics};
use functions::{Function, Kind};
use groups::GroupRows;
use tables::{Name, Tables};
use top::TopRows;

pub use functions::sql;
pub use options::Options;
pub use table::RowsTable;

/// Makes the platform known to a session, with default [options](Options):
///
/// | in SQL | table |
/// |---|---|
/// | `resource('…')` | the rows of a resource, by its id |
/// | `dataset('…')` | those of the one resource of a dataset that has rows, by its id or slug; an error lists them if there are more |
/// | `metrics.datasets` and others | a model of the metrics API |
/// | `catalog.datasets`, `catalog.resources`, `catalog.organizations`, `catalog.reuses` | the exports of the whole catalogue |
///
/// It also adds rules to the optimizer, by which `ORDER BY … LIMIT` and `GROUP BY` are left to the server.
///
/// # Errors
///
/// Returns an error if the session has no default catalog, or it takes no schemas.
pub fn register(context: &SessionContext, client: &Client) -> Result<()> {
    register_with(context, client, Options::default())
}

/// Makes the platform known to a session as [`register`] does, with options.
///
/// # Errors
///
/// As [`register`].
pub fn register_with(context: &SessionContext, client: &Client, options: Options) -> Result<()> {
    let tables = Tables::new(client, options);
    for kind in [Kind::Resource, Kind::Dataset] {
        let function = Function { tables: tables.clone(), kind };
        context.register_udtf(kind.function(), Arc::new(function));
    }
    let state = context.state();
    let name = &state.config_options().catalog.default_catalog;
    let Some(catalog) = context.catalog(name) else {
        return datafusion::common::plan_err!("the session has no catalog `{name}`");
    };
    catalog.register_schema("metrics", Arc::new(Metrics(tables.clone())))?;
    catalog.register_schema("catalog", Arc::new(Catalog::new(client)))?;
    add_rules(context);
    Ok(())
}

/// Adds the rows of a resource to a session as a table with a name.
///
/// # Errors
///
/// Returns an error if the columns of the resource cannot be had, or the session has such a table.
pub async fn register_resource(
    context: &SessionContext,
    client: &Client,
    name: &str,
    resource: impl Into<String>,
    options: Options,
) -> Result<()> {
    let table = table(client, resource, options).await?;
    context.register_table(name, Arc::new(table))?;
    add_rules(context);
    Ok(())
}

/// The rows of a resource as a table of DataFusion. `ORDER BY … LIMIT` and `GROUP BY` are left to the server only in sessions
/// that [`register`] or [`register_resource`] was called for.
///
/// # Errors
///
/// Returns an error if the columns of the resource cannot be had.
pub async fn table(client: &Client, resource: impl Into<String>, options: Options) -> Result<RowsTable> {
    let tables = Tables::new(client, options);
    Ok(RowsTable::clone(&*tables.table(&Name::Resource(resource.into())).await?))
}

fn add_rules(context: &SessionContext) {
    let rules: [Arc<dyn OptimizerRule + Send + Sync>; 2] = [Arc::new(TopRows), Arc::new(GroupRows)];
    for rule in rules {
        if context.state().optimizer().rules.iter().all(|other| other.name() != rule.name()) {
            context.add_optimizer_rule(rule);
        }
    }
}
