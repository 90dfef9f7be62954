//! Lists that are answered page by page, as streams of pages or of what is on them.
//!
//! Pages are counted; the links that they carry are data, not instructions, and are not followed. A walk asks
//! for a page when it is polled, and for pages ahead only where [`concurrency`](Pages::concurrency) says so.
//! Nothing runs beside it: dropped, it stops.
//!
//! A list may change while it is walked:
//!
//! - A page beyond the last is the end of the walk, unless it is the first that was asked for: then its 404 is
//!   the error.
//! - An empty page is the end, and so is one that was delivered before.
//! - What has moved to a later page is not delivered twice, where the items have an `id`. The last 500,000 ids
//!   at least are remembered, at 16 bytes or so each: with sorts that move what is changed to the end, the same
//!   thing can come again as late as on the last page.
//! - What has moved to an earlier page is missed: the server has no way to ask for it. A sort that does not
//!   move what is there (`created`) misses least.

mod envelope;
mod inspect;
mod walk;

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::response::{Body, Decode};
use crate::{Call, Deviation, Result};
use envelope::Envelope;
use walk::Walk;

/// What lists items, as a page of a longer list or as all of it.
pub trait PageOf {
    /// What is listed.
    type Item;

    /// The items of the page.
    fn items(&mut self) -> &mut Vec<Self::Item>;

    /// Reads a page; `None` where something of it does not fit, which is told only where its body is read at once.
    #[doc(hidden)]
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Self>, D::Error>
    where
        Self: Deserialize<'de>,
    {
        Self::deserialize(deserializer).map(Some)
    }
}

/// A bare list is all there is.
impl<T> PageOf for Vec<T> {
    type Item = T;

    fn items(&mut self) -> &mut Vec<T> {
        self
    }
}

/// A page of items of your own type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, bound(deserialize = "T: Deserialize<'de>"))]
#[non_exhaustive]
pub struct Page<T> {
    /// What is listed.
    #[serde(deserialize_with = "crate::tolerant::null_is_default")]
    pub data: Vec<T>,
    /// How many items the whole list has.
    #[serde(deserialize_with = "crate::tolerant::count")]
    pub total: Option<u64>,
    /// The number of the page, from 1.
    #[serde(deserialize_with = "crate::tolerant::count")]
    pub page: Option<u64>,
    /// How many items a page has.
    #[serde(deserialize_with = "crate::tolerant::count")]
    pub page_size: Option<u64>,
    /// The URL of the next page.
    #[serde(deserialize_with = "crate::tolerant::or_default")]
    pub next_page: Option<String>,
    /// The URL of the page before.
    #[serde(deserialize_with = "crate::tolerant::or_default")]
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
    /// The pages of the list, as a stream, from the page of the call (the first where it has none).
    ///
    /// Where the call does not say how many items a page has, it has 100: five times the platform's default,
    /// which saves most of the requests and keeps pages of whole datasets to a few megabytes. Where a mask
    /// ([`fields`](Self::fields)) asks for fields that have none of their own, it has 500.
    ///
    /// The searches of `/api/2` go no further than their 10,000th result: where there are more, the walk ends with
    /// the platform's refusal (400) after those.
    pub fn pages(self) -> Pages<P> {
        Pages { decode: self.decode().unwrap_or(Body::decode), walk: Walk::new(self.answering()), left: usize::MAX }
    }

    /// The items of the list, as a stream; see [`pages`](Self::pages).
    pub fn items(self) -> Items<P> {
        Items { pages: self.pages(), ready: VecDeque::new(), left: usize::MAX }
    }
}

/// The pages of a list, one after the other.
///
/// It is a [`Stream`] of the pages themselves, not of [`Response`](crate::Response)s: what a walk is for is on
/// the pages. See the [module](self) for what happens when the list changes meanwhile. The first error ends it.
///
/// ```no_run
/// # #[cfg(feature = "main-datasets")]
/// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
/// let mut pages = client.main().list_datasets().tag("transport").page_size(50).pages().concurrency(4);
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
    /// How many requests may be under way at once; 1 otherwise. Pages come in their order all the same.
    ///
    /// The first page is asked for alone: it says how many there are. Where it does not (a mask of your own
    /// without `total`), the others are too.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.walk.set_concurrency(requests);
        self
    }

    /// Ends the stream after so many pages, and asks for no more than those.
    pub fn limit(mut self, pages: usize) -> Self {
        self.left = pages;
        self.walk.expect_pages(pages);
        self
    }

    /// How many items the whole list has, as the newest page says; `None` before the first.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.walk.total()
    }

    /// The next page; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<P>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// As many pages as there are, and no more than the limit.
    ///
    /// # Errors
    ///
    /// The first error of the walk.
    pub async fn collect_up_to(self, limit: usize) -> Result<Vec<P>> {
        let mut limited = self.limit(limit);
        let mut all = Vec::new();
        while let Some(page) = limited.next().await {
            all.push(page?);
        }
        Ok(all)
    }

    /// A page without what was on those before; `None` where nothing is left of it.
    fn take_in(&mut self, number: u64, body: Body) -> Result<Option<P>> {
        let (page, envelope) = Envelope::read_with::<P>(&body.bytes, self.walk.expected(), self.walk.hasher()).unzip();
        let Some(mut fresh) = self.walk.take_in(number, &body.bytes, envelope) else { return Ok(None) };
        let mut page = match page {
            Some(page) => page,
            None => {
                // A list that is none would look like the end.
                let page = (self.decode)(body, Some("data")).inspect_err(|_| self.walk.end())?;
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

    /// The items on the pages.
    pub fn items(self) -> Items<P> {
        Items { pages: self, ready: VecDeque::new(), left: usize::MAX }
    }
}

/// Takes out what was said of the items of a page that could not be read: they are left out of it.
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
                Some(Ok(answer)) => answer,
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

/// The items of a list, one after the other, whatever the pages they come on.
///
/// It is a [`Stream`]. See the [module](self) for what happens when the list changes meanwhile. The first error
/// ends it.
///
/// ```no_run
/// # #[cfg(feature = "main-datasets")]
/// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
/// let found = client.main().list_datasets().q("bornes de recharge").items().collect_up_to(250).await?;
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
    /// How many requests may be under way at once; see [`Pages::concurrency`].
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.pages = self.pages.concurrency(requests);
        self
    }

    /// Ends the stream after so many items, and asks for no more pages than that takes.
    pub fn limit(mut self, items: usize) -> Self {
        self.left = items;
        self.pages.walk.expect_items(items);
        self
    }

    /// How many items the whole list has, as the newest page says; `None` before the first.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.pages.total()
    }

    /// The next item; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<P::Item>> {
        poll_fn(|context| self.poll_item(context)).await
    }

    /// As many items as there are, and no more than the limit.
    ///
    /// # Errors
    ///
    /// The first error of the walk.
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

// Nothing of it is pinned: the requests under way are boxed.
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
