//! The schema of a table: its columns, their types, and the operations on them, known before it is read.

use serde_json::{Map, Value};

use super::expression::Operator;
use super::plan::Warning;
use super::row::ROW_NUMBER;

/// The type of a column, which decides how its values are written and which operators it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Int,
    Float,
    Bool,
    Date,
    Datetime,
    Json,
}

impl Kind {
    /// The type with this name in the profile; unknown names are text.
    pub(crate) fn of(python_type: &str) -> Self {
        match python_type {
            "int" => Self::Int,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "date" => Self::Date,
            // Tables of Parquet files say `datetime_aware` and `datetime_naive`.
            datetime if datetime.starts_with("datetime") => Self::Datetime,
            "json" => Self::Json,
            _ => Self::String,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Json => "json",
        }
    }

    pub(super) fn filters_by(self, operator: Operator) -> bool {
        match self {
            Self::String => true,
            Self::Json => matches!(operator, Operator::Null | Operator::NotNull),
            _ => !operator.matches_text(),
        }
    }

    pub(super) fn aggregates_by(self, operator: &str) -> bool {
        match operator {
            "count" => true,
            "groupby" => self != Self::Json,
            "min" | "max" => !matches!(self, Self::Json | Self::Bool),
            _ => matches!(self, Self::Int | Self::Float),
        }
    }
}

/// The name in the table of a column of the file: hydra renames those that are reserved by the database, in the
/// table but not in the profile.
fn name_in_table(name: &str) -> String {
    match name {
        "__id" | "ctid" | "xmin" | "xmax" | "cmin" | "cmax" | "tableoid" | "collation" => {
            format!("{name}__hydra_renamed")
        }
        _ => name.to_owned(),
    }
}

/// Whether the values of a column have a time zone: from the type if the table was a Parquet file, from the format
/// otherwise.
fn is_zoned(column: &Value) -> bool {
    let is =
        |key: &str, zoned: &[&str]| column.get(key).and_then(Value::as_str).is_some_and(|word| zoned.contains(&word));
    is("python_type", &["datetime_aware"]) || is("format", &["datetime_aware", "datetime_rfc822"])
}

/// Code pages that csv-detective was seen to take short files of windows-1252 for.
const MISTAKEN_ENCODINGS: [&str; 4] = ["mac_latin2", "mac_roman", "maclatin2", "macroman"];

fn warnings_of(profile: &Value, columns: &Map<String, Value>) -> Vec<Warning> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let day_first = columns.iter().filter_map(|(name, column)| {
        let format = text(column, "date_format").filter(|format| format.trim_start().starts_with("%d"))?;
        // A format with the name of the month cannot be swapped.
        format.contains("%m").then(|| Warning::DayFirstDates { column: name_in_table(name), format })
    });
    let encoding = text(profile, "encoding")
        .filter(|encoding| MISTAKEN_ENCODINGS.contains(&encoding.to_lowercase().replace('-', "_").as_str()));
    day_first.chain(encoding.map(|encoding| Warning::GuessedEncoding { encoding })).collect()
}

/// Whether queries may aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Aggregation {
    Allowed,
    Refused,
}

/// The columns of a table in their order, without the row number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schema {
    pub columns: Vec<(String, Kind)>,
    /// Whether their order is that of the table.
    pub ordered: bool,
    /// The columns of dates and times with a time zone.
    pub zoned: Vec<String>,
    /// The columns with an index; empty if that does not matter.
    pub indexes: Vec<String>,
    /// Warnings that the profile gives about the rows.
    pub warnings: Vec<Warning>,
}

impl Schema {
    /// The schema of a profile, of which only the types of the columns are required; `None` if these are
    /// missing. The profile is that of csv-detective, as hydra stores it (`getResourceProfile`).
    pub(crate) fn from_profile(response: &Value) -> Option<Self> {
        let profile = response.get("profile")?;
        let columns = profile.get("columns")?.as_object().filter(|columns| !columns.is_empty())?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts = |value: Option<&Value>| -> Vec<String> {
            value.and_then(Value::as_array).into_iter().flatten().filter_map(text).collect()
        };
        let header = texts(profile.get("header"));
        let kind = |name: &str| {
            let python_type = columns.get(name)?.get("python_type").and_then(Value::as_str);
            Some((name_in_table(name), Kind::of(python_type.unwrap_or_default())))
        };
        let in_order: Vec<(String, Kind)> = header.iter().filter_map(|name| kind(name)).collect();
        let others: Vec<&String> = columns.keys().filter(|name| !header.contains(name)).collect();
        let ordered = in_order.len() == header.len() && others.is_empty();
        let zoned =
            columns.iter().filter(|(_, column)| is_zoned(column)).map(|(name, _)| name_in_table(name)).collect();
        let named = in_order.into_iter().chain(others.into_iter().filter_map(|name| kind(name)));
        Some(Self {
            columns: named.collect(),
            ordered,
            zoned,
            indexes: texts(response.get("indexes")),
            warnings: warnings_of(profile, columns),
        })
    }

    /// The type of a column, including the row number.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        if name == ROW_NUMBER {
            return Some(Kind::Int);
        }
        self.columns.iter().find(|(column, _)| column == name).map(|(_, kind)| *kind)
    }

    /// The names of all columns as in a header, if their order is known.
    pub(crate) fn header(&self) -> Vec<String> {
        if !self.ordered {
            return Vec::new();
        }
        let names = self.columns.iter().map(|(name, _)| name.clone());
        std::iter::once(ROW_NUMBER.to_owned()).chain(names).collect()
    }

    /// The column with the most similar name, if one is similar.
    pub(super) fn nearest(&self, name: &str) -> Option<&str> {
        let wanted = name.to_lowercase();
        let likeness = |column: &str| strsim::normalized_damerau_levenshtein(&wanted, &column.to_lowercase());
        let (column, likeness) = self
            .columns
            .iter()
            .map(|(column, _)| (column.as_str(), likeness(column)))
            .max_by(|(_, left), (_, right)| left.total_cmp(right))?;
        (likeness >= 0.5).then_some(column)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_profile_needs_nothing_but_the_types_of_its_columns() {
        let columns = json!({"b": {"python_type": "int"}, "a": {"python_type": "brand new", "score": "?"}, "ctid": {}});
        let response = json!({"profile": {"header": ["ctid", "b", "a"], "columns": columns, "nb_duplicates": "0"}});
        let schema = Schema::from_profile(&response).unwrap();
        assert_eq!(schema.header(), ["__id", "ctid__hydra_renamed", "b", "a"]);
        assert_eq!(
            [schema.kind("b"), schema.kind("a"), schema.kind("ctid")],
            [Some(Kind::Int), Some(Kind::String), None]
        );
        let unordered = Schema::from_profile(&json!({"profile": {"header": null, "columns": columns}})).unwrap();
        assert!(!unordered.ordered && unordered.columns.len() == 3);
        for without in [json!({}), json!({"profile": {"columns": {}}}), json!({"profile": {"columns": ["a"]}})] {
            assert_eq!(Schema::from_profile(&without), None);
        }
    }

    #[test]
    fn faults_of_the_analysis_are_warnings() {
        let columns = json!({
            "jour": {"python_type": "date", "date_format": "%d/%m/%Y"},
            "instant": {"python_type": "datetime", "date_format": "%d-%m-%Y %H:%M"},
            "iso": {"python_type": "date", "date_format": "%Y-%m-%d"},
            "lettres": {"python_type": "date", "date_format": "%d %B %Y"},
        });
        let response = json!({"profile": {"encoding": "mac_latin2", "columns": columns}});
        let warnings: Vec<String> =
            Schema::from_profile(&response).unwrap().warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert!(warnings[0].contains("`instant`") && warnings[1].contains("%d/%m/%Y"), "{warnings:?}");
        assert!(warnings[2].contains("mac_latin2"), "{warnings:?}");
    }
}
