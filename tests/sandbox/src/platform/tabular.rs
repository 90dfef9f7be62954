//! The operations of the tabular API on the resources of the catalogue.

use serde_json::{Map, json};

use super::catalogue::{Dataset, Resource};
use super::datasets::{tabular_url, text};
use super::rows::{Source, export, page};
use super::samples::CHARGING_POINTS_RESOURCE;
use super::table::Table;
use super::{Call, Platform};
use crate::answer::Reply;

/// A table that stands alone, and whether it may be aggregated.
#[derive(Debug)]
pub(crate) struct OwnTable {
    pub(crate) table: Table,
    pub(crate) aggregates: bool,
}

impl Platform {
    /// The resources on which queries may aggregate.
    fn exceptions(&self) -> Vec<&str> {
        let own = self.tables.iter().filter(|(_, own)| own.aggregates).map(|(id, _)| id.as_str());
        std::iter::once(CHARGING_POINTS_RESOURCE).chain(own).collect()
    }

    pub(super) fn answer_tabular(&self, call: &Call<'_>) -> Option<Result<Reply, Reply>> {
        if call.operation_id == "getAggregationExceptions" {
            return Some(Ok(Reply::json(200, &json!({"allowed": false, "exceptions": self.exceptions()}))));
        }
        let known = [
            "getMetaResourceInfo",
            "getResourceProfile",
            "getResourceData",
            "getResourceDataCsv",
            "getResourceDataJson",
        ];
        known.contains(&call.operation_id).then(|| self.answer_on_resource(call))
    }

    fn answer_on_resource(&self, call: &Call<'_>) -> Result<Reply, Reply> {
        let id = call.capture("rid");
        let (of, table) = self.tabular_resource(id)?;
        let url = tabular_url(&self.catalogue.origin, id);
        let source = || Source {
            relation: id,
            url: format!("{url}data/"),
            links: Map::from_iter([
                ("profile".to_owned(), json!(format!("{url}profile/"))),
                ("swagger".to_owned(), json!(format!("{url}swagger/"))),
            ]),
            aggregates: self.exceptions().contains(&id),
            total_of_aggregates: false,
            limits: self.limits,
        };
        let raw = &call.received.query;
        match call.operation_id {
            "getResourceData" => page(table, &source(), raw),
            "getResourceDataCsv" => export(table, &source(), raw, true),
            "getResourceDataJson" => export(table, &source(), raw, false),
            "getResourceProfile" => Ok(Reply::json(
                200,
                &json!({
                    "profile": table.profile(), "deleted_at": null, "indexes": table.indexes,
                    "dataset_id": of.map(|(dataset, _)| dataset.id.as_str()),
                }),
            )),
            _ => {
                let links = ["profile", "data", "swagger"]
                    .map(|rel| json!({"href": format!("{url}{rel}/"), "type": "GET", "rel": rel}));
                let (created_at, file) = match of {
                    Some((_, resource)) => (resource.fields["created_at"].clone(), text(&resource.fields, "url")),
                    None => (json!("2026-01-01T00:00:00.000000+00:00"), ""),
                };
                Ok(Reply::json(200, &json!({"created_at": created_at, "url": file, "links": links})))
            }
        }
    }

    #[allow(clippy::type_complexity, reason = "a resource that is only a table is of no data set")]
    fn tabular_resource(&self, id: &str) -> Result<(Option<(&Dataset, &Resource)>, &Table), Reply> {
        if let Some((_, when)) = self.deleted_resources.iter().find(|(deleted, _)| deleted == id) {
            let text = format!("Resource {id} has been permanently deleted on {when} by its producer.");
            return Err(Reply::new(410, "text/plain; charset=utf-8", text));
        }
        if let Some(own) = self.tables.get(id) {
            return Ok((None, &own.table));
        }
        self.catalogue
            .resource(id)
            .and_then(|(dataset, resource)| Some((Some((dataset, resource)), resource.table.as_ref()?)))
            .ok_or_else(|| Reply::new(404, "text/plain; charset=utf-8", "404: Not Found"))
    }
}
