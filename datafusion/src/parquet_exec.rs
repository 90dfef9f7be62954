//! A scan of a Parquet copy, with what `EXPLAIN` shows of it.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, config::ConfigOptions};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::filter_pushdown::{ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sort_pushdown::SortOrderPushdownResult;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs};
use datagouv::Client;
use datagouv::files::FileState;

use crate::leaf;
use crate::source::Source;

/// A leaf around DataFusion's own scan, so that nothing comes between them: the scan means nothing without the file.
#[derive(Clone, Debug)]
pub(crate) struct ParquetCopyExec {
    pub scan: Arc<dyn ExecutionPlan>,
    pub file: Arc<CopyFile>,
}

/// The file that is read.
#[derive(Debug)]
pub(crate) struct CopyFile {
    pub client: Client,
    pub state: FileState,
    pub description: String,
    pub row_groups: usize,
}

impl ParquetCopyExec {
    pub(crate) fn new(
        scan: Arc<dyn ExecutionPlan>,
        source: &Source,
        client: &Client,
        state: FileState,
        rows: usize,
        row_groups: usize,
    ) -> Self {
        let url = state.url();
        let description = format!(
            "{source}, because=the Parquet copy is of the same import and holds the columns, url={url}, rows={rows}, \
             requests=1 (while planning) and at most {row_groups} for each run of columns"
        );
        Self { scan, file: Arc::new(CopyFile { client: client.clone(), state, description, row_groups }) }
    }

    fn with_scan(&self, scan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { scan, file: Arc::clone(&self.file) })
    }
}

impl DisplayAs for ParquetCopyExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatagouvParquetExec: {}, scan=", self.file.description)?;
        self.scan.fmt_as(format, f)
    }
}

impl ExecutionPlan for ParquetCopyExec {
    fn name(&self) -> &'static str {
        "DatagouvParquetExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.scan.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.scan.apply_expressions(visit)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        leaf::with_children(self, &children)
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self.with_scan(Arc::clone(&self.scan).reset_state()?))
    }

    fn repartitioned(&self, target: usize, config: &ConfigOptions) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        Ok(self.scan.repartitioned(target, config)?.map(|scan| self.with_scan(scan)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.scan.execute(partition, context)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.scan.metrics()
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        self.scan.statistics_from_inputs(inputs, args)
    }

    fn fetch(&self) -> Option<usize> {
        self.scan.fetch()
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        Some(self.with_scan(self.scan.with_fetch(limit)?))
    }

    fn try_swapping_with_projection(&self, projection: &ProjectionExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        Ok(self.scan.try_swapping_with_projection(projection)?.map(|scan| self.with_scan(scan)))
    }

    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        result: ChildPushdownResult,
        config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let FilterPushdownPropagation { filters, updated_node } =
            self.scan.handle_child_pushdown_result(phase, result, config)?;
        Ok(FilterPushdownPropagation { filters, updated_node: updated_node.map(|scan| self.with_scan(scan)) })
    }

    fn try_pushdown_sort(&self, order: &[PhysicalSortExpr]) -> Result<SortOrderPushdownResult<Arc<dyn ExecutionPlan>>> {
        Ok(match self.scan.try_pushdown_sort(order)? {
            SortOrderPushdownResult::Exact { inner } => SortOrderPushdownResult::Exact { inner: self.with_scan(inner) },
            SortOrderPushdownResult::Inexact { inner } => {
                SortOrderPushdownResult::Inexact { inner: self.with_scan(inner) }
            }
            SortOrderPushdownResult::Unsupported => SortOrderPushdownResult::Unsupported,
        })
    }

    fn with_preserve_order(&self, preserve_order: bool) -> Option<Arc<dyn ExecutionPlan>> {
        Some(self.with_scan(self.scan.with_preserve_order(preserve_order)?))
    }
}
