//! Files sent to the platform: whole, or in parts that a last request puts together.

mod measure;
mod parts;
mod target;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

pub use self::target::UploadedFile;

use self::measure::Measure;
use self::target::{Fields, Target, again, made};
use super::progress::{Listener, Progress};
use crate::main::types::{CommunityResource, Resource};
use crate::objects::{CommunityResourceHandle, DatasetHandle, ResourceHandle};
use crate::{Client, Error, File, Result};

/// Above this a file goes in parts.
const PARTS_ABOVE: u64 = 16 << 20;

const PART_SIZE: u64 = 4 << 20;

/// The server names what it stores by the second and the name of the file, and fails where it has such a
/// name already.
const SAME_NAME_PAUSE: Duration = Duration::from_millis(1100);

/// Who asks to wait longer than this is not waited for: the error tells how long.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// Whether the server asks for more patience than there is.
fn asks_too_much(error: &Error) -> bool {
    error.retry_after().is_some_and(|asked| asked > LONGEST_RETRY_AFTER)
}

/// A file to be sent.
///
/// Small files are sent whole, large ones in parts, several at once, each sent again alone where it fails.
/// The parts are kept by the server under an identifier ([`uuid`](Self::uuid)) until the last request puts
/// them together; an upload that failed can be taken up again with it ([`resume`](Self::resume)). In the end
/// the size and the checksum that the server tells are compared with what was sent.
///
/// The server needs an extension that it allows in the file's name, and makes the resource's title of it.
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
    answer: PhantomData<fn() -> T>,
}

impl DatasetHandle {
    /// Sends a file, of which a new resource is made (`upload_new_dataset_resource`).
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::File;
    ///
    /// let file = File::from_path("communes.csv").await.expect("a file");
    /// let made = client.dataset("a-slug-or-id").upload(file).progress(|now| eprintln!("{now}")).send().await?;
    /// println!("{} {}", made.id, made.url);
    /// # Ok(())
    /// # }
    /// ```
    pub fn upload(&self, file: impl Into<File>) -> Upload<Resource> {
        Upload::new(&self.client, Ok(Target::New { dataset: self.id.clone() }), file.into())
    }

    /// Sends a file, of which a new community resource is made (`upload_new_community_resource`): one that is
    /// yours, of a dataset that may be anyone's.
    pub fn upload_community(&self, file: impl Into<File>) -> Upload<CommunityResource> {
        Upload::new(&self.client, Ok(Target::NewCommunity { dataset: self.id.clone() }), file.into())
    }
}

impl ResourceHandle {
    /// Sends a file that takes the place of the resource's own (`upload_dataset_resource`).
    pub fn upload(&self, file: impl Into<File>) -> Upload<Resource> {
        let target = match &self.dataset {
            Some(dataset) => Ok(Target::Resource { dataset: dataset.clone(), id: self.id.clone() }),
            None => Err(self.clone()),
        };
        Upload::new(&self.client, target, file.into())
    }
}

impl CommunityResourceHandle {
    /// Sends a file that takes the place of the community resource's own (`upload_community_resource`).
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
            answer: PhantomData,
        }
    }

    /// Tells how far it is: bytes of a file that is sent whole, or of the parts that the server has.
    pub fn progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.listener = Listener::new(listener);
        self
    }

    /// Above how many bytes a file is sent in parts; 16 MiB otherwise.
    pub fn parts_above(mut self, bytes: u64) -> Self {
        self.parts_above = bytes;
        self
    }

    /// How many bytes a part has; 4 MiB otherwise. The parts that are on their way are in memory.
    pub fn part_size(mut self, bytes: u64) -> Self {
        self.part_size = bytes.max(1);
        self
    }

    /// How many parts are sent at once; three otherwise.
    pub fn concurrency(mut self, parts: usize) -> Self {
        self.concurrency = parts.max(1);
        self
    }

    /// How often a part is sent at most, the first time included; four times otherwise.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// How long to look out for the result where the answer to the last request got lost, since the server may
    /// still be putting the parts together; a minute otherwise.
    pub fn patience(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// The identifier under which the server keeps the parts.
    #[must_use]
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Takes an upload in parts up again, by its [`uuid`](Self::uuid): parts that the server has are recognised.
    /// The file and the size of the parts must be the same.
    pub fn resume(mut self, uuid: impl Into<String>) -> Self {
        self.uuid = uuid.into();
        self.resumes = true;
        self
    }
}

impl<T: UploadedFile> Upload<T> {
    /// Sends it. What is given back is the resource as the server has made it.
    ///
    /// # Errors
    ///
    /// Where the server refuses the file, no answer comes, the file cannot be read or has another length than
    /// announced, or what the server has is not what was sent ([`Error::is_corrupt`]).
    pub async fn send(self) -> Result<T> {
        let target = match &self.target {
            Ok(target) => target.clone(),
            Err(resource) => Target::Resource { dataset: resource.dataset().await?.id, id: resource.id.clone() },
        };
        let sending = Sending { target, asked: self };
        let (length, parts_above) = (sending.asked.file.len(), sending.asked.parts_above);
        sending.asked.listener.tell(0, Some(length));
        // The server takes what has one part for a whole file.
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

/// An upload whose target is known.
struct Sending<T> {
    target: Target,
    asked: Upload<T>,
}

impl<T: UploadedFile> Sending<T> {
    async fn whole(&self) -> Result<T> {
        let measure = Measure::default();
        let file = measure.measured(&self.asked.file, self.asked.listener.clone())?;
        let first = self.target.call(&self.asked.client, Fields::Whole(file)).send().await;
        let answer = match first {
            // The same file in the same place twice is as good as once, where it can be read twice.
            Err(error) if error.asks_again(again()) && self.target.replaces() && !asks_too_much(&error) => {
                let Ok(file) = measure.measured(&self.asked.file, self.asked.listener.clone()) else {
                    return Err(error);
                };
                sleep(error.retry_after().unwrap_or_default().max(SAME_NAME_PAUSE)).await;
                self.target.call(&self.asked.client, Fields::Whole(file)).send().await?
            }
            first => first?,
        };
        made(answer.into_inner(), self.asked.file.len(), &measure.checksum())
    }
}

/// A random UUID (version 4).
fn random_uuid() -> String {
    let bits = (fastrand::u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let digits = format!("{bits:032x}");
    let parts: Vec<&str> =
        [0..8, 8..12, 12..16, 16..20, 20..32].into_iter().filter_map(|part| digits.get(part)).collect();
    parts.join("-")
}

fn refused(reason: Option<&str>) -> Error {
    Error::unreadable(format!("the server did not take the file: {}", reason.unwrap_or("it does not say why")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_of_version_4_and_of_its_own() {
        let (uuid, other) = (random_uuid(), random_uuid());
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(uuid.as_bytes()[14], b'4', "{uuid}");
        assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
        assert_ne!(uuid, other);
    }
}
