//! Deserialization and serialization of values, independent of the transport.
//!
//! Responses are read tolerantly (`tolerant`, in place by `in_place`): a value that does not match its field is kept next to
//! it and reported as a [`Deviation`](deviation::Deviation). Requests are read strictly (`strict`).

#[cfg(any(feature = "records", all(feature = "dumps", feature = "arrow")))]
pub(crate) mod column_names;
#[cfg(feature = "arrow")]
pub(crate) mod columns;
#[cfg(any(feature = "arrow", feature = "metrics", feature = "tabular"))]
pub(crate) mod csv;
#[cfg(all(feature = "arrow", any(feature = "metrics", feature = "tabular")))]
mod csv_columns;
pub(crate) mod datetime;
pub(crate) mod decode;
pub(crate) mod deviation;
pub(crate) mod field;
pub(crate) mod filters;
pub(crate) mod in_place;
pub(crate) mod map;
#[cfg(any(feature = "arrow", feature = "metrics", feature = "tabular"))]
pub(crate) mod number;
pub(crate) mod open_enum;
#[cfg(feature = "_round-trip")]
pub(crate) mod round_trip;
pub(crate) mod scalar;
#[cfg(feature = "schemars")]
pub(crate) mod schema;
pub(crate) mod strict;
pub(crate) mod structure;
pub(crate) mod tolerant;
mod value;
pub(crate) mod values;
pub(crate) mod writing;
