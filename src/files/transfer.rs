//! Transfers of a file, over as many responses as needed.

use std::time::Duration;

use bytes::{Buf, Bytes};
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode, Url};

use super::fetch::fetch;
use super::range::{ContentRange, Validator};
use crate::transport::Repeatable;
use crate::{Client, Error, Result};

/// How many times in a row a body may break off without any new byte.
pub(super) const MAX_FAILURES: u32 = 5;

/// How many times a file may change while it is read.
const MAX_CHANGES: u32 = 3;

/// The delay before resuming, doubled for each failure in a row.
const PAUSE: Duration = Duration::from_millis(250);

/// Waits before a body that broke off is resumed, for a random part of the delay after so many failures in a row.
pub(super) async fn pause(failures: u32) {
    let limit = PAUSE.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    tokio::time::sleep(limit.mul_f64(fastrand::f64())).await;
}

/// A piece of a file.
#[derive(Clone)]
pub(super) enum Piece {
    Bytes(Bytes),
    /// The file has changed or cannot be resumed: the bytes so far are void, the transfer starts over.
    Anew,
}

pub(super) struct Transfer {
    client: Client,
    url: Url,
    /// Whether to start over if the file cannot be resumed.
    restarts: bool,
    answer: Option<Response>,
    state: FileState,
    /// The number of bytes received.
    received: u64,
    /// How many bytes of this response were received with an earlier one.
    skip: u64,
    failures: u32,
    changes: u32,
    resumptions: u32,
}

/// What the headers of a response tell about the file.
struct FileState {
    url: Url,
    headers: HeaderMap,
    total: Option<u64>,
    validator: Option<Validator>,
}

impl FileState {
    fn of(answer: &Response) -> Self {
        let headers = answer.headers().clone();
        let encoded = headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity");
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.trim().parse().ok());
        // Length and entity tag of an encoded form do not apply to the file itself.
        let (total, validator) = if encoded { (None, None) } else { (length, Validator::of(&headers)) };
        Self { url: answer.url().clone(), headers, total, validator }
    }
}

impl Transfer {
    /// Requests a file. With `restarts`, [`Piece::Anew`] may be returned.
    pub(super) async fn open(client: &Client, url: &Url, restarts: bool) -> Result<Self> {
        let answer = fetch(client, url, &[]).await?;
        Ok(Self {
            client: client.clone(),
            url: url.clone(),
            restarts,
            state: FileState::of(&answer),
            answer: Some(answer),
            received: 0,
            skip: 0,
            failures: 0,
            changes: 0,
            resumptions: 0,
        })
    }

    /// The URL of the file, after redirects.
    pub(super) fn url(&self) -> &Url {
        &self.state.url
    }

    /// The headers of the first response.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.state.headers
    }

    /// The size of the file, if the server tells it.
    pub(super) fn total(&self) -> Option<u64> {
        self.state.total
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn resumptions(&self) -> u32 {
        self.resumptions
    }

    /// Returns the next piece, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Piece>> {
        loop {
            let Some(answer) = &mut self.answer else {
                if self.resume().await? {
                    return Ok(Some(Piece::Anew));
                }
                continue;
            };
            match answer.chunk().await {
                Ok(Some(mut bytes)) => {
                    let known = self.skip.min(bytes.len() as u64);
                    self.skip -= known;
                    bytes.advance(usize::try_from(known).unwrap_or(bytes.len()));
                    if bytes.is_empty() {
                        continue;
                    }
                    self.received += bytes.len() as u64;
                    self.failures = 0;
                    if self.state.total.is_some_and(|total| self.received > total) {
                        return Err(Error::corrupt("the server sent more bytes than it announced").of_file(&self.url));
                    }
                    return Ok(Some(Piece::Bytes(bytes)));
                }
                // A body delimited by the end of the connection may break off like this.
                Ok(None) if self.state.total.is_some_and(|total| self.received < total) => {
                    self.failed(Error::transport("the body ended before its end"), true).await?;
                }
                Ok(None) => return Ok(None),
                Err(error) => {
                    let error = Error::from(error);
                    let transient = error.asks_again(Repeatable::of(&Method::GET, false));
                    self.failed(error, transient).await?;
                }
            }
        }
    }

    /// Waits if the transfer can be resumed, otherwise returns the error.
    async fn failed(&mut self, error: Error, transient: bool) -> Result<()> {
        self.answer = None;
        self.failures += 1;
        let resumable = self.state.validator.is_some() || self.restarts || self.received == 0;
        if self.failures >= MAX_FAILURES || !resumable || !transient {
            return Err(error.of_file(&self.url));
        }
        pause(self.failures).await;
        Ok(())
    }

    /// Requests the rest. Returns whether the transfer starts over.
    async fn resume(&mut self) -> Result<bool> {
        self.resumptions += 1;
        let condition = self.state.validator.clone().filter(|_| self.received > 0);
        let Some(validator) = condition else {
            let answer = fetch(&self.client, &self.url, &[]).await?;
            return self.begin_anew(answer);
        };
        let range = HeaderValue::from_str(&format!("bytes={}-", self.received))?;
        let headers = [(RANGE, range), (IF_RANGE, validator.value.clone())];
        let answer = match fetch(&self.client, &self.url, &headers).await {
            Ok(answer) => answer,
            // The file has become shorter than what was received.
            Err(error) if error.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE) => {
                let answer = fetch(&self.client, &self.url, &[]).await?;
                return self.begin_anew(answer);
            }
            Err(error) => return Err(error),
        };
        if answer.status() == StatusCode::PARTIAL_CONTENT {
            let rest = ContentRange::of(answer.headers()).filter(|range| self.is_rest(range, &validator, &answer));
            if rest.is_some() {
                (self.answer, self.skip) = (Some(answer), 0);
                return Ok(false);
            }
            // Its permit is needed for the next request.
            drop(answer);
            let answer = fetch(&self.client, &self.url, &[]).await?;
            return self.begin_anew(answer);
        }
        // The server ignores ranges and sends the whole file: its beginning was received before.
        if validator.matches(answer.headers()) {
            (self.answer, self.skip) = (Some(answer), self.received);
            return Ok(false);
        }
        self.begin_anew(answer)
    }

    /// Returns whether a response is the rest of the same file.
    fn is_rest(&self, range: &ContentRange, validator: &Validator, answer: &Response) -> bool {
        let total = match (range.total, self.state.total) {
            (Some(now), Some(before)) => now == before,
            _ => true,
        };
        range.first == self.received && total && !validator.contradicts(answer.headers())
    }

    fn begin_anew(&mut self, answer: Response) -> Result<bool> {
        let anew = self.received > 0;
        if anew {
            self.changes += 1;
            if !self.restarts || self.changes > MAX_CHANGES {
                return Err(Error::corrupt("the file changed while it was read").of_file(&self.url));
            }
        }
        self.state = FileState::of(&answer);
        (self.answer, self.received, self.skip) = (Some(answer), 0, 0);
        Ok(anew)
    }
}
