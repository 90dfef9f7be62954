//! Query parameters whose names depend on the data.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Query parameters whose names depend on the columns of a resource or of a model of metrics, such as
/// `score__greater=0.9` (the query grammar of the tabular and metrics APIs).
///
/// The servers decode a query twice. Keys and values are therefore encoded once more where needed, and a backslash in the
/// name of a column is doubled, so that column names and compared values arrive unchanged. The values of `in`, `notin`,
/// `sort`, `columns` and `or` are part of the servers' query language: do not build them from user input. Use
/// [`rows`](crate::rows), which escapes all of them.
///
/// ```
/// use datagouv::Filters;
///
/// let filters = Filters::new()
///     .with("score__greater", "0.9")
///     .with("dep__in", "75,2A")
///     .with("score__sort", "desc");
/// assert_eq!(filters.iter().count(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(Vec<(String, String)>);

impl Filters {
    /// Creates an empty list of filters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key and a value. A key without a value (`column__isnull`) takes the empty text.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((key.into(), value.into()));
        self
    }

    /// Returns the keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Filters {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        pairs.into_iter().fold(Self::new(), |filters, (key, value)| filters.with(key, value))
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for Filters {
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl Serialize for Filters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.iter() {
            map.serialize_entry(&encoded_key(key), &encode_once_more(value))?;
        }
        map.end()
    }
}

/// The characters that the servers' second decoding would interpret as syntax.
const SECOND_DECODING: &percent_encoding::AsciiSet =
    &percent_encoding::CONTROLS.add(b'%').add(b'#').add(b'&').add(b'=').add(b'+');

/// A key, split at the last `__` as the servers do it.
fn encoded_key(key: &str) -> String {
    let Some((column, operator)) = key.rsplit_once("__").filter(|(column, _)| !column.is_empty()) else {
        return encode_once_more(key);
    };
    let mut encoded = encode_once_more(column).replace('\\', "%5C%5C");
    // A trailing underscore of the name would be taken for one of the two before the operator.
    if encoded.ends_with('_') {
        encoded.pop();
        encoded.push_str("%5F");
    }
    format!("{encoded}__{operator}")
}

fn encode_once_more(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let mut rest = text;
    // Only ASCII characters are syntax.
    while let Some(at) = rest.find(|letter: char| letter.is_ascii() && needs_encoding(letter)) {
        let (before, after) = rest.split_at(at);
        encoded.push_str(before);
        let (letter, after) = after.split_at(1);
        encoded.extend(percent_encoding::utf8_percent_encode(letter, SECOND_DECODING));
        rest = after;
    }
    encoded.push_str(rest);
    encoded
}

fn needs_encoding(letter: char) -> bool {
    letter.is_ascii_control() || matches!(letter, '%' | '#' | '&' | '=' | '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_two_decodings() {
        let once = split(Filters::new().with("a b#c__exact", "x&y=z%41+é😀"));
        assert!(!once.0.contains('#') && !once.1.contains(['&', '=', '#', '+']), "{once:?}");
        assert_eq!((decode(&once.0), decode(&once.1)), ("a b#c__exact".to_owned(), "x&y=z%41+é😀".to_owned()));
    }

    #[test]
    fn a_column_ends_before_the_last_two_underscores() {
        assert_eq!(split(Filters::new().with("trail___exact", "1")).0, "trail%5F__exact");
        assert_eq!(split(Filters::new().with("__id__less", "1")).0, "__id__less");
    }

    #[test]
    fn a_backslash_in_a_column_name_is_doubled() {
        // The server escapes the quote with a backslash, and quotes the name.
        assert_eq!(decode(&split(Filters::new().with("a\\\"b__exact", "1")).0), "a\\\\\"b__exact");
    }

    /// Returns the first key and value after the server's first decoding.
    fn split(filters: Filters) -> (String, String) {
        let sent = serde_urlencoded::to_string(filters).unwrap();
        serde_urlencoded::from_str::<Vec<_>>(&sent).unwrap().remove(0)
    }

    fn decode(text: &str) -> String {
        percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
    }
}
