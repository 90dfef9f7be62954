//! Aggregated results: groups of rows, and their aggregates.

use std::cmp::Ordering;

use super::database_error::DatabaseError;
use super::decimal::Decimal;
use super::expression::{Database, Expression, compare, default_name, in_order, without_nul};
use super::statement::{Aggregate, Field, Order, Selection};
use super::table::Table;
use super::value::{Datum, Kind};
use crate::sort::sort_by;

/// How a result is computed from groups of rows.
#[derive(Debug)]
pub(crate) struct Plan {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    name: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// A column that the rows are grouped by.
    Group {
        field: Field,
        expression: Expression,
    },
    Aggregate(Aggregate, Expression),
    CountOfRows,
}

impl Plan {
    pub(crate) fn new(database: Database<'_>, results: &[Selection]) -> Result<Self, DatabaseError> {
        let mut columns = Vec::new();
        for selection in results {
            columns.push(match selection {
                Selection::All => {
                    let message = format!("column \"{}.*\" must appear in the GROUP BY clause", database.relation);
                    return Err(DatabaseError::of("42803", message));
                }
                Selection::CountOfRows { alias } => {
                    let name = alias.as_deref().map_or_else(|| "count".to_owned(), without_nul);
                    Column { name, source: Source::CountOfRows }
                }
                Selection::Value { field, cast, aggregate, alias } => {
                    let expression = database.cast(field, cast.as_deref())?;
                    match aggregate {
                        Some(aggregate) => {
                            check(*aggregate, expression.result())?;
                            let name = alias.as_deref().map_or_else(|| aggregate.name().to_owned(), without_nul);
                            Column { name, source: Source::Aggregate(*aggregate, expression) }
                        }
                        None => {
                            let name = alias.as_deref().map_or_else(|| default_name(field), without_nul);
                            Column { name, source: Source::Group { field: field.clone(), expression } }
                        }
                    }
                }
            });
        }
        Ok(Self { columns })
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// Groups are sorted by grouping columns only, and grouping columns must have comparable types.
    pub(crate) fn check_order(&self, database: Database<'_>, order: &[Order]) -> Result<(), DatabaseError> {
        if self.groups().any(|(_, expression)| expression.result() == Kind::Json) {
            return Err(DatabaseError::of("42883", "could not identify an equality operator for type json"));
        }
        match order.iter().find(|term| self.place(&term.field).is_none()) {
            None => Ok(()),
            Some(term) => Err(DatabaseError::of(
                "42803",
                format!(
                    "column \"{}.{}\" must appear in the GROUP BY clause or be used in an aggregate function",
                    database.relation, term.field.column
                ),
            )),
        }
    }

    fn groups(&self) -> impl Iterator<Item = (&Field, &Expression)> {
        self.columns.iter().filter_map(|column| match &column.source {
            Source::Group { field, expression } => Some((field, expression)),
            _ => None,
        })
    }

    /// The index of a grouping column in the result.
    fn place(&self, wanted: &Field) -> Option<usize> {
        self.columns.iter().position(|column| matches!(&column.source, Source::Group { field, .. } if field == wanted))
    }

    /// The order of two rows of the result.
    pub(crate) fn comparison(&self, order: &[Order]) -> impl Fn(&Vec<Datum>, &Vec<Datum>) -> Ordering {
        let terms: Vec<(usize, bool, bool)> =
            order.iter().filter_map(|term| Some((self.place(&term.field)?, term.descends, term.nulls_first))).collect();
        move |left, right| {
            in_order(terms.iter().map(|(place, descends, nulls_first)| match (left.get(*place), right.get(*place)) {
                (Some(left), Some(right)) => compare(left, right, *descends, *nulls_first),
                _ => Ordering::Equal,
            }))
        }
    }

    /// The rows of the result.
    pub(crate) fn rows(&self, table: &Table, matched: &[usize]) -> Result<Vec<Vec<Datum>>, DatabaseError> {
        let by: Vec<&Expression> = self.groups().map(|(_, expression)| expression).collect();
        let in_groups = |left: &usize, right: &usize| {
            in_order(by.iter().map(|expression| {
                compare(&expression.value(table, *left), &expression.value(table, *right), false, false)
            }))
        };
        let mut sorted = matched.to_vec();
        sort_by(&mut sorted, in_groups);
        let mut groups: Vec<&[usize]> = sorted.chunk_by(|left, right| in_groups(left, right).is_eq()).collect();
        if by.is_empty() && groups.is_empty() {
            groups.push(&[]);
        }
        groups.into_iter().map(|group| self.columns.iter().map(|column| column.value(table, group)).collect()).collect()
    }
}

impl Column {
    fn value(&self, table: &Table, group: &[usize]) -> Result<Datum, DatabaseError> {
        match &self.source {
            Source::Group { expression, .. } => {
                Ok(group.first().map_or(Datum::Null, |row| expression.value(table, *row).into_owned()))
            }
            Source::CountOfRows => Ok(count(group.len())),
            Source::Aggregate(aggregate, expression) => {
                let values = group.iter().map(|row| expression.value(table, *row).into_owned());
                let values: Vec<Datum> = values.filter(|value| !value.is_null()).collect();
                result(*aggregate, expression.result(), &values)
            }
        }
    }
}

fn check(aggregate: Aggregate, kind: Kind) -> Result<(), DatabaseError> {
    let numeric = matches!(kind, Kind::Integer | Kind::Bigint | Kind::Float | Kind::Numeric);
    let known = match aggregate {
        Aggregate::Count => true,
        Aggregate::Min | Aggregate::Max => !matches!(kind, Kind::Bool | Kind::Json),
        Aggregate::Avg | Aggregate::Sum => numeric,
    };
    if known { Ok(()) } else { Err(DatabaseError::no_function(aggregate.name(), kind.database_name())) }
}

fn count(number: usize) -> Datum {
    Datum::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn result(aggregate: Aggregate, kind: Kind, values: &[Datum]) -> Result<Datum, DatabaseError> {
    let exact = || {
        let decimals: Vec<Decimal> = values
            .iter()
            .filter_map(|value| match value {
                Datum::Int(number) => Some(Decimal::from_i64(*number)),
                Datum::Numeric(number) => Some((**number).clone()),
                _ => None,
            })
            .collect();
        Decimal::sum(decimals.iter())
    };
    let doubles = values.iter().filter_map(|value| match value {
        Datum::Float(number) => Some(*number),
        _ => None,
    });
    Ok(match aggregate {
        Aggregate::Count => count(values.len()),
        _ if values.is_empty() => Datum::Null,
        Aggregate::Min => values.iter().min_by(|left, right| left.compare(right)).cloned().unwrap_or(Datum::Null),
        Aggregate::Max => values.iter().max_by(|left, right| left.compare(right)).cloned().unwrap_or(Datum::Null),
        Aggregate::Sum if kind == Kind::Float => Datum::Float(sum(doubles)?),
        Aggregate::Avg if kind == Kind::Float => Datum::Float(average(doubles)?),
        Aggregate::Avg => Datum::Numeric(Box::new(exact().divided_by(values.len()))),
        // The sum of small integers is a `bigint`, that of large ones a `numeric`.
        Aggregate::Sum => Datum::Numeric(Box::new(exact())),
    })
}

fn overflow() -> DatabaseError {
    DatabaseError::of("22003", "value out of range: overflow")
}

fn sum(numbers: impl Iterator<Item = f64>) -> Result<f64, DatabaseError> {
    let mut sum = 0.0_f64;
    for number in numbers {
        let next = sum + number;
        if next.is_infinite() && sum.is_finite() && number.is_finite() {
            return Err(overflow());
        }
        sum = next;
    }
    Ok(sum)
}

/// The database computes the variance along with the mean, and fails if the squares overflow.
fn average(numbers: impl Iterator<Item = f64>) -> Result<f64, DatabaseError> {
    let (mut count, mut sum, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64);
    for number in numbers {
        let (before, sum_before) = (count, sum);
        count += 1.0;
        sum += number;
        if before > 0.0 {
            let distance = number * count - sum;
            squares += distance * distance / (count * before);
            if sum.is_infinite() || squares.is_infinite() {
                if !sum_before.is_infinite() && !number.is_infinite() {
                    return Err(overflow());
                }
                squares = f64::NAN;
            }
        } else if !number.is_finite() {
            squares = f64::NAN;
        }
    }
    Ok(sum / count)
}
