//! The door: one client for all APIs.

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

/// Which API a base URL is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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

/// A deployment of the platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Environment {
    /// `www.data.gouv.fr`, with all four APIs.
    #[default]
    Production,
    /// `demo.data.gouv.fr`, for trying things out; it has no metrics.
    Demo,
    /// `dev.data.gouv.fr`; it has neither tabular nor metrics.
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

/// The client of the platform: a door to each of its APIs, which share one connection pool, one key and one
/// way of sending.
///
/// It is cheap to clone; clones share everything.
///
/// ```
/// # fn main() -> datagouv::Result<()> {
/// use datagouv::{Client, Environment};
///
/// let anonymous = Client::new()?;
/// let demo = Client::builder().environment(Environment::Demo).api_key("a key of demo.data.gouv.fr").build()?;
/// # let _ = (anonymous, demo);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    /// One for each of [`Api`], in its order.
    endpoints: [Endpoint; 4],
    /// What was learned of tables.
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
    /// A client of the production platform, without a key.
    ///
    /// # Errors
    ///
    /// Where TLS cannot be set up on this machine.
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// A client to be set up.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The catalogue: datasets, organizations, reuses and all else of `/api/1`.
    #[cfg(any_main)]
    #[must_use]
    pub fn main(&self) -> &crate::main::Client {
        &self.main
    }

    /// Search, topics and extras: `/api/2`.
    #[cfg(feature = "main-v2")]
    #[must_use]
    pub fn main_v2(&self) -> &crate::main_v2::Client {
        &self.main_v2
    }

    /// Rows of tabular files.
    #[cfg(feature = "tabular")]
    #[must_use]
    pub fn tabular(&self) -> &crate::tabular::Client {
        &self.tabular
    }

    /// Visits and downloads by month.
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn metrics(&self) -> &crate::metrics::Client {
        &self.metrics
    }

    /// A request of your own to one of the APIs, for what its document does not know. The path is below the
    /// API's base URL; it goes the way of all requests: the key, redirects, limits and errors are the same.
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::Api;
    ///
    /// let answer = client.request(Api::Main, "GET", "/datasets/schemas/").query("lang", "en").send().await?;
    /// println!("{:#}", *answer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, api: Api, method: &str, path: &str) -> Call<serde_json::Value> {
        let endpoint = &self.endpoints[api as usize];
        let request = method
            .parse()
            .map_err(|error| Error::request(format!("`{method}` is no method of HTTP")).with_source(error))
            .and_then(|method| Ok(reqwest::Request::new(method, endpoint.url_of(path)?)));
        Call::new(endpoint, &UNDECLARED, request)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("has_api_key", &self.shared.has_key()).finish_non_exhaustive()
    }
}

/// Sets up a [`Client`].
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
                max_answer: 64 << 20,
                deny_private_networks: false,
            },
            observers: Observers::default(),
            connector: Box::new(reqwest::Client::builder),
        }
    }
}

impl ClientBuilder {
    /// The deployment to talk to; production otherwise.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The base URL of one API, on a server of your own.
    pub fn base_url(mut self, api: Api, url: impl Into<String>) -> Self {
        self.bases.push((api, url.into()));
        self
    }

    /// The API key of a user of the platform. It goes to the catalogue's own origin and paths and nowhere
    /// else: not on a redirect to another server, not to the other APIs.
    pub fn api_key(mut self, key: impl Into<SecretString>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Lets the API key go over plain http to a host that is not this machine.
    pub fn allow_insecure_api_key(mut self, allow: bool) -> Self {
        self.insecure_key = allow;
        self
    }

    /// The `User-Agent`; `datagouv-rs`, its version and its repository otherwise.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// How failed requests are sent again: three attempts otherwise, see [`RetryPolicy`].
    pub fn retries(mut self, policy: RetryPolicy) -> Self {
        self.policy.retries = policy;
        self
    }

    /// When a host that fails is left alone: after 15 failures in a row otherwise, see [`CircuitBreaker`].
    pub fn circuit_breaker(mut self, policy: CircuitBreaker) -> Self {
        self.policy.circuit = policy;
        self
    }

    /// How much is asked of each host at once and in a second: 16 and 40 otherwise, see [`Limits`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.policy.limits = limits;
        self
    }

    /// How long what may take, see [`Timeouts`]. Head, body and the whole can be set for one call too
    /// ([`Call`]).
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.policy.timeouts = timeouts;
        self
    }

    /// How long a whole call may take, the body included: [`Timeouts::call`] alone.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.policy.timeouts = self.policy.timeouts.call(limit);
        self
    }

    /// How many bytes of an answer are read into memory, decompressed; 64 MiB otherwise. A longer one, or one
    /// that decompresses to more, is an error ([`Error::is_too_large`]). Streams have no limit: they are not
    /// kept.
    pub fn max_answer(mut self, bytes: usize) -> Self {
        self.policy.max_answer = bytes;
        self
    }

    /// Whether files, and all that a redirect leads to on another origin, may come from the public Internet
    /// alone: not from this machine, a private network, a link, or where a cloud tells its machines their
    /// secrets. For services that fetch what others name.
    ///
    /// Names are seen to when they are resolved for the connection itself, so that one which changes
    /// meanwhile does not get through. Such connections use no proxy: it would resolve names out of sight.
    /// The APIs' own origins are not concerned.
    pub fn deny_private_networks(mut self, deny: bool) -> Self {
        self.policy.deny_private_networks = deny;
        self
    }

    /// Is told what becomes of calls, for counters of your own.
    pub fn observer(mut self, observer: Arc<dyn Observe>) -> Self {
        self.observers.observer = Some(observer);
        self
    }

    /// Whether the spans of `tracing` tell the queries of requests, which may hold what their sender wants to
    /// keep; not otherwise.
    ///
    /// Each call has a span, `datagouv` at the level `INFO`, with the operation, the method, the host, the
    /// template of the path, the status, the attempts, the bytes, the milliseconds and the outcome.
    pub fn trace_queries(mut self, trace: bool) -> Self {
        self.observers.queries = trace;
        self
    }

    /// A `reqwest` client of your own: proxies, certificates, pools, DNS.
    ///
    /// What is given makes a builder, once for the APIs and once for files, because some things must hold
    /// of a client that a finished one does not tell: it follows no redirects (the API key would follow
    /// them), it stores no cookies (the platform's session cookie outranks the key), and for files it
    /// decompresses nothing. These, the user agent and the time to connect are set here.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let proxy = reqwest::Proxy::https("http://proxy.example.org:3128")?;
    /// let client =
    ///     datagouv::Client::builder().http(move || reqwest::Client::builder().proxy(proxy.clone())).build()?;
    /// # let _ = client;
    /// # Ok(())
    /// # }
    /// ```
    pub fn http(mut self, connector: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static) -> Self {
        self.connector = Box::new(connector);
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// Where a base URL is not a http or https URL, the key or the user agent holds what a header cannot, or
    /// TLS cannot be set up.
    pub fn build(self) -> Result<Client> {
        let key = self.api_key.map(|key| Key::new(key, self.insecure_key)).transpose()?;
        install_tls();
        let (connector, user_agent, connect) = (self.connector, self.user_agent, self.policy.timeouts.connect);
        let connector: Connector = Box::new(move || {
            let http = connector().redirect(reqwest::redirect::Policy::none());
            http.user_agent(&user_agent).connect_timeout(connect)
        });
        let shared = Arc::new(Shared::new(connector, key, self.policy, self.observers)?);
        let endpoint = |api: Api| -> Result<Endpoint> {
            let own = self.bases.iter().rev().find(|(of, _)| *of == api).map(|(_, url)| url.as_str());
            let base = match own.or_else(|| self.environment.base_url(api)) {
                Some(url) => Ok(parse_base(api, url)?),
                // Where there is no API there is still a client, whose calls say so.
                None => Err(format!("the environment {:?} has no {api:?} API", self.environment)),
            };
            let keyed = matches!(api, Api::Main | Api::MainV2);
            Ok(Endpoint::new(&shared, base, keyed))
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

/// rustls asks for a provider of cryptography; ring builds fast and everywhere. One that the program has
/// chosen stays.
fn install_tls() {
    #[cfg(feature = "rustls")]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing the race to another thread is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
