//! Resources and metrics as tables of DataFusion.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result, exec_err};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datagouv::Client;
use datagouv::rows::{Condition, Exactness};

use crate::computed::{Computation, ComputedExec};
use crate::error::external;
use crate::filters::{Filters, Pushed};
use crate::groups_table::Aggregating;
use crate::options::Options;
use crate::parquet::{Copies, used};
use crate::scan::{NOTHING, RowsExec, Scan, SortKey};
use crate::source::Source;
use crate::types::ROW_NUMBER;

/// A limit of more rows is read as a whole table is.
const MOST_LIMITED: u64 = 10_000;

/// So few rows are read from the server, which has found them, and not from a Parquet copy, whose columns come whole.
const FEW: u64 = 5_000;

/// The first rows of an order, which are all that a query needs of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Top {
    pub orders: Vec<SortKey>,
    pub rows: usize,
}

/// A resource of the tabular API, or a model of the metrics API, as a table; made by [`table`](crate::table) and by the
/// table functions.
#[derive(Clone, Debug)]
pub struct RowsTable {
    pub(crate) client: Client,
    pub(crate) source: Source,
    pub(crate) schema: SchemaRef,
    pub(crate) options: Options,
    /// Set by the optimizer.
    pub(crate) top: Option<Top>,
    pub(crate) copies: Copies,
    pub(crate) aggregating: Aggregating,
    /// Why the groups of a query are not those of the server, where it was asked for them.
    pub(crate) ungrouped: Option<String>,
}

/// The request of a scan, after the filters were converted.
struct Asked {
    /// The columns of the result, by their places in the table.
    columns: Vec<usize>,
    condition: Condition,
    /// Whether the server finds exactly the rows that match all filters.
    exact: bool,
    /// The filters that the server does not get.
    residual: Vec<Expr>,
    limit: Option<u64>,
}

impl RowsTable {
    pub(crate) async fn open(
        client: &Client,
        source: Source,
        options: &Options,
        aggregating: Aggregating,
    ) -> datagouv::Result<Self> {
        let mut schema = source.rows(client).schema().await?;
        if options.row_numbers && matches!(source, Source::Resource(_)) {
            let number = Arc::new(Field::new(ROW_NUMBER, DataType::UInt64, true));
            let fields = std::iter::once(number).chain(schema.fields().iter().cloned());
            schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        }
        let (client, options, copies) = (client.clone(), options.clone(), Copies::default());
        Ok(Self { client, source, schema, options, top: None, copies, aggregating, ungrouped: None })
    }

    pub(crate) fn filters(&self) -> Filters<'_> {
        Filters { schema: &self.schema, alternatives: self.options.alternatives }
    }

    /// Divides the filters into what the server gets, and what is left.
    fn ask(&self, projection: Option<&Vec<usize>>, filters: &[Expr], limit: Option<usize>) -> Asked {
        let columns = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let limit = limit.and_then(|limit| u64::try_from(limit).ok());
        let mut asked = Asked { columns, condition: Condition::all([]), exact: true, residual: Vec::new(), limit };
        for filter in filters {
            match self.filters().push(filter) {
                Some(Pushed { condition, exact }) => {
                    let all = asked.condition.clone().and(condition);
                    // Together they may be longer than a request can be.
                    match all.exactness() {
                        Exactness::Exact | Exactness::PostFiltered => {
                            asked.condition = all;
                            asked.exact &= exact;
                        }
                        _ => asked.residual.push(filter.clone()),
                    }
                }
                None => asked.residual.push(filter.clone()),
            }
        }
        asked
    }

    /// The condition of some filters, if the server finds exactly the rows that match all of them.
    pub(crate) fn exact_condition(&self, filters: &[Expr]) -> Option<Condition> {
        let asked = self.ask(None, filters, None);
        (asked.exact && asked.residual.is_empty()).then_some(asked.condition)
    }

    fn scan_of(&self, asked: &Asked, columns: Vec<usize>) -> Scan {
        Scan {
            source: self.source.clone(),
            columns,
            condition: asked.condition.clone(),
            orders: Vec::new(),
            limit: None,
            ranges: vec![i64::MIN..=i64::MAX],
        }
    }
}

#[async_trait]
impl TableProvider for RowsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let filters = filters.iter().map(|filter| match self.filters().push(filter) {
            Some(Pushed { exact: true, .. }) => TableProviderFilterPushDown::Exact,
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        });
        Ok(filters.collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let asked = self.ask(projection, filters, limit);
        if !asked.residual.is_empty() {
            return self.filtered_scan(state, projection, filters, asked).await;
        }
        if asked.columns.is_empty() && asked.exact && self.top.is_none() {
            return self.count(asked).await;
        }
        if let Some(top) = self.top.as_ref().filter(|_| asked.exact) {
            let scan = Scan {
                orders: top.orders.clone(),
                limit: u64::try_from(top.rows).ok(),
                ..self.scan_of(&asked, asked.columns.clone())
            };
            return self.rows(scan, "the first rows of an order that the server has: a page or a few");
        }
        if let Some(limit) = asked.limit.filter(|limit| *limit <= MOST_LIMITED) {
            let scan = Scan { limit: Some(limit), ..self.scan_of(&asked, asked.columns.clone()) };
            return self.rows(scan, "a limit of few rows: a page or a few");
        }
        self.whole(state, filters, asked).await
    }
}

impl RowsTable {
    /// The number of rows, with one request.
    async fn count(&self, asked: Asked) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = self.source.rows(&self.client).filter(asked.condition.clone());
        let count = rows.count().await.map_err(external)?;
        let count = asked.limit.map_or(count, |limit| limit.min(count));
        let Ok(rows) = usize::try_from(count) else { return exec_err!("{count} rows are too many for this machine") };
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
        let description = format!(
            "{}, filter={}, rows={rows}, because=the server counts, requests=1 (while planning)",
            self.source, asked.condition
        );
        Ok(Arc::new(ComputedExec::new(Computation::Count, description, batch)))
    }

    /// All rows that match: from the Parquet copy, or in windows.
    async fn whole(&self, state: &dyn Session, filters: &[Expr], asked: Asked) -> Result<Arc<dyn ExecutionPlan>> {
        let mut columns = used(&self.schema, filters);
        columns.extend(&asked.columns);
        let copy = self.copies.holding(self, &columns).await;
        let copy = match copy {
            // Without a filter, nothing is to be counted.
            Ok(copy) if filters.is_empty() => return copy.scan(self, state, &asked.columns, filters),
            copy => copy,
        };
        let rows = self.source.rows(&self.client).filter(asked.condition.clone());
        let extent = rows.extent().await.map_err(external)?;
        let because = match copy {
            Ok(_) if extent.rows.is_some_and(|rows| rows <= FEW) => "the filter leaves few rows".to_owned(),
            Ok(copy) => return copy.scan(self, state, &asked.columns, filters),
            Err(because) => because,
        };
        let most = NonZeroUsize::new(state.config().target_partitions()).unwrap_or(NonZeroUsize::MIN);
        let ranges = match extent.rows {
            Some(0) => vec![NOTHING],
            _ => extent.ranges(most.min(self.options.partitions)),
        };
        let because = self.because(because);
        let columns = asked.columns.clone();
        let scan = Scan { ranges, limit: asked.limit, ..self.scan_of(&asked, columns) };
        let exec = RowsExec::new(self.client.clone(), scan, &self.schema, self.options.alternatives, because)?;
        let exec = exec.with_extent(extent);
        let known = extent.rows.filter(|_| asked.exact && asked.limit.is_none());
        Ok(Arc::new(match known.and_then(|rows| usize::try_from(rows).ok()) {
            Some(rows) => exec.with_rows(rows),
            None => exec,
        }))
    }

    fn rows(&self, scan: Scan, because: &str) -> Result<Arc<dyn ExecutionPlan>> {
        let alternatives = self.options.alternatives;
        let because = self.because(because.to_owned());
        Ok(Arc::new(RowsExec::new(self.client.clone(), scan, &self.schema, alternatives, because)?))
    }

    /// Why rows are read as they are, and not groups.
    fn because(&self, because: String) -> String {
        match &self.ungrouped {
            Some(reason) => format!("{because}; grouped here: {reason}"),
            None => because,
        }
    }

    /// A scan whose result is filtered here, though the plan says that the server does it: all conditions
    /// together are too long for a request, or the optimizer has rewritten one since.
    async fn filtered_scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        asked: Asked,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let residual: Vec<Expr> = asked.residual;
        let pushed: Vec<Expr> = filters.iter().filter(|filter| !residual.contains(filter)).cloned().collect();
        let all = Self { top: None, ..self.clone() };
        let wanted = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let mut read = wanted.clone();
        read.extend(used(&self.schema, &residual).into_iter().filter(|index| !wanted.contains(index)));
        let input = Box::pin(all.scan(state, Some(&read), &pushed, None)).await?;
        let columns = DFSchema::try_from(self.schema.project(&read)?)?;
        let Some(predicate) = conjunction(residual) else { return Ok(input) };
        let predicate = state.create_physical_expr(predicate, &columns)?;
        let filtered: Arc<dyn ExecutionPlan> = Arc::new(FilterExec::try_new(predicate, input)?);
        if read.len() == wanted.len() {
            return Ok(filtered);
        }
        project(filtered, &(0..wanted.len()).collect::<Vec<_>>())
    }
}

/// Some columns of a plan.
pub(crate) fn project(input: Arc<dyn ExecutionPlan>, columns: &[usize]) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let columns = columns.iter().map(|index| {
        let field = schema.field(*index);
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), *index));
        ProjectionExpr::new(column, field.name().clone())
    });
    Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), input)?))
}
