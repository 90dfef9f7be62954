//! Reading answers with tolerance.

use serde::{Deserialize, Deserializer};

/// Null where a value was expected is the default: an empty text, list or map, zero, false.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
