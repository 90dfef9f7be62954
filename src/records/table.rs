//! The rows of a file whose bytes come.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde::de::DeserializeOwned;
use tokio::io::AsyncRead;

use super::detect::{self, Layout, NO_SEPARATOR};
use super::encoding::Decoder;
use super::format::{Format, Header};
use super::parse::{Parsed, Parser};
use super::profile::{NULLS, Profile};
use super::unpack::{Packing, Unpacked, not_rows};
use super::value::{self, Column, Kind};
use crate::codec::column_names::unique;
use crate::{Error, Result};

/// The number of bytes from which the format of a file is detected.
const SAMPLE: usize = 128 << 10;

/// So many bytes are read at once.
const PIECE: usize = 64 << 10;

/// How a file is written: as set, as in the platform's profile, or as detected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Detected {
    /// How the file is packed.
    pub packing: Packing,
    /// The [name](https://encoding.spec.whatwg.org/#names-and-labels) of the encoding, as far as it is known: a file that
    /// begins in ASCII is UTF-8 until another character comes.
    pub encoding: &'static str,
    /// The separator of cells; `None` for a file with one column.
    pub separator: Option<char>,
    /// The line of the header, from 1; `None` if there is none.
    pub header_line: Option<u64>,
    /// Whether the columns have the types of the platform's profile.
    pub typed: bool,
}

type Read = (Unpacked, Vec<u8>, io::Result<usize>);

/// Where the bytes come from.
enum Input {
    Idle(Unpacked, Vec<u8>),
    Reading(Pin<Box<dyn Future<Output = Read> + Send>>),
    Ended,
}

/// Reads rows.
pub(super) struct Table {
    input: Input,
    decoder: Decoder,
    parser: Parser,
    text: Vec<u8>,
    at: usize,
    /// What ends the text before its end.
    failure: Option<Error>,
    columns: Vec<Column>,
    nulls: Vec<String>,
    lenient: bool,
    detected: Detected,
}

impl Input {
    /// Reads some bytes; none at the end.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        loop {
            match std::mem::replace(self, Self::Ended) {
                Self::Idle(mut bytes, mut piece) => {
                    piece.resize(PIECE, 0);
                    *self = Self::Reading(Box::pin(async move {
                        let read = bytes.read(&mut piece).await;
                        (bytes, piece, read)
                    }));
                }
                Self::Reading(mut read) => match read.as_mut().poll(context) {
                    Poll::Pending => {
                        *self = Self::Reading(read);
                        return Poll::Pending;
                    }
                    Poll::Ready((_, _, Err(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready((_, _, Ok(0))) => return Poll::Ready(Ok(&[])),
                    Poll::Ready((bytes, mut piece, Ok(length))) => {
                        piece.truncate(length);
                        *self = Self::Idle(bytes, piece);
                        let Self::Idle(_, piece) = self else { return Poll::Ready(Ok(&[])) };
                        return Poll::Ready(Ok(piece));
                    }
                },
                Self::Ended => return Poll::Ready(Ok(&[])),
            }
        }
    }
}

/// The error of a file that cannot be read; that of its transfer is kept.
fn failed(error: io::Error) -> Error {
    if error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
        let inner = error.into_inner().and_then(|inner| inner.downcast::<Error>().ok());
        return inner.map_or_else(|| Error::unreadable("the file cannot be read"), |error| *error);
    }
    match error.kind() {
        io::ErrorKind::InvalidData => Error::unreadable(error.to_string()),
        _ if error.raw_os_error().is_some() => Error::unreadable("the file cannot be read").with_source(error),
        _ => Error::corrupt(format!("the packed content is cut or spoilt: {error}")),
    }
}

impl Table {
    /// Finds out how a file is written.
    pub(super) async fn open(
        reader: impl AsyncRead + Send + 'static,
        format: &Format,
        profile: Option<&Profile>,
    ) -> Result<Self> {
        let (encoding, quote) = (format.known_encoding()?, format.known_quote()?);
        let separator = format.known_separator()?;
        let mut bytes = Unpacked::open(reader, format.member.as_deref()).await.map_err(failed)?;
        let packing = bytes.packing();
        let (mut sample, mut length) = (vec![0; SAMPLE], 0);
        let mut complete = false;
        while length < SAMPLE && !complete {
            let read = bytes.read(sample.get_mut(length..).unwrap_or_default()).await.map_err(failed)?;
            length += read;
            complete = read == 0;
        }
        sample.truncate(length);
        if let Some(other) = not_rows(&sample) {
            return Err(Error::unreadable(format!("the file is {other}, not CSV")));
        }
        let (mut decoder, mark) = Decoder::new(&sample, complete, encoding, format.lenient);
        let mut text = Vec::new();
        let marked = sample.get(mark..).unwrap_or_default();
        let failure = decoder.decode(marked, complete, &mut text).err();
        if text.iter().all(u8::is_ascii_whitespace) && complete && failure.is_none() {
            return Err(Error::unreadable("the file is empty"));
        }
        let parser = Parser::new(separator.unwrap_or(b','), quote);
        let input = if complete { Input::Ended } else { Input::Idle(bytes, Vec::new()) };
        let detected =
            Detected { packing, encoding: decoder.encoding().name(), separator: None, header_line: None, typed: false };
        let lenient = format.lenient;
        let mut table = Self {
            input,
            decoder,
            parser,
            text,
            at: 0,
            failure,
            columns: Vec::new(),
            nulls: Vec::new(),
            lenient,
            detected,
        };

        // The profile of another file has another header.
        let of_profile = profile.and_then(|profile| {
            let separator = separator.or(profile.separator)?;
            let layout = detect::layout(&table.text, complete, quote, Some(separator));
            let names = table.names(layout, quote, format)?;
            Some((layout, profile.columns(&names)?))
        });
        let (layout, columns) = match of_profile {
            Some((layout, columns)) => {
                table.detected.typed = true;
                (layout, Some(columns))
            }
            None => (detect::layout(&table.text, complete, quote, separator), None),
        };
        table.begin(layout, columns, quote, format)?;
        Ok(table)
    }

    /// The names of the columns as a layout has them.
    fn names(&self, layout: Layout, quote: Option<u8>, format: &Format) -> Option<Vec<String>> {
        let mut parser = Parser::new(layout.separator, quote);
        let (header, mut at) = (header_line(layout, format)?, 0);
        loop {
            match parser.parse(&self.text, &mut at, matches!(self.input, Input::Ended)) {
                Ok(Parsed::Record) if parser.line() < header => {}
                Ok(Parsed::Record) => return Some(unique(parser.cells())),
                _ => return None,
            }
        }
    }

    /// Reads up to the first row.
    fn begin(
        &mut self,
        layout: Layout,
        columns: Option<Vec<Column>>,
        quote: Option<u8>,
        format: &Format,
    ) -> Result<()> {
        let ended = matches!(self.input, Input::Ended);
        let typed = columns.is_some();
        let header = header_line(layout, format);
        self.parser = Parser::new(layout.separator, quote);
        loop {
            let before = self.at;
            match self.parser.parse(&self.text, &mut self.at, ended)? {
                Parsed::Record if header.is_some_and(|header| self.parser.line() < header) => {}
                Parsed::Record => {
                    let names = match header {
                        Some(_) => unique(self.parser.cells()),
                        None => (1..=self.parser.len()).map(|number| format!("column_{number}")).collect(),
                    };
                    self.columns = columns.unwrap_or_else(|| {
                        names.into_iter().map(|name| Column { name, kind: Kind::Unknown }).collect()
                    });
                    if header.is_none() {
                        // The first record is a row.
                        self.at = before;
                        self.parser = Parser::new(layout.separator, quote);
                    }
                    break;
                }
                Parsed::More => {
                    return Err(self.failure.take().unwrap_or_else(|| {
                        Error::unreadable(format!("the header is not within the first {} KiB", SAMPLE >> 10))
                    }));
                }
                Parsed::End => {
                    return Err(self.failure.take().unwrap_or_else(|| match header {
                        Some(line) => {
                            Error::unreadable(format!("the file has no line {line}, which would be its header"))
                        }
                        None => Error::unreadable("the file is empty"),
                    }));
                }
            }
        }
        self.detected.header_line = header.map(|_| self.parser.line());
        self.detected.separator = (layout.separator != NO_SEPARATOR).then_some(char::from(layout.separator));
        self.nulls = match &format.nulls {
            Some(words) => words.clone(),
            None if typed => NULLS.map(str::to_owned).to_vec(),
            None => Vec::new(),
        };
        Ok(())
    }

    pub(super) fn detected(&self) -> &Detected {
        &self.detected
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Reads the next row. After an error that is not of one row, there is none.
    pub(super) fn poll_row<T: DeserializeOwned>(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        loop {
            let ended = matches!(self.input, Input::Ended) && self.failure.is_none();
            match self.parser.parse(&self.text, &mut self.at, ended) {
                Ok(Parsed::Record) => return Poll::Ready(Some(self.row())),
                Ok(Parsed::End) => return Poll::Ready(None),
                Ok(Parsed::More) => {}
                Err(error) => {
                    self.end();
                    return Poll::Ready(Some(Err(error)));
                }
            }
            if let Some(error) = self.failure.take() {
                self.end();
                return Poll::Ready(Some(Err(error)));
            }
            ready!(self.poll_fill(context));
        }
    }

    fn end(&mut self) {
        (self.input, self.at) = (Input::Ended, 0);
        self.text.clear();
        self.parser = Parser::new(NO_SEPARATOR, None);
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Self { input, decoder, text, at, failure, .. } = self;
        let read = ready!(input.poll_read(context));
        text.drain(..std::mem::take(at));
        *failure = match read {
            Ok(bytes) => decoder.decode(bytes, bytes.is_empty(), text).err(),
            Err(error) => Some(failed(error)),
        };
        self.detected.encoding = self.decoder.encoding().name();
        Poll::Ready(())
    }

    fn row<T: DeserializeOwned>(&self) -> Result<T> {
        let (cells, columns, line) = (self.parser.len(), self.columns.len(), self.parser.line());
        if cells != columns && !self.lenient {
            let place = cells.min(columns) + 1;
            return Err(Error::unreadable(format!(
                "line {line} has {cells} cells and the header {columns} (from column {place} on): `lenient` reads it anyway"
            )));
        }
        value::decode(&self.columns, &self.nulls, &self.parser).map_err(|(column, error)| {
            let name = column.and_then(|column| self.columns.get(column)).map(|column| column.name.as_str());
            let place = match (name, column) {
                (Some(name), Some(column)) => format!("line {line}, column {} (`{name}`)", column + 1),
                _ => format!("line {line}"),
            };
            Error::unreadable(format!("{place}: {error}")).with_source(error)
        })
    }
}

/// The line of the header, if there is one.
fn header_line(layout: Layout, format: &Format) -> Option<u64> {
    match format.header {
        Header::Detected => Some(layout.header_line),
        Header::Line(line) => Some(line),
        Header::None => None,
    }
}
