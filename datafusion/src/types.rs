//! The schema of a table.

use datafusion::arrow::datatypes::{DataType, Field};

/// The server's own number of a row.
pub(crate) const ROW_NUMBER: &str = "__id";

/// Whether a column of text holds JSON.
pub(crate) fn is_json(field: &Field) -> bool {
    field.extension_type_name() == Some("arrow.json")
}

/// Whether the server sorts the values of a column as Arrow does. Texts are in the order of the database's collation.
pub(crate) fn sorts_alike(field: &Field) -> bool {
    matches!(
        field.data_type(),
        DataType::Int64
            | DataType::UInt64
            | DataType::Float64
            | DataType::Boolean
            | DataType::Date32
            | DataType::Timestamp(_, _)
    )
}
