//! Random access to a file on a server, by range requests.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::header::{
    ACCEPT_RANGES, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use reqwest::{Method, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};

use super::coding;
use super::content::Content;
use super::fetch::fetch;
use super::range::{ContentRange, Validator, unsatisfied_length};
use super::remote::FileHandle;
use super::transfer::{MAX_FAILURES, pause};
use crate::objects::{ResourceHandle, file_url};
use crate::transport::Repeatable;
use crate::{Client, Error, Result};

/// How much of the end of a file the first request reads, and the reader keeps.
const TAIL: u64 = 64 << 10;

/// Ranges with at most this many bytes between them are read by one request.
const COALESCED_GAP: u64 = 16 << 10;

/// How many ranges are requested at once.
const CONCURRENCY: usize = 4;

/// Reads any part of a file by range requests; made by [`FileHandle::ranges`], [`ResourceHandle::ranges`] and
/// [`PlatformCopy::ranges`](super::PlatformCopy::ranges).
///
/// All ranges are of one state of the file: requests are conditional (`If-Match` with a strong entity tag, else
/// `If-Unmodified-Since`), and each response is compared with the first one in entity tag, modification date and total size.
/// If the file was changed or replaced, [`Error::is_changed`] is true. Where a server sends no validator, only the size can
/// be compared.
///
/// Requests have the client's limits, retries and redirects. The API key is not sent. The last 64 KiB of the file are read
/// when it is opened, and kept: reading them again needs no request. A clone shares them.
///
/// ```no_run
/// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
/// use datagouv::files::RemoteFile;
///
/// let file = client.file(RemoteFile::new("https://example.org/communes.zip")).ranges().await?;
/// let signature = file.read(0..4).await?;
/// let directory = file.read(file.len() - 22..file.len()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RangeReader(Arc<Inner>);

struct Inner {
    client: Client,
    url: Url,
    /// What is declared: a coding may be that of the file itself.
    content: Content,
    length: u64,
    validator: Option<Validator>,
    tail: Bytes,
}

/// One state of a file: its URL, its size, and the entity tag or the modification date by which the server tells it from
/// others. Made by [`RangeReader::state`], to be sent to other machines with serde, where [`RangeReader::reopen`] takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    url: String,
    length: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
}

impl FileState {
    /// Returns the URL of the file.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the size of the file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.length
    }
}

impl FileHandle {
    /// Opens the file for reading by ranges, with one request for its last 64 KiB.
    ///
    /// # Errors
    ///
    /// Returns an error if the file does not exist, if no response arrives, or if the server does not support range requests
    /// and the file has more than 64 KiB.
    pub async fn ranges(&self) -> Result<RangeReader> {
        let file = self.resolve().await?;
        RangeReader::open(self.client(), file.parsed_url()?, file.content()).await
    }
}

impl ResourceHandle {
    /// Opens the file of the resource for reading by ranges; see [`FileHandle::ranges`].
    ///
    /// # Errors
    ///
    /// Those of [`FileHandle::ranges`].
    pub async fn ranges(&self) -> Result<RangeReader> {
        self.file().ranges().await
    }
}

impl RangeReader {
    async fn open(client: &Client, url: Url, content: Content) -> Result<Self> {
        let suffix = (RANGE, HeaderValue::from_str(&format!("bytes=-{TAIL}"))?);
        let first = match fetch(client, &url, std::slice::from_ref(&suffix)).await {
            // An empty file has no last bytes.
            Err(error) if error.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE) => fetch(client, &url, &[]).await?,
            first => first?,
        };
        let validator = Validator::of(first.headers());
        let whole = first.content_length().filter(|_| first.status() == StatusCode::OK && !is_coded(&first, content));
        let by_position = first.headers().get(ACCEPT_RANGES).is_some_and(|unit| unit == "bytes");
        let (length, tail) = match (partial(&first, content), whole) {
            (Some(ContentRange { first: from, total: Some(length), .. }), _) => (length, from..length),
            (_, Some(length)) => (length, 0..length),
            _ => return Err(no_ranges().of_file(&url)),
        };
        let inner = Inner { client: client.clone(), url, content, length, validator, tail: Bytes::new() };
        let tail = if tail.end - tail.start <= TAIL {
            inner.complete(tail, Some(first)).await?
        } else if partial(&first, content).is_some() || by_position {
            // Some servers support ranges, but not those that count from the end. The permit of the first response is
            // needed for the next request.
            drop(first);
            inner.read(length.saturating_sub(TAIL)..length).await?
        } else {
            return Err(no_ranges().of_file(&inner.url));
        };
        Ok(Self(Arc::new(Inner { tail, ..inner })))
    }

    /// Opens a file that another reader has opened, perhaps on another machine, for reading by ranges; with one request, as
    /// [`FileHandle::ranges`].
    ///
    /// # Errors
    ///
    /// Those of [`FileHandle::ranges`]; also if the file was changed since ([`Error::is_changed`]).
    pub async fn reopen(client: &Client, state: &FileState) -> Result<Self> {
        let reader = Self::open(client, file_url::parse(&state.url)?).await?;
        let found = reader.state();
        // A modification date excludes a second change only when it is a second old: then it may be told since.
        let is_told = state.etag.is_some() || state.last_modified.is_some();
        let is_same = found.length == state.length
            && (!is_told || (&found.etag, &found.last_modified) == (&state.etag, &state.last_modified));
        if is_same { Ok(reader) } else { Err(Error::file_changed().of_file(&reader.0.url)) }
    }

    /// Returns the state of the file that is read.
    #[must_use]
    pub fn state(&self) -> FileState {
        let told = |header: HeaderName| {
            let validator = self.0.validator.as_ref().filter(|validator| validator.header == header)?;
            validator.value.to_str().ok().map(str::to_owned)
        };
        FileState {
            url: self.0.url.to_string(),
            length: self.0.length,
            etag: told(ETAG),
            last_modified: told(LAST_MODIFIED),
        }
    }

    /// Returns the size of the file in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.length
    }

    /// Returns whether the file has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.length == 0
    }

    /// Returns the URL of the file.
    #[must_use]
    pub fn url(&self) -> &str {
        self.0.url.as_str()
    }

    /// Reads the bytes of a range, into memory. A body that breaks off is resumed.
    ///
    /// # Errors
    ///
    /// Returns an error if the range is not within the file, if the file was changed since it was opened
    /// ([`Error::is_changed`]), or if no response arrives.
    pub async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let inner = &*self.0;
        if range.start > range.end || range.end > inner.length {
            let message =
                format!("bytes {} to {} are not within the file of {} bytes", range.start, range.end, inner.length);
            return Err(Error::request(message).of_file(&inner.url));
        }
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let tail_start = inner.length - inner.tail.len() as u64;
        if range.start >= tail_start {
            let offset = |at: u64| usize::try_from(at - tail_start).unwrap_or(inner.tail.len());
            return Ok(inner.tail.slice(offset(range.start)..offset(range.end)));
        }
        inner.read(range).await
    }

    /// Reads the last bytes of the file: at most `bytes`, fewer if the file is shorter.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub async fn read_suffix(&self, bytes: u64) -> Result<Bytes> {
        self.read(self.len().saturating_sub(bytes)..self.len()).await
    }

    /// Reads several ranges, up to four at once, and returns their bytes in the order of `ranges`. Ranges with at most
    /// 16 KiB between them are read by one request.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub async fn read_all(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let merged = coalesced(ranges);
        let read: Vec<Bytes> =
            stream::iter(merged.clone()).map(|range| self.read(range)).buffered(CONCURRENCY).try_collect().await?;
        let part = |range: &Range<u64>| {
            let index = merged.partition_point(|other| other.end < range.end);
            let (from, bytes) = (merged.get(index)?.start, read.get(index)?);
            let offset = |at: u64| usize::try_from(at - from).ok();
            Some(bytes.slice(offset(range.start)?..offset(range.end)?))
        };
        Ok(ranges.iter().map(|range| part(range).unwrap_or_default()).collect())
    }
}

impl Inner {
    /// Reads a range that is within the file.
    async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        self.complete(range, None).await
    }

    /// Reads a range whose first response may have arrived already.
    async fn complete(&self, range: Range<u64>, mut response: Option<Response>) -> Result<Bytes> {
        let length = usize::try_from(range.end - range.start)
            .map_err(|_| Error::request("the range is larger than the address space").of_file(&self.url))?;
        let mut bytes = BytesMut::with_capacity(length);
        let mut failures = 0;
        while bytes.len() < length {
            let mut body = match response.take() {
                Some(response) => response,
                None => self.request(range.start + bytes.len() as u64..range.end).await?,
            };
            let before = bytes.len();
            let error = loop {
                match body.chunk().await {
                    Ok(Some(chunk)) if chunk.len() > length - bytes.len() => {
                        return Err(Error::corrupt("the server sent more bytes than the range has").of_file(&self.url));
                    }
                    Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                    Ok(None) if bytes.len() == length => return Ok(bytes.freeze()),
                    Ok(None) => break Error::transport("the body ended before its end"),
                    Err(error) => break Error::from(error),
                }
            };
            drop(body);
            failures = if bytes.len() > before { 1 } else { failures + 1 };
            let transient = error.asks_again(Repeatable::of(&Method::GET, false));
            if failures >= MAX_FAILURES || !transient {
                return Err(error.of_file(&self.url));
            }
            pause(failures).await;
        }
        Ok(bytes.freeze())
    }

    /// Requests a range, which is not empty, and returns the response if it is of the same state of the file.
    async fn request(&self, range: Range<u64>) -> Result<Response> {
        let mut headers =
            vec![(RANGE, HeaderValue::from_str(&format!("bytes={}-{}", range.start, range.end.saturating_sub(1)))?)];
        headers.extend(self.validator.as_ref().map(|validator| (precondition(validator), validator.value.clone())));
        let response = match fetch(&self.client, &self.url, &headers).await {
            Err(error) if error.status() == Some(StatusCode::PRECONDITION_FAILED) => {
                return Err(Error::file_changed().of_file(&self.url));
            }
            Err(error) if error.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE) => {
                // The file has become shorter, unless the server says that it has not.
                let is_as_before = error.headers().and_then(unsatisfied_length) == Some(self.length);
                let refused = || {
                    let (Range { start, end }, length) = (&range, self.length);
                    let message =
                        format!("the server refused bytes {start} to {end} of the {length} that the file has");
                    Error::transport(message)
                };
                let error = if is_as_before { refused() } else { Error::file_changed() };
                return Err(error.of_file(&self.url));
            }
            response => response?,
        };
        let changed = self.validator.as_ref().is_some_and(|validator| validator.contradicts(response.headers()));
        match partial(&response, self.content) {
            _ if changed => Err(Error::file_changed().of_file(&self.url)),
            Some(found) if found.total.is_some_and(|total| total != self.length) => {
                Err(Error::file_changed().of_file(&self.url))
            }
            Some(found) if found.first == range.start && found.last < range.end => Ok(response),
            Some(_) => Err(Error::corrupt("the server sent another range than the requested one").of_file(&self.url)),
            None => Err(no_ranges().of_file(&self.url)),
        }
    }
}

/// The range of a partial response (206).
fn partial(response: &Response, content: Content) -> Option<ContentRange> {
    let is_partial = response.status() == StatusCode::PARTIAL_CONTENT && !is_coded(response, content);
    if is_partial { ContentRange::of(response.headers()) } else { None }
}

fn is_coded(response: &Response, content: Content) -> bool {
    coding::to_undo(response.headers(), response.url(), content).is_some()
}

fn precondition(validator: &Validator) -> HeaderName {
    if validator.header == ETAG { IF_MATCH } else { IF_UNMODIFIED_SINCE }
}

fn no_ranges() -> Error {
    Error::transport("the server does not support range requests for this file: download it whole")
}

/// Merges ranges that are close to each other, in the order of their starts.
fn coalesced(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted: Vec<Range<u64>> = ranges.to_vec();
    sorted.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(COALESCED_GAP) => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

impl fmt::Debug for RangeReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangeReader")
            .field("url", &self.url())
            .field("len", &self.len())
            .field("validator", &self.0.validator.as_ref().map(|validator| &validator.value))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_close_to_each_other_are_read_together() {
        let merged = coalesced(&[100..200, 0..50, 1_000_000..1_000_001, 120..130, 1_100_000..1_100_010]);
        assert_eq!(merged, [0..200, 1_000_000..1_000_001, 1_100_000..1_100_010]);
        assert_eq!(coalesced(&[0..10, 10 + COALESCED_GAP..40_000]).len(), 1);
        assert_eq!(coalesced(&[0..10, 11 + COALESCED_GAP..40_000]).len(), 2);
        assert!(coalesced(&[]).is_empty());
    }
}
