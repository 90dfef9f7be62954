//! The APIs: their documents and base URLs.

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
        Api::MainV2 => "/api/2",
        Api::Tabular => "/tabular",
        Api::Metrics => "/metrics",
        // The documents have no others.
        _ => "/api/1",
    }
}

/// The API of a name.
pub(crate) fn named(name: &str) -> Option<Api> {
    Api::ALL.iter().copied().find(|api| api.name() == name)
}
