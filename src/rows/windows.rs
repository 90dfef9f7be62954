//! A table in exports of windows of row numbers: several on their way, handed out in order.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

use super::encoding::{Query, ROW_NUMBER};
use super::expression::Order;
use super::pages::{Pending, Walk};
use super::query::Request;
use super::row::Row;
use super::source::Source;
use crate::{ByteStream, Client, Error, Result};

/// No export holds more rows.
pub(super) const MOST_EXPORTED: u64 = 50_000;

/// What of an export is read before its turn.
const READ_AHEAD: usize = 4 << 20;

/// How often an export that breaks off is asked for again.
const ATTEMPTS: u32 = 3;

/// What comes of a table, piece by piece.
#[derive(Debug)]
pub(super) enum Part {
    /// An export starts; what was left of the one before is void.
    Begin,
    Bytes(Bytes),
    /// The export is complete.
    End,
    /// Rows of a page.
    Rows(Vec<Row>),
}

/// Which rows an export is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    All,
    /// Those with a number between two, both included.
    Numbers {
        first: u64,
        last: u64,
    },
    /// Those without a number.
    Unnumbered,
}

struct Slot {
    span: Span,
    attempts: u32,
    /// It is asked for once more, after windows behind it were.
    again: bool,
    state: State,
}

enum State {
    Waiting,
    Opening(Pending<Result<ByteStream>>),
    Open(Export),
    Pages(Box<Walk>),
}

/// An export that has begun to come.
struct Export {
    body: ByteStream,
    /// What was read of it before its turn.
    ahead: VecDeque<Bytes>,
    size: usize,
    /// How it ended.
    outcome: Option<Result<()>>,
    announced: bool,
}

/// The walk over all windows.
pub(super) struct Windows {
    client: Client,
    source: Source,
    asked: Request,
    line: VecDeque<Slot>,
    /// The numbers that no window of the line covers yet.
    rest: Option<(u64, u64)>,
    /// Whether rows without a number are to come after all others.
    unnumbered: bool,
    width: u64,
    /// The last number, where it is known.
    last: Option<u64>,
}

impl Windows {
    fn empty(client: &Client, source: &Source, asked: &Request) -> Self {
        Self {
            client: client.clone(),
            source: source.clone(),
            asked: asked.clone(),
            line: VecDeque::new(),
            rest: None,
            unnumbered: false,
            width: MOST_EXPORTED,
            last: None,
        }
    }

    /// In pages all along.
    pub(super) fn pages(client: &Client, source: &Source, asked: &Request) -> Result<Self> {
        let mut windows = Self::empty(client, source, asked);
        windows.turn_to_pages()?;
        Ok(windows)
    }

    /// In one export, which becomes windows up to the last number if it proves too long.
    pub(super) fn whole(client: &Client, source: &Source, asked: &Request, last: Option<u64>) -> Self {
        let mut windows = Self { last, ..Self::empty(client, source, asked) };
        windows.line.push_back(Slot::new(Span::All));
        windows
    }

    /// In windows up to the last number.
    pub(super) fn numbers(client: &Client, source: &Source, asked: &Request, total: u64, last: u64) -> Self {
        // Where a filter leaves few of the numbers, a window may span more of them. It leaves them unevenly, so
        // that three quarters are aimed at.
        let even = u128::from(MOST_EXPORTED) * u128::from(last) / u128::from(total.max(1)) * 3 / 4;
        let width = u64::try_from(even).unwrap_or(u64::MAX).max(MOST_EXPORTED);
        let mut windows = Self { rest: Some((1, last)), width, last: Some(last), ..Self::empty(client, source, asked) };
        if !source.numbers_every_row() {
            // As in the database: null is greater than all else.
            if windows.descends() {
                windows.line.push_back(Slot::new(Span::Unnumbered))
            } else {
                windows.unnumbered = true
            }
        }
        windows
    }

    /// Forgets all windows and reads pages from the start.
    pub(super) fn turn_to_pages(&mut self) -> Result<()> {
        let walk = Walk::new(&self.client, &self.source, &self.asked, self.asked.paged()?);
        (self.rest, self.unnumbered) = (None, false);
        self.line.clear();
        self.line.push_back(Slot { state: State::Pages(Box::new(walk)), ..Slot::new(Span::All) });
        Ok(())
    }

    /// The total that pages have told.
    pub(super) fn total(&self) -> Option<u64> {
        match &self.line.front()?.state {
            State::Pages(walk) => walk.total(),
            _ => None,
        }
    }

    pub(super) fn reads_pages(&self) -> bool {
        self.line.iter().any(|slot| matches!(slot.state, State::Pages(_)) && slot.span == Span::All)
    }

    fn descends(&self) -> bool {
        self.asked.descends() == Some(true)
    }

    /// The next part; `last` is the number of the row that came last of the export whose turn it is.
    pub(super) fn poll_part(&mut self, context: &mut Context<'_>, last: Option<u64>) -> Poll<Option<Result<Part>>> {
        loop {
            self.fill();
            if let Err(error) = self.advance(context) {
                self.stop();
                return Poll::Ready(Some(Err(error)));
            }
            let Some(slot) = self.line.front_mut() else { return Poll::Ready(None) };
            let outcome = match &mut slot.state {
                State::Pages(walk) => match ready!(walk.poll_page(context)) {
                    Some(rows) => return Poll::Ready(Some(rows.map(Part::Rows))),
                    None => Ok(()),
                },
                State::Waiting => continue,
                State::Opening(_) => return Poll::Pending,
                State::Open(export) => match ready!(export.poll_part(context)) {
                    Ok(Some(part)) => return Poll::Ready(Some(Ok(part))),
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                },
            };
            match outcome {
                Ok(()) => {
                    let exported = matches!(slot.state, State::Open(_));
                    self.line.pop_front();
                    if exported {
                        return Poll::Ready(Some(Ok(Part::End)));
                    }
                }
                Err(error) => {
                    if let Err(error) = self.go_on(error, last) {
                        self.stop();
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
        }
    }

    /// After an error nothing comes.
    fn stop(&mut self) {
        (self.rest, self.unnumbered) = (None, false);
        self.line.clear();
    }

    /// Adds windows, until there are as many as may be on their way.
    fn fill(&mut self) {
        while self.line.len() < self.asked.concurrency.get() {
            match self.rest {
                Some((first, last)) if self.descends() => {
                    let from = last.saturating_sub(self.width - 1).max(first);
                    self.line.push_back(Slot::new(Span::Numbers { first: from, last }));
                    self.rest = (from > first).then(|| (first, from - 1));
                }
                Some((first, last)) => {
                    let to = first.saturating_add(self.width - 1).min(last);
                    self.line.push_back(Slot::new(Span::Numbers { first, last: to }));
                    self.rest = (to < last).then(|| (to + 1, last));
                }
                None if self.unnumbered => {
                    self.unnumbered = false;
                    self.line.push_back(Slot::new(Span::Unnumbered));
                }
                None => return,
            }
        }
    }

    /// Moves everything on its way forward.
    fn advance(&mut self, context: &mut Context<'_>) -> Result<()> {
        // The first waits for a place that those behind it may hold until they are read to their ends.
        let front_waits = self.line.front().is_some_and(|slot| slot.again && !matches!(slot.state, State::Open(_)));
        let ahead = if front_waits { usize::MAX } else { READ_AHEAD };
        let mut index = 0;
        while index < self.line.len().min(self.asked.concurrency.get()) {
            let Some(slot) = self.line.get_mut(index) else { break };
            match &mut slot.state {
                State::Waiting => {
                    let call = self.source.csv(&self.client, &query(&self.asked, slot.span)?);
                    slot.state = State::Opening(Box::pin(async move { Ok(call.send().await?.into_inner()) }));
                    continue;
                }
                State::Opening(opening) => match opening.as_mut().poll(context) {
                    Poll::Ready(Ok(body)) => {
                        slot.state = State::Open(Export::new(body));
                        continue;
                    }
                    Poll::Ready(Err(error)) if error.is_too_long() => {
                        self.narrow(index, error)?;
                        continue;
                    }
                    // Its turn comes after all that is before it.
                    Poll::Ready(Err(error)) if index == 0 => return Err(error),
                    Poll::Ready(Err(error)) => {
                        slot.state = State::Opening(Box::pin(std::future::ready(Err(error))));
                        return Ok(());
                    }
                    Poll::Pending => {}
                },
                State::Open(export) if index > 0 => export.read_ahead(ahead, context),
                State::Open(_) | State::Pages(_) => {}
            }
            index += 1;
        }
        Ok(())
    }

    /// What to do with a window that holds more rows than the server exports.
    fn narrow(&mut self, index: usize, error: Error) -> Result<()> {
        let descends = self.descends();
        let Some(slot) = self.line.get_mut(index) else { return Ok(()) };
        let span = match (slot.span, self.last) {
            (Span::All, Some(last)) if self.asked.descends().is_some() => Span::Numbers { first: 1, last },
            (span, _) => span,
        };
        match span {
            Span::Numbers { first, last } if first < last => {
                let middle = first + (last - first) / 2;
                self.width = self.width.min(middle - first + 1);
                let mut halves = [(first, middle), (middle + 1, last)];
                if descends {
                    halves.reverse();
                }
                let [one, two] =
                    halves.map(|(first, last)| Slot { again: true, ..Slot::new(Span::Numbers { first, last }) });
                *slot = one;
                self.line.insert(index + 1, two);
                Ok(())
            }
            Span::Numbers { .. } => Err(error),
            Span::All | Span::Unnumbered => {
                let mut query = self.asked.paged()?;
                if span == Span::Unnumbered {
                    query.numbered(false);
                }
                let walk = Walk::new(&self.client, &self.source, &self.asked, query);
                slot.state = State::Pages(Box::new(walk));
                Ok(())
            }
        }
    }

    /// Asks again for what is missing of the export whose turn it is.
    fn go_on(&mut self, error: Error, last: Option<u64>) -> Result<()> {
        let descends = self.asked.descends();
        let numbered = self.source.numbers_every_row();
        let Some(slot) = self.line.front_mut() else { return Err(error) };
        if !error.is_transport() || slot.attempts + 1 >= ATTEMPTS {
            return Err(error);
        }
        let span = match (slot.span, last, descends) {
            (span, None, _) => span,
            (Span::Numbers { first, last: end }, Some(last), Some(false)) => {
                Span::Numbers { first: last.saturating_add(1).max(first), last: end }
            }
            (Span::Numbers { first, last: end }, Some(last), Some(true)) => {
                Span::Numbers { first, last: last.saturating_sub(1).min(end) }
            }
            (Span::All, Some(last), Some(false)) if numbered => {
                Span::Numbers { first: last.saturating_add(1), last: self.last.unwrap_or(last) }
            }
            (Span::All, Some(last), Some(true)) if numbered => Span::Numbers { first: 1, last: last.saturating_sub(1) },
            // In no order that tells what has come.
            _ => return Err(error),
        };
        if matches!(span, Span::Numbers { first, last } if first > last) {
            self.line.pop_front();
        } else {
            *slot = Slot { span, attempts: slot.attempts + 1, again: true, state: State::Waiting };
        }
        Ok(())
    }
}

impl Slot {
    fn new(span: Span) -> Self {
        Self { span, attempts: 0, again: false, state: State::Waiting }
    }
}

/// The query of an export.
fn query(asked: &Request, span: Span) -> Result<Query> {
    let mut query = asked.filtered()?;
    match span {
        Span::All => {}
        Span::Numbers { first, last } => query.window(first, last),
        Span::Unnumbered => query.numbered(false),
    }
    let by_number = || Order { column: ROW_NUMBER.to_owned(), descends: false };
    query.sort(&asked.orders.first().cloned().unwrap_or_else(by_number))?;
    let columns = asked.exported();
    if !columns.is_empty() {
        query.columns(&columns)?;
    }
    Ok(query)
}

impl Export {
    fn new(body: ByteStream) -> Self {
        Self { body, ahead: VecDeque::new(), size: 0, outcome: None, announced: false }
    }

    fn read_ahead(&mut self, most: usize, context: &mut Context<'_>) {
        while self.outcome.is_none() && self.size < most {
            match Pin::new(&mut self.body).poll_next(context) {
                Poll::Ready(Some(Ok(bytes))) => {
                    self.size += bytes.len();
                    self.ahead.push_back(bytes);
                }
                Poll::Ready(Some(Err(error))) => self.outcome = Some(Err(error)),
                Poll::Ready(None) => self.outcome = Some(Ok(())),
                Poll::Pending => return,
            }
        }
    }

    /// `None` where it has ended well.
    fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Part>>> {
        if !std::mem::replace(&mut self.announced, true) {
            return Poll::Ready(Ok(Some(Part::Begin)));
        }
        if let Some(bytes) = self.ahead.pop_front() {
            self.size -= bytes.len();
            return Poll::Ready(Ok(Some(Part::Bytes(bytes))));
        }
        if let Some(outcome) = self.outcome.take() {
            return Poll::Ready(outcome.map(|()| None));
        }
        match ready!(Pin::new(&mut self.body).poll_next(context)) {
            Some(Ok(bytes)) => Poll::Ready(Ok(Some(Part::Bytes(bytes)))),
            Some(Err(error)) => Poll::Ready(Err(error)),
            None => Poll::Ready(Ok(None)),
        }
    }
}
