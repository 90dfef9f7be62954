//! Files, saved.

use std::fmt;
use std::io;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

use super::checksum::Checksum;
use super::name;
use super::partial::Partial;
use super::progress::{Listener, Progress};
use super::remote::{Expected, FileHandle, RemoteFile};
use super::transfer::{Piece, Transfer};
use crate::{Error, Result};

/// A file to be saved.
///
/// It is written beside its target under a name of its own and moved there when it is complete and found to
/// be what was declared; dropped before that, it leaves nothing behind. A body that breaks off is resumed
/// where the server allows it and the file is still the same, and begun anew otherwise. The API key is not
/// sent.
#[derive(Clone, Debug)]
#[must_use = "a download does nothing until it is sent"]
pub struct Download {
    file: FileHandle,
    path: PathBuf,
    verify: bool,
    listener: Listener,
    claim: Claim,
}

/// A file that was saved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Downloaded {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its checksum, where one was declared and found right.
    pub checksum: Option<Checksum>,
    /// Where it came from, after all redirects.
    pub url: String,
    /// How often it was taken up again after it broke off.
    pub resumptions: u32,
}

type Claiming = dyn Fn(&str) -> bool + Send + Sync;

/// Says whether a name of a folder may be had.
#[derive(Clone, Default)]
pub(super) struct Claim(Option<Arc<Claiming>>);

impl Claim {
    pub(super) fn new(claim: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(claim)))
    }

    fn grants(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|claim| claim(name))
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim")
    }
}

impl Download {
    pub(super) fn new(file: FileHandle, path: PathBuf) -> Self {
        Self { file, path, verify: true, listener: Listener::default(), claim: Claim::default() }
    }

    /// Tells how far it is, each time that bytes have come.
    pub fn progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.listener = Listener::new(listener);
        self
    }

    /// Whether the declared size and checksum are compared; they are otherwise. What is declared of files
    /// elsewhere is sometimes out of date.
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    pub(super) fn claim(mut self, claim: Claim) -> Self {
        self.claim = claim;
        self
    }

    /// Saves it. In a folder (one that exists, or a path that ends with a separator) it gets the name that
    /// the server gives it (`Content-Disposition`), else the one in its URL, else the id of the resource with
    /// its format. What was there is replaced.
    ///
    /// # Errors
    ///
    /// Where there is no such file, no answer comes, the file breaks off and cannot be had anew, it is not
    /// what was declared ([`Error::is_corrupt`]), or it cannot be written ([`Error::is_local`]).
    pub async fn send(self) -> Result<Downloaded> {
        let file = self.file.resolve().await?;
        let mut transfer = file.open(self.file.client(), true).await?;
        let expected = if self.verify { file.expected().clone() } else { Expected::default() };
        refuse_another_size(&transfer, &expected)?;

        let target = self.target(&file, &transfer).await?;
        let local = |error: io::Error| Error::local(&target, error);
        let mut partial = Partial::create(target.clone(), expected.clone()).map_err(local)?;
        self.listener.tell(0, transfer.total());
        while let Some(piece) = transfer.next().await? {
            if matches!(piece, Piece::Anew) {
                refuse_another_size(&transfer, &expected)?;
            }
            partial.take(piece).await.map_err(local)?;
            self.listener.tell(transfer.received(), transfer.total());
        }
        let (complete, check) = partial.complete().await.map_err(local)?;
        let checksum = check.finish(transfer.received()).map_err(|error| error.of_file(transfer.url()))?;
        let path = complete.finish().await.map_err(local)?;
        let url = transfer.url().to_string();
        Ok(Downloaded { path, size: transfer.received(), checksum, url, resumptions: transfer.resumptions() })
    }

    async fn target(&self, file: &RemoteFile, transfer: &Transfer) -> Result<PathBuf> {
        let folder = &self.path;
        let local = |error: io::Error| Error::local(folder, error);
        if folder.as_os_str().to_string_lossy().ends_with(['/', MAIN_SEPARATOR]) {
            tokio::fs::create_dir_all(folder).await.map_err(local)?;
        } else if !tokio::fs::metadata(folder).await.is_ok_and(|metadata| metadata.is_dir()) {
            return Ok(folder.clone());
        }
        let fallback = || name::safe(file.fallback_name()).unwrap_or_else(|| "download".to_owned());
        let name =
            name::of_answer(transfer.headers()).or_else(|| name::of_url(transfer.url())).unwrap_or_else(fallback);
        if self.claim.grants(&name) {
            return Ok(folder.join(name));
        }
        // Two files of one name: the id tells them apart.
        let (stem, extension) = split(&name);
        let id = fallback();
        Ok(folder.join(format!("{stem}-{}{extension}", split(&id).0)))
    }
}

/// A file of another size than declared is not worth its bytes.
fn refuse_another_size(transfer: &Transfer, expected: &Expected) -> Result<()> {
    match (transfer.total(), expected.size) {
        (Some(total), Some(declared)) if total != declared => {
            let message = format!("the file has {total} bytes where {declared} are declared");
            Err(Error::corrupt(message).of_file(transfer.url()))
        }
        _ => Ok(()),
    }
}

/// The name before its extension, and the extension with its dot.
fn split(name: &str) -> (&str, &str) {
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or(name);
    (stem, &name[stem.len()..])
}
