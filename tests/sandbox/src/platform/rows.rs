//! The one evaluator of queries on tables, and the answers of tabular and metrics made of its rows.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::query::{Aggregator, Condition, Operator, Query, list};
use super::table::{Kind, Table, to_csv};
use crate::answer::Reply;

type Row = Map<String, Value>;

/// What sets a table of one server apart from one of the other.
#[derive(Debug, Clone)]
pub(crate) struct Source<'a> {
    /// The table's name in the database.
    pub(crate) relation: &'a str,
    /// The URL of its rows.
    pub(crate) url: String,
    /// Links of a page that lead elsewhere.
    pub(crate) links: Map<String, Value>,
    /// Whether queries may aggregate.
    pub(crate) aggregates: bool,
    /// Whether `meta.total` stays when they do.
    pub(crate) total_of_aggregates: bool,
}

const MOST_PER_PAGE: i64 = 50;
const MOST_EXPORTED: usize = 50_000;

/// A refusal in the shape of both servers.
pub(crate) fn refusal(status: u16, code: Option<&str>, title: &str, detail: impl Into<Value>) -> Reply {
    let error = json!({"code": code, "title": title, "detail": detail.into()});
    Reply::json(status, &json!({"errors": [error]}))
}

/// An error of the database behind the servers.
pub(crate) fn database_error(status: u16, code: &str, message: String, hint: Option<String>) -> Reply {
    let detail = json!({"code": code, "details": null, "hint": hint, "message": message});
    refusal(status, Some(code), "Database error", detail)
}

fn invalid(detail: impl Into<String>) -> Reply {
    refusal(400, None, "Invalid query string", detail.into())
}

/// A page of rows.
pub(crate) fn page(table: &Table, source: &Source<'_>, raw: &str) -> Result<Reply, Reply> {
    let query = Query::read(raw).map_err(invalid)?;
    if query.page_size > MOST_PER_PAGE {
        return Err(invalid(format!("Page size exceeds allowed maximum: {MOST_PER_PAGE}")));
    }
    let (matched, rows) = select(table, source, &query)?;
    let before = (query.page.max(1) - 1).saturating_mul(query.page_size);
    let beyond = usize::try_from(before).map_or(true, |before| before > rows.len());
    if query.page_size < 0 || beyond {
        return Err(database_error(416, "PGRST103", "Requested range not satisfiable".to_owned(), None));
    }
    let before = usize::try_from(before).unwrap_or(0);
    // A size of zero is no limit at all, and there is always a next page of it.
    let size = if query.page_size == 0 { rows.len() } else { usize::try_from(query.page_size).unwrap_or(0) };
    let more = query.page_size == 0 || before + size < rows.len();
    let data: Vec<Row> = rows.iter().skip(before).take(size).cloned().collect();
    let link = |page: i64| {
        let own = [format!("page={page}"), format!("page_size={}", query.page_size)];
        format!("{}?{}", source.url, query.kept.iter().cloned().chain(own).collect::<Vec<_>>().join("&"))
    };
    let mut links = source.links.clone();
    links.insert("next".to_owned(), if more { json!(link(query.page.max(0).saturating_add(1))) } else { Value::Null });
    links.insert("prev".to_owned(), if query.page > 1 { json!(link(query.page - 1)) } else { Value::Null });
    let mut meta = json!({"page": query.page, "page_size": query.page_size});
    if query.aggregates.is_empty() || source.total_of_aggregates {
        meta["total"] = json!(matched);
    }
    Ok(Reply::json(200, &json!({"data": data, "links": links, "meta": meta})))
}

/// All rows that match, as CSV or JSON; page and page size do not count.
pub(crate) fn export(table: &Table, source: &Source<'_>, raw: &str, csv: bool) -> Result<Reply, Reply> {
    let query = Query::read(raw).map_err(invalid)?;
    let (matched, rows) = select(table, source, &query)?;
    if matched > MOST_EXPORTED {
        let detail = "The output has more than 50000 rows, please consider downloading the source file directly";
        return Err(refusal(403, None, "Output is too long", detail));
    }
    if !csv {
        return Ok(Reply::json(200, &json!(rows)));
    }
    let names = match &query.columns {
        Some(names) => names.clone(),
        None if query.aggregates.is_empty() => table.names(),
        None => result_names(&query),
    };
    Ok(Reply::new(200, "text/csv", to_csv(&names, &rows)))
}

fn result_names(query: &Query) -> Vec<String> {
    let results = query.aggregates.iter().map(|(column, aggregator)| format!("{column}__{}", aggregator.name()));
    query.group_by.iter().cloned().chain(results).collect()
}

/// How many rows match, and the rows of the result in their order.
fn select(table: &Table, source: &Source<'_>, query: &Query) -> Result<(usize, Vec<Row>), Reply> {
    let aggregators = query.group_by.iter().map(|_| "groupby");
    let aggregators: Vec<&str> =
        aggregators.chain(query.aggregates.iter().map(|(_, aggregator)| aggregator.name())).collect();
    if !source.aggregates && !aggregators.is_empty() {
        let detail = format!(
            "Aggregation parameters `{}` are not allowed for resource '{}'",
            aggregators.join("`, `"),
            source.relation
        );
        return Err(refusal(403, None, "Unauthorized parameters", detail));
    }
    let named = query.columns.iter().flatten().chain(&query.group_by);
    let named = named.chain(query.sort.iter().map(|(column, _)| column));
    for column in named {
        kind(table, source, column)?;
    }
    let mut matched = Vec::new();
    for row in 0..table.rows.len() {
        if holds_all(table, source, row, &query.conditions)? {
            matched.push(row);
        }
    }
    // Conditions are checked even where no row is there to be tested.
    if table.rows.is_empty() {
        holds_all(table, source, 0, &query.conditions)?;
    }
    if !query.aggregates.is_empty() {
        let count = matched.len();
        return Ok((count, aggregate(table, source, query, &matched)?));
    }
    if let Some((column, descends)) = &query.sort {
        matched.sort_by(|left, right| {
            let order = compare(&table.value(*left, column), &table.value(*right, column));
            if *descends { order.reverse() } else { order }
        });
    }
    let names = query.columns.clone().unwrap_or_else(|| table.names());
    let rows = matched.iter().map(|row| names.iter().map(|name| (name.clone(), table.value(*row, name))).collect());
    Ok((matched.len(), rows.collect()))
}

fn kind(table: &Table, source: &Source<'_>, column: &str) -> Result<Kind, Reply> {
    table.kind(column).ok_or_else(|| {
        let message = format!("column {}.{column} does not exist", source.relation);
        database_error(400, "42703", message, None)
    })
}

/// Null comes last in ascending order, as in PostgreSQL.
fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        _ => left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal),
    }
}

fn holds_all(table: &Table, source: &Source<'_>, row: usize, conditions: &[Condition]) -> Result<bool, Reply> {
    let mut all = true;
    for condition in conditions {
        all &= holds(table, source, row, condition)?;
    }
    Ok(all)
}

fn holds(table: &Table, source: &Source<'_>, row: usize, condition: &Condition) -> Result<bool, Reply> {
    match condition {
        Condition::All(conditions) => holds_all(table, source, row, conditions),
        Condition::Any(conditions) => {
            let mut any = false;
            for condition in conditions {
                any |= holds(table, source, row, condition)?;
            }
            Ok(any)
        }
        Condition::Test { column, operator, operand } => {
            let kind = kind(table, source, column)?;
            test(kind, *operator, operand, &table.value(row, column))
        }
    }
}

/// Null satisfies no comparison, not even `differs`: that is SQL.
fn test(kind: Kind, operator: Operator, operand: &str, value: &Value) -> Result<bool, Reply> {
    let read = |text: &str| {
        kind.read(text).ok_or_else(|| {
            let message = format!("invalid input syntax for type {}: \"{text}\"", kind.database_name());
            database_error(400, "22P02", message, None)
        })
    };
    let ordered = |fits: fn(Ordering) -> bool| {
        let operand = read(operand)?;
        Ok(!value.is_null() && fits(compare(value, &operand)))
    };
    let textual = |negated: bool| {
        if matches!(kind, Kind::Int | Kind::Float | Kind::Bool) {
            let message = format!("operator does not exist: {} ~~* unknown", kind.database_name());
            return Err(database_error(404, "42883", message, None));
        }
        let contains = |text: &str| text.to_lowercase().contains(&operand.to_lowercase());
        Ok(value.as_str().is_some_and(|text| contains(text) != negated))
    };
    let listed = |negated: bool| {
        // An empty list is no list of one empty value, where numbers are compared.
        let texts = if operand.is_empty() && kind != Kind::String { Vec::new() } else { list(operand) };
        let operands = texts.iter().map(|text| read(text)).collect::<Result<Vec<_>, _>>()?;
        let found = operands.iter().any(|operand| compare(value, operand).is_eq());
        Ok(!value.is_null() && found != negated)
    };
    match operator {
        Operator::IsNull => Ok(value.is_null()),
        Operator::IsNotNull => Ok(!value.is_null()),
        Operator::Exact => ordered(Ordering::is_eq),
        Operator::Differs => ordered(Ordering::is_ne),
        Operator::Less => ordered(Ordering::is_le),
        Operator::Greater => ordered(Ordering::is_ge),
        Operator::StrictlyLess => ordered(Ordering::is_lt),
        Operator::StrictlyGreater => ordered(Ordering::is_gt),
        Operator::Contains => textual(false),
        Operator::NotContains => textual(true),
        Operator::In => listed(false),
        Operator::NotIn => listed(true),
    }
}

fn aggregate(table: &Table, source: &Source<'_>, query: &Query, matched: &[usize]) -> Result<Vec<Row>, Reply> {
    for (column, aggregator) in &query.aggregates {
        let kind = kind(table, source, column)?;
        let numeric = matches!(kind, Kind::Int | Kind::Float);
        if *aggregator != Aggregator::Count && !numeric {
            let message = format!("function {}({}) does not exist", aggregator.name(), kind.database_name());
            return Err(database_error(404, "42883", message, None));
        }
    }
    // Only a column that is grouped by can put the groups in order.
    if let Some((column, _)) = query.sort.as_ref().filter(|(column, _)| !query.group_by.contains(column)) {
        let message = format!(
            "column \"{}.{column}\" must appear in the GROUP BY clause or be used in an aggregate function",
            source.relation
        );
        return Err(database_error(400, "42803", message, None));
    }
    let mut groups: BTreeMap<String, (Row, Vec<usize>)> = BTreeMap::new();
    for row in matched {
        let key: Row = query.group_by.iter().map(|column| (column.clone(), table.value(*row, column))).collect();
        groups.entry(json!(key).to_string()).or_insert_with(|| (key, Vec::new())).1.push(*row);
    }
    if query.group_by.is_empty() && groups.is_empty() {
        groups.insert(String::new(), (Row::new(), Vec::new()));
    }
    let results = groups.into_values().map(|(mut result, rows)| {
        for (column, aggregator) in &query.aggregates {
            let values = rows.iter().map(|row| table.value(*row, column)).filter(|value| !value.is_null());
            let name = format!("{column}__{}", aggregator.name());
            result.insert(name, aggregate_values(*aggregator, &values.collect::<Vec<_>>()));
        }
        result
    });
    let mut results: Vec<Row> = results.collect();
    if let Some((column, descends)) = &query.sort {
        results.sort_by(|left, right| {
            let order = compare(&left[column], &right[column]);
            if *descends { order.reverse() } else { order }
        });
    }
    Ok(results)
}

fn aggregate_values(aggregator: Aggregator, values: &[Value]) -> Value {
    let whole = || values.iter().try_fold(0_i64, |sum, value| sum.checked_add(value.as_i64()?));
    let sum = || match whole() {
        Some(sum) => json!(sum),
        None => json!(values.iter().filter_map(Value::as_f64).sum::<f64>()),
    };
    match aggregator {
        Aggregator::Count => json!(values.len()),
        _ if values.is_empty() => Value::Null,
        Aggregator::Sum => sum(),
        Aggregator::Avg => json!(sum().as_f64().unwrap_or_default() / values.len() as f64),
        Aggregator::Min => values.iter().min_by(|left, right| compare(left, right)).cloned().unwrap_or_default(),
        Aggregator::Max => values.iter().max_by(|left, right| compare(left, right)).cloned().unwrap_or_default(),
    }
}
