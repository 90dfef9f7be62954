//! Headers of range requests (RFC 9110, sections 8.8 and 14).

use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED};

/// A `Content-Range` of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContentRange {
    pub first: u64,
    pub last: u64,
    pub total: Option<u64>,
}

impl ContentRange {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(CONTENT_RANGE)?.to_str().ok()?.trim();
        let (unit, range) = value.split_once(' ')?;
        let (bounds, total) = range.trim().split_once('/')?;
        let (first, last) = bounds.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let total = if total.trim() == "*" { None } else { Some(number(total)?) };
        let sound = unit.eq_ignore_ascii_case("bytes") && first <= last && total.is_none_or(|total| last < total);
        sound.then_some(Self { first, last, total })
    }
}

/// The size of the file in the `Content-Range` of a response with 416 (`bytes */10`).
pub(super) fn unsatisfied_length(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(CONTENT_RANGE)?.to_str().ok()?.trim();
    let (unit, length) = value.split_once(' ')?;
    let length = length.trim().strip_prefix("*/")?;
    number(length).filter(|_| unit.eq_ignore_ascii_case("bytes"))
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A strong validator, which identifies one state of a file to the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validator {
    pub header: HeaderName,
    pub value: HeaderValue,
}

impl Validator {
    /// Returns the strong validator of a response: a strong entity tag, or a modification date old enough to exclude a second
    /// change within the same second.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        if let Some(tag) = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\"")) {
            return Some(Self { header: ETAG, value: tag.clone() });
        }
        let date = |name: HeaderName| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok();
        let age = date(DATE)?.duration_since(date(LAST_MODIFIED)?).ok()?;
        let value = headers.get(LAST_MODIFIED)?.clone();
        (age >= Duration::from_secs(1)).then_some(Self { header: LAST_MODIFIED, value })
    }

    /// Returns whether a response is of the same state.
    pub(super) fn matches(&self, headers: &HeaderMap) -> bool {
        headers.get(&self.header) == Some(&self.value)
    }

    /// Returns whether a response is of another state; without a validator it is not.
    pub(super) fn contradicts(&self, headers: &HeaderMap) -> bool {
        headers.get(&self.header).is_some_and(|value| *value != self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_content_range_is_understood_or_refused() {
        let range = |value| ContentRange::of(&headers(&[("content-range", value)]));
        assert_eq!(range("bytes 5-9/10"), Some(ContentRange { first: 5, last: 9, total: Some(10) }));
        assert_eq!(range("Bytes 5-9/*"), Some(ContentRange { first: 5, last: 9, total: None }));
        for wrong in [
            "bytes */10",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "items 5-9/10",
            "bytes 5-9",
            "bytes -9/10",
            "5-9/10",
            "bytes +5-9/10",
            "bytes 5-99999999999999999999/*",
            "",
        ] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_length_of_an_unsatisfied_range_is_understood() {
        let length = |value| unsatisfied_length(&headers(&[("content-range", value)]));
        assert_eq!(length("bytes */10"), Some(10));
        for other in ["bytes */*", "bytes 0-1/10", "items */10", "bytes */x", ""] {
            assert_eq!(length(other), None, "{other}");
        }
    }

    #[test]
    fn only_a_strong_validator_tells_states_apart() {
        let value = |pairs: &[(&'static str, &str)]| {
            Validator::of(&headers(pairs)).map(|validator| validator.value.to_str().unwrap().to_owned())
        };
        let (earlier, later) = ("Sun, 22 Nov 2026 10:00:00 GMT", "Sun, 22 Nov 2026 10:00:01 GMT");
        assert_eq!(value(&[("etag", "\"a\""), ("last-modified", earlier)]).as_deref(), Some("\"a\""));
        assert_eq!(value(&[("etag", "W/\"a\"")]), None);
        assert_eq!(
            value(&[("etag", "W/\"a\""), ("last-modified", earlier), ("date", later)]).as_deref(),
            Some(earlier)
        );
        assert_eq!(value(&[("last-modified", later), ("date", later)]), None);
        assert_eq!(value(&[("last-modified", earlier)]), None);
        assert_eq!(value(&[("last-modified", "yesterday"), ("date", later)]), None);
    }
}
