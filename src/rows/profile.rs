//! What is known of a table before it is read: its columns, their types, and what may be asked of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::encoding::ROW_NUMBER;
use super::expression::{Aggregate, Condition, Operator, Order};
use crate::{Error, Result};

/// The type of a column, which decides how its values are written and which operators it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Int,
    Float,
    Bool,
    Date,
    Datetime,
    Json,
}

impl Kind {
    /// The type by the profile's word; what is new is text.
    pub(crate) fn of(python_type: &str) -> Self {
        match python_type {
            "int" => Self::Int,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "date" => Self::Date,
            "datetime" => Self::Datetime,
            "json" => Self::Json,
            _ => Self::String,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Json => "json",
        }
    }

    fn filters_by(self, operator: Operator) -> bool {
        match self {
            Self::String | Self::Date | Self::Datetime => true,
            Self::Int | Self::Float => !matches!(operator, Operator::Contains | Operator::NotContains),
            Self::Bool => {
                matches!(operator, Operator::Exact | Operator::Differs | Operator::IsNull | Operator::IsNotNull)
            }
            Self::Json => matches!(operator, Operator::IsNull | Operator::IsNotNull),
        }
    }

    fn aggregates_by(self, operator: &str) -> bool {
        match self {
            Self::Json => false,
            Self::Int | Self::Float => true,
            _ => matches!(operator, "groupby" | "count"),
        }
    }
}

/// Where queries may aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Aggregation {
    Allowed,
    Refused,
}

/// The columns of a table in their order, without the row number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schema {
    pub columns: Vec<(String, Kind)>,
    /// Whether their order is that of the table.
    pub ordered: bool,
    /// The columns with an index; empty where that does not matter.
    pub indexes: Vec<String>,
}

/// What a query asks for, to be held against a schema.
pub(crate) struct Asked<'a> {
    pub filter: Option<&'a Condition>,
    pub order: Option<&'a Order>,
    pub select: &'a [String],
    pub group_by: &'a [String],
    pub aggregates: &'a [Aggregate],
}

impl Schema {
    /// The type of a column, of the row number too.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        if name == ROW_NUMBER {
            return Some(Kind::Int);
        }
        self.columns.iter().find(|(column, _)| column == name).map(|(_, kind)| *kind)
    }

    /// The names of all columns as a header has them, where their order is known.
    pub(crate) fn header(&self) -> Vec<String> {
        if !self.ordered {
            return Vec::new();
        }
        let names = self.columns.iter().map(|(name, _)| name.clone());
        std::iter::once(ROW_NUMBER.to_owned()).chain(names).collect()
    }

    /// Refuses what the server would refuse, or would answer with an error of its database.
    pub(crate) fn check(&self, asked: &Asked<'_>, aggregation: &Aggregation) -> Result<()> {
        let takes = |name: &str, operator: &str, fits: &dyn Fn(Kind) -> bool| {
            let kind = self.known(name)?;
            if fits(kind) {
                return Ok(());
            }
            Err(Error::request(format!(
                "the column `{name}` is of type {}, which does not take `{operator}`",
                kind.name()
            )))
        };
        for test in asked.filter.map(Condition::tests).unwrap_or_default() {
            let single = test.operands.len() == 1;
            let operator = match test.operator {
                Operator::In if single => Operator::Exact,
                Operator::NotIn if single => Operator::Differs,
                operator => operator,
            };
            takes(&test.column, operator.name(), &|kind| kind.filters_by(operator))?;
        }
        if let Some(order) = asked.order {
            takes(&order.column, "sort", &|kind| kind != Kind::Json)?;
        }
        asked.select.iter().try_for_each(|name| self.known(name).map(drop))?;
        let aggregates = asked.aggregates.iter().map(|aggregate| (aggregate.column.as_str(), aggregate.operator));
        let aggregated: Vec<(&str, &str)> =
            asked.group_by.iter().map(|name| (name.as_str(), "groupby")).chain(aggregates).collect();
        for (name, operator) in &aggregated {
            takes(name, operator, &|kind| kind.aggregates_by(operator))?;
        }
        if !aggregated.is_empty() && *aggregation == Aggregation::Refused {
            return Err(Error::request(
                "the server does not aggregate the rows of this resource: it is not on its list",
            ));
        }
        let unindexed = aggregated
            .iter()
            .find(|(name, _)| !self.indexes.is_empty() && !self.indexes.iter().any(|index| index == name));
        match unindexed {
            Some((name, _)) => Err(Error::request(format!(
                "the column `{name}` has no index, so that the server does not aggregate by it; those with one are {}",
                self.indexes.join(", ")
            ))),
            None => Ok(()),
        }
    }

    fn known(&self, name: &str) -> Result<Kind> {
        self.kind(name).ok_or_else(|| {
            let guess = self.nearest(name).map_or_else(
                || {
                    format!(
                        "there are {}",
                        self.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
                    )
                },
                |near| format!("did you mean `{near}`?"),
            );
            Error::request(format!("there is no column `{name}`: {guess}"))
        })
    }

    fn nearest(&self, name: &str) -> Option<&str> {
        let wanted = name.to_lowercase();
        let likeness = |column: &str| strsim::normalized_damerau_levenshtein(&wanted, &column.to_lowercase());
        let (column, likeness) = self
            .columns
            .iter()
            .map(|(column, _)| (column.as_str(), likeness(column)))
            .max_by(|(_, left), (_, right)| left.total_cmp(right))?;
        (likeness >= 0.5).then_some(column)
    }
}

/// How long what was learned of a table is taken to hold: a file is read anew when its producer changes it.
const KEPT: Duration = Duration::from_secs(300);

/// More tables than this are not remembered.
const MOST: usize = 1_000;

/// The schemas of tables, by resource.
#[derive(Debug, Default)]
pub(crate) struct Schemas(Mutex<BTreeMap<String, (Instant, Arc<Schema>)>>);

impl Schemas {
    pub(crate) fn get(&self, resource: &str) -> Option<Arc<Schema>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(resource).filter(|(since, _)| since.elapsed() < KEPT).map(|(_, schema)| Arc::clone(schema))
    }

    pub(crate) fn set(&self, resource: &str, schema: Arc<Schema>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (since, _)| since.elapsed() < KEPT);
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(resource.to_owned(), (Instant::now(), schema));
    }

    pub(crate) fn forget(&self, resource: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::super::expression::{avg, col, count};
    use super::*;

    fn schema() -> Schema {
        let columns =
            [("code_insee", Kind::String), ("population", Kind::Int), ("ouvert", Kind::Bool), ("contacts", Kind::Json)];
        Schema {
            columns: columns.map(|(name, kind)| (name.to_owned(), kind)).to_vec(),
            ordered: true,
            indexes: Vec::new(),
        }
    }

    fn nothing<'a>() -> Asked<'a> {
        Asked { filter: None, order: None, select: &[], group_by: &[], aggregates: &[] }
    }

    fn filtered(condition: Condition) -> Result<()> {
        schema().check(&Asked { filter: Some(&condition), ..nothing() }, &Aggregation::Allowed)
    }

    #[test]
    fn an_unknown_column_is_refused_with_the_nearest() {
        let error = filtered(col("code_inse").eq("01004").or(col("population").is_null())).unwrap_err();
        assert_eq!(error.to_string(), "there is no column `code_inse`: did you mean `code_insee`?");
        let error = filtered(col("POPULATIONS").eq(1)).unwrap_err();
        assert!(error.to_string().ends_with("did you mean `population`?"), "{error}");
        let error = filtered(col("zzz").eq(1)).unwrap_err();
        assert!(error.to_string().ends_with("there are code_insee, population, ouvert, contacts"), "{error}");
        filtered(col("__id").ge(1)).unwrap();
    }

    #[test]
    fn a_type_takes_its_operators_and_no_others() {
        filtered(col("code_insee").contains("01")).unwrap();
        filtered(col("ouvert").is_in([true])).unwrap();
        filtered(col("contacts").is_null()).unwrap();
        for condition in [col("population").contains("1"), col("ouvert").lt(true), col("contacts").eq("[]")] {
            assert!(filtered(condition).unwrap_err().to_string().contains("does not take"));
        }
        let order = col("contacts").asc();
        let error = schema().check(&Asked { order: Some(&order), ..nothing() }, &Aggregation::Allowed).unwrap_err();
        assert!(error.to_string().contains("does not take `sort`"), "{error}");
    }

    #[test]
    fn aggregation_needs_leave_and_an_index_where_there_are_any() {
        let (group_by, aggregates) = (["code_insee".to_owned()], [avg("population"), count("ouvert")]);
        let asked = || Asked { group_by: &group_by, aggregates: &aggregates, ..nothing() };
        schema().check(&asked(), &Aggregation::Allowed).unwrap();
        let error = schema().check(&asked(), &Aggregation::Refused).unwrap_err();
        assert!(error.to_string().contains("does not aggregate"), "{error}");
        let indexed = Schema { indexes: vec!["code_insee".to_owned()], ..schema() };
        let error = indexed.check(&asked(), &Aggregation::Allowed).unwrap_err();
        assert!(error.to_string().contains("`population` has no index"), "{error}");
        let averages = [avg("code_insee")];
        let asked = Asked { aggregates: &averages, ..nothing() };
        assert!(schema().check(&asked, &Aggregation::Allowed).unwrap_err().to_string().contains("does not take `avg`"));
    }
}
