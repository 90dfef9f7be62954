//! Reads lists and objects as JSON values, from within a `Visitor`.

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, MapAccess, SeqAccess};
use serde_json::Value;

/// Reads a list where another type was expected.
#[cold]
pub(crate) fn list<'de, A: SeqAccess<'de>>(items: A) -> Result<Value, A::Error> {
    Value::deserialize(SeqAccessDeserializer::new(items))
}

/// Reads an object where another type was expected.
#[cold]
pub(crate) fn object<'de, A: MapAccess<'de>>(entries: A) -> Result<Value, A::Error> {
    Value::deserialize(MapAccessDeserializer::new(entries))
}
