//! Filters that are known when a query runs: the keys of the smaller side of a join.

use std::sync::Arc;

use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr as PhysicalBinary, Column as PhysicalColumn, InListExpr, Literal,
};
use datafusion::physical_expr::utils::split_conjunction;
use datafusion::physical_expr_common::physical_expr::snapshot_physical_expr;
use datagouv::rows::{Condition, Exactness};

use crate::filters::Filters;

/// The part of the filters, as they are now, that the server can apply. It finds no fewer rows than match: the join looks at them
/// again.
pub(crate) fn condition(filters: Filters<'_>, dynamic: &[Arc<dyn PhysicalExpr>]) -> Result<Condition> {
    let mut condition = Condition::all([]);
    for filter in dynamic {
        let now = snapshot_physical_expr(Arc::clone(filter))?;
        for part in split_conjunction(&now) {
            let Some(pushed) = logical(part).and_then(|part| filters.push(&part)) else { continue };
            let all = condition.clone().and(pushed.condition);
            if all.exactness() == Exactness::Exact {
                condition = all;
            }
        }
    }
    Ok(condition)
}

/// The comparisons of columns with values, as they stand in a query.
fn logical(expr: &Arc<dyn PhysicalExpr>) -> Option<Expr> {
    if let Some(column) = expr.downcast_ref::<PhysicalColumn>() {
        return Some(Expr::Column(datafusion::common::Column::new_unqualified(column.name())));
    }
    if let Some(literal) = expr.downcast_ref::<Literal>() {
        // A column may be of 32 bits in the database, which refuses to compare it with more. Nobody has written this value.
        if let ScalarValue::Int64(Some(number)) = literal.value()
            && i32::try_from(*number).is_err()
        {
            return None;
        }
        return Some(Expr::Literal(literal.value().clone(), None));
    }
    if let Some(binary) = expr.downcast_ref::<PhysicalBinary>() {
        let (left, right) = (logical(binary.left())?, logical(binary.right())?);
        return Some(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), *binary.op(), Box::new(right))));
    }
    let list = expr.downcast_ref::<InListExpr>()?;
    let items = list.list().iter().map(logical).collect::<Option<Vec<_>>>()?;
    Some(Expr::InList(InList::new(Box::new(logical(list.expr())?), items, list.negated())))
}
