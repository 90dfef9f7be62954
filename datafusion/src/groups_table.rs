//! The groups of a table, which the server computes while the query is planned.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::kernels::numeric::div;
use datafusion::arrow::compute::{cast, concat_batches, sum};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Aggregate, Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datagouv::rows::{Row, Rows, col};
use datagouv::tabular::types::AggregationExceptions;
use futures_util::TryStreamExt;
use tokio::sync::OnceCell;

use crate::computed::{Computation, ComputedExec};
use crate::error::external;
use crate::groups::{Grouping, Operator, Output, with_table};
use crate::parquet::used;
use crate::source::Source;
use crate::table::RowsTable;
use crate::types::ROW_NUMBER;

/// More groups than this are made here: the server groups all rows again for each page.
const MOST: u64 = 199;

/// Fewer groups than this come in one page, whatever the server's largest: one moment of the table.
const ONE_PAGE: usize = 50;

/// The resources that the server aggregates, once they are known.
pub(crate) type Aggregating = Arc<OnceCell<AggregationExceptions>>;

/// The groups of a table.
#[derive(Debug)]
pub(crate) struct GroupsTable {
    pub table: RowsTable,
    /// All of them are exact.
    pub filters: Vec<Expr>,
    pub grouping: Grouping,
    pub schema: SchemaRef,
    /// The aggregation as it is without the server's groups.
    pub original: Arc<Aggregate>,
}

/// Groups as they came, or why they are not used.
type Groups = std::result::Result<RecordBatch, String>;

#[async_trait]
impl TableProvider for GroupsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let exec = match self.groups().await? {
            Ok(exec) => exec,
            Err(reason) => {
                let plan = self.ungrouped(state, reason).await?;
                return match projection {
                    Some(columns) => crate::table::project(plan, columns),
                    None => Ok(plan),
                };
            }
        };
        let exec = match projection {
            Some(columns) => exec.project(columns)?,
            None => exec,
        };
        Ok(Arc::new(exec))
    }
}

impl GroupsTable {
    /// The aggregation over the rows.
    async fn ungrouped(&self, state: &dyn Session, reason: String) -> Result<Arc<dyn ExecutionPlan>> {
        let table = RowsTable { ungrouped: Some(reason), ..self.table.clone() };
        let plan = with_table(&self.original, &table)?;
        let planner = DefaultPhysicalPlanner::default();
        // The whole plan is optimized later.
        match state.as_any().downcast_ref::<SessionState>() {
            Some(state) => {
                let builder = SessionStateBuilder::new_from_existing(state.clone());
                let state = builder.with_physical_optimizer_rules(Vec::new()).build();
                planner.create_physical_plan(&plan, &state).await
            }
            None => planner.create_physical_plan(&plan, state).await,
        }
    }

    async fn groups(&self) -> Result<std::result::Result<ComputedExec, String>> {
        let table = &self.table;
        let mut columns = used(&table.schema, &self.filters);
        columns.extend(self.grouping.columns().into_iter().filter_map(|name| table.schema.index_of(name).ok()));
        if table.copies.holding(table, &columns).await.is_ok() {
            return Ok(Err("the Parquet copy is faster".to_owned()));
        }
        if let Err(reason) = self.allowed().await {
            return Ok(Err(reason));
        }
        let Some(condition) = table.exact_condition(&self.filters) else {
            return Ok(Err("the filters are too long for a request".to_owned()));
        };
        let rows = table.source.rows(&table.client).filter(condition.clone());
        let (groups, requests) = match self.read(&rows).await {
            Ok(groups) => groups,
            Err(error) => return refused(error).map(Err),
        };
        let groups = groups.and_then(|groups| self.result(&groups));
        Ok(groups.map(|batch| {
            let description = format!(
                "{}, because=the server groups, filter={condition}, {}, groups={}, requests={requests} (while planning)",
                table.source,
                self.grouping,
                batch.num_rows()
            );
            ComputedExec::new(Computation::Groups, description, batch)
        }))
    }

    /// Whether the server aggregates the rows of the table.
    async fn allowed(&self) -> std::result::Result<(), String> {
        let Source::Resource(id) = &self.table.source else { return Ok(()) };
        let client = &self.table.client;
        let known = self.table.aggregating.get_or_try_init(async || {
            Ok::<_, datagouv::Error>(client.tabular().get_aggregation_exceptions().send().await?.into_inner())
        });
        match known.await {
            Ok(known) if known.allows(id) => Ok(()),
            Ok(_) => Err("the resource is not on the server's list".to_owned()),
            Err(error) => Err(format!("whether the resource is on the server's list is not known: {error}")),
        }
    }

    /// The server's groups, and how many requests they took.
    async fn read(&self, rows: &Rows<Row>) -> datagouv::Result<(Groups, String)> {
        // Where only columns with an index are aggregated, rows have none to be counted by.
        let numbered = matches!(self.table.source, Source::Resource(_));
        match self.request(rows, numbered).await {
            Err(error) if numbered && error.is_aggregation_refused() && !self.grouping.counts_rows() => {
                let (groups, requests) = self.request(rows, false).await?;
                Ok((groups, format!("1, and {requests}")))
            }
            groups => groups,
        }
    }

    async fn request(&self, rows: &Rows<Row>, numbered: bool) -> datagouv::Result<(Groups, String)> {
        let by = &self.grouping.by;
        let mut aggregates = self.grouping.aggregates();
        // Rows are counted by a column, by which pages are seen to be of one version of the table. Without an aggregate, the
        // server does not group.
        let counted = if numbered { Some(ROW_NUMBER) } else { by.first().map(String::as_str) };
        aggregates.extend(counted.map(|column| (Operator::Count, column)));
        let aggregates = aggregates.into_iter().map(|(operator, column)| operator.of(column));
        let groups = rows.clone().group_by(by).aggregate(aggregates).limit(MOST + 1);
        let mut batches = groups.record_batches();
        let schema = batches.schema().await?;
        let batches: Vec<RecordBatch> = batches.try_collect().await?;
        let Ok(batch) = concat_batches(&schema, &batches) else {
            return Ok((Err("the groups have no schema".to_owned()), String::new()));
        };
        let found = batch.num_rows();
        if u64::try_from(found).is_ok_and(|found| found > MOST) {
            return Ok((Err(format!("there are more than {MOST} groups")), String::new()));
        }
        if found < ONE_PAGE {
            return Ok((Ok(batch), "1".to_owned()));
        }
        // A table that changed between two pages has other rows.
        let counts = counted.and_then(|column| batch.column_by_name(&Operator::Count.column(column)));
        let sum = counts.and_then(|counts| counts.as_primitive_opt::<Int64Type>()).and_then(sum);
        let total = match counted {
            Some(column) if !numbered => rows.clone().filter(col(column).is_not_null()).count().await?,
            _ => rows.count().await?,
        };
        let has_null = by.first().is_some_and(|name| batch.column_by_name(name).is_some_and(|by| by.null_count() > 0));
        if sum.and_then(|sum| u64::try_from(sum).ok()) != Some(total) || (!numbered && has_null) {
            return Ok((Err("the pages of groups are not of one version of the table".to_owned()), String::new()));
        }
        Ok((Ok(batch), format!("at most {}", found / ONE_PAGE + 2)))
    }

    /// The columns of the result.
    fn result(&self, groups: &RecordBatch) -> Groups {
        let column = |name: &str| {
            let column = groups.column_by_name(name).cloned();
            column.ok_or_else(|| format!("the server did not send the column `{name}`"))
        };
        let aggregate = |operator: Operator, name: &str| {
            let values = column(&operator.column(name))?;
            if operator == Operator::Count && values.null_count() > 0 {
                return Err(format!("the server did not count `{name}` in each group"));
            }
            Ok(values)
        };
        let columns = self.grouping.outputs.iter().map(|output| match output {
            Output::Group(name) => column(name),
            Output::Rows => aggregate(Operator::Count, ROW_NUMBER),
            Output::Average(name) => {
                let [sums, counts] = [aggregate(Operator::Sum, name)?, aggregate(Operator::Count, name)?]
                    .map(|values| cast(&values, &DataType::Float64));
                let divided = sums.and_then(|sums| div(&sums, &counts?));
                divided.map_err(|error| error.to_string())
            }
            Output::Aggregate(operator, name) => {
                let values = aggregate(*operator, name)?;
                match (operator, values.as_primitive_opt::<Float64Type>()) {
                    (Operator::Min | Operator::Max, Some(decimals)) if decimals.iter().flatten().any(f64::is_nan) => {
                        Err(format!("`{name}` has NaN, which the server sorts otherwise"))
                    }
                    // A sum here begins with zero, so that it is never minus zero.
                    (Operator::Sum, Some(decimals)) => {
                        Ok(Arc::new(decimals.unary::<_, Float64Type>(|sum| sum + 0.0)) as ArrayRef)
                    }
                    _ => Ok(values),
                }
            }
        });
        let columns = columns.collect::<std::result::Result<Vec<ArrayRef>, String>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|error| error.to_string())
    }
}

/// Why the server has no groups of a query whose rows it may have; other errors are those of the query.
fn refused(error: datagouv::Error) -> Result<String> {
    let is_refused = error.status().is_some_and(|status| status.is_client_error() && status != 429 && status != 401);
    if is_refused || error.is_request() || error.is_decode() {
        return Ok(format!("the server's groups cannot be used: {error}"));
    }
    Err(external(error))
}
