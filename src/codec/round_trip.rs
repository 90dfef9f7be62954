//! Decodes a recorded answer into its type and writes it back.

use serde::Serialize;
use serde_json::Value;

use crate::codec::in_place::InPlace;

/// What is told of an answer beside its value is written back too.
pub(crate) fn round_trip<T: for<'de> InPlace<'de> + Serialize>(body: &[u8]) -> Result<Value, String> {
    let (value, misfit) = crate::codec::decode::decode_answer::<T>(reqwest::StatusCode::NO_CONTENT, body)
        .map_err(|error| format!("{}: {}", error.path(), error.inner()))?;
    let written = serde_json::to_value(&value).map_err(|error| error.to_string())?;
    Ok(misfit.map_or(written.clone(), |misfit| misfit.join(written)))
}
