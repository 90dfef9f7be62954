//! Rows in pages, requested by number: the links of a page drop a part of its query.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::stream::FuturesOrdered;
use serde::de::DeserializeOwned;

use super::check::check;
use super::decode;
use super::encoding::Query;
use super::failure::{missing, unreadable_row};
use super::post_filter::PostFilter;
use super::request::Request;
use super::row::Row;
use super::source::{Page, Source};
use crate::{Client, Error, Result};

pub(super) type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Requests the pages of a query.
pub(super) struct Walk {
    client: Client,
    source: Source,
    request: Request,
    /// The query of the filter, without an order.
    filter: Query,
    post_filter: Option<PostFilter>,
    query: Query,
    /// What is awaited before the first page.
    before: Option<Pending<Result<Prepared>>>,
    /// Whether the order of the query is total.
    unique: bool,
    page_size: u64,
    concurrency: usize,
    /// Whether the server's total is the number of rows that will be yielded.
    counted: bool,
    /// The number of rows after which no more are needed.
    limit: Option<u64>,
    total: Option<u64>,
    received: u64,
    next: u64,
    in_flight: FuturesOrdered<Pending<Result<Page>>>,
    ended: bool,
}

/// The query of a filter, and the columns that identify a row if not every row has a number.
type Prepared = (Query, Vec<String>);

impl Walk {
    /// The pages of a request, which is checked first.
    fn checked(client: &Client, source: &Source, request: &Request) -> Self {
        let (own, of, asked) = (client.clone(), source.clone(), request.clone());
        let before = async move {
            let filter = asked.exactly_filtered("reading pages")?;
            asked.paged(filter.clone(), None, &[])?;
            if asked.parts()?.len() > 1 {
                return Err(Error::request(
                    "the query is too long for one request, and its parts have no pages: stream the rows",
                ));
            }
            check(&own, &of, &asked).await?;
            Ok((filter, Vec::new()))
        };
        Self { before: Some(Box::pin(before)), ..Self::empty(client, source, request, request.limit) }
    }

    /// The pages of a request whose filter is `filter`, as far as `limit` rows need them.
    pub(super) fn new(
        client: &Client,
        source: &Source,
        request: &Request,
        (filter, post_filter): (Query, Option<PostFilter>),
        limit: Option<u64>,
    ) -> Result<Self> {
        let query = request.paged(filter.clone(), post_filter.as_ref(), &[])?;
        Ok(Self { filter, post_filter, query, ..Self::empty(client, source, request, limit) })
    }

    fn empty(client: &Client, source: &Source, request: &Request, limit: Option<u64>) -> Self {
        Self {
            client: client.clone(),
            source: source.clone(),
            request: request.clone(),
            filter: Query::default(),
            post_filter: None,
            query: Query::default(),
            before: None,
            unique: request.aggregates() || source.numbers_every_row(),
            page_size: page_size(client, source, limit),
            concurrency: request.concurrency.get(),
            counted: !request.aggregates(),
            limit,
            total: None,
            received: 0,
            next: 1,
            in_flight: FuturesOrdered::new(),
            ended: false,
        }
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// The next page that has rows.
    pub(super) fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Vec<Row>>>> {
        loop {
            if let Err(error) = ready!(self.poll_before(context)) {
                return self.fail(error);
            }
            self.fill();
            let Some(outcome) = ready!(Pin::new(&mut self.in_flight).poll_next(context)) else {
                return Poll::Ready(self.missing().map(Err));
            };
            match outcome {
                Ok(page) => match self.take(page) {
                    rows if rows.is_empty() => {}
                    rows => return Poll::Ready(Some(Ok(rows))),
                },
                // Beyond the end: rows were removed in the meantime.
                Err(error) if error.status().is_some_and(|status| status == 416) => self.end(),
                Err(error) => match allowed_page_size(&error).filter(|size| *size < self.page_size) {
                    Some(size) if self.received == 0 => {
                        self.source.page_size(&self.client).learn(size);
                        self.page_size = page_size(&self.client, &self.source, self.limit);
                        self.restart();
                    }
                    _ => return self.fail(error),
                },
            }
        }
    }

    fn poll_before(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let Some(before) = &mut self.before else { return Poll::Ready(Ok(())) };
        let (filter, keys) = ready!(before.as_mut().poll(context))?;
        self.before = None;
        self.query = self.request.paged(filter.clone(), self.post_filter.as_ref(), &keys)?;
        self.filter = filter;
        Poll::Ready(Ok(()))
    }

    fn restart(&mut self) {
        self.next = 1;
        self.in_flight = FuturesOrdered::new();
    }

    /// `None` after an error.
    fn fail(&mut self, error: Error) -> Poll<Option<Result<Vec<Row>>>> {
        (self.before, self.total) = (None, None);
        self.end();
        Poll::Ready(Some(Err(error)))
    }

    /// Requests pages: the first alone, since it has the total.
    fn fill(&mut self) {
        let at_once = if self.total.is_some() { self.concurrency } else { 1 };
        while !self.ended && self.in_flight.len() < at_once {
            let before = (self.next - 1).saturating_mul(self.page_size);
            let most = [self.total, self.limit].into_iter().flatten().min();
            if most.is_some_and(|most| before >= most.max(1)) {
                return;
            }
            let mut query = self.query.clone();
            query.page(self.next, self.page_size);
            let call = self.source.page(&self.client, &query);
            self.in_flight.push_back(Box::pin(async move { Ok(call.send().await?.into_inner()) }));
            self.next += 1;
        }
    }

    fn take(&mut self, page: Page) -> Vec<Row> {
        if self.counted && page.meta.total.is_some() {
            self.total = page.meta.total;
        }
        let rows = u64::try_from(page.data.len()).unwrap_or(u64::MAX);
        if !self.unique && self.total.is_some_and(|total| total > rows) {
            // Another page follows: rows that are equal in the order may be on both.
            self.unique = true;
            let (client, source, filter) = (self.client.clone(), self.source.clone(), self.filter.clone());
            self.before = Some(Box::pin(async move { Ok((filter, source.keys(&client).await?)) }));
            self.restart();
            return Vec::new();
        }
        self.received += rows;
        if rows < self.page_size {
            self.end();
        }
        page.data
    }

    fn end(&mut self) {
        self.ended = true;
        self.in_flight = FuturesOrdered::new();
    }

    /// The error of pages that ended before all rows were received.
    fn missing(&mut self) -> Option<Error> {
        let total = self.total.take()?;
        let wanted = self.limit.map_or(total, |limit| limit.min(total));
        (self.counted && self.received < wanted).then(|| missing(self.received, wanted))
    }
}

/// The page size to request. The server returns no rows for a page size of one.
fn page_size(client: &Client, source: &Source, limit: Option<u64>) -> u64 {
    let largest = source.page_size(client).get();
    limit.map_or(largest, |limit| limit.max(2).min(largest))
}

/// The server's maximum, which it names in a refusal.
fn allowed_page_size(error: &Error) -> Option<u64> {
    if error.status()? != 400 {
        return None;
    }
    error.server_message()?.split_once("Page size exceeds allowed maximum: ")?.1.trim().parse().ok()
}

/// A [`Stream`] of pages of rows; made by [`Rows::pages`](super::Rows::pages). Dropping it cancels its requests.
#[must_use = "a stream does nothing until it is polled"]
pub struct RowPages<T> {
    walk: Walk,
    number: u64,
    /// The number of rows that may still be yielded.
    rows_left: u64,
    row: std::marker::PhantomData<fn() -> T>,
}

/// A page of rows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RowPage<T> {
    /// The number of the page, from 1.
    pub number: u64,
    /// The number of rows that match; `None` if the query aggregates, since the server then does not count them.
    pub total: Option<u64>,
    /// Its rows.
    pub rows: Vec<T>,
}

impl<T: DeserializeOwned> RowPages<T> {
    pub(super) fn new(client: Client, source: Source, request: Request) -> Self {
        let rows_left = request.limit.unwrap_or(u64::MAX);
        Self { walk: Walk::checked(&client, &source, &request), number: 0, rows_left, row: std::marker::PhantomData }
    }

    /// Returns the next page, or `None` after the last.
    pub async fn next(&mut self) -> Option<Result<RowPage<T>>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<T: DeserializeOwned> Stream for RowPages<T> {
    type Item = Result<RowPage<T>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.rows_left == 0 {
            return Poll::Ready(None);
        }
        let Some(page) = ready!(self.walk.poll_page(context)) else { return Poll::Ready(None) };
        self.number += 1;
        let before = (self.number - 1).saturating_mul(self.walk.page_size);
        let rows_left = usize::try_from(self.rows_left).unwrap_or(usize::MAX);
        let read = |rows: Vec<Row>| {
            let numbered = rows.into_iter().take(rows_left).zip(before + 1..);
            numbered
                .map(|(row, number)| decode::from_row(&row).map_err(|failure| unreadable_row(number, &row, failure)))
                .collect::<Result<Vec<T>>>()
        };
        let page = page.and_then(read).map(|rows| RowPage { number: self.number, total: self.walk.total, rows });
        let taken = page.as_ref().map_or(0, |page| u64::try_from(page.rows.len()).unwrap_or(u64::MAX));
        self.rows_left = self.rows_left.saturating_sub(taken);
        Poll::Ready(Some(page))
    }
}

impl<T> std::fmt::Debug for RowPages<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowPages")
            .field("number", &self.number)
            .field("total", &self.walk.total)
            .finish_non_exhaustive()
    }
}
