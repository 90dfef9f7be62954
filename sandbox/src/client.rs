//! Clients of a sandbox.

use datagouv::{CircuitBreaker, Client, ClientBuilder, Limits, RetryPolicy};

use crate::{Api, Sandbox, api};

/// A user of the platform, by the API key of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum User {
    /// An administrator of the organizations that the platform has from the start: edits what is there, and what it makes.
    /// Any key that is not one of the others, or made by `create_api_token`, is an editor's.
    Editor,
    /// Has a key, and edits what was made with it; a change to anything else gets 403.
    Stranger,
    /// A sysadmin: edits everything, and may what only sysadmins may, such as featuring a reuse.
    Admin,
    /// Has a key that was revoked: every request with it gets 401.
    Revoked,
}

impl User {
    /// The API key, for clients in other languages.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Editor => "editor",
            Self::Stranger => "stranger",
            Self::Admin => "admin",
            Self::Revoked => "revoked",
        }
    }
}

impl Sandbox {
    /// A client of all four APIs of this server, without an API key.
    ///
    /// It retries as every client does, without delays between attempts and without rate limits. A request to another
    /// host does not leave this machine: it is an error, and fails the test.
    ///
    /// # Panics
    ///
    /// When no client can be built.
    #[must_use]
    pub fn client(&self) -> Client {
        build(self.client_builder())
    }

    /// The same with the API key of a user.
    ///
    /// # Panics
    ///
    /// When no client can be built.
    #[must_use]
    pub fn client_of(&self, user: User) -> Client {
        build(self.client_builder().api_key(user.key()))
    }

    /// A builder of such a client, to configure more. The closure of [`ClientBuilder::http`] is taken: it keeps
    /// requests on this server.
    pub fn client_builder(&self) -> ClientBuilder {
        let origin = self.origin();
        let (host, port) = (self.address.ip().to_string(), self.address.port());
        let bases = Api::ALL.map(|api| (api::theirs(api), self.url(api)));
        let builder = bases.into_iter().fold(Client::builder(), |builder, (api, url)| builder.base_url(api, url));
        builder
            .retries(RetryPolicy::default().at_once(true))
            .limits(Limits::none())
            .circuit_breaker(CircuitBreaker::none())
            .http_only(true)
            .http(move || {
                // Requests to other hosts are sent here, as to a proxy: the sandbox refuses and reports them.
                let (origin, host) = (origin.clone(), host.clone());
                let elsewhere = reqwest::Proxy::custom(move |url| {
                    let own = url.scheme() == "http"
                        && url.port() == Some(port)
                        && matches!(url.host_str(), Some(name) if name == host || name == "localhost");
                    (!own).then(|| origin.clone())
                });
                reqwest::Client::builder().no_proxy().proxy(elsewhere)
            })
    }
}

fn build(builder: ClientBuilder) -> Client {
    match builder.build() {
        Ok(client) => client,
        Err(error) => panic!("no client of the sandbox can be built: {error}"),
    }
}
