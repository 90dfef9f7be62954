//! A sandbox, a client of it, and the documents.

use datagouv::{CircuitBreaker, Client, Limits, RetryPolicy};
use datagouv_sandbox::Sandbox;
use datagouv_specs::Api;

use crate::call::{Call, Given};
use crate::document::{Document, Operation};
use crate::expect::differences;
use crate::sample::{Style, given};

/// The key that the main APIs must get, and the others must not.
const KEY: &str = "key-of-the-contract";

/// The setup of a test of calls.
#[derive(Debug)]
pub struct Bench {
    /// The server.
    pub sandbox: Sandbox,
    /// The client.
    pub client: Client,
    operations: Vec<(Document, Vec<Operation>)>,
}

impl Bench {
    /// Starts a sandbox.
    ///
    /// # Panics
    ///
    /// When the sandbox, the client or the documents are not available.
    pub async fn start() -> Self {
        let sandbox = Sandbox::start().await;
        // Neither retries nor limits: every response counts.
        let mut builder = Client::builder()
            .api_key(KEY)
            .retries(RetryPolicy::none())
            .circuit_breaker(CircuitBreaker::none())
            .limits(Limits::none());
        let mut operations = Vec::new();
        for api in Api::ALL {
            builder = builder.base_url(client_api(api), base_url(&sandbox, api));
            let document = Document::corrected(api).expect("a corrected document");
            let all = document.operations();
            operations.push((document, all));
        }
        Self { client: builder.build().expect("a client"), sandbox, operations }
    }

    /// The operation that a call calls, and its document.
    ///
    /// # Panics
    ///
    /// When the document has no such operation.
    #[must_use]
    pub fn operation(&self, call: &Call) -> (&Document, &Operation) {
        let (document, all) =
            self.operations.iter().find(|(document, _)| document.api == call.api).expect("a document of each API");
        let operation = all.iter().find(|operation| operation.id == call.operation_id);
        (document, operation.expect("a call of an operation of the document"))
    }

    /// Sends a call with samples of a style; returns the status of the response, or the error.
    pub async fn send(&self, call: &Call, style: Style) -> datagouv::Result<u16> {
        let (document, operation) = self.operation(call);
        (call.send)(&self.client, &given(document, operation, style).0).await
    }

    /// Sends a call; returns how the request violates the document.
    pub async fn faults(&self, call: &Call, style: Style) -> Vec<String> {
        let (document, operation) = self.operation(call);
        let (given, _) = given(document, operation, style);
        self.sandbox.take_requests();
        let sent = (call.send)(&self.client, &given).await;
        let mut found = self.arrival(call, &given);
        found.extend(sent.err().map(|error| format!("no success: {}", with_sources(&error))));
        found
    }

    fn arrival(&self, call: &Call, given: &Given) -> Vec<String> {
        let (document, operation) = self.operation(call);
        let requests = self.sandbox.take_requests();
        let expected = if operation.redirects { 2 } else { 1 };
        let Some(first) = requests.first() else { return vec!["nothing arrived".to_owned()] };
        let base = base_url(&self.sandbox, call.api);
        let base = base.strip_prefix(&self.sandbox.origin()).unwrap_or_default();
        let mut found = differences(document, operation, base, given, first);
        if requests.len() != expected {
            let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
            found.push(format!("{expected} requests expected, seen {paths:?}"));
        }
        let keyed = matches!(call.api, Api::Main | Api::MainV2).then_some(KEY);
        for (number, request) in requests.iter().enumerate() {
            let (expected, seen) = (keyed.filter(|_| number == 0), request.header("x-api-key"));
            if expected != seen {
                found.push(format!("API key to {}: expected {expected:?}, seen {seen:?}", request.path));
            }
        }
        found
    }
}

fn base_url(sandbox: &Sandbox, api: Api) -> String {
    sandbox.url(api.name().parse().expect("an API of the sandbox"))
}

fn client_api(api: Api) -> datagouv::Api {
    match api {
        Api::Main => datagouv::Api::Main,
        Api::MainV2 => datagouv::Api::MainV2,
        Api::Tabular => datagouv::Api::Tabular,
        Api::Metrics => datagouv::Api::Metrics,
    }
}

/// An error with its sources.
#[must_use]
pub fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
