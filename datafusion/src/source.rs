//! The tables that rows come from.

use std::fmt;

use datagouv::Client;
use datagouv::rows::{Row, Rows};
use serde::{Deserialize, Serialize};

/// A resource of the tabular API, or a model of the metrics API.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    Resource(String),
    Model(String),
}

impl Source {
    /// The API, by the name that plans have for it.
    #[cfg(feature = "codec")]
    pub(crate) fn api(&self) -> &'static str {
        match self {
            Self::Resource(_) => "tabular",
            Self::Model(_) => "metrics",
        }
    }

    pub(crate) fn rows(&self, client: &Client) -> Rows<Row> {
        match self {
            Self::Resource(id) => client.resource(id).rows(),
            Self::Model(model) => client.metrics_of(model),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(id) => write!(f, "resource {id}"),
            Self::Model(model) => write!(f, "metrics {model}"),
        }
    }
}
