//! The client against the real platform.
//!
//! `cargo xtask server start` runs it; `cargo test -p datagouv-tests --features live --test live` calls it. With
//! `DATAGOUV_RECORD=1` its responses are recorded into `tests/fixtures`, which the ordinary tests decode.
//! The tests share one platform, each with objects of its own. `DATAGOUV_LIVE_FOLDER` is the folder of its state, by
//! default `target/platform`.

mod analysis;
mod arrow;
mod catalogue;
#[path = "../arrow/cells.rs"]
mod cells;
mod community;
mod copies;
mod dataservices;
mod dataset_actions;
mod dataset_lists;
mod datasets;
mod dates;
mod discussions;
mod exports;
mod extras;
mod handles;
mod harvest;
mod me;
mod members;
mod metrics;
mod mirrors;
mod notifications;
mod organizations;
mod pages;
mod platform;
mod posts;
mod publisher;
mod recorder;
mod records;
mod reports;
mod resources;
mod reuses;
mod search;
mod support;
mod tables;
mod tabular;
mod things;
mod topics;
mod transfers;
mod uploads;
mod users;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use datagouv::{Api, Client, Limits, RetryPolicy};
use datagouv_sandbox::{Sandbox, User};

use recorder::Server;

/// The platform that the tests share, seen through the recorder.
pub struct Live {
    recorder: recorder::Recorder,
    /// The folder of its state, as `cargo xtask server start` makes it.
    folder: PathBuf,
    /// No table is purged while this is read.
    purge: tokio::sync::RwLock<()>,
}

/// The one runtime of all tests: the recorder must outlive each of them.
static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());

static LIVE: LazyLock<Live> = LazyLock::new(|| {
    if std::env::var_os("DATAGOUV_LIVE_SANDBOX").is_some() {
        return in_sandbox();
    }
    let folder = std::env::var_os("DATAGOUV_LIVE_FOLDER")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/platform"), PathBuf::from);
    let ports: BTreeMap<String, u16> = std::fs::read(folder.join("ports.json"))
        .map(|json| serde_json::from_slice(&json).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}; is it started (`cargo xtask server start`)?", folder.display()));
    let servers = [(Server::Catalogue, "udata"), (Server::Tabular, "tabular"), (Server::Metrics, "metrics")];
    let servers = servers.map(|(server, name)| (server, format!("http://127.0.0.1:{}", ports[name])));
    let recorder = std::thread::spawn(move || RUNTIME.block_on(recorder::Recorder::start(servers))).join().unwrap();
    Live { recorder, folder, purge: tokio::sync::RwLock::default() }
});

/// The sandbox instead of the real servers, for the scenarios of `sandbox.txt`.
fn in_sandbox() -> Live {
    let folder = std::env::temp_dir().join(format!("datagouv-sandbox-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("udata")).unwrap();
    let users = [("api_key", User::Admin), ("api_key_user", User::Editor), ("api_key_plain", User::Stranger)];
    for (file, user) in users {
        std::fs::write(folder.join("udata").join(file), user.key()).unwrap();
    }
    let recorder = std::thread::spawn(|| {
        RUNTIME.block_on(async {
            let sandbox = Box::leak(Box::new(Sandbox::start_platform_on(0).await.unwrap()));
            let servers = [Server::Catalogue, Server::Tabular, Server::Metrics];
            recorder::Recorder::start(servers.map(|server| (server, sandbox.origin()))).await
        })
    });
    Live { recorder: recorder.join().unwrap(), folder, purge: tokio::sync::RwLock::default() }
}

/// Runs a scenario against the server.
pub fn run<F: Future<Output = ()> + Send + 'static>(scenario: impl FnOnce(&'static Live) -> F) {
    let future = scenario(&LIVE);
    RUNTIME.block_on(future);
    LIVE.recorder.write();
}

impl Live {
    fn client(&self, key: Option<&str>) -> Client {
        self.client_for(key, "")
    }

    fn client_for(&self, key: Option<&str>, subject: &str) -> Client {
        let catalogue = self.recorder.url(Server::Catalogue);
        // Neither retries nor limits: every response is recorded.
        let mut builder = Client::builder()
            .retries(RetryPolicy::none())
            .limits(Limits::none())
            .base_url(Api::Main, format!("{catalogue}/api/1"))
            .base_url(Api::MainV2, format!("{catalogue}/api/2"))
            .base_url(Api::Tabular, format!("{}{subject}", self.recorder.url(Server::Tabular)))
            .base_url(Api::Metrics, self.recorder.url(Server::Metrics));
        if let Some(file) = key {
            let path = self.folder.join("udata").join(file);
            let key = std::fs::read_to_string(&path).unwrap_or_else(|error| {
                panic!("{}: {error}; is the server started (`cargo xtask server start`)?", path.display())
            });
            builder = builder.api_key(key);
        }
        builder.build().unwrap()
    }

    /// A client with the key of a sysadmin (Ada Admin).
    pub fn admin(&self) -> Client {
        self.client(Some("api_key"))
    }

    /// A client with the key of an ordinary user (Alice Dupont).
    pub fn user(&self) -> Client {
        self.client(Some("api_key_user"))
    }

    /// A client with the key of another ordinary user (Carol Ünïcödé-É).
    pub fn plain(&self) -> Client {
        self.client(Some("api_key_plain"))
    }

    /// Alice's client; its responses of the tabular API are recorded with a subject.
    pub fn user_for(&self, subject: &str) -> Client {
        self.client_for(Some("api_key_user"), &format!("/@{subject}"))
    }

    /// A client without a key.
    pub fn anonymous(&self) -> Client {
        self.client(None)
    }
}

#[test]
fn revoked_and_expired_keys_are_refused_with_the_reason() {
    run(|live| async move {
        for (file, reason) in [("api_key_revoked", "Revoked API token"), ("api_key_expired", "Expired API token")] {
            let error = live.client(Some(file)).main().get_me().send().await.unwrap_err();
            assert!(error.is_unauthorized());
            assert_eq!(error.server_message().as_deref(), Some(reason));
            assert_eq!(error.operation(), Some("get_me"));
        }
    });
}
