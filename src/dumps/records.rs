//! Records of a CSV file that arrives in pieces.

use bytes::{Buf, Bytes};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use futures_core::Stream;
use futures_util::TryStreamExt;

use crate::{Error, Result};

/// The maximum size of a record. Valid files are far below; an unclosed quote would otherwise make one cell of the file.
const MAX_RECORD: usize = 32 << 20;

const BYTE_ORDER_MARK: usize = 3;

pub(super) struct Records<Body> {
    body: Body,
    reader: Reader,
    piece: Bytes,
    begins: bool,
    ended: bool,
}

/// The cells of a record.
#[derive(Debug)]
pub(super) struct Record {
    text: String,
    ends: Vec<usize>,
}

impl<Body: Stream<Item = Result<Bytes>> + Unpin> Records<Body> {
    pub(super) fn new(body: Body, delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { body, reader, piece: Bytes::new(), begins: true, ended: false }
    }

    /// Returns the number of the next line, from 1.
    pub(super) fn line(&self) -> u64 {
        self.reader.line()
    }

    /// Returns the next record, or `None` at the end. Empty lines are skipped.
    pub(super) async fn next(&mut self) -> Result<Option<Record>> {
        let (mut text, mut text_length) = (vec![0; 1024], 0);
        let (mut ends, mut ends_length) = (vec![0; 64], 0);
        loop {
            // Empty input signals the end of the file to the reader.
            while (self.piece.is_empty() || self.begins) && !self.ended {
                self.receive().await?;
            }
            let (result, read, written, cells) =
                self.reader.read_record(&self.piece, &mut text[text_length..], &mut ends[ends_length..]);
            self.piece.advance(read);
            text_length += written;
            ends_length += cells;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if text.len() >= MAX_RECORD => {
                    return Err(Error::unreadable(format!("a row is longer than {MAX_RECORD} bytes")));
                }
                ReadRecordResult::OutputFull => text.resize(text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => ends.resize(ends.len() * 2, 0),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => {
                    text.truncate(text_length);
                    ends.truncate(ends_length);
                    return self.record(text, ends).map(Some);
                }
            }
        }
    }

    async fn receive(&mut self) -> Result<()> {
        match self.body.try_next().await? {
            Some(piece) if self.begins => self.piece = [&self.piece[..], &piece[..]].concat().into(),
            Some(piece) => self.piece = piece,
            None => self.ended = true,
        }
        // The reader recognises a byte order mark only if it is complete and followed by data.
        self.begins = self.piece.len() <= BYTE_ORDER_MARK && !self.ended;
        Ok(())
    }

    fn record(&self, text: Vec<u8>, ends: Vec<usize>) -> Result<Record> {
        let text = String::from_utf8(text).map_err(|error| {
            Error::unreadable(format!("the row before line {} is not UTF-8", self.line())).with_source(error)
        })?;
        // The reader splits at delimiters, which are never part of a multi-byte character.
        if ends.iter().any(|end| !text.is_char_boundary(*end)) {
            return Err(Error::unreadable(format!("a cell before line {} is not UTF-8", self.line())));
        }
        Ok(Record { text, ends })
    }
}

impl Record {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| self.text.get(std::mem::replace(&mut start, *end)..*end).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, stream};

    use super::*;

    /// The rows of a file that comes in pieces of so many bytes.
    fn rows(file: &[u8], piece: usize) -> Result<Vec<Vec<String>>> {
        let pieces: Vec<Result<Bytes>> = file.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut records = Records::new(stream::iter(pieces), b';');
        let mut rows = Vec::new();
        while let Some(record) = records.next().now_or_never().expect("all is there")? {
            rows.push(record.cells().map(str::to_owned).collect());
        }
        Ok(rows)
    }

    #[test]
    fn rows_are_the_same_wherever_the_file_is_cut_into_pieces() {
        let file = "\u{feff}\"id\";\"title\"\r\n\"1\";\"«é»; \"\"a\"\"\nb\"\r\n2;\r\n\"\";x".as_bytes();
        let expected = [["id", "title"], ["1", "«é»; \"a\"\nb"], ["2", ""], ["", "x"]];
        for piece in 1..=file.len() {
            assert_eq!(rows(file, piece).unwrap(), expected, "pieces of {piece}");
        }
    }

    #[test]
    fn a_row_with_many_and_long_cells_is_read() {
        let cells: Vec<String> = (0..300).map(|index| index.to_string().repeat(50)).collect();
        assert_eq!(rows(cells.join(";").as_bytes(), 1000).unwrap(), [cells]);
    }

    #[test]
    fn invalid_utf_8_is_an_error() {
        let error = rows(b"id\ncaf\xe9\n", 100).unwrap_err();
        assert!(error.is_decode() && error.to_string().contains("UTF-8"), "{error}");
        // A character split between two cells is complete in the record.
        assert!(rows(b"\xc3;\xa9\n", 100).unwrap_err().is_decode());
    }

    #[test]
    fn a_quote_that_never_closes_does_not_fill_the_memory() {
        let mut file = b"\"".to_vec();
        file.resize(MAX_RECORD + 2, b'x');
        assert!(rows(&file, 1 << 20).unwrap_err().is_decode());
    }
}
