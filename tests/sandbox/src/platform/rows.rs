//! The one evaluator of queries on tables, and the answers of tabular and metrics made of its rows.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::query::{Aggregator, Condition, Operator, Query, list};
use super::table::{Kind, Place, Table, json_of, to_csv};
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
    pub(crate) limits: Limits,
}

/// How many rows come at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) page: i64,
    pub(crate) export: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { page: 50, export: 50_000 }
    }
}

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
    let most = source.limits.page;
    if query.page_size > most {
        return Err(invalid(format!("Page size exceeds allowed maximum: {most}")));
    }
    let (matched, selected) = select(table, source, &query)?;
    let before = (query.page.max(1) - 1).saturating_mul(query.page_size);
    let beyond = usize::try_from(before).map_or(true, |before| before > selected.len());
    if query.page_size < 0 || beyond {
        return Err(database_error(416, "PGRST103", "Requested range not satisfiable".to_owned(), None));
    }
    let before = usize::try_from(before).unwrap_or(0);
    // A size of zero is no limit at all, and there is always a next page of it.
    let size = if query.page_size == 0 { selected.len() } else { usize::try_from(query.page_size).unwrap_or(0) };
    let more = query.page_size == 0 || before + size < selected.len();
    let data = selected.json(table, before, size);
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
    let body = format!("{{\"data\":{data},\"links\":{},\"meta\":{meta}}}", Value::Object(links));
    Ok(Reply::new(200, "application/json", body))
}

/// The places of the rows that a query string matches, whatever else it asks for.
pub(crate) fn matching(table: &Table, raw: &str) -> Result<Vec<usize>, Reply> {
    let source = Source {
        relation: "table",
        url: String::new(),
        links: Map::new(),
        aggregates: false,
        total_of_aggregates: false,
        limits: Limits::default(),
    };
    let conditions = read_all(table, &source, &Query::read(raw).map_err(invalid)?.conditions)?;
    Ok((0..table.rows.len()).filter(|row| conditions.iter().all(|condition| condition.holds(table, *row))).collect())
}

/// All rows that match, as CSV or JSON; page and page size do not count.
pub(crate) fn export(table: &Table, source: &Source<'_>, raw: &str, csv: bool) -> Result<Reply, Reply> {
    let query = Query::read(raw).map_err(invalid)?;
    let (matched, selected) = select(table, source, &query)?;
    if matched > source.limits.export {
        let detail = format!(
            "The output has more than {} rows, please consider downloading the source file directly",
            source.limits.export
        );
        return Err(refusal(403, None, "Output is too long", detail));
    }
    if csv {
        return Ok(Reply::new(200, "text/csv", selected.csv(table)));
    }
    Ok(Reply::new(200, "application/json", selected.json(table, 0, usize::MAX)))
}

/// The rows of a result: some of the table's, or what was worked out of them.
enum Selected {
    Rows { rows: Vec<usize>, names: Vec<String>, places: Vec<Place> },
    Results { rows: Vec<Row>, names: Vec<String> },
}

impl Selected {
    fn len(&self) -> usize {
        match self {
            Self::Rows { rows, .. } => rows.len(),
            Self::Results { rows, .. } => rows.len(),
        }
    }

    fn json(&self, table: &Table, before: usize, size: usize) -> String {
        match self {
            Self::Rows { rows, names, places } => json_of(
                names,
                rows.iter().skip(before).take(size).map(|row| places.iter().map(|place| table.at(*row, *place))),
            ),
            Self::Results { rows, .. } => json!(rows.iter().skip(before).take(size).collect::<Vec<_>>()).to_string(),
        }
    }

    fn csv(&self, table: &Table) -> String {
        match self {
            Self::Rows { rows, names, places } => {
                to_csv(names, rows.iter().map(|row| places.iter().map(|place| table.exported(*row, *place))))
            }
            Self::Results { rows, names } => to_csv(
                names,
                rows.iter().map(|row| names.iter().map(|name| row.get(name).cloned().unwrap_or_default())),
            ),
        }
    }
}

fn result_names(query: &Query) -> Vec<String> {
    let results = query.aggregates.iter().map(|(column, aggregator)| format!("{column}__{}", aggregator.name()));
    query.group_by.iter().cloned().chain(results).collect()
}

/// How many rows match, and the rows of the result in their order.
fn select(table: &Table, source: &Source<'_>, query: &Query) -> Result<(usize, Selected), Reply> {
    check_aggregators(table, source, query)?;
    let named = query.columns.iter().flatten().chain(&query.group_by);
    for column in named {
        find(table, source, column)?;
    }
    let conditions = read_all(table, source, &query.conditions)?;
    let mut matched: Vec<usize> =
        (0..table.rows.len()).filter(|row| conditions.iter().all(|condition| condition.holds(table, *row))).collect();
    let count = matched.len();
    if !query.aggregates.is_empty() {
        return Ok((
            count,
            Selected::Results { rows: aggregate(table, source, query, &matched)?, names: result_names(query) },
        ));
    }
    if let Some((column, descends)) = &query.sort {
        let (place, kind) = find(table, source, column)?;
        if kind == Kind::Json {
            let message = "could not identify an ordering operator for type json".to_owned();
            return Err(database_error(404, "42883", message, None));
        }
        matched.sort_by(|left, right| {
            let order = compare(&table.at(*left, place), &table.at(*right, place));
            if *descends { order.reverse() } else { order }
        });
    }
    let names = query.columns.clone().unwrap_or_else(|| table.names());
    let places = names.iter().filter_map(|name| table.place(name)).collect();
    Ok((count, Selected::Rows { rows: matched, names, places }))
}

/// Whether the resource may be aggregated, and the columns where some have an index.
fn check_aggregators(table: &Table, source: &Source<'_>, query: &Query) -> Result<(), Reply> {
    let columns = query.group_by.iter().chain(query.aggregates.iter().map(|(column, _)| column));
    let operators = query.group_by.iter().map(|_| "groupby");
    let operators: Vec<&str> =
        operators.chain(query.aggregates.iter().map(|(_, aggregator)| aggregator.name())).collect();
    let refused = |detail: String| Err(refusal(403, None, "Unauthorized parameters", detail));
    if !source.aggregates && !operators.is_empty() {
        let operators = operators.join("`, `");
        return refused(format!(
            "Aggregation parameters `{operators}` are not allowed for resource '{}'",
            source.relation
        ));
    }
    let unindexed: Vec<&str> = columns
        .filter(|column| table.indexes.as_ref().is_some_and(|indexes| !indexes.contains(column)))
        .map(String::as_str)
        .collect();
    match (unindexed.as_slice(), &table.indexes) {
        ([], _) | (_, None) => Ok(()),
        (unindexed, Some(indexes)) => {
            let allowed = indexes.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
            refused(format!("{} is not among the allowed columns: {{{allowed}}}", unindexed.join(", ")))
        }
    }
}

fn find(table: &Table, source: &Source<'_>, column: &str) -> Result<(Place, Kind), Reply> {
    table.place(column).zip(table.kind(column)).ok_or_else(|| {
        let message = format!("column {}.{column} does not exist", source.relation);
        database_error(400, "42703", message, None)
    })
}

/// As in PostgreSQL: null comes last in ascending order, after what is no number, after what has no end.
fn compare(left: &Value, right: &Value) -> Ordering {
    let number = |value: &Value| match value {
        Value::String(text) => text.parse().unwrap_or(f64::NAN),
        other => other.as_f64().unwrap_or(f64::NAN),
    };
    match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        _ => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => number(left).total_cmp(&number(right)),
        },
    }
}

/// A condition whose columns are found and whose operands are read.
enum Test {
    Compare { place: Place, fits: fn(Ordering) -> bool, operand: Value },
    Contains { place: Place, negated: bool, text: String },
    Listed { place: Place, negated: bool, operands: Vec<Value> },
    Null { place: Place, negated: bool },
    All(Vec<Test>),
    Any(Vec<Test>),
}

impl Test {
    /// Null satisfies no comparison, not even `differs`: that is SQL.
    fn holds(&self, table: &Table, row: usize) -> bool {
        match self {
            Self::All(tests) => tests.iter().all(|test| test.holds(table, row)),
            Self::Any(tests) => tests.iter().any(|test| test.holds(table, row)),
            Self::Null { place, negated } => table.at(row, *place).is_null() != *negated,
            Self::Compare { place, fits, operand } => {
                let value = table.at(row, *place);
                !value.is_null() && fits(compare(&value, operand))
            }
            Self::Contains { place, negated, text } => {
                let value = table.at(row, *place);
                value.as_str().is_some_and(|value| value.to_lowercase().contains(text) != *negated)
            }
            Self::Listed { place, negated, operands } => {
                let value = table.at(row, *place);
                let found = operands.iter().any(|operand| compare(&value, operand).is_eq());
                !value.is_null() && found != *negated
            }
        }
    }
}

fn read_all(table: &Table, source: &Source<'_>, conditions: &[Condition]) -> Result<Vec<Test>, Reply> {
    conditions.iter().map(|condition| read(table, source, condition)).collect()
}

fn read(table: &Table, source: &Source<'_>, condition: &Condition) -> Result<Test, Reply> {
    let (column, operator, operand) = match condition {
        Condition::All(conditions) => return Ok(Test::All(read_all(table, source, conditions)?)),
        Condition::Any(conditions) => return Ok(Test::Any(read_all(table, source, conditions)?)),
        Condition::Test { column, operator, operand } => (column, *operator, operand),
    };
    let (place, kind) = find(table, source, column)?;
    let value = |text: &str| {
        kind.read(text).ok_or_else(|| {
            let message = format!("invalid input syntax for type {}: \"{text}\"", kind.database_name());
            database_error(400, "22P02", message, None)
        })
    };
    let no_operator = |symbol: &str| {
        let message = format!("operator does not exist: {} {symbol} unknown", kind.database_name());
        Err(database_error(404, "42883", message, None))
    };
    let compared = |fits: fn(Ordering) -> bool| Ok(Test::Compare { place, fits, operand: value(operand)? });
    let negated = matches!(operator, Operator::NotContains | Operator::NotIn | Operator::IsNotNull);
    match operator {
        Operator::IsNull | Operator::IsNotNull => Ok(Test::Null { place, negated }),
        Operator::Contains | Operator::NotContains => {
            if matches!(kind, Kind::Int | Kind::Float | Kind::Bool | Kind::Json) {
                return no_operator("~~*");
            }
            Ok(Test::Contains { place, negated, text: operand.to_lowercase() })
        }
        _ if kind == Kind::Json => no_operator("="),
        Operator::In | Operator::NotIn => {
            // An empty list is no list of one empty value, where numbers are compared.
            let texts = if operand.is_empty() && kind != Kind::String { Vec::new() } else { list(operand) };
            let operands = texts.iter().map(|text| value(text)).collect::<Result<_, _>>()?;
            Ok(Test::Listed { place, negated, operands })
        }
        Operator::Exact => compared(Ordering::is_eq),
        Operator::Differs => compared(Ordering::is_ne),
        Operator::Less => compared(Ordering::is_le),
        Operator::Greater => compared(Ordering::is_ge),
        Operator::StrictlyLess => compared(Ordering::is_lt),
        Operator::StrictlyGreater => compared(Ordering::is_gt),
    }
}

fn aggregate(table: &Table, source: &Source<'_>, query: &Query, matched: &[usize]) -> Result<Vec<Row>, Reply> {
    for (column, aggregator) in &query.aggregates {
        let (_, kind) = find(table, source, column)?;
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
