//! Refuses plans that cannot be sent, before anything is.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion_distributed::{DistributedCodec, DistributedExec, DistributedLeafExec, NetworkBoundaryExt, Stage};
use datafusion_proto::bytes::physical_plan_to_bytes_with_proto_converter;
use datafusion_proto::physical_plan::DeduplicatingProtoConverter;

/// The engine's planner, and a check of its plans. Without it, a worker waits for a plan that never comes, and the error
/// reports the wait alone.
#[derive(Debug)]
pub(crate) struct CheckedPlanner(pub Arc<dyn QueryPlanner + Send + Sync>);

#[async_trait]
impl QueryPlanner for CheckedPlanner {
    async fn create_physical_plan(
        &self,
        logical: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.0.create_physical_plan(logical, session).await?;
        if plan.is::<DistributedExec>() {
            plan.apply(|node| {
                if let Some(boundary) = node.as_network_boundary()
                    && let Stage::Local(stage) = boundary.input_stage()
                {
                    ensure_sendable(&stage.plan, session.config())?;
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(plan)
    }
}

fn ensure_sendable(stage: &Arc<dyn ExecutionPlan>, config: &SessionConfig) -> Result<()> {
    // Tasks get one of the variants of a leaf, which are alike.
    let task = Arc::clone(stage).transform_up(|node| {
        let variant = node.downcast_ref::<DistributedLeafExec>().and_then(|leaf| leaf.variants().first().cloned());
        Ok(variant.map_or_else(|| Transformed::no(node), Transformed::yes))
    })?;
    let codec = DistributedCodec::new_combined_with_user(config);
    let converter = DeduplicatingProtoConverter::default();
    physical_plan_to_bytes_with_proto_converter(task.data, &codec, &converter)
        .map(drop)
        .map_err(|error| error.context("the query cannot be sent to workers: run it on one machine"))
}
