//! Values in CSV as PostgreSQL and the tabular server write them.
//!
//! It differs from the usual CSV: null is an empty field while `""` is the empty text, which CSV readers do not distinguish;
//! and backslashes within quotes are doubled.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

/// A value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'a> {
    /// The CSV.
    text: &'a str,
    /// Where the value is in it, with its quotes.
    from: usize,
    to: usize,
}

impl<'a> Cell<'a> {
    /// The value in a range of CSV, with its quotes.
    #[inline]
    pub(crate) fn new(csv: &'a str, range: Range<usize>) -> Self {
        Self { text: csv, from: range.start, to: range.end }
    }

    /// Null; the empty text would be in quotes.
    #[inline]
    pub(crate) fn is_null(self) -> bool {
        self.from == self.to
    }

    #[inline]
    fn is_quoted(self) -> bool {
        !self.is_null() && self.text.as_bytes().get(self.from) == Some(&b'"')
    }

    /// Where the value is in the CSV, without its quotes.
    #[inline]
    pub(crate) fn range(self) -> Range<usize> {
        let quotes = usize::from(self.is_quoted());
        self.from + quotes..self.to - quotes
    }

    /// The bytes of the value as it is in CSV, which is the value itself unless it is [escaped](Self::is_escaped).
    #[inline]
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.text.as_bytes().get(self.range()).unwrap_or_default()
    }

    /// The value as it is in CSV, without its quotes.
    #[inline]
    pub(crate) fn raw(self) -> &'a str {
        self.text.get(self.range()).unwrap_or_default()
    }

    /// Whether quotes or backslashes of the value are doubled in CSV.
    #[inline]
    pub(crate) fn is_escaped(self) -> bool {
        self.is_quoted() && memchr2(b'"', b'\\', self.bytes()).is_some()
    }

    /// The value without the escaping of CSV.
    #[inline]
    pub(crate) fn text(self) -> Cow<'a, str> {
        if self.is_escaped() { Cow::Owned(unescape(self.raw())) } else { Cow::Borrowed(self.raw()) }
    }
}

/// Whether a value of a column of JSON is null, which is not the null of the table. PostgreSQL keeps the white space of JSON.
pub(crate) fn is_json_null(text: &str) -> bool {
    text.trim_ascii() == "null"
}

/// The text of a quoted value without the doubling.
pub(crate) fn unescape(mut rest: &str) -> String {
    let mut plain = String::with_capacity(rest.len());
    while let Some(at) = memchr2(b'"', b'\\', rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let (letter, after) = from.split_at(1);
        plain.push_str(letter);
        rest = after.strip_prefix(letter).unwrap_or(after);
    }
    plain.push_str(rest);
    plain
}
