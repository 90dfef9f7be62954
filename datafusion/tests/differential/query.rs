//! Random queries of SQL over tables whose columns and values are known.

use std::fmt::Write as _;

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::util::display::array_value_to_string;
use fastrand::Rng;

/// A table that queries can name.
pub struct Known {
    pub name: String,
    pub columns: Vec<Column>,
}

pub struct Column {
    pub name: String,
    pub data_type: DataType,
    pub is_json: bool,
    /// Literals to compare it with, most of them values of it.
    literals: Vec<String>,
    /// Pieces of its texts.
    pieces: Vec<String>,
    /// Whether its sums are the same in any order of the rows.
    sums_exactly: bool,
}

/// A query, and what is to be known to compare its results.
pub struct Query {
    pub sql: String,
    /// The query without its limit, where it has one.
    pub without_limit: Option<String>,
    /// The number of columns, the last of the result, that the rows are sorted by.
    pub keys: usize,
}

impl Known {
    pub fn new(name: &str, schema: &SchemaRef, batches: &[RecordBatch]) -> Self {
        let columns = schema.fields().iter().map(|field| {
            let mut values: Vec<String> = Vec::new();
            for batch in batches {
                let column = batch.column_by_name(field.name()).unwrap();
                for row in 0..column.len().min(200) {
                    if column.is_valid(row) {
                        values.push(array_value_to_string(column, row).unwrap());
                    }
                }
            }
            values.sort_unstable();
            values.dedup();
            let sums_exactly = matches!(field.data_type(), DataType::Int64 | DataType::Float64)
                && values.iter().all(|value| {
                    let number: f64 = value.parse().unwrap();
                    number.abs() < 1e12
                        && (number * 8.0).fract() == 0.0
                        && !(number == 0.0 && number.is_sign_negative())
                });
            let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
            let literals = match field.data_type() {
                DataType::Utf8 => values.iter().map(|value| quoted(value)).chain([quoted("absent")]).collect(),
                DataType::Float64 => values
                    .iter()
                    .map(|value| format!("CAST({} AS DOUBLE PRECISION)", quoted(value)))
                    .chain(["-0.0".to_owned(), "2.5".to_owned(), "3".to_owned()])
                    .collect(),
                DataType::Boolean => vec!["true".to_owned(), "false".to_owned()],
                DataType::Date32 => values.iter().map(|value| format!("DATE {}", quoted(value))).collect(),
                DataType::Timestamp(_, zone) => values
                    .iter()
                    .map(|value| match zone {
                        Some(_) => format!("CAST({} AS TIMESTAMP WITH TIME ZONE)", quoted(value)),
                        None => format!("TIMESTAMP {}", quoted(value)),
                    })
                    .collect(),
                _ => values.into_iter().chain(["5".to_owned(), "-3".to_owned()]).collect::<Vec<_>>(),
            };
            let pieces = match field.data_type() {
                DataType::Utf8 => pieces(&literals),
                _ => Vec::new(),
            };
            Column {
                name: field.name().clone(),
                data_type: field.data_type().clone(),
                is_json: field.extension_type_name() == Some("arrow.json"),
                literals,
                pieces,
                sums_exactly,
            }
        });
        Self { name: name.to_owned(), columns: columns.collect() }
    }

    fn pick(&self, random: &mut Rng, fits: impl Fn(&Column) -> bool) -> Option<&Column> {
        let columns: Vec<&Column> = self.columns.iter().filter(|column| fits(column)).collect();
        random.choice(columns)
    }
}

/// Patterns with some characters of texts.
fn pieces(literals: &[String]) -> Vec<String> {
    let inner = |literal: &String| -> Vec<char> { literal[1..literal.len() - 1].replace("''", "").chars().collect() };
    let cut = |chars: Vec<char>| chars.iter().take(3).collect::<String>();
    let mut pieces: Vec<String> = literals.iter().map(|literal| cut(inner(literal))).collect();
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

impl Column {
    fn sql(&self, table: &str) -> String {
        format!("{table}.\"{}\"", self.name.replace('"', "\"\""))
    }

    fn literal(&self, random: &mut Rng) -> String {
        if random.u8(..20) == 0 { "NULL".to_owned() } else { random.choice(&self.literals).unwrap().clone() }
    }
}

/// A condition of some comparisons.
fn condition(random: &mut Rng, tables: &[(&str, &Known)], depth: u8) -> String {
    if depth > 0 && random.u8(..3) > 0 {
        let (left, right) = (condition(random, tables, depth - 1), condition(random, tables, depth - 1));
        let word = random.choice(["AND", "AND", "OR"]).unwrap();
        return format!("({left} {word} {right})");
    }
    if random.u8(..8) == 0 {
        return format!("NOT ({})", condition(random, tables, depth.saturating_sub(1)));
    }
    let (alias, table) = *random.choice(tables).unwrap();
    let Some(column) = table.pick(random, |column| !column.literals.is_empty()) else { return "true".to_owned() };
    let name = column.sql(alias);
    if column.is_json || random.u8(..8) == 0 {
        return format!("{name} IS {}NULL", random.choice(["", "NOT "]).unwrap());
    }
    let text = column.data_type == DataType::Utf8;
    match random.u8(..9) {
        0 | 1 => {
            let items: Vec<String> = (0..random.usize(1..6)).map(|_| column.literal(random)).collect();
            format!("{name} {}IN ({})", random.choice(["", "NOT "]).unwrap(), items.join(", "))
        }
        2 => format!(
            "{name} {}BETWEEN {} AND {}",
            random.choice(["", "NOT "]).unwrap(),
            column.literal(random),
            column.literal(random)
        ),
        // Without parentheses, what follows belongs to the value, by the parser's precedence.
        3 => format!("({name} IS {}DISTINCT FROM {})", random.choice(["", "NOT "]).unwrap(), column.literal(random)),
        4 | 5 if text && !column.pieces.is_empty() => {
            let piece = random.choice(&column.pieces).unwrap();
            let pattern = match random.u8(..4) {
                0 => format!("%{piece}%"),
                1 => format!("{piece}%"),
                // The database refuses a pattern that ends with its escape character.
                2 if !piece.ends_with('\\') => format!("%{piece}"),
                _ => format!("{piece}_%"),
            };
            let word = random.choice(["LIKE", "NOT LIKE", "ILIKE"]).unwrap();
            format!("{name} {word} '{pattern}'")
        }
        4 | 5 if column.data_type == DataType::Boolean => match random.u8(..4) {
            0 => name,
            1 => format!("NOT {name}"),
            2 => format!("{name} IS NOT TRUE"),
            _ => format!("{name} IS FALSE"),
        },
        _ => {
            let operator = random.choice(["=", "=", "<>", "<", "<=", ">", ">="]).unwrap();
            let literal = column.literal(random);
            if random.bool() { format!("{name} {operator} {literal}") } else { format!("{literal} {operator} {name}") }
        }
    }
}

/// A condition on the rows of a table that is called `a`.
pub fn filter(random: &mut Rng, table: &Known) -> String {
    let depth = random.u8(..3);
    condition(random, &[("a", table)], depth)
}

/// A query over one of the tables, or a join of two.
pub fn query(random: &mut Rng, tables: &[Known]) -> Query {
    let first = random.choice(tables).unwrap();
    let join = (random.u8(..5) == 0).then(|| join(random, first, tables)).flatten();
    let mut named = vec![("a", first)];
    let mut from = format!("{} a", first.name);
    if let Some((second, on)) = join {
        let _ = write!(from, " {} JOIN {} b ON {on}", random.choice(["INNER", "LEFT"]).unwrap(), second.name);
        named.push(("b", second));
    }
    if random.u8(..6) > 0 {
        let depth = random.u8(..3);
        let _ = write!(from, " WHERE {}", condition(random, &named, depth));
    }
    if random.u8(..4) == 0 {
        return aggregation(random, &named, &from);
    }
    let mut select = Vec::new();
    for _ in 0..random.usize(1..5) {
        let (alias, table) = *random.choice(&named).unwrap();
        select.push(table.pick(random, |_| true).unwrap().sql(alias));
    }
    let mut keys = Vec::new();
    if random.bool() {
        for _ in 0..random.usize(1..3) {
            let (alias, table) = *random.choice(&named).unwrap();
            let Some(column) = table.pick(random, |column| !column.is_json) else { continue };
            let direction = random.choice(["", " DESC", " ASC NULLS FIRST", " DESC NULLS LAST"]).unwrap();
            keys.push((column.sql(alias), direction));
        }
    }
    select.extend(keys.iter().map(|(column, _)| column.clone()));
    let named: Vec<String> = select.iter().enumerate().map(|(place, column)| format!("{column} AS c{place}")).collect();
    let mut sql = format!("SELECT {} FROM {from}", named.join(", "));
    if !keys.is_empty() {
        let orders: Vec<String> = keys.iter().map(|(column, direction)| format!("{column}{direction}")).collect();
        let _ = write!(sql, " ORDER BY {}", orders.join(", "));
    }
    let without_limit = (random.u8(..3) == 0).then(|| sql.clone());
    if without_limit.is_some() {
        let _ = write!(sql, " LIMIT {}", random.choice([0, 1, 3, 20, 70]).unwrap());
        if random.u8(..5) == 0 {
            let _ = write!(sql, " OFFSET {}", random.u8(..10));
        }
    }
    Query { sql, without_limit, keys: keys.len() }
}

fn join<'a>(random: &mut Rng, first: &Known, tables: &'a [Known]) -> Option<(&'a Known, String)> {
    let second = random.choice(tables)?;
    let left = first.pick(random, |column| !column.is_json && column.data_type != DataType::Boolean)?;
    let right = second.pick(random, |column| column.data_type == left.data_type && !column.is_json)?;
    Some((second, format!("{} = {}", left.sql("a"), right.sql("b"))))
}

fn aggregation(random: &mut Rng, tables: &[(&str, &Known)], from: &str) -> Query {
    let mut groups = Vec::new();
    for _ in 0..random.usize(..3) {
        let (alias, table) = *random.choice(tables).unwrap();
        groups.extend(table.pick(random, |column| !column.is_json).map(|column| column.sql(alias)));
    }
    let mut select = groups.clone();
    select.push("count(*)".to_owned());
    for _ in 0..random.usize(..3) {
        let (alias, table) = *random.choice(tables).unwrap();
        let Some(column) = table.pick(random, |column| !column.is_json) else { continue };
        let name = column.sql(alias);
        // Sums of decimals depend on the order of the rows, as do least and greatest ones where there is NaN.
        select.push(match (&column.data_type, random.u8(..6)) {
            (_, 4) if column.sums_exactly => format!("sum({name})"),
            (_, 5) if column.sums_exactly => format!("avg({name})"),
            (DataType::Float64, _) if !column.sums_exactly => format!("count({name})"),
            (DataType::Boolean, _) | (_, 0) => format!("count({name})"),
            (_, 1) => format!("max({name})"),
            (_, 2) => format!("min({name})"),
            _ => format!("count(DISTINCT {name})"),
        });
    }
    let named: Vec<String> = select.iter().enumerate().map(|(place, column)| format!("{column} AS c{place}")).collect();
    let mut sql = format!("SELECT {} FROM {from}", named.join(", "));
    if !groups.is_empty() {
        let _ = write!(sql, " GROUP BY {}", groups.join(", "));
    }
    Query { sql, without_limit: None, keys: 0 }
}
