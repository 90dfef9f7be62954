//! Numbers, texts and booleans of answers, in whichever form they come.
//!
//! The platform writes as text what JSON has no form for (`"NaN"`), and what its JSON writer does not know (`"80207"`, an
//! integer of numpy); counts over chunks of a file are `80207.0`. As long as the meaning is the same, so is the value.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use crate::codec::deviation::{Fit, Misfit};
use crate::codec::in_place::{list, object};

/// A value that is not made of others: what it is in each of the forms of JSON, if it is anything.
pub(crate) trait Scalar: Default {
    /// What it is, for messages.
    const EXPECTED: &'static str;

    /// Whether what it is of a float has other digits than those which came.
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

    /// Gives the text back where it is nothing.
    fn of_string(text: String) -> Result<Self, String> {
        Self::of_str(&text).ok_or(text)
    }
}

/// The number that a text is, as JSON writes it.
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

/// What is kept as a text: strings, dates, enums.
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

/// The integer that a value is, in any of its forms.
#[cfg(feature = "tabular")]
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| i64::of_f64(number.as_f64()?)),
        Value::String(text) => i64::of_str(text),
        _ => None,
    }
}

/// Where a scalar is read to.
pub(crate) trait Place {
    type Scalar: Scalar;

    fn put(&mut self, scalar: Self::Scalar);

    /// Nothing came.
    fn empty(&mut self) -> Fit;
}

impl<T: Scalar> Place for T {
    type Scalar = T;

    #[inline]
    fn put(&mut self, scalar: T) {
        *self = scalar;
    }

    fn empty(&mut self) -> Fit {
        *self = T::default();
        Misfit::whole(T::EXPECTED, Value::Null)
    }
}

impl<T: Scalar> Place for Option<T> {
    type Scalar = T;

    #[inline]
    fn put(&mut self, scalar: T) {
        *self = Some(scalar);
    }

    #[inline]
    fn empty(&mut self) -> Fit {
        *self = None;
        None
    }
}

/// Reads a scalar into its place.
pub(crate) struct ScalarVisitor<'a, P>(pub &'a mut P);

impl<P: Place> ScalarVisitor<'_, P> {
    const EXPECTED: &'static str = P::Scalar::EXPECTED;

    #[inline]
    fn put<E>(self, scalar: Option<P::Scalar>, found: impl FnOnce() -> Value) -> Result<Fit, E> {
        match scalar {
            Some(scalar) => {
                self.0.put(scalar);
                Ok(None)
            }
            None => self.misfit(found()),
        }
    }

    #[cold]
    fn misfit<E>(self, found: Value) -> Result<Fit, E> {
        let _ = self.0.empty();
        Ok(Misfit::whole(Self::EXPECTED, found))
    }
}

impl<'de, P: Place> Visitor<'de> for ScalarVisitor<'_, P> {
    type Value = Fit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::EXPECTED)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Fit, E> {
        self.put(Scalar::of_bool(value), || value.into())
    }

    #[inline]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Fit, E> {
        self.put(Scalar::of_i64(number), || number.into())
    }

    #[inline]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Fit, E> {
        self.put(Scalar::of_u64(number), || number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Fit, E> {
        let fit = self.put(Scalar::of_f64(number), || number.into())?;
        Ok(if P::Scalar::ROUNDS && fit.is_none() { Misfit::rounded() } else { fit })
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<Fit, E> {
        self.put(Scalar::of_str(text), || text.into())
    }

    #[inline]
    fn visit_string<E: Error>(self, text: String) -> Result<Fit, E> {
        match Scalar::of_string(text) {
            Ok(scalar) => {
                self.0.put(scalar);
                Ok(None)
            }
            Err(text) => self.misfit(text.into()),
        }
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<Fit, E> {
        Ok(self.0.empty())
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<Fit, E> {
        Ok(self.0.empty())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Fit, A::Error> {
        self.misfit(list(items)?)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Fit, A::Error> {
        self.misfit(object(entries)?)
    }
}
