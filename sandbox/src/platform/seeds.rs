//! The objects and tables that a test adds to the platform, and its settings.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::catalogue::{Content, default_fields};
use super::fields::text;
use super::new_table::NewTable;
use super::rows::TabularSettings;
use super::state::{Deleted, OwnTable, Platform};
use crate::file::Files;
use crate::seed::AddedDataset;

/// A dataset as the HTML page shows it.
pub(crate) struct Listed<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    /// Id, title, URL of the file, and whether there are rows.
    pub(crate) resources: Vec<(&'a str, &'a str, &'a str, bool)>,
}

impl Platform {
    pub(crate) fn add_table(&mut self, id: &str, table: NewTable) {
        let aggregates = table.aggregates;
        self.tables.insert(id.to_owned(), OwnTable { table: table.into_table(), aggregates });
    }

    pub(crate) fn add_model(&mut self, name: &str, table: NewTable) {
        self.models.set(name, table.into_table());
    }

    /// The datasets that are not deleted.
    pub(crate) fn datasets(&self) -> Vec<Listed<'_>> {
        let alive = self.catalogue.datasets.iter().filter(|dataset| dataset.deleted.is_none());
        let listed = alive.map(|dataset| {
            let resources = dataset.resources.iter().map(|resource| {
                let field = |name: &str| text(&resource.fields, name);
                (resource.id.as_str(), field("title"), field("url"), resource.table.is_some())
            });
            Listed { id: &dataset.id, title: text(&dataset.fields, "title"), resources: resources.collect() }
        });
        listed.collect()
    }

    /// Adds a dataset with these fields, and a resource for each file.
    pub(crate) fn add_dataset(
        &mut self,
        written: Vec<(&'static str, Value)>,
        contents: Vec<(String, Bytes)>,
        files: &mut Files,
    ) -> AddedDataset {
        let mut dataset = self.catalogue.new_dataset(default_fields());
        dataset.fields.extend(written.into_iter().map(|(name, value)| (name.to_owned(), value)));
        dataset.slug = self.catalogue.free_slug(text(&dataset.fields, "title"));
        for (name, data) in contents {
            let mut resource = self.new_resource(&name);
            self.catalogue.store(&mut resource, &dataset.slug, &name, Content::new(data), files);
            dataset.resources.push(resource);
        }
        let resources = dataset.resources.iter().map(|resource| resource.id.clone()).collect();
        let seeded = AddedDataset { id: dataset.id.clone(), slug: dataset.slug.clone(), resources };
        self.catalogue.datasets.push(dataset);
        seeded
    }

    /// Replaces the table that was read from the file of a resource.
    pub(crate) fn set_table(&mut self, resource: &str, table: NewTable) {
        if table.aggregates {
            self.allow_aggregation(resource);
        }
        let mut resources = self.catalogue.datasets.iter_mut().flat_map(|dataset| &mut dataset.resources);
        if let Some(found) = resources.find(|found| found.id == resource) {
            found.table = Some(Arc::new(table.into_table()));
        }
    }

    pub(crate) fn allow_aggregation(&mut self, resource: &str) {
        self.aggregating.push(resource.to_owned());
    }

    pub(crate) fn changes(&self) -> u32 {
        self.catalogue.changes()
    }

    pub(crate) fn set_clock(&mut self, now: &str) -> bool {
        self.catalogue.set_clock(now)
    }

    pub(crate) fn next_ids(&mut self, ids: impl Iterator<Item = String>) {
        self.catalogue.next_ids.extend(ids);
    }

    pub(crate) fn delete_table(&mut self, id: &str) {
        self.deleted_resources.push(Deleted {
            resource: id.to_owned(),
            when: "2026-01-02T00:00:00+00:00".to_owned(),
            dataset: None,
        });
    }

    pub(crate) fn settings(&mut self) -> &mut TabularSettings {
        &mut self.settings
    }

    pub(crate) fn add_datasets(&mut self, count: usize, resources: usize) {
        self.catalogue.add_many(count, resources);
    }
}
