//! What the platform's profile of a file says of its form, and of the types of its columns.

use serde_json::Value;

use super::value::{Column, Kind};

/// The form of a file as csv-detective has found it.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile {
    /// `None` where it was no CSV.
    pub separator: Option<u8>,
    /// The names of the columns in the order of the file, duplicates made distinct.
    pub header: Vec<String>,
    columns: Vec<(String, Kind)>,
}

/// The words that the platform reads as null, those of pandas.
pub(super) const NULLS: [&str; 18] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "None", "n/a", "nan", "null",
];

/// Names that the database has for itself: hydra renames such columns in the table.
const RESERVED: [&str; 8] = ["__id", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "collation"];

impl Profile {
    /// Reads the response of `getResourceProfile`; `None` where it has no columns.
    pub(super) fn of(response: &Value) -> Option<Self> {
        let profile = response.get("profile")?;
        let columns = profile.get("columns")?.as_object().filter(|columns| !columns.is_empty())?;
        let kind = |column: &Value| {
            let text = |key: &str| column.get(key).and_then(Value::as_str);
            let format = || text("date_format").map(str::to_owned);
            match text("python_type").unwrap_or_default() {
                "int" => Kind::Int,
                "float" => Kind::Float,
                "bool" => Kind::Bool,
                "date" => Kind::Date(format()),
                datetime if datetime.starts_with("datetime") => Kind::Datetime(format()),
                "json" => Kind::Json,
                _ => Kind::Text,
            }
        };
        let separator = profile.get("separator").and_then(Value::as_str);
        let header = profile.get("header")?.as_array()?;
        Some(Self {
            separator: separator.and_then(|separator| separator.bytes().next()),
            header: header.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            columns: columns.iter().map(|(name, column)| (name.clone(), kind(column))).collect(),
        })
    }

    /// The columns of a file, if its header is that of the profile.
    pub(super) fn columns(&self, header: &[String]) -> Option<Vec<Column>> {
        let column = |name: &String| {
            let (_, kind) = self.columns.iter().find(|(column, _)| column == name)?;
            let renamed = RESERVED.contains(&name.as_str()).then(|| format!("{name}__hydra_renamed"));
            Some(Column { name: renamed.unwrap_or_else(|| name.clone()), kind: kind.clone() })
        };
        if self.header == header { header.iter().map(column).collect() } else { None }
    }
}
