//! A small, stateful data.gouv.fr for the tests of programs that use the crate [`datagouv`].
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> datagouv::Result<()> {
//! use datagouv_sandbox::{Sandbox, User};
//!
//! let platform = Sandbox::start_platform().await;
//! let trees = platform.dataset("Trees").file("trees.csv", "name,height\nElm,12.5\n").add();
//! platform.on(|client| client.main().get_dataset()).status(503).times(2).then_platform();
//!
//! let client = platform.client_of(User::Editor);
//! client.dataset(&trees.id).update(|dataset| dataset.title("Trees of the town")).await?;
//! assert_eq!(platform.received().of("update_dataset").len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Sandbox`] is a server on a free port, in the process of the test. It checks every request against the corrected
//! documents of all four APIs. The response comes from the first of these that has one: the rules of the test
//! ([`Sandbox::on`]), recorded responses ([`Sandbox::load_fixtures`]), the state of the platform, or values made from the
//! document.
//!
//! | | |
//! |---|---|
//! | Clients | [`Sandbox::client`], [`Sandbox::client_of`], [`Sandbox::client_builder`] |
//! | Data | [`Sandbox::dataset`], [`Sandbox::table`], [`Sandbox::serve_file`]; [`platform`] lists the data at the start |
//! | Rules, responses, faults | [`Sandbox::on`], [`Sandbox::on_path`], [`Sandbox::on_any`], [`On`], [`ServerError`], [`fault`] |
//! | Requests | [`Sandbox::received`] |
//! | Assertions | [`Sandbox::verify`], [`Sandbox::only_rules`], [`Sandbox::strict`] |
//! | Time | `clock` |
//!
//! It starts on the runtime of the test, of one thread or several, and ends when it is dropped. The first one of a process
//! reads the documents, which takes a tenth of a second; the others start in less than a millisecond.
//!
//! # Behaviours
//!
#![doc = include_str!("behaviours.md")]
//!
//! # Features
//!
//! None is enabled by default.
//!
//! | | |
//! |---|---|
//! | `clock` | a clock for tests that wait; enables `test-util` of tokio |
//! | `gzip` | faults of compressed bodies |
//! | `tls` | an HTTPS server with a self-signed certificate |
//!
//! A request travels through the modules in this order: `server`, [`route`], [`request`] (with [`form`],
//! [`validate`] and [`format`](mod@format)), then `rule`, `recorded`, [`platform`] or [`response`] (with [`example`]).
#![warn(missing_docs)]

mod api;
mod client;
#[cfg(feature = "clock")]
pub mod clock;
pub mod document;
pub mod example;
pub mod fault;
mod file;
pub mod form;
pub mod format;
mod log;
mod multipart;
mod on;
mod page;
pub mod platform;
mod recorded;
pub mod request;
pub mod response;
pub mod route;
mod rule;
mod seed;
mod server;
mod server_error;
mod socket;
mod sort;
mod state;
mod text;
pub mod validate;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use api::Api;
pub use client::User;
pub use document::{Document, Error};
pub use log::{Received, Requests};
pub use on::On;
pub use response::{Reply, Responses};
pub use seed::{AddedDataset, NewDataset};
pub use server_error::ServerError;

/// A running server; it stops when it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    state: Arc<state::State>,
    task: JoinHandle<()>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.task.abort();
        let complaints = self.complaints();
        if complaints.is_empty() {
            return;
        }
        if std::thread::panicking() {
            eprintln!("{}", report(&complaints));
        } else {
            panic!("{}", report(&complaints));
        }
    }
}

fn corrected() -> Arc<api::Apis> {
    api::corrected().unwrap_or_else(|error| panic!("the sandbox cannot start: {error}"))
}

fn report(complaints: &[String]) -> String {
    format!("the sandbox was not used as the test expects:\n  {}", complaints.join("\n  "))
}

impl Sandbox {
    /// Starts a server of all APIs on a free port of this machine.
    ///
    /// # Panics
    /// When the corrected documents cannot be had or no port can be bound: there is nothing to test then.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        listener.and_then(|listener| Self::serve(listener, corrected())).expect("a free port on 127.0.0.1")
    }

    /// Starts a server with a stateful platform, see [`platform`].
    ///
    /// # Panics
    /// As [`Sandbox::start`].
    pub async fn start_platform() -> Self {
        let sandbox = Self::start().await;
        sandbox.set_responses(Responses::Platform);
        sandbox.state.memory().strict = true;
        sandbox
    }

    /// Starts a platform on a port of this machine, for clients in other processes. It is not [strict](Self::strict).
    ///
    /// # Errors
    ///
    /// Returns the system's error when the port cannot be bound.
    ///
    /// # Panics
    ///
    /// When the corrected documents cannot be had.
    pub async fn start_platform_on(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let sandbox = Self::serve(listener, corrected())?;
        sandbox.set_responses(Responses::Platform);
        Ok(sandbox)
    }

    /// Starts a platform with a table of your own, which may be aggregated; returns the id of its resource.
    ///
    /// ```no_run
    /// # async fn example() {
    /// use datagouv_sandbox::Sandbox;
    /// use datagouv_sandbox::platform::NewTable;
    ///
    /// let table = NewTable::new(&[("name", "string")], [["Elm"], ["Oak"]]);
    /// let (sandbox, resource) = Sandbox::start_with_table(table).await;
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`Sandbox::start`] and [`Sandbox::add_table`].
    pub async fn start_with_table(table: platform::NewTable) -> (Self, String) {
        let sandbox = Self::start_platform().await;
        let resource = "0d1e2f30-4152-4637-8495-a6b7c8d9e0f1";
        sandbox.add_table(resource, platform::NewTable { aggregates: true, ..table });
        (sandbox, resource.to_owned())
    }

    /// Starts a server of documents of your own.
    pub async fn with_documents(documents: Vec<Document>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        Self::serve(listener, Arc::new(api::routed(documents)))
    }

    fn serve(listener: TcpListener, apis: Arc<api::Apis>) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let state = Arc::new(state::State::new(apis, format!("http://{address}")));
        let task = tokio::spawn(server::serve(listener, Arc::clone(&state)));
        Ok(Self { address, state, task })
    }

    /// The base URL of an API, without a final slash.
    pub fn url(&self, api: Api) -> String {
        format!("{}{}", self.origin(), api::base(api))
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All operations of an API.
    pub fn operations(&self, api: Api) -> Vec<route::Operation> {
        let own = self.state.documents().filter(|(document, _)| document.api() == api);
        own.flat_map(|(_, routes)| routes.operations().cloned()).collect()
    }

    /// Sets where responses come from, from now on.
    pub fn set_responses(&self, responses: Responses) {
        self.state.memory().responses = responses;
    }

    /// Sets whether requests that violate the document are served; violations are logged in any case. Default: false.
    pub fn tolerate_violations(&self, tolerate: bool) {
        self.state.memory().tolerant = tolerate;
    }

    /// Records a response for an operation.
    pub fn record(&self, api: Api, operation_id: &str, status: u16, content_type: &str, body: impl Into<Bytes>) {
        let reply = Reply::new(status, content_type, body);
        self.state.memory().recorded.record(api, operation_id, reply);
    }

    /// Loads recorded exchanges: every `.json` file of a directory and of those below it, each with
    /// `{"api", "operation_id", "method", "path", "status", "content_type", "body"}`. Returns how many.
    pub fn load_fixtures(&self, directory: impl AsRef<Path>) -> Result<usize, Error> {
        self.state.memory().recorded.load(directory.as_ref())
    }

    /// Responds once to the next valid request for an operation (of any API), or for a file's path; several responses are
    /// queued. Without a `content-type` among the headers, it is JSON for a body that starts like JSON, else plain text.
    pub fn respond_once(&self, operation_id: &str, status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) {
        let body = body.into();
        let typed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let mut reply = match body.first() {
            Some(b'{' | b'[') if !typed => Reply::new(status, "application/json", body),
            Some(_) if !typed => Reply::new(status, "text/plain; charset=utf-8", body),
            _ => Reply { body, ..Reply::empty(status) },
        };
        for (name, value) in headers {
            reply = reply.with_header(name, *value);
        }
        self.once(operation_id, state::Once::Reply(reply));
    }

    /// Closes the connection of the next valid request for an operation or a file's path after so many bytes of the
    /// response body.
    pub fn cut_once(&self, operation_id: &str, after_bytes: usize) {
        self.once(operation_id, state::Once::Cut(after_bytes));
    }

    /// Delays the response to the next valid request for an operation or a file's path.
    pub fn delay_once(&self, operation_id: &str, duration: Duration) {
        self.once(operation_id, state::Once::Delay(duration));
    }

    fn once(&self, key: &str, once: state::Once) {
        self.state.memory().once.entry(key.to_owned()).or_default().push_back(once);
    }

    /// Serves a table as a resource of the tabular API.
    ///
    /// # Panics
    /// When a column's type is none, or a value is not of its column's type.
    pub fn add_table(&self, resource: &str, table: platform::NewTable) {
        self.state.memory().platform.add_table(resource, table);
    }

    /// Serves a table as a model of the metrics API.
    ///
    /// # Panics
    /// As [`Sandbox::add_table`].
    pub fn add_model(&self, model: &str, table: platform::NewTable) {
        self.state.memory().platform.add_model(model, table);
    }

    /// Marks a resource of the tabular API as deleted by its producer.
    pub fn delete_table(&self, resource: &str) {
        self.state.memory().platform.delete_table(resource);
    }

    /// How many rows a page and an export of tabular and metrics may hold; 50 and 50,000 at first.
    pub fn limit_rows(&self, page: i64, export: usize) {
        let settings = platform::TabularSettings { page_size_max: page, export_max: export, ..self.tabular_settings() };
        self.set_tabular(settings);
    }

    /// How the tabular and metrics servers are set up.
    pub fn tabular_settings(&self) -> platform::TabularSettings {
        *self.state.memory().platform.settings()
    }

    /// Sets up the tabular and metrics servers: the largest page, the release, the order of equal rows.
    ///
    /// ```no_run
    /// # async fn example() {
    /// use datagouv_sandbox::Sandbox;
    /// use datagouv_sandbox::platform::TabularSettings;
    ///
    /// let sandbox = Sandbox::start_platform().await;
    /// sandbox.set_tabular(TabularSettings { page_size_max: 200, ..TabularSettings::default() });
    /// # }
    /// ```
    pub fn set_tabular(&self, settings: platform::TabularSettings) {
        *self.state.memory().platform.settings() = settings;
    }

    /// Serves a file at a path, which starts with `/`; returns its URL.
    pub fn serve_file(&self, path: &str, content_type: &str, data: impl Into<Bytes>) -> String {
        let file = file::File::new(content_type, data);
        self.state.memory().files.insert(path.to_owned(), file);
        format!("{}{path}", self.origin())
    }

    /// Adds so many small datasets to the platform, each called `Jeu de données` and its number.
    pub fn add_datasets(&self, count: usize) {
        self.state.memory().platform.add_datasets(count, 0);
    }

    /// Adds so many datasets as large as those that people publish, each with so many resources.
    pub fn add_datasets_with_resources(&self, count: usize, resources: usize) {
        self.state.memory().platform.add_datasets(count, resources);
    }

    /// Caches responses from now on, and does not log the requests that they are sent to: for benchmarks of clients.
    pub fn cache_responses(&self) {
        self.state.memory().cached = Some(HashMap::new());
    }

    /// The highest number of requests that were in flight at the same time.
    pub fn peak_in_flight(&self) -> usize {
        self.state.memory().in_flight.peak
    }

    /// How requests and rules differ from what the test expects.
    fn complaints(&self) -> Vec<String> {
        let mut memory = self.state.memory();
        let complaints = memory.rules.complaints();
        if memory.strict { complaints } else { Vec::new() }
    }

    /// Fails if a request was not expected, or a rule was not used as often as it says. Dropping the sandbox does it too,
    /// unless the test is failing already.
    ///
    /// # Panics
    ///
    /// The message lists all of them, each with the request or the rule that was nearest.
    #[track_caller]
    pub fn verify(&self) {
        let complaints = self.complaints();
        assert!(complaints.is_empty(), "{}", report(&complaints));
    }

    /// Sets whether requests that were not expected, and rules that were not used, fail the test. True for a platform,
    /// false for [`Sandbox::start`].
    pub fn strict(&self, strict: bool) {
        self.state.memory().strict = strict;
    }

    /// Responds by rules alone from now on: a request without a rule fails the test.
    pub fn only_rules(&self) {
        let mut memory = self.state.memory();
        memory.rules.only = true;
        memory.strict = true;
    }

    /// The requests that have arrived so far, as a list that can be filtered.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> datagouv::Result<()> {
    /// use datagouv_sandbox::{Sandbox, User};
    /// use datagouv_sandbox::platform::COMMUNES;
    ///
    /// let platform = Sandbox::start_platform().await;
    /// let dataset = platform.client_of(User::Editor).dataset(COMMUNES);
    /// dataset.update(|dataset| dataset.title("Towns")).await?;
    ///
    /// let received = platform.received();
    /// let updates = received.of("update_dataset");
    /// assert_eq!((received.len(), updates.len()), (2, 1));
    /// assert_eq!(updates[0].json()["title"], "Towns");
    /// # Ok(())
    /// # }
    /// ```
    pub fn received(&self) -> Requests {
        let memory = self.state.memory();
        Requests::new(memory.log.clone(), Arc::clone(&self.state.apis))
    }

    /// The requests that have arrived so far.
    pub fn requests(&self) -> Vec<Received> {
        self.state.memory().log.clone()
    }

    /// The requests that have arrived since the last call, removed from the log.
    pub fn take_requests(&self) -> Vec<Received> {
        std::mem::take(&mut self.state.memory().log)
    }
}
