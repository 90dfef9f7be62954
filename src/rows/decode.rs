//! Decodes rows, records of CSV or objects of JSON, into any type that serde deserializes from a map.
//!
//! A record is decoded by the types of its columns, never by what the receiving type requests: a row of CSV succeeds or
//! fails exactly as the same row of JSON does.

use std::cell::Cell as Slot;
use std::iter::Zip;
use std::slice::Iter;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde_json::{Error, Value as JsonValue};

use super::profile::Kind;
use super::row::Row;
use crate::codec::csv::is_json_null;
use crate::codec::map::deserialize_as_map;

/// A column of the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub name: String,
    pub kind: Kind,
    /// The column was selected only because windows need it, and is not yielded.
    pub hidden: bool,
}

/// Why a row cannot be decoded: the column, if it is one, and the reason.
pub(crate) type Failure = (Option<String>, Error);

/// Reads a record, of which each column has a value that is stored in some form.
#[inline]
pub(super) fn from_values<'a, I, R, T>(fields: &'a [Field], values: I, resolve: R) -> Result<T, Failure>
where
    I: Iterator,
    R: Fn(I::Item) -> Value<'a>,
    T: DeserializeOwned,
{
    let failed = Slot::new(None);
    let entries = fields.iter().zip(values);
    T::deserialize(RecordDeserializer { entries, resolve, next: None, failed: &failed })
        .map_err(|error| (failed.get().map(str::to_owned), error))
}

/// Reads a row of JSON.
pub(crate) fn from_row<T: DeserializeOwned>(row: &Row) -> Result<T, Failure> {
    let failed = Slot::new(None);
    T::deserialize(RowDeserializer { row, failed: &failed, next: 0 })
        .map_err(|error| (failed.get().and_then(|index| Some(row.iter().nth(index)?.0.to_owned())), error))
}

struct RecordDeserializer<'de, 'slot, I: Iterator, R> {
    entries: Zip<Iter<'de, Field>, I>,
    resolve: R,
    /// The column whose key has been read.
    next: Option<(&'de Field, I::Item)>,
    /// The column whose value cannot be read.
    failed: &'slot Slot<Option<&'de str>>,
}

impl<'de, I: Iterator, R: Fn(I::Item) -> Value<'de>> Deserializer<'de> for RecordDeserializer<'de, '_, I, R> {
    type Error = Error;

    deserialize_as_map!();
}

impl<'de, I: Iterator, R: Fn(I::Item) -> Value<'de>> MapAccess<'de> for RecordDeserializer<'de, '_, I, R> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        for (field, value) in self.entries.by_ref() {
            if !field.hidden {
                self.next = Some((field, value));
                return seed.deserialize(BorrowedStrDeserializer::new(&field.name)).map(Some);
            }
        }
        Ok(None)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((field, value)) = self.next.take() else { return Err(Error::custom("the row ends too soon")) };
        seed.deserialize(ValueDeserializer { kind: field.kind, value: (self.resolve)(value) })
            .inspect_err(|_| self.failed.set(Some(&field.name)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.size_hint().0)
    }
}

/// A value of a record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Negative(i64),
    Float(f64),
    /// Of columns of texts and dates, of those of JSON before it is parsed, and where a value is none of its column's type.
    Text(&'a str),
}

/// A value of a record, with the type of its column.
struct ValueDeserializer<'de> {
    kind: Kind,
    value: Value<'de>,
}

/// What PostgreSQL writes for numbers that JSON lacks; in JSON they are strings.
#[inline]
fn not_finite(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

impl<'de> Deserializer<'de> for ValueDeserializer<'de> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Unsigned(number) => visitor.visit_u64(number),
            Value::Negative(number) => visitor.visit_i64(number),
            Value::Float(number) => visitor.visit_f64(number),
            Value::Text(text) if self.kind == Kind::Json => {
                let mut json = serde_json::Deserializer::from_str(text);
                let value = json.deserialize_any(visitor)?;
                json.end().map(|()| value)
            }
            Value::Text(text) => visitor.visit_borrowed_str(text),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            Value::Text(text) if self.kind == Kind::Json && is_json_null(text) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Text(text) if let Some(number) = not_finite(text) => visitor.visit_f64(number),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Value::Text(text) if self.kind == Kind::Json => json(text)?.deserialize_enum(name, variants, visitor),
            Value::Text(text) => visitor.visit_enum(text.into_deserializer()),
            // No variant is a number or a truth value.
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

fn json(text: &str) -> Result<JsonValue, Error> {
    serde_json::from_str(text)
}

struct RowDeserializer<'de, 'slot> {
    row: &'de Row,
    failed: &'slot Slot<Option<usize>>,
    /// The next value.
    next: usize,
}

impl<'de> Deserializer<'de> for RowDeserializer<'de, '_> {
    type Error = Error;

    deserialize_as_map!();
}

impl<'de> MapAccess<'de> for RowDeserializer<'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, _)) = self.row.entry(self.next) else { return Ok(None) };
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let index = self.next;
        self.next += 1;
        let Some((_, value)) = self.row.entry(index) else {
            return Err(Error::custom("the row ends too soon"));
        };
        seed.deserialize(JsonDeserializer(value)).inspect_err(|_| self.failed.set(Some(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.row.len().saturating_sub(self.next))
    }
}

/// A value of JSON; a number may also be one of those that JSON writes as texts.
struct JsonDeserializer<'de>(&'de JsonValue);

impl<'de> Deserializer<'de> for JsonDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.as_str().and_then(not_finite) {
            Some(number) => visitor.visit_f64(number),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
