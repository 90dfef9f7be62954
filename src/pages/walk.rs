//! From page to page, whatever is on them: which to ask for, when it ends, what came before.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::future::Future;
use std::hash::BuildHasher;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::stream::FuturesOrdered;
use reqwest::Request;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::response::Body;
use crate::{Call, Response, Result};

/// What a page has, where nobody says otherwise.
const PAGE_SIZE: u64 = 100;

type Fetch = Pin<Box<dyn Future<Output = (u64, Result<Body>)> + Send>>;

pub(super) struct Walk {
    /// What every page's request is made of; gone when it cannot be sent more than once.
    call: Option<Call<Body>>,
    first: u64,
    /// The next page to ask for.
    next: u64,
    page_size: u64,
    page_size_is_given: bool,
    concurrency: usize,
    /// The last page that the caller will want, if nothing is missing on those before.
    wanted: u64,
    under_way: FuturesOrdered<Fetch>,
    total: Option<u64>,
    /// The last page that there is, where the newest one counts.
    last: Option<u64>,
    /// What was on the page before.
    previous: Vec<Key>,
    seen: Seen,
    ended: bool,
}

/// A page, and which of its items were not on those before.
pub(super) struct Found {
    pub body: Body,
    pub fresh: Vec<bool>,
}

impl Walk {
    pub(super) fn new(call: Call<Body>) -> Self {
        let asked = |name: &str| {
            let mut pairs = call.request()?.url().query_pairs();
            // What is no number is for the server to refuse.
            pairs.find_map(|(key, value)| (key == name).then(|| value.parse().unwrap_or(0)))
        };
        let (first, page_size): (u64, Option<u64>) = (asked("page").unwrap_or(1), asked("page_size"));
        Self {
            first,
            next: first,
            page_size: page_size.unwrap_or(PAGE_SIZE),
            page_size_is_given: page_size.is_some(),
            concurrency: 1,
            wanted: u64::MAX,
            under_way: FuturesOrdered::new(),
            total: None,
            last: None,
            previous: Vec::new(),
            seen: Seen::default(),
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

    /// A few items do not need a whole page.
    pub(super) fn expect_items(&mut self, items: usize) {
        let items = u64::try_from(items).unwrap_or(u64::MAX).max(1);
        if !self.page_size_is_given && self.next == self.first {
            self.page_size = items.min(PAGE_SIZE);
        }
        let pages = items.div_ceil(self.page_size.max(1));
        self.wanted = self.next.saturating_add(pages).saturating_sub(1);
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Nothing more is asked for, and what is under way is given up.
    pub(super) fn end(&mut self) {
        self.ended = true;
        self.call = None;
        self.under_way = FuturesOrdered::new();
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Found>>> {
        while !self.ended {
            self.ask();
            match ready!(Pin::new(&mut self.under_way).poll_next(context)) {
                Some((number, Ok(body))) => {
                    let found = self.take_in(number, body);
                    if found.is_some() {
                        return Poll::Ready(found.map(Ok));
                    }
                }
                Some((number, Err(error))) => {
                    self.end();
                    // The list has shrunk meanwhile.
                    if error.is_not_found() && number != self.first {
                        break;
                    }
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.end(),
            }
        }
        Poll::Ready(None)
    }

    /// Asks for the pages that may be under way now.
    fn ask(&mut self) {
        while self.under_way.len() < self.concurrency && self.may_ask() {
            // A request that cannot be sent twice can be sent once, and says why.
            let copy = self.call.as_ref().and_then(Call::try_clone);
            let Some(call) = copy.or_else(|| self.call.take()) else { return };
            let (number, size) = (self.next, self.page_size);
            let call = call.map_request(|request| {
                set_page(request, number, size);
                Ok(())
            });
            let answer = call.send();
            self.under_way.push_back(Box::pin(async move { (number, answer.await.map(Response::into_inner)) }));
            self.next = self.next.saturating_add(1);
        }
    }

    fn may_ask(&self) -> bool {
        self.under_way.is_empty() || self.last.is_some_and(|last| self.next <= last.min(self.wanted))
    }

    /// Reads how the list goes on, and which items are new; `None` where nothing is to be delivered.
    fn take_in(&mut self, number: u64, body: Body) -> Option<Found> {
        let is_first = number == self.first;
        // A bare list is all there is.
        if body.bytes.trim_ascii_start().first() == Some(&b'[') {
            self.end();
            return is_first.then_some(Found { body, fresh: Vec::new() });
        }
        let Ok(Envelope { data: keys, total, page, page_size, next_page }) = self.seen.envelope(&body.bytes) else {
            // The type of the page says what is wrong with it.
            self.end();
            return Some(Found { body, fresh: Vec::new() });
        };
        let [total, page, page_size] = [total, page, page_size].map(number_of);
        let keys = keys.unwrap_or_default();
        // When as many things as a page has come in before it, it is the page before once more, rightly.
        let grew = self.total.is_some() && total > self.total;
        let repeats = page.is_some_and(|page| page != number) || (keys == self.previous && !grew);
        if !is_first && (keys.is_empty() || repeats) {
            self.end();
            return None;
        }
        self.total = total.or(self.total);
        let size = page_size.filter(|size| *size > 0).unwrap_or(self.page_size).max(1);
        self.last = total.map(|total| total.div_ceil(size));
        let goes_on = match next_page {
            Some(url) => url.get() != "null",
            None => self.last.is_none_or(|last| number < last),
        };
        let fresh: Vec<bool> = keys.iter().map(|key| self.seen.insert(*key)).collect();
        self.previous = keys;
        if fresh.is_empty() || !goes_on {
            self.end();
        }
        (fresh.is_empty() || fresh.contains(&true)).then_some(Found { body, fresh })
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

/// Puts a number and a size of pages into the query, and leaves the rest of it as it was written.
fn set_page(request: &mut Request, number: u64, size: u64) {
    let is_page = |pair: &&str| matches!(pair.split('=').next(), Some("page" | "page_size"));
    let kept = request.url().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !is_page(pair));
    let own = [format!("page={number}"), format!("page_size={size}")];
    let query: Vec<&str> = kept.chain(own.iter().map(String::as_str)).collect();
    let query = query.join("&");
    request.url_mut().set_query(Some(&query));
}

/// What is read of a page whatever its type: a mask may leave out any of it.
#[derive(Deserialize)]
#[serde(bound(deserialize = "I: Deserialize<'de>"))]
struct Envelope<'a, I> {
    data: Option<Vec<I>>,
    #[serde(borrow)]
    total: Option<&'a RawValue>,
    #[serde(borrow)]
    page: Option<&'a RawValue>,
    #[serde(borrow)]
    page_size: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    next_page: Option<&'a RawValue>,
}

impl<'a, I> Envelope<'a, I> {
    fn map<E>(self, key: impl FnMut(I) -> Result<Key, E>) -> Result<Envelope<'a, Key>, E> {
        let Self { data, total, page, page_size, next_page } = self;
        let data = data.map(|items| items.into_iter().map(key).collect()).transpose()?;
        Ok(Envelope { data, total, page, page_size, next_page })
    }
}

/// An item of which nothing is read but the id.
#[derive(Deserialize)]
struct Identified<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

fn even_null<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn number_of(value: Option<&RawValue>) -> Option<u64> {
    value.and_then(|value| value.get().parse().ok())
}

/// What an item is known by: its id, or all of it where it has none.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    hash: u64,
    is_id: bool,
}

/// The ids that were delivered, as hashes: among a million of them, two that are the same are less likely than
/// one to thirty million.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    newer: HashSet<u64>,
    older: HashSet<u64>,
}

impl Seen {
    /// When so many are remembered, those before them are forgotten.
    const GENERATION: usize = 500_000;

    /// What a page says, with the keys of its items.
    fn envelope<'a>(&self, page: &'a [u8]) -> serde_json::Result<Envelope<'a, Key>> {
        // In most lists each item has an id: then the others' text is passed over only once.
        let key = |item: Identified<'_>| item.id.map(|id| self.key(id, true)).ok_or(());
        if let Ok(Ok(envelope)) = serde_json::from_slice::<Envelope<'_, _>>(page).map(|envelope| envelope.map(key)) {
            return Ok(envelope);
        }
        serde_json::from_slice::<Envelope<'_, _>>(page)?.map(|item: &RawValue| {
            let id = serde_json::from_str::<Identified<'_>>(item.get()).ok().and_then(|item| item.id);
            Ok(self.key(id.unwrap_or(item), id.is_some()))
        })
    }

    fn key(&self, text: &RawValue, is_id: bool) -> Key {
        Key { hash: self.hasher.hash_one(text.get()), is_id }
    }

    /// Whether it is new.
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
        let mut seen = Seen::default();
        let key = |hash| Key { hash, is_id: true };
        assert!(seen.insert(key(u64::MAX)));
        for hash in 0..Seen::GENERATION as u64 {
            assert!(seen.insert(key(hash)));
        }
        assert!(!seen.insert(key(u64::MAX)));
        assert!(seen.newer.len() + seen.older.len() <= 2 * Seen::GENERATION);
    }

    #[test]
    fn what_has_no_id_is_always_new() {
        let mut seen = Seen::default();
        let page = br#"{"data": [{"name": "a"}, "a", {"id": null}, {"id": "b"}]}"#;
        let keys = seen.envelope(page).unwrap().data.unwrap();
        let twice: Vec<_> = keys.into_iter().map(|key| (seen.insert(key), seen.insert(key))).collect();
        assert_eq!(twice, [(true, true), (true, true), (true, true), (true, false)]);
    }

    #[test]
    fn an_id_is_the_same_beside_what_has_none() {
        let seen = Seen::default();
        let key = |page: &'static str| seen.envelope(page.as_bytes()).unwrap().data.unwrap()[0];
        assert!(key(r#"{"data": [{"id": "a"}]}"#) == key(r#"{"data": [{"id": "a", "name": "b"}, "c"]}"#));
    }
}
