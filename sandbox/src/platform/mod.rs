//! A small platform with a memory, for examples and first steps: a few invented data sets that can be
//! searched, written and uploaded to, their rows, and their visits by month.

mod aggregate;
mod catalogue;
mod condition;
mod datasets;
mod decimal;
mod editing;
mod exports;
mod failure;
mod front;
mod mask;
mod metrics;
mod moment;
mod query;
mod rows;
mod samples;
mod scan;
mod select;
mod table;
mod tabular;
mod truth;
mod uploads;
mod value;
mod wire;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use query::Release;
pub use rows::TabularSettings;
pub use samples::{
    AIR_QUALITY, AIR_QUALITY_RESOURCE, CHARGING_POINTS, CHARGING_POINTS_RESOURCE, COMMUNES, COMMUNES_RESOURCE, STOPS,
    STOPS_RESOURCE,
};
pub use select::Ties;

use crate::Api;
use crate::answer::Reply;
use crate::client::User;
use crate::log::Received;
use crate::server_error::ServerError;
use crate::state::{Files, header};
use catalogue::Catalogue;
use mask::Mask;
use metrics::Metrics;
use table::{Column, Table};
use tabular::OwnTable;
use uploads::Parts;
use value::Kind;

/// A table to be served, as a resource of the tabular API or as a model of metrics.
#[derive(Debug, Clone, Default)]
pub struct NewTable {
    /// The names of the columns and their types, in the words of a profile (`string`, `int`, `datetime`, `json`)
    /// or of the database (`integer`, `numeric`, `timestamptz`).
    pub columns: Vec<(String, String)>,
    /// The rows: a value for each column, as JSON has them. Texts stand for decimals that a double cannot hold,
    /// and for `NaN` and the infinities.
    pub rows: Vec<Vec<Value>>,
    /// The places of rows, from 0, where null in a column of JSON is JSON's null and not the absence of a value.
    pub json_nulls: Vec<usize>,
    /// The numbers of the rows (`__id`); those from 1 on otherwise.
    pub numbers: Option<Vec<Option<u64>>>,
    /// The columns with an index, where aggregation is to ask for one.
    pub indexes: Option<Vec<String>>,
    /// Whether it may be aggregated.
    pub aggregates: bool,
}

impl NewTable {
    /// The places of the rows, from 0, that a query string matches as it is sent.
    ///
    /// # Errors
    ///
    /// The refusal of the server.
    pub fn matching(self, query: &str) -> Result<Vec<usize>, Reply> {
        rows::matching(&self.into_table(), query)
    }

    fn into_table(self) -> Table {
        let columns = self.columns.into_iter().map(|(name, kind)| Column {
            name,
            kind: Kind::of(&kind).unwrap_or_else(|| panic!("`{kind}` is no type of a column")),
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

    /// Whether the user may change what is there.
    fn may_edit(&self) -> bool {
        self.user() == Some(User::Editor)
    }

    /// The user of the key, where there is one.
    fn signed_in(&self) -> Result<User, Reply> {
        self.user().ok_or_else(|| ServerError::unauthorized().reply(Api::Main))
    }
}

/// A resource that the tabular API knows to be deleted.
#[derive(Debug)]
pub(crate) struct Deleted {
    resource: String,
    when: String,
    dataset: Option<String>,
}

/// The platform's memory.
#[derive(Debug)]
pub(crate) struct Platform {
    catalogue: Catalogue,
    metrics: Metrics,
    parts: Parts,
    deleted_resources: Vec<Deleted>,
    tables: BTreeMap<String, OwnTable>,
    settings: TabularSettings,
    discussions: Vec<Value>,
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
            settings: TabularSettings::default(),
            discussions: Vec::new(),
        }
    }

    pub(crate) fn add_table(&mut self, id: &str, table: NewTable) {
        let aggregates = table.aggregates;
        self.tables.insert(id.to_owned(), OwnTable { table: table.into_table(), aggregates });
    }

    pub(crate) fn add_model(&mut self, name: &str, table: NewTable) {
        self.metrics.set(name, table.into_table());
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

    /// The answer to a call; None for an operation that the platform does not know.
    pub(crate) fn answer(&mut self, call: &Call<'_>, files: &mut Files) -> Option<Reply> {
        if matches!(call.api, Api::Main | Api::MainV2) && call.user() == Some(User::Revoked) {
            return Some(ServerError::invalid_key().reply(call.api));
        }
        let reply = match call.api {
            Api::Main => self.answer_main(call, files)?,
            Api::MainV2 => self.answer_main_v2(call)?,
            Api::Tabular => self.answer_tabular(call)?,
            Api::Metrics => self.answer_metrics(call)?,
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
