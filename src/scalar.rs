//! Numbers, texts and booleans of answers, in whichever of the three forms they come.
//!
//! The platform writes what JSON has no form for as text: counts of numpy are `"80207"`, and those over chunks of a
//! file are `80207.0`.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};

/// The greatest float below which every whole number is one.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A whole number, if the float is one.
#[allow(clippy::cast_possible_truncation, reason = "checked before")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// The number that a text is, as JSON writes it.
fn number(text: &str) -> Option<serde_json::Number> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'));
    if is_number { serde_json::from_str(text).ok() } else { None }
}

/// The integer that a value is, in any of its forms.
#[cfg(feature = "tabular")]
pub(crate) fn integer(value: &serde_json::Value) -> Option<i64> {
    serde::Deserializer::deserialize_any(value, IntegerVisitor).ok()
}

/// Reads an integer: `12`, `12.0`, `"12"`.
pub(crate) struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i64, E> {
        i64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<i64, E> {
        whole(number).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
        let number = number(text).and_then(|number| number.as_i64().or_else(|| whole(number.as_f64()?)));
        number.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_unit<E: Error>(self) -> Result<i64, E> {
        Err(E::invalid_type(Unexpected::Unit, &self))
    }
}

/// Reads a number: `0.5`, `1`, `"0.5"`, `"NaN"`.
pub(crate) struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    #[allow(clippy::cast_precision_loss, reason = "JSON has one kind of number")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    #[allow(clippy::cast_precision_loss, reason = "JSON has one kind of number")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        let number = match text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => number(text).and_then(|number| number.as_f64()),
        };
        number.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_unit<E: Error>(self) -> Result<f64, E> {
        Err(E::invalid_type(Unexpected::Unit, &self))
    }
}

/// Reads a boolean: `true`, `"true"`, `1`.
pub(crate) struct BooleanVisitor;

impl Visitor<'_> for BooleanVisitor {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<bool, E> {
        Err(E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<bool, E> {
        match number {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        match text {
            "false" => Ok(false),
            "true" => Ok(true),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Err(E::invalid_type(Unexpected::Unit, &self))
    }
}
