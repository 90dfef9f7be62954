//! Uploads: in one request, or in parts that a last request combines.

mod check;
mod measure;
mod parts;
mod target;
mod twin;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use self::check::UnpublishedFile;
pub use self::target::UploadedFile;

use self::check::Check;
use self::measure::Measure;
use self::target::{Fields, Target, again, made};
use self::twin::Twin;
use serde_json::Value;

use super::checksum::Checksum;
use super::progress::{Listener, Progress};
use crate::main::types::{CommunityResource, Resource};
use crate::objects::{CommunityResourceHandle, DatasetHandle, ResourceHandle};
use crate::{Client, Error, File, Result};

/// The size above which a file is sent in parts.
const PARTS_ABOVE: u64 = 16 << 20;

const PART_SIZE: u64 = 4 << 20;

/// The server names stored files by the second and the file name, and fails if that name exists already.
const SAME_NAME_PAUSE: Duration = Duration::from_millis(1100);

/// The longest `Retry-After` that is waited for; a longer one is returned as the error.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// Returns whether the server's `Retry-After` is longer than allowed.
fn exceeds_longest_wait(error: &Error) -> bool {
    error.retry_after().is_some_and(|delay| delay > LONGEST_RETRY_AFTER)
}

/// An upload of a file to the platform; made by [`DatasetHandle::upload`] and [`ResourceHandle::upload`].
///
/// Small files are sent in one request. Large files are sent in parts, several concurrently, and a part that fails is sent
/// again. The server keeps the parts under an identifier ([`uuid`](Self::uuid)) until a last request combines them; a failed
/// upload can be resumed with it ([`resume`](Self::resume)). At the end, the size and checksum that the server reports are
/// compared with what was sent.
///
/// The server takes a file name of a dataset once within a second, and fails with an internal error (500) the second time. If
/// the resources of the dataset show that this was the reason, the upload is repeated a second later.
///
/// The file name needs an extension that the server allows (`allowed_extensions`); it becomes the title of the resource.
#[must_use = "an upload does nothing until it is sent"]
pub struct Upload<T> {
    client: Client,
    target: Result<Target, ResourceHandle>,
    file: File,
    uuid: String,
    resumes: bool,
    parts_above: u64,
    part_size: u64,
    concurrency: usize,
    attempts: u32,
    patience: Duration,
    listener: Listener,
    check: Option<Check>,
    response: PhantomData<fn() -> T>,
}

impl DatasetHandle {
    /// Uploads a file as a new resource of the dataset (`upload_new_dataset_resource`).
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::File;
    ///
    /// let file = File::from_path("communes.csv").await.expect("a file");
    /// let upload = client.dataset("a-slug-or-id").upload(file).progress(|now| eprintln!("{now}"));
    /// let made = upload.send().await?;
    /// println!("{} {}", made.id, made.url);
    /// # Ok(())
    /// # }
    /// ```
    pub fn upload(&self, file: impl Into<File>) -> Upload<Resource> {
        Upload::new(&self.client, Ok(Target::New { dataset: self.id.clone() }), file.into())
    }

    /// Uploads a file as a new community resource (`upload_new_community_resource`): it belongs to you, the dataset may belong
    /// to anyone.
    pub fn upload_community(&self, file: impl Into<File>) -> Upload<CommunityResource> {
        Upload::new(&self.client, Ok(Target::NewCommunity { dataset: self.id.clone() }), file.into())
    }
}

impl ResourceHandle {
    /// Replaces the file of the resource (`upload_dataset_resource`).
    pub fn upload(&self, file: impl Into<File>) -> Upload<Resource> {
        let target = match &self.dataset {
            Some(dataset) => Ok(Target::Resource { dataset: dataset.clone(), id: self.id.clone() }),
            None => Err(self.clone()),
        };
        Upload::new(&self.client, target, file.into())
    }
}

impl CommunityResourceHandle {
    /// Replaces the file of the community resource (`upload_community_resource`).
    pub fn upload(&self, file: impl Into<File>) -> Upload<CommunityResource> {
        Upload::new(&self.client, Ok(Target::Community { id: self.id.clone() }), file.into())
    }
}

impl<T> Upload<T> {
    fn new(client: &Client, target: Result<Target, ResourceHandle>, file: File) -> Self {
        Self {
            client: client.clone(),
            target,
            file,
            uuid: random_uuid(),
            resumes: false,
            parts_above: PARTS_ABOVE,
            part_size: PART_SIZE,
            concurrency: 3,
            attempts: 4,
            patience: Duration::from_secs(60),
            listener: Listener::default(),
            check: None,
            response: PhantomData,
        }
    }

    /// Sets a closure that receives the progress: the bytes sent, or those of the parts that the server has. It should be
    /// quick.
    pub fn progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.listener = Listener::new(listener);
        self
    }

    /// Sets the size above which a file is sent in parts, in bytes. Default: 16 MiB.
    pub fn parts_above(mut self, bytes: u64) -> Self {
        self.parts_above = bytes;
        self
    }

    /// Sets the size of a part, in bytes. Default: 4 MiB. Parts in flight are kept in memory.
    pub fn part_size(mut self, bytes: u64) -> Self {
        self.part_size = bytes.max(1);
        self
    }

    /// Sets how many parts are sent concurrently. Default: 3.
    pub fn concurrency(mut self, parts: usize) -> Self {
        self.concurrency = parts.max(1);
        self
    }

    /// Sets how often a part is sent at most, or a file whose name was taken within the second, the first time included.
    /// Default: 4.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets how long to look for the resource if the response to the last request is lost, since the server may still be
    /// combining the parts. Default: one minute.
    pub fn patience(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// Returns the identifier under which the server keeps the parts.
    #[must_use]
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Resumes an upload in parts by its [`uuid`](Self::uuid). Parts that the server has already are recognised. The file and
    /// the size of the parts must be the same.
    pub fn resume(mut self, uuid: impl Into<String>) -> Self {
        self.uuid = uuid.into();
        self.resumes = true;
        self
    }
}

impl<T: UploadedFile> Upload<T> {
    /// Uploads the file and returns the resource as the server created it.
    ///
    /// # Errors
    ///
    /// Returns an error if the [check](Self::check) fails, if the server refuses the file, if no response arrives, if the file
    /// cannot be read or has another length than announced, or if size or checksum on the server differ from what was sent
    /// ([`Error::is_corrupt`]).
    pub async fn send(mut self) -> Result<T> {
        let target = match &self.target {
            Ok(target) => target.clone(),
            Err(resource) => Target::Resource { dataset: resource.dataset().await?.id, id: resource.id.clone() },
        };
        if let Some(check) = self.check.take() {
            check::run(check, &self.client, &target, &self.file).await?;
        }
        let sending = Sending { target, upload: self };
        let (length, parts_above) = (sending.upload.file.len(), sending.upload.parts_above);
        sending.upload.listener.report(0, Some(length));
        // The server takes an upload of one part for a whole file.
        if length > parts_above && sending.total_parts() > 1 {
            Arc::new(sending).in_parts().await
        } else {
            sending.whole().await
        }
    }
}

impl<T> fmt::Debug for Upload<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("file", &self.file)
            .field("target", &self.target)
            .field("uuid", &self.uuid)
            .finish_non_exhaustive()
    }
}

/// An upload whose dataset is known.
struct Sending<T> {
    target: Target,
    upload: Upload<T>,
}

impl<T: UploadedFile> Sending<T> {
    async fn whole(&self) -> Result<T> {
        let measure = Measure::default();
        let mut attempt = 1;
        let response = loop {
            let begun = Instant::now();
            let error = match self.once(&measure).await {
                Ok(response) => break response,
                Err(error) if self.may_be_repeated(&error, attempt) => error,
                Err(error) => return Err(error),
            };
            let (checksum, elapsed) = (measure.checksum(), begun.elapsed());
            // Several that found their name taken at once must not all come again at once.
            let pause = SAME_NAME_PAUSE + Duration::from_secs(1).mul_f64(fastrand::f64() * f64::from(attempt));
            sleep(error.retry_after().unwrap_or_default().max(pause)).await;
            // Replacing a file twice is harmless. A new resource is created twice, unless it is sure that it was not.
            if !self.target.replaces() {
                match self.not_created(&error, elapsed, &checksum).await {
                    Ok(()) => {}
                    Err(Some(reason)) => return Err(error.in_detail(reason)),
                    Err(None) => return Err(error),
                }
            }
            attempt += 1;
        };
        made(response, self.upload.file.len(), &measure.checksum())
    }

    async fn once(&self, measure: &Measure) -> Result<Value> {
        let file = measure.measured(&self.upload.file, self.upload.listener.clone())?;
        Ok(self.target.call(&self.upload.client, Fields::Whole(file)).send().await?.into_inner())
    }

    /// Returns whether the file can be sent again, and its failure may be one that does not happen again.
    fn may_be_repeated(&self, error: &Error, attempt: u32) -> bool {
        let (attempts, is_transient) = if self.target.replaces() {
            (2, twin::is_internal(error) || error.asks_again(again()))
        } else {
            (self.upload.attempts, twin::is_internal(error))
        };
        attempt < attempts && is_transient && !exceeds_longest_wait(error) && !self.upload.file.is_read_once()
    }

    /// Fails, with a reason if one is known, unless the upload failed because of a file of the same name.
    async fn not_created(&self, error: &Error, elapsed: Duration, checksum: &Checksum) -> Result<(), Option<&str>> {
        let there = self.target.there(&self.upload.client).await.map_err(|_| None)?;
        let (name, size) = (self.upload.file.name(), self.upload.file.len());
        match twin::find(&there, error, elapsed, name, size, checksum) {
            Some(Twin::Other) => Ok(()),
            Some(Twin::Same) => Err(Some(
                "though a file of this name and content was stored in the same second, perhaps by this upload: it was not \
                 sent again",
            )),
            None => Err(None),
        }
    }
}

/// Returns a random UUID (version 4).
fn random_uuid() -> String {
    let bits = (fastrand::u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let digits = format!("{bits:032x}");
    let parts: Vec<&str> =
        [0..8, 8..12, 12..16, 16..20, 20..32].into_iter().filter_map(|part| digits.get(part)).collect();
    parts.join("-")
}

fn refused(reason: Option<&str>) -> Error {
    Error::unreadable(format!("the server refused the file: {}", reason.unwrap_or("it gives no reason")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_of_version_4_and_distinct() {
        let (uuid, other) = (random_uuid(), random_uuid());
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(uuid.as_bytes()[14], b'4', "{uuid}");
        assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
        assert_ne!(uuid, other);
    }
}
