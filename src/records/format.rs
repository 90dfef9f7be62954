//! How a file is written, as far as the caller knows.

use encoding_rs::Encoding;

use crate::{Error, Result};

/// How a file of rows is written. What is not set is detected: see [the module](super).
///
/// ```
/// use datagouv::records::Format;
///
/// let format = Format::new().encoding("macintosh").separator(';').null_words(["n.c.", "-"]).lenient(true);
/// # let _ = format;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Format {
    pub(super) encoding: Option<String>,
    pub(super) separator: Option<char>,
    pub(super) quote: Option<Option<char>>,
    pub(super) header: Header,
    pub(super) lenient: bool,
    pub(super) nulls: Option<Vec<String>>,
    pub(super) member: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Header {
    #[default]
    Detected,
    Line(u64),
    None,
}

impl Format {
    /// Creates a format of which nothing is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the encoding by its [label](https://encoding.spec.whatwg.org/#names-and-labels): `utf-8`, `latin1`, `macintosh`…
    /// An unknown label is an error of the reading.
    pub fn encoding(mut self, label: impl Into<String>) -> Self {
        self.encoding = Some(label.into());
        self
    }

    /// Sets the separator of cells, an ASCII character.
    pub fn separator(mut self, separator: char) -> Self {
        self.separator = Some(separator);
        self
    }

    /// Sets the character that quotes cells, an ASCII character; `None` if quotes are text. Default: `"`.
    pub fn quote(mut self, quote: impl Into<Option<char>>) -> Self {
        self.quote = Some(quote.into());
        self
    }

    /// Sets the line of the header, from 1. The lines before it are ignored.
    pub fn header_line(mut self, line: u64) -> Self {
        self.header = Header::Line(line);
        self
    }

    /// The file has no header: the columns are `column_1`, `column_2`…
    pub fn no_header(mut self) -> Self {
        self.header = Header::None;
        self
    }

    /// Sets whether rows are read that have too few cells (the others are null) or too many (they are dropped), and bytes
    /// that are not valid in the encoding (they become U+FFFD). Default: `false`; each is an error.
    pub fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    /// Sets the words that are null, in addition to the empty cell. Default: those of the platform (`NULL`, `nan`, `N/A`…) in a file
    /// whose profile types its columns, as in its table; none in others.
    pub fn null_words<Word: Into<String>>(mut self, words: impl IntoIterator<Item = Word>) -> Self {
        self.nulls = Some(words.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the file to read of a ZIP archive that holds several, by its path in the archive.
    pub fn member(mut self, name: impl Into<String>) -> Self {
        self.member = Some(name.into());
        self
    }

    pub(super) fn known_encoding(&self) -> Result<Option<&'static Encoding>> {
        let Some(label) = &self.encoding else { return Ok(None) };
        let known = Encoding::for_label(label.as_bytes());
        known.map(Some).ok_or_else(|| Error::request(format!("`{label}` is not an encoding of the WHATWG's standard")))
    }

    pub(super) fn known_separator(&self) -> Result<Option<u8>> {
        self.separator.map(|separator| ascii("separator", separator)).transpose()
    }

    pub(super) fn known_quote(&self) -> Result<Option<u8>> {
        self.quote.unwrap_or(Some('"')).map(|quote| ascii("quote", quote)).transpose()
    }
}

fn ascii(name: &str, letter: char) -> Result<u8> {
    u8::try_from(letter)
        .ok()
        .filter(|byte| byte.is_ascii() && !matches!(byte, b'\n' | b'\r'))
        .ok_or_else(|| Error::request(format!("the {name} {letter:?} is not an ASCII character of a line")))
}
