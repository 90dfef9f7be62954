//! The base URLs of the APIs, and what all of a client's requests share.

use std::sync::{Arc, OnceLock};

use reqwest::Url;

use super::host::{Host, Hosts};
use super::key::{Key, below};
use super::limits::Limits;
use super::observe::Observers;
use super::options::Policy;
use crate::{Api, Error, Result};

/// Makes a builder of a `reqwest` client, as the user has configured it.
pub(crate) type Connector = Box<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>;

/// The state that a [`Client`](crate::Client) and its clones share.
pub(crate) struct Shared {
    /// For the APIs.
    pub(super) http: reqwest::Client,
    /// For files of any host, without decompression; the second connects to public addresses only. Made when first
    /// needed.
    pub(super) files: [OnceLock<reqwest::Client>; 2],
    pub(super) connector: Connector,
    pub(super) key: Option<Key>,
    pub(super) policy: Policy,
    pub(super) hosts: Hosts,
    pub(super) observers: Observers,
}

/// The base URL of an API, and whether its requests may carry the API key.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) shared: Arc<Shared>,
    /// `None` for files.
    pub(super) api: Option<Api>,
    /// The base URL, or why there is none; `None` for files, which may be on any host.
    pub(super) base: Option<Arc<Result<Base, String>>>,
    /// Whether the API takes the API key.
    pub(super) keyed: bool,
}

/// The base URL of an API, and its host.
pub(super) struct Base {
    pub url: Url,
    pub host: Arc<Host>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let base = self.base.as_deref().map(|base| base.as_ref().map(|base| base.url.as_str()));
        f.debug_struct("Endpoint").field("base", &base).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Creates an endpoint from a base URL, or from the reason why there is none.
    pub(crate) fn new(shared: &Arc<Shared>, api: Api, base: Result<Url, String>, keyed: bool) -> Self {
        let base = base.map(|url| Base { host: shared.hosts.of(&url), url });
        Self { shared: Arc::clone(shared), api: Some(api), base: Some(Arc::new(base)), keyed }
    }

    /// Returns whether the deployment has this API.
    pub(crate) fn exists(&self) -> bool {
        matches!(self.base.as_deref(), Some(Ok(_)))
    }

    /// Returns the base URL without a trailing slash; of a host that cannot exist if there is no API.
    pub(crate) fn base_url(&self) -> String {
        let base = match self.base.as_deref() {
            Some(Ok(base)) => base.url.as_str(),
            _ => "http://absent.invalid",
        };
        base.trim_end_matches('/').to_owned()
    }

    /// Returns the URL of a path below the base URL.
    pub(crate) fn url_of(&self, path: &str) -> Result<Url> {
        let refused = |reason: &str| Error::request(format!("the path `{path}` {reason}"));
        let base = self.base_url();
        let url = Url::parse(&format!("{base}/{}", path.trim_start_matches('/')))
            .map_err(|error| refused("makes no URL").with_source(error))?;
        let below_base = Url::parse(&base).is_ok_and(|base| below(url.path(), base.path()));
        if below_base { Ok(url) } else { Err(refused("leaves the base URL")) }
    }
}

impl Shared {
    pub(crate) fn new(connector: Connector, key: Option<Key>, policy: Policy, observers: Observers) -> Result<Self> {
        Ok(Self {
            http: connector().build()?,
            files: Default::default(),
            hosts: Hosts::new(policy.retries.clone(), policy.circuit.clone(), policy.limits.clone()),
            connector,
            key,
            policy,
            observers,
        })
    }

    /// Returns the HTTP client for the generated clients.
    pub(crate) fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.policy.limits
    }

    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }
}
