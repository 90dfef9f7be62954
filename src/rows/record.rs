//! The records of the server's CSV, parsed as the bytes arrive.
//!
//! The server's CSV differs from the usual one: null is an empty field while `""` is the empty text, which CSV readers
//! do not distinguish; backslashes within quotes are doubled; names of the header are not quoted; and if no
//! row matches, there is no header either.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

use super::decode::Field;
use super::scan::{STRIDE, field_ends, quoted};

/// The maximum size of a record, and of a response in JSON. An unclosed quote would otherwise never end.
pub(super) const LONGEST_RECORD: usize = 64 << 20;

/// Why a body cannot be parsed as records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// A quoted field does not end, or continues after its quote.
    Quotes,
    NotUtf8,
    TooLong,
}

impl Malformed {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Quotes => "a quoted value does not end as CSV asks",
            Self::NotUtf8 => "the text is not UTF-8",
            Self::TooLong => "a row is longer than 64 MiB",
        }
    }
}

/// Splits bytes into records.
#[derive(Debug, Default)]
pub(crate) struct Records {
    buffer: String,
    /// The start of the next record.
    start: usize,
    /// The bytes behind the buffer: the first of a character, or all from those on that are not UTF-8.
    rest: Vec<u8>,
    /// The rest is not UTF-8, whatever follows.
    broken: bool,
    /// No more bytes follow.
    ended: bool,
    /// The number of bytes needed before the next record is parsed again: it is parsed from its start each time.
    enough: usize,
    fields: Vec<Extent>,
}

/// Where a value is in its record, without its quotes.
#[derive(Clone, Copy, Debug)]
struct Extent {
    from: usize,
    to: usize,
    quoted: bool,
    /// It contains doubled quotes or backslashes.
    escaped: bool,
}

/// A record, borrowed from the bytes received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    /// Where it starts in the text of all records.
    pub at: usize,
    text: &'a str,
    fields: &'a [Extent],
}

/// A value of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'a> {
    record: &'a str,
    extent: Extent,
}

impl<'a> Cell<'a> {
    /// Null; the empty text would be in quotes.
    #[inline]
    pub(crate) fn is_null(self) -> bool {
        self.extent.from == self.extent.to && !self.extent.quoted
    }

    /// Where the value is in its record.
    #[inline]
    pub(crate) fn range(self) -> Range<usize> {
        self.extent.from..self.extent.to
    }

    /// The bytes of the value as it is in CSV, which is the value itself unless it is [escaped](Self::is_escaped).
    #[inline]
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.record.as_bytes().get(self.range()).unwrap_or_default()
    }

    /// The value as it is in CSV.
    #[inline]
    pub(crate) fn raw(self) -> &'a str {
        self.record.get(self.range()).unwrap_or_default()
    }

    /// Whether quotes or backslashes of the value are doubled in CSV.
    #[inline]
    pub(crate) fn is_escaped(self) -> bool {
        self.extent.escaped
    }

    /// The value without the escaping of CSV.
    #[inline]
    pub(crate) fn text(self) -> Cow<'a, str> {
        if self.is_escaped() { Cow::Owned(self.plain()) } else { Cow::Borrowed(self.raw()) }
    }

    /// Without the doubling.
    fn plain(self) -> String {
        let mut rest = self.raw();
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
}

// Called for each value, from the crate that has the row type.
impl<'a> Record<'a> {
    #[inline]
    pub(crate) fn len(self) -> usize {
        self.fields.len()
    }

    #[inline]
    pub(crate) fn cell(self, index: usize) -> Option<Cell<'a>> {
        Some(Cell { record: self.text, extent: *self.fields.get(index)? })
    }

    /// The values in their order.
    #[inline]
    pub(crate) fn cells(self) -> impl Iterator<Item = Cell<'a>> {
        self.fields.iter().map(move |extent| Cell { record: self.text, extent: *extent })
    }

    /// The text of a column; `None` for null.
    pub(crate) fn text_of(self, fields: &[Field], column: &str) -> Option<Cow<'a, str>> {
        let index = fields.iter().position(|field| field.name == column)?;
        self.cell(index).filter(|cell| !cell.is_null()).map(Cell::text)
    }

    pub(crate) fn text(self) -> &'a str {
        self.text
    }

    /// An empty line: between records it is none, unless a row has one column.
    fn is_blank(self) -> bool {
        matches!(self.fields, [Extent { from, to, quoted: false, .. }] if from == to)
    }
}

impl Records {
    /// The records of complete bytes.
    pub(crate) fn whole(bytes: Vec<u8>) -> Self {
        let mut records = Self { ended: true, ..Self::default() };
        match String::from_utf8(bytes) {
            Ok(text) => records.buffer = text,
            Err(error) => records.append(error.as_bytes()),
        }
        records
    }

    /// The text of all records of complete bytes.
    pub(crate) fn into_text(self) -> String {
        self.buffer
    }

    /// The bytes that are not split yet.
    pub(crate) fn into_rest(mut self) -> Vec<u8> {
        self.buffer.drain(..self.start);
        let mut bytes = self.buffer.into_bytes();
        bytes.append(&mut self.rest);
        bytes
    }

    /// Adds bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        if self.rest.is_empty() {
            self.append(bytes);
        } else {
            self.rest.extend_from_slice(bytes);
            if !self.broken {
                let bytes = std::mem::take(&mut self.rest);
                self.append(&bytes);
            }
        }
    }

    /// Checks once what all values are parts of.
    fn append(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.buffer.push_str(text),
            Err(error) => {
                let (text, rest) = bytes.split_at(error.valid_up_to());
                self.buffer.push_str(std::str::from_utf8(text).unwrap_or_default());
                self.rest = rest.to_vec();
                self.broken = error.error_len().is_some();
            }
        }
    }

    /// Marks the end of the bytes.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// The names of the columns, which come before all records; `None` if more bytes are needed, no names
    /// if there are no rows.
    ///
    /// The names are not quoted: one that contains a comma is recognised by the expected names.
    pub(crate) fn header(&mut self, expected: &[String]) -> Result<Option<Vec<String>>, Malformed> {
        let plain = expected.join(",");
        let line = self.buffer.as_bytes().get(self.start..).unwrap_or_default();
        if line.len() <= plain.len() && !self.ended && !self.broken && plain.as_bytes().starts_with(line) {
            return Ok(None);
        }
        let rest = line.strip_prefix(plain.as_bytes());
        if let Some(rest) =
            rest.filter(|rest| !plain.is_empty() && matches!(rest, [] | [b'\n', ..] | [b'\r', b'\n', ..]))
        {
            let line_end = if rest.starts_with(b"\r") { 2 } else { rest.len().min(1) };
            self.start += plain.len() + line_end;
            return Ok(Some(expected.to_vec()));
        }
        let Some(record) = self.record()? else {
            return Ok(self.ended.then(Vec::new));
        };
        if record.is_blank() {
            return Ok(Some(Vec::new()));
        }
        let cells = (0..record.len()).filter_map(|index| record.cell(index));
        Ok(Some(cells.map(|cell| cell.text().into_owned()).collect()))
    }

    /// The next record of rows with this many columns; `None` if more bytes are needed, or none are left.
    pub(crate) fn next(&mut self, columns: usize) -> Result<Option<Record<'_>>, Malformed> {
        // Located first and borrowed afterwards: the borrow checker refuses a borrow that leaves a loop.
        let Some(mut end) = self.split()? else { return Ok(None) };
        while columns != 1 && matches!(self.fields.as_slice(), [Extent { from, to, quoted: false, .. }] if from == to) {
            self.start = end;
            match self.split()? {
                Some(next) => end = next,
                None => return Ok(None),
            }
        }
        Ok(Some(self.take(end)))
    }

    fn record(&mut self) -> Result<Option<Record<'_>>, Malformed> {
        Ok(self.split()?.map(|end| self.take(end)))
    }

    fn take(&mut self, end: usize) -> Record<'_> {
        let at = self.start;
        let text = self.buffer.get(at..end).unwrap_or_default();
        self.start = end;
        Record { at, text, fields: &self.fields }
    }

    /// Finds the fields of the next record, relative to its start, and where the one after it starts.
    fn split(&mut self) -> Result<Option<usize>, Malformed> {
        let bytes = self.buffer.as_bytes().get(self.start..).unwrap_or_default();
        self.fields.clear();
        let last = self.ended && self.rest.is_empty();
        let waits = !self.ended && !self.broken;
        if (bytes.is_empty() && (last || waits)) || (bytes.len() < self.enough && waits) {
            return Ok(None);
        }
        self.enough = 0;
        let enough = &mut self.enough;
        let mut incomplete = |reason| match () {
            () if last => Err(reason),
            () if !waits => Err(Malformed::NotUtf8),
            () if bytes.len() > LONGEST_RECORD => Err(Malformed::TooLong),
            () => {
                // Half as much again, so that a long record is not parsed for each arriving piece.
                *enough = bytes.len() + bytes.len() / 2;
                Ok(None)
            }
        };
        // Where the next field starts.
        let mut from = 0;
        'fields: loop {
            if bytes.get(from) == Some(&b'"') {
                let Some((to, escaped)) = quoted(bytes, from + 1, last) else {
                    return incomplete(Malformed::Quotes);
                };
                self.fields.push(Extent { from: from + 1, to, quoted: true, escaped });
                from = match bytes.get(to + 1..).unwrap_or_default() {
                    [b',', ..] => to + 2,
                    [b'\n', ..] => return Ok(Some(self.start + to + 2)),
                    [b'\r', b'\n', ..] => return Ok(Some(self.start + to + 3)),
                    [] if last => return Ok(Some(self.start + to + 1)),
                    [] | [b'\r'] if !last => return incomplete(Malformed::TooLong),
                    _ => return Err(Malformed::Quotes),
                };
                continue;
            }
            let mut at = from;
            while let Some(mut ends) = field_ends(bytes, at) {
                while ends != 0 {
                    let to = at + ends.trailing_zeros() as usize;
                    // Without the lowest bit.
                    ends &= ends - 1;
                    if bytes.get(to) == Some(&b'\n') {
                        let returns = to > from && bytes.get(to - 1) == Some(&b'\r');
                        let field = Extent { from, to: to - usize::from(returns), quoted: false, escaped: false };
                        self.fields.push(field);
                        return Ok(Some(self.start + to + 1));
                    }
                    self.fields.push(Extent { from, to, quoted: false, escaped: false });
                    from = to + 1;
                    if bytes.get(from) == Some(&b'"') {
                        continue 'fields;
                    }
                }
                at += STRIDE;
            }
            if !last {
                return incomplete(Malformed::TooLong);
            }
            self.fields.push(Extent { from, to: bytes.len(), quoted: false, escaped: false });
            return Ok(Some(self.start + bytes.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Values = Vec<Vec<Option<String>>>;

    /// All rows of a body that comes in pieces of a size; null is `None`.
    fn rows(body: &str, size: usize, expected: &[&str]) -> Result<(Vec<String>, Values), Malformed> {
        let mut rows = Vec::new();
        read(body.as_bytes(), size, expected, &mut rows).map(|names| (names, rows))
    }

    /// The names of a body, whose rows are added to others until it cannot be read.
    fn read(body: &[u8], size: usize, expected: &[&str], rows: &mut Values) -> Result<Vec<String>, Malformed> {
        let expected: Vec<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        let mut records = Records::default();
        let mut pieces = body.chunks(size);
        let mut more = |records: &mut Records| match pieces.next() {
            Some(piece) => records.push(piece),
            None => records.end(),
        };
        let names = loop {
            match records.header(&expected)? {
                Some(names) => break names,
                None => more(&mut records),
            }
        };
        loop {
            let ended = records.ended;
            match records.next(names.len())? {
                Some(record) => {
                    let cells = (0..record.len()).filter_map(|index| record.cell(index));
                    rows.push(cells.map(|cell| (!cell.is_null()).then(|| cell.text().into_owned())).collect());
                }
                None if ended => return Ok(names),
                None => more(&mut records),
            }
        }
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| (*text != "∅").then(|| (*text).to_owned())).collect()
    }

    #[test]
    fn a_body_is_read_the_same_however_it_is_cut() {
        let body = "__id,a,b\n1,,\"\"\n2,\"x,\"\"y\"\"\nz\",\"c:\\\\d\"\n3,é😀,\"\\\"\n4,\"\\\\\",\"\"\"\"\n";
        let expected = [
            some(&["1", "∅", ""]),
            some(&["2", "x,\"y\"\nz", "c:\\d"]),
            some(&["3", "é😀", "\\"]),
            some(&["4", "\\", "\""]),
        ];
        for size in 1..=body.len() {
            let (names, rows) = rows(body, size, &["__id", "a", "b"]).unwrap();
            assert_eq!(names, ["__id", "a", "b"]);
            assert_eq!(rows, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn without_rows_there_is_no_header() {
        for body in ["\n\n", "\n", ""] {
            assert_eq!(rows(body, 1, &["__id", "a"]).unwrap(), (vec![], vec![]), "{body:?}");
        }
    }

    #[test]
    fn a_name_with_a_comma_is_recognised_by_the_expected_names() {
        let body = "__id,a,b,c\n1,2,3\n";
        for size in [1, 5, 100] {
            let (names, read) = rows(body, size, &["__id", "a,b", "c"]).unwrap();
            assert_eq!(
                (names, read),
                (vec!["__id".to_owned(), "a,b".to_owned(), "c".to_owned()], vec![some(&["1", "2", "3"])])
            );
        }
        let (names, _) = rows("__id,\"a,b\"\n1,2\n", 3, &["__id", "a,b"]).unwrap();
        assert_eq!(names, ["__id", "a,b"], "quoted all the same");
    }

    #[test]
    fn a_cell_of_many_megabytes_is_read() {
        let long = "x\"\"\\\\y".repeat(1 << 20);
        let body = format!("a,b\n\"{long}\",1\n2,3\n");
        let (_, rows) = rows(&body, 64 << 10, &["a", "b"]).unwrap();
        assert_eq!(rows[0][0].as_deref(), Some("x\"\\y".repeat(1 << 20).as_str()));
        assert_eq!((&rows[0][1], rows[1].as_slice()), (&Some("1".to_owned()), some(&["2", "3"]).as_slice()));
    }

    #[test]
    fn a_null_alone_in_its_row_is_a_row() {
        assert_eq!(rows("a\n\n1\n\n", 2, &["a"]).unwrap().1, [some(&["∅"]), some(&["1"]), some(&["∅"])]);
        assert_eq!(rows("a,b\n1,2\n\n3,4\n", 2, &[]).unwrap().1, [some(&["1", "2"]), some(&["3", "4"])]);
    }

    #[test]
    fn lines_may_end_as_on_windows_or_not_at_all() {
        assert_eq!(rows("a,b\r\n1,\"x\"\r\n2,y", 1, &["a", "b"]).unwrap().1, [some(&["1", "x"]), some(&["2", "y"])]);
    }

    #[test]
    fn malformed_csv_is_an_error() {
        assert_eq!(rows("a\n\"x", 1, &[]).unwrap_err(), Malformed::Quotes);
        assert_eq!(rows("a\n\"x\"y\n", 1, &[]).unwrap_err(), Malformed::Quotes);
        let mut records = Records::default();
        records.push(b"a\n\xff\n");
        records.header(&[]).unwrap();
        assert_eq!(records.next(1).unwrap_err(), Malformed::NotUtf8);
    }

    #[test]
    fn rows_before_bytes_that_are_not_utf_8_are_read_wherever_chunks_end() {
        for (bytes, before) in [
            (&b"a,b\n1,\xc3\xa9\n2,\xc3(\n3,x\n"[..], vec![some(&["1", "é"])]),
            (b"a,b\n1,\xf0\x9f\xa6\x80\n2,\"\xff\"\n", vec![some(&["1", "🦀"])]),
            (b"a,b\n1,\xf0\x9f\xa6", vec![]),
            (b"a,b\n1,2\n\x80", vec![some(&["1", "2"])]),
            (b"a,\xff\n1,2\n", vec![]),
        ] {
            for size in 1..=bytes.len() {
                let mut rows = Vec::new();
                assert_eq!(read(bytes, size, &["a", "b"], &mut rows), Err(Malformed::NotUtf8), "in pieces of {size}");
                assert_eq!(rows, before, "in pieces of {size}");
            }
        }
    }

    #[test]
    fn random_bytes_give_the_same_rows_and_error_whatever_the_size_of_chunks() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..2_000 {
            let body: Vec<u8> = (0..random.usize(..200))
                .filter_map(|_| random.choice(b"aaaaaaa,,\"\\\r\n\n\xc3\xa9\xc3\xa9\xf0\x9f\xa6\x80").copied())
                .collect();
            let read = |size| {
                let mut rows = Vec::new();
                let names = read(&body, size, &["a", "b"], &mut rows);
                (names, rows)
            };
            let size = random.usize(1..90);
            assert_eq!(read(size), read(1_000), "{body:?} in chunks of {size}");
        }
    }

    #[test]
    fn fields_without_quotes_are_those_between_commas_wherever_they_lie() {
        let mut random = fastrand::Rng::with_seed(4);
        for _ in 0..1_000 {
            // From many short fields to a few that are longer than a stride.
            let mut alphabet = vec!['a'; random.usize(2..120)];
            alphabet.extend([',', ',', '\n', '\r', 'é']);
            let lines = text(&mut random, &alphabet, 500);
            let expected: Values = lines
                .split_terminator('\n')
                .map(|line| line.strip_suffix('\r').unwrap_or(line))
                .filter(|line| !line.is_empty())
                .map(|line| line.split(',').map(|cell| (!cell.is_empty()).then(|| cell.to_owned())).collect())
                .collect();
            let body = format!("a,b\n{lines}{}", if lines.ends_with('\n') || lines.is_empty() { "" } else { "\n" });
            let size = random.usize(1..300);
            assert_eq!(rows(&body, size, &["a", "b"]).unwrap().1, expected, "{body:?} in chunks of {size}");
        }
    }

    /// A value as the server writes it.
    fn written(value: Option<&String>) -> String {
        match value {
            None => String::new(),
            Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\"\"")),
        }
    }

    /// A random text of up to so many of these characters.
    fn text(random: &mut fastrand::Rng, alphabet: &[char], most: usize) -> String {
        (0..random.usize(..=most)).filter_map(|_| random.choice(alphabet)).collect()
    }

    #[test]
    fn random_tables_are_read_back_whatever_the_size_of_chunks() {
        let mut random = fastrand::Rng::with_seed(1);
        let alphabet = [',', '"', '\\', '\r', '\n', '\0', '\u{feff}', ' ', 'a', '1', 'é', '語', '🦀'];
        for _ in 0..500 {
            let (columns, lines, size) = (random.usize(1..5), random.usize(..6), random.usize(1..40));
            let mut cell = || random.bool().then(|| text(&mut random, &alphabet, 12));
            let table: Values = (0..lines).map(|_| (0..columns).map(|_| cell()).collect()).collect();
            let names: Vec<String> = (0..columns).map(|index| format!("c{index}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let lines =
                table.iter().map(|row| row.iter().map(|value| written(value.as_ref())).collect::<Vec<_>>().join(","));
            let body = std::iter::once(names.join(",")).chain(lines).map(|line| line + "\n").collect::<String>();
            assert_eq!(rows(&body, size, &names).unwrap().1, table, "{body:?} in chunks of {size}");
        }
    }

    #[test]
    fn random_bytes_are_read_the_same_whatever_the_size_of_chunks() {
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..1_000 {
            let body = text(&mut random, &['a', ',', '"', '\\', '\r', '\n', '\0', 'é'], 40);
            let size = random.usize(1..8);
            assert_eq!(rows(&body, size, &["a"]), rows(&body, 1_000, &["a"]), "{body:?} in chunks of {size}");
        }
    }
}
