//! Reads and writes responses: missing and null properties become the default, unknown properties are kept, and no value is
//! an error.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected};
use serde_json::Value;

use crate::codec::deviation::Mismatch;
pub(crate) use crate::codec::deviation::{RawProperties, ReadOutcome};
use crate::codec::in_place::{InPlace, InPlaceSeed};
pub(crate) use crate::codec::structure::Structure;
pub(crate) use crate::codec::writing::*;

/// Reads a value. It is an error only if the value as a whole is of another type.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: InPlace<'de>>(deserializer: D) -> Result<T, D::Error> {
    read_with_mismatch(deserializer).map(|(value, _)| value)
}

/// Reads a value, and returns what of it did not match.
pub(crate) fn read_with_mismatch<'de, D, T>(deserializer: D) -> Result<(T, ReadOutcome), D::Error>
where
    D: Deserializer<'de>,
    T: InPlace<'de>,
{
    let mut value = T::default();
    let mismatch = value.fill(deserializer)?;
    match mismatch.as_ref().and_then(|mismatch| mismatch.whole_value()) {
        Some(found) => Err(invalid_type(T::EXPECTED, found)),
        None => Ok((value, mismatch)),
    }
}

/// Reads a value, or the default if it does not match; for `deserialize_with` of derived structures.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: InPlace<'de>>(deserializer: D) -> Result<T, D::Error> {
    let mut value = T::default();
    let _ = value.fill(deserializer)?;
    Ok(value)
}

/// Reads a count like [`or_default`]; `None` if it is negative.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(or_default::<_, Option<i64>>(deserializer)?.and_then(|count| count.try_into().ok()))
}

/// Reads a page; `None` if something in it does not match.
pub(crate) fn page<'de, D: Deserializer<'de>, T: InPlace<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    read_with_mismatch(deserializer).map(|(page, mismatch)| mismatch.is_none().then_some(page))
}

/// The error of a value of another type than expected.
pub(crate) fn invalid_type<E: Error>(expected: &str, found: &Value) -> E {
    let found = match found {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Unexpected::Unsigned(number),
            (_, Some(number)) => Unexpected::Signed(number),
            _ => Unexpected::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    };
    E::invalid_type(found, &expected)
}

/// Reads a value into its field. Null and mismatching values become the default: an empty string, list or map, zero, false.
#[inline]
pub(crate) fn read<'de, A: MapAccess<'de>, T: InPlace<'de>>(
    map: &mut A,
    field: &mut T,
) -> Result<ReadOutcome, A::Error> {
    map.next_value_seed(InPlaceSeed(field))
}

/// Reads the value of an unknown property.
#[cold]
pub(crate) fn unknown<'de, A: MapAccess<'de>>(map: &mut A) -> Result<ReadOutcome, A::Error> {
    map.next_value().map(Mismatch::unknown)
}

/// Reads the value of an additional property.
pub(crate) fn other<'de, A, T>(
    map: &mut A,
    property: &str,
    others: &mut BTreeMap<String, T>,
) -> Result<ReadOutcome, A::Error>
where
    A: MapAccess<'de>,
    T: for<'v> InPlace<'v>,
{
    let mut other = T::default();
    let value: Value = map.next_value()?;
    let outcome = other.fill(&value).unwrap_or_else(|_| Mismatch::null());
    if outcome.as_ref().is_some_and(|mismatch| mismatch.raw.is_some()) {
        return Ok(Mismatch::other(T::EXPECTED, value, outcome));
    }
    others.insert(property.to_owned(), other);
    Ok(outcome)
}

/// A union of response types.
pub(crate) trait Union: Sized {
    /// Reads a value as the first variant that matches.
    fn read(value: Value) -> (Self, ReadOutcome);
}

impl<T: Union> Union for Box<T> {
    fn read(value: Value) -> (Self, ReadOutcome) {
        let (read, outcome) = T::read(value);
        (Self::new(read), outcome)
    }
}

/// Implements reading for a union of response types.
macro_rules! union {
    ($name:ident) => {
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                crate::codec::tolerant::deserialize(deserializer)
            }
        }

        crate::codec::tolerant::union! { in place $name }
        crate::codec::tolerant::union! { in place ::std::boxed::Box<$name> }
    };
    (in place $union:ty) => {
        impl<'de> crate::codec::in_place::InPlace<'de> for $union {
            const EXPECTED: &'static str = "any value";

            fn fill<D: ::serde::Deserializer<'de>>(
                &mut self,
                deserializer: D,
            ) -> ::std::result::Result<crate::codec::tolerant::ReadOutcome, D::Error> {
                let value = <::serde_json::Value as ::serde::Deserialize>::deserialize(deserializer)?;
                let (read, outcome) = crate::codec::tolerant::Union::read(value);
                *self = read;
                ::std::result::Result::Ok(outcome)
            }
        }
    };
}

/// Reads a value as a variant of a union; `None` if it does not match.
pub(crate) fn variant<T: for<'v> InPlace<'v>, U>(
    value: &Value,
    variant: impl FnOnce(T) -> U,
) -> Option<(U, ReadOutcome)> {
    let mut taken = T::default();
    let outcome = taken.fill(value).ok()?;
    let is_taken = outcome.as_ref().is_none_or(|mismatch| mismatch.raw.is_none());
    is_taken.then(|| (variant(taken), outcome))
}

/// Reads null as the default; for `deserialize_with` of derived structures.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Implements reading and `unknown` for an object of responses, whose raw properties are in the field `$raw`.
macro_rules! structure {
    ($name:ident, $raw:ident) => {
        impl $name {
            /// Returns the properties that the platform's document does not name, as received. Newer servers send some.
            ///
            /// Serializing the response writes them; a request converted from it does not send them.
            #[must_use]
            #[inline]
            pub fn unknown(&self) -> &::std::collections::BTreeMap<::std::string::String, ::serde_json::Value> {
                self.$raw.unknown()
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                crate::codec::tolerant::deserialize(deserializer)
            }
        }
    };
}

pub(crate) use {structure, union};
