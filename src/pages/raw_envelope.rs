//! The properties of a page as they are written.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The envelope as written. An item is represented by its JSON text, or by that of its id.
#[derive(Default, Deserialize)]
pub(super) struct RawEnvelope<'a> {
    #[serde(borrow)]
    pub data: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub total: Option<&'a RawValue>,
    #[serde(borrow)]
    pub page: Option<&'a RawValue>,
    #[serde(borrow)]
    pub page_size: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    pub next_page: Option<&'a RawValue>,
}

fn even_null<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}
