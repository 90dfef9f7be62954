//! The client and its builder.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use crate::transport::operation::UNDECLARED;
use crate::transport::{
    CircuitBreaker, Connector, Endpoint, Key, Limits, Observe, Observers, Policy, RetryPolicy, Shared, Timeouts,
};
use crate::{Call, Error, Result};

/// One of the platform's APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Api {
    /// The catalogue, `/api/1`.
    Main,
    /// Search, topics and extras of the catalogue, `/api/2`.
    MainV2,
    /// Rows of CSV and Excel files.
    Tabular,
    /// Visits and downloads by month.
    Metrics,
}

impl Api {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Main, Self::MainV2, Self::Tabular, Self::Metrics];

    /// Returns the name of the API, which is also that of its feature: `main`, `main-v2`, `tabular` or `metrics`.
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
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A deployment of the platform, with its base URLs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Environment {
    /// `www.data.gouv.fr`, with all four APIs.
    #[default]
    Production,
    /// `demo.data.gouv.fr`, for experiments. It has no metrics API.
    Demo,
    /// `dev.data.gouv.fr`. It has neither the tabular nor the metrics API.
    Dev,
}

impl Environment {
    fn base_url(self, api: Api) -> Option<&'static str> {
        Some(match (self, api) {
            (Self::Production, Api::Main) => "https://www.data.gouv.fr/api/1",
            (Self::Production, Api::MainV2) => "https://www.data.gouv.fr/api/2",
            (Self::Production, Api::Tabular) => "https://tabular-api.data.gouv.fr",
            (Self::Production, Api::Metrics) => "https://metric-api.data.gouv.fr",
            (Self::Demo, Api::Main) => "https://demo.data.gouv.fr/api/1",
            (Self::Demo, Api::MainV2) => "https://demo.data.gouv.fr/api/2",
            (Self::Demo, Api::Tabular) => "https://tabular-api.preprod.data.gouv.fr",
            (Self::Dev, Api::Main) => "https://dev.data.gouv.fr/api/1",
            (Self::Dev, Api::MainV2) => "https://dev.data.gouv.fr/api/2",
            (Self::Demo, Api::Metrics) | (Self::Dev, Api::Tabular | Api::Metrics) => return None,
        })
    }
}

/// The client of the platform's four APIs.
///
/// All APIs share one connection pool, one API key and one configuration of retries, limits and time limits. Cloning is
/// cheap and clones share all of it, the state of limits and circuit breakers included: create one client per process.
/// Requests need a tokio runtime.
///
/// ```
/// # fn main() -> datagouv::Result<()> {
/// use datagouv::{Client, Environment};
///
/// let anonymous = Client::new()?;
/// let demo = Client::builder()
///     .environment(Environment::Demo)
///     .api_key("a key of demo.data.gouv.fr")
///     .build()?;
/// # let _ = (anonymous, demo);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    /// One for each of [`Api`], in its order.
    endpoints: [Endpoint; 4],
    /// Schemas and page sizes of tables, learned from earlier requests.
    #[cfg(any(feature = "tabular", feature = "metrics"))]
    pub(crate) tables: Arc<crate::rows::TableCache>,
    #[cfg(any_main)]
    main: crate::main::Client,
    #[cfg(feature = "main-v2")]
    main_v2: crate::main_v2::Client,
    #[cfg(feature = "tabular")]
    tabular: crate::tabular::Client,
    #[cfg(feature = "metrics")]
    metrics: crate::metrics::Client,
}

impl Client {
    /// Creates a client of the production platform, without an API key.
    ///
    /// # Errors
    ///
    /// Returns an error if TLS cannot be initialised.
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// Returns a builder with the default configuration.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Returns the client of the catalogue, `/api/1`: datasets, organizations, reuses and more.
    #[cfg(any_main)]
    #[must_use]
    pub fn main(&self) -> &crate::main::Client {
        &self.main
    }

    /// Returns the client of search, topics and extras, `/api/2`.
    #[cfg(feature = "main-v2")]
    #[must_use]
    pub fn main_v2(&self) -> &crate::main_v2::Client {
        &self.main_v2
    }

    /// Returns the client of the tabular API.
    ///
    /// To query rows, [`ResourceHandle::rows`](crate::objects::ResourceHandle::rows) is more convenient.
    #[cfg(feature = "tabular")]
    #[must_use]
    pub fn tabular(&self) -> &crate::tabular::Client {
        &self.tabular
    }

    /// Returns the client of the metrics API.
    ///
    /// To read visits and downloads, the `metrics` method of a handle is more convenient
    /// ([`DatasetHandle::metrics`](crate::objects::DatasetHandle::metrics)).
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn metrics(&self) -> &crate::metrics::Client {
        &self.metrics
    }

    /// Builds a request to a path that the API's document does not describe.
    ///
    /// `path` is relative to the API's base URL. API key, redirects, retries, limits and errors are those of every other
    /// call. An invalid method or path is an error of [`send`](Call::send).
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::Api;
    ///
    /// let call = client.request(Api::Main, "GET", "/datasets/schemas/").query("lang", "en");
    /// let schemas = call.send().await?;
    /// println!("{:#}", *schemas);
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, api: Api, method: &str, path: &str) -> Call<serde_json::Value> {
        let endpoint = &self.endpoints[api as usize];
        let request = method
            .parse()
            .map_err(|error| Error::request(format!("`{method}` is not an HTTP method")).with_source(error))
            .and_then(|method| Ok(reqwest::Request::new(method, endpoint.url_of(path)?)));
        Call::new(endpoint, &UNDECLARED, request)
    }
}

impl Client {
    /// Returns the base URL of an API, without a trailing slash; `None` if the deployment has no such API.
    #[must_use]
    pub fn base_url(&self, api: Api) -> Option<String> {
        let endpoint = &self.endpoints[api as usize];
        endpoint.exists().then(|| endpoint.base_url())
    }

    /// Returns the limits of requests to each host.
    pub fn limits(&self) -> &Limits {
        self.shared.limits()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("has_api_key", &self.shared.has_key()).finish_non_exhaustive()
    }
}

/// Configures and builds a [`Client`]; made by [`Client::builder`].
///
/// ```
/// # fn main() -> datagouv::Result<()> {
/// use std::time::Duration;
/// use datagouv::{Api, Client};
///
/// let client = Client::builder()
///     .base_url(Api::Main, "http://127.0.0.1:7000/api/1")
///     .user_agent("my-service/1.0 (me@example.org)")
///     .timeout(Duration::from_secs(60))
///     .build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct ClientBuilder {
    environment: Environment,
    bases: Vec<(Api, String)>,
    api_key: Option<SecretString>,
    insecure_key: bool,
    user_agent: String,
    policy: Policy,
    observers: Observers,
    connector: Connector,
    http_only: bool,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            environment: Environment::default(),
            bases: Vec::new(),
            api_key: None,
            insecure_key: false,
            user_agent: concat!("datagouv-rs/", env!("CARGO_PKG_VERSION"), " (+", env!("CARGO_PKG_REPOSITORY"), ")")
                .to_owned(),
            policy: Policy {
                retries: RetryPolicy::default(),
                circuit: CircuitBreaker::default(),
                limits: Limits::default(),
                timeouts: Timeouts::default(),
                max_response_size: 64 << 20,
                deny_private_networks: false,
            },
            observers: Observers::default(),
            connector: Box::new(reqwest::Client::builder),
            http_only: false,
        }
    }
}

impl ClientBuilder {
    /// Sets the deployment. Default: [`Environment::Production`].
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Sets the base URL of one API, which takes precedence over the environment's: `http` or `https`, without user, query
    /// and fragment. Those of the catalogue end with `/api/1` and `/api/2`.
    ///
    /// The API key is sent to the base URLs of [`Api::Main`] and [`Api::MainV2`].
    pub fn base_url(mut self, api: Api, url: impl Into<String>) -> Self {
        self.bases.push((api, url.into()));
        self
    }

    /// Sets the API key of a user of the platform. Default: none.
    ///
    /// The key is sent to the catalogue's own origin and paths only: not along a redirect to another server, not to the
    /// tabular and metrics APIs. Each environment has its own keys.
    pub fn api_key(mut self, key: impl Into<SecretString>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Allows sending the API key over plain HTTP to another machine. Default: `false`, such a call is an error.
    pub fn allow_insecure_api_key(mut self, allow: bool) -> Self {
        self.insecure_key = allow;
        self
    }

    /// Sets the `User-Agent`. Default: `datagouv-rs`, its version and its repository.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Sets how failed requests are retried. Default: three attempts, see [`RetryPolicy`].
    pub fn retries(mut self, policy: RetryPolicy) -> Self {
        self.policy.retries = policy;
        self
    }

    /// Sets when requests to a failing host are suspended. Default: after 15 failures in a row, see [`CircuitBreaker`].
    pub fn circuit_breaker(mut self, policy: CircuitBreaker) -> Self {
        self.policy.circuit = policy;
        self
    }

    /// Sets the limits of requests to each host. Default: 16 in flight, 40 per second, see [`Limits`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.policy.limits = limits;
        self
    }

    /// Sets the time limits. Default: see [`Timeouts`]. [`Call`] overrides them for one call.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.policy.timeouts = timeouts;
        self
    }

    /// Sets the time limit of a whole call, its retries and its body included ([`Timeouts::call`]). Default: none.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.policy.timeouts = self.policy.timeouts.call(limit);
        self
    }

    /// Sets the maximum size of a response that is read into memory, in bytes after decompression. Default: 64 MiB.
    ///
    /// A larger response is an error ([`Error::is_too_large`]). Streams have no such limit.
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.policy.max_response_size = bytes;
        self
    }

    /// Restricts downloads, and redirects to another origin, to addresses of the public Internet. Default: `false`.
    ///
    /// For services that download URLs named by others (SSRF): loopback, private, link-local and cloud metadata addresses
    /// are refused with an error ([`Error::is_private_network`]). Addresses are checked as they are resolved for the
    /// connection, so that a name cannot change between check and use. These connections bypass proxies, which would resolve
    /// names themselves. The base URLs of the APIs are not restricted.
    pub fn deny_private_networks(mut self, deny: bool) -> Self {
        self.policy.deny_private_networks = deny;
        self
    }

    /// Sets an observer, which receives events of calls: retries, throttling, completion. Default: none.
    pub fn observer(mut self, observer: Arc<dyn Observe>) -> Self {
        self.observers.observer = Some(observer);
        self
    }

    /// Includes the query of requests in `tracing` spans. Default: `false`, because queries may contain personal data.
    ///
    /// Each call has a span, `datagouv` at level `INFO`, with the operation, the method, the host, the path template, the
    /// status, the attempts, the bytes, the milliseconds and the outcome.
    pub fn trace_queries(mut self, trace: bool) -> Self {
        self.observers.queries = trace;
        self
    }

    /// Sets the base configuration of the HTTP client: proxies, certificates, pools, DNS. Default:
    /// `reqwest::Client::builder`.
    ///
    /// The closure returns a builder, and is called once for the APIs and once for files. The crate then overrides what it
    /// relies on: the redirect policy (this crate follows redirects itself, without the API key), the user agent, the connect
    /// timeout and, for files, decompression. Leave the cookie store off: the platform's session cookie takes precedence over
    /// the API key.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let proxy = reqwest::Proxy::https("http://proxy.example.org:3128")?;
    /// let http = move || reqwest::Client::builder().proxy(proxy.clone());
    /// let client = datagouv::Client::builder().http(http).build()?;
    /// # let _ = client;
    /// # Ok(())
    /// # }
    /// ```
    pub fn http(mut self, connector: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static) -> Self {
        self.connector = Box::new(connector);
        self
    }

    /// Sets whether no server of `https` is trusted. Default: `false`.
    ///
    /// For tests against a server on the same machine: the client is built in a fraction of the time, since it does not read
    /// the certificates of the system.
    pub fn http_only(mut self, only: bool) -> Self {
        self.http_only = only;
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Returns an error if a base URL is not an `http` or `https` URL, if the API key or the user agent contains characters
    /// that a header cannot hold, or if TLS cannot be initialised.
    pub fn build(self) -> Result<Client> {
        let key = self.api_key.map(|key| Key::new(key, self.insecure_key)).transpose()?;
        install_tls();
        let (connector, user_agent, connect) = (self.connector, self.user_agent, self.policy.timeouts.connect);
        let connector: Connector = Box::new(move || {
            // Retries are this crate's own; reqwest would keep a copy of each request for its.
            let never = reqwest::retry::never().max_retries_per_request(0);
            let http = connector().redirect(reqwest::redirect::Policy::none()).retry(never);
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            let http = if self.http_only { http.tls_certs_only([]) } else { http };
            http.user_agent(&user_agent).connect_timeout(connect)
        });
        let shared = Arc::new(Shared::new(connector, key, self.policy, self.observers)?);
        let endpoint = |api: Api| -> Result<Endpoint> {
            let own = self.bases.iter().rev().find(|(of, _)| *of == api).map(|(_, url)| url.as_str());
            let base = match own.or_else(|| self.environment.base_url(api)) {
                Some(url) => Ok(parse_base(api, url)?),
                // The environment lacks this API: its calls return the error.
                None => Err(format!("the environment {:?} has no {api:?} API", self.environment)),
            };
            let keyed = matches!(api, Api::Main | Api::MainV2);
            Ok(Endpoint::new(&shared, api, base, keyed))
        };
        let endpoints =
            [endpoint(Api::Main)?, endpoint(Api::MainV2)?, endpoint(Api::Tabular)?, endpoint(Api::Metrics)?];
        macro_rules! generated {
            ($module:ident, $api:expr) => {{
                let endpoint = endpoints[$api as usize].clone();
                crate::$module::Client::new_with_client(&endpoint.base_url(), shared.http(), endpoint)
            }};
        }
        Ok(Client {
            #[cfg(any_main)]
            main: generated!(main, Api::Main),
            #[cfg(feature = "main-v2")]
            main_v2: generated!(main_v2, Api::MainV2),
            #[cfg(feature = "tabular")]
            tabular: generated!(tabular, Api::Tabular),
            #[cfg(feature = "metrics")]
            metrics: generated!(metrics, Api::Metrics),
            endpoints,
            #[cfg(any(feature = "tabular", feature = "metrics"))]
            tables: Arc::default(),
            shared,
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("environment", &self.environment)
            .field("bases", &self.bases)
            .finish_non_exhaustive()
    }
}

fn parse_base(api: Api, url: &str) -> Result<Url> {
    let wrong = |reason: &str| Error::request(format!("the base URL of {api:?}, `{url}`, {reason}"));
    let parsed = Url::parse(url).map_err(|error| wrong("is not a URL").with_source(error))?;
    match () {
        () if !matches!(parsed.scheme(), "http" | "https") => Err(wrong("is neither http nor https")),
        () if !parsed.username().is_empty() || parsed.password().is_some() => Err(wrong("holds a user or a password")),
        () if parsed.query().is_some() || parsed.fragment().is_some() => Err(wrong("holds a query or a fragment")),
        () => Ok(parsed),
    }
}

/// Installs ring as rustls' cryptography provider, since it builds fast and everywhere, unless the program has installed
/// one.
fn install_tls() {
    #[cfg(feature = "rustls")]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have installed one meanwhile.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
