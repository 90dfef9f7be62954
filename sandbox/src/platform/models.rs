//! The models of the metrics API: invented monthly visits and downloads of the first datasets.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::catalogue::Catalogue;
use super::database_error::DatabaseError;
use super::rows::database_error;
use super::samples::{ORGANIZATIONS, SAMPLES, count, months};
use super::table::{Column, Table};
use super::value::Kind;
use crate::Api;
use crate::api::base;
use crate::response::Reply;

/// The tables of the models, by name.
#[derive(Debug)]
pub(crate) struct Models {
    tables: Vec<(String, Arc<Table>)>,
    pub(super) url: String,
}

fn table(names: &[&str], rows: Vec<Vec<Value>>) -> Table {
    let columns = names.iter().map(|name| {
        let counts = ["monthly", "visit", "download", "outlink"].iter().any(|start| name.starts_with(start));
        Column { name: (*name).to_owned(), kind: if counts { Kind::Bigint } else { Kind::String } }
    });
    Table::of_json(columns.collect(), rows)
}

fn total(seed: usize) -> usize {
    (0..months().len()).filter_map(|month| count(seed, month)).sum()
}

impl Models {
    pub(crate) fn new(catalogue: &Catalogue) -> Self {
        static MADE: LazyLock<Vec<(String, Arc<Table>)>> = LazyLock::new(Models::make);
        Self { tables: MADE.clone(), url: format!("{}{}/api/", catalogue.origin, base(Api::Metrics)) }
    }

    fn make() -> Vec<(String, Arc<Table>)> {
        let by_month = |row: &dyn Fn(usize, &str) -> Vec<Value>| -> Vec<Vec<Value>> {
            months().iter().enumerate().map(|(index, month)| row(index, month)).collect()
        };
        let samples = || SAMPLES.iter().enumerate();
        let owner = |index: usize| ORGANIZATIONS[index].0;
        let datasets = samples().flat_map(|(seed, sample)| {
            by_month(&|index, month| {
                let (visits, downloads) = (count(seed, index), count(seed + 4, index));
                vec![json!(sample.id), json!(owner(sample.organization)), json!(month), json!(visits), json!(downloads)]
            })
        });
        let resources = samples().flat_map(|(seed, sample)| {
            by_month(&|index, month| {
                vec![json!(sample.resource), json!(sample.id), json!(month), json!(count(seed + 4, index))]
            })
        });
        let organizations = ORGANIZATIONS.iter().enumerate().flat_map(|(seed, (id, ..))| {
            by_month(&|index, month| {
                let counts = (0..4).map(|step| json!(count(seed + 10 + step, index)));
                [json!(id), json!(month)].into_iter().chain(counts).collect()
            })
        });
        let site = by_month(&|index, month| {
            std::iter::once(json!(month)).chain((0..3).map(|step| json!(count(step + 20, index)))).collect()
        });
        let datasets_total = samples()
            .map(|(seed, sample)| vec![json!(sample.id), json!(total(seed)), Value::Null, json!(total(seed + 4))]);
        let resources_total =
            samples().map(|(seed, sample)| vec![json!(sample.resource), json!(sample.id), json!(total(seed + 4))]);
        let tables = vec![
            (
                "datasets",
                table(
                    &["dataset_id", "organization_id", "metric_month", "monthly_visit", "monthly_download_resource"],
                    datasets.collect(),
                ),
            ),
            (
                "resources",
                table(&["resource_id", "dataset_id", "metric_month", "monthly_download_resource"], resources.collect()),
            ),
            (
                "organizations",
                table(
                    &[
                        "organization_id",
                        "metric_month",
                        "monthly_visit_dataset",
                        "monthly_download_resource",
                        "monthly_visit_reuse",
                        "monthly_visit_dataservice",
                    ],
                    organizations.collect(),
                ),
            ),
            (
                "site",
                table(
                    &["metric_month", "monthly_visit_dataset", "monthly_download_resource", "monthly_visit_reuse"],
                    site,
                ),
            ),
            ("reuses", table(&["reuse_id", "metric_month", "monthly_visit"], Vec::new())),
            ("dataservices", table(&["dataservice_id", "metric_month", "monthly_visit"], Vec::new())),
            (
                "datasets_total",
                table(&["dataset_id", "visit", "outlink", "download_resource"], datasets_total.collect()),
            ),
            ("resources_total", table(&["resource_id", "dataset_id", "download_resource"], resources_total.collect())),
        ];
        tables.into_iter().map(|(name, table)| (name.to_owned(), Arc::new(table))).collect()
    }

    /// Adds or replaces a model.
    pub(crate) fn set(&mut self, model: &str, table: Table) {
        self.tables.retain(|(name, _)| name != model);
        self.tables.push((model.to_owned(), Arc::new(table)));
    }

    pub(super) fn table(&self, model: &str) -> Result<&Table, Reply> {
        let found = self.tables.iter().find(|(name, _)| *name == model);
        found.map(|(_, table)| &**table).ok_or_else(|| {
            let near = self.tables.iter().find(|(name, _)| name.starts_with(model));
            let hint = near.map(|(name, _)| format!("Perhaps you meant the table 'metric.{name}'"));
            let message = format!("Could not find the table 'metric.{model}' in the schema cache");
            database_error(&DatabaseError { status: 404, hint, ..DatabaseError::of("PGRST205", message) })
        })
    }
}
