//! The operations of the tabular API on the resources of the catalogue.

use serde_json::{Map, json};

use super::call::Call;
use super::catalogue::{Dataset, Resource};
use super::database_error::DatabaseError;
use super::datasets::tabular_url;
use super::fields::text;
use super::query::Permissions;
use super::rows::{Format, Page, Source, check_target, database_error, export, page, understand};
use super::samples::CHARGING_POINTS_RESOURCE;
use super::state::Platform;
use super::table::Table;
use crate::response::Reply;

impl Platform {
    /// The resources on which queries may aggregate.
    fn exceptions(&self) -> Vec<&str> {
        let own = self.tables.iter().filter(|(_, own)| own.aggregates).map(|(id, _)| id.as_str());
        std::iter::once(CHARGING_POINTS_RESOURCE)
            .chain(own)
            .chain(self.aggregating.iter().map(String::as_str))
            .collect()
    }

    pub(super) fn handle_tabular(&self, call: &Call<'_>) -> Option<Result<Reply, Reply>> {
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
        known.contains(&call.operation_id).then(|| self.handle_resource(call))
    }

    fn handle_resource(&self, call: &Call<'_>) -> Result<Reply, Reply> {
        let id = call.capture("rid");
        match call.operation_id {
            "getResourceData" => return self.rows_of_resource(call, id, None),
            "getResourceDataCsv" => return self.rows_of_resource(call, id, Some(Format::Csv)),
            "getResourceDataJson" => return self.rows_of_resource(call, id, Some(Format::Json)),
            _ => check_id(id)?,
        }
        let (of, table) = self.tabular_resource(id)?;
        let url = tabular_url(&self.catalogue.origin, id);
        if call.operation_id == "getResourceProfile" {
            return Ok(Reply::json(
                200,
                &json!({
                    "profile": table.profile(), "deleted_at": null, "indexes": table.indexes,
                    "dataset_id": of.map(|(dataset, _)| dataset.id.as_str()),
                }),
            ));
        }
        let links = ["profile", "data", "swagger"]
            .map(|rel| json!({"href": format!("{url}{rel}/"), "type": "GET", "rel": rel}));
        let (created_at, file) = match of {
            Some((_, resource)) => (resource.fields["created_at"].clone(), text(&resource.fields, "url")),
            None => (json!("2026-01-01T00:00:00.000000+00:00"), ""),
        };
        Ok(Reply::json(200, &json!({"created_at": created_at, "url": file, "links": links})))
    }

    /// A page or an export. The server checks the page first, then the id, the query and the permissions, and only then
    /// whether the resource exists.
    fn rows_of_resource(&self, call: &Call<'_>, id: &str, format: Option<Format>) -> Result<Reply, Reply> {
        let (raw, settings) = (&call.received.query, self.settings);
        check_target(&call.received.path, raw, settings)?;
        let wanted = if format.is_none() { Some(Page::read(raw, settings)?) } else { None };
        check_id(id)?;
        let found = self.tabular_resource(id);
        let permissions = Permissions {
            release: settings.release,
            no_aggregation: Some(id).filter(|id| !self.exceptions().contains(id)),
            indexes: found.as_ref().ok().and_then(|(_, table)| table.indexes.as_deref()),
        };
        let sent = understand(raw, permissions, wanted)?;
        let (_, table) = found?;
        let url = tabular_url(&self.catalogue.origin, id);
        let source = Source {
            relation: id,
            url: format!("{url}data/"),
            links: Map::from_iter([
                ("profile".to_owned(), json!(format!("{url}profile/"))),
                ("swagger".to_owned(), json!(format!("{url}swagger/"))),
            ]),
            total_of_aggregates: false,
            settings,
        };
        match (wanted, format) {
            (Some(wanted), _) => page(table, &source, raw, &sent, wanted),
            (None, format) => export(table, &source, &sent, format.unwrap_or(Format::Json)),
        }
    }

    #[allow(clippy::type_complexity, reason = "a resource that is only a table is of no dataset")]
    fn tabular_resource(&self, id: &str) -> Result<(Option<(&Dataset, &Resource)>, &Table), Reply> {
        if let Some(deleted) = self.deleted_resources.iter().find(|deleted| deleted.resource == id) {
            let when = &deleted.when;
            let more = match &deleted.dataset {
                Some(dataset) => format!(
                    "You can find more information about this resource at https://www.data.gouv.fr/datasets/{dataset}"
                ),
                None => "Contact the resource producer to get more information.".to_owned(),
            };
            let text = format!("Resource {id} has been permanently deleted on {when} by its producer. {more}");
            return Err(Reply::new(410, "text/plain; charset=utf-8", text));
        }
        if let Some(own) = self.tables.get(id) {
            return Ok((None, &own.table));
        }
        self.catalogue
            .resource(id)
            .and_then(|(dataset, resource)| Some((Some((dataset, resource)), resource.table.as_deref()?)))
            .ok_or_else(|| Reply::new(404, "text/plain; charset=utf-8", "404: Not Found"))
    }
}

/// Ids are UUIDs in the database.
fn check_id(id: &str) -> Result<(), Reply> {
    let digits = id.trim_start_matches('{').trim_end_matches('}').replace('-', "");
    if digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    let message = format!("invalid input syntax for type uuid: \"{id}\"");
    Err(database_error(&DatabaseError::of("22P02", message)))
}
