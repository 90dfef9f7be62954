//! The door: one client for all APIs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::exec::{Endpoint, Shared};
use crate::operation::UNDECLARED;
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
        f.debug_struct("Client").field("has_api_key", &self.shared.api_key.is_some()).finish_non_exhaustive()
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
    connect_timeout: Duration,
    read_timeout: Duration,
    timeout: Option<Duration>,
    http: Option<reqwest::ClientBuilder>,
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
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            timeout: None,
            http: None,
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

    /// How long connecting may take; 10 seconds otherwise.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long a server may send nothing, before its answer or within it; 60 seconds otherwise.
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.read_timeout = limit;
        self
    }

    /// How long a whole call may take, the body included; without limit otherwise, since files may be large.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// A `reqwest` client of your own: proxies, certificates, pools, DNS.
    ///
    /// It is taken before it is built, because two things must hold of it that a finished one does not tell:
    /// it follows no redirects (the API key would follow them), and it stores no cookies (the platform's
    /// session cookie outranks the key). Both are set here.
    pub fn http(mut self, http: reqwest::ClientBuilder) -> Self {
        self.http = Some(http);
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// Where a base URL is not a http or https URL, the key or the user agent holds what a header cannot, or
    /// TLS cannot be set up.
    pub fn build(self) -> Result<Client> {
        if let Some(key) = &self.api_key {
            reqwest::header::HeaderValue::from_str(key.expose_secret())
                .map_err(|_| Error::request("the API key holds characters that a header cannot"))?;
        }
        install_tls();
        let mut http = self
            .http
            .unwrap_or_default()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(&self.user_agent)
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.read_timeout);
        if let Some(limit) = self.timeout {
            http = http.timeout(limit);
        }
        let shared = Arc::new(Shared { http: http.build()?, api_key: self.api_key, insecure_key: self.insecure_key });
        let endpoint = |api: Api| -> Result<Endpoint> {
            let own = self.bases.iter().rev().find(|(of, _)| *of == api).map(|(_, url)| url.as_str());
            let base = match own.or_else(|| self.environment.base_url(api)) {
                Some(url) => Ok(parse_base(api, url)?),
                // Where there is no API there is still a client, whose calls say so.
                None => Err(format!("the environment {:?} has no {api:?} API", self.environment)),
            };
            let keyed = matches!(api, Api::Main | Api::MainV2);
            Ok(Endpoint { shared: Arc::clone(&shared), base: Arc::new(base), keyed })
        };
        let endpoints =
            [endpoint(Api::Main)?, endpoint(Api::MainV2)?, endpoint(Api::Tabular)?, endpoint(Api::Metrics)?];
        macro_rules! generated {
            ($module:ident, $api:expr) => {{
                let endpoint = endpoints[$api as usize].clone();
                crate::$module::Client::new_with_client(&endpoint.base_url(), shared.http.clone(), endpoint)
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
