//! Rows in pages, counted: the links of a page drop a part of its query.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::stream::FuturesOrdered;
use serde::de::DeserializeOwned;

use super::decode;
use super::encoding::Query;
use super::query::{Request, check};
use super::row::Row;
use super::source::{PAGE_SIZE, Page, Source};
use super::stream::unreadable;
use crate::{Client, Error, Result};

pub(super) type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Walks over the pages of a query.
pub(super) struct Walk {
    client: Client,
    source: Source,
    query: Query,
    /// What comes before the first page.
    before: Option<Pending<Result<Query>>>,
    page_size: u64,
    concurrency: usize,
    /// Whether the server's total is that of the rows which come.
    counted: bool,
    total: Option<u64>,
    next: u64,
    under_way: FuturesOrdered<Pending<Result<Page>>>,
    ended: bool,
}

impl Walk {
    /// Over the pages of what is asked, after it is checked if that is asked too.
    fn checked(client: &Client, source: &Source, asked: &Request) -> Self {
        let (own, of, request) = (client.clone(), source.clone(), asked.clone());
        let before = async move {
            let query = request.paged()?;
            check(&own, &of, &request).await?;
            Ok(query)
        };
        Self { before: Some(Box::pin(before)), ..Self::new(client, source, asked, Query::default()) }
    }

    pub(super) fn new(client: &Client, source: &Source, asked: &Request, query: Query) -> Self {
        Self {
            client: client.clone(),
            source: source.clone(),
            query,
            before: None,
            page_size: PAGE_SIZE,
            concurrency: asked.concurrency.get(),
            counted: !asked.aggregates(),
            total: None,
            next: 1,
            under_way: FuturesOrdered::new(),
            ended: false,
        }
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// The next page with rows.
    pub(super) fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Vec<Row>>>> {
        if let Some(before) = &mut self.before {
            let outcome = ready!(before.as_mut().poll(context));
            self.before = None;
            match outcome {
                Ok(query) => self.query = query,
                Err(error) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        loop {
            self.fill();
            let Some(outcome) = ready!(Pin::new(&mut self.under_way).poll_next(context)) else {
                return Poll::Ready(None);
            };
            if let Some(outcome) = self.received(outcome) {
                return Poll::Ready(outcome);
            }
        }
    }

    /// Sends for pages: the first alone, since it tells how many there are.
    fn fill(&mut self) {
        let at_once = if self.total.is_some() { self.concurrency } else { 1 };
        while !self.ended && self.under_way.len() < at_once {
            if self.total.is_some_and(|total| (self.next - 1).saturating_mul(self.page_size) >= total) {
                return;
            }
            let mut query = self.query.clone();
            query.page(self.next, self.page_size);
            let call = self.source.page(&self.client, &query);
            self.under_way.push_back(Box::pin(async move { Ok(call.send().await?.into_inner()) }));
            self.next += 1;
        }
    }

    /// What to hand out for a page that came; `None` where it is to be asked for anew.
    fn received(&mut self, outcome: Result<Page>) -> Option<Option<Result<Vec<Row>>>> {
        let page = match outcome {
            Ok(page) => page,
            // Beyond the end, since rows went while they were read.
            Err(error) if error.status().is_some_and(|status| status == 416) => return Some(self.end(None)),
            Err(error) => match allowed_page_size(&error).filter(|size| *size < self.page_size && *size > 0) {
                Some(size) if self.total.is_none() => {
                    (self.page_size, self.next) = (size, 1);
                    self.under_way = FuturesOrdered::new();
                    return None;
                }
                _ => return Some(self.end(Some(Err(error)))),
            },
        };
        if self.counted && page.meta.total.is_some() {
            self.total = page.meta.total;
        }
        let rows = u64::try_from(page.data.len()).unwrap_or(u64::MAX);
        Some(match rows {
            0 => self.end(None),
            _ if rows < self.page_size => self.end(Some(Ok(page.data))),
            _ => Some(Ok(page.data)),
        })
    }

    fn end<Last>(&mut self, last: Last) -> Last {
        self.ended = true;
        self.under_way = FuturesOrdered::new();
        last
    }
}

/// The server's maximum, which it tells in a refusal.
fn allowed_page_size(error: &Error) -> Option<u64> {
    if error.status()? != 400 {
        return None;
    }
    error.server_message()?.split_once("Page size exceeds allowed maximum: ")?.1.trim().parse().ok()
}

/// The rows of a query in pages; made by [`Rows::pages`](super::Rows::pages).
///
/// It is a [`Stream`] of pages. Dropping it ends all that is on its way.
#[must_use = "a stream does nothing until it is polled"]
pub struct RowPages<T> {
    walk: Walk,
    number: u64,
    row: std::marker::PhantomData<fn() -> T>,
}

/// A page of rows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RowPage<T> {
    /// Which one it is, from 1.
    pub number: u64,
    /// How many rows there are in all; `None` where the server does not count them, since the query aggregates.
    pub total: Option<u64>,
    /// Its rows.
    pub rows: Vec<T>,
}

impl<T: DeserializeOwned> RowPages<T> {
    pub(super) fn new(client: Client, source: Source, asked: Request) -> Self {
        Self { walk: Walk::checked(&client, &source, &asked), number: 0, row: std::marker::PhantomData }
    }

    /// The next page; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<RowPage<T>>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<T: DeserializeOwned> Stream for RowPages<T> {
    type Item = Result<RowPage<T>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(page) = ready!(self.walk.poll_page(context)) else { return Poll::Ready(None) };
        self.number += 1;
        let before = (self.number - 1).saturating_mul(self.walk.page_size);
        let read = |rows: Vec<Row>| {
            let numbered = rows.into_iter().zip(before + 1..);
            numbered
                .map(|(row, number)| {
                    decode::from_row(&row).map_err(|failure| unreadable(number, &row_text(&row), failure))
                })
                .collect::<Result<Vec<T>>>()
        };
        let page = page.and_then(read).map(|rows| RowPage { number: self.number, total: self.walk.total, rows });
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

pub(super) fn row_text(row: &Row) -> String {
    serde_json::to_string(row).unwrap_or_default()
}
