//! The clients of a worker, and the hosts that they may send requests to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use datafusion::common::{Result, plan_err};
use datagouv::{Api, Client, ClientBuilder, Limits};
use serde::{Deserialize, Serialize};

use crate::error::external;

/// The APIs, by the names that plans have for them.
const APIS: [(&str, Api); 4] =
    [("main", Api::Main), ("main_v2", Api::MainV2), ("tabular", Api::Tabular), ("metrics", Api::Metrics)];

/// Where requests are sent, and how many: what a client needs but the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Site {
    bases: BTreeMap<String, String>,
    limits: Limits,
}

impl Site {
    pub(super) fn of(client: &Client) -> Self {
        let bases = APIS.iter().filter_map(|(name, api)| Some(((*name).to_owned(), client.base_url(*api)?)));
        Self { bases: bases.collect(), limits: client.limits().clone() }
    }
}

/// The hosts that a worker may send requests to. The default ones are those of data.gouv.fr: `data.gouv.fr` and all below
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHosts {
    /// Hosts that are allowed on all ports, or on one.
    hosts: Vec<String>,
    /// Domains whose hosts are all allowed, by https on its standard port.
    domains: Vec<&'static str>,
}

impl Default for AllowedHosts {
    fn default() -> Self {
        Self { hosts: Vec::new(), domains: vec!["data.gouv.fr"] }
    }
}

impl AllowedHosts {
    /// Returns no hosts, not even those of data.gouv.fr.
    #[must_use]
    pub fn none() -> Self {
        Self { hosts: Vec::new(), domains: Vec::new() }
    }

    /// Adds a host, on all of its ports (`example.org`) or on one (`127.0.0.1:8105`, `[::1]:80`).
    #[must_use]
    pub fn and(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into().to_ascii_lowercase());
        self
    }

    /// Whether requests may be sent to a URL.
    fn allow(&self, url: &url::Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
        let is_below = |domain: &&str| {
            let rest = host.strip_suffix(domain);
            url.scheme() == "https"
                && url.port().is_none()
                && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.hosts.iter().any(|allowed| allowed == host || Some(allowed) == with_port.as_ref())
            || self.domains.iter().any(is_below)
    }
}

/// The clients of a worker.
pub(super) struct Access {
    hosts: AllowedHosts,
    builder: Box<dyn Fn() -> ClientBuilder + Send + Sync>,
    /// By what they are made of, so that tasks share the limits.
    clients: Mutex<HashMap<String, Client>>,
}

impl Access {
    pub(super) fn new(hosts: AllowedHosts, builder: impl Fn() -> ClientBuilder + Send + Sync + 'static) -> Self {
        Self { hosts, builder: Box::new(builder), clients: Mutex::default() }
    }

    pub(super) fn hosts(&self) -> &AllowedHosts {
        &self.hosts
    }

    /// Refuses a URL of a host that is not allowed.
    pub(super) fn ensure_allowed(&self, url: &str) -> Result<()> {
        match url::Url::parse(url) {
            Ok(parsed) if self.hosts.allow(&parsed) => Ok(()),
            Ok(parsed) => plan_err!(
                "the plan needs requests to {}, which this worker may not send: start it with this host allowed",
                parsed.host_str().unwrap_or("a URL without host")
            ),
            Err(_) => plan_err!("the plan holds `{url}`, which is not a URL"),
        }
    }

    /// The client of a plan that needs one of the APIs, or none but files. All nodes of a plan have the same one, so that
    /// they keep its limits together.
    pub(super) fn client(&self, site: &Site, needed: Option<&str>) -> Result<Client> {
        if let Some(api) = needed {
            match site.bases.get(api) {
                Some(url) => self.ensure_allowed(url)?,
                None => return plan_err!("the plan needs the API {api}, and does not tell where it is"),
            }
        }
        let key = format!("{site:?}");
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let mut builder = (self.builder)().limits(site.limits.clone());
        for (name, api) in APIS {
            // Others are not to be those of the worker's own configuration.
            let url = site.bases.get(name).filter(|url| self.ensure_allowed(url).is_ok());
            builder = builder.base_url(api, url.map_or("http://not-allowed.invalid", String::as_str));
        }
        let client = builder.build().map_err(external)?;
        clients.insert(key, client.clone());
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_allowed_by_name_port_and_domain() {
        let hosts = AllowedHosts::default().and("127.0.0.1:8105").and("Files.Example.org");
        let allowed = |url: &str| hosts.allow(&url::Url::parse(url).unwrap());
        for url in [
            "https://www.data.gouv.fr/api/1",
            "https://tabular-api.data.gouv.fr",
            "https://data.gouv.fr/",
            "http://127.0.0.1:8105/api",
            "https://files.example.org/a",
            "http://files.example.org:8080/a",
        ] {
            assert!(allowed(url), "{url}");
        }
        for url in [
            "https://evildata.gouv.fr",
            "https://data.gouv.fr.example.org",
            "http://www.data.gouv.fr/api/1",
            "http://127.0.0.1:8106/",
            "http://127.0.0.1/",
            "https://example.org/",
            "https://127.0.0.1:8105@evil.example/",
            "file:///etc/passwd",
        ] {
            assert!(!allowed(url), "{url}");
        }
        assert!(!AllowedHosts::none().allow(&url::Url::parse("https://www.data.gouv.fr").unwrap()));
    }
}
