//! CSV as the catalogue writes it: separated by semicolons, every text quoted, values in the words of Python.

use serde_json::Value;

use super::call::HandlerResult;
use crate::response::Reply;

/// A file in the making.
pub(super) struct Csv {
    text: String,
}

impl Csv {
    /// A file with the names of its columns, as in [`cells`].
    pub(super) fn new(columns: &[&str]) -> Self {
        let names = columns.iter().flat_map(|columns| named(columns)).map(|(name, _)| quoted(name));
        let mut csv = Self { text: String::new() };
        csv.push(&names.collect::<Vec<_>>());
        csv
    }

    pub(super) fn push(&mut self, cells: &[String]) {
        self.text.push_str(&cells.join(";"));
        self.text.push_str("\r\n");
    }

    /// The response with the file, whose name ends with the time.
    pub(super) fn reply(self, name: &str, now: &str) -> HandlerResult {
        let time: String = now.chars().take(16).map(|char| if char.is_ascii_digit() { char } else { '-' }).collect();
        let reply = Reply::new(200, "text/csv; charset=utf-8", self.text);
        Ok(reply.with_header("content-disposition", format!("attachment; filename={name}-{time}.csv")))
    }
}

/// Columns with the paths of their values: `name` alone, or `name=path`.
fn named(columns: &str) -> impl Iterator<Item = (&str, &str)> {
    columns.split_whitespace().map(|column| column.split_once('=').unwrap_or((column, column)))
}

/// The cells of a row: the values of an object as the API shows it.
pub(super) fn cells(columns: &str, object: &Value) -> Vec<String> {
    let cell = |(name, path): (&str, &str)| {
        let value = path.split('.').fold(object, |value, part| &value[part]);
        let name = name.rsplit_once('.').map_or(name, |(_, last)| last);
        match value {
            Value::Null if matches!(name, "archived" | "featured") => "False".to_owned(),
            Value::String(time) if is_time(name) => quoted(time.strip_suffix("+00:00").unwrap_or(time)),
            value => written(value),
        }
    };
    named(columns).map(cell).collect()
}

/// Whether a column has times, which are written without their zone.
fn is_time(name: &str) -> bool {
    name.ends_with("_at") || matches!(name, "last_modified" | "modified" | "archived" | "created" | "closed")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn written(value: &Value) -> String {
    match value {
        Value::Null => quoted(""),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => quoted(&items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")),
        Value::Object(counts) => {
            let counts = counts.iter().map(|(name, count)| format!("'{name}': {count}"));
            quoted(&format!("{{{}}}", counts.collect::<Vec<_>>().join(", ")))
        }
    }
}

/// JSON as Python writes it by default: with spaces, and in ASCII.
pub(super) fn json_of_python(value: &Value) -> String {
    let text = |text: &str| {
        let mut ascii = String::new();
        for char in Value::from(text).to_string().chars() {
            if char.is_ascii() {
                ascii.push(char);
            } else {
                char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| ascii.push_str(&format!("\\u{unit:04x}")));
            }
        }
        ascii
    };
    match value {
        Value::String(string) => text(string),
        Value::Array(items) => format!("[{}]", items.iter().map(json_of_python).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| format!("{}: {}", text(name), json_of_python(member)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Csv, cells, json_of_python};

    #[test]
    fn cells_are_written_as_python_writes_them() {
        let columns =
            "title featured archived tags metric.views=metrics.views months owner=owner.slug created_at score";
        let object = json!({
            "title": "Une \"ville\"; deux", "featured": null, "archived": "2024-01-02T00:00:00+00:00",
            "tags": ["eau", "sol"], "metrics": {"views": 3}, "months": {"2026-01": 0, "2026-02": 1}, "owner": null,
            "created_at": "2026-01-01T00:00:00.000000+00:00", "score": 0.5
        });
        let mut csv = Csv::new(&[columns]);
        csv.push(&cells(columns, &object));
        let expected = concat!(
            "\"title\";\"featured\";\"archived\";\"tags\";\"metric.views\";\"months\";\"owner\";\"created_at\";\"score\"\r\n",
            "\"Une \"\"ville\"\"; deux\";False;\"2024-01-02T00:00:00\";\"eau,sol\";3;\"{'2026-01': 0, '2026-02': 1}\";\"\";",
            "\"2026-01-01T00:00:00.000000\";0.5\r\n"
        );
        assert_eq!(csv.text, expected);
    }

    #[test]
    fn json_has_spaces_and_no_letters_beyond_ascii() {
        let value = json!({"a": [1, true, null], "é": "«\"» 🌳"});
        assert_eq!(json_of_python(&value), r#"{"a": [1, true, null], "\u00e9": "\u00ab\"\u00bb \ud83c\udf33"}"#);
    }
}
