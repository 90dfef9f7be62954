//! A table of awkward names and values, and how SQL compares them.

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// The values of the typed columns in ascending order, as the server reads them.
const ASCENDING: [(&str, &[&str]); 9] = [
    ("n", &["-9223372036854775808", "-1", "0", "1", "2", "10", "42", "100", "9007199254740993", "9223372036854775807"]),
    ("int.dot", &["-2147483648", "0", "1", "2", "7", "2147483647"]),
    ("f", &["-Infinity", "-1.5", "0", "5e-324", "0.1", "1.5", "1e+21", "1e+300", "Infinity", "NaN"]),
    ("num", &["-0.000001", "0", "0.1", "1.50", "12345678901234567890123", "NaN"]),
    ("b", &["false", "true"]),
    ("d", &["0001-01-01", "1970-01-01", "2024-01-31", "2024-02-29", "9999-12-31"]),
    ("ts", &["1970-01-01T00:00:00.123456", "2024-01-31T08:00:00", "2024-02-29T12:00:00.5"]),
    ("tz", &["1970-01-01T00:00:00.123456+00:00", "2024-01-31T06:00:00+00:00", "2024-02-29T15:30:00+00:00"]),
    ("__id", &[]),
];

/// The table, and its rows as the server writes them in JSON.
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Map<String, Value>>,
    /// The values of each row by column, as the server reads them.
    texts: Vec<Vec<Option<String>>>,
}

pub struct Column {
    pub name: String,
    /// The type of the profile; none for the row number.
    pub python_type: String,
    ascending: Option<&'static [&'static str]>,
}

impl Column {
    pub fn is_text(&self) -> bool {
        self.python_type == "string"
    }

    pub fn is_json(&self) -> bool {
        self.python_type == "json"
    }

    /// Values to compare a typed column with.
    pub fn values(&self) -> &'static [&'static str] {
        self.ascending.unwrap_or_default()
    }

    /// The order of two values in the database.
    pub fn compare(&self, left: &str, right: &str) -> Ordering {
        match self.ascending {
            None => left.cmp(right),
            Some([]) => left.parse::<i64>().unwrap().cmp(&right.parse::<i64>().unwrap()),
            Some(ascending) => {
                let rank =
                    |text: &str| ascending.iter().position(|value| *value == text).expect("a value of the column");
                rank(left).cmp(&rank(right))
            }
        }
    }
}

impl Table {
    /// Reads a document of `tests/truth`.
    pub fn read(document: &str) -> Self {
        let document: Value = serde_json::from_str(document).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let columns: Vec<Column> = document["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| {
                let name = text(&column["name"]);
                let ascending = ASCENDING.iter().find(|(typed, _)| *typed == name).map(|(_, values)| *values);
                Column { python_type: text(&column["python_type"]), name, ascending }
            })
            .collect();
        let rows: Vec<Map<String, Value>> = serde_json::from_value(document["rows"].clone()).unwrap();
        let exact = &document["num_as_text"];
        // Not null to the database.
        let json_null = document["json_null"].as_array().cloned().unwrap_or_default();
        let text_of = |row: &Map<String, Value>, column: &Column| match &row[&column.name] {
            Value::Null if column.is_json() && json_null.contains(&row["__id"]) => Some("null".to_owned()),
            Value::Null => None,
            _ if column.name == "num" => Some(text(&exact[row["__id"].to_string()])),
            Value::String(text) => Some(text.clone()),
            // The shortest form of `serde_json` is not the database's.
            Value::Number(number) if column.name == "f" => {
                let number = number.as_f64().unwrap();
                column.values().iter().find(|text| text.parse() == Ok(number)).map(|text| (*text).to_owned())
            }
            other => Some(other.to_string()),
        };
        let texts = rows.iter().map(|row| columns.iter().map(|column| text_of(row, column)).collect()).collect();
        Self { columns, rows, texts }
    }

    /// All values of the columns of text.
    pub fn all_texts(&self) -> Vec<String> {
        let columns = (0..self.columns.len()).filter(|column| self.columns[*column].is_text());
        let mut texts: Vec<String> =
            columns.flat_map(|column| self.texts.iter().filter_map(move |row| row[column].clone())).collect();
        texts.sort_unstable();
        texts.dedup();
        texts
    }

    pub fn text(&self, row: usize, column: usize) -> Option<&str> {
        self.texts[row][column].as_deref()
    }
}
