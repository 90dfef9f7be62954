//! The fields of objects, and the forms of their values: slugs, dates, tags, references.

use serde_json::{Map, Value, json};

use super::timestamp::{read_timestamp, write_timestamp};
use crate::sort::sort_by;

/// The properties of an object, by name.
pub(crate) type Fields = Map<String, Value>;

/// The text of a field, empty where there is none.
pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Lower-case ASCII letters and digits of a French text.
pub(crate) fn plain(text: &str) -> String {
    let folded = text.chars().flat_map(char::to_lowercase).map(|char| match char {
        'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        other => other,
    });
    folded.collect()
}

/// The slug of a title.
pub(crate) fn slug(title: &str) -> String {
    let dashed: String =
        plain(title).chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
    dashed.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// The id of a reference: written alone, or as an object.
pub(super) fn reference(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value["id"].as_str())
}

/// Whether a text has the form of an id of the database.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A date and time as the catalogue writes it; a text without a zone is of UTC.
pub(super) fn date_time(value: &Value) -> Value {
    match value.as_str().map(|text| read_timestamp(text, true)) {
        Some(Ok(micros)) => {
            // The catalogue writes all six digits of a fraction, or none.
            let text = write_timestamp(micros, 'T', "");
            let text = match text.split_once('.') {
                Some((seconds, fraction)) => format!("{seconds}.{fraction:0<6}"),
                None => text,
            };
            json!(format!("{text}+00:00"))
        }
        _ => value.clone(),
    }
}

/// Tags as the catalogue keeps them.
pub(super) fn tags(value: &Value) -> Value {
    let mut tags: Vec<String> = value.as_array().into_iter().flatten().filter_map(Value::as_str).map(slug).collect();
    sort_by(&mut tags, Ord::cmp);
    tags.dedup();
    json!(tags)
}

pub(super) fn badges(kinds: &[String]) -> Value {
    kinds.iter().map(|kind| json!({"kind": kind})).collect()
}
