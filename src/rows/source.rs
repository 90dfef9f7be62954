//! Where rows come from: a resource of the tabular API or a model of the metrics API, which answer alike.

use std::sync::Arc;

use serde::Deserialize;

use super::encoding::{Query, ROW_NUMBER};
use super::profile::{Aggregation, Kind, Schema};
use super::row::Row;
use crate::{ByteStream, Call, Client, Error, Result};

/// A table of one of the two APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    #[cfg(feature = "tabular")]
    Resource(String),
    #[cfg(feature = "metrics")]
    Model(String),
}

/// A page as the server answers it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Page {
    #[serde(default, deserialize_with = "crate::tolerant::null_is_default")]
    pub data: Vec<Row>,
    #[serde(default)]
    pub meta: Meta,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Meta {
    #[serde(default)]
    pub total: Option<u64>,
}

/// The largest page that the server allows, as far as is known.
pub(crate) const PAGE_SIZE: u64 = 50;

impl Source {
    pub(crate) fn page(&self, client: &Client, query: &Query) -> Call<Page> {
        match self {
            #[cfg(feature = "tabular")]
            Self::Resource(rid) => with(client.tabular().get_resource_data().rid(rid).call().json(), query),
            #[cfg(feature = "metrics")]
            Self::Model(model) => with(client.metrics().get_metrics_by_model().model(model).call().json(), query),
        }
    }

    pub(crate) fn csv(&self, client: &Client, query: &Query) -> Call<ByteStream> {
        match self {
            #[cfg(feature = "tabular")]
            Self::Resource(rid) => with(client.tabular().get_resource_data_csv().rid(rid).call().bytes(), query),
            #[cfg(feature = "metrics")]
            Self::Model(model) => with(client.metrics().get_metrics_by_model_csv().model(model).call().bytes(), query),
        }
    }

    pub(crate) fn json(&self, client: &Client, query: &Query) -> Result<Call<ByteStream>> {
        match self {
            #[cfg(feature = "tabular")]
            Self::Resource(rid) => Ok(with(client.tabular().get_resource_data_json().rid(rid).call().bytes(), query)),
            #[cfg(feature = "metrics")]
            Self::Model(_) => Err(Error::request("the metrics API exports CSV and no JSON")),
        }
    }

    /// Whether every row has a number: those of metrics are sums over outer joins.
    pub(crate) fn numbers_every_row(&self) -> bool {
        match self {
            #[cfg(feature = "tabular")]
            Self::Resource(_) => true,
            #[cfg(feature = "metrics")]
            Self::Model(_) => false,
        }
    }

    /// The columns and their types; `None` where nobody knows.
    pub(crate) async fn schema(&self, client: &Client) -> Result<Option<Arc<Schema>>> {
        match self {
            #[cfg(feature = "tabular")]
            Self::Resource(rid) => {
                if let Some(schema) = client.schemas.get(rid) {
                    return Ok(Some(schema));
                }
                let profile = client.tabular().get_resource_profile().rid(rid).send().await?.into_inner();
                let mut columns = profile.profile.columns;
                if columns.is_empty() {
                    return Ok(None);
                }
                let kind = |column: &crate::tabular::types::ColumnType| Kind::of(column.python_type.as_str());
                let header = profile.profile.header;
                let mut named: Vec<(String, Kind)> =
                    header.iter().filter_map(|name| Some((name.clone(), kind(&columns.remove(name)?)))).collect();
                let ordered = named.len() == header.len() && columns.is_empty();
                named.extend(columns.iter().map(|(name, column)| (name.clone(), kind(column))));
                let schema = Arc::new(Schema { columns: named, ordered, indexes: profile.indexes });
                client.schemas.set(rid, Arc::clone(&schema));
                Ok(Some(schema))
            }
            #[cfg(feature = "metrics")]
            Self::Model(_) => {
                let mut query = Query::default();
                query.page(1, PAGE_SIZE);
                Ok(sampled(&self.page(client, &query).send().await?.data).map(Arc::new))
            }
        }
    }

    /// Forgets what was learned of the table.
    pub(crate) fn forget(&self, client: &Client) {
        match self {
            #[cfg(feature = "tabular")]
            Self::Resource(rid) => client.schemas.forget(rid),
            #[cfg(feature = "metrics")]
            Self::Model(_) => {}
        }
    }

    pub(crate) async fn aggregation(&self, client: &Client) -> Result<Aggregation> {
        match self {
            #[cfg(feature = "tabular")]
            Self::Resource(rid) => {
                let listed = client.tabular().get_aggregation_exceptions().send().await?.into_inner();
                Ok(if listed.allows(rid) { Aggregation::Allowed } else { Aggregation::Refused })
            }
            #[cfg(feature = "metrics")]
            Self::Model(_) => Ok(Aggregation::Allowed),
        }
    }
}

/// With a query that is encoded already.
fn with<T>(call: Call<T>, query: &Query) -> Call<T> {
    call.map_request(|request| {
        let query = query.as_str();
        request.url_mut().set_query((!query.is_empty()).then_some(query));
        Ok(())
    })
}

/// What metrics tell of their columns: the values of some rows. Where all of a column's are null, its name
/// tells what is no number.
fn sampled(rows: &[Row]) -> Option<Schema> {
    let names: Vec<&str> = rows.first()?.iter().map(|(name, _)| name).filter(|name| *name != ROW_NUMBER).collect();
    let kind = |name: &str| {
        let value = rows.iter().map(|row| &row[name]).find(|value| !value.is_null());
        match value {
            Some(serde_json::Value::Bool(_)) => Kind::Bool,
            Some(serde_json::Value::Number(_)) => Kind::Float,
            Some(serde_json::Value::Array(_) | serde_json::Value::Object(_)) => Kind::Json,
            None if !name.ends_with("_id") && !name.ends_with("_month") => Kind::Float,
            _ => Kind::String,
        }
    };
    let columns = names.into_iter().map(|name| (name.to_owned(), kind(name))).collect();
    // A row of JSON has its columns in the order of the table, but nobody promises it.
    Some(Schema { columns, ordered: false, indexes: Vec::new() })
}
