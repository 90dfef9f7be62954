//! Records of text that comes in pieces, with the lines on which they begin.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::{Error, Result};

/// The maximum size of a record. Files are far below; an unclosed quote would otherwise make one cell of the rest.
const MAX_RECORD: usize = 32 << 20;

/// Splits text into records. Lines without anything are skipped.
pub(super) struct Parser {
    reader: Reader,
    text: Vec<u8>,
    length: usize,
    ends: Vec<usize>,
    cells: usize,
    /// The line of the next byte, and that on which the record begins, from 1.
    next_line: u64,
    line: u64,
    within: bool,
}

/// The outcome of parsing some text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Record,
    More,
    End,
}

impl Parser {
    pub(super) fn new(separator: u8, quote: Option<u8>) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(separator);
        match quote {
            Some(quote) => builder.quote(quote),
            None => builder.quoting(false),
        };
        Self {
            reader: builder.build(),
            text: vec![0; 4_096],
            length: 0,
            ends: vec![0; 64],
            cells: 0,
            next_line: 1,
            line: 1,
            within: false,
        }
    }

    /// Reads on from `at`, and moves it behind what was read.
    pub(super) fn parse(&mut self, text: &[u8], at: &mut usize, ended: bool) -> Result<Parsed> {
        if !self.within {
            while let Some(byte @ (b'\n' | b'\r')) = text.get(*at) {
                self.next_line += u64::from(*byte == b'\n');
                *at += 1;
            }
            (self.length, self.cells, self.line) = (0, 0, self.next_line);
        }
        loop {
            let rest = text.get(*at..).unwrap_or_default();
            if rest.is_empty() && !ended {
                return Ok(Parsed::More);
            }
            let (into, ends) = (
                self.text.get_mut(self.length..).unwrap_or_default(),
                self.ends.get_mut(self.cells..).unwrap_or_default(),
            );
            let (result, read, written, cells) = self.reader.read_record(rest, into, ends);
            self.next_line += memchr::memchr_iter(b'\n', rest.get(..read).unwrap_or_default()).count() as u64;
            *at += read;
            self.length += written;
            self.cells += cells;
            self.within = true;
            match result {
                // Empty input signals the end of the text to the reader.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() >= MAX_RECORD => {
                    return Err(Error::unreadable(format!(
                        "the row of line {} is longer than {} MiB: a quote may not be closed; `quote` sets another or none",
                        self.line,
                        MAX_RECORD >> 20
                    )));
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.within = false;
                    return Ok(Parsed::Record);
                }
                ReadRecordResult::End => return Ok(Parsed::End),
            }
        }
    }

    /// The line on which the record begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn len(&self) -> usize {
        self.cells
    }

    /// A cell of the record, which is UTF-8 since the text is.
    #[inline]
    pub(super) fn cell(&self, index: usize) -> Option<&str> {
        if index >= self.cells {
            return None;
        }
        let to = *self.ends.get(index)?;
        let from = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        Some(std::str::from_utf8(self.text.get(from..to)?).unwrap_or_default())
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.cells).filter_map(|index| self.cell(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Records = Vec<(u64, Vec<String>)>;

    fn records(text: &str, piece: usize) -> Records {
        let mut parser = Parser::new(b';', Some(b'"'));
        let mut found = Vec::new();
        let mut pieces = text.as_bytes().chunks(piece);
        loop {
            let (piece, ended) = pieces.next().map_or((&[][..], true), |piece| (piece, false));
            let mut at = 0;
            loop {
                match parser.parse(piece, &mut at, ended).unwrap() {
                    Parsed::Record => found.push((parser.line(), parser.cells().map(str::to_owned).collect())),
                    Parsed::More => break,
                    Parsed::End => return found,
                }
            }
        }
    }

    #[test]
    fn a_record_begins_on_its_line_wherever_the_text_is_cut() {
        let text = "\r\na;b\r\n\r\n\n\"1\n2\";\"é;\"\"x\"\"\"\n;\nlast;";
        let expected: [(u64, [&str; 2]); 4] =
            [(2, ["a", "b"]), (5, ["1\n2", "é;\"x\""]), (7, ["", ""]), (8, ["last", ""])];
        for piece in 1..=text.len() {
            let found = records(text, piece);
            let found: Vec<(u64, Vec<&str>)> =
                found.iter().map(|(line, cells)| (*line, cells.iter().map(String::as_str).collect())).collect();
            assert_eq!(found, expected.map(|(line, cells)| (line, cells.to_vec())), "pieces of {piece}");
        }
    }

    #[test]
    fn a_quote_that_never_closes_does_not_fill_the_memory() {
        let mut text = b"a;b\n1;\"".to_vec();
        text.resize(MAX_RECORD * 2, b'x');
        let mut parser = Parser::new(b';', Some(b'"'));
        let mut at = 0;
        assert_eq!(parser.parse(&text, &mut at, false).unwrap(), Parsed::Record);
        let error = parser.parse(&text, &mut at, false).unwrap_err();
        assert!(error.to_string().contains("line 2") && error.to_string().contains("quote"), "{error}");
    }
}
