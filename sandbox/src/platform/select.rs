//! Runs a statement on a table, as the database does: types and columns are checked first, comparisons with null are
//! unknown, and the order of equal rows is not determined.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::aggregate;
use super::condition::Condition;
use super::failure::DatabaseError;
use super::front::{Field, Filter, Key, Order, Selection, Statement, Step};
use super::table::{Place, Table};
use super::value::{Datum, Kind, spaced};
use crate::sort::sort_by;

/// The order of rows with equal sort keys.
///
/// The database does not determine it, and it differs between two pages of a query: a client that sorts by a column
/// with equal values gets some rows twice and others never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ties {
    /// Another order on each page.
    #[default]
    ByPage,
    /// The order of the table.
    ByRow,
    /// The order of the table, backwards.
    ByRowDescending,
}

/// The database of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Database<'a> {
    pub(crate) table: &'a Table,
    /// The table's name in the database.
    pub(crate) relation: &'a str,
    pub(crate) ties: Ties,
}

/// A column of the result.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    pub(crate) place: Place,
    pub(crate) path: Vec<Step>,
    pub(crate) kind: Kind,
    /// The type that the value is cast to.
    pub(crate) cast: Option<Kind>,
}

impl Expression {
    pub(crate) fn value<'a>(&self, table: &'a Table, row: usize) -> Cow<'a, Datum> {
        let value = table.at(row, self.place);
        if self.path.is_empty() && self.cast.is_none() {
            return value;
        }
        let value = follow(value.into_owned(), &self.path);
        Cow::Owned(match (self.cast, value) {
            (Some(Kind::String), Datum::Bool(value)) => Datum::Text(value.to_string()),
            (Some(Kind::String), Datum::Null) => Datum::Null,
            (Some(Kind::String), value) => Datum::Text(value.text()),
            (_, value) => value,
        })
    }

    /// The type of the value.
    pub(crate) fn result(&self) -> Kind {
        self.cast.unwrap_or(self.kind)
    }
}

/// Follows a path into a JSON value.
fn follow(value: Datum, path: &[Step]) -> Datum {
    let Some((step, rest)) = path.split_first() else { return value };
    let Datum::Json(text) = value else { return Datum::Null };
    let Ok(tree) = serde_json::from_str::<serde_json::Value>(&text) else { return Datum::Null };
    let found = match &step.key {
        Key::Name(name) => tree.get(name),
        Key::Index(index) => {
            let length = tree.as_array().map_or(0, Vec::len);
            let from_end = usize::try_from(index.unsigned_abs()).ok().and_then(|back| length.checked_sub(back));
            tree.get(usize::try_from(*index).ok().or(from_end).unwrap_or(usize::MAX))
        }
    };
    match found {
        None => Datum::Null,
        Some(serde_json::Value::Null) if step.as_text => Datum::Null,
        Some(serde_json::Value::String(text)) if step.as_text => Datum::Text(text.clone()),
        Some(found) if step.as_text => Datum::Text(spaced(found)),
        Some(found) => follow(Datum::Json(spaced(found).into()), rest),
    }
}

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

impl<'a> Database<'a> {
    /// The column of a field, and its type.
    pub(crate) fn find(&self, field: &Field) -> Result<Expression, DatabaseError> {
        let name = without_nul(&field.column);
        let found = self.table.place(&name).zip(self.table.kind(&name));
        let (place, mut kind) = found
            .ok_or_else(|| DatabaseError::of("42703", format!("column {}.{name} does not exist", self.relation)))?;
        for step in &field.path {
            let arrow = if step.as_text { "->>" } else { "->" };
            if kind != Kind::Json {
                return Err(DatabaseError::no_operator(kind.database_name(), arrow));
            }
            kind = if step.as_text { Kind::String } else { Kind::Json };
        }
        Ok(Expression { place, path: field.path.clone(), kind, cast: None })
    }

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

    /// A column cast to text, or to its own type.
    pub(crate) fn cast(&self, field: &Field, cast: Option<&str>) -> Result<Expression, DatabaseError> {
        let found = self.find(field)?;
        let Some(name) = cast else { return Ok(found) };
        let wanted = match name.to_ascii_lowercase().as_str() {
            "varchar" => Some(Kind::String),
            word => Kind::of(word).filter(|_| word != "string"),
        };
        match wanted {
            Some(kind) if kind == Kind::String || kind == found.kind => Ok(Expression { cast: Some(kind), ..found }),
            Some(kind) => {
                let (from, to) = (found.kind.database_name(), kind.database_name());
                Err(DatabaseError::of("42846", format!("cannot cast type {from} to {to}")))
            }
            None => Err(DatabaseError::of("42704", format!("type \"{name}\" does not exist"))),
        }
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

/// A text without NUL, which the database cannot store.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}

/// The name of a column of the result without an alias.
pub(crate) fn default_name(field: &Field) -> String {
    if field.path.is_empty() { without_nul(&field.column) } else { "?column?".to_owned() }
}

pub(crate) fn in_order(orderings: impl Iterator<Item = Ordering>) -> Ordering {
    orderings.into_iter().find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

/// The order of two values by one term.
pub(crate) fn compare(left: &Datum, right: &Datum, descends: bool, nulls_first: bool) -> Ordering {
    let nulls = |ordering: Ordering| if nulls_first { ordering } else { ordering.reverse() };
    match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => nulls(Ordering::Less),
        (false, true) => nulls(Ordering::Greater),
        (false, false) if descends => right.compare(left),
        (false, false) => left.compare(right),
    }
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
