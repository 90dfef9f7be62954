//! Query parameters whose names depend on the data.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Query parameters whose names depend on the columns of a resource or of a model of metrics, such as
/// `score__greater=0.9` (the query grammar of the tabular and metrics APIs).
///
/// The servers decode a query twice, so what would not survive the second time is encoded once more here:
/// a column and a value arrive as they are given.
///
/// ```
/// use datagouv::Filters;
///
/// let filters = Filters::new().with("score__greater", "0.9").with("dep__in", "75,2A").with("score__sort", "desc");
/// assert_eq!(filters.iter().count(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(Vec<(String, String)>);

impl Filters {
    /// No filter.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more key and value; a bare key (`column__isnull`) has the empty value.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((key.into(), value.into()));
        self
    }

    /// The keys and values, in order.
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
            map.serialize_entry(&encode_once_more(key), &encode_once_more(value))?;
        }
        map.end()
    }
}

/// What the servers' second decoding would take for syntax.
const SECOND_DECODING: &percent_encoding::AsciiSet =
    &percent_encoding::CONTROLS.add(b'%').add(b'#').add(b'&').add(b'=').add(b'+');

pub(crate) fn encode_once_more(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let mut rest = text;
    // Only ASCII is syntax: letters beyond it arrive right as they are.
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
        let filters = Filters::new().with("a b#c__exact", "x&y=z%41+é😀");
        let sent = serde_urlencoded::to_string(&filters).unwrap();
        let once: Vec<(String, String)> = serde_urlencoded::from_str(&sent).unwrap();
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
        assert!(!once[0].0.contains('#') && !once[0].1.contains(['&', '=', '#', '+']), "{once:?}");
        assert_eq!((decode(&once[0].0), decode(&once[0].1)), ("a b#c__exact".to_owned(), "x&y=z%41+é😀".to_owned()));
    }
}
