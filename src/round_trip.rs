//! Decodes a recorded answer into its type and writes it back.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) fn round_trip<T: DeserializeOwned + Serialize>(body: &[u8]) -> Result<Value, String> {
    let value: T = crate::response::decode(reqwest::StatusCode::NO_CONTENT, body)
        .map_err(|error| format!("{}: {}", error.path(), error.inner()))?;
    serde_json::to_value(&value).map_err(|error| error.to_string())
}
