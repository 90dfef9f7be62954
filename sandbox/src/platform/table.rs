//! A table in memory: read from CSV, with the detected type of each column.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::value::{Datum, Kind, Writer};
use crate::sort::sort_by_key;

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Datum>>,
    /// The numbers of the rows, if they are not those from 1 on: they may have gaps, and in metrics be null.
    pub(crate) numbers: Option<Vec<Option<i64>>>,
    /// The columns with an index, if aggregation needs one.
    pub(crate) indexes: Option<Vec<String>>,
}

/// The place of a value in a row: an index, or the row number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Number,
    Index(usize),
}

/// The column of the row number, from 1.
pub(crate) const ROW_NUMBER: &str = "__id";

impl Table {
    /// Reads a CSV whose first line has the names; None if there is no such line.
    pub(crate) fn from_csv(text: &str) -> Option<Self> {
        let first = text.lines().next()?;
        let separator = if first.matches(';').count() > first.matches(',').count() { ';' } else { ',' };
        let mut records = records(text.trim_start_matches('\u{feff}'), separator).into_iter();
        let names = records.next().filter(|names| names.iter().any(|name| !name.is_empty()))?;
        let records: Vec<Vec<String>> = records.collect();
        let cell = |record: &Vec<String>, index: usize| record.get(index).cloned().unwrap_or_default();
        let columns: Vec<Column> = names
            .into_iter()
            .enumerate()
            .map(|(index, name)| {
                let kind = detect(&name, records.iter().map(|record| cell(record, index)));
                Column { name, kind }
            })
            .collect();
        let rows = records
            .iter()
            .map(|record| {
                let cells = columns.iter().enumerate().map(|(index, column)| match cell(record, index) {
                    text if text.is_empty() => Datum::Null,
                    text => column.kind.read(&text).unwrap_or(Datum::Null),
                });
                cells.collect()
            })
            .collect();
        Some(Self { columns, rows, ..Self::default() })
    }

    /// Makes a table of rows in JSON.
    ///
    /// # Panics
    ///
    /// When a value is not of its column's type.
    pub(crate) fn of_json(columns: Vec<Column>, rows: Vec<Vec<Value>>) -> Self {
        let cell = |(column, value): (&Column, Value)| match column.kind.of_json(&value) {
            Ok(cell) => cell,
            Err(error) => panic!("column `{}`: {}", column.name, error.message),
        };
        let rows = rows.into_iter().map(|row| columns.iter().zip(row).map(cell).collect()).collect();
        Self { columns, rows, ..Self::default() }
    }

    /// Replaces the nulls of a row in columns of JSON by the null of JSON.
    pub(crate) fn set_json_nulls(&mut self, row: usize) {
        for (column, value) in self.columns.iter().zip(self.rows.get_mut(row).into_iter().flatten()) {
            if column.kind == Kind::Json && value.is_null() {
                *value = Datum::Json("null".into());
            }
        }
    }

    /// The type of a column, including the row number.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        if name == ROW_NUMBER {
            return Some(Kind::Integer);
        }
        self.columns.iter().find(|column| column.name == name).map(|column| column.kind)
    }

    /// The place of a column.
    pub(crate) fn place(&self, name: &str) -> Option<Place> {
        if name == ROW_NUMBER {
            return Some(Place::Number);
        }
        self.columns.iter().position(|column| column.name == name).map(Place::Index)
    }

    /// The value of a row at a place.
    pub(crate) fn at(&self, row: usize, place: Place) -> Cow<'_, Datum> {
        let number = match (place, &self.numbers) {
            (Place::Index(index), _) => {
                let value = self.rows.get(row).and_then(|row| row.get(index));
                return value.map_or(Cow::Owned(Datum::Null), Cow::Borrowed);
            }
            (Place::Number, None) => i64::try_from(row + 1).ok(),
            (Place::Number, Some(numbers)) => numbers.get(row).copied().flatten(),
        };
        Cow::Owned(number.map_or(Datum::Null, Datum::Int))
    }

    /// The names of all columns, the row number's first.
    pub(crate) fn names(&self) -> Vec<String> {
        let own = self.columns.iter().map(|column| column.name.clone());
        std::iter::once(ROW_NUMBER.to_owned()).chain(own).collect()
    }

    /// The profile of the table, as in the body of `/profile/`.
    pub(crate) fn profile(&self) -> Value {
        let mut columns = Map::new();
        let mut formats = Map::new();
        let mut statistics = Map::new();
        for column in &self.columns {
            let kind = column.kind.name();
            let profile = json!({"python_type": kind, "format": column.kind.format(), "score": 1.0});
            columns.insert(column.name.clone(), profile);
            if let Value::Array(names) = formats.entry(kind).or_insert_with(|| json!([])) {
                names.push(json!(column.name));
            }
            statistics.insert(column.name.clone(), self.statistics(column));
        }
        let header: Vec<&String> = self.columns.iter().map(|column| &column.name).collect();
        json!({
            "header": header, "columns": columns, "formats": formats, "profile": statistics,
            "encoding": "utf-8", "separator": ",", "header_row_idx": 0, "heading_columns": 0,
            "trailing_columns": 0, "categorical": [], "total_lines": self.rows.len(), "nb_duplicates": 0
        })
    }

    fn statistics(&self, column: &Column) -> Value {
        // A sample of many rows is enough.
        let rows = 0..self.rows.len().min(1_000);
        let place = self.place(&column.name).unwrap_or(Place::Number);
        let json = |row| serde_json::from_str(&self.at(row, place).json(Writer::Server)).unwrap_or_default();
        let values: Vec<Value> = rows.map(json).collect();
        let missing = values.iter().filter(|value| value.is_null()).count();
        let mut tops: Vec<(usize, &Value)> = Vec::new();
        for value in values.iter().filter(|value| !value.is_null()) {
            match tops.iter_mut().find(|(_, other)| *other == value) {
                Some((count, _)) => *count += 1,
                None => tops.push((1, value)),
            }
        }
        let distinct = tops.len();
        sort_by_key(&mut tops, true, |(count, _)| *count);
        let tops: Vec<Value> =
            tops.iter().take(10).map(|(count, value)| json!({"count": count, "value": value})).collect();
        let mut statistics = json!({"tops": tops, "nb_distinct": distinct, "nb_missing_values": missing});
        let numbers: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
        if matches!(column.kind.name(), "int" | "float") && !numbers.is_empty() {
            let count = numbers.len() as f64;
            let mean = numbers.iter().sum::<f64>() / count;
            let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / count;
            let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
            let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            statistics["min"] = json!(least);
            statistics["max"] = json!(most);
            statistics["mean"] = json!(mean);
            statistics["std"] = json!(variance.sqrt());
        }
        statistics
    }
}

/// The narrowest type that all values of a column have. Codes keep their leading zeros, so they are text.
fn detect(name: &str, values: impl Iterator<Item = String>) -> Kind {
    let values: Vec<String> = values.filter(|value| !value.is_empty()).collect();
    let is_code = name.contains("code") || name.contains("insee") || name.starts_with("id_");
    let padded = |value: &String| value.len() > 1 && value.starts_with('0') && !value.contains('.');
    if values.is_empty() || is_code || values.iter().any(padded) {
        return Kind::String;
    }
    [Kind::Bigint, Kind::Float, Kind::Bool, Kind::Date, Kind::Timestamp]
        .into_iter()
        .find(|kind| values.iter().all(|value| looks_like(*kind, value)))
        .unwrap_or(Kind::String)
}

/// Whether a text of a file is detected as a value of a type, which is stricter than the parser of the database.
fn looks_like(kind: Kind, text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    match kind {
        Kind::Bool => ["true", "false", "t", "f"].iter().any(|word| text.eq_ignore_ascii_case(word)),
        Kind::Date => crate::format::fits("date", text),
        Kind::Timestamp => text.len() >= 16 && text.contains(['T', ' ']) && digits >= 12 && kind.read(text).is_ok(),
        _ => kind.read(text).is_ok(),
    }
}

/// The records of a CSV text (RFC 4180), empty lines left out.
fn records(text: &str, separator: char) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let Some(cell) = record.last_mut() else { break };
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            '\r' if !quoted => {}
            '\n' if !quoted => records.push(std::mem::replace(&mut record, vec![String::new()])),
            _ if char == separator && !quoted => record.push(String::new()),
            _ => cell.push(char),
        }
    }
    records.push(record);
    records.retain(|record| record.iter().any(|cell| !cell.is_empty()));
    records
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_get_the_narrowest_type_and_codes_keep_their_zeros() {
        let text = "code_insee;nom;population;part;ouvert;jour;instant;vide\n\
                    01004;\"Ambérieu; \"\"en\"\" Bugey\";14204;1.5;true;2024-01-31;2024-01-31 08:00:00;\n\
                    75056;Paris;;2;FALSE;2024-02-29;2024-02-29T09:30:00;\n";
        let table = Table::from_csv(text).expect("a header");
        let kinds: Vec<&str> = table.columns.iter().map(|column| column.kind.name()).collect();
        assert_eq!(kinds, ["string", "string", "int", "float", "bool", "date", "datetime", "string"]);
        let value = |row: usize, name: &str| {
            let place = table.place(name).expect("a column");
            serde_json::from_str::<Value>(&table.at(row, place).json(Writer::Server)).expect("JSON")
        };
        assert_eq!(value(0, "code_insee"), json!("01004"));
        assert_eq!(value(0, "nom"), json!("Ambérieu; \"en\" Bugey"));
        assert_eq!(value(1, "population"), Value::Null);
        assert_eq!(value(1, "__id"), json!(2));
        assert_eq!(table.profile()["profile"]["part"]["mean"], json!(1.75));
    }

    #[test]
    fn a_text_without_a_header_is_not_a_table() {
        assert!(Table::from_csv("").is_none());
        assert!(Table::from_csv("\n\n").is_none());
    }
}
