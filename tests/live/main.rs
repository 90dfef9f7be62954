//! The client against a real server of the catalogue.
//!
//! `cargo xtask server start` runs one; `cargo test --features live --test live` calls it. With
//! `DATAGOUV_RECORD=1` what it answers is recorded into `tests/fixtures`, which the ordinary tests decode.
//! The tests share one server, each with objects of its own.

mod catalogue;
mod community;
mod dataservices;
mod dataset_actions;
mod dataset_lists;
mod datasets;
mod discussions;
mod exports;
mod extras;
mod handles;
mod harvest;
mod me;
mod members;
mod notifications;
mod organizations;
mod pages;
mod platform;
mod posts;
mod recorder;
mod reports;
mod resources;
mod reuses;
mod search;
mod support;
mod things;
mod topics;
mod transfers;
mod uploads;
mod users;

use std::path::PathBuf;
use std::sync::LazyLock;

use datagouv::{Api, Client, Limits, RetryPolicy};

/// The server that the tests share, seen through the recorder.
pub struct Live {
    recorder: recorder::Recorder,
    run: PathBuf,
}

/// The one runtime of all tests: the recorder must outlive each of them.
static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());

static LIVE: LazyLock<Live> = LazyLock::new(|| {
    let run = std::env::var_os("DATAGOUV_LIVE_RUN")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/platform/udata"), PathBuf::from);
    let url = std::env::var("DATAGOUV_LIVE_URL").unwrap_or_else(|_| "http://127.0.0.1:7000".to_owned());
    let recorder = std::thread::spawn(move || RUNTIME.block_on(recorder::Recorder::start(url))).join().unwrap();
    Live { recorder, run }
});

/// Runs a scenario against the server.
pub fn run<F: Future<Output = ()> + Send + 'static>(scenario: impl FnOnce(&'static Live) -> F) {
    let future = scenario(&LIVE);
    RUNTIME.block_on(future);
    LIVE.recorder.write();
}

impl Live {
    fn client(&self, key: Option<&str>) -> Client {
        // Each request is recorded as it is answered, and as fast as it can be.
        let mut builder = Client::builder()
            .retries(RetryPolicy::none())
            .limits(Limits::none())
            .base_url(Api::Main, format!("{}/api/1", self.recorder.url))
            .base_url(Api::MainV2, format!("{}/api/2", self.recorder.url));
        if let Some(file) = key {
            let path = self.run.join(file);
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

    /// A client without a key.
    pub fn anonymous(&self) -> Client {
        self.client(None)
    }
}

#[test]
fn keys_that_are_no_longer_good_are_refused_with_the_reason() {
    run(|live| async move {
        for (file, reason) in [("api_key_revoked", "Revoked API token"), ("api_key_expired", "Expired API token")] {
            let error = live.client(Some(file)).main().get_me().send().await.unwrap_err();
            assert!(error.is_unauthorized());
            assert_eq!(error.server_message().as_deref(), Some(reason));
            assert_eq!(error.operation(), Some("get_me"));
        }
    });
}
