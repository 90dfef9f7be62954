//! Where rows come from: a resource of the tabular API or a model of the metrics API, which have the same interface.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::cache::PageSize;
use super::encoding::Query;
use super::plan::Warning;
use super::profile::{Aggregation, Kind, Schema};
use super::row::{ROW_NUMBER, Row};
use crate::{ByteStream, Call, Client, Error, Result};

/// The maximum number of rows of an export.
pub(super) const MOST_EXPORTED: u64 = 50_000;

/// A table of one of the two APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    #[cfg(feature = "tabular")]
    Resource(String),
    #[cfg(feature = "metrics")]
    Model(String),
}

/// A page as the server returns it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Page {
    #[serde(default, deserialize_with = "crate::codec::tolerant::null_is_default")]
    pub data: Vec<Row>,
    #[serde(default, deserialize_with = "crate::codec::tolerant::null_is_default")]
    pub meta: Meta,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Meta {
    #[serde(default, deserialize_with = "crate::codec::tolerant::count")]
    pub total: Option<u64>,
}

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

    /// Whether every row has a number: the rows of metrics are sums over outer joins.
    pub(crate) fn numbers_every_row(&self) -> bool {
        match self {
            #[cfg(feature = "tabular")]
            Self::Resource(_) => true,
            #[cfg(feature = "metrics")]
            Self::Model(_) => false,
        }
    }

    /// The columns and their types; `None` if unknown.
    pub(crate) async fn schema(&self, client: &Client) -> Result<Option<Arc<Schema>>> {
        if let Some(schema) = client.tables.get(self.name()) {
            return Ok(Some(schema));
        }
        let schema = match self {
            #[cfg(feature = "tabular")]
            Self::Resource(rid) => {
                let call = client.tabular().get_resource_profile().rid(rid).call();
                Schema::from_profile(&call.json::<Value>().send().await?.into_inner())
            }
            #[cfg(feature = "metrics")]
            Self::Model(_) => {
                // A page of the server's default size is enough.
                sampled(&self.page(client, &Query::default()).send().await?.data)
            }
        };
        let Some(schema) = schema.map(Arc::new) else { return Ok(None) };
        client.tables.set(self.name(), Arc::clone(&schema));
        Ok(Some(schema))
    }

    /// The id of the resource, or the name of the model.
    fn name(&self) -> &str {
        match self {
            #[cfg(feature = "tabular")]
            Self::Resource(rid) => rid,
            #[cfg(feature = "metrics")]
            Self::Model(model) => model,
        }
    }

    /// Forgets the cached schema of the table.
    pub(crate) fn forget(&self, client: &Client) {
        client.tables.forget(self.name());
    }

    /// The largest page of the server.
    pub(crate) fn page_size<'a>(&self, client: &'a Client) -> &'a PageSize {
        match self {
            #[cfg(feature = "tabular")]
            Self::Resource(_) => client.tables.tabular_page(),
            #[cfg(feature = "metrics")]
            Self::Model(_) => client.tables.metrics_page(),
        }
    }

    /// The columns that identify a row without a number: the ids and the month of metrics.
    pub(crate) async fn keys(&self, client: &Client) -> Result<Vec<String>> {
        if self.numbers_every_row() {
            return Ok(Vec::new());
        }
        let schema = self.schema(client).await?;
        let columns = schema.iter().flat_map(|schema| &schema.columns).map(|(name, _)| name);
        Ok(columns.filter(|name| name.ends_with("_id") || name.ends_with("_month")).cloned().collect())
    }

    /// The warnings that the catalogue gives about the rows; none if it cannot be requested.
    pub(crate) async fn warnings(&self, client: &Client) -> Vec<Warning> {
        match self {
            #[cfg(feature = "tabular")]
            Self::Resource(rid) => match client.resource(rid).analysis().await {
                Ok(analysis) if !analysis.has_rows() => {
                    let error = analysis.rows_error().map(ToString::to_string).or(analysis.error);
                    error.map(|error| Warning::StaleRows { error }).into_iter().collect()
                }
                Err(error) if error.is_not_found() || error.is_gone() => vec![Warning::Deleted],
                _ => Vec::new(),
            },
            #[cfg(feature = "metrics")]
            Self::Model(_) => Vec::new(),
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

/// With a query that is already encoded.
fn with<T>(call: Call<T>, query: &Query) -> Call<T> {
    call.map_request(|request| {
        let query = query.as_str();
        request.url_mut().set_query((!query.is_empty()).then_some(query));
        Ok(())
    })
}

/// The columns of metrics, derived from the values of some rows. If all values of a column are null, its name
/// decides whether it is a number.
fn sampled(rows: &[Row]) -> Option<Schema> {
    let names: Vec<&str> = rows.first()?.iter().map(|(name, _)| name).filter(|name| *name != ROW_NUMBER).collect();
    let kind = |name: &str| {
        let mut values = rows.iter().map(|row| &row[name]).filter(|value| !value.is_null());
        match values.clone().next() {
            Some(Value::Bool(_)) => Kind::Bool,
            // Usually counts.
            Some(Value::Number(_)) if values.all(|value| value.as_i64().is_some()) => Kind::Int,
            Some(Value::Number(_)) => Kind::Float,
            Some(Value::Array(_) | Value::Object(_)) => Kind::Json,
            None if !name.ends_with("_id") && !name.ends_with("_month") => Kind::Int,
            _ => Kind::String,
        }
    };
    let columns = names.into_iter().map(|name| (name.to_owned(), kind(name))).collect();
    // A row of JSON has its columns in the order of the table, but this is not documented.
    Some(Schema { columns, ..Schema::default() })
}
