//! Decodes rows, records of CSV or objects of JSON, into any type that serde deserializes from a map.
//!
//! A record is decoded by the types of its columns, never by what the receiving type requests: a row of CSV succeeds or
//! fails exactly as the same row of JSON does.

use std::borrow::Cow;
use std::cell::Cell as Slot;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde_json::{Error, Value};

use super::profile::Kind;
use super::record::{Cell, Record};
use super::row::Row;
use crate::codec::map::deserialize_as_map;
use crate::codec::number::Decimal;

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

/// Reads a record.
pub(crate) fn from_record<T: DeserializeOwned>(fields: &[Field], record: Record<'_>) -> Result<T, Failure> {
    if record.len() != fields.len() {
        return Err((None, Error::custom(format!("the row has {} values, the table {}", record.len(), fields.len()))));
    }
    let failed = Slot::new(None);
    T::deserialize(RecordDeserializer { fields, record, failed: &failed, next: 0 })
        .map_err(|error| (failed.get().and_then(|index| Some(fields.get(index)?.name.clone())), error))
}

/// Reads a row of JSON.
pub(crate) fn from_row<T: DeserializeOwned>(row: &Row) -> Result<T, Failure> {
    let failed = Slot::new(None);
    T::deserialize(RowDeserializer { row, failed: &failed, next: 0 })
        .map_err(|error| (failed.get().and_then(|index| Some(row.iter().nth(index)?.0.to_owned())), error))
}

struct RecordDeserializer<'de, 'slot> {
    fields: &'de [Field],
    record: Record<'de>,
    failed: &'slot Slot<Option<usize>>,
    /// The next value.
    next: usize,
}

impl<'de> Deserializer<'de> for RecordDeserializer<'de, '_> {
    type Error = Error;

    deserialize_as_map!();
}

impl<'de> MapAccess<'de> for RecordDeserializer<'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        while let Some(field) = self.fields.get(self.next) {
            if !field.hidden {
                return seed.deserialize(BorrowedStrDeserializer::new(&field.name)).map(Some);
            }
            self.next += 1;
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let index = self.next;
        self.next += 1;
        let (Some(field), Some(cell)) = (self.fields.get(index), self.record.cell(index)) else {
            return Err(Error::custom("the row ends too soon"));
        };
        seed.deserialize(CellDeserializer { kind: field.kind, cell }).inspect_err(|_| self.failed.set(Some(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len().saturating_sub(self.next))
    }
}

/// A value of a record, with the type of its column.
struct CellDeserializer<'de> {
    kind: Kind,
    cell: Cell<'de>,
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

fn visit_text<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value, Error> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// The number that a text is in JSON; a text that is not a number is visited as text.
#[inline]
fn visit_number<'de, V: Visitor<'de>>(cell: Cell<'de>, visitor: V) -> Result<V::Value, Error> {
    match Decimal::parse(cell.raw()) {
        Some(Decimal { negative: false, digits, places: None }) => visitor.visit_u64(digits.unsigned_abs()),
        Some(Decimal { negative: true, digits: digits @ 1.., places: None }) => visitor.visit_i64(-digits),
        number => match number.filter(|number| number.places.is_some()).and_then(Decimal::to_f64) {
            Some(number) => visitor.visit_f64(number),
            None => visit_any_number(cell.text(), visitor),
        },
    }
}

fn visit_any_number<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value, Error> {
    let digits = text.strip_prefix('-').unwrap_or(&text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && text != "-0" {
        if let Ok(number) = text.parse::<u64>() {
            return visitor.visit_u64(number);
        }
        if let Ok(number) = text.parse::<i64>() {
            return visitor.visit_i64(number);
        }
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => visitor.visit_f64(number),
        _ => visit_text(text, visitor),
    }
}

/// The database's text of an instant (`2024-01-31 08:00:00+01`) in the form of its JSON. Years may have more than four
/// digits, or be BC (`0044-03-15 12:00:00 BC`).
fn instant(text: Cow<'_, str>) -> Cow<'_, str> {
    let (instant, era) = match text.strip_suffix(" BC") {
        Some(instant) => (instant, " BC"),
        None => (text.as_ref(), ""),
    };
    let Some((date, time)) = instant.split_once(' ') else { return text };
    let hours_alone = time.rfind(['+', '-']).is_some_and(|sign| time.len() - sign == 3);
    Cow::Owned(format!("{date}T{time}{}{era}", if hours_alone { ":00" } else { "" }))
}

impl<'de> Deserializer<'de> for CellDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.cell.is_null() {
            return visitor.visit_unit();
        }
        match self.kind {
            Kind::String | Kind::Date => visit_text(self.cell.text(), visitor),
            Kind::Int | Kind::Float => visit_number(self.cell, visitor),
            Kind::Bool => match self.cell.raw() {
                "t" | "true" => visitor.visit_bool(true),
                "f" | "false" => visitor.visit_bool(false),
                _ => visit_text(self.cell.text(), visitor),
            },
            Kind::Datetime => visit_text(instant(self.cell.text()), visitor),
            Kind::Json => match self.cell.text() {
                Cow::Borrowed(text) => serde_json::Deserializer::from_str(text).deserialize_any(visitor),
                Cow::Owned(text) => json(&text)?.deserialize_any(visitor),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.cell.is_null() || (self.kind == Kind::Json && self.cell.text() == "null") {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match not_finite(self.cell.raw()) {
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
        match self.kind {
            Kind::Json => json(&self.cell.text())?.deserialize_enum(name, variants, visitor),
            _ => visitor.visit_enum(self.cell.text().into_deserializer()),
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

fn json(text: &str) -> Result<Value, Error> {
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
        seed.deserialize(ValueDeserializer(value)).inspect_err(|_| self.failed.set(Some(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.row.len().saturating_sub(self.next))
    }
}

/// A value of JSON; a number may also be one of those that JSON writes as texts.
struct ValueDeserializer<'de>(&'de Value);

impl<'de> Deserializer<'de> for ValueDeserializer<'de> {
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::record::Records;
    use super::*;

    fn fields(kinds: &[(&str, Kind)]) -> Vec<Field> {
        kinds
            .iter()
            .map(|(name, kind)| Field { name: (*name).to_owned(), kind: *kind, hidden: *name == "__id" })
            .collect()
    }

    fn read<T: DeserializeOwned>(fields: &[Field], line: &str) -> Result<T, Failure> {
        let mut records = Records::default();
        records.push(line.as_bytes());
        records.end();
        from_record(fields, records.next(fields.len()).unwrap().unwrap())
    }

    fn of_every_kind() -> Vec<Field> {
        fields(&[
            ("__id", Kind::Int),
            ("text", Kind::String),
            ("whole", Kind::Int),
            ("part", Kind::Float),
            ("yes", Kind::Bool),
            ("day", Kind::Date),
            ("instant", Kind::Datetime),
            ("tree", Kind::Json),
        ])
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Oui,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Id(u64);

    #[derive(Debug, Deserialize, PartialEq)]
    struct Typed {
        text: Option<Word>,
        whole: Id,
        part: Option<f64>,
        yes: bool,
        day: String,
        instant: Option<crate::DateTime>,
        tree: Vec<u8>,
    }

    #[test]
    fn a_record_equals_the_row_in_json() {
        let line = "7,oui,18446744073709551615,1e+20,t,2024-01-31,\"2024-01-31 08:00:00.5+01\",\"[1, 2]\"\n";
        let json = r#"{"text": "oui", "whole": 18446744073709551615, "part": 1e+20, "yes": true, "day": "2024-01-31",
            "instant": "2024-01-31T08:00:00.5+01:00", "tree": [1, 2]}"#;
        let row: Row = serde_json::from_str(json).unwrap();
        assert_eq!(read::<Row>(&of_every_kind(), line).unwrap(), row);
        let typed: Typed = read(&of_every_kind(), line).unwrap();
        assert_eq!(typed, from_row(&row).unwrap());
        assert_eq!((typed.whole, typed.part), (Id(u64::MAX), Some(1e20)));
    }

    /// Both forms as PostgreSQL 15 writes them, in CSV and in JSON.
    #[test]
    fn an_instant_of_any_year_is_written_as_in_json() {
        for (csv, json) in [
            ("2024-01-31 08:00:00", "2024-01-31T08:00:00"),
            ("2024-01-31 08:00:00.5+00", "2024-01-31T08:00:00.5+00:00"),
            ("2024-01-31 08:00:00-03:30", "2024-01-31T08:00:00-03:30"),
            ("12024-01-31 08:00:00+00", "12024-01-31T08:00:00+00:00"),
            ("0044-03-15 12:00:00+00 BC", "0044-03-15T12:00:00+00:00 BC"),
            ("0044-03-15 12:00:00 BC", "0044-03-15T12:00:00 BC"),
            ("infinity", "infinity"),
            ("-infinity", "-infinity"),
        ] {
            let row: Row = read(&fields(&[("a", Kind::Datetime)]), &format!("{csv}\n")).unwrap();
            assert_eq!(row["a"], json);
        }
    }

    #[test]
    fn null_is_not_the_empty_text() {
        let kinds = fields(&[("a", Kind::String), ("b", Kind::String)]);
        let row: Row = read(&kinds, ",\"\"\n").unwrap();
        assert_eq!(row, serde_json::from_str(r#"{"a": null, "b": ""}"#).unwrap());
        assert_eq!(read::<(String,)>(&kinds, ",\n").unwrap_err().0, None, "a row is an object");
    }

    #[test]
    fn nan_and_infinity_are_numbers_for_numeric_types_and_texts_otherwise() {
        #[derive(Debug, Deserialize)]
        struct Parts {
            a: f64,
            b: Option<f32>,
        }
        let line = "NaN,-Infinity\n";
        let kinds = fields(&[("a", Kind::Float), ("b", Kind::Float)]);
        let row: Row = read(&kinds, line).unwrap();
        assert_eq!(row, serde_json::from_str(r#"{"a": "NaN", "b": "-Infinity"}"#).unwrap());
        for parts in [read::<Parts>(&kinds, line).unwrap(), from_row(&row).unwrap()] {
            assert!(parts.a.is_nan() && parts.b == Some(f32::NEG_INFINITY));
        }
    }

    #[test]
    fn the_type_of_the_column_decides_not_the_requested_type() {
        #[derive(Debug, Deserialize)]
        struct Wish {
            #[allow(dead_code)]
            a: String,
        }
        let (column, error) = read::<Wish>(&fields(&[("a", Kind::Int)]), "1\n").unwrap_err();
        assert_eq!(column.as_deref(), Some("a"));
        assert!(error.to_string().contains("invalid type: integer `1`, expected a string"), "{error}");
        let row: Row = serde_json::from_str(r#"{"a": 1}"#).unwrap();
        assert_eq!(from_row::<Wish>(&row).unwrap_err().1.to_string(), error.to_string());
    }

    #[test]
    fn numbers_are_those_of_json_to_the_last_digit() {
        let kinds = fields(&[("a", Kind::Float)]);
        for text in [
            "0",
            "-0",
            "-1",
            "0.1",
            "1.0",
            "9223372036854775808",
            "-9223372036854775809",
            "5e-324",
            "1.7976931348623157e+308",
            "0.30000000000000004",
            "48.85661400000001",
        ] {
            let row: Row = serde_json::from_str(&format!("{{\"a\": {text}}}")).unwrap();
            assert_eq!(read::<Row>(&kinds, text).unwrap(), row, "{text}");
        }
    }

    #[test]
    fn a_row_that_is_too_short_is_an_error() {
        assert!(read::<Row>(&of_every_kind(), "1,2\n").unwrap_err().1.to_string().contains("2 values, the table 8"));
    }
}
