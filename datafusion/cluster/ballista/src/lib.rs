//! A trial: SQL over Parquet files by URL on Apache Ballista.
//!
//! Client, scheduler and executors all read the files, and each needs object stores for `http` and `https`; Ballista's
//! own sessions have none.

use std::path::Path;
use std::sync::Arc;

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use ballista_core::utils::default_session_builder;
use datafusion::error::Result;
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use object_store::http::HttpBuilder;
use object_store::{ClientOptions, ObjectStore};
use url::Url;

/// Object stores for files by path, and for each origin by `http` or `https`, made when the first URL of it is read.
#[derive(Debug, Default)]
struct Stores(DefaultObjectStoreRegistry);

impl ObjectStoreRegistry for Stores {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.0.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.0.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let known = self.0.get_store(url);
        if known.is_ok() || !matches!(url.scheme(), "http" | "https") {
            return known;
        }
        let options = ClientOptions::new().with_allow_http(true);
        let store = HttpBuilder::new().with_url(url.origin().ascii_serialization()).with_client_options(options);
        let store: Arc<dyn ObjectStore> = Arc::new(store.build()?);
        self.0.register_store(url, Arc::clone(&store));
        Ok(store)
    }
}

/// Returns an environment that reads `file`, `http` and `https`, and spills to `folder`, or to the system's.
pub fn runtime(folder: Option<&Path>) -> Result<Arc<RuntimeEnv>> {
    let builder = RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(Stores::default()));
    match folder {
        Some(folder) => builder.with_temp_file_path(folder),
        None => builder,
    }
    .build_arc()
}

/// Returns a session of the scheduler, or of the client before it knows its scheduler.
pub fn session(config: SessionConfig) -> Result<SessionState> {
    let state = SessionStateBuilder::new_from_existing(default_session_builder(config)?);
    Ok(state.with_runtime_env(runtime(None)?).build())
}

/// Returns a client of the scheduler at `url` (`df://host:port`).
pub async fn client(url: &str) -> Result<SessionContext> {
    SessionContext::remote_with_state(url, session(SessionConfig::new_with_ballista())?).await
}

/// Returns a session of DataFusion in this process, over the same object stores.
pub fn alone() -> Result<SessionContext> {
    Ok(SessionContext::new_with_config_rt(SessionConfig::new(), runtime(None)?))
}
