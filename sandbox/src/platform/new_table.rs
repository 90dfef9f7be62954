//! Tables that a test makes.

use serde_json::Value;

use super::rows;
use super::table::{Column, ROW_NUMBER, Table};
use super::value::Kind;
use crate::response::Reply;

/// A table to serve, as a resource of the tabular API or as a model of metrics.
#[derive(Debug, Clone, Default)]
pub struct NewTable {
    /// The names of the columns and their types, in the words of a profile (`string`, `int`, `datetime`, `json`)
    /// or of the database (`integer`, `numeric`, `timestamptz`).
    pub columns: Vec<(String, String)>,
    /// The rows: a value for each column, as JSON has them. Decimals that a double cannot hold are texts,
    /// as are `NaN` and the infinities.
    pub rows: Vec<Vec<Value>>,
    /// The indexes of the rows, from 0, in which null in a column of JSON is JSON's null, not the absence of a value.
    pub json_nulls: Vec<usize>,
    /// The numbers of the rows (`__id`). Default: from 1 on.
    pub numbers: Option<Vec<Option<u64>>>,
    /// The columns with an index, if aggregation needs one.
    pub indexes: Option<Vec<String>>,
    /// Whether it may be aggregated.
    pub aggregates: bool,
}

impl NewTable {
    /// Reads a table of the form `{"columns": [{"name", "pg"}], "rows": [{name: value}]}`, `pg` being the type
    /// in the words of the database. The column `__id` has the numbers of the rows. Where `num_as_text` maps
    /// such a number to a text, that text is the value of the column `num`, which JSON readers may round.
    /// `json_null` lists the rows whose null in a column of JSON is the null of JSON.
    ///
    /// # Errors
    ///
    /// Returns a text that names what is missing.
    pub fn from_json(json: &Value) -> Result<Self, String> {
        let list = |name: &str| json[name].as_array().ok_or_else(|| format!("`{name}` is no list"));
        let mut columns = Vec::new();
        for column in list("columns")? {
            let text = |key: &str| column[key].as_str().ok_or_else(|| format!("a column has no `{key}`"));
            columns.push((text("name")?.to_owned(), text("pg")?.to_owned()));
        }
        columns.retain(|(name, _)| name != ROW_NUMBER);
        let exact = json["num_as_text"].as_object();
        let json_null = json["json_null"].as_array();
        let mut json_nulls = Vec::new();
        let mut numbers = Vec::new();
        let mut rows = Vec::new();
        for row in list("rows")? {
            let number = row[ROW_NUMBER].as_u64();
            let text = number.and_then(|number| exact?.get(&number.to_string()));
            let value = |(name, _): &(String, String)| match text {
                Some(text) if name == "num" => text.clone(),
                _ => row[name.as_str()].clone(),
            };
            rows.push(columns.iter().map(value).collect());
            if json_null.is_some_and(|listed| listed.contains(&row[ROW_NUMBER])) {
                json_nulls.push(numbers.len());
            }
            numbers.push(number);
        }
        Ok(Self { columns, rows, json_nulls, numbers: Some(numbers), ..Self::default() })
    }

    /// The value of a row, by its index from 0; null if there is no such row or column.
    pub fn value(&self, row: usize, column: &str) -> Value {
        if column == ROW_NUMBER {
            let number = match &self.numbers {
                Some(numbers) => numbers.get(row).copied().flatten(),
                None => (row < self.rows.len()).then(|| u64::try_from(row + 1).ok()).flatten(),
            };
            return number.map_or(Value::Null, Value::from);
        }
        let place = self.columns.iter().position(|(name, _)| name == column);
        place.and_then(|place| self.rows.get(row)?.get(place)).cloned().unwrap_or_default()
    }

    /// The indexes of the rows, from 0, that an encoded query string matches.
    ///
    /// # Errors
    ///
    /// The error response of the server.
    pub fn matching(self, query: &str) -> Result<Vec<usize>, Reply> {
        rows::matching(&self.into_table(), query)
    }

    pub(super) fn into_table(self) -> Table {
        let columns = self.columns.into_iter().map(|(name, kind)| Column {
            name,
            kind: Kind::of(&kind).unwrap_or_else(|| panic!("`{kind}` is not the type of a column")),
        });
        let numbers = self.numbers.map(|numbers| {
            numbers.into_iter().map(|number| number.and_then(|number| i64::try_from(number).ok())).collect()
        });
        let mut table = Table { numbers, indexes: self.indexes, ..Table::of_json(columns.collect(), self.rows) };
        for row in self.json_nulls {
            table.set_json_nulls(row);
        }
        table
    }
}
