//! What the server computes while a query is planned: its count of rows, or its groups.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs};
use futures_util::stream;
use serde::{Deserialize, Serialize};

use crate::leaf;

/// What the server computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Computation {
    /// A batch without columns, of as many rows as the server counted. `count(*)` needs no more, and takes the number from
    /// the statistics.
    Count,
    Groups,
}

/// The rows that the server computed when the query was planned.
#[derive(Clone, Debug)]
pub(crate) struct ComputedExec {
    pub kind: Computation,
    pub description: String,
    pub batch: RecordBatch,
    properties: Arc<PlanProperties>,
}

impl ComputedExec {
    pub(crate) fn new(kind: Computation, description: String, batch: RecordBatch) -> Self {
        let properties = leaf::properties(EquivalenceProperties::new(batch.schema()), 1);
        Self { kind, description, batch, properties: Arc::new(properties) }
    }

    pub(crate) fn project(self, columns: &[usize]) -> Result<Self> {
        Ok(Self::new(self.kind, self.description, self.batch.project(columns)?))
    }
}

impl DisplayAs for ComputedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.description)
    }
}

impl ExecutionPlan for ComputedExec {
    fn name(&self) -> &'static str {
        match self.kind {
            Computation::Count => "DatagouvCountExec",
            Computation::Groups => "DatagouvGroupsExec",
        }
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        leaf::with_children(self, &children)
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let size = context.session_config().batch_size().max(1);
        let batch = self.batch.clone();
        let starts = (0..batch.num_rows()).step_by(size);
        let batches = starts.map(move |start| Ok(batch.slice(start, size.min(batch.num_rows() - start))));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::iter(batches))))
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        Ok(Arc::new(leaf::statistics(&self.schema(), Some(self.batch.num_rows()))))
    }
}
