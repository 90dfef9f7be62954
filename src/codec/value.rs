//! Reads lists and objects that have begun already as JSON values.

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, MapAccess, SeqAccess};
use serde_json::Value;

/// A list that nobody expected.
#[cold]
pub(crate) fn list<'de, A: SeqAccess<'de>>(items: A) -> Result<Value, A::Error> {
    Value::deserialize(SeqAccessDeserializer::new(items))
}

/// An object that nobody expected.
#[cold]
pub(crate) fn object<'de, A: MapAccess<'de>>(entries: A) -> Result<Value, A::Error> {
    Value::deserialize(MapAccessDeserializer::new(entries))
}
