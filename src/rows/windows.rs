//! Reads a table in exports of windows of row numbers, several concurrently, yielded in order.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

use super::encoding::Query;
use super::pages::{Pending, Walk};
use super::request::Request;
use super::row::Row;
use super::source::{MOST_EXPORTED, Source};
use crate::{ByteStream, Client, Error, Result};

/// The rows of the first window: the server sends nothing of an export before it has read all of it.
pub(super) const FIRST_WINDOW: u64 = 1_000;

/// The maximum number of bytes of an export that are read ahead.
const READ_AHEAD: usize = 4 << 20;

/// The maximum number of attempts of an export that is interrupted.
const ATTEMPTS: u32 = 3;

/// A part of the rows of a table.
#[derive(Debug)]
pub(super) enum Part {
    /// An export starts; incomplete records of the one before are void.
    Begin,
    Bytes(Bytes),
    /// The export is complete.
    End,
    /// Rows of a page.
    Rows(Vec<Row>),
}

/// The rows of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    All,
    /// Those with a number between two, both included; without the first, from the least.
    Numbers {
        first: Option<i64>,
        last: i64,
    },
    /// Rows without a number.
    Unnumbered,
}

struct Slot {
    span: Span,
    attempts: u32,
    /// It is requested once more, after windows behind it were.
    again: bool,
    state: State,
}

enum State {
    Waiting,
    Opening(Pending<Result<ByteStream>>),
    Open(Export),
    Pages(Box<Walk>),
}

/// An export whose response has started.
struct Export {
    body: ByteStream,
    /// The bytes read ahead.
    ahead: VecDeque<Bytes>,
    size: usize,
    /// How it ended.
    outcome: Option<Result<()>>,
    announced: bool,
}

/// The state of reading all windows.
pub(super) struct Windows {
    client: Client,
    source: Source,
    request: Request,
    line: VecDeque<Slot>,
    /// The numbers that no queued window covers yet, from the least if the first is not given.
    rest: Option<(Option<i64>, i64)>,
    /// Whether rows without a number follow all others.
    unnumbered: bool,
    /// The width of the next window, and of those after it.
    next_width: u64,
    width: u64,
    concurrency: usize,
    /// The last number, if known.
    last: Option<i64>,
}

impl Windows {
    fn empty(client: &Client, source: &Source, request: &Request) -> Self {
        Self {
            client: client.clone(),
            source: source.clone(),
            request: request.clone(),
            line: VecDeque::new(),
            rest: None,
            unnumbered: false,
            next_width: MOST_EXPORTED,
            width: MOST_EXPORTED,
            concurrency: request.concurrency.get(),
            last: None,
        }
    }

    /// Reads pages only.
    pub(super) fn pages(client: &Client, source: &Source, request: &Request) -> Result<Self> {
        let mut windows = Self::empty(client, source, request);
        windows.turn_to_pages()?;
        Ok(windows)
    }

    /// Reads one export, which becomes windows up to the last number if it proves too long.
    pub(super) fn whole(client: &Client, source: &Source, request: &Request, last: Option<i64>) -> Self {
        let mut windows = Self { last, ..Self::empty(client, source, request) };
        windows.line.push_back(Slot::new(Span::All));
        windows
    }

    /// Reads windows up to the last number, the first of which is narrow, so that its rows arrive at once.
    pub(super) fn numbers(client: &Client, source: &Source, request: &Request, total: u64, last: i64) -> Self {
        let descending = request.descending() == Some(true);
        let empty = Self::empty(client, source, request);
        let first = empty.first();
        let range = last.abs_diff(first.unwrap_or(1).saturating_sub(1));
        // The numbers that this many rows span if a filter leaves few of them.
        let spanned = |rows: u64| {
            let numbers = u128::from(rows) * u128::from(range) / u128::from(total.max(1));
            u64::try_from(numbers).unwrap_or(u64::MAX).max(rows)
        };
        // Rows may be spread unevenly, so three quarters are aimed at.
        let width = (spanned(MOST_EXPORTED) / 4).saturating_mul(3).max(MOST_EXPORTED);
        let limit = request.limit.unwrap_or(u64::MAX);
        let next_width = if limit < MOST_EXPORTED { spanned(limit) } else { spanned(FIRST_WINDOW) }.min(width);
        let concurrency = if request.reads_ahead() { request.concurrency.get() } else { 1 };
        let mut windows = Self { rest: Some((first, last)), next_width, width, concurrency, last: Some(last), ..empty };
        if !source.numbers_every_row() && request.numbers.is_none() {
            // As in the database: null is greater than every value.
            if descending { windows.line.push_back(Slot::new(Span::Unnumbered)) } else { windows.unnumbered = true }
        }
        windows
    }

    /// Discards all windows and reads pages from the start.
    pub(super) fn turn_to_pages(&mut self) -> Result<()> {
        let walk = self.walk(|_| {})?;
        (self.rest, self.unnumbered) = (None, false);
        self.line.clear();
        self.line.push_back(Slot { state: State::Pages(Box::new(walk)), ..Slot::new(Span::All) });
        Ok(())
    }

    /// The pages of the query, or of a part of it.
    fn walk(&self, part: impl FnOnce(&mut Query)) -> Result<Walk> {
        let (mut query, post_filter) = self.request.filtered()?;
        part(&mut query);
        // Rows that the client drops do not count.
        let limit = self.request.limit.filter(|_| post_filter.is_none());
        Walk::new(&self.client, &self.source, &self.request, (query, post_filter), limit)
    }

    /// The total of the pages.
    pub(super) fn total(&self) -> Option<u64> {
        match &self.line.front()?.state {
            State::Pages(walk) => walk.total(),
            _ => None,
        }
    }

    pub(super) fn reads_pages(&self) -> bool {
        self.line.iter().any(|slot| matches!(slot.state, State::Pages(_)) && slot.span == Span::All)
    }

    /// The first number, if given.
    fn first(&self) -> Option<i64> {
        self.request.numbers.map(|(first, _)| first).filter(|first| *first > i64::MIN)
    }

    fn descending(&self) -> bool {
        self.request.descending() == Some(true)
    }

    /// The next part; `last` is the number of the last row received of the current export.
    pub(super) fn poll_part(&mut self, context: &mut Context<'_>, last: Option<i64>) -> Poll<Option<Result<Part>>> {
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

    /// `None` after an error.
    fn stop(&mut self) {
        (self.rest, self.unnumbered) = (None, false);
        self.line.clear();
    }

    /// Adds windows up to the concurrency.
    fn fill(&mut self) {
        while self.line.len() < self.concurrency {
            match self.rest {
                Some((first, last)) => {
                    let span = i64::try_from(self.next_width.max(1) - 1).unwrap_or(i64::MAX);
                    // Numbers usually start at 1: a narrow window counts from there.
                    let (window, rest) = if self.descending() {
                        let from = last.saturating_sub(span);
                        match first {
                            Some(first) if from <= first => ((Some(first), last), None),
                            None if from <= 1 => ((None, last), None),
                            _ => ((Some(from), last), Some((first, from.saturating_sub(1)))),
                        }
                    } else {
                        let to = first.unwrap_or(1).saturating_add(span);
                        if to >= last { ((first, last), None) } else { ((first, to), Some((Some(to + 1), last))) }
                    };
                    self.line.push_back(Slot::new(Span::Numbers { first: window.0, last: window.1 }));
                    self.rest = rest;
                    self.next_width = self.width;
                }
                None if self.unnumbered => {
                    self.unnumbered = false;
                    self.line.push_back(Slot::new(Span::Unnumbered));
                }
                None => return,
            }
        }
    }

    /// Polls all requests.
    fn advance(&mut self, context: &mut Context<'_>) -> Result<()> {
        // The first waits for a permit that those behind it may hold until they are read to their ends.
        let front_waits = self.line.front().is_some_and(|slot| slot.again && !matches!(slot.state, State::Open(_)));
        let ahead = if front_waits { usize::MAX } else { READ_AHEAD };
        let mut index = 0;
        while index < self.line.len().min(self.concurrency) {
            let Some(slot) = self.line.get_mut(index) else { break };
            match &mut slot.state {
                State::Waiting => {
                    let query = self.request.exported(|query| slot.span.bound(query))?;
                    let call = self.source.csv(&self.client, &query);
                    let opening: Pending<Result<ByteStream>> =
                        Box::pin(async move { Ok(call.send().await?.into_inner()) });
                    #[cfg(feature = "_internals")]
                    let opening = self.request.export_in_memory().unwrap_or(opening);
                    slot.state = State::Opening(opening);
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
                    // Its turn comes after all windows before it.
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

    /// Handles a window that holds more rows than the server exports.
    fn narrow(&mut self, index: usize, error: Error) -> Result<()> {
        let descending = self.descending();
        let Some(slot) = self.line.get(index) else { return Ok(()) };
        let span = match (slot.span, self.last) {
            (Span::All, Some(last)) if self.request.descending().is_some() => {
                Span::Numbers { first: self.first(), last }
            }
            (span, _) => span,
        };
        let slots = match span {
            // From the least number on, usually 1.
            Span::Numbers { first, last } if first.unwrap_or(1) < last => {
                let from = first.unwrap_or(1);
                let middle = from.midpoint(last);
                self.width = self.width.min((middle - from + 1).unsigned_abs());
                self.next_width = self.next_width.min(self.width);
                let mut halves = [(first, middle), (Some(middle + 1), last)];
                if descending {
                    halves.reverse();
                }
                Vec::from(halves.map(|(first, last)| Slot { again: true, ..Slot::new(Span::Numbers { first, last }) }))
            }
            Span::Numbers { first: Some(_), .. } => return Err(error),
            span => {
                let walk = self.walk(|query| span.bound(query))?;
                vec![Slot { state: State::Pages(Box::new(walk)), ..Slot::new(span) }]
            }
        };
        self.line.remove(index);
        for (place, slot) in slots.into_iter().enumerate() {
            self.line.insert(index + place, slot);
        }
        Ok(())
    }

    /// Requests again what is missing of the current export.
    fn go_on(&mut self, error: Error, last: Option<i64>) -> Result<()> {
        let descending = self.request.descending();
        let numbered = self.source.numbers_every_row();
        let least = self.first();
        let Some(slot) = self.line.front_mut() else { return Err(error) };
        if !error.is_transport() || slot.attempts + 1 >= ATTEMPTS {
            return Err(error);
        }
        let (first, end) = match slot.span {
            Span::Numbers { first, last } => (first, Some(last)),
            _ => (least, self.last),
        };
        let windowed = matches!(slot.span, Span::Numbers { .. }) || (slot.span == Span::All && numbered);
        let span = match (last, descending) {
            (None, _) => slot.span,
            (Some(last), Some(false)) if windowed => {
                Span::Numbers { first: Some(last.saturating_add(1)), last: end.unwrap_or(last) }
            }
            (Some(last), Some(true)) if windowed => Span::Numbers { first, last: last.saturating_sub(1) },
            // In an order that does not show what has been received.
            _ => return Err(error),
        };
        if matches!(span, Span::Numbers { first: Some(first), last } if first > last) {
            self.line.pop_front();
        } else {
            *slot = Slot { span, attempts: slot.attempts + 1, again: true, state: State::Waiting };
        }
        Ok(())
    }
}

impl Span {
    fn bound(self, query: &mut Query) {
        match self {
            Self::All => {}
            Self::Numbers { first, last } => query.window(first, last),
            Self::Unnumbered => query.numbered(false),
        }
    }
}

impl Slot {
    fn new(span: Span) -> Self {
        Self { span, attempts: 0, again: false, state: State::Waiting }
    }
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

    /// `None` if it has ended normally.
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
