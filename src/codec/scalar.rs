//! Reads numbers, strings and booleans of responses from any JSON type with the same meaning.
//!
//! The platform writes as strings what JSON cannot represent (`"NaN"`) and what its serializer does not know (`"80207"`, a
//! numpy integer); counts over chunks of a file are `80207.0`.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use crate::codec::deviation::{Mismatch, ReadOutcome};
use crate::codec::value::{list, object};

/// A scalar type, and its conversion from each JSON type; `None` if the value has no meaning in it.
pub(crate) trait Scalar: Default {
    /// The type, for messages.
    const EXPECTED: &'static str;

    /// Whether a value converted from a float may have other digits than those received.
    const ROUNDS: bool = false;

    fn of_bool(_: bool) -> Option<Self> {
        None
    }

    fn of_i64(number: i64) -> Option<Self>;

    fn of_u64(number: u64) -> Option<Self> {
        Self::of_i64(i64::try_from(number).ok()?)
    }

    fn of_f64(number: f64) -> Option<Self>;

    fn of_str(text: &str) -> Option<Self>;

    /// Returns the string as an error if it has no meaning.
    fn of_string(text: String) -> Result<Self, String> {
        Self::of_str(&text).ok_or(text)
    }
}

/// Parses a number in JSON syntax.
fn number(text: &str) -> Option<Number> {
    let sign_or_digit = |byte: &u8| *byte == b'-' || byte.is_ascii_digit();
    if text.as_bytes().first().is_some_and(sign_or_digit) { text.parse().ok() } else { None }
}

impl Scalar for i64 {
    const EXPECTED: &'static str = "an integer";

    fn of_i64(number: i64) -> Option<Self> {
        Some(number)
    }

    #[allow(clippy::cast_possible_truncation, reason = "every whole number below 2^53 is one of both types")]
    fn of_f64(number: f64) -> Option<Self> {
        (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as Self)
    }

    fn of_str(text: &str) -> Option<Self> {
        let number = number(text)?;
        number.as_i64().or_else(|| Self::of_f64(number.as_f64()?))
    }
}

impl Scalar for f64 {
    const EXPECTED: &'static str = "a number";

    #[allow(clippy::cast_precision_loss, reason = "JSON has one kind of number")]
    fn of_i64(number: i64) -> Option<Self> {
        Some(number as Self)
    }

    #[allow(clippy::cast_precision_loss, reason = "JSON has one kind of number")]
    fn of_u64(number: u64) -> Option<Self> {
        Some(number as Self)
    }

    fn of_f64(number: f64) -> Option<Self> {
        Some(number)
    }

    fn of_str(text: &str) -> Option<Self> {
        match text {
            "NaN" => Some(Self::NAN),
            "Infinity" => Some(Self::INFINITY),
            "-Infinity" => Some(Self::NEG_INFINITY),
            _ => number(text)?.as_f64(),
        }
    }
}

impl Scalar for bool {
    const EXPECTED: &'static str = "a boolean";

    fn of_bool(value: bool) -> Option<Self> {
        Some(value)
    }

    fn of_i64(number: i64) -> Option<Self> {
        match number {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn of_f64(_: f64) -> Option<Self> {
        None
    }

    fn of_str(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A type stored as a string: strings, dates, enums.
pub(crate) trait Text: Default + for<'a> From<&'a str> + From<String> {}

impl<T: Text> Scalar for T {
    const EXPECTED: &'static str = "a text";
    const ROUNDS: bool = true;

    fn of_bool(value: bool) -> Option<Self> {
        Some(if value { "true" } else { "false" }.into())
    }

    fn of_i64(number: i64) -> Option<Self> {
        Some(number.to_string().into())
    }

    fn of_u64(number: u64) -> Option<Self> {
        Some(number.to_string().into())
    }

    fn of_f64(number: f64) -> Option<Self> {
        Some(Number::from_f64(number)?.to_string().into())
    }

    fn of_str(text: &str) -> Option<Self> {
        Some(text.into())
    }

    fn of_string(text: String) -> Result<Self, String> {
        Ok(text.into())
    }
}

impl Text for String {}
impl Text for crate::Date {}
impl Text for crate::DateTime {}

/// Converts a JSON value to an integer, as [`Scalar`] does.
#[cfg(feature = "tabular")]
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| i64::of_f64(number.as_f64()?)),
        Value::String(text) => i64::of_str(text),
        _ => None,
    }
}

/// A field that a scalar is read into.
pub(crate) trait ScalarField {
    type Scalar: Scalar;

    fn set(&mut self, scalar: Self::Scalar);

    /// Sets the field to null.
    fn set_null(&mut self) -> ReadOutcome;
}

impl<T: Scalar> ScalarField for T {
    type Scalar = T;

    #[inline]
    fn set(&mut self, scalar: T) {
        *self = scalar;
    }

    fn set_null(&mut self) -> ReadOutcome {
        *self = T::default();
        Mismatch::whole(T::EXPECTED, Value::Null)
    }
}

impl<T: Scalar> ScalarField for Option<T> {
    type Scalar = T;

    #[inline]
    fn set(&mut self, scalar: T) {
        *self = Some(scalar);
    }

    #[inline]
    fn set_null(&mut self) -> ReadOutcome {
        *self = None;
        None
    }
}

/// Reads a scalar into a field.
pub(crate) struct ScalarVisitor<'a, P>(pub &'a mut P);

impl<P: ScalarField> ScalarVisitor<'_, P> {
    const EXPECTED: &'static str = P::Scalar::EXPECTED;

    #[inline]
    fn put<E>(self, scalar: Option<P::Scalar>, found: impl FnOnce() -> Value) -> Result<ReadOutcome, E> {
        match scalar {
            Some(scalar) => {
                self.0.set(scalar);
                Ok(None)
            }
            None => self.mismatch(found()),
        }
    }

    #[cold]
    fn mismatch<E>(self, found: Value) -> Result<ReadOutcome, E> {
        let _ = self.0.set_null();
        Ok(Mismatch::whole(Self::EXPECTED, found))
    }
}

impl<'de, P: ScalarField> Visitor<'de> for ScalarVisitor<'_, P> {
    type Value = ReadOutcome;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::EXPECTED)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<ReadOutcome, E> {
        self.put(Scalar::of_bool(value), || value.into())
    }

    #[inline]
    fn visit_i64<E: Error>(self, number: i64) -> Result<ReadOutcome, E> {
        self.put(Scalar::of_i64(number), || number.into())
    }

    #[inline]
    fn visit_u64<E: Error>(self, number: u64) -> Result<ReadOutcome, E> {
        self.put(Scalar::of_u64(number), || number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<ReadOutcome, E> {
        let outcome = self.put(Scalar::of_f64(number), || number.into())?;
        Ok(if P::Scalar::ROUNDS && outcome.is_none() { Mismatch::rounded() } else { outcome })
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<ReadOutcome, E> {
        self.put(Scalar::of_str(text), || text.into())
    }

    #[inline]
    fn visit_string<E: Error>(self, text: String) -> Result<ReadOutcome, E> {
        match Scalar::of_string(text) {
            Ok(scalar) => {
                self.0.set(scalar);
                Ok(None)
            }
            Err(text) => self.mismatch(text.into()),
        }
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<ReadOutcome, E> {
        Ok(self.0.set_null())
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<ReadOutcome, E> {
        Ok(self.0.set_null())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<ReadOutcome, A::Error> {
        self.mismatch(list(items)?)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<ReadOutcome, A::Error> {
        self.mismatch(object(entries)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Deserialize;

    use crate::codec::in_place::InPlace;
    use crate::{Date, DateTime};

    /// Reads a scalar; `None` if it does not match, which leaves the default.
    fn read<T: for<'de> InPlace<'de> + Debug + PartialEq>(text: &str) -> Option<T> {
        let mut value = T::default();
        let outcome = value.fill(&mut serde_json::Deserializer::from_str(text)).unwrap();
        let is_whole = outcome.is_some_and(|mismatch| mismatch.whole_value().is_some());
        assert!(!is_whole || value == T::default(), "{text}: {value:?}");
        (!is_whole).then_some(value)
    }

    #[test]
    fn an_integer_is_read_in_every_form_and_never_cut() {
        for (text, number) in [
            ("12", 12),
            ("-12", -12),
            ("12.0", 12),
            ("1.2e1", 12),
            ("\"12\"", 12),
            ("\"12.0\"", 12),
            ("\"-9223372036854775808\"", i64::MIN),
            ("9223372036854775807", i64::MAX),
            ("-0.0", 0),
        ] {
            assert_eq!(read::<i64>(text), Some(number), "{text}");
            assert_eq!(read::<Option<i64>>(text), Some(Some(number)), "{text}");
        }
        for text in [
            "12.5",
            "\"12.5\"",
            "9223372036854775808",
            "1e300",
            "\"1e300\"",
            "\"\"",
            "\" 12\"",
            "\"+12\"",
            "\"012\"",
            "\"12 \"",
            "\"douze\"",
            "\"NaN\"",
            "true",
            "[12]",
            "{}",
            "null",
        ] {
            assert_eq!(read::<i64>(text), None, "{text}");
        }
        assert_eq!(read::<Option<i64>>("null"), Some(None));
    }

    #[test]
    fn a_number_is_read_in_every_form() {
        for (text, number) in [
            ("0.5", 0.5),
            ("12", 12.0),
            ("-12", -12.0),
            ("\"0.5\"", 0.5),
            ("\"-1.5e3\"", -1500.0),
            ("\"Infinity\"", f64::INFINITY),
            ("\"-Infinity\"", f64::NEG_INFINITY),
            ("18446744073709551615", 18_446_744_073_709_551_615.0),
        ] {
            assert_eq!(read::<f64>(text), Some(number), "{text}");
        }
        assert!(read::<Option<f64>>("\"NaN\"").flatten().is_some_and(f64::is_nan));
        for text in ["\"1,5\"", "\"inf\"", "\"\"", "\".5\"", "false", "[]", "null"] {
            assert_eq!(read::<f64>(text), None, "{text}");
        }
    }

    #[test]
    fn a_boolean_is_a_word_or_one_or_zero() {
        for (text, value) in
            [("true", true), ("false", false), ("\"true\"", true), ("\"false\"", false), ("1", true), ("0", false)]
        {
            assert_eq!(read::<bool>(text), Some(value), "{text}");
        }
        for text in ["2", "-1", "1.0", "\"True\"", "\"oui\"", "\"1\"", "\"\"", "null", "[]"] {
            assert_eq!(read::<bool>(text), None, "{text}");
        }
    }

    #[test]
    fn a_scalar_is_read_as_text_in_its_written_form() {
        for (text, written) in [
            ("\"é\\n\"", "é\n"),
            ("12", "12"),
            ("-12", "-12"),
            ("18446744073709551615", "18446744073709551615"),
            ("12.5", "12.5"),
            ("12.0", "12.0"),
            ("true", "true"),
        ] {
            assert_eq!(read::<String>(text), Some(written.to_owned()), "{text}");
            assert_eq!(read::<DateTime>(text), Some(written.into()), "{text}");
            assert_eq!(read::<Option<Date>>(text), Some(Some(written.into())), "{text}");
        }
        for text in ["null", "[\"a\"]", "{\"fr\": \"a\"}"] {
            assert_eq!(read::<String>(text), None, "{text}");
        }
    }

    #[test]
    fn user_types_read_dates_like_responses() {
        #[derive(Deserialize)]
        struct Own {
            year: DateTime,
        }
        assert_eq!(serde_json::from_str::<Own>(r#"{"year": 2024}"#).unwrap().year.as_str(), "2024");
        let error = serde_json::from_str::<Own>(r#"{"year": [2024]}"#).err().unwrap();
        assert!(error.to_string().starts_with("invalid type: sequence, expected a text"), "{error}");
    }
}
