//! Orders of rows, and aggregates of groups.

use serde::{Deserialize, Serialize};

/// The order of rows by a column; made by [`asc`](super::Column::asc) and [`desc`](super::Column::desc).
///
/// Its JSON form is `{"column": "score", "descending": true, "nulls_first": null}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub(crate) column: String,
    #[serde(default)]
    pub(crate) descending: bool,
    /// `None`: as the database has it, where null is greater than all else.
    #[serde(default)]
    pub(crate) nulls_first: Option<bool>,
}

impl Order {
    /// Sorts null before all values.
    #[must_use]
    pub fn nulls_first(self) -> Self {
        Self { nulls_first: Some(true), ..self }
    }

    /// Sorts null after all values.
    #[must_use]
    pub fn nulls_last(self) -> Self {
        Self { nulls_first: Some(false), ..self }
    }
}

/// An aggregate of a column; its value is in the column `name__operator` (`x__avg`). Its JSON form is `["x", "avg"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    pub(crate) column: String,
    pub(crate) operator: &'static str,
}

macro_rules! aggregates {
    ($($(#[$meta:meta])* $name:ident;)*) => {
        $(
            $(#[$meta])*
            #[must_use]
            pub fn $name(column: impl Into<String>) -> Aggregate {
                Aggregate { column: column.into(), operator: stringify!($name) }
            }
        )*
    };
}

aggregates! {
    /// The number of values of a column that are not null.
    count;
    /// The mean of a column's values.
    avg;
    /// The least value of a column.
    min;
    /// The greatest value of a column.
    max;
    /// The sum of a column's values.
    sum;
}
