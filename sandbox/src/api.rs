//! The APIs: their base URLs, and their names in the client's crate.

use std::sync::{Arc, LazyLock};

use crate::Api;
use crate::document::{Document, Error};
use crate::route::Routes;

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
