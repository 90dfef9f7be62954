//! Orders of rows, and aggregates of groups.

/// The order of rows by a column; made by [`asc`](super::Column::asc) and [`desc`](super::Column::desc).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub(crate) column: String,
    pub(crate) descending: bool,
    /// `None`: as the database has it, where null is greater than all else.
    pub(crate) nulls_first: Option<bool>,
}

impl Order {
    /// Null before all else.
    #[must_use]
    pub fn nulls_first(self) -> Self {
        Self { nulls_first: Some(true), ..self }
    }

    /// Null after all else.
    #[must_use]
    pub fn nulls_last(self) -> Self {
        Self { nulls_first: Some(false), ..self }
    }
}

/// A value worked out of a column for each group of rows; it comes as the column `name__operator` (`x__avg`).
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
    /// How many rows have a value in a column.
    count;
    /// The mean of a column's values.
    avg;
    /// The least of a column's values.
    min;
    /// The greatest of a column's values.
    max;
    /// The sum of a column's values.
    sum;
}
