//! Paginated lists, as streams of pages or of items.
//!
//! The builder of every operation that takes `page` and `page_size` has `pages()` and `items()`; so has [`Call`]. A
//! stream requests a page when it is polled, and further pages ahead only with [`concurrency`](Pages::concurrency).
//! Dropping it stops everything. See [the guide](crate::guide::lists) for a complete program.
//!
//! # Lists that change meanwhile
//!
//! Pages are requested by number, since the platform has no cursors; the links in a page (`next_page`) are not followed.
//!
//! - A page beyond the last one ends the stream. If it is the first page requested, its 404 is returned as an error.
//! - An empty page ends the stream, and so does a page that was delivered before.
//! - An item that moves to a later page is delivered once, if items have an `id`. At least the last 100,000 ids are
//!   remembered, at about 16 bytes each, because sorts that move changed items to the end can repeat an item as late as
//!   on the last page.
//! - An item that moves to an earlier page is missed. Sort by a property that does not change (`created`) to avoid this.

mod envelope;
mod inspect;
mod raw_envelope;
mod walk;

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::transport::response::Decode;
use crate::transport::{RawResponse, ResponseBody};
use crate::{Call, Deviation, Result};
use envelope::Envelope;
use walk::Walk;

/// A response that holds a list of items: a page, or a bare list.
pub trait PageOf {
    /// The type of the items.
    type Item;

    /// Returns the items of the page.
    fn items(&mut self) -> &mut Vec<Self::Item>;

    /// Reads a page; `None` if part of it does not match its type, which is reported only where its body is read at once.
    #[doc(hidden)]
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Self>, D::Error>
    where
        Self: Deserialize<'de>,
    {
        Self::deserialize(deserializer).map(Some)
    }
}

/// A list without pages.
impl<T> PageOf for Vec<T> {
    type Item = T;

    fn items(&mut self) -> &mut Vec<T> {
        self
    }
}

/// A page of items of a type of yours, as [`fields`](Call::fields) on a list returns it.
///
/// Properties that the mask of the request leaves out are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, bound(deserialize = "T: Deserialize<'de>"))]
#[non_exhaustive]
pub struct Page<T> {
    /// The type of the items.
    #[serde(deserialize_with = "crate::codec::tolerant::null_is_default")]
    pub data: Vec<T>,
    /// The number of items in the whole list.
    #[serde(deserialize_with = "crate::codec::tolerant::count")]
    pub total: Option<u64>,
    /// The number of the page, from 1.
    #[serde(deserialize_with = "crate::codec::tolerant::count")]
    pub page: Option<u64>,
    /// The number of items in a full page.
    #[serde(deserialize_with = "crate::codec::tolerant::count")]
    pub page_size: Option<u64>,
    /// The URL of the next page.
    #[serde(deserialize_with = "crate::codec::tolerant::or_default")]
    pub next_page: Option<String>,
    /// The URL of the previous page.
    #[serde(deserialize_with = "crate::codec::tolerant::or_default")]
    pub previous_page: Option<String>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { data: Vec::new(), total: None, page: None, page_size: None, next_page: None, previous_page: None }
    }
}

impl<T> PageOf for Page<T> {
    type Item = T;

    fn items(&mut self) -> &mut Vec<T> {
        &mut self.data
    }
}

impl<P: PageOf + DeserializeOwned> Call<P> {
    /// Returns the pages of the list as a stream, starting at the page set on the call (default: the first).
    ///
    /// If the call does not set `page_size`, pages have 100 items, five times the platform's default, which keeps pages of
    /// complete datasets at a few megabytes. With a mask ([`fields`](Self::fields)) whose fields have no fields of their
    /// own, they have 500.
    ///
    /// The searches of `/api/2` return no more than 10,000 results: beyond them the stream ends with the platform's error
    /// (400).
    pub fn pages(self) -> Pages<P> {
        Pages { decode: self.decode(), walk: Walk::new(self.with_response()), left: usize::MAX }
    }

    /// Returns the items of the list as a stream; see [`pages`](Self::pages).
    pub fn items(self) -> Items<P> {
        Items { pages: self.pages(), ready: VecDeque::new(), left: usize::MAX }
    }
}

/// The pages of a list, a [`Stream`]; made by [`Call::pages`].
///
/// Its items are the pages, without [`Response`](crate::Response). The first error ends the stream. See the
/// [module](self) for lists that change meanwhile.
///
/// ```no_run
/// # #[cfg(feature = "main-datasets")]
/// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
/// let list = client.main().list_datasets().tag("transport").page_size(50);
/// let mut pages = list.pages().concurrency(4);
/// while let Some(page) = pages.next().await {
///     println!("{} of {:?}", page?.data.len(), pages.total());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct Pages<P> {
    walk: Walk,
    left: usize,
    decode: Decode<P>,
}

impl<P: PageOf + DeserializeOwned> Pages<P> {
    /// Sets how many requests may be in flight at once. Default: 1. Pages are yielded in order.
    ///
    /// The first page is requested alone, since it has the number of pages. If it does not (a mask without `total`), all
    /// pages are requested one after another.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.walk.set_concurrency(requests);
        self
    }

    /// Ends the stream after `pages` pages, and requests no others.
    pub fn limit(mut self, pages: usize) -> Self {
        self.left = pages;
        self.walk.expect_pages(pages);
        self
    }

    /// Returns the number of items in the whole list, from the latest page; `None` before the first page.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.walk.total()
    }

    /// Returns the next page, or `None` at the end.
    pub async fn next(&mut self) -> Option<Result<P>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Collects the pages, up to `limit` of them.
    ///
    /// # Errors
    ///
    /// Returns the first error of the stream.
    pub async fn collect_up_to(self, limit: usize) -> Result<Vec<P>> {
        let mut limited = self.limit(limit);
        let mut all = Vec::new();
        while let Some(page) = limited.next().await {
            all.push(page?);
        }
        Ok(all)
    }

    /// Decodes a page and removes the items of earlier pages; `None` if none are left.
    fn take_in(&mut self, number: u64, body: ResponseBody) -> Result<Option<P>> {
        let (page, envelope) = Envelope::read_with::<P>(&body.bytes, self.walk.expected(), self.walk.hasher()).unzip();
        let Some(mut fresh) = self.walk.take_in(number, &body.bytes, envelope) else { return Ok(None) };
        let mut page = match page {
            Some(page) => page,
            None => {
                // A list that is none would look like the end.
                let page = (self.decode)(RawResponse::Buffered(body), Some("data")).inspect_err(|_| self.walk.end())?;
                without_left_out(&mut fresh, page.deviations());
                page.into_inner()
            }
        };
        self.left -= 1;
        let items = page.items();
        if items.len() == fresh.len() {
            let mut fresh = fresh.iter();
            items.retain(|_| fresh.next() != Some(&false));
        }
        Ok(Some(page))
    }

    /// Returns the items of the pages as a stream.
    pub fn items(self) -> Items<P> {
        Items { pages: self, ready: VecDeque::new(), left: usize::MAX }
    }
}

/// Removes the entries of the items of a page that could not be decoded: they are left out of it.
fn without_left_out(fresh: &mut Vec<bool>, deviations: &[Deviation]) {
    let index = |deviation: &Deviation| deviation.path.strip_prefix("data[")?.strip_suffix(']')?.parse().ok();
    let left_out: Vec<usize> = deviations.iter().filter_map(index).collect();
    let mut place = 0..;
    fresh.retain(|_| place.next().is_none_or(|place| !left_out.contains(&place)));
}

impl<P: PageOf + DeserializeOwned> Stream for Pages<P> {
    type Item = Result<P>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while self.left > 0 {
            let (number, body) = match ready!(self.walk.poll_next(context)) {
                Some(Ok(response)) => response,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => break,
            };
            if let Some(page) = self.take_in(number, body).transpose() {
                return Poll::Ready(Some(page));
            }
        }
        Poll::Ready(None)
    }
}

impl<P> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("walk", &self.walk).finish_non_exhaustive()
    }
}

/// The items of a list, a [`Stream`]; made by [`Call::items`].
///
/// The first error ends the stream. See the [module](self) for lists that change meanwhile.
///
/// ```no_run
/// # #[cfg(feature = "main-datasets")]
/// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
/// let list = client.main().list_datasets().q("bornes de recharge");
/// let found = list.items().collect_up_to(250).await?;
/// for dataset in found {
///     println!("{}", dataset.title);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct Items<P: PageOf> {
    pages: Pages<P>,
    ready: VecDeque<P::Item>,
    left: usize,
}

impl<P: PageOf + DeserializeOwned> Items<P> {
    /// Sets how many requests may be in flight at once; see [`Pages::concurrency`].
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.pages = self.pages.concurrency(requests);
        self
    }

    /// Ends the stream after `items` items, and requests no more pages than that takes.
    pub fn limit(mut self, items: usize) -> Self {
        self.left = items;
        self.pages.walk.expect_items(items);
        self
    }

    /// Returns the number of items in the whole list, from the latest page; `None` before the first page.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.pages.total()
    }

    /// Returns the next item, or `None` at the end.
    pub async fn next(&mut self) -> Option<Result<P::Item>> {
        poll_fn(|context| self.poll_item(context)).await
    }

    /// Collects the items, up to `limit` of them.
    ///
    /// # Errors
    ///
    /// Returns the first error of the stream.
    pub async fn collect_up_to(self, limit: usize) -> Result<Vec<P::Item>> {
        let mut limited = self.limit(limit);
        let mut all = Vec::new();
        while let Some(item) = limited.next().await {
            all.push(item?);
        }
        Ok(all)
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<P::Item>>> {
        while self.left > 0 {
            if let Some(item) = self.ready.pop_front() {
                self.left -= 1;
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut self.pages).poll_next(context)) {
                Some(Ok(mut page)) => self.ready = std::mem::take(page.items()).into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => break,
            }
        }
        Poll::Ready(None)
    }
}

// No field is pinned structurally: the requests in flight are boxed.
impl<P: PageOf> Unpin for Items<P> {}

impl<P: PageOf + DeserializeOwned> Stream for Items<P> {
    type Item = Result<P::Item>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(context)
    }
}

impl<P: PageOf> fmt::Debug for Items<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("pages", &self.pages).finish_non_exhaustive()
    }
}
