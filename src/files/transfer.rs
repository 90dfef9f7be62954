//! Transfers of a file, over as many responses as needed.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode, Url};

use super::checksum::Digester;
use super::coding::{self, Decoder};
use super::content::{Content, EXAMINED, Examined};
use super::expected::{Coded, Expected};
use super::fetch::fetch;
use super::range::{ContentRange, Validator};
use crate::transport::{Redirect, Redirects, Repeatable};
use crate::{Client, Error, Result};

/// How many times in a row a body may break off without any new byte.
pub(super) const MAX_FAILURES: u32 = 5;

/// How many times a transfer may start over.
const MAX_RESTARTS: u32 = 3;

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
    response: Option<Response>,
    decoder: Option<Decoder>,
    /// Bytes of the response that are not decoded yet.
    undecoded: Bytes,
    /// The size and the checksum of the coded bytes.
    coded: (u64, Option<Digester>),
    state: FileState,
    expected: Expected,
    content: Content,
    /// The first bytes, until so many are there that the content can be examined.
    buffered: Option<BytesMut>,
    /// The number of bytes received, after the content coding was undone.
    received: u64,
    /// How many bytes of this response were received with an earlier one.
    skip: u64,
    failures: u32,
    restarted: u32,
    resumptions: u32,
}

/// Why a transfer starts over.
enum Restart {
    /// The file is another one than before.
    Changed,
    /// Nothing identifies the rest as that of the same file.
    NoValidator,
}

fn digester(expected: &Expected) -> Option<Digester> {
    expected.checksum.as_ref().map(|checksum| Digester::new(checksum.algorithm()))
}

/// The properties of the file in the headers of a response.
struct FileState {
    url: Url,
    /// What led to it.
    redirects: Vec<Redirect>,
    status: StatusCode,
    headers: HeaderMap,
    /// The content coding that is undone.
    coding: Option<String>,
    /// The announced length, if it is that of the file.
    total: Option<u64>,
    validator: Option<Validator>,
}

impl FileState {
    fn of(response: &Response, content: Content) -> Self {
        let headers = response.headers().clone();
        let coding = coding::to_undo(&headers, response.url(), content);
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.trim().parse().ok());
        // Length and entity tag of an encoded form do not apply to the file itself.
        let (total, validator) = if coding.is_some() { (None, None) } else { (length, Validator::of(&headers)) };
        let redirects = response.extensions().get::<Redirects>().map(|redirects| redirects.0.clone());
        Self {
            url: response.url().clone(),
            redirects: redirects.unwrap_or_default(),
            status: response.status(),
            headers,
            coding,
            total,
            validator,
        }
    }
}

impl Transfer {
    /// Requests a file. With `restarts`, [`Piece::Anew`] may be returned. The headers are not sent again when the transfer is
    /// resumed.
    pub(super) async fn open(
        client: &Client,
        url: &Url,
        restarts: bool,
        content: Content,
        expected: Expected,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<Self> {
        let response = fetch(client, url, headers).await?;
        let state = FileState::of(&response, content);
        Ok(Self {
            client: client.clone(),
            url: url.clone(),
            restarts,
            decoder: state.coding.as_deref().map(Decoder::of).transpose().map_err(|error| error.of_file(url))?,
            undecoded: Bytes::new(),
            coded: (0, digester(&expected)),
            state,
            expected,
            response: Some(response),
            content,
            buffered: Some(BytesMut::new()),
            received: 0,
            skip: 0,
            failures: 0,
            restarted: 0,
            resumptions: 0,
        })
    }

    /// The URL of the file, after redirects.
    pub(super) fn url(&self) -> &Url {
        &self.state.url
    }

    /// The redirects that led to it.
    pub(super) fn redirects(&self) -> &[Redirect] {
        &self.state.redirects
    }

    /// The headers of the first response.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.state.headers
    }

    /// The size of the file, if the server sends it.
    pub(super) fn total(&self) -> Option<u64> {
        self.state.total
    }

    /// The content coding that is undone.
    pub(super) fn coding(&self) -> Option<&str> {
        self.state.coding.as_deref()
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// What the file is in the content coding in which it was sent, if that is undone.
    pub(super) fn coded(&mut self) -> Option<Coded> {
        self.state.coding.as_ref()?;
        Some(Coded { size: self.coded.0, checksum: self.coded.1.take().map(Digester::finish) })
    }

    pub(super) fn resumptions(&self) -> u32 {
        self.resumptions
    }

    /// Returns the next piece, or `None` at the end. Nothing is returned before the first bytes were examined.
    pub(super) async fn next(&mut self) -> Result<Option<Piece>> {
        let Some(mut buffered) = self.buffered.take() else {
            let piece = self.receive().await?;
            if matches!(piece, Some(Piece::Anew)) {
                self.buffered = Some(BytesMut::new());
            }
            return Ok(piece);
        };
        let complete = loop {
            match self.receive().await? {
                Some(Piece::Bytes(bytes)) => buffered.extend_from_slice(&bytes),
                // None of the bytes that are void were returned.
                Some(Piece::Anew) => buffered.clear(),
                None => break true,
            }
            if buffered.len() >= EXAMINED {
                break false;
            }
        };
        let first = buffered.get(..EXAMINED).unwrap_or(&buffered);
        let FileState { url, status, headers, .. } = &self.state;
        let examined = Examined { requested: &self.url, url, status: *status, headers };
        self.content.examine(first, complete, examined)?;
        Ok((!buffered.is_empty()).then(|| Piece::Bytes(buffered.freeze())))
    }

    async fn receive(&mut self) -> Result<Option<Piece>> {
        loop {
            let Some(response) = &mut self.response else {
                if self.resume().await? {
                    return Ok(Some(Piece::Anew));
                }
                continue;
            };
            let has_more = !self.undecoded.is_empty() || self.decoder.as_ref().is_some_and(Decoder::has_more);
            let chunk = if has_more { Ok(Some(std::mem::take(&mut self.undecoded))) } else { response.chunk().await };
            match chunk {
                Ok(Some(mut bytes)) => {
                    if let Some(decoder) = &mut self.decoder {
                        let mut coded = bytes.clone();
                        let decoded = decoder.decode(&mut coded).map_err(|error| error.of_file(&self.url))?;
                        bytes.truncate(bytes.len() - coded.len());
                        self.coded.0 += bytes.len() as u64;
                        if let Some(digester) = &mut self.coded.1 {
                            digester.update(&bytes);
                        }
                        (bytes, self.undecoded) = (decoded, coded);
                        if matches!(decoder, Decoder::Plain) {
                            self.state.coding = None;
                        }
                    }
                    let known = self.skip.min(bytes.len() as u64);
                    self.skip -= known;
                    bytes.advance(usize::try_from(known).unwrap_or(bytes.len()));
                    if bytes.is_empty() {
                        continue;
                    }
                    self.received += bytes.len() as u64;
                    self.failures = 0;
                    if let Some(total) = self.state.total.filter(|total| self.received > *total) {
                        let message = format!("the server sent more than the {total} bytes that it announced");
                        return Err(Error::corrupt(message).of_file(&self.url));
                    }
                    return Ok(Some(Piece::Bytes(bytes)));
                }
                // A body delimited by the end of the connection may break off like this.
                Ok(None) if self.state.total.is_some_and(|total| self.received < total) => {
                    self.failed(self.cut(), true).await?;
                }
                Ok(None) => match self.decoder.take() {
                    None => return Ok(None),
                    Some(decoder) => match decoder.finish() {
                        Ok(bytes) if bytes.is_empty() => {}
                        Ok(bytes) => {
                            self.received += bytes.len() as u64;
                            return Ok(Some(Piece::Bytes(bytes)));
                        }
                        Err(error) => self.failed(error, true).await?,
                    },
                },
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
        (self.response, self.decoder, self.undecoded) = (None, None, Bytes::new());
        self.failures += 1;
        // A file of another size than the declared one is refused anyway.
        let is_other = self.state.total.zip(self.expected.size).is_some_and(|(total, declared)| total != declared);
        let resumable = !is_other && (self.state.validator.is_some() || self.restarts || self.received == 0);
        if self.failures >= MAX_FAILURES || !resumable || !transient {
            return Err(error.of_file(&self.url));
        }
        pause(self.failures).await;
        Ok(())
    }

    /// Requests the rest. Returns whether the transfer starts over.
    async fn resume(&mut self) -> Result<bool> {
        self.resumptions += 1;
        let Some(validator) = self.state.validator.clone().filter(|_| self.received > 0) else {
            return self.start_over(Restart::NoValidator).await;
        };
        let range = HeaderValue::from_str(&format!("bytes={}-", self.received))?;
        let headers = [(RANGE, range), (IF_RANGE, validator.value.clone())];
        let response = match fetch(&self.client, &self.url, &headers).await {
            Ok(response) => response,
            // The file has become shorter than what was received.
            Err(error) if error.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE) => {
                return self.start_over(Restart::Changed).await;
            }
            Err(error) => return Err(error),
        };
        if response.status() == StatusCode::PARTIAL_CONTENT {
            let rest = ContentRange::of(response.headers()).filter(|range| self.is_rest(range, &validator, &response));
            if rest.is_some() {
                (self.response, self.skip) = (Some(response), 0);
                return Ok(false);
            }
            // Its permit is needed for the next request.
            drop(response);
            return self.start_over(Restart::Changed).await;
        }
        self.begin_anew(response, Restart::Changed)
    }

    async fn start_over(&mut self, reason: Restart) -> Result<bool> {
        let response = fetch(&self.client, &self.url, &[]).await?;
        self.begin_anew(response, reason)
    }

    /// Returns whether a response is the rest of the same file.
    fn is_rest(&self, range: &ContentRange, validator: &Validator, response: &Response) -> bool {
        let total = match (range.total, self.state.total) {
            (Some(now), Some(before)) => now == before,
            _ => true,
        };
        let is_coded = coding::to_undo(response.headers(), response.url(), self.content).is_some();
        range.first == self.received && total && !is_coded && !validator.contradicts(response.headers())
    }

    fn begin_anew(&mut self, response: Response, reason: Restart) -> Result<bool> {
        let anew = self.received > 0;
        let state = FileState::of(&response, self.content);
        let is_same = self.state.validator.as_ref().is_some_and(|validator| validator.matches(response.headers()));
        if anew && is_same && state.coding.is_none() {
            // The server supports no ranges, or not this one: the beginning was received before.
            (self.response, self.skip) = (Some(response), self.received);
            return Ok(false);
        }
        if anew {
            self.restarted += 1;
            if !self.restarts || self.restarted > MAX_RESTARTS {
                let error = match reason {
                    Restart::Changed => Error::file_changed(),
                    Restart::NoValidator => self.cut(),
                };
                return Err(error.of_file(&self.url));
            }
        }
        self.state = state;
        self.coded = (0, digester(&self.expected));
        self.decoder =
            self.state.coding.as_deref().map(Decoder::of).transpose().map_err(|error| error.of_file(&self.url))?;
        (self.response, self.received, self.skip) = (Some(response), 0, 0);
        Ok(anew)
    }

    /// The error of a body that ended too early.
    fn cut(&self) -> Error {
        let of = self.state.total.map(|total| format!(" of {total}")).unwrap_or_default();
        let resumable = if self.state.validator.is_some() {
            ""
        } else {
            ", and cannot be resumed: the server sends no entity tag or modification date that identifies the file"
        };
        Error::transport(format!("the body broke off after {}{of} bytes{resumable}", self.received))
    }
}
