//! What the execution plans of this crate have in common: they are leaves, since they read from servers.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::stats::Precision;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::{ExecutionPlan, Partitioning, PlanProperties};

/// The properties of a plan whose rows are divided among partitions in no known way.
pub(crate) fn properties(equivalences: EquivalenceProperties, partitions: usize) -> PlanProperties {
    let partitioning = Partitioning::UnknownPartitioning(partitions);
    PlanProperties::new(equivalences, partitioning, EmissionType::Incremental, Boundedness::Bounded)
}

/// Statistics with the number of rows, if it is known.
pub(crate) fn statistics(schema: &Schema, rows: Option<usize>) -> Statistics {
    let num_rows = rows.map_or(Precision::Absent, Precision::Exact);
    Statistics { num_rows, ..Statistics::new_unknown(schema) }
}

/// The names of columns, as `EXPLAIN` shows them.
pub(crate) fn names(schema: &Schema) -> String {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    names.join(", ")
}

/// The leaf itself, which can have no other children than none.
pub(crate) fn with_children(
    leaf: Arc<dyn ExecutionPlan>,
    children: &[Arc<dyn ExecutionPlan>],
) -> Result<Arc<dyn ExecutionPlan>> {
    if children.is_empty() { Ok(leaf) } else { internal_err!("`{}` has no children", leaf.name()) }
}
