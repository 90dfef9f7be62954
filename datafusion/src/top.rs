//! The optimizer's rule for `ORDER BY … LIMIT`.
//!
//! A scan is planned before the sort above it, so that it cannot know that a page is enough. The rule passes it on to the table.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{Expr, LogicalPlan, SortExpr, TableProviderFilterPushDown, TableScan};
use datafusion::optimizer::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::scan::SortKey;
use crate::table::{RowsTable, Top};
use crate::types::sorts_alike;

/// More rows than this are sorted here: the server would give them in many pages.
const MOST: usize = 1_000;

/// Has the server sort where a query needs the first rows of an order alone.
#[derive(Debug)]
pub(crate) struct TopRows;

impl OptimizerRule for TopRows {
    fn name(&self) -> &'static str {
        "datagouv_top_rows"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Sort(sort) = &plan else { return Ok(Transformed::no(plan)) };
        let Some(rows) = sort.fetch.filter(|rows| *rows <= MOST) else { return Ok(Transformed::no(plan)) };
        let keys = sort.expr.iter().map(|order| {
            let Expr::Column(column) = &order.expr else { return None };
            Some((sort.input.schema().maybe_index_of_column(column)?, order))
        });
        let Some(keys) = keys.collect::<Option<Vec<_>>>() else { return Ok(Transformed::no(plan)) };
        match with_top(&sort.input, &keys, rows)? {
            Some(input) => {
                let mut sort = sort.clone();
                sort.input = Arc::new(input);
                Ok(Transformed::yes(LogicalPlan::Sort(sort)))
            }
            None => Ok(Transformed::no(plan)),
        }
    }
}

/// The plan below a sort by some of its columns, with a table that knows of it; `None` where there is no such table, or it
/// knows already.
fn with_top(plan: &LogicalPlan, keys: &[(usize, &SortExpr)], rows: usize) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let below = keys.iter().map(|(index, order)| {
                let mut expr = projection.expr.get(*index)?;
                while let Expr::Alias(alias) = expr {
                    expr = &alias.expr;
                }
                let Expr::Column(column) = expr else { return None };
                Some((projection.input.schema().maybe_index_of_column(column)?, *order))
            });
            let Some(below) = below.collect::<Option<Vec<_>>>() else { return Ok(None) };
            let Some(input) = with_top(&projection.input, &below, rows)? else { return Ok(None) };
            Ok(Some(plan.with_new_exprs(plan.expressions(), vec![input])?))
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let Some(input) = with_top(&alias.input, keys, rows)? else { return Ok(None) };
            Ok(Some(plan.with_new_exprs(plan.expressions(), vec![input])?))
        }
        LogicalPlan::TableScan(scan) => Ok(scan_with_top(scan, keys, rows)),
        _ => Ok(None),
    }
}

fn scan_with_top(scan: &TableScan, keys: &[(usize, &SortExpr)], rows: usize) -> Option<LogicalPlan> {
    let provider = source_as_provider(&scan.source).ok()?;
    let table = provider.downcast_ref::<RowsTable>()?;
    if scan.fetch.is_some() {
        return None;
    }
    let orders = keys.iter().map(|(index, order)| {
        let field = scan.projected_schema.fields().get(*index)?;
        sorts_alike(field).then(|| SortKey {
            column: field.name().clone(),
            descending: !order.asc,
            nulls_first: order.nulls_first,
        })
    });
    let top = Top { orders: orders.collect::<Option<Vec<_>>>()?, rows };
    let exact = |filter: &Expr| {
        let pushdown = datafusion::catalog::TableProvider::supports_filters_pushdown(table, &[filter]);
        matches!(pushdown.as_deref(), Ok([TableProviderFilterPushDown::Exact]))
    };
    if table.top.as_ref() == Some(&top) || !scan.filters.iter().all(exact) {
        return None;
    }
    let table = RowsTable { top: Some(top), ..table.clone() };
    Some(LogicalPlan::TableScan(TableScan { source: provider_as_source(Arc::new(table)), ..scan.clone() }))
}
