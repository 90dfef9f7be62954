//! Rows without columns: the server's own count.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions, StatisticsArgs,
};
use futures_util::stream;

use crate::source::Source;
use crate::table::statistics;

/// As many rows as the server counted, without a column. `count(*)` needs no more, and takes the number from the
/// statistics.
#[derive(Clone, Debug)]
pub(crate) struct CountExec {
    pub source: Source,
    pub condition: String,
    pub rows: u64,
    properties: Arc<PlanProperties>,
}

impl CountExec {
    pub(crate) fn new(source: Source, condition: String, rows: u64) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::new(Schema::empty())),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { source, condition, rows, properties: Arc::new(properties) }
    }

    fn statistics(&self) -> Statistics {
        statistics(&Schema::empty(), usize::try_from(self.rows).ok())
    }
}

impl DisplayAs for CountExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DatagouvCountExec: {}, filter={}, rows={}, because=the server counts, requests=1 (while planning)",
            self.source, self.condition, self.rows
        )
    }
}

impl ExecutionPlan for CountExec {
    fn name(&self) -> &'static str {
        "DatagouvCountExec"
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

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("a count has no children") }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("a count has no children") }
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema: SchemaRef = self.schema();
        let size = u64::try_from(context.session_config().batch_size().max(1)).unwrap_or(u64::MAX);
        let batches = stream::iter((0..self.rows.div_ceil(size)).map({
            let (schema, rows) = (Arc::clone(&schema), self.rows);
            move |index| {
                let rows = usize::try_from((rows - index * size).min(size)).unwrap_or(0);
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                Ok(RecordBatch::try_new_with_options(Arc::clone(&schema), Vec::new(), &options)?)
            }
        }));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        Ok(Arc::new(self.statistics()))
    }
}
