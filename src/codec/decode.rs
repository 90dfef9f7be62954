//! From the bytes of an answer to its type.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_path_to_error::Track;

use crate::codec::deviation::{Fit, Misfit, Step};
use crate::codec::in_place::InPlace;
use crate::codec::tolerant;

/// What was read, and what of it did not fit.
type Read<T> = (T, Fit);

type PathError = serde_path_to_error::Error<serde_json::Error>;

/// How a type is read.
trait Reader<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Read<T>, D::Error>;

    /// Reads once more a body that could not be read, for the path to what cannot be read.
    fn read_by_path(body: &[u8]) -> Result<Read<T>, PathError>;
}

/// As the type itself has it: a type of the user's is as strict as they made it.
struct Serde;

impl<T: DeserializeOwned> Reader<T> for Serde {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Read<T>, D::Error> {
        T::deserialize(deserializer).map(|value| (value, None))
    }

    fn read_by_path(body: &[u8]) -> Result<Read<T>, PathError> {
        by_path(body).map(|value| (value, None))
    }
}

/// As answers are read: what does not fit costs its field alone.
struct Tolerant;

impl<T: for<'de> InPlace<'de>> Reader<T> for Tolerant {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Read<T>, D::Error> {
        tolerant::read_whole(deserializer)
    }

    /// No value within is refused: what cannot be read is no JSON, or the whole has another form.
    fn read_by_path(body: &[u8]) -> Result<Read<T>, PathError> {
        let error = tolerant::another_form(T::EXPECTED, &by_path(body)?);
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

/// Reads a body as a type of any kind.
pub(crate) fn decode<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, PathError> {
    read::<Serde, T>(status, body).map(|(value, _)| value)
}

/// Reads a body as the type of an answer.
pub(crate) fn decode_answer<T: for<'de> InPlace<'de>>(status: StatusCode, body: &[u8]) -> Result<Read<T>, PathError> {
    let (value, misfit) = read::<Tolerant, T>(status, body)?;
    if let Some(misfit) = &misfit
        && let Some(quoted) = quoted(body, misfit)
    {
        return read::<Tolerant, T>(status, quoted.as_bytes());
    }
    Ok((value, misfit))
}

/// Reads a body. The path to what cannot be read is worked out only when something cannot.
fn read<R: Reader<T>, T>(status: StatusCode, body: &[u8]) -> Result<Read<T>, PathError> {
    // Checked at once, it is not checked again for each text in it.
    let text = std::str::from_utf8(body);
    if let Some(value) = text.ok().and_then(|text| read_text::<R, T>(text).ok()) {
        return Ok(value);
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        // A success without a body, where the document promised one: whatever is empty of its kind. Where the
        // status promises one too (200, 201) it got lost.
        let empty: &[_] = match status {
            StatusCode::OK | StatusCode::CREATED => &["null"],
            _ => &["null", "{}", "[]", "\"\""],
        };
        for empty in empty {
            if let Ok(value) = read_text::<R, T>(empty) {
                return Ok(value);
            }
        }
    }
    R::read_by_path(body)
}

fn read_text<R: Reader<T>, T>(text: &str) -> serde_json::Result<Read<T>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = R::read(&mut deserializer)?;
    deserializer.end().map(|()| read)
}

/// A body in which the numbers that were read as texts are texts: by the time that a number is seen to stand for a text,
/// its digits are gone. `None` where there are none.
#[cold]
fn quoted(body: &[u8], misfit: &Misfit) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let mut numbers: Vec<(usize, &str)> = misfit
        .rounded_paths()
        .filter_map(|path| {
            let number = path.iter().rev().try_fold(text, |text, step| within(text, step))?;
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

/// The text of a value, one step further into another.
fn within<'a>(text: &'a str, step: &Step) -> Option<&'a str> {
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
    fn an_empty_success_is_whatever_is_empty_of_its_kind() {
        let nothing = StatusCode::NO_CONTENT;
        assert!(decode::<Option<u8>>(nothing, b"").unwrap().is_none());
        assert!(decode::<Vec<u8>>(nothing, b" \n").unwrap().is_empty());
        assert!(decode::<Option<u8>>(StatusCode::OK, b"").unwrap().is_none());
    }

    #[test]
    fn a_body_that_got_lost_is_no_empty_thing() {
        for status in [StatusCode::OK, StatusCode::CREATED] {
            assert!(decode::<Vec<u8>>(status, b"").is_err());
            assert!(decode::<std::collections::BTreeMap<String, u8>>(status, b"\n").is_err());
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_path() {
        let error = decode::<std::collections::BTreeMap<String, Vec<u8>>>(StatusCode::OK, br#"{"data": [1, "x"]}"#)
            .unwrap_err();
        assert_eq!(error.path().to_string(), "data[1]");
    }

    #[test]
    fn what_follows_a_value_is_an_error() {
        let error = decode::<u8>(StatusCode::OK, b"1 2").unwrap_err();
        assert_eq!(error.to_string(), "trailing characters at line 1 column 3");
    }

    #[test]
    fn what_is_not_utf_8_is_an_error_only_where_it_is_read() {
        #[derive(Debug, serde::Deserialize)]
        struct Read {
            read: String,
        }
        let found = decode::<Read>(StatusCode::OK, b"{\"other\": \"\xff\", \"read\": \"a\"}");
        assert_eq!(found.unwrap().read, "a");
        let error = decode::<Read>(StatusCode::OK, b"{\"read\": \"\xff\"}").unwrap_err();
        assert_eq!(error.path().to_string(), "read");
    }
}
