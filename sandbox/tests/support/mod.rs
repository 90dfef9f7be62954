//! An HTTP client without the client of the project.

use reqwest::{Client, ClientBuilder};

/// Built beside the client of the platform, reqwest asks for a provider of TLS, though nothing here needs one.
pub fn builder() -> ClientBuilder {
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}

#[allow(dead_code, reason = "not every test needs the plain one")]
pub fn client() -> Client {
    builder().build().expect("a client")
}
