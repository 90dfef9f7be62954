//! The rows of one query, one at a time, with their numbers.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::decode::{self, Field};
use super::failure::{malformed, missing, unreadable, unreadable_row};
use super::open::{Opened, open};
use super::pages::Pending;
use super::plan::{Plan, Reading};
use super::post_filter::PostFilter;
use super::profile::{Kind, Schema};
use super::record::{Record, Records};
use super::request::Request;
use super::row::{ROW_NUMBER, Row};
use super::source::Source;
use super::windows::{Part, Windows};
use crate::{Client, Error, Result};

/// Reads the rows of a query.
pub(super) struct Reader {
    client: Client,
    source: Source,
    stage: Stage,
    plan: Plan,
    schema: Arc<Schema>,
    request: Request,
    /// The condition that the client checks on the rows.
    post_filter: Option<PostFilter>,
    total: Option<u64>,
    received: u64,
    handed_out: u64,
    /// The current export, and the columns named in its header.
    records: Records,
    fields: Option<Vec<Field>>,
    /// The index of the row number among the columns, and the last row number.
    number: Option<usize>,
    last: Option<i64>,
    /// The rest of a page.
    rows: VecDeque<Row>,
}

enum Stage {
    Opening(Pending<Result<Opened>>),
    Reading(Box<Windows>),
    Ended,
}

/// A row with its number, or the error of a row that cannot be decoded.
pub(super) struct Numbered<T> {
    pub number: Option<i64>,
    pub row: Result<T>,
}

impl Reader {
    pub(super) fn new(client: Client, source: Source, request: Request) -> Self {
        let plan = Plan { reading: request.reading(), warnings: Vec::new() };
        // If the condition cannot be sent, opening fails.
        let post_filter = request.filtered().map_or(None, |(_, post_filter)| post_filter);
        let opening = open(client.clone(), source.clone(), request.clone());
        Self {
            client,
            source,
            stage: Stage::Opening(Box::pin(opening)),
            plan,
            schema: Arc::default(),
            request,
            post_filter,
            total: None,
            received: 0,
            handed_out: 0,
            records: Records::default(),
            fields: None,
            number: None,
            last: None,
            rows: VecDeque::new(),
        }
    }

    /// The number of rows that the server counts, including those that the client drops.
    pub(super) fn total(&self) -> Option<u64> {
        self.total.filter(|_| self.post_filter.is_none())
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Cancels all requests.
    pub(super) fn stop(&mut self) {
        self.stage = Stage::Ended;
    }

    /// A row from what has been received.
    fn row_at_hand<T: DeserializeOwned>(&mut self) -> Option<Numbered<T>> {
        while let Some(mut row) = self.rows.pop_front() {
            self.received += 1;
            let holds = |filter: &PostFilter| filter.holds(&|column| text_of(&row[column]));
            if !self.post_filter.as_ref().is_none_or(holds) {
                continue;
            }
            let number = row[ROW_NUMBER].as_i64();
            if !self.request.select.is_empty() || self.request.hides_number {
                row.retain(|name| !self.request.hides(name));
            }
            self.handed_out += 1;
            let place = self.received;
            let row = decode::from_row(&row).map_err(|failure| unreadable_row(place, &row, failure));
            return Some(Numbered { number, row });
        }
        let fields = self.fields.as_ref()?;
        loop {
            let record = match self.records.next(fields.len()) {
                Ok(Some(record)) => record,
                Ok(None) => return None,
                Err(reason) => {
                    self.stage = Stage::Ended;
                    self.fields = None;
                    return Some(Numbered { number: None, row: Err(malformed(reason)) });
                }
            };
            self.received += 1;
            if let Some(cell) = self.number.and_then(|index| record.cell(index)) {
                self.last = cell.raw().parse().ok();
            }
            let holds = |filter: &PostFilter| filter.holds(&|column| text_of_record(fields, record, column));
            if self.post_filter.as_ref().is_none_or(holds) {
                self.handed_out += 1;
                let place = self.received;
                let row =
                    decode::from_record(fields, record).map_err(|failure| unreadable(place, record.text(), failure));
                return Some(Numbered { number: self.last, row });
            }
        }
    }

    /// The error of exports that ended normally before all rows were received: nothing else reveals an
    /// export that an intermediary cut short.
    fn missing(&self) -> Option<Error> {
        let total = self.total.filter(|total| *total > self.received)?;
        // Pages count their rows themselves.
        (!matches!(self.plan.reading, Reading::Pages { .. })).then(|| missing(self.received, total))
    }

    /// Reads the header of an export once enough bytes have arrived.
    fn header(&mut self) -> Result<()> {
        let expected = if self.request.select.is_empty() {
            self.schema.header()
        } else {
            self.request.export_columns(self.post_filter.as_ref())
        };
        let Some(names) = self.records.header(&expected).map_err(malformed)? else { return Ok(()) };
        if let Some(unknown) = names.iter().find(|name| self.schema.kind(name).is_none()) {
            // The table was rebuilt after its profile was read: the cached schema is out of date.
            self.source.forget(&self.client);
            let Stage::Reading(windows) = &mut self.stage else { return Ok(()) };
            if self.received > 0 {
                return Err(Error::transport(format!(
                    "the table changed while it was read: it has a new column `{unknown}`"
                )));
            }
            self.records = Records::default();
            windows.turn_to_pages()?;
            self.plan.reading = Reading::Pages { reason: format!("the profile does not know the column `{unknown}`") };
            return Ok(());
        }
        self.number = names.iter().position(|name| name == ROW_NUMBER);
        let field = |name: String| Field {
            kind: self.schema.kind(&name).unwrap_or(Kind::String),
            hidden: self.request.hides(&name),
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

    /// The next row. Rows that cannot be decoded are followed by others; after any other error, `None`.
    pub(super) fn poll_row<T: DeserializeOwned>(&mut self, context: &mut Context<'_>) -> Poll<Option<Numbered<T>>> {
        loop {
            if self.request.limit.is_some_and(|limit| self.handed_out >= limit) {
                // Dropping the requests cancels them.
                self.stage = Stage::Ended;
                return Poll::Ready(None);
            }
            if let Some(row) = self.row_at_hand() {
                return Poll::Ready(Some(row));
            }
            let part = match &mut self.stage {
                Stage::Ended => return Poll::Ready(None),
                Stage::Opening(opening) => match ready!(opening.as_mut().poll(context)) {
                    Ok(opened) => {
                        (self.schema, self.total, self.plan) = (opened.schema, opened.total, opened.plan);
                        self.stage = Stage::Reading(Box::new(opened.windows));
                        continue;
                    }
                    Err(error) => Some(Err(error)),
                },
                Stage::Reading(windows) => ready!(windows.poll_part(context, self.last)),
            };
            let error = match part.map(|part| part.and_then(|part| self.take(part))) {
                Some(Ok(())) => None,
                Some(Err(error)) => Some(error),
                None => {
                    self.stage = Stage::Ended;
                    return Poll::Ready(self.missing().map(|error| Numbered { number: None, row: Err(error) }));
                }
            };
            if let Some(error) = error {
                self.stage = Stage::Ended;
                return Poll::Ready(Some(Numbered { number: None, row: Err(error) }));
            }
            if let Stage::Reading(windows) = &self.stage
                && windows.reads_pages()
                && let Reading::Export { reason } = &self.plan.reading
            {
                self.plan.reading = Reading::Pages { reason: reason.clone() };
            }
        }
    }
}

/// The text of a value; `None` for null.
pub(super) fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}

pub(super) fn text_of_record<'a>(fields: &[Field], record: Record<'a>, column: &str) -> Option<Cow<'a, str>> {
    let index = fields.iter().position(|field| field.name == column)?;
    record.cell(index).filter(|cell| !cell.is_null()).map(|cell| cell.text())
}
