//! Uploads in parts. The server keeps each part under the identifier of the upload; a last request, without
//! a part, puts them together and throws them away.
//!
//! What it does not do shapes what is done here: a part that comes again is an internal error (500), and so is
//! a last request after one that was heard.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::StatusCode;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::super::checksum::Checksum;
use super::measure::Measure;
use super::target::{Fields, PartsOf, UploadedFile, again, has_file, id_of, made, resource, taken};
use super::{SAME_NAME_PAUSE, Sending, exceeds_longest_wait};
use crate::transport::file::Reader;
use crate::{Error, File, Result};

/// The delay before a part is sent again, doubled each time, and its maximum.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// The most bytes of a file that are read at once.
const MOST_READ_AT_ONCE: usize = 4 << 20;

/// The parts of a file, in order.
struct Cut {
    reader: Reader,
    left: Bytes,
    size: usize,
    index: u64,
    measure: Measure,
}

impl Cut {
    /// Returns the next part and its index.
    async fn part(&mut self) -> Result<Option<(u64, Bytes)>> {
        let part = self.read().await?;
        if part.is_empty() {
            return Ok(None);
        }
        // On another thread, while other parts are sent.
        let (measure, bytes) = (self.measure.clone(), part.clone());
        let hashed = spawn_blocking(move || measure.update(&bytes)).await;
        hashed.map_err(|error| Error::request("the file cannot be hashed").with_source(error))?;
        self.index += 1;
        Ok(Some((self.index - 1, part)))
    }

    /// Reads the bytes of the next part; none are left at the end of the file.
    async fn read(&mut self) -> Result<Bytes> {
        let mut part = BytesMut::new();
        while part.len() < self.size {
            if self.left.is_empty() {
                let read = self.reader.try_next().await;
                match read.map_err(|error| Error::request("the file cannot be read").with_source(error))? {
                    Some(bytes) => self.left = bytes,
                    None => break,
                }
            }
            let taken = self.left.len().min(self.size - part.len());
            if taken == self.size {
                return Ok(self.left.split_to(taken));
            }
            part.extend_from_slice(&self.left[..taken]);
            self.left.advance(taken);
        }
        Ok(part.freeze())
    }
}

impl<T: UploadedFile> Sending<T> {
    pub(super) fn total_parts(&self) -> u64 {
        self.upload.file.len().div_ceil(self.upload.part_size)
    }

    fn parts_of(&self) -> PartsOf {
        PartsOf { uuid: self.upload.uuid.clone(), name: self.upload.file.name().to_owned(), total: self.total_parts() }
    }

    pub(super) async fn in_parts(self: Arc<Self>) -> Result<T> {
        let before = self.before().await?;
        let measure = Measure::default();
        let size = usize::try_from(self.upload.part_size).unwrap_or(usize::MAX);
        let mut cut = Cut {
            reader: self.upload.file.stream_by(size.min(MOST_READ_AT_ONCE))?,
            left: Bytes::new(),
            size,
            index: 0,
            measure: measure.clone(),
        };
        // The first part is sent alone: it makes the server create the folder of the parts, which two requests at once might
        // both try to do.
        let Some((index, part)) = cut.part().await? else { return self.whole().await };
        let mut sent = self.part(index, part).await?;
        self.upload.listener.report(sent, Some(self.upload.file.len()));

        // Each part owns its data, so that the upload can be spawned.
        let parts = stream::try_unfold((cut, Arc::clone(&self)), |(mut cut, sending)| async move {
            let next = cut.part().await?.map(|(index, part)| {
                let sent = Arc::clone(&sending);
                (async move { sent.part(index, part).await }.boxed(), (cut, sending))
            });
            Ok::<_, Error>(next)
        });
        let mut parts = parts.boxed().try_buffer_unordered(self.upload.concurrency);
        while let Some(length) = parts.try_next().await? {
            sent += length;
            self.upload.listener.report(sent, Some(self.upload.file.len()));
        }
        self.put_together(&measure.checksum(), &before).await
    }

    /// Returns the ids of the existing resources, to distinguish them from the one that the upload creates.
    async fn before(&self) -> Result<HashSet<String>> {
        if self.target.replaces() {
            return Ok(HashSet::new());
        }
        let there = self.target.there(&self.upload.client).await?;
        Ok(there.iter().filter_map(id_of).map(str::to_owned).collect())
    }

    /// Sends a part until the server has it, and returns its length.
    async fn part(&self, index: u64, part: Bytes) -> Result<u64> {
        // Whether the server may have stored the part already.
        let mut may_be_there = self.upload.resumes;
        let mut attempt = 1;
        loop {
            let fields = Fields::Part { file: File::from_bytes("blob", part.clone()), index, upload: self.parts_of() };
            let error = match self.target.call(&self.upload.client, fields).send().await {
                Ok(response) => {
                    taken(&response)?;
                    break;
                }
                Err(error) => error,
            };
            let broken = error.status() == Some(StatusCode::INTERNAL_SERVER_ERROR);
            if broken && may_be_there {
                break;
            }
            let repeats = error.asks_again(again()) || broken && attempt == 1;
            if attempt >= self.upload.attempts || !repeats || exceeds_longest_wait(&error) {
                return Err(error);
            }
            // In these two cases the server has certainly not stored the part: an explicit refusal, and an internal error,
            // after which a refusal of the next attempt would otherwise be taken for a success.
            may_be_there |= error.status() != Some(StatusCode::TOO_MANY_REQUESTS) && !broken;
            let limit = PAUSE.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(LONGEST_PAUSE);
            sleep(error.retry_after().unwrap_or_else(|| limit.mul_f64(fastrand::f64()))).await;
            attempt += 1;
        }
        Ok(part.len() as u64)
    }

    /// Sends the last request, and looks for the created resource if its response is lost.
    async fn put_together(&self, checksum: &Checksum, before: &HashSet<String>) -> Result<T> {
        let last = || self.target.call(&self.upload.client, Fields::Last(self.parts_of())).send();
        let error = match last().await {
            Ok(response) => return made(response.into_inner(), self.upload.file.len(), checksum),
            Err(error) => error,
        };
        let broken = error.status() == Some(StatusCode::INTERNAL_SERVER_ERROR);
        let refused = error.status() == Some(StatusCode::TOO_MANY_REQUESTS);
        if exceeds_longest_wait(&error) || !broken && !error.asks_again(again()) {
            return Err(error);
        }
        // If the response was lost, the server may still be combining the parts.
        let patience = if broken || refused { Duration::ZERO } else { self.upload.patience };
        sleep(error.retry_after().unwrap_or_default().max(SAME_NAME_PAUSE)).await;
        if let Some(made) = self.look_out(patience, checksum, before).await? {
            return Ok(made);
        }
        match last().await {
            Ok(response) => made(response.into_inner(), self.upload.file.len(), checksum),
            Err(error) => self.look_out(Duration::ZERO, checksum, before).await?.ok_or(error),
        }
    }

    /// Looks for the created resource, at least once and until the time limit.
    async fn look_out(&self, limit: Duration, checksum: &Checksum, before: &HashSet<String>) -> Result<Option<T>> {
        let (begun, mut pause) = (Instant::now(), Duration::from_secs(1));
        loop {
            let found = self.target.there(&self.upload.client).await?.into_iter().find(|there| {
                let is_new = id_of(there).is_some_and(|id| !before.contains(id));
                is_new && has_file(there, self.upload.file.len(), checksum)
            });
            if let Some(found) = found {
                return resource(found).map(Some);
            }
            if begun.elapsed() + pause > limit {
                return Ok(None);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
