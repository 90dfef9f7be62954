//! The names of a struct's fields, as its `Deserialize` implementation declares them.

use std::fmt;

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};

/// The fields of a type; none if it does not declare them.
pub(super) fn of<T: DeserializeOwned>() -> Vec<String> {
    let mut names = Vec::new();
    // It always fails: there is no value.
    let _ = T::deserialize(Listener(&mut names));
    names
}

struct Listener<'a>(&'a mut Vec<String>);

#[derive(Debug)]
struct NoValue;

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no value")
    }
}

impl std::error::Error for NoValue {}

impl de::Error for NoValue {
    fn custom<M: fmt::Display>(_: M) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for Listener<'_> {
    type Error = NoValue;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
        Err(NoValue)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, NoValue> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, NoValue> {
        self.0.extend(fields.iter().map(|field| (*field).to_owned()));
        Err(NoValue)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[test]
    fn a_struct_has_its_fields_under_their_serde_names() {
        #[derive(Deserialize)]
        #[allow(dead_code)]
        struct Station {
            #[serde(rename = "nom de la station")]
            name: String,
            puissance: Option<f64>,
            #[serde(skip)]
            ours: u8,
        }
        #[derive(Deserialize)]
        #[allow(dead_code)]
        struct Wrapped(Station);
        assert_eq!(of::<Station>(), ["nom de la station", "puissance"]);
        assert_eq!(of::<Wrapped>(), ["nom de la station", "puissance"]);
        assert!(of::<std::collections::BTreeMap<String, String>>().is_empty());
    }
}
