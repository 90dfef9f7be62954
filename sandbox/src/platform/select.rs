//! Runs a statement on a table, as the database does: types and columns are checked first, comparisons with null are
//! unknown, and the order of equal rows is not determined.

use std::cmp::Ordering;

use super::aggregate;
use super::condition::Condition;
use super::database_error::DatabaseError;
use super::expression::{Database, Expression, Ties, compare, default_name, in_order, without_nul};
use super::statement::{Field, Filter, Order, Selection, Statement};
use super::table::Place;
use super::value::{Datum, Kind};
use crate::sort::sort_by;

/// The rows of a result.
#[derive(Debug)]
pub(crate) enum Rows {
    /// Rows of the table.
    Own { rows: Vec<usize>, columns: Vec<Expression> },
    /// Computed rows.
    Made(Vec<Vec<Datum>>),
}

#[derive(Debug)]
pub(crate) struct Outcome {
    /// The names of the columns.
    pub(crate) names: Vec<String>,
    pub(crate) rows: Rows,
    /// The number of rows as PostgREST counts them: all that match, whatever the limit.
    pub(crate) total: usize,
}

impl Outcome {
    pub(crate) fn len(&self) -> usize {
        match &self.rows {
            Rows::Own { rows, .. } => rows.len(),
            Rows::Made(rows) => rows.len(),
        }
    }
}

impl Database<'_> {
    pub(crate) fn run(&self, statement: &Statement) -> Result<Outcome, DatabaseError> {
        check_names(statement)?;
        let aggregates = statement.results.iter().any(|selection| match selection {
            Selection::CountOfRows { .. } => true,
            Selection::Value { aggregate, .. } => aggregate.is_some(),
            Selection::All => false,
        });
        let plan = if aggregates { None } else { Some(self.columns(&statement.results)?) };
        let groups = if aggregates { Some(aggregate::Plan::new(*self, &statement.results)?) } else { None };
        let filters: Vec<Condition> =
            statement.filters.iter().map(|filter| Condition::new(*self, filter)).collect::<Result<_, _>>()?;
        let order = self.order(&statement.order)?;
        if let Some(groups) = &groups {
            groups.check_order(*self, &statement.order)?;
        }
        let (limit, offset) = window(statement)?;
        let holds = |row: &usize| filters.iter().all(|filter| filter.holds(self.table, *row) == Some(true));
        let mut matched: Vec<usize> = (0..self.table.rows.len()).filter(holds).collect();
        let count = matched.len();
        let (names, mut rows) = match (plan, groups) {
            (_, Some(groups)) => {
                let mut made = groups.rows(self.table, &matched)?;
                self.sort(&mut made, statement, groups.comparison(&statement.order));
                (groups.names(), Rows::Made(made))
            }
            (Some((names, columns)), None) => {
                let sorted = matches!(order.as_slice(), [(Expression { place: Place::Number, path, .. }, false, false)]
                    if path.is_empty() && self.table.numbers.is_none());
                if !sorted {
                    self.sort(&mut matched, statement, |left, right| {
                        in_order(order.iter().map(|(expression, descends, nulls_first)| {
                            let value = |row: &usize| expression.value(self.table, *row);
                            compare(&value(left), &value(right), *descends, *nulls_first)
                        }))
                    });
                }
                (names, Rows::Own { rows: matched, columns })
            }
            (None, None) => (Vec::new(), Rows::Made(Vec::new())),
        };
        match &mut rows {
            Rows::Own { rows, .. } => cut(rows, limit, offset),
            Rows::Made(rows) => cut(rows, limit, offset),
        }
        let mut outcome = Outcome { names, rows, total: count };
        if statement.limit.is_none() && offset == 0 {
            outcome.total = outcome.len();
        }
        if offset > outcome.total {
            let total = outcome.total;
            let details = format!("An offset of {offset} was requested, but there are only {total} rows.");
            return Err(DatabaseError::range(details));
        }
        Ok(outcome)
    }

    /// The columns of a result that is not aggregated.
    fn columns(&self, results: &[Selection]) -> Result<(Vec<String>, Vec<Expression>), DatabaseError> {
        let mut columns = Vec::new();
        for selection in results {
            match selection {
                Selection::All => {
                    for column in self.table.names() {
                        let field = Field { column: column.clone(), path: Vec::new() };
                        columns.push((column, self.find(&field)?));
                    }
                }
                Selection::Value { field, cast, alias, .. } => {
                    let name = alias.as_deref().map_or_else(|| default_name(field), without_nul);
                    columns.push((name, self.cast(field, cast.as_deref())?));
                }
                Selection::CountOfRows { .. } => {}
            }
        }
        Ok(columns.into_iter().unzip())
    }

    fn order(&self, order: &[Order]) -> Result<Vec<(Expression, bool, bool)>, DatabaseError> {
        let mut terms = Vec::new();
        for term in order {
            let found = self.find(&term.field)?;
            if found.kind == Kind::Json {
                let message = "could not identify an ordering operator for type json";
                return Err(DatabaseError::of("42883", message)
                    .with_hint("Use an explicit ordering operator or modify the query."));
            }
            terms.push((found, term.descends, term.nulls_first));
        }
        Ok(terms)
    }

    /// Sorts rows that are in the order of the table; the order of equal ones depends on [`Ties`].
    fn sort<Item>(&self, items: &mut Vec<Item>, statement: &Statement, compare: impl Fn(&Item, &Item) -> Ordering) {
        if statement.order.is_empty() || items.is_empty() {
            return;
        }
        match self.ties {
            Ties::ByPage => {
                let start = scattered(statement.limit, statement.offset) % items.len();
                items.rotate_left(start);
            }
            Ties::ByRow => {}
            Ties::ByRowDescending => items.reverse(),
        }
        sort_by(items, compare);
    }
}

/// A pseudo-random number for each page.
fn scattered(limit: Option<i128>, offset: i128) -> usize {
    let page = limit.unwrap_or(-1).wrapping_mul(0x1_0001).wrapping_add(offset).unsigned_abs();
    #[allow(clippy::cast_possible_truncation, reason = "any bits will do")]
    let mixed = (page as u64 ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    #[allow(clippy::cast_possible_truncation, reason = "any bits will do")]
    let scattered = (mixed ^ (mixed >> 31)) as usize;
    scattered
}

fn cut<Item>(items: &mut Vec<Item>, limit: Option<usize>, offset: usize) {
    items.drain(..offset.min(items.len()));
    items.truncate(limit.unwrap_or(usize::MAX));
}

/// The limit and the offset, if they are in the range of the database.
fn window(statement: &Statement) -> Result<(Option<usize>, usize), DatabaseError> {
    let fits = |number: i128| {
        let number = i64::try_from(number).ok().and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| DatabaseError::of("22003", "bigint out of range"))
    };
    let limit = statement.limit.map(fits).transpose()?;
    Ok((limit, fits(statement.offset)?))
}

/// The database refuses empty names.
fn check_names(statement: &Statement) -> Result<(), DatabaseError> {
    fn of_filter<'a>(filter: &'a Filter, names: &mut Vec<&'a str>) {
        match filter {
            Filter::Test { field, .. } => names.push(&field.column),
            Filter::Group { members, .. } => members.iter().for_each(|member| of_filter(member, names)),
        }
    }
    let mut names = Vec::new();
    for selection in &statement.results {
        match selection {
            Selection::All => {}
            Selection::CountOfRows { alias } => names.extend(alias.as_deref()),
            Selection::Value { field, alias, .. } => {
                names.push(&field.column);
                names.extend(alias.as_deref());
            }
        }
    }
    statement.filters.iter().for_each(|filter| of_filter(filter, &mut names));
    names.extend(statement.order.iter().map(|order| order.field.column.as_str()));
    if names.iter().any(|name| name.chars().all(|char| char == '\0')) {
        let message = "zero-length delimited identifier at or near \"\"\"\"";
        return Err(DatabaseError::of("42601", message));
    }
    Ok(())
}
