//! A table in memory: read from CSV, with the type that each column was found to have.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// What the values of a column are; the word is the `python_type` of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Float,
    Int,
    Bool,
    Date,
    Datetime,
    Json,
}

impl Kind {
    /// The type of a word.
    pub(crate) fn of(name: &str) -> Option<Self> {
        [Self::String, Self::Float, Self::Int, Self::Bool, Self::Date, Self::Datetime, Self::Json]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Float => "float",
            Self::Int => "int",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Json => "json",
        }
    }

    /// The type's name in the words of the database.
    pub(crate) fn database_name(self) -> &'static str {
        match self {
            Self::String => "character varying",
            Self::Float => "double precision",
            Self::Int => "bigint",
            Self::Bool => "boolean",
            Self::Date => "date",
            Self::Datetime => "timestamp without time zone",
            Self::Json => "json",
        }
    }

    /// Reads a text as a value of this type.
    pub(crate) fn read(self, text: &str) -> Option<Value> {
        let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
        match self {
            Self::String => Some(json!(text)),
            Self::Int => text.parse::<i64>().ok().map(Value::from),
            // JSON knows no such numbers: the server writes them as texts.
            Self::Float if ["NaN", "Infinity", "-Infinity"].contains(&text) => Some(json!(text)),
            Self::Float => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
            Self::Bool => match text.to_ascii_lowercase().as_str() {
                "true" | "t" => Some(json!(true)),
                "false" | "f" => Some(json!(false)),
                _ => None,
            },
            Self::Date => crate::format::fits("date", text).then(|| json!(text)),
            Self::Datetime => (text.len() >= 16 && text.contains(['T', ' ']) && digits(text) >= 12)
                .then(|| json!(text.replacen(' ', "T", 1))),
            Self::Json => serde_json::from_str(text).ok(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Value>>,
    /// The numbers of the rows, where they are not those from 1 on: they may have gaps, and in metrics be null.
    pub(crate) numbers: Option<Vec<Option<u64>>>,
    /// The columns with an index, where that matters.
    pub(crate) indexes: Option<Vec<String>>,
}

/// Where a value of a row stands: at an index, or it is the row's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Number,
    Index(usize),
}

/// The server's own number of a row, from 1.
pub(crate) const ROW_NUMBER: &str = "__id";

impl Table {
    /// Reads a CSV whose first line has the names; None when there is no such line.
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
                    text if text.is_empty() => Value::Null,
                    text => column.kind.read(&text).unwrap_or(Value::Null),
                });
                cells.collect()
            })
            .collect();
        Some(Self { columns, rows, ..Self::default() })
    }

    /// The kind of a column, the row number's too.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        if name == ROW_NUMBER {
            return Some(Kind::Int);
        }
        self.columns.iter().find(|column| column.name == name).map(|column| column.kind)
    }

    /// Where the values of a column stand.
    pub(crate) fn place(&self, name: &str) -> Option<Place> {
        if name == ROW_NUMBER {
            return Some(Place::Number);
        }
        self.columns.iter().position(|column| column.name == name).map(Place::Index)
    }

    /// The value of a row at a place.
    pub(crate) fn at(&self, row: usize, place: Place) -> Value {
        match (place, &self.numbers) {
            (Place::Number, None) => json!(row + 1),
            (Place::Number, Some(numbers)) => json!(numbers.get(row).copied().flatten()),
            (Place::Index(index), _) => self.rows.get(row).and_then(|row| row.get(index)).cloned().unwrap_or_default(),
        }
    }

    /// The value of a row at a place, as an export has it: JSON is its text.
    pub(crate) fn exported(&self, row: usize, place: Place) -> Value {
        let value = self.at(row, place);
        let is_json = matches!(place, Place::Index(index) if self.columns.get(index).is_some_and(|column| column.kind == Kind::Json));
        if is_json && !value.is_null() { json!(value.to_string()) } else { value }
    }

    /// A value of a row.
    pub(crate) fn value(&self, row: usize, name: &str) -> Value {
        self.place(name).map_or(Value::Null, |place| self.at(row, place))
    }

    /// The names of all columns, the row number's first.
    pub(crate) fn names(&self) -> Vec<String> {
        let own = self.columns.iter().map(|column| column.name.clone());
        std::iter::once(ROW_NUMBER.to_owned()).chain(own).collect()
    }

    /// The profile of the table, as it stands in the body of `/profile/`.
    pub(crate) fn profile(&self) -> Value {
        let mut columns = Map::new();
        let mut formats = Map::new();
        let mut statistics = Map::new();
        for column in &self.columns {
            let kind = column.kind.name();
            columns.insert(column.name.clone(), json!({"python_type": kind, "format": kind, "score": 1.0}));
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
        // Of many rows a sample will do.
        let rows = 0..self.rows.len().min(1_000);
        let values: Vec<Value> = rows.map(|row| self.value(row, &column.name)).collect();
        let missing = values.iter().filter(|value| value.is_null()).count();
        let mut tops: Vec<(usize, &Value)> = Vec::new();
        for value in values.iter().filter(|value| !value.is_null()) {
            match tops.iter_mut().find(|(_, other)| *other == value) {
                Some((count, _)) => *count += 1,
                None => tops.push((1, value)),
            }
        }
        let distinct = tops.len();
        tops.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let tops: Vec<Value> =
            tops.iter().take(10).map(|(count, value)| json!({"count": count, "value": value})).collect();
        let mut statistics = json!({"tops": tops, "nb_distinct": distinct, "nb_missing_values": missing});
        let numbers: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
        if matches!(column.kind, Kind::Int | Kind::Float) && !numbers.is_empty() {
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
    [Kind::Int, Kind::Float, Kind::Bool, Kind::Date, Kind::Datetime]
        .into_iter()
        .find(|kind| values.iter().all(|value| kind.read(value).is_some()))
        .unwrap_or(Kind::String)
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

/// Rows as an array of JSON, their columns in the order of the table.
pub(crate) fn json_of<Values: Iterator<Item = Value>>(names: &[String], rows: impl Iterator<Item = Values>) -> String {
    let names: Vec<String> = names.iter().map(|name| json!(name).to_string()).collect();
    let mut text = String::from("[");
    for (index, row) in rows.enumerate() {
        text.push_str(if index == 0 { "{" } else { ",{" });
        for (index, (name, value)) in names.iter().zip(row).enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(text, "{comma}{name}:{value}");
        }
        text.push('}');
    }
    text.push(']');
    text
}

/// A table as the server exports it: null is nothing, the empty text is `""`; without rows no header either.
pub(crate) fn to_csv<Values: Iterator<Item = Value>>(names: &[String], rows: impl Iterator<Item = Values>) -> String {
    let mut text = names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(",") + "\n";
    let header = text.len();
    for row in rows {
        for (index, value) in row.enumerate() {
            if index > 0 {
                text.push(',');
            }
            match value {
                Value::Null => {}
                Value::Bool(value) => text.push_str(if value { "t" } else { "f" }),
                Value::String(value) if value.is_empty() => text.push_str("\"\""),
                Value::String(value) => text.push_str(&quote(&value)),
                other => text.push_str(&quote(&other.to_string())),
            }
        }
        text.push('\n');
    }
    if text.len() == header { "\n\n".to_owned() } else { text }
}

/// Quotes and backslashes are doubled within quotes.
fn quote(text: &str) -> String {
    let plain = !text.contains(|letter: char| "(),\"\\".contains(letter) || letter.is_ascii_whitespace());
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\"\"")) }
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
        assert_eq!(table.value(0, "code_insee"), json!("01004"));
        assert_eq!(table.value(0, "nom"), json!("Ambérieu; \"en\" Bugey"));
        assert_eq!(table.value(1, "population"), Value::Null);
        assert_eq!(table.value(1, "__id"), json!(2));
        assert_eq!(table.profile()["profile"]["part"]["mean"], json!(1.75));
    }

    #[test]
    fn a_text_without_a_header_is_no_table() {
        assert!(Table::from_csv("").is_none());
        assert!(Table::from_csv("\n\n").is_none());
    }

    #[test]
    fn an_export_tells_null_from_the_empty_text() {
        let names: Vec<String> = ["a", "b", "c", "d", "e", "f"].map(String::from).to_vec();
        let row = [Value::Null, json!(""), json!("x,\"y\""), json!(true), json!(1.5), json!("c:\\d")];
        let rows = || std::iter::once(row.iter().cloned());
        assert_eq!(to_csv(&names, rows()), "a,b,c,d,e,f\n,\"\",\"x,\"\"y\"\"\",t,1.5,\"c:\\\\d\"\n");
        assert_eq!(json_of(&names[..2], rows()), r#"[{"a":null,"b":""}]"#);
        assert_eq!(to_csv(&names, std::iter::empty::<std::vec::IntoIter<Value>>()), "\n\n");
    }
}
