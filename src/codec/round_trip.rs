//! Decodes a recorded response into its type and serializes it again.

use serde::Serialize;
use serde_json::Value;

use crate::codec::in_place::InPlace;

/// Decodes a body and serializes it again, with the parts that did not match its type.
pub(crate) fn round_trip<T: for<'de> InPlace<'de> + Serialize>(body: &[u8]) -> Result<Value, String> {
    let (value, mismatch) = crate::codec::decode::decode_response::<T>(crate::codec::decode::EmptyBody::Empty, body)
        .map_err(|error| format!("{}: {}", error.path(), error.inner()))?;
    let written = serde_json::to_value(&value).map_err(|error| error.to_string())?;
    Ok(mismatch.map_or(written.clone(), |mismatch| mismatch.join(written)))
}
