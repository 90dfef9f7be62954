//! The columns of an export.

use super::decode::Field;

/// The columns that the header of an export names.
#[derive(Debug)]
pub(super) struct Header {
    pub fields: Vec<Field>,
    /// The index of the row number among them.
    pub number: Option<usize>,
    /// The indexes of the columns that record batches require.
    #[cfg(feature = "arrow")]
    pub places: Vec<usize>,
}
