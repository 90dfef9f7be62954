//! Channels to workers: what is sent with a plan, and errors that name the worker.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_distributed::grpc::{DefaultChannelResolver, create_worker_client};
use datafusion_distributed::{
    ChannelResolver, CoordinatorToWorkerMsg, ExecuteTaskRequest, GetWorkerInfoRequest, GetWorkerInfoResponse,
    SetPlanRequest, WorkerChannel, WorkerToCoordinatorMsg,
};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::HeaderMap;
use url::Url;

use crate::settings;

/// The channels of a process, each opened when it is first used.
#[derive(Clone, Default)]
pub(crate) struct Channels(Arc<DefaultChannelResolver>);

#[async_trait]
impl ChannelResolver for Channels {
    async fn get_worker_client_for_url(&self, url: &Url) -> Result<Box<dyn WorkerChannel>> {
        let channel = self.0.get_channel(url).await;
        let channel = channel.map_err(|error| error.context(format!("the worker {url} cannot be reached")))?;
        Ok(Box::new(Named { inner: create_worker_client(channel), url: url.clone() }))
    }
}

/// A channel to a worker with a name.
struct Named {
    inner: Box<dyn WorkerChannel>,
    url: Url,
}

#[async_trait]
impl WorkerChannel for Named {
    async fn coordinator_channel(
        &mut self,
        mut headers: HeaderMap,
        request: SetPlanRequest,
        messages: BoxStream<'static, CoordinatorToWorkerMsg>,
        metrics: ExecutionPlanMetricsSet,
        context: &Arc<TaskContext>,
    ) -> Result<BoxStream<'static, Result<WorkerToCoordinatorMsg>>> {
        settings::write(&mut headers, context.session_config())?;
        let received = self.inner.coordinator_channel(headers, request, messages, metrics, context).await;
        let url = self.url.clone();
        let received = received.map_err(|error| of_worker(&url, error))?;
        Ok(received.map(move |message| message.map_err(|error| of_worker(&url, error))).boxed())
    }

    async fn execute_task(
        &mut self,
        headers: HeaderMap,
        request: ExecuteTaskRequest,
        metrics: ExecutionPlanMetricsSet,
        context: &Arc<TaskContext>,
    ) -> Result<Vec<BoxStream<'static, Result<RecordBatch>>>> {
        let streams = self.inner.execute_task(headers, request, metrics, context).await;
        let streams = streams.map_err(|error| of_worker(&self.url, error))?;
        let named = streams.into_iter().map(|stream| {
            let url = self.url.clone();
            stream.map(move |batch| batch.map_err(|error| of_worker(&url, error))).boxed()
        });
        Ok(named.collect())
    }

    async fn get_worker_info(&mut self, request: GetWorkerInfoRequest) -> Result<GetWorkerInfoResponse> {
        self.inner.get_worker_info(request).await.map_err(|error| of_worker(&self.url, error))
    }
}

/// Names the worker in an error; says so where it is lost.
fn of_worker(url: &Url, error: DataFusionError) -> DataFusionError {
    let is_lost = match error.find_root() {
        DataFusionError::External(cause) => cause.is::<tonic::Status>(),
        _ => false,
    };
    let context = if is_lost {
        format!("the worker {url} was lost, and with it its part of the query: run the query again")
    } else {
        format!("the worker {url}")
    };
    error.context(context)
}
