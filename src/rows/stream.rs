//! The rows of a query, one after another.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;

use super::decode::{self, Failure, Field};
use super::encoding::{Query, ROW_NUMBER};
use super::expression::col;
use super::pages::{Pending, row_text};
use super::profile::Schema;
use super::query::{Reading, Request, check};
use super::record::{Malformed, Records};
use super::row::Row;
use super::source::{Page, Source};
use super::windows::{MOST_EXPORTED, Part, Windows};
use crate::{Client, Error, Result};

/// The rows of a query, one after another; made by [`Rows::stream`](super::Rows::stream).
///
/// It is a [`Stream`]. Memory does not grow with the table: of each window on its way no more than 4 MiB are kept
/// before its turn. Dropping it ends all that is on its way. A row that cannot be read is an error, after which the
/// rows behind it come; after any other error nothing comes.
#[must_use = "a stream does nothing until it is polled"]
pub struct RowStream<T> {
    client: Client,
    source: Source,
    stage: Stage,
    reading: Reading,
    schema: Arc<Schema>,
    hides_number: bool,
    total: Option<u64>,
    so_far: u64,
    /// The export that comes, and the columns that its header has named.
    records: Records,
    fields: Option<Vec<Field>>,
    /// Where the row number stands among them, and that of the last row.
    number: Option<usize>,
    last: Option<u64>,
    /// What is left of a page.
    rows: VecDeque<Row>,
    row: PhantomData<fn() -> T>,
}

enum Stage {
    Opening(Pending<Result<Opened>>),
    Reading(Box<Windows>),
    Ended,
}

/// What is known before the first row.
struct Opened {
    schema: Arc<Schema>,
    total: Option<u64>,
    windows: Windows,
    reading: Reading,
}

/// Decides how to read, from what the server tells of the table.
async fn open(client: Client, source: Source, asked: Request) -> Result<Opened> {
    // All that can be refused is refused before anything is sent.
    asked.paged()?;
    check(&client, &source, &asked).await?;
    let pages = |reading: Reading, total: Option<u64>| -> Result<Opened> {
        let windows = Windows::pages(&client, &source, &asked)?;
        Ok(Opened { schema: Arc::default(), total, windows, reading })
    };
    let because = |reason: &str| Reading::Pages { reason: reason.to_owned() };
    let reading = asked.reading();
    if matches!(reading, Reading::Pages { .. }) {
        return pages(reading, None);
    }
    let Some(schema) = source.schema(&client).await? else {
        return pages(because("nobody tells the types of the columns"), None);
    };
    let Extent { total, last } = match extent(&client, &source, &asked).await {
        Ok(extent) => extent,
        Err(error) if error.server_message().is_some_and(|message| message.contains(ROW_NUMBER)) => {
            return pages(because("the server refuses the row number"), None);
        }
        Err(error) => return Err(error),
    };
    let windows = match (total, last) {
        (None, _) => return pages(because("the server does not tell how many rows there are"), None),
        (Some(total), _) if total <= MOST_EXPORTED => Windows::whole(&client, &source, &asked, last),
        (Some(total), Some(last)) if reading == Reading::Windows => {
            Windows::numbers(&client, &source, &asked, total, last)
        }
        (total, _) => {
            return match reading {
                Reading::Export { reason } => pages(Reading::Pages { reason }, total),
                _ => pages(because("the rows have no numbers"), total),
            };
        }
    };
    Ok(Opened { schema, total, windows, reading })
}

/// How many rows there are, and the last of their numbers.
struct Extent {
    total: Option<u64>,
    last: Option<u64>,
}

async fn extent(client: &Client, source: &Source, asked: &Request) -> Result<Extent> {
    let numbered = source.numbers_every_row();
    let descending = col(ROW_NUMBER).desc();
    let ask = async |mut query: Query| -> Result<Page> {
        // Two rows: the server was seen to answer a page of one with nothing.
        query.page(1, 2);
        Ok(source.page(client, &query).send().await?.into_inner())
    };
    let mut query = asked.filtered()?;
    if numbered {
        query.sort(&descending)?;
    }
    let mut page = ask(query).await?;
    let total = page.meta.total;
    if !numbered && total.is_some_and(|total| total > MOST_EXPORTED) {
        let mut query = asked.filtered()?;
        query.numbered(true);
        query.sort(&descending)?;
        page = ask(query).await?;
    }
    Ok(Extent { total, last: page.data.first().and_then(|row| row[ROW_NUMBER].as_u64()) })
}

impl<T: DeserializeOwned> RowStream<T> {
    pub(super) fn new(client: Client, source: Source, asked: Request) -> Self {
        let reading = asked.reading();
        let hides_number = asked.hides_number();
        let opening = open(client.clone(), source.clone(), asked);
        Self {
            client,
            source,
            stage: Stage::Opening(Box::pin(opening)),
            reading,
            schema: Arc::default(),
            hides_number,
            total: None,
            so_far: 0,
            records: Records::default(),
            fields: None,
            number: None,
            last: None,
            rows: VecDeque::new(),
            row: PhantomData,
        }
    }

    /// The next row; `None` after the last.
    ///
    /// It can be given up at any time (`select!`) without losing a row.
    pub async fn next(&mut self) -> Option<Result<T>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// How many rows there are in all; known with the first row, except where the query aggregates.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// How many rows have come.
    #[must_use]
    pub fn so_far(&self) -> u64 {
        self.so_far
    }

    /// How the rows are read; known for certain with the first row.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// A row of what has come already.
    fn row_at_hand(&mut self) -> Option<Result<T>> {
        if let Some(row) = self.rows.pop_front() {
            self.so_far += 1;
            return Some(decode::from_row(&row).map_err(|failure| unreadable(self.so_far, &row_text(&row), failure)));
        }
        let fields = self.fields.as_ref()?;
        let record = match self.records.next(fields.len()) {
            Ok(Some(record)) => record,
            Ok(None) => return None,
            Err(malformed) => {
                self.stage = Stage::Ended;
                self.fields = None;
                return Some(Err(broken(malformed)));
            }
        };
        self.so_far += 1;
        if let Some(cell) = self.number.and_then(|index| record.cell(index)) {
            self.last = cell.text().parse().ok();
        }
        Some(decode::from_record(fields, record).map_err(|failure| unreadable(self.so_far, record.text(), failure)))
    }

    /// The error of exports that ended, each as it should, before all rows had come: nothing else tells of an
    /// export that was cut short by whatever is between the server and us.
    fn missing(&self) -> Option<Error> {
        let total = self.total.filter(|total| *total > self.so_far)?;
        let counted = !matches!(self.reading, Reading::Pages { .. });
        counted.then(|| {
            let so_far = self.so_far;
            Error::transport(format!(
                "{so_far} of {total} rows came: the table changed while it was read, or an export was cut short"
            ))
        })
    }

    /// Reads the header of an export once enough of it has come.
    fn header(&mut self) -> Result<()> {
        let expected = if self.hides_number { Vec::new() } else { self.schema.header() };
        let Some(names) = self.records.header(&expected).map_err(broken)? else { return Ok(()) };
        if let Some(unknown) = names.iter().find(|name| self.schema.kind(name).is_none()) {
            // The table was read anew after its profile was: what is known of it is out of date.
            self.source.forget(&self.client);
            let Stage::Reading(windows) = &mut self.stage else { return Ok(()) };
            if self.so_far > 0 {
                return Err(Error::transport(format!(
                    "the table changed while it was read: it has a new column `{unknown}`"
                )));
            }
            self.records = Records::default();
            windows.turn_to_pages()?;
            self.reading = Reading::Pages { reason: format!("the profile does not know the column `{unknown}`") };
            return Ok(());
        }
        self.number = names.iter().position(|name| name == ROW_NUMBER);
        let field = |name: String| Field {
            kind: self.schema.kind(&name).unwrap_or(super::profile::Kind::String),
            hidden: self.hides_number && name == ROW_NUMBER,
            name,
        };
        self.fields = Some(names.into_iter().map(field).collect());
        Ok(())
    }

    fn take(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Begin => {
                self.records = Records::default();
                (self.fields, self.number, self.last) = (None, None, None);
                return Ok(());
            }
            Part::Bytes(bytes) => self.records.push(&bytes),
            Part::End => self.records.end(),
            Part::Rows(rows) => {
                self.rows = rows.into();
                if let Stage::Reading(windows) = &self.stage {
                    self.total = self.total.or(windows.total());
                }
                return Ok(());
            }
        }
        if self.fields.is_none() { self.header() } else { Ok(()) }
    }
}

impl<T: DeserializeOwned> Stream for RowStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(row) = this.row_at_hand() {
                return Poll::Ready(Some(row));
            }
            let part = match &mut this.stage {
                Stage::Ended => return Poll::Ready(None),
                Stage::Opening(opening) => match ready!(opening.as_mut().poll(context)) {
                    Ok(opened) => {
                        (this.schema, this.total, this.reading) = (opened.schema, opened.total, opened.reading);
                        this.stage = Stage::Reading(Box::new(opened.windows));
                        continue;
                    }
                    Err(error) => Some(Err(error)),
                },
                Stage::Reading(windows) => ready!(windows.poll_part(context, this.last)),
            };
            let Some(part) = part else {
                this.stage = Stage::Ended;
                return Poll::Ready(this.missing().map(Err));
            };
            if let Err(error) = part.and_then(|part| this.take(part)) {
                this.stage = Stage::Ended;
                return Poll::Ready(Some(Err(error)));
            }
            if let Stage::Reading(windows) = &this.stage
                && windows.reads_pages()
                && let Reading::Export { reason } = &this.reading
            {
                this.reading = Reading::Pages { reason: reason.clone() };
            }
        }
    }
}

impl<T> fmt::Debug for RowStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowStream")
            .field("source", &self.source)
            .field("reading", &self.reading)
            .field("total", &self.total)
            .field("so_far", &self.so_far)
            .finish_non_exhaustive()
    }
}

fn broken(malformed: Malformed) -> Error {
    Error::unreadable(format!("the export cannot be read: {}", malformed.reason()))
}

/// The error of a row that cannot be read as its type.
pub(super) fn unreadable(number: u64, text: &str, (column, error): Failure) -> Error {
    let place = match column {
        Some(column) => format!("row {number}, column {column}"),
        None => format!("row {number}"),
    };
    Error::decode(StatusCode::OK, HeaderMap::new(), Bytes::copy_from_slice(text.as_bytes()), &place, error)
}
