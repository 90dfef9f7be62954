//! Checks a query against the schema of its table before it is sent.

use std::sync::Arc;

use super::expression::Condition;
use super::profile::{Aggregation, Kind, Schema};
use super::request::Request;
use super::source::Source;
use crate::{Client, Error, Result};

/// Checks a query if it is `checked`, or if it searches texts: for columns of other types the server returns an error of
/// its database.
pub(super) async fn check(client: &Client, source: &Source, request: &Request) -> Result<()> {
    let searches = |filter: &Condition| filter.tests().iter().any(|test| test.operator.matches_text());
    if request.checked {
        let aggregation = if request.aggregates() { source.aggregation(client).await? } else { Aggregation::Allowed };
        let Some(schema) = source.schema(client).await? else { return Ok(()) };
        against(&schema, request, &aggregation)
    } else if request.filter.as_ref().is_some_and(searches)
        && let Ok(Some(schema)) = source.schema(client).await
    {
        check_types(client, source, schema, request).await
    } else {
        Ok(())
    }
}

/// Checks comparisons and orders against the types of the columns; columns that the schema lacks pass. A refusal based on
/// a remembered schema is checked again with a fresh one.
pub(super) async fn check_types(
    client: &Client,
    source: &Source,
    schema: Arc<Schema>,
    request: &Request,
) -> Result<()> {
    let fits = |schema: &Schema| {
        filter_against(schema, request, true)?;
        let mut known = request.orders.iter().filter(|order| schema.kind(&order.column).is_some());
        known.try_for_each(|order| ensure_takes(schema, &order.column, "sort", |kind| kind != Kind::Json))
    };
    let Err(refused) = fits(&schema) else { return Ok(()) };
    source.forget(client);
    match source.schema(client).await? {
        Some(today) if today != schema => fits(&today),
        _ => Err(refused),
    }
}

/// Refuses what the server would refuse, or what would be an error of its database.
fn against(schema: &Schema, request: &Request, aggregation: &Aggregation) -> Result<()> {
    filter_against(schema, request, false)?;
    for order in &request.orders {
        ensure_takes(schema, &order.column, "sort", |kind| kind != Kind::Json)?;
    }
    request.select.iter().try_for_each(|name| kind(schema, name).map(drop))?;
    let groups = request.group_by.iter().map(|name| (name.as_str(), "groupby"));
    let aggregates = request.aggregates.iter().map(|aggregate| (aggregate.column.as_str(), aggregate.operator));
    let aggregated: Vec<(&str, &str)> = groups.chain(aggregates).collect();
    for (name, operator) in &aggregated {
        ensure_takes(schema, name, operator, |kind| kind.aggregates_by(operator))?;
    }
    if !aggregated.is_empty() && *aggregation == Aggregation::Refused {
        return Err(Error::request("the server does not aggregate the rows of this resource: it is not on its list"));
    }
    let indexed = |name: &str| schema.indexes.is_empty() || schema.indexes.iter().any(|index| index == name);
    match aggregated.iter().find(|(name, _)| !indexed(name)) {
        Some((name, _)) => Err(Error::request(format!(
            "the column `{name}` has no index, so that the server does not aggregate by it; those with one are {}",
            schema.indexes.join(", ")
        ))),
        None => Ok(()),
    }
}

/// Checks the comparisons of the filter; with `known_only`, those of columns that the schema does not have pass.
fn filter_against(schema: &Schema, request: &Request, known_only: bool) -> Result<()> {
    for test in request.filter.as_ref().map(Condition::tests).unwrap_or_default() {
        if known_only && schema.kind(&test.column).is_none() {
            continue;
        }
        ensure_takes(schema, &test.column, test.operator.symbol(), |kind| kind.filters_by(test.operator))?;
    }
    Ok(())
}

fn ensure_takes(schema: &Schema, name: &str, operator: &str, takes: impl Fn(Kind) -> bool) -> Result<()> {
    let kind = kind(schema, name)?;
    if takes(kind) {
        return Ok(());
    }
    Err(Error::request(format!("the column `{name}` is of type {}, which does not take `{operator}`", kind.name())))
}

pub(super) fn kind(schema: &Schema, name: &str) -> Result<Kind> {
    schema.kind(name).ok_or_else(|| {
        let guess = schema.nearest(name).map_or_else(
            || {
                let names: Vec<&str> = schema.columns.iter().map(|(name, _)| name.as_str()).collect();
                format!("there are {}", names.join(", "))
            },
            |near| format!("did you mean `{near}`?"),
        );
        Error::request(format!("there is no column `{name}`: {guess}"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::expression::col;
    use super::super::order::{avg, count, max};
    use super::super::row::ROW_NUMBER;
    use super::*;

    fn schema() -> Schema {
        let columns = [
            ("code_insee", Kind::String),
            ("population", Kind::Int),
            ("ouvert", Kind::Bool),
            ("contacts", Kind::Json),
            ("jour", Kind::Date),
        ];
        Schema {
            columns: columns.map(|(name, kind)| (name.to_owned(), kind)).to_vec(),
            ordered: true,
            ..Schema::default()
        }
    }

    fn filtered(condition: Condition) -> Result<()> {
        against(&schema(), &Request { filter: Some(condition), ..Request::default() }, &Aggregation::Allowed)
    }

    #[test]
    fn an_unknown_column_is_refused_with_the_nearest() {
        let error = filtered(col("code_inse").eq("01004").or(col("population").is_null())).unwrap_err();
        assert_eq!(error.to_string(), "there is no column `code_inse`: did you mean `code_insee`?");
        let error = filtered(col("POPULATIONS").eq(1)).unwrap_err();
        assert!(error.to_string().ends_with("did you mean `population`?"), "{error}");
        let error = filtered(col("zzz").eq(1)).unwrap_err();
        assert!(error.to_string().ends_with("there are code_insee, population, ouvert, contacts, jour"), "{error}");
        filtered(col(ROW_NUMBER).ge(1)).unwrap();
    }

    #[test]
    fn a_type_takes_its_operators_and_no_others() {
        for condition in [
            col("code_insee").contains("01"),
            col("ouvert").is_in([true]),
            col("ouvert").lt(true),
            col("jour").is_distinct_from("2024-01-01"),
            col("contacts").is_null(),
        ] {
            filtered(condition).unwrap();
        }
        for condition in [
            col("population").contains("1"),
            col("jour").like("2024%"),
            col("contacts").eq("[]"),
            col("ouvert").contains("t"),
        ] {
            assert!(filtered(condition).unwrap_err().to_string().contains("does not take"));
        }
        let request = Request { orders: vec![col("jour").asc(), col("contacts").asc()], ..Request::default() };
        let error = against(&schema(), &request, &Aggregation::Allowed).unwrap_err();
        assert!(error.to_string().contains("does not take `sort`"), "{error}");
    }

    #[test]
    fn aggregation_needs_permission_and_an_index_if_the_table_has_any() {
        let asked =
            |aggregates: Vec<_>| Request { group_by: vec!["code_insee".to_owned()], aggregates, ..Request::default() };
        let request = asked(vec![avg("population"), count("ouvert"), max("jour"), max("code_insee")]);
        against(&schema(), &request, &Aggregation::Allowed).unwrap();
        let error = against(&schema(), &request, &Aggregation::Refused).unwrap_err();
        assert!(error.to_string().contains("does not aggregate"), "{error}");
        let indexed = Schema { indexes: vec!["code_insee".to_owned()], ..schema() };
        let error = against(&indexed, &request, &Aggregation::Allowed).unwrap_err();
        assert!(error.to_string().contains("`population` has no index"), "{error}");
        for aggregate in [avg("code_insee"), avg("jour"), max("ouvert"), max("contacts")] {
            let error = against(&schema(), &asked(vec![aggregate]), &Aggregation::Allowed).unwrap_err();
            assert!(error.to_string().contains("does not take"), "{error}");
        }
    }
}
