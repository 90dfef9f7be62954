//! The columns of an export.

use super::decode::Field;
use super::records::Malformed;
use crate::codec::csv::unescape;

/// The maximum size of the names, which would otherwise never end. A table of PostgreSQL has 1,600 columns, of 63 bytes each.
const LONGEST_HEADER: usize = 1 << 20;

/// The columns that the header of an export names.
#[derive(Debug)]
pub(super) struct Header {
    pub fields: Vec<Field>,
    /// The index of the row number among them.
    pub number: Option<usize>,
    /// The indexes of the columns that record batches require.
    #[cfg(feature = "arrow")]
    pub required: Vec<usize>,
}

/// Reads the names of the columns, which come before all records, as the bytes arrive.
#[derive(Debug, Default)]
pub(super) struct HeaderReader {
    buffer: Vec<u8>,
    /// No more bytes follow.
    ended: bool,
    /// Where the records start.
    end: usize,
}

impl HeaderReader {
    /// Adds bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Marks the end of the bytes.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// The names of the columns; `None` if more bytes are needed, no names if there are no rows: then the server sends no header
    /// either.
    ///
    /// The server does not quote the names: one that contains a comma is recognised by the expected names.
    pub(super) fn names(&mut self, expected: &[String]) -> Result<Option<Vec<String>>, Malformed> {
        let plain = expected.join(",");
        let may_follow = self.buffer.len() <= plain.len() && !self.ended;
        if may_follow && plain.as_bytes().starts_with(&self.buffer) {
            return Ok(None);
        }
        if !plain.is_empty()
            && let Some(rest) = self.buffer.strip_prefix(plain.as_bytes())
            && let Some(line_end) = line_end(rest, self.ended)
        {
            self.end = plain.len() + line_end;
            return Ok(Some(expected.to_vec()));
        }
        self.split()
    }

    /// Splits the first line as CSV.
    fn split(&mut self) -> Result<Option<Vec<String>>, Malformed> {
        let mut names = Vec::new();
        let mut rest = self.buffer.as_slice();
        loop {
            let Some((name, after)) = name(rest, self.ended)? else {
                return if self.buffer.len() > LONGEST_HEADER { Err(Malformed::LongHeader) } else { Ok(None) };
            };
            names.push(name);
            match after.strip_prefix(b",") {
                Some(next) => rest = next,
                None => {
                    self.end = self.buffer.len() - after.len() + line_end(after, true).unwrap_or_default();
                    return Ok(Some(if names == [""] { Vec::new() } else { names }));
                }
            }
        }
    }

    /// The bytes of the records.
    pub(super) fn into_rest(mut self) -> Vec<u8> {
        self.buffer.drain(..self.end);
        self.buffer
    }
}

/// The length of the line end that comes next.
fn line_end(bytes: &[u8], ended: bool) -> Option<usize> {
    match bytes {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        [] if ended => Some(0),
        _ => None,
    }
}

/// The next name, and what follows it: a comma or the end of the line. `None` if it does not end yet.
fn name(bytes: &[u8], ended: bool) -> Result<Option<(String, &[u8])>, Malformed> {
    let (name, after) = match bytes.strip_prefix(b"\"") {
        Some(content) => {
            let Some(length) = quoted_length(content, ended) else {
                return if ended { Err(Malformed::Quotes) } else { Ok(None) };
            };
            let (name, after) = content.split_at(length);
            (name, after.get(1..).unwrap_or_default())
        }
        None => {
            let Some(length) =
                bytes.iter().position(|byte| matches!(byte, b',' | b'\n')).or(ended.then_some(bytes.len()))
            else {
                return Ok(None);
            };
            let returns =
                bytes.get(length) == Some(&b'\n') && bytes.get(..length).is_some_and(|name| name.ends_with(b"\r"));
            bytes.split_at(length - usize::from(returns))
        }
    };
    let text = std::str::from_utf8(name).map_err(|_| Malformed::NotUtf8)?;
    match after {
        [b',', ..] => {}
        // It may be the first half of a line end.
        [] | [b'\r'] if !ended => return Ok(None),
        _ if line_end(after, ended).is_some() => {}
        _ => return Err(Malformed::Quotes),
    }
    let quoted = bytes.first() == Some(&b'"');
    Ok(Some((if quoted { unescape(text) } else { text.to_owned() }, after)))
}

/// How long the content of a quoted value is, behind its first quote.
fn quoted_length(content: &[u8], ended: bool) -> Option<usize> {
    let mut at = 0;
    loop {
        at += content.get(at..)?.iter().position(|byte| *byte == b'"')?;
        match content.get(at + 1) {
            Some(b'"') => at += 2,
            None if !ended => return None,
            _ => return Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of an export that comes in pieces of a size, and the bytes behind them that have come.
    fn names(body: &str, size: usize, expected: &[&str]) -> Result<(Vec<String>, String), Malformed> {
        let expected: Vec<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        let mut reader = HeaderReader::default();
        let mut pieces = body.as_bytes().chunks(size);
        loop {
            if let Some(names) = reader.names(&expected)? {
                return Ok((names, String::from_utf8(reader.into_rest()).unwrap()));
            }
            match pieces.next() {
                Some(piece) => reader.push(piece),
                None => reader.end(),
            }
        }
    }

    #[test]
    fn without_rows_there_are_no_names() {
        for body in ["\n\n", "\n", "", "\r\n"] {
            for size in [1, 10] {
                assert_eq!(names(body, size, &["__id", "a"]).unwrap().0, Vec::<String>::new(), "{body:?}");
            }
        }
    }

    #[test]
    fn a_name_with_a_comma_is_recognised_by_the_expected_names() {
        for size in [1, 5, 100] {
            assert_eq!(names("__id,a,b,c\n1,2,3\n", size, &["__id", "a,b", "c"]).unwrap().0, ["__id", "a,b", "c"]);
            assert_eq!(names("__id,a,b,c\n1,2,3,4\n", size, &[]).unwrap().0, ["__id", "a", "b", "c"]);
            let quoted = "__id,\"a,b\",\"c\"\"\\\\\"\n1,2\n";
            assert_eq!(
                names(quoted, size, &["__id", "a,b"]).unwrap().0,
                ["__id", "a,b", "c\"\\"],
                "quoted all the same"
            );
        }
    }

    #[test]
    fn other_names_than_the_expected_are_read() {
        for size in 1..12 {
            for (body, expected, read) in [
                ("a,bc\n1,2\n", vec!["a", "b"], vec!["a", "bc"]),
                ("a\n1\n", vec!["a", "b"], vec!["a"]),
                ("a,c\r\n1,2\n", vec!["a", "b"], vec!["a", "c"]),
                ("a,b", vec!["a", "b"], vec!["a", "b"]),
                ("a,", vec!["a", "b"], vec!["a", ""]),
                ("a \"b\",c\n", vec![], vec!["a \"b\"", "c"]),
            ] {
                assert_eq!(names(body, size, &expected).unwrap().0, read, "{body:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn the_records_are_what_follows_the_line() {
        for body in ["a,b\n1,2\n", "a,b\r\n1,2\n", "\"a\",b\n1,2\n", "a,\"b\"\r\n1,2\n"] {
            assert_eq!(
                names(body, 100, &["a", "b"]).unwrap(),
                (vec!["a".to_owned(), "b".to_owned()], "1,2\n".to_owned())
            );
        }
    }

    #[test]
    fn names_that_do_not_end_as_csv_asks_are_an_error() {
        for body in ["\"a", "\"a\"b\n", "\"a\" ,b\n", "\"a\"\rb\n"] {
            for size in [1, 100] {
                assert_eq!(names(body, size, &["c"]).unwrap_err(), Malformed::Quotes, "{body:?}");
            }
        }
        assert_eq!(names(&"a".repeat(3 << 20), 64 << 10, &["c"]).unwrap_err(), Malformed::LongHeader);
    }
}
