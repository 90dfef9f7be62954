//! Columns as a statement names them: found in the table, with a path into JSON, cast; and their values compared.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::database_error::DatabaseError;
use super::scan::Key;
use super::statement::{Field, Step};
use super::table::{Place, Table};
use super::value::{Datum, Kind, spaced};

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

impl Database<'_> {
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
