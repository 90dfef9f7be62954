//! The machine that plans queries and hands them to workers.

use std::num::NonZeroU32;
use std::sync::Arc;

use datafusion::common::{Result, plan_err};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_distributed::{
    ChannelResolver, DesiredTaskCountEvent, DesiredTaskCountEventResponse, DistributedConfig, DistributedExt,
    DistributedLeafExec, GetWorkerInfoRequest, ScaleUpLeafNodeEvent, ScaleUpLeafNodeEventResponse,
    SessionStateBuilderExt, WorkerResolver,
};
use datagouv::{ClientBuilder, Limits};
use datagouv_datafusion::codec::{PlanCodec, divide, file_bytes, parts, version};
use datagouv_datafusion::{Options, register_with};
use url::Url;

use crate::channel::Channels;
use crate::planner::CheckedPlanner;

/// The workers that queries are handed to.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use datagouv::Client;
/// use datagouv_cluster::Cluster;
/// use datagouv_datafusion::{Options, sql};
///
/// let cluster = Cluster::new(["http://10.0.0.2:7400", "http://10.0.0.3:7400"])?;
/// cluster.check().await?;
/// let context = cluster.session(Client::builder(), Options::default())?;
/// sql(&context, "SELECT count(*) FROM catalog.datasets").await?.show().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cluster {
    workers: Vec<Url>,
    limits: Limits,
    file_bytes: Option<usize>,
    config: SessionConfig,
    channels: Channels,
}

impl Cluster {
    /// Names the workers by their URLs: `http://`, host and port.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none, or one is not such a URL.
    pub fn new(workers: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self> {
        let parse = |worker: &str| match Url::parse(worker) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
            _ => plan_err!("`{worker}` is not the URL of a worker: http://HOST:PORT is meant"),
        };
        let mut urls = Vec::new();
        for worker in workers {
            let url = parse(worker.as_ref())?;
            if urls.contains(&url) {
                return plan_err!("the worker {url} is named twice");
            }
            urls.push(url);
        }
        if urls.is_empty() {
            return plan_err!("a cluster needs a worker");
        }
        let config = SessionConfig::new();
        Ok(Self { workers: urls, limits: Limits::default(), file_bytes: None, config, channels: Channels::default() })
    }

    /// Sets the limits of requests to each host, which the workers and the coordinator keep together: each gets an equal
    /// share. Default: those of one client, 40 requests per second and 16 in flight.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how many bytes of a Parquet file a partition reads: files that take more partitions than one machine has are
    /// read by several. Default: 16 MiB.
    #[must_use]
    pub fn file_bytes_per_partition(mut self, bytes: usize) -> Self {
        self.file_bytes = Some(bytes.max(1));
        self
    }

    /// Sets the configuration of sessions, which workers get too. The number of target partitions is that of each machine.
    #[must_use]
    pub fn config(mut self, config: SessionConfig) -> Self {
        self.config = config;
        self
    }

    /// Returns the number of workers.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Asks all workers for their version.
    ///
    /// # Errors
    ///
    /// Returns an error if a worker cannot be reached, or is of another version.
    pub async fn check(&self) -> Result<()> {
        for url in &self.workers {
            let mut worker = self.channels.get_worker_client_for_url(url).await?;
            let found = worker.get_worker_info(GetWorkerInfoRequest {}).await?.version;
            if found != version() {
                return plan_err!(
                    "the worker {url} reads plans of version {found}, and this coordinator makes version {}: use one \
                     version on all machines",
                    version()
                );
            }
        }
        Ok(())
    }

    /// Makes a session whose queries are divided among the workers. The tables of the platform are known to it, as by
    /// [`register_with`].
    ///
    /// The limits of the client are set to the share that the coordinator has of those of the cluster. Its API key stays
    /// here: workers have their own, or none.
    ///
    /// # Errors
    ///
    /// Returns an error if the client cannot be built.
    pub fn session(&self, client: ClientBuilder, options: Options) -> Result<SessionContext> {
        let members = u32::try_from(self.workers.len()).unwrap_or(u32::MAX).saturating_add(1);
        let share = self.limits.clone().shared_among(NonZeroU32::new(members).unwrap_or(NonZeroU32::MIN));
        let client = client.limits(share).build().map_err(|error| DataFusionError::External(Box::new(error)))?;
        let mut builder = SessionStateBuilder::new()
            .with_config(self.config.clone())
            .with_default_features()
            .with_distributed_worker_resolver(Workers(self.workers.clone()))
            .with_distributed_channel_resolver(self.channels.clone())
            .with_distributed_user_codec(PlanCodec::new())
            .with_distributed_desired_task_count_handler(desired_tasks)
            .with_distributed_scale_up_leaf_node_handler(divided)
            .with_distributed_planner();
        if let Some(bytes) = self.file_bytes {
            builder = builder.with_distributed_file_scan_config_bytes_per_partition(bytes)?;
        }
        if let Some(planner) = builder.query_planner().take() {
            builder = builder.with_query_planner(Arc::new(CheckedPlanner(planner)));
        }
        let context = SessionContext::new_with_state(builder.build());
        register_with(&context, &client, options)?;
        Ok(context)
    }
}

struct Workers(Vec<Url>);

impl WorkerResolver for Workers {
    fn get_urls(&self) -> Result<Vec<Url>> {
        Ok(self.0.clone())
    }
}

fn desired_tasks(event: DesiredTaskCountEvent<'_>) -> Option<Result<DesiredTaskCountEventResponse>> {
    let mut parts = parts(event.plan.as_ref())?;
    if let Some(bytes) = file_bytes(event.plan.as_ref()) {
        let each = match DistributedConfig::from_session_config(event.session_config) {
            Ok(config) => config.file_scan_config_bytes_per_partition.max(1) as u64,
            Err(error) => return Some(Err(error)),
        };
        let machines = bytes.div_ceil(each).div_ceil(event.session_config.target_partitions().max(1) as u64);
        parts = parts.min(usize::try_from(machines).unwrap_or(usize::MAX)).max(1);
    }
    Some(Ok(match parts {
        // Others would read the same rows again.
        1 => DesiredTaskCountEventResponse::maximum(1),
        parts => DesiredTaskCountEventResponse::desired(parts),
    }))
}

fn divided(event: ScaleUpLeafNodeEvent<'_>) -> Option<Result<ScaleUpLeafNodeEventResponse>> {
    parts(event.plan.as_ref())?;
    let original = Arc::clone(event.plan);
    if event.task_count < 2 {
        return Some(Ok(ScaleUpLeafNodeEventResponse::new(original)));
    }
    Some(match divide(event.plan, event.task_count) {
        Some(parts) => {
            DistributedLeafExec::try_new(original, parts).map(|leaf| ScaleUpLeafNodeEventResponse::new(Arc::new(leaf)))
        }
        None => plan_err!("`{}` cannot be divided among {} workers", original.name(), event.task_count),
    })
}
