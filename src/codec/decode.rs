//! Decodes the body of a response into its type.

use std::collections::BTreeMap;

use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_path_to_error::Track;

use crate::codec::deviation::{Mismatch, ReadOutcome, Step};
use crate::codec::in_place::InPlace;
use crate::codec::tolerant;

/// A value, and what of it did not match its type.
type Decoded<T> = (T, ReadOutcome);

type PathError = serde_path_to_error::Error<serde_json::Error>;

/// The values that an empty body may be decoded as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmptyBody {
    /// `null` only, for types that are optional: a body was promised, and got lost.
    Null,
    /// The empty value of the type: `null`, `{}`, `[]` or `""`.
    Empty,
}

/// How a type is deserialized.
trait Reader<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decoded<T>, D::Error>;

    /// Reads a body again after a failure, for an error with the path to the value.
    fn read_by_path(body: &[u8]) -> Result<Decoded<T>, PathError>;
}

/// By the type's own `Deserialize`: types of the user are as strict as they were written.
struct Serde;

impl<T: DeserializeOwned> Reader<T> for Serde {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decoded<T>, D::Error> {
        T::deserialize(deserializer).map(|value| (value, None))
    }

    fn read_by_path(body: &[u8]) -> Result<Decoded<T>, PathError> {
        by_path(body).map(|value| (value, None))
    }
}

/// As responses are read: a value that does not match leaves only its own field at the default.
struct Tolerant;

impl<T: for<'de> InPlace<'de>> Reader<T> for Tolerant {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decoded<T>, D::Error> {
        tolerant::read_with_mismatch(deserializer)
    }

    /// Nested values never fail: either the body is not JSON, or the whole value is of another type.
    fn read_by_path(body: &[u8]) -> Result<Decoded<T>, PathError> {
        let error = tolerant::invalid_type(T::EXPECTED, &by_path(body)?);
        Err(PathError::new(Track::new().path(), error))
    }
}

fn by_path<T: DeserializeOwned>(body: &[u8]) -> Result<T, PathError> {
    let mut track = Track::new();
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    T::deserialize(serde_path_to_error::Deserializer::new(&mut deserializer, &mut track))
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| PathError::new(track.path(), error))
}

/// Decodes a body by the type's own `Deserialize`.
pub(crate) fn decode<T: DeserializeOwned>(empty: EmptyBody, body: &[u8]) -> Result<T, PathError> {
    read::<Serde, T>(empty, body).map(|(value, _)| value)
}

/// Decodes a body as the type of a response.
pub(crate) fn decode_response<T: for<'de> InPlace<'de>>(
    empty: EmptyBody,
    body: &[u8],
) -> Result<Decoded<T>, PathError> {
    let (value, mismatch) = read::<Tolerant, T>(empty, body)?;
    if let Some(mismatch) = &mismatch
        && let Some(quoted) = quoted(body, mismatch)
    {
        return read::<Tolerant, T>(empty, quoted.as_bytes());
    }
    Ok((value, mismatch))
}

/// Decodes a body. The path to a value that cannot be read is determined only on failure, by a second pass.
fn read<R: Reader<T>, T>(empty: EmptyBody, body: &[u8]) -> Result<Decoded<T>, PathError> {
    // One check of the whole body saves a check of each string in it.
    let text = std::str::from_utf8(body);
    if let Some(value) = text.ok().and_then(|text| read_text::<R, T>(text).ok()) {
        return Ok(value);
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        let values: &[_] = match empty {
            EmptyBody::Null => &["null"],
            EmptyBody::Empty => &["null", "{}", "[]", "\"\""],
        };
        for value in values {
            if let Ok(value) = read_text::<R, T>(value) {
                return Ok(value);
            }
        }
    }
    R::read_by_path(body)
}

fn read_text<R: Reader<T>, T>(text: &str) -> serde_json::Result<Decoded<T>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = R::read(&mut deserializer)?;
    deserializer.end().map(|()| read)
}

/// Puts the numbers that were read as strings between quotes, so that a second pass reads their digits as received: serde
/// passes on a float, not its digits. Returns `None` if there are none.
#[cold]
fn quoted(body: &[u8], mismatch: &Mismatch) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let mut numbers: Vec<(usize, &str)> = mismatch
        .rounded_paths()
        .filter_map(|path| {
            let number = path.iter().rev().try_fold(text, |text, step| child(text, step))?;
            let at = (number.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
            number.starts_with(|first: char| first == '-' || first.is_ascii_digit()).then_some((at, number))
        })
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let (mut quoted, mut done) = (String::new(), 0);
    for (at, number) in &numbers {
        quoted.push_str(text.get(done..*at)?);
        quoted.extend(["\"", number, "\""]);
        done = at + number.len();
    }
    quoted.push_str(text.get(done..)?);
    (!numbers.is_empty()).then_some(quoted)
}

/// Returns the JSON text of a child of a value.
fn child<'a>(text: &'a str, step: &Step) -> Option<&'a str> {
    let value = match step {
        Step::Property(name) => serde_json::from_str::<BTreeMap<String, &RawValue>>(text).ok()?.remove(name),
        Step::Index(index) => serde_json::from_str::<Vec<&RawValue>>(text).ok()?.get(*index).copied(),
    };
    value.map(RawValue::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_body_decodes_as_the_empty_value_of_the_type() {
        assert!(decode::<Option<u8>>(EmptyBody::Empty, b"").unwrap().is_none());
        assert!(decode::<Vec<u8>>(EmptyBody::Empty, b" \n").unwrap().is_empty());
        assert!(decode::<Option<u8>>(EmptyBody::Null, b"").unwrap().is_none());
    }

    #[test]
    fn an_empty_body_with_a_content_type_decodes_as_null_only() {
        assert!(decode::<Vec<u8>>(EmptyBody::Null, b"").is_err());
        assert!(decode::<std::collections::BTreeMap<String, u8>>(EmptyBody::Null, b"\n").is_err());
    }

    #[test]
    fn an_error_names_the_path_to_the_value() {
        let error = decode::<std::collections::BTreeMap<String, Vec<u8>>>(EmptyBody::Null, br#"{"data": [1, "x"]}"#)
            .unwrap_err();
        assert_eq!(error.path().to_string(), "data[1]");
    }

    #[test]
    fn trailing_characters_are_an_error() {
        let error = decode::<u8>(EmptyBody::Null, b"1 2").unwrap_err();
        assert_eq!(error.to_string(), "trailing characters at line 1 column 3");
    }

    #[test]
    fn invalid_utf_8_is_an_error_only_in_values_that_are_read() {
        #[derive(Debug, serde::Deserialize)]
        struct Read {
            read: String,
        }
        let found = decode::<Read>(EmptyBody::Null, b"{\"other\": \"\xff\", \"read\": \"a\"}");
        assert_eq!(found.unwrap().read, "a");
        let error = decode::<Read>(EmptyBody::Null, b"{\"read\": \"\xff\"}").unwrap_err();
        assert_eq!(error.path().to_string(), "read");
    }
}
