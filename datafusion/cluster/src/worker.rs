//! The machine that executes parts of queries.

use std::future::Future;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::object_store::memory::InMemory;
use datafusion_distributed::{DistributedExt, Worker as Engine, WorkerQueryContext};
use datagouv::ClientBuilder;
use datagouv_datafusion::codec::{AllowedHosts, PlanCodec, version};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use url::Url;

use crate::channel::Channels;
use crate::settings;

/// A worker: it executes what coordinators send to it, and reads from no hosts but those that it is allowed to.
///
/// It does not ask who sends a plan: let nobody but coordinators and workers reach its port. A plan cannot read the files of
/// the worker.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use datagouv::Client;
/// use datagouv_cluster::{AllowedHosts, Worker};
///
/// let listener = tokio::net::TcpListener::bind("10.0.0.2:7400").await?;
/// let worker = Worker::new(AllowedHosts::default(), Client::builder)?;
/// worker.serve(listener, async { drop(tokio::signal::ctrl_c().await) }).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Worker(Engine);

impl Worker {
    /// Makes a worker from the hosts that it may send requests to, and the configuration of its clients: with an API key of
    /// its own, if it has one. Base URLs and limits come with each plan.
    ///
    /// # Errors
    ///
    /// Returns an error if its runtime cannot be made.
    pub fn new(hosts: AllowedHosts, client: impl Fn() -> ClientBuilder + Send + Sync + 'static) -> Result<Self> {
        let codec = Arc::new(PlanCodec::for_worker(hosts, client));
        let channels = Channels::default();
        let session = move |mut context: WorkerQueryContext| {
            let (codec, channels) = (Arc::clone(&codec), channels.clone());
            async move {
                settings::read(&context.headers, context.builder.config().get_or_insert_default())?;
                let builder = context.builder.with_distributed_user_codec_arc(codec);
                Ok(builder.with_distributed_channel_resolver(channels).build())
            }
        };
        let runtime = RuntimeEnv::default();
        let files = Url::parse("file:///").map_err(|error| DataFusionError::External(Box::new(error)))?;
        // A plan may name any file: there is none.
        runtime.register_object_store(&files, Arc::new(InMemory::new()));
        Ok(Self(Engine::from_session_builder(session).with_runtime_env(Arc::new(runtime)).with_version(version())))
    }

    /// Serves until a future completes; then it takes no more plans, and returns when those that it has are done.
    ///
    /// # Errors
    ///
    /// Returns an error if the socket fails.
    pub async fn serve(self, listener: TcpListener, until: impl Future<Output = ()>) -> Result<()> {
        Server::builder()
            .add_service(self.0.into_worker_server())
            .serve_with_incoming_shutdown(TcpIncoming::from(listener), until)
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))
    }
}
