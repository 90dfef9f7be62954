//! The operations of the tabular API on the resources of the catalogue.

use serde_json::{Map, json};

use super::catalogue::{Dataset, Resource};
use super::datasets::{tabular_url, text};
use super::rows::{Source, export, page};
use super::samples::CHARGING_POINTS_RESOURCE;
use super::table::Table;
use super::{Call, Platform};
use crate::answer::Reply;

/// The one resource on which queries may aggregate.
const EXCEPTIONS: [&str; 1] = [CHARGING_POINTS_RESOURCE];

impl Platform {
    pub(super) fn answer_tabular(&self, call: &Call<'_>) -> Option<Result<Reply, Reply>> {
        if call.operation_id == "getAggregationExceptions" {
            return Some(Ok(Reply::json(200, &json!({"allowed": false, "exceptions": EXCEPTIONS}))));
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
        let (dataset, resource, table) = self.tabular_resource(call.capture("rid"))?;
        let url = tabular_url(&self.catalogue.origin, &resource.id);
        let source = || Source {
            relation: &resource.id,
            url: format!("{url}data/"),
            links: Map::from_iter([
                ("profile".to_owned(), json!(format!("{url}profile/"))),
                ("swagger".to_owned(), json!(format!("{url}swagger/"))),
            ]),
            aggregates: EXCEPTIONS.contains(&resource.id.as_str()),
            total_of_aggregates: false,
        };
        let raw = &call.received.query;
        match call.operation_id {
            "getResourceData" => page(table, &source(), raw),
            "getResourceDataCsv" => export(table, &source(), raw, true),
            "getResourceDataJson" => export(table, &source(), raw, false),
            "getResourceProfile" => Ok(Reply::json(
                200,
                &json!({"profile": table.profile(), "deleted_at": null, "dataset_id": dataset.id, "indexes": null}),
            )),
            _ => {
                let links = ["profile", "data", "swagger"]
                    .map(|rel| json!({"href": format!("{url}{rel}/"), "type": "GET", "rel": rel}));
                let (created_at, file) = (&resource.fields["created_at"], text(&resource.fields, "url"));
                Ok(Reply::json(200, &json!({"created_at": created_at, "url": file, "links": links})))
            }
        }
    }

    fn tabular_resource(&self, id: &str) -> Result<(&Dataset, &Resource, &Table), Reply> {
        if let Some((_, when)) = self.deleted_resources.iter().find(|(deleted, _)| deleted == id) {
            let text = format!("Resource {id} has been permanently deleted on {when} by its producer.");
            return Err(Reply::new(410, "text/plain; charset=utf-8", text));
        }
        self.catalogue
            .resource(id)
            .and_then(|(dataset, resource)| Some((dataset, resource, resource.table.as_ref()?)))
            .ok_or_else(|| Reply::new(404, "text/plain; charset=utf-8", "404: Not Found"))
    }
}
