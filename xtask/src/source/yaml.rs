//! YAML as the values of JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A value of YAML. Numbers with more digits than JSON's integers here have are decimals, as they are in JSON.
struct Yaml(Value);

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok((number as f64).into())
    }

    fn visit_u128<E>(self, number: u128) -> Result<Value, E> {
        Ok((number as f64).into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Yaml(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Yaml(value))) = object.next_entry::<String, Yaml>()? {
            members.insert(name, value);
        }
        Ok(members.into())
    }
}

/// How many brackets may be open: the reader of YAML looks at all of them again at each one, and refuses 129 only then.
const OPEN: usize = 5_000;

/// The value that a text of YAML is.
pub fn parse(text: &str) -> Result<Value, serde_yaml_ng::Error> {
    let mut open = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > OPEN {
            return Err(serde::de::Error::custom(format!("more than {OPEN} brackets are open at once")));
        }
    }
    serde_yaml_ng::from_str(text).map(|Yaml(value)| value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_nested_too_deeply_is_refused_at_once() {
        for open in ["[", "{a: "] {
            let error = parse(&format!("a: {}", open.repeat(200_000))).unwrap_err();
            assert!(error.to_string().contains("brackets are open"), "{error}");
        }
        // In texts, brackets may be many.
        assert!(parse(&format!("a: '{}'", "[".repeat(1_000))).is_ok());
    }

    #[test]
    fn what_yaml_has_is_what_json_has() {
        let text = "a: [1, -2, 1.5, x, ~, true, 18446744073709551615]\n200: {b: '1'}\n";
        let value = json!({"a": [1, -2, 1.5, "x", null, true, u64::MAX], "200": {"b": "1"}});
        assert_eq!(parse(text).unwrap(), value);
    }

    #[test]
    fn integers_of_many_digits_are_decimals() {
        let parsed = parse("- -9223372036854776000\n- 18446744073709552000\n").unwrap();
        assert_eq!(parsed, json!([-9.223372036854776e18, 1.8446744073709552e19]));
    }
}
