//! SQL over data.gouv.fr.

mod batches;
mod count;
mod error;
mod filters;
mod options;
mod parquet;
mod scan;
mod source;
mod table;
mod top;
mod types;

pub use options::Options;
pub use table::RowsTable;
