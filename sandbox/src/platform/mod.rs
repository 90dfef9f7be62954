//! A small, stateful platform: a few invented datasets that can be searched, changed and uploaded to, their rows, and
//! their monthly metrics.

mod aggregate;
mod catalogue;
mod condition;
mod dataservices;
mod datasets;
mod decimal;
mod discussions;
mod editing;
mod entries;
mod exports;
mod failure;
mod front;
mod lists;
mod mask;
mod memberships;
mod metrics;
mod moment;
mod objects;
mod operations;
mod organizations;
mod query;
mod reuses;
mod rows;
mod samples;
mod scan;
mod select;
mod table;
mod tabular;
mod things;
mod topics;
mod uploads;
mod users;
mod value;
mod views;
mod wire;
mod writing;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

pub(crate) use operations::{handles, name};
pub use query::Release;
pub use rows::TabularSettings;
pub use samples::{
    AIR_QUALITY, AIR_QUALITY_RESOURCE, CHARGING_POINTS, CHARGING_POINTS_RESOURCE, COMMUNES, COMMUNES_RESOURCE, STOPS,
    STOPS_RESOURCE,
};
pub use select::Ties;

use crate::Api;
use crate::client::User;
use crate::log::Received;
use crate::response::Reply;
use crate::seed::Seeded;
use crate::server_error::ServerError;
use crate::state::{Files, header};
use catalogue::{Catalogue, Content};
use mask::Mask;
use metrics::Metrics;
use table::{Column, Table};
use tabular::OwnTable;
use uploads::Parts;
use value::Kind;

/// A table to serve, as a resource of the tabular API or as a model of metrics.
#[derive(Debug, Clone, Default)]
pub struct NewTable {
    /// The names of the columns and their types, in the words of a profile (`string`, `int`, `datetime`, `json`)
    /// or of the database (`integer`, `numeric`, `timestamptz`).
    pub columns: Vec<(String, String)>,
    /// The rows: a value for each column, as JSON has them. Decimals that a double cannot hold are texts,
    /// as are `NaN` and the infinities.
    pub rows: Vec<Vec<Value>>,
    /// The indexes of the rows, from 0, in which null in a column of JSON is JSON's null, not the absence of a value.
    pub json_nulls: Vec<usize>,
    /// The numbers of the rows (`__id`). Default: from 1 on.
    pub numbers: Option<Vec<Option<u64>>>,
    /// The columns with an index, if aggregation needs one.
    pub indexes: Option<Vec<String>>,
    /// Whether it may be aggregated.
    pub aggregates: bool,
}

impl NewTable {
    /// Reads a table of the form `{"columns": [{"name", "pg"}], "rows": [{name: value}]}`, `pg` being the type
    /// in the words of the database. The column `__id` has the numbers of the rows. Where `num_as_text` maps
    /// such a number to a text, that text is the value of the column `num`, which JSON readers may round.
    /// `json_null` lists the rows whose null in a column of JSON is the null of JSON.
    ///
    /// # Errors
    ///
    /// Returns a text that names what is missing.
    pub fn from_json(json: &Value) -> Result<Self, String> {
        let list = |name: &str| json[name].as_array().ok_or_else(|| format!("`{name}` is no list"));
        let mut columns = Vec::new();
        for column in list("columns")? {
            let text = |key: &str| column[key].as_str().ok_or_else(|| format!("a column has no `{key}`"));
            columns.push((text("name")?.to_owned(), text("pg")?.to_owned()));
        }
        columns.retain(|(name, _)| name != table::ROW_NUMBER);
        let exact = json["num_as_text"].as_object();
        let json_null = json["json_null"].as_array();
        let mut json_nulls = Vec::new();
        let mut numbers = Vec::new();
        let mut rows = Vec::new();
        for row in list("rows")? {
            let number = row[table::ROW_NUMBER].as_u64();
            let text = number.and_then(|number| exact?.get(&number.to_string()));
            let value = |(name, _): &(String, String)| match text {
                Some(text) if name == "num" => text.clone(),
                _ => row[name.as_str()].clone(),
            };
            rows.push(columns.iter().map(value).collect());
            if json_null.is_some_and(|listed| listed.contains(&row[table::ROW_NUMBER])) {
                json_nulls.push(numbers.len());
            }
            numbers.push(number);
        }
        Ok(Self { columns, rows, json_nulls, numbers: Some(numbers), ..Self::default() })
    }

    /// The value of a row, by its index from 0; null if there is no such row or column.
    pub fn value(&self, row: usize, column: &str) -> Value {
        if column == table::ROW_NUMBER {
            let number = match &self.numbers {
                Some(numbers) => numbers.get(row).copied().flatten(),
                None => (row < self.rows.len()).then(|| u64::try_from(row + 1).ok()).flatten(),
            };
            return number.map_or(Value::Null, Value::from);
        }
        let place = self.columns.iter().position(|(name, _)| name == column);
        place.and_then(|place| self.rows.get(row)?.get(place)).cloned().unwrap_or_default()
    }

    /// The indexes of the rows, from 0, that an encoded query string matches.
    ///
    /// # Errors
    ///
    /// The error response of the server.
    pub fn matching(self, query: &str) -> Result<Vec<usize>, Reply> {
        rows::matching(&self.into_table(), query)
    }

    fn into_table(self) -> Table {
        let columns = self.columns.into_iter().map(|(name, kind)| Column {
            name,
            kind: Kind::of(&kind).unwrap_or_else(|| panic!("`{kind}` is not the type of a column")),
        });
        let numbers = self.numbers.map(|numbers| {
            numbers.into_iter().map(|number| number.and_then(|number| i64::try_from(number).ok())).collect()
        });
        let mut table = Table { numbers, indexes: self.indexes, ..Table::of_json(columns.collect(), self.rows) };
        for row in self.json_nulls {
            table.set_json_nulls(row);
        }
        table
    }
}

/// A dataset as the HTML page shows it.
pub(crate) struct Listed<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    /// Id, title, URL of the file, and whether there are rows.
    pub(crate) resources: Vec<(&'a str, &'a str, &'a str, bool)>,
}

/// The response to a call, or an error response.
type HandlerResult = Result<Reply, Reply>;

/// A valid request for an operation.
pub(crate) struct Call<'a> {
    pub(crate) api: Api,
    pub(crate) operation_id: &'a str,
    pub(crate) captures: &'a [(String, String)],
    pub(crate) received: &'a Received,
}

impl Call<'_> {
    fn capture(&self, name: &str) -> &str {
        self.captures.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    fn query(&self, name: &str) -> Option<&str> {
        let pairs = &self.received.query_pairs;
        pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn user(&self) -> Option<User> {
        User::of_key(header(&self.received.headers, "x-api-key"))
    }

    /// The user of the API key; 401 without one.
    fn signed_in(&self) -> Result<User, Reply> {
        self.user().ok_or_else(|| ServerError::unauthorized().reply(Api::Main))
    }
}

/// A resource that is deleted in the tabular API.
#[derive(Debug)]
pub(crate) struct Deleted {
    resource: String,
    when: String,
    dataset: Option<String>,
}

/// The state of the platform.
#[derive(Debug)]
pub(crate) struct Platform {
    catalogue: Catalogue,
    metrics: Metrics,
    parts: Parts,
    deleted_resources: Vec<Deleted>,
    tables: BTreeMap<String, OwnTable>,
    /// Further resources on which queries may aggregate.
    aggregating: Vec<String>,
    settings: TabularSettings,
}

impl Platform {
    pub(crate) fn new(origin: String, files: &mut Files) -> Self {
        let catalogue = Catalogue::new(origin, files);
        let metrics = Metrics::new(&catalogue);
        Self {
            catalogue,
            metrics,
            parts: Parts::default(),
            deleted_resources: Vec::new(),
            tables: BTreeMap::new(),
            aggregating: Vec::new(),
            settings: TabularSettings::default(),
        }
    }

    pub(crate) fn add_table(&mut self, id: &str, table: NewTable) {
        let aggregates = table.aggregates;
        self.tables.insert(id.to_owned(), OwnTable { table: table.into_table(), aggregates });
    }

    pub(crate) fn add_model(&mut self, name: &str, table: NewTable) {
        self.metrics.set(name, table.into_table());
    }

    /// The datasets that are not deleted.
    pub(crate) fn datasets(&self) -> Vec<Listed<'_>> {
        let alive = self.catalogue.datasets.iter().filter(|dataset| dataset.deleted.is_none());
        let listed = alive.map(|dataset| {
            let resources = dataset.resources.iter().map(|resource| {
                let text = |name: &str| datasets::text(&resource.fields, name);
                (resource.id.as_str(), text("title"), text("url"), resource.table.is_some())
            });
            Listed { id: &dataset.id, title: datasets::text(&dataset.fields, "title"), resources: resources.collect() }
        });
        listed.collect()
    }

    /// Adds a dataset with these fields, and a resource for each file.
    pub(crate) fn add_dataset(
        &mut self,
        written: Vec<(&'static str, Value)>,
        contents: Vec<(String, Bytes)>,
        files: &mut Files,
    ) -> Seeded {
        let mut dataset = self.catalogue.new_dataset(catalogue::default_fields());
        dataset.fields.extend(written.into_iter().map(|(name, value)| (name.to_owned(), value)));
        dataset.slug = self.catalogue.free_slug(datasets::text(&dataset.fields, "title"));
        for (name, data) in contents {
            let mut resource = self.new_resource(&name);
            self.catalogue.store(&mut resource, &dataset.slug, &name, Content::new(data), files);
            dataset.resources.push(resource);
        }
        let resources = dataset.resources.iter().map(|resource| resource.id.clone()).collect();
        let seeded = Seeded { id: dataset.id.clone(), slug: dataset.slug.clone(), resources };
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

    /// The response to a call; None for an operation that the platform does not have.
    pub(crate) fn handle(&mut self, call: &Call<'_>, files: &mut Files) -> Option<Reply> {
        if matches!(call.api, Api::Main | Api::MainV2) && call.user() == Some(User::Revoked) {
            return Some(ServerError::invalid_key().reply(call.api));
        }
        let reply = match call.api {
            Api::Main => self.handle_main(call, files)?,
            Api::MainV2 => self.handle_main_v2(call)?,
            Api::Tabular => self.handle_tabular(call)?,
            Api::Metrics => self.handle_metrics(call)?,
        };
        let reply = reply.unwrap_or_else(|refusal| refusal);
        Some(masked(reply, header(&call.received.headers, "x-fields")))
    }
}

pub(crate) fn masked(reply: Reply, mask: &str) -> Reply {
    if mask.is_empty() || reply.status >= 300 || reply.body.is_empty() {
        return reply;
    }
    match (Mask::read(mask), serde_json::from_slice::<Value>(&reply.body)) {
        (Some(mask), Ok(body)) => Reply { body: mask.apply(body).to_string().into(), ..reply },
        (None, _) => message(400, "Mask parse error: Missing closing bracket"),
        _ => reply,
    }
}

fn message(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({"message": text}))
}
