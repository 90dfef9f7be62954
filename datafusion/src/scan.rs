//! Rows of the tabular and metrics APIs, in partitions.

use std::fmt;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, exec_err, internal_err};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::{Column, DynamicFilterTracking};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{SchedulingType, apply_expression_roots};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::{EmptyRecordBatchStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs};
use datagouv::Client;
use datagouv::rows::{Condition, Extent, Order, Row, Rows, col};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use crate::dynamic;
use crate::error::external;
use crate::filters::Filters;
use crate::leaf;
use crate::source::Source;
use crate::types::ROW_NUMBER;

/// No export holds more rows, and no window is planned to hold more.
const MOST_EXPORTED: u64 = 50_000;

/// Rows are read in so many requests at once, over all partitions of a scan.
const CONCURRENT: usize = 4;

/// No row has such a number, and no request is sent for it.
#[expect(clippy::reversed_empty_ranges, reason = "a partition that reads nothing")]
pub(crate) const NOTHING: RangeInclusive<i64> = 1..=0;

/// The order of a column, as both the server and DataFusion sort it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SortKey {
    pub column: String,
    pub descending: bool,
    pub nulls_first: bool,
}

impl SortKey {
    fn order(&self) -> Order {
        let order = if self.descending { col(&self.column).desc() } else { col(&self.column).asc() };
        if self.nulls_first { order.nulls_first() } else { order.nulls_last() }
    }
}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.descending { "DESC" } else { "ASC" };
        let nulls = if self.nulls_first { "FIRST" } else { "LAST" };
        write!(f, "{} {direction} NULLS {nulls}", self.column)
    }
}

/// The query that the server receives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Scan {
    pub source: Source,
    /// The columns, by their places in the table.
    pub columns: Vec<usize>,
    pub condition: Condition,
    pub orders: Vec<SortKey>,
    pub limit: Option<u64>,
    /// The row numbers of each partition.
    pub ranges: Vec<RangeInclusive<i64>>,
}

/// Reads the rows of a scan, and shows what was pushed to the server and why they are read so.
#[derive(Clone, Debug)]
pub(crate) struct RowsExec {
    pub client: Client,
    pub scan: Scan,
    pub because: String,
    pub extent: Option<Extent>,
    /// The number of rows, where it is known beforehand.
    pub rows: Option<usize>,
    /// The number of columns of the table.
    pub width: usize,
    /// Whether other machines read the other ranges of the scan.
    pub divided: bool,
    /// The number of requests at once of each partition.
    pub concurrency: NonZeroUsize,
    /// Whether the table of a divided scan was seen to be the one that was counted.
    unchanged: Arc<OnceCell<()>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    /// Filters that become known when the query runs.
    pub dynamic: Vec<Arc<dyn PhysicalExpr>>,
    /// Whether the server takes alternatives.
    pub alternatives: bool,
}

impl RowsExec {
    pub(crate) fn new(client: Client, scan: Scan, table: &Schema, alternatives: bool, because: String) -> Result<Self> {
        let schema = Arc::new(table.project(&scan.columns)?);
        Ok(Self::with_schema(client, scan, schema, table.fields().len(), alternatives, because))
    }

    /// A scan whose columns have a schema, of a table that has so many columns.
    pub(crate) fn with_schema(
        client: Client,
        scan: Scan,
        schema: SchemaRef,
        width: usize,
        alternatives: bool,
        because: String,
    ) -> Self {
        // Windows come in the order of their numbers.
        let by_number = SortKey { column: ROW_NUMBER.to_owned(), descending: false, nulls_first: false };
        let keys = if scan.orders.is_empty() { std::slice::from_ref(&by_number) } else { scan.orders.as_slice() };
        let sorted = keys.iter().map_while(|key| {
            let (index, _) = schema.fields().find(&key.column)?;
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(&key.column, index));
            let options = SortOptions { descending: key.descending, nulls_first: key.nulls_first };
            Some(PhysicalSortExpr::new(column, options))
        });
        let orderings = LexOrdering::new(sorted.collect::<Vec<_>>());
        let equivalences = EquivalenceProperties::new_with_orderings(schema, orderings);
        let properties = leaf::properties(equivalences, scan.ranges.len());
        let properties = properties.with_scheduling_type(SchedulingType::Cooperative);
        let concurrency = CONCURRENT.div_ceil(scan.ranges.len().max(1));
        Self {
            client,
            scan,
            because,
            extent: None,
            rows: None,
            width,
            divided: false,
            concurrency: NonZeroUsize::new(concurrency).unwrap_or(NonZeroUsize::MIN),
            unchanged: Arc::default(),
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
            dynamic: Vec::new(),
            alternatives,
        }
    }

    /// Records the count of the server.
    pub(crate) fn with_extent(self, extent: Extent) -> Self {
        Self { extent: Some(extent), ..self }
    }

    /// Returns how many rows there are.
    pub(crate) fn with_rows(self, rows: usize) -> Self {
        Self { rows: Some(rows), ..self }
    }

    /// The scan of one machine, of some of the ranges.
    #[cfg(feature = "codec")]
    pub(crate) fn part(&self, scan: Scan) -> Self {
        let partitioning = datafusion::physical_plan::Partitioning::UnknownPartitioning(scan.ranges.len());
        let properties = Arc::new(self.properties.as_ref().clone().with_partitioning(partitioning));
        let (unchanged, metrics) = (Arc::default(), ExecutionPlanMetricsSet::new());
        Self { scan, rows: None, divided: true, unchanged, properties, metrics, ..self.clone() }
    }

    fn query(&self, range: &RangeInclusive<i64>) -> Rows<Row> {
        let scan = &self.scan;
        let mut rows = scan.source.rows(&self.client).filter(scan.condition.clone());
        if let ([_], false) = (scan.ranges.as_slice(), self.divided) {
            if let Some(extent) = self.extent {
                rows = rows.known_extent(extent);
            }
        } else {
            rows = rows.row_numbers(range.clone());
        }
        for key in &scan.orders {
            rows = rows.sort(key.order());
        }
        if let Some(limit) = scan.limit {
            rows = rows.limit(limit);
        }
        let names: Vec<String> = self.schema().fields().iter().map(|field| field.name().clone()).collect();
        let has_number = names.iter().any(|name| name == ROW_NUMBER);
        // All columns need not be named; a selection of none would be one of all.
        if names.is_empty() {
            rows = rows.select([ROW_NUMBER]);
        } else if has_number || names.len() < self.width {
            rows = rows.select(names);
        }
        rows.concurrency(self.concurrency)
    }

    /// Ensures, once, that the table of a divided scan has the rows that were counted when the query was planned: machines
    /// that read parts of two versions of it would give a wrong result.
    async fn ensure_unchanged(&self) -> Result<()> {
        let Some(planned) = self.extent.filter(|_| self.divided) else { return Ok(()) };
        let counted = self.unchanged.get_or_try_init(async || {
            let rows = self.scan.source.rows(&self.client).filter(self.scan.condition.clone());
            let found = rows.extent().await.map_err(external)?;
            if found == planned {
                return Ok(());
            }
            let text = |number: Option<String>| number.unwrap_or_else(|| "unknown".to_owned());
            let told = |extent: &Extent| {
                let (rows, last) = (extent.rows.map(|rows| rows.to_string()), extent.last.map(|last| last.to_string()));
                format!("rows that match: {}, last row number: {}", text(rows), text(last))
            };
            exec_err!(
                "the table changed since the query was planned: {} had {}, and has {} now; plan it again",
                self.scan.source,
                told(&planned),
                told(&found)
            )
        });
        counted.await.copied()
    }

    /// How many requests the scan takes, where that is known.
    fn requests(&self) -> String {
        match (self.extent.and_then(|extent| extent.rows), self.scan.limit) {
            (Some(rows), None) if self.divided => {
                // Each range is counted, and once it is seen whether the table changed.
                let ranges = self.scan.ranges.iter().filter(|range| !range.is_empty()).count();
                format!("{} to count, and a part of about {} on all machines", ranges + 1, rows.div_ceil(MOST_EXPORTED))
            }
            (Some(0), None) => "1 (while planning)".to_owned(),
            (Some(rows), None) => {
                let partitions = u64::try_from(self.scan.ranges.len()).unwrap_or(1);
                let counts = if partitions > 1 { partitions } else { 0 };
                format!("1 (while planning) and about {}", rows.div_ceil(MOST_EXPORTED).max(partitions) + counts)
            }
            (_, Some(_)) => "1 for a page that holds the rows".to_owned(),
            (None, None) => "not known".to_owned(),
        }
    }
}

impl DisplayAs for RowsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scan = &self.scan;
        let names = leaf::names(&self.schema());
        write!(f, "DatagouvRowsExec: {}, because={}, columns=[{names}]", scan.source, self.because)?;
        write!(f, ", filter={}", scan.condition)?;
        if !scan.orders.is_empty() {
            let orders: Vec<String> = scan.orders.iter().map(ToString::to_string).collect();
            write!(f, ", sort=[{}]", orders.join(", "))?;
        }
        if let Some(limit) = scan.limit {
            write!(f, ", limit={limit}")?;
        }
        if let Some(rows) = self.extent.and_then(|extent| extent.rows) {
            write!(f, ", rows={rows}{}", if self.divided { " on all machines" } else { "" })?;
        }
        if self.divided {
            let bound = |bound: i64| match bound {
                i64::MIN | i64::MAX => String::new(),
                number => number.to_string(),
            };
            let ranges = scan.ranges.iter().filter(|range| !range.is_empty());
            let ranges: Vec<String> =
                ranges.map(|range| format!("{}..={}", bound(*range.start()), bound(*range.end()))).collect();
            write!(f, ", row numbers=[{}]", ranges.join(", "))?;
        }
        for filter in &self.dynamic {
            write!(f, ", when it runs={filter}")?;
        }
        write!(f, ", partitions={}, requests={}", scan.ranges.len(), self.requests())
    }
}

impl ExecutionPlan for RowsExec {
    fn name(&self) -> &'static str {
        "DatagouvRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(&self.dynamic, visit)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        leaf::with_children(self, &children)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(range) = self.scan.ranges.get(partition) else {
            return internal_err!("the scan has no partition {partition}");
        };
        let batch_size = NonZeroUsize::new(context.session_config().batch_size()).unwrap_or(NonZeroUsize::MIN);
        let schema = self.schema();
        if range.is_empty() {
            return Ok(Box::pin(EmptyRecordBatchStream::new(schema)));
        }
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let (exec, range) = (self.clone(), range.clone());
        let batches = async move {
            exec.ensure_unchanged().await?;
            let mut rows = exec.query(&range);
            if !exec.dynamic.is_empty() {
                let filters = Filters { schema: &exec.schema(), alternatives: exec.alternatives };
                let condition = dynamic::condition(filters, &exec.dynamic)?;
                if condition != Condition::all([]) {
                    rows = rows.filter(condition);
                }
            }
            Ok::<_, DataFusionError>(rows.record_batches().batch_size(batch_size).map_err(external))
        };
        let batches = futures_util::stream::once(batches).try_flatten();
        let expected = Arc::clone(&schema);
        let batches = batches.and_then(move |batch| {
            let batch = fitted(&batch, &expected);
            if let Ok(batch) = &batch {
                metrics.record_output(batch.num_rows());
            }
            std::future::ready(batch)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        // How the rows are divided among the partitions is not known.
        let rows = self.rows.filter(|_| args.partition().is_none() || self.scan.ranges.len() == 1);
        Ok(Arc::new(leaf::statistics(&self.schema(), rows)))
    }

    fn fetch(&self) -> Option<usize> {
        self.scan.limit.and_then(|limit| usize::try_from(limit).ok())
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let limit = u64::try_from(limit?).ok()?;
        let scan = Scan { limit: Some(self.scan.limit.map_or(limit, |other| other.min(limit))), ..self.scan.clone() };
        let rows = self.rows.map(|rows| rows.min(usize::try_from(limit).unwrap_or(usize::MAX)));
        Some(Arc::new(Self { scan, rows, metrics: ExecutionPlanMetricsSet::new(), ..self.clone() }))
    }

    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        result: ChildPushdownResult,
        _: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let filters = result.parent_filters;
        let propagation = FilterPushdownPropagation::with_parent_pushdown_result(vec![PushedDown::No; filters.len()]);
        let dynamic = filters.into_iter().map(|filter| filter.filter).filter(is_dynamic);
        let dynamic: Vec<_> = dynamic.collect();
        // Of the first rows, those that match are not the first rows that match.
        if phase != FilterPushdownPhase::Post || self.scan.limit.is_some() || dynamic.is_empty() {
            return Ok(propagation);
        }
        Ok(propagation.with_updated_node(Arc::new(Self { dynamic, ..self.clone() })))
    }
}

/// Whether a filter becomes known when the query runs.
fn is_dynamic(filter: &Arc<dyn PhysicalExpr>) -> bool {
    !matches!(DynamicFilterTracking::classify(filter), DynamicFilterTracking::Static)
}

/// A batch with the schema that was planned: the table may have changed since.
pub(crate) fn fitted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => columns.push(Arc::clone(column)),
            Some(column) => {
                return exec_err!(
                    "the table changed since the query was planned: the column `{}` is now of type {}; plan it again",
                    field.name(),
                    column.data_type()
                );
            }
            None => {
                return exec_err!(
                    "the table changed since the query was planned: it has no column `{}`; plan it again",
                    field.name()
                );
            }
        }
    }
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(DataFusionError::from)
}
