//! A table in memory: read from CSV, with the type that each column was found to have.

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
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Float => "float",
            Self::Int => "int",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Datetime => "datetime",
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
        }
    }

    /// Reads a text as a value of this type.
    pub(crate) fn read(self, text: &str) -> Option<Value> {
        let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
        match self {
            Self::String => Some(json!(text)),
            Self::Int => text.parse::<i64>().ok().map(Value::from),
            Self::Float => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
            Self::Bool => match text.to_ascii_lowercase().as_str() {
                "true" | "t" => Some(json!(true)),
                "false" | "f" => Some(json!(false)),
                _ => None,
            },
            Self::Date => crate::format::fits("date", text).then(|| json!(text)),
            Self::Datetime => (text.len() >= 16 && text.contains(['T', ' ']) && digits(text) >= 12)
                .then(|| json!(text.replacen(' ', "T", 1))),
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
        Some(Self { columns, rows })
    }

    /// The kind of a column, the row number's too.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        if name == ROW_NUMBER {
            return Some(Kind::Int);
        }
        self.columns.iter().find(|column| column.name == name).map(|column| column.kind)
    }

    /// A value of a row.
    pub(crate) fn value(&self, row: usize, name: &str) -> Value {
        if name == ROW_NUMBER {
            return json!(row + 1);
        }
        let index = self.columns.iter().position(|column| column.name == name);
        index.and_then(|index| self.rows.get(row)?.get(index)).cloned().unwrap_or(Value::Null)
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
        let values: Vec<Value> = (0..self.rows.len()).map(|row| self.value(row, &column.name)).collect();
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

/// A table as the server exports it: null is nothing, the empty text is `""`; without rows no header either.
pub(crate) fn to_csv(names: &[String], rows: &[Map<String, Value>]) -> String {
    if rows.is_empty() {
        return "\n\n".to_owned();
    }
    let header = names.iter().map(|name| quote(name));
    let mut lines = vec![header.collect::<Vec<_>>().join(",")];
    lines.extend(rows.iter().map(|row| {
        let cells = names.iter().map(|name| match row.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::Bool(true)) => "t".to_owned(),
            Some(Value::Bool(false)) => "f".to_owned(),
            Some(Value::String(text)) if text.is_empty() => "\"\"".to_owned(),
            Some(Value::String(text)) => quote(text),
            Some(other) => quote(&other.to_string()),
        });
        cells.collect::<Vec<_>>().join(",")
    }));
    lines.join("\n") + "\n"
}

fn quote(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
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
        let row = json!({"a": null, "b": "", "c": "x,\"y\"", "d": true, "e": 1.5});
        let names: Vec<String> = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
        let rows = [row.as_object().cloned().expect("an object")];
        assert_eq!(to_csv(&names, &rows), "a,b,c,d,e\n,\"\",\"x,\"\"y\"\"\",t,1.5\n");
        assert_eq!(to_csv(&names, &[]), "\n\n");
    }
}
