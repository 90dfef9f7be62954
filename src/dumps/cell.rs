//! Values of cells, in the forms in which the platform's Python code writes them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::DateTime;
#[cfg(feature = "arrow")]
use crate::codec::columns::{Column, ColumnType, Unfit};

/// A value of a cell.
pub trait Cell: Sized {
    /// Parses a cell; `None` if the text is not such a value.
    fn read(text: &str) -> Option<Self>;

    /// The type of a column of Arrow.
    #[cfg(feature = "arrow")]
    const TYPE: ColumnType;

    /// Appends a cell to such a column: the value that [`read`](Self::read) gives.
    #[cfg(feature = "arrow")]
    fn write(text: &str, column: &mut Column) -> Result<(), Unfit>;
}

/// Writes an empty cell as null.
#[cfg(feature = "arrow")]
fn write_option(text: &str, column: &mut Column) -> Result<(), Unfit> {
    if text.is_empty() {
        column.push_null();
        return Ok(());
    }
    column.push(text)
}

impl Cell for String {
    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    #[cfg(feature = "arrow")]
    const TYPE: ColumnType = ColumnType::Text;

    #[cfg(feature = "arrow")]
    fn write(text: &str, column: &mut Column) -> Result<(), Unfit> {
        column.push(text)
    }
}

impl Cell for Option<String> {
    fn read(text: &str) -> Option<Self> {
        Some((!text.is_empty()).then(|| text.to_owned()))
    }

    #[cfg(feature = "arrow")]
    const TYPE: ColumnType = ColumnType::Text;

    #[cfg(feature = "arrow")]
    fn write(text: &str, column: &mut Column) -> Result<(), Unfit> {
        write_option(text, column)
    }
}

impl Cell for bool {
    fn read(text: &str) -> Option<Self> {
        match text {
            "True" | "true" => Some(true),
            "False" | "false" | "" => Some(false),
            _ => None,
        }
    }

    #[cfg(feature = "arrow")]
    const TYPE: ColumnType = ColumnType::Bool;

    #[cfg(feature = "arrow")]
    fn write(text: &str, column: &mut Column) -> Result<(), Unfit> {
        column.push(match Self::read(text) {
            Some(true) => "true",
            Some(false) => "false",
            None => text,
        })
    }
}

impl Cell for i64 {
    fn read(text: &str) -> Option<Self> {
        if text.is_empty() { Some(0) } else { text.parse().ok() }
    }

    #[cfg(feature = "arrow")]
    const TYPE: ColumnType = ColumnType::Int;

    #[cfg(feature = "arrow")]
    fn write(text: &str, column: &mut Column) -> Result<(), Unfit> {
        column.push(if text.is_empty() { "0" } else { text })
    }
}

impl Cell for Option<i64> {
    fn read(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
    }

    #[cfg(feature = "arrow")]
    const TYPE: ColumnType = ColumnType::Int;

    #[cfg(feature = "arrow")]
    fn write(text: &str, column: &mut Column) -> Result<(), Unfit> {
        write_option(text, column)
    }
}

impl Cell for Option<f64> {
    fn read(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
    }

    #[cfg(feature = "arrow")]
    const TYPE: ColumnType = ColumnType::Float;

    #[cfg(feature = "arrow")]
    fn write(text: &str, column: &mut Column) -> Result<(), Unfit> {
        write_option(
            match text {
                "nan" => "NaN",
                "inf" => "Infinity",
                "-inf" => "-Infinity",
                _ => text,
            },
            column,
        )
    }
}

impl Cell for Option<DateTime> {
    fn read(text: &str) -> Option<Self> {
        // `archived` is the date or `False`.
        Some((!matches!(text, "" | "False")).then(|| DateTime::from(text)))
    }

    #[cfg(feature = "arrow")]
    const TYPE: ColumnType = ColumnType::Instant;

    #[cfg(feature = "arrow")]
    fn write(text: &str, column: &mut Column) -> Result<(), Unfit> {
        match Self::read(text).flatten() {
            None => write_option("", column),
            // A time without an offset is UTC.
            Some(time) => column.push(time.to_rfc3339().as_deref().unwrap_or(text)),
        }
    }
}

impl Cell for Option<Value> {
    fn read(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { serde_json::from_str(text).ok().map(Some) }
    }

    #[cfg(feature = "arrow")]
    const TYPE: ColumnType = ColumnType::Json;

    #[cfg(feature = "arrow")]
    fn write(text: &str, column: &mut Column) -> Result<(), Unfit> {
        match Self::read(text) {
            Some(_) => write_option(text, column),
            None => Err(Unfit::Value("it is no JSON")),
        }
    }
}

/// Names separated by commas.
impl Cell for Vec<String> {
    fn read(text: &str) -> Option<Self> {
        Some(text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    #[cfg(feature = "arrow")]
    const TYPE: ColumnType = ColumnType::Text;

    #[cfg(feature = "arrow")]
    fn write(text: &str, column: &mut Column) -> Result<(), Unfit> {
        column.push(text)
    }
}

/// Counts by month: a dictionary in Python's notation, or 0 if nothing was counted yet.
impl Cell for BTreeMap<String, i64> {
    fn read(text: &str) -> Option<Self> {
        match text {
            "" | "0" => Some(Self::new()),
            _ => serde_json::from_str(&text.replace('\'', "\"")).ok(),
        }
    }

    #[cfg(feature = "arrow")]
    const TYPE: ColumnType = ColumnType::Json;

    #[cfg(feature = "arrow")]
    fn write(text: &str, column: &mut Column) -> Result<(), Unfit> {
        match Self::read(text).map(|counts| serde_json::to_string(&counts)) {
            Some(Ok(counts)) => column.push(&counts),
            _ => Err(Unfit::Value("it holds no counts by month")),
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
    fn an_invalid_python_value_is_an_error() {
        assert_eq!(i64::read("1.5"), None);
        assert_eq!(Option::<i64>::read("many"), None);
        assert_eq!(Option::<Value>::read("{broken"), None);
        assert_eq!(BTreeMap::<String, i64>::read("{'a': 'b'}"), None);
    }
}
