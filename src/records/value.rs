//! Records to types: each cell with the type of its column in the platform's profile, so that it is the value that the
//! tabular API gives; without a profile, as text that a typed field reads.

use std::cell::Cell as Slot;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde_json::Error;

use super::date::Moment;
use super::parse::Parser;
use crate::codec::map::deserialize_as_map;

/// The type of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Unknown: a cell is text, or what the field that receives it requests.
    #[default]
    Unknown,
    Text,
    Int,
    Float,
    Bool,
    Date(Option<String>),
    Datetime(Option<String>),
    Json,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    pub kind: Kind,
}

/// Why a record cannot be read: the column, where it is one, and the reason.
pub(super) type Failure = (Option<usize>, Error);

/// Reads a record. Cells that it lacks are null.
pub(super) fn decode<T: DeserializeOwned>(columns: &[Column], nulls: &[String], record: &Parser) -> Result<T, Failure> {
    let failed = Slot::new(None);
    T::deserialize(RecordDeserializer { columns, nulls, record, failed: &failed, next: 0 })
        .map_err(|error| (failed.get(), error))
}

struct RecordDeserializer<'de, 'slot> {
    columns: &'de [Column],
    nulls: &'de [String],
    record: &'de Parser,
    failed: &'slot Slot<Option<usize>>,
    next: usize,
}

impl<'de> Deserializer<'de> for RecordDeserializer<'de, '_> {
    type Error = Error;

    deserialize_as_map!();
}

impl<'de> MapAccess<'de> for RecordDeserializer<'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(column) = self.columns.get(self.next) else { return Ok(None) };
        seed.deserialize(BorrowedStrDeserializer::new(&column.name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let index = self.next;
        self.next += 1;
        let Some(column) = self.columns.get(index) else { return Err(Error::custom("the row ends too soon")) };
        let text = self.record.cell(index).unwrap_or_default();
        let null = text.is_empty() || self.nulls.iter().any(|word| word == text);
        let cell = CellDeserializer { kind: &column.kind, text, null };
        seed.deserialize(cell).inspect_err(|_| self.failed.set(Some(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.columns.len().saturating_sub(self.next))
    }
}

struct CellDeserializer<'de> {
    kind: &'de Kind,
    text: &'de str,
    null: bool,
}

/// The words for true and false that the platform reads.
fn truth(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    match () {
        () if is(&["1", "vrai", "true", "oui", "yes", "y", "o"]) => Some(true),
        () if is(&["0", "faux", "false", "non", "no", "n"]) => Some(false),
        () => None,
    }
}

/// A number, with a decimal point or comma.
fn number(text: &str) -> Option<f64> {
    if text.contains(',') { text.replace(',', ".").parse().ok() } else { text.parse().ok() }
}

/// What JSON cannot write as a number.
fn not_finite(number: f64) -> &'static str {
    match number {
        number if number.is_nan() => "NaN",
        number if number > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

/// From this on, PostgreSQL writes an exponent, so that a number is no integer in its JSON.
const EXPONENT: f64 = 1e15;

fn visit_float<'de, V: Visitor<'de>>(number: f64, visitor: V) -> Result<V::Value, Error> {
    let whole = number.fract() == 0.0 && number.abs() < EXPONENT && !(number == 0.0 && number.is_sign_negative());
    match number {
        number if !number.is_finite() => visitor.visit_borrowed_str(not_finite(number)),
        // Exact, since it is whole and not too large.
        number if whole && number >= 0.0 => visitor.visit_u64(number as u64),
        number if whole => visitor.visit_i64(number as i64),
        number => visitor.visit_f64(number),
    }
}

impl<'de> CellDeserializer<'de> {
    fn visit_text<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.text)
    }

    fn visit_int<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Error> {
        let text = self.text.trim();
        match (text.parse::<u64>(), text.parse::<i64>()) {
            (Ok(number), _) => visitor.visit_u64(number),
            (_, Ok(number)) => visitor.visit_i64(number),
            _ => self.visit_text(visitor),
        }
    }

    /// Whether the field that reads it decides what the text is.
    fn is_open(&self) -> bool {
        !self.null && *self.kind == Kind::Unknown
    }
}

macro_rules! deserialize_int {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
                if self.is_open() { self.visit_int(visitor) } else { self.deserialize_any(visitor) }
            }
        )*
    };
}

impl<'de> Deserializer<'de> for CellDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.null {
            return visitor.visit_unit();
        }
        // What is not of the type of its column stays as it is written: nothing is lost.
        match self.kind {
            Kind::Unknown | Kind::Text => self.visit_text(visitor),
            Kind::Int => self.visit_int(visitor),
            Kind::Float => match number(self.text) {
                Some(number) => visit_float(number, visitor),
                None => self.visit_text(visitor),
            },
            Kind::Bool => match truth(self.text) {
                Some(truth) => visitor.visit_bool(truth),
                None => self.visit_text(visitor),
            },
            Kind::Date(format) => match moment(self.text, format.as_deref()) {
                Some(moment) => visitor.visit_string(moment.date()),
                None => self.visit_text(visitor),
            },
            Kind::Datetime(format) => match moment(self.text, format.as_deref()) {
                Some(moment) => visitor.visit_string(moment.datetime()),
                None => self.visit_text(visitor),
            },
            Kind::Json => match serde_json::from_str::<serde_json::Value>(self.text) {
                Ok(value) => value.deserialize_any(visitor),
                Err(_) => self.visit_text(visitor),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.null || (*self.kind == Kind::Json && self.text == "null") {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    deserialize_int! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let readable = !self.null && matches!(self.kind, Kind::Unknown | Kind::Float);
        match number(self.text).filter(|_| readable) {
            Some(number) => visitor.visit_f64(number),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match truth(self.text).filter(|_| self.is_open()) {
            Some(truth) => visitor.visit_bool(truth),
            None => self.deserialize_any(visitor),
        }
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
        match serde_json::from_str::<serde_json::Value>(self.text) {
            Ok(value) if *self.kind == Kind::Json => value.deserialize_enum(name, variants, visitor),
            _ => visitor.visit_enum(self.text.into_deserializer()),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

fn moment(text: &str, format: Option<&str>) -> Option<Moment> {
    format.and_then(|format| Moment::parse(text, format)).or_else(|| Moment::iso(text))
}
