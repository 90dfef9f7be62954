//! The walk from page to page, whatever their type: which page to request, when to end, which items came before.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasherDefault, Hasher, RandomState};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::stream::FuturesOrdered;
use reqwest::Request;

use super::envelope::{Envelope, Key};
use crate::mask::is_plain;
use crate::transport::ResponseBody;
use crate::{Call, Response, Result};

/// The page size of calls that do not set one.
const PAGE_SIZE: u64 = 100;

/// The same for masks of plain fields: there, a request costs more than the items on its page.
const PAGE_SIZE_OF_PLAIN: u64 = 500;

type Fetch = Pin<Box<dyn Future<Output = (u64, Result<ResponseBody>)> + Send>>;

pub(super) struct Walk {
    /// The call that the request of every page is made from; `None` at the end, or if it can be sent only once.
    call: Option<Call<ResponseBody>>,
    first: u64,
    /// The next page to request.
    next: u64,
    page_size: u64,
    /// The default page size; `None` if the call sets one.
    page_size_by_default: Option<u64>,
    concurrency: usize,
    /// The last page that the caller needs, if the pages before are full.
    wanted: u64,
    under_way: FuturesOrdered<Fetch>,
    total: Option<u64>,
    /// The number of the last page of the list, from the latest page.
    last: Option<u64>,
    /// The items of the previous page.
    previous: Vec<Key>,
    seen: DeliveredKeys,
    hasher: RandomState,
    ended: bool,
}

impl Walk {
    pub(super) fn new(call: Call<ResponseBody>) -> Self {
        let parameter = |name: &str| {
            let mut pairs = call.request()?.url().query_pairs();
            // The server refuses a value that is not a number.
            pairs.find_map(|(key, value)| (key == name).then(|| value.parse().unwrap_or(0)))
        };
        let (first, page_size): (u64, Option<u64>) = (parameter("page").unwrap_or(1), parameter("page_size"));
        let is_plain = call.request().is_some_and(is_plain);
        let by_default = if is_plain { PAGE_SIZE_OF_PLAIN } else { PAGE_SIZE };
        Self {
            first,
            next: first,
            page_size: page_size.unwrap_or(by_default),
            page_size_by_default: page_size.is_none().then_some(by_default),
            concurrency: 1,
            wanted: u64::MAX,
            under_way: FuturesOrdered::new(),
            total: None,
            last: None,
            previous: Vec::new(),
            seen: DeliveredKeys::default(),
            hasher: RandomState::new(),
            ended: false,
            call: Some(call),
        }
    }

    pub(super) fn set_concurrency(&mut self, requests: usize) {
        self.concurrency = requests.max(1);
    }

    pub(super) fn expect_pages(&mut self, pages: usize) {
        let pages = u64::try_from(pages).unwrap_or(u64::MAX);
        self.wanted = self.next.saturating_add(pages).saturating_sub(1);
    }

    /// Limits the walk to the pages that hold `items` items, and the page to as many.
    pub(super) fn expect_items(&mut self, items: usize) {
        let items = u64::try_from(items).unwrap_or(u64::MAX).max(1);
        if let Some(by_default) = self.page_size_by_default.filter(|_| self.next == self.first) {
            self.page_size = items.min(by_default);
        }
        let pages = items.div_ceil(self.page_size.max(1));
        self.wanted = self.next.saturating_add(pages).saturating_sub(1);
    }

    /// The expected number of items on the next page: that of the page before.
    pub(super) fn expected(&self) -> usize {
        self.previous.len()
    }

    pub(super) fn hasher(&self) -> &RandomState {
        &self.hasher
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Ends the walk and drops the requests in flight.
    pub(super) fn end(&mut self) {
        self.ended = true;
        self.call = None;
        self.under_way = FuturesOrdered::new();
    }

    /// Returns the next page, undecoded, with its number.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<(u64, ResponseBody)>>> {
        if !self.ended {
            self.ask();
            match ready!(Pin::new(&mut self.under_way).poll_next(context)) {
                Some((number, Ok(body))) => return Poll::Ready(Some(Ok((number, body)))),
                Some((number, Err(error))) => {
                    self.end();
                    // The list has become shorter, unless this is the first page.
                    if !error.is_not_found() || number == self.first {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                None => self.end(),
            }
        }
        Poll::Ready(None)
    }

    /// Requests the pages that may be in flight now.
    fn ask(&mut self) {
        while self.under_way.len() < self.concurrency && self.may_ask() {
            // A request that cannot be cloned is sent once, and returns its own error.
            let copy = self.call.as_ref().and_then(Call::try_clone);
            let Some(call) = copy.or_else(|| self.call.take()) else { return };
            let (number, size) = (self.next, self.page_size);
            let call = call.map_request(|request| {
                set_page(request, number, size);
                Ok(())
            });
            let response = call.send();
            self.under_way.push_back(Box::pin(async move { (number, response.await.map(Response::into_inner)) }));
            self.next = self.next.saturating_add(1);
        }
    }

    fn may_ask(&self) -> bool {
        self.under_way.is_empty() || self.last.is_some_and(|last| self.next <= last.min(self.wanted))
    }

    /// Updates the state from a page, and returns for each of its items whether it is new; `None` if none is. The envelope is
    /// read from the body if it was not read with the page.
    pub(super) fn take_in(&mut self, number: u64, page: &[u8], envelope: Option<Envelope>) -> Option<Vec<bool>> {
        let is_first = number == self.first;
        // A bare list has no further pages.
        if page.trim_ascii_start().first() == Some(&b'[') {
            self.end();
            return is_first.then(Vec::new);
        }
        let envelope = envelope.or_else(|| Envelope::read(page, &self.hasher).ok());
        let Some(Envelope { keys, total, page, page_size, has_next }) = envelope else {
            // Decoding the page returns the error.
            self.end();
            return Some(Vec::new());
        };
        // If a page's worth of items was inserted before it, it equals the previous page, legitimately.
        let grew = self.total.is_some() && total > self.total;
        let repeats = page.is_some_and(|page| page != number) || (keys == self.previous && !grew);
        if !is_first && (keys.is_empty() || repeats) {
            self.end();
            return None;
        }
        self.total = total.or(self.total);
        let size = page_size.filter(|size| *size > 0).unwrap_or(self.page_size).max(1);
        self.last = total.map(|total| total.div_ceil(size));
        let goes_on = has_next.unwrap_or_else(|| self.last.is_none_or(|last| number < last));
        let fresh: Vec<bool> = keys.iter().map(|key| self.seen.insert(*key)).collect();
        self.previous = keys;
        if fresh.is_empty() || !goes_on {
            self.end();
        }
        (fresh.is_empty() || fresh.contains(&true)).then_some(fresh)
    }
}

impl fmt::Debug for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk")
            .field("call", &self.call)
            .field("next", &self.next)
            .field("page_size", &self.page_size)
            .field("concurrency", &self.concurrency)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

/// Sets `page` and `page_size` in the query, and leaves the rest of it as it was written.
fn set_page(request: &mut Request, number: u64, size: u64) {
    let is_page = |pair: &&str| matches!(pair.split('=').next(), Some("page" | "page_size"));
    let kept = request.url().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !is_page(pair));
    let own = [format!("page={number}"), format!("page_size={size}")];
    let query: Vec<&str> = kept.chain(own.iter().map(String::as_str)).collect();
    let query = query.join("&");
    request.url_mut().set_query(Some(&query));
}

/// The last ids that were delivered, as hashes. The probability that one of a million is taken for another is below one in
/// ninety million.
#[derive(Default)]
struct DeliveredKeys {
    newer: HashSet<u64, BuildHasherDefault<IdentityHasher>>,
    older: HashSet<u64, BuildHasherDefault<IdentityHasher>>,
}

/// A hasher that returns the value itself, since a [`Key`] is already a hash with random keys.
#[derive(Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl DeliveredKeys {
    /// The capacity of one generation: when it is full, the generation before is dropped.
    const GENERATION: usize = 100_000;

    /// Inserts a key, and returns whether it is new.
    fn insert(&mut self, key: Key) -> bool {
        if !key.is_id {
            return true;
        }
        if self.newer.len() >= Self::GENERATION {
            self.older = mem::take(&mut self.newer);
        }
        !self.older.contains(&key.hash) && self.newer.insert(key.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_changes_in_the_query() {
        let url = "https://h/api/1/datasets/?q=a%26b&page=3&tag=x+y&page_size=7&pages=1".parse().unwrap();
        let mut request = Request::new(reqwest::Method::GET, url);
        set_page(&mut request, 4, 50);
        assert_eq!(request.url().query(), Some("q=a%26b&tag=x+y&pages=1&page=4&page_size=50"));
    }

    #[test]
    fn ids_are_remembered_for_a_generation_at_least() {
        let mut seen = DeliveredKeys::default();
        let key = |hash| Key { hash, is_id: true };
        assert!(seen.insert(key(u64::MAX)));
        for hash in 0..DeliveredKeys::GENERATION as u64 {
            assert!(seen.insert(key(hash)));
        }
        assert!(!seen.insert(key(u64::MAX)));
        assert!(seen.newer.len() + seen.older.len() <= 2 * DeliveredKeys::GENERATION);
    }

    #[test]
    fn items_without_an_id_are_always_new() {
        let mut seen = DeliveredKeys::default();
        let twice = |is_id| [(); 2].map(|()| seen.insert(Key { hash: 1, is_id }));
        assert_eq!([false, true].map(twice), [[true, true], [true, false]]);
    }
}
