//! The optimizer's rule for `GROUP BY`: groups that the server computes.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, TableReference};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{
    Aggregate, Cast, Expr, LogicalPlan, Projection, TableProviderFilterPushDown, TableScan, TableScanBuilder,
};
use datafusion::optimizer::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use datagouv::rows;

use crate::groups_table::GroupsTable;
use crate::table::RowsTable;
use crate::types::{ROW_NUMBER, is_json};

/// The database cuts longer names of columns, those of aggregates too.
const LONGEST_NAME: usize = 63;

/// Has the server group the rows of a table, where it does so as DataFusion does.
#[derive(Debug)]
pub(crate) struct GroupRows;

impl OptimizerRule for GroupRows {
    fn name(&self) -> &'static str {
        "datagouv_group_rows"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        let Some(table) = grouped(aggregate) else { return Ok(Transformed::no(plan)) };
        Ok(Transformed::yes(scan_of(table, aggregate)?))
    }
}

/// An aggregate function that the server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operator {
    Count,
    Sum,
    Min,
    Max,
}

impl Operator {
    fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    pub(crate) fn of(self, column: &str) -> rows::Aggregate {
        match self {
            Self::Count => rows::count(column),
            Self::Sum => rows::sum(column),
            Self::Min => rows::min(column),
            Self::Max => rows::max(column),
        }
    }

    /// The name that the server gives to the column of an aggregate.
    pub(crate) fn column(self, of: &str) -> String {
        format!("{of}__{}", self.name())
    }
}

/// A column of a grouped result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Output {
    Group(String),
    /// `count(*)`.
    Rows,
    Aggregate(Operator, String),
    /// The server's mean of integers has too few digits to be rounded as DataFusion's is: it is the sum by the count.
    Average(String),
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(column) => f.write_str(column),
            Self::Rows => f.write_str("count(*)"),
            Self::Aggregate(operator, column) => write!(f, "{}({column})", operator.name()),
            Self::Average(column) => write!(f, "sum({column}) / count({column})"),
        }
    }
}

/// What a query groups by, and the columns of its result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Grouping {
    pub by: Vec<String>,
    pub outputs: Vec<Output>,
}

impl Grouping {
    /// The aggregates that are requested, but the number of rows.
    pub(crate) fn aggregates(&self) -> BTreeSet<(Operator, &str)> {
        let each = self.outputs.iter().flat_map(|output| match output {
            Output::Group(_) | Output::Rows => [None, None],
            Output::Aggregate(operator, column) => [Some((*operator, column.as_str())), None],
            Output::Average(column) => {
                [Some((Operator::Sum, column.as_str())), Some((Operator::Count, column.as_str()))]
            }
        });
        each.flatten().collect()
    }

    pub(crate) fn counts_rows(&self) -> bool {
        self.outputs.contains(&Output::Rows)
    }

    /// The columns of the table that are read.
    pub(crate) fn columns(&self) -> BTreeSet<&str> {
        let aggregated = self.aggregates().into_iter().map(|(_, column)| column);
        self.by.iter().map(String::as_str).chain(aggregated).collect()
    }

    /// Whether the server gives each column of its result a name of its own, and that name.
    fn has_distinct_names(&self) -> bool {
        let counted = [Some(ROW_NUMBER), self.by.first().map(String::as_str)].into_iter().flatten();
        let mut aggregates = self.aggregates();
        aggregates.extend(counted.map(|column| (Operator::Count, column)));
        let aggregates = aggregates.into_iter().map(|(operator, column)| operator.column(column));
        let names: Vec<String> = self.by.iter().cloned().chain(aggregates).collect();
        let distinct: BTreeSet<&String> = names.iter().collect();
        distinct.len() == names.len() && names.iter().all(|name| name.len() <= LONGEST_NAME)
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let aggregates = self.outputs.iter().filter(|output| !matches!(output, Output::Group(_)));
        let aggregates: Vec<String> = aggregates.map(ToString::to_string).collect();
        write!(f, "group by=[{}], aggregates=[{}]", self.by.join(", "), aggregates.join(", "))
    }
}

/// The table of an aggregation that the server can compute; `None` for others.
fn grouped(aggregate: &Aggregate) -> Option<GroupsTable> {
    let scan = scan_below(&aggregate.input)?;
    let provider = source_as_provider(&scan.source).ok()?;
    let table = provider.downcast_ref::<RowsTable>()?;
    if !table.options.groups || table.ungrouped.is_some() || table.top.is_some() || scan.fetch.is_some() {
        return None;
    }
    let exact = |filter: &Expr| {
        let pushdown = datafusion::catalog::TableProvider::supports_filters_pushdown(table, &[filter]);
        matches!(pushdown.as_deref(), Ok([TableProviderFilterPushDown::Exact]))
    };
    if !scan.filters.iter().all(exact) {
        return None;
    }
    let field = |expr: &Expr| {
        let Expr::Column(column) = expr else { return None };
        let name = name_below(&aggregate.input, aggregate.input.schema().maybe_index_of_column(column)?)?;
        let (_, field) = table.schema.fields().find(name)?;
        Some(FieldRef::clone(field))
    };
    let mut by: Vec<String> = Vec::new();
    let mut outputs = Vec::new();
    for expr in &aggregate.group_expr {
        let field = field(unaliased(expr)).filter(groups_alike)?;
        outputs.push(Output::Group(field.name().clone()));
        if !by.contains(field.name()) {
            by.push(field.name().clone());
        }
    }
    for expr in &aggregate.aggr_expr {
        let Expr::AggregateFunction(function) = unaliased(expr) else { return None };
        outputs.push(aggregated(function, field)?);
    }
    let grouping = Grouping { by, outputs };
    // Not all rows of metrics have a number to be counted by.
    let counts_rows = grouping.counts_rows() && !matches!(table.source, crate::source::Source::Resource(_));
    let only_counts = grouping.by.is_empty() && grouping.outputs.iter().all(|output| *output == Output::Rows);
    if grouping.outputs.len() != aggregate.schema.fields().len()
        || counts_rows
        || only_counts
        || !grouping.has_distinct_names()
    {
        return None;
    }
    let schema = Arc::new(Schema::new(aggregate.schema.fields().clone()));
    let filters = scan.filters.clone();
    Some(GroupsTable { table: table.clone(), filters, grouping, schema, original: Arc::new(aggregate.clone()) })
}

/// A scan of the groups, whose columns have the names that those of the aggregation have.
fn scan_of(table: GroupsTable, aggregate: &Aggregate) -> Result<LogicalPlan> {
    // Scans are compared by their names, and not by what they read.
    let mut hasher = DefaultHasher::new();
    (&table.table.source, &table.grouping, format!("{:?}", table.filters)).hash(&mut hasher);
    let name = TableReference::bare(format!("groups of {} ({:016x})", table.table.source, hasher.finish()));
    let scan = TableScanBuilder::new(name.clone(), provider_as_source(Arc::new(table))).build()?;
    let columns = aggregate.schema.iter().map(|(relation, field)| {
        let column = Expr::Column(Column::new(Some(name.clone()), field.name()));
        column.alias_qualified(relation.cloned(), field.name())
    });
    Ok(LogicalPlan::Projection(Projection::try_new(columns.collect(), Arc::new(LogicalPlan::TableScan(scan)))?))
}

/// The aggregation over a table in another state.
pub(crate) fn with_table(aggregate: &Aggregate, table: &RowsTable) -> Result<LogicalPlan> {
    let source = provider_as_source(Arc::new(table.clone()));
    let plan = LogicalPlan::Aggregate(aggregate.clone()).transform_down(|plan| {
        Ok(match plan {
            LogicalPlan::TableScan(scan) => {
                let scan = TableScan { source: Arc::clone(&source), ..scan };
                Transformed::new(LogicalPlan::TableScan(scan), true, TreeNodeRecursion::Jump)
            }
            plan => Transformed::no(plan),
        })
    })?;
    Ok(plan.data)
}

fn aggregated(function: &AggregateFunction, field: impl Fn(&Expr) -> Option<FieldRef>) -> Option<Output> {
    let AggregateFunctionParams { args, distinct: false, filter: None, order_by, null_treatment: None } =
        &function.params
    else {
        return None;
    };
    let ([argument], []) = (args.as_slice(), order_by.as_slice()) else { return None };
    match (function.func.name(), argument) {
        ("count", Expr::Literal(value, _)) => (!value.is_null()).then_some(Output::Rows),
        ("count", argument) => {
            let field = field(argument).filter(|field| !is_json(field) && field.name() != ROW_NUMBER)?;
            Some(Output::Aggregate(Operator::Count, field.name().clone()))
        }
        ("sum", argument) => {
            let field = field(argument).filter(|field| is_number(field))?;
            Some(Output::Aggregate(Operator::Sum, field.name().clone()))
        }
        ("avg", argument) => {
            // Integers are averaged as decimals.
            let column = match argument {
                Expr::Cast(Cast { expr, field }) if field.data_type() == &DataType::Float64 => expr.as_ref(),
                argument => argument,
            };
            Some(Output::Average(field(column).filter(|field| is_number(field))?.name().clone()))
        }
        (name @ ("min" | "max"), argument) => {
            let field = field(argument).filter(compares_alike)?;
            let operator = if name == "min" { Operator::Min } else { Operator::Max };
            Some(Output::Aggregate(operator, field.name().clone()))
        }
        _ => None,
    }
}

fn is_number(field: &Field) -> bool {
    matches!(field.data_type(), DataType::Int64 | DataType::Float64)
}

/// Whether the server takes the same values of a column for equal. To Arrow zero and minus zero are two decimals, and the
/// server does not compare JSON.
fn groups_alike(field: &FieldRef) -> bool {
    !is_json(field)
        && matches!(
            field.data_type(),
            DataType::Utf8 | DataType::Int64 | DataType::Boolean | DataType::Date32 | DataType::Timestamp(_, _)
        )
}

/// Whether the server finds the same least and greatest values. The order of texts is that of the database's collation, and
/// it has none of booleans. Where decimals are NaN, the groups are not used.
fn compares_alike(field: &FieldRef) -> bool {
    matches!(field.data_type(), DataType::Int64 | DataType::Float64 | DataType::Date32 | DataType::Timestamp(_, _))
}

fn unaliased(mut expr: &Expr) -> &Expr {
    while let Expr::Alias(alias) = expr {
        expr = &alias.expr;
    }
    expr
}

/// The scan below what only names columns.
fn scan_below(plan: &LogicalPlan) -> Option<&TableScan> {
    match plan {
        LogicalPlan::Projection(projection) => scan_below(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => scan_below(&alias.input),
        LogicalPlan::TableScan(scan) => Some(scan),
        _ => None,
    }
}

/// The name that a column has in the table.
fn name_below(plan: &LogicalPlan, index: usize) -> Option<&str> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let Expr::Column(column) = unaliased(projection.expr.get(index)?) else { return None };
            name_below(&projection.input, projection.input.schema().maybe_index_of_column(column)?)
        }
        LogicalPlan::SubqueryAlias(alias) => name_below(&alias.input, index),
        LogicalPlan::TableScan(scan) => Some(scan.projected_schema.fields().get(index)?.name()),
        _ => None,
    }
}
