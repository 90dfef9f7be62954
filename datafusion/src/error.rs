//! Errors of the client as errors of DataFusion.

use datafusion::error::DataFusionError;

/// The error keeps its type: `error.find_root()` and a downcast to [`datagouv::Error`] give it back.
pub(crate) fn external(error: datagouv::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
