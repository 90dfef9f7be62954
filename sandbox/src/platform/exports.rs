//! The CSV export of the datasets, with the main columns.

use serde_json::Value;

use super::call::{Call, HandlerResult};
use super::class::Class;
use super::entries::Entry;
use super::state::Platform;
use crate::response::Reply;

const COLUMNS: &str = "\"id\";\"title\";\"slug\";\"organization\";\"license\";\"tags\";\"resources_count\"\r\n";

impl Platform {
    pub(super) fn export_datasets(&self, call: &Call<'_>) -> HandlerResult {
        let mut table = COLUMNS.to_owned();
        let found = self.catalogue.found(call, Class::Dataset)?;
        let datasets = found.iter().filter_map(|entry| match entry {
            Entry::Dataset(dataset) => Some(*dataset),
            Entry::Object(_) => None,
        });
        for dataset in datasets {
            let organization = dataset.organization.as_deref();
            let organization = organization.and_then(|id| self.catalogue.community.get(Class::Organization, id));
            let text = |value: &Value| quoted(value.as_str().unwrap_or_default());
            let tags = dataset.fields["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let cells = [
                quoted(&dataset.id),
                text(&dataset.fields["title"]),
                quoted(&dataset.slug),
                quoted(organization.map_or("", |organization| organization.title())),
                text(&dataset.fields["license"]),
                quoted(&tags.collect::<Vec<_>>().join(",")),
                dataset.resources.len().to_string(),
            ];
            table.push_str(&cells.join(";"));
            table.push_str("\r\n");
        }
        let reply = Reply::new(200, "text/csv; charset=utf-8", table);
        Ok(reply.with_header("content-disposition", "attachment; filename=datasets-2026-01-01-00-00.csv"))
    }
}

/// A text as a cell: the platform quotes all cells.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
