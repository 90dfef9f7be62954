//! The base URLs of the APIs, and what all of a client's requests share.

use std::sync::{Arc, OnceLock};

use reqwest::Url;

use super::host::{Host, Hosts};
use super::key::{Key, below};
use super::observe::Observers;
use super::options::Policy;
use crate::{Error, Result};

/// Makes a `reqwest` client, as the user wants it.
pub(crate) type Connector = Box<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>;

/// What all the clients of a [`Client`](crate::Client) share.
pub(crate) struct Shared {
    /// For the APIs.
    pub(super) http: reqwest::Client,
    /// For files of any host: bytes as they are stored, not decompressed; public addresses alone where that
    /// is asked for. Made when first needed.
    pub(super) files: [OnceLock<reqwest::Client>; 2],
    pub(super) connector: Connector,
    pub(super) key: Option<Key>,
    pub(super) policy: Policy,
    pub(super) hosts: Hosts,
    pub(super) observers: Observers,
}

/// Where one API is, and what its requests may carry.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) shared: Arc<Shared>,
    /// Where it is, or why there is none; `None` for files, which are anywhere.
    pub(super) base: Option<Arc<Result<Base, String>>>,
    /// Whether the API knows the platform's key.
    pub(super) keyed: bool,
}

/// The base URL of an API, and the host that it is of.
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
    /// Of the base URL, or of the reason why there is none.
    pub(crate) fn new(shared: &Arc<Shared>, base: Result<Url, String>, keyed: bool) -> Self {
        let base = base.map(|url| Base { host: shared.hosts.of(&url), url });
        Self { shared: Arc::clone(shared), base: Some(Arc::new(base)), keyed }
    }

    /// The base URL as text, without a slash at its end; of a host that cannot be where there is no API.
    pub(crate) fn base_url(&self) -> String {
        let base = match self.base.as_deref() {
            Some(Ok(base)) => base.url.as_str(),
            _ => "http://absent.invalid",
        };
        base.trim_end_matches('/').to_owned()
    }

    /// The URL of a path below the base URL.
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

    /// What the generated clients are told.
    pub(crate) fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }
}
