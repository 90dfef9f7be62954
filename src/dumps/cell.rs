//! Values of cells, in the forms in which the platform's Python code writes them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::DateTime;

/// The type of a column of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnType {
    /// Text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A decimal number.
    Decimal,
    /// A date with a time.
    DateTime,
    /// A list of texts, separated by commas.
    List,
    /// JSON.
    Json,
}

/// A value of a cell.
pub trait Cell: Sized {
    /// The type of the column.
    const TYPE: ColumnType;

    /// Parses a cell; `None` if the text is not such a value.
    fn read(text: &str) -> Option<Self>;
}

impl Cell for String {
    const TYPE: ColumnType = ColumnType::Text;

    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Cell for Option<String> {
    const TYPE: ColumnType = ColumnType::Text;

    fn read(text: &str) -> Option<Self> {
        Some((!text.is_empty()).then(|| text.to_owned()))
    }
}

impl Cell for bool {
    const TYPE: ColumnType = ColumnType::Boolean;

    fn read(text: &str) -> Option<Self> {
        match text {
            "True" | "true" => Some(true),
            "False" | "false" | "" => Some(false),
            _ => None,
        }
    }
}

impl Cell for i64 {
    const TYPE: ColumnType = ColumnType::Integer;

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() { Some(0) } else { text.parse().ok() }
    }
}

impl Cell for Option<i64> {
    const TYPE: ColumnType = ColumnType::Integer;

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
    }
}

impl Cell for Option<f64> {
    const TYPE: ColumnType = ColumnType::Decimal;

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
    }
}

impl Cell for Option<DateTime> {
    const TYPE: ColumnType = ColumnType::DateTime;

    fn read(text: &str) -> Option<Self> {
        // `archived` is the date or `False`.
        Some((!matches!(text, "" | "False")).then(|| DateTime::from(text)))
    }
}

impl Cell for Option<Value> {
    const TYPE: ColumnType = ColumnType::Json;

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { serde_json::from_str(text).ok().map(Some) }
    }
}

/// Names separated by commas.
impl Cell for Vec<String> {
    const TYPE: ColumnType = ColumnType::List;

    fn read(text: &str) -> Option<Self> {
        Some(text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }
}

/// Counts by month: a dictionary in Python's notation, or 0 if nothing was counted yet.
impl Cell for BTreeMap<String, i64> {
    const TYPE: ColumnType = ColumnType::Json;

    fn read(text: &str) -> Option<Self> {
        match text {
            "" | "0" => Some(Self::new()),
            _ => serde_json::from_str(&text.replace('\'', "\"")).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_python_writes_them() {
        assert_eq!([bool::read("True"), bool::read("False"), bool::read("")], [Some(true), Some(false), Some(false)]);
        assert_eq!(bool::read("2024-01-01"), None);
        assert_eq!(Option::<DateTime>::read("False"), Some(None));
        assert_eq!(Vec::<String>::read("a,b"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(Vec::<String>::read(""), Some(Vec::new()));
        let months = BTreeMap::<String, i64>::read("{'2025-11': 0, '2026-01': 3}").unwrap();
        assert_eq!(months, BTreeMap::from([("2025-11".to_owned(), 0), ("2026-01".to_owned(), 3)]));
        assert_eq!(BTreeMap::<String, i64>::read("0"), Some(BTreeMap::new()));
    }

    #[test]
    fn what_is_no_such_value_is_not_guessed() {
        assert_eq!(i64::read("1.5"), None);
        assert_eq!(Option::<i64>::read("many"), None);
        assert_eq!(Option::<Value>::read("{broken"), None);
        assert_eq!(BTreeMap::<String, i64>::read("{'a': 'b'}"), None);
    }
}
