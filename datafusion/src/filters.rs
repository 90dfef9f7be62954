//! Filters of SQL as conditions of the server.
//!
//! A filter keeps the rows for which it is true: false and null are the same to it, but not within `NOT`. A condition is
//! therefore built for the rows where an expression is true, or for those where it is false. Where the server finds more
//! rows than these, and never fewer, DataFusion filters them again.

use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, TimeUnit};
use datafusion::arrow::temporal_conversions::{date32_to_datetime, timestamp_us_to_datetime};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{InList, Like};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use datagouv::rows::{Column, Condition, Exactness, Operand, col};

use crate::types::{ROW_NUMBER, is_json};

/// The condition of a filter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pushed {
    pub condition: Condition,
    /// Whether the server finds exactly the rows that match; more of them otherwise.
    pub exact: bool,
}

/// Converts filters, for a server and a table.
#[derive(Clone, Copy)]
pub(crate) struct Filters<'a> {
    pub schema: &'a Schema,
    /// Whether the server takes alternatives (`or=(…)`).
    pub alternatives: bool,
}

/// The years that the server reads as they are written here.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

impl Filters<'_> {
    /// The condition of a filter, where the server can express it.
    pub(crate) fn push(self, filter: &Expr) -> Option<Pushed> {
        let mut pushed = self.where_it_is(filter, true)?;
        match pushed.condition.exactness() {
            Exactness::Exact => {}
            Exactness::PostFiltered => pushed.exact = false,
            _ => return None,
        }
        Some(pushed)
    }

    /// The rows for which an expression is true, or false.
    fn where_it_is(self, expr: &Expr, wanted: bool) -> Option<Pushed> {
        match expr {
            Expr::Literal(ScalarValue::Boolean(value), _) => Some(constant(*value == Some(wanted))),
            Expr::Literal(ScalarValue::Null, _) => Some(constant(false)),
            Expr::Alias(alias) => self.where_it_is(&alias.expr, wanted),
            Expr::Not(inner) => self.where_it_is(inner, !wanted),
            Expr::Column(_) => Some(exact(self.boolean(expr)?.eq(wanted))),
            Expr::IsTrue(inner) | Expr::IsNotTrue(inner) => {
                let positive = matches!(expr, Expr::IsTrue(_)) == wanted;
                self.is_value(inner, true, positive)
            }
            Expr::IsFalse(inner) | Expr::IsNotFalse(inner) => {
                let positive = matches!(expr, Expr::IsFalse(_)) == wanted;
                self.is_value(inner, false, positive)
            }
            Expr::IsNull(inner) | Expr::IsUnknown(inner) => self.is_null(inner, wanted),
            Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => self.is_null(inner, !wanted),
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => self.both(left, right, wanted, wanted),
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => self.both(left, right, !wanted, wanted),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
                (column @ Expr::Column(_), Expr::Literal(value, _)) => self.compare(column, *op, value, wanted),
                (Expr::Literal(value, _), column @ Expr::Column(_)) => self.compare(column, op.swap()?, value, wanted),
                _ => None,
            },
            Expr::Between(Between { expr, negated, low, high }) => {
                let (Expr::Literal(low, _), Expr::Literal(high, _)) = (low.as_ref(), high.as_ref()) else {
                    return None;
                };
                let wanted = wanted != *negated;
                let low = self.compare(expr, Operator::GtEq, low, wanted)?;
                let high = self.compare(expr, Operator::LtEq, high, wanted)?;
                self.join(low, high, wanted)
            }
            Expr::InList(list) => self.list(list, wanted),
            Expr::Like(like) => self.like(like, wanted),
            _ => None,
        }
    }

    /// `is true` and the like, which are never null.
    fn is_value(self, inner: &Expr, value: bool, positive: bool) -> Option<Pushed> {
        let column = self.boolean(inner)?;
        Some(exact(if positive { column.eq(value) } else { column.is_distinct_from(value) }))
    }

    fn is_null(self, inner: &Expr, null: bool) -> Option<Pushed> {
        let (column, field) = self.column(inner)?;
        Some(match (null, is_json(&field)) {
            (true, false) => exact(column.is_null()),
            (false, false) => exact(column.is_not_null()),
            // The null of JSON is a value to the server, and in pages it cannot be told from the absence of one.
            (false, true) => inexact(column.is_not_null()),
            (true, true) => return None,
        })
    }

    /// Two expressions joined by `and` or `or`. `NOT (a AND b)` is `NOT a OR NOT b`.
    fn both(self, left: &Expr, right: &Expr, and: bool, wanted: bool) -> Option<Pushed> {
        if !and && let Some(list) = self.same_column(left, right, wanted) {
            return Some(list);
        }
        self.join(self.where_it_is(left, wanted)?, self.where_it_is(right, wanted)?, and)
    }

    fn join(self, left: Pushed, right: Pushed, and: bool) -> Option<Pushed> {
        if !and && !self.alternatives {
            return None;
        }
        let exact = left.exact && right.exact;
        let condition = if and { left.condition.and(right.condition) } else { left.condition.or(right.condition) };
        Some(Pushed { condition, exact })
    }

    /// Alternatives that compare one column for equality: a short list, as DataFusion rewrites it.
    fn same_column(self, left: &Expr, right: &Expr, wanted: bool) -> Option<Pushed> {
        fn collect<'a>(expr: &'a Expr, wanted: bool, found: &mut Vec<(&'a Expr, &'a ScalarValue)>) -> Option<()> {
            let (joined, equal) = if wanted { (Operator::Or, Operator::Eq) } else { (Operator::And, Operator::NotEq) };
            match expr {
                Expr::BinaryExpr(BinaryExpr { left, op, right }) if *op == joined => {
                    collect(left, wanted, found)?;
                    collect(right, wanted, found)
                }
                // Null of a list.
                Expr::Literal(value, _) if wanted && value.is_null() => Some(()),
                Expr::BinaryExpr(BinaryExpr { left, op, right }) if *op == equal => {
                    match (left.as_ref(), right.as_ref()) {
                        (column @ Expr::Column(_), Expr::Literal(value, _))
                        | (Expr::Literal(value, _), column @ Expr::Column(_)) => found.push((column, value)),
                        _ => return None,
                    }
                    Some(())
                }
                _ => None,
            }
        }
        let mut found = Vec::new();
        collect(left, wanted, &mut found)?;
        collect(right, wanted, &mut found)?;
        let (column, _) = *found.first()?;
        if found.iter().any(|(other, _)| *other != column) {
            return None;
        }
        self.one_of(column, found.into_iter().map(|(_, value)| value), true)
    }

    fn list(self, list: &InList, wanted: bool) -> Option<Pushed> {
        let values = list.list.iter().map(|item| match item {
            Expr::Literal(value, _) => Some(value),
            _ => None,
        });
        let values = values.collect::<Option<Vec<_>>>()?;
        self.one_of(&list.expr, values.into_iter(), wanted != list.negated)
    }

    /// One of some values, or none of them.
    fn one_of<'a>(
        self,
        column: &Expr,
        values: impl Iterator<Item = &'a ScalarValue>,
        positive: bool,
    ) -> Option<Pushed> {
        let (column, field) = self.column(column)?;
        let mut operands = Vec::new();
        let mut exact = true;
        for value in values {
            if value.is_null() {
                // `x NOT IN (1, NULL)` is false or null.
                if !positive {
                    return Some(constant(false));
                }
                continue;
            }
            let value = operand(&field, value)?;
            // The server takes zero and minus zero for equal.
            if value.zero && !positive {
                return None;
            }
            exact &= !value.zero;
            operands.push(value.operand);
        }
        let condition = if positive { column.is_in(operands) } else { column.is_not_in(operands) };
        Some(Pushed { condition, exact })
    }

    fn compare(self, column: &Expr, operator: Operator, value: &ScalarValue, wanted: bool) -> Option<Pushed> {
        let operator = if wanted { operator } else { operator.negate()? };
        let (column, field) = self.column(column)?;
        if value.is_null() {
            return match operator {
                Operator::IsDistinctFrom => Some(exact(column.is_not_null())),
                Operator::IsNotDistinctFrom => Some(exact(column.is_null())),
                _ => Some(constant(false)),
            };
        }
        let ordered = !matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let Value { operand, zero } = operand(&field, value)?;
        if zero {
            // To the server zero and minus zero are equal, to Arrow the one is greater.
            return match operator {
                Operator::Eq | Operator::IsNotDistinctFrom => Some(inexact(column.eq(operand))),
                Operator::Lt | Operator::LtEq => Some(inexact(column.le(operand))),
                Operator::Gt | Operator::GtEq => Some(inexact(column.ge(operand))),
                _ => None,
            };
        }
        Some(exact(match operator {
            Operator::Eq | Operator::IsNotDistinctFrom => column.eq(operand),
            Operator::NotEq => column.ne(operand),
            Operator::IsDistinctFrom => column.is_distinct_from(operand),
            // The order of texts is that of the database's collation.
            Operator::Lt if ordered => column.lt(operand),
            Operator::LtEq if ordered => column.le(operand),
            Operator::Gt if ordered => column.gt(operand),
            Operator::GtEq if ordered => column.ge(operand),
            _ => return None,
        }))
    }

    /// Patterns of text, which the server searches for without regard to case.
    fn like(self, like: &Like, wanted: bool) -> Option<Pushed> {
        // To leave out more than what matches is no start.
        if like.negated == wanted {
            return None;
        }
        let (column, field) = self.column(&like.expr)?;
        let Expr::Literal(pattern, _) = like.pattern.as_ref() else { return None };
        let pattern = pattern.try_as_str()??;
        if field.data_type() != &DataType::Utf8 || like.escape_char.is_some() || pattern.contains(['\\', '\0']) {
            return None;
        }
        // Which letters are the same but for their case depends on the database, beyond ASCII; `k` and `s` have a third form
        // in Unicode.
        let is_certain = |char: char| !like.case_insensitive || (char.is_ascii() && !"kKsS".contains(char));
        let pattern: String = pattern.chars().map(|char| if is_certain(char) { char } else { '_' }).collect();
        Some(inexact(column.like(format!("%{}%", pattern.trim_matches('%')))))
    }

    fn boolean(self, expr: &Expr) -> Option<Column> {
        let (column, field) = self.column(expr)?;
        (field.data_type() == &DataType::Boolean).then_some(column)
    }

    fn column(self, expr: &Expr) -> Option<(Column, FieldRef)> {
        let Expr::Column(column) = expr else { return None };
        let (_, field) = self.schema.fields().find(&column.name)?;
        Some((col(&column.name), FieldRef::clone(field)))
    }
}

fn constant(holds: bool) -> Pushed {
    exact(if holds { Condition::all([]) } else { Condition::any([]) })
}

fn exact(condition: Condition) -> Pushed {
    Pushed { condition, exact: true }
}

fn inexact(condition: Condition) -> Pushed {
    Pushed { condition, exact: false }
}

/// A value to compare a column with.
struct Value {
    operand: Operand,
    /// Whether it is a zero of a column of decimals.
    zero: bool,
}

/// The value of a literal, if it is of the type of the column and the server reads it as it is.
fn operand(field: &FieldRef, value: &ScalarValue) -> Option<Value> {
    let (operand, zero) = match (field.data_type(), value) {
        // The row numbers are integers of 32 bits in the database, which refuses what does not fit.
        (DataType::UInt64, ScalarValue::UInt64(Some(number))) if field.name() == ROW_NUMBER => {
            (i32::try_from(*number).ok()?.into(), false)
        }
        (DataType::Int64, ScalarValue::Int64(Some(number))) => ((*number).into(), false),
        (DataType::Float64, ScalarValue::Float64(Some(number))) if !number.is_nan() => {
            ((*number).into(), *number == 0.0)
        }
        (DataType::Boolean, ScalarValue::Boolean(Some(value))) => ((*value).into(), false),
        (DataType::Utf8, value) if !is_json(field) => (value.try_as_str()??.into(), false),
        (DataType::Date32, ScalarValue::Date32(Some(days))) => {
            let date = date32_to_datetime(*days)?.date();
            let text = date.format("%Y-%m-%d").to_string();
            (in_range(&text).then_some(text)?.into(), false)
        }
        (DataType::Timestamp(TimeUnit::Microsecond, zone), ScalarValue::TimestampMicrosecond(Some(micros), _)) => {
            let instant = timestamp_us_to_datetime(*micros)?.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
            let offset = if zone.is_some() { "+00:00" } else { "" };
            (in_range(&instant).then(|| format!("{instant}{offset}"))?.into(), false)
        }
        _ => return None,
    };
    Some(Value { operand, zero })
}

/// Whether a date has a year of four digits.
fn in_range(date: &str) -> bool {
    date.split('-').next().and_then(|year| year.parse::<i32>().ok()).is_some_and(|year| YEARS.contains(&year))
}
