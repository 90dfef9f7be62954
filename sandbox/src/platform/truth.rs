//! The table that the recorded answers of `tests/truth` are about.

use std::path::Path;

use serde_json::Value;

use super::NewTable;

impl NewTable {
    /// The table of 50 rows and 33 columns, most of them with awkward names, that `tests/truth` has answers for.
    ///
    /// # Panics
    ///
    /// When the file cannot be read.
    pub fn recorded() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/truth/table.json");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Self::from_json(&json).unwrap_or_else(|reason| panic!("{}: {reason}", file.display()))
    }

    /// Reads a table of the form `{"columns": [{"name", "pg"}], "rows": [{name: value}]}`, `pg` being the type
    /// in the words of the database. The column `__id` has the numbers of the rows. Where `num_as_text` maps
    /// such a number to a text, that text stands for the value of the column `num`: JSON readers may round it.
    /// `json_null` lists the rows whose null in a column of JSON is that of JSON.
    ///
    /// # Errors
    ///
    /// A text that says what is missing.
    pub fn from_json(json: &Value) -> Result<Self, String> {
        let list = |name: &str| json[name].as_array().ok_or_else(|| format!("`{name}` is no list"));
        let mut columns = Vec::new();
        for column in list("columns")? {
            let text = |key: &str| column[key].as_str().ok_or_else(|| format!("a column has no `{key}`"));
            columns.push((text("name")?.to_owned(), text("pg")?.to_owned()));
        }
        columns.retain(|(name, _)| name != super::table::ROW_NUMBER);
        let exact = json["num_as_text"].as_object();
        let json_null = json["json_null"].as_array();
        let mut json_nulls = Vec::new();
        let mut numbers = Vec::new();
        let mut rows = Vec::new();
        for row in list("rows")? {
            let number = row[super::table::ROW_NUMBER].as_u64();
            let text = number.and_then(|number| exact?.get(&number.to_string()));
            let value = |(name, _): &(String, String)| match text {
                Some(text) if name == "num" => text.clone(),
                _ => row[name.as_str()].clone(),
            };
            rows.push(columns.iter().map(value).collect());
            if json_null.is_some_and(|listed| listed.contains(&row[super::table::ROW_NUMBER])) {
                json_nulls.push(numbers.len());
            }
            numbers.push(number);
        }
        Ok(Self { columns, rows, json_nulls, numbers: Some(numbers), ..Self::default() })
    }

    /// The value of a row, by its place from 0; null where there is no such row or column.
    pub fn value(&self, row: usize, column: &str) -> Value {
        if column == super::table::ROW_NUMBER {
            let number = match &self.numbers {
                Some(numbers) => numbers.get(row).copied().flatten(),
                None => (row < self.rows.len()).then(|| u64::try_from(row + 1).ok()).flatten(),
            };
            return number.map_or(Value::Null, Value::from);
        }
        let place = self.columns.iter().position(|(name, _)| name == column);
        place.and_then(|place| self.rows.get(row)?.get(place)).cloned().unwrap_or_default()
    }
}
