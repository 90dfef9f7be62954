//! The APIs: their base URLs, and their names in the client's crate.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use crate::document::{Document, Error};
use crate::route::Routes;

/// One of the APIs of data.gouv.fr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Api {
    /// The catalogue, `/api/1`.
    Main,
    /// Search, topics and extras of the catalogue, `/api/2`.
    MainV2,
    /// Rows of tabular files.
    Tabular,
    /// Visits and downloads by month.
    Metrics,
}

impl Api {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Main, Self::MainV2, Self::Tabular, Self::Metrics];

    /// The name of the API in features of the client, and in recorded responses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::MainV2 => "main-v2",
            Self::Tabular => "tabular",
            Self::Metrics => "metrics",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Api {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|api| api.name() == name);
        found.ok_or_else(|| Error::new(format!("`{name}` is not one of main, main-v2, tabular, metrics")))
    }
}

/// The documents of the APIs, with their routes.
pub(crate) type Apis = Vec<(Document, Routes)>;

pub(crate) fn routed(documents: Vec<Document>) -> Apis {
    let routed = |document: Document| {
        let routes = Routes::new(&document);
        (document, routes)
    };
    documents.into_iter().map(routed).collect()
}

/// The corrected documents, read once in the life of a process.
pub(crate) fn corrected() -> Result<Arc<Apis>, Error> {
    static ALL: LazyLock<Result<Arc<Apis>, Error>> =
        LazyLock::new(|| Document::corrected().map(|documents| Arc::new(routed(documents))));
    ALL.clone()
}

/// The path of an API's base URL.
pub(crate) fn base(api: Api) -> &'static str {
    match api {
        Api::Main => "/api/1",
        Api::MainV2 => "/api/2",
        Api::Tabular => "/tabular",
        Api::Metrics => "/metrics",
    }
}

/// The name of an API in the client's crate.
pub(crate) fn theirs(api: Api) -> datagouv::Api {
    match api {
        Api::Main => datagouv::Api::Main,
        Api::MainV2 => datagouv::Api::MainV2,
        Api::Tabular => datagouv::Api::Tabular,
        Api::Metrics => datagouv::Api::Metrics,
    }
}

/// The API of a name of the client's crate.
pub(crate) fn ours(api: datagouv::Api) -> Option<Api> {
    Api::ALL.into_iter().find(|own| theirs(*own) == api)
}
