//! Downloads to the file system.

use std::fmt;
use std::io;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

#[cfg(feature = "mirror")]
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LAST_MODIFIED};

use super::checksum::Checksum;
use super::expected::Expected;
use super::name;
use super::partial::Partial;
use super::progress::{Listener, Progress};
use super::remote::{FileHandle, RemoteFile};
use super::transfer::{Piece, Transfer};
#[cfg(feature = "mirror")]
use super::validators::Validators;
use crate::objects::ResourceHandle;
use crate::transport::Redirect;
use crate::{Error, Result};

/// A download to a path or a folder; made by [`ResourceHandle::download`](crate::objects::ResourceHandle::download) and
/// [`FileHandle::download`].
///
/// The file is written next to its target under a temporary name, and moved there when it is complete and matches its
/// declared size and checksum. If the download fails or is dropped, the temporary file is removed. A body that breaks off is
/// resumed if the server supports ranges and the file is unchanged; otherwise the download starts over. The API key is not
/// sent.
///
/// A content coding is not accepted, so that ranges, sizes and checksums are those of the file. If the server applies gzip or
/// deflate nevertheless, it is undone ([`Downloaded::content_coding`]); a compressed file (`a.csv.gz`) stays compressed. The
/// features `brotli` and `zstd` undo these codings too; without them they are an error that names the feature.
///
/// # Unexpected content
///
/// Firewalls, logins and services respond with status 200 and a page of their own. The first bytes are compared with the
/// format of the resource, else with its media type, and an HTML page, an error report of a service or nothing in the place of
/// data is an error ([`Error::is_unexpected_content`]); nothing is saved.
/// [The guide](crate::guide::downloading#what-is-refused) has the rules.
#[derive(Clone, Debug)]
#[must_use = "a download does nothing until it is sent"]
pub struct Download {
    file: FileHandle,
    path: PathBuf,
    verify: bool,
    sync: bool,
    accepts_any_content: bool,
    listener: Listener,
    filter: NameFilter,
}

/// A downloaded file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Downloaded {
    /// The path of the file.
    pub path: PathBuf,
    /// The size in bytes.
    pub size: u64,
    /// The verified checksum; `None` if none was declared.
    pub checksum: Option<Checksum>,
    /// The URL that it came from, after redirects.
    pub url: String,
    /// The URL that was requested; another one than [`url`](Self::url) if it was redirected.
    pub requested_url: String,
    /// The redirects that were followed, in their order; the last one leads to [`url`](Self::url).
    pub redirects: Vec<Redirect>,
    /// The `Content-Type` of the response.
    pub media_type: Option<String>,
    /// The content coding that the server applied though none was accepted, and that was undone.
    pub content_coding: Option<String>,
    /// The `ETag` of the response. It identifies the file, unless a content coding was undone.
    pub etag: Option<String>,
    /// The `Last-Modified` date of the response.
    pub last_modified: Option<String>,
    /// How often it was resumed after the body broke off.
    pub resumptions: u32,
}

type IsFree = dyn Fn(&str) -> bool + Send + Sync;

/// Decides whether a file name in a folder is free.
#[derive(Clone, Default)]
pub(super) struct NameFilter(Option<Arc<IsFree>>);

impl NameFilter {
    pub(super) fn new(filter: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(filter)))
    }

    fn allows(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|filter| filter(name))
    }
}

impl fmt::Debug for NameFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameFilter")
    }
}

impl FileHandle {
    /// Builds a download to a path or a folder.
    pub fn download(&self, path: impl Into<PathBuf>) -> Download {
        Download::new(self.clone(), path.into())
    }
}

impl ResourceHandle {
    /// Builds a download of the file of the resource to a path or a folder.
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// let resource = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf");
    /// let saved = resource.download("data/").progress(|now| eprintln!("{now}")).send().await?;
    /// println!("{}", saved.path.display());
    /// # Ok(())
    /// # }
    /// ```
    pub fn download(&self, path: impl Into<PathBuf>) -> Download {
        self.file().download(path)
    }
}

impl Download {
    pub(super) fn new(file: FileHandle, path: PathBuf) -> Self {
        let (listener, filter) = (Listener::default(), NameFilter::default());
        Self { file, path, verify: true, sync: false, accepts_any_content: false, listener, filter }
    }

    /// Sets a closure that receives the progress whenever bytes arrive. It should be quick.
    pub fn progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.listener = Listener::new(listener);
        self
    }

    /// Sets whether the declared size and checksum are verified. Default: `true`. The metadata of files on other servers is
    /// sometimes out of date.
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// Sets whether the bytes are on disk, beyond the caches of the operating system, when [`send`](Self::send) returns.
    /// Default: `false`, as in curl or wget: the file is complete whatever happens to the program, but may be cut short by a
    /// power failure within the next seconds. `true` waits for the disk.
    pub fn sync(mut self, sync: bool) -> Self {
        self.sync = sync;
        self
    }

    /// Accepts what does not begin as the declared format of the resource does; see [above](Self#unexpected-content).
    pub fn accept_any_content(mut self) -> Self {
        self.accepts_any_content = true;
        self
    }

    pub(super) fn filter(mut self, filter: NameFilter) -> Self {
        self.filter = filter;
        self
    }

    /// Downloads the file.
    ///
    /// If the path is an existing folder, or ends with a separator, the file is saved in that folder under the name that the
    /// server gives (`Content-Disposition`), else the name in the URL, else the id of the resource with its format. An
    /// existing file is replaced.
    ///
    /// # Errors
    ///
    /// Returns an error if the file does not exist, if no response arrives, if the body breaks off repeatedly, if the file
    /// does not match its declared size or checksum ([`Error::is_corrupt`]), or if it cannot be written
    /// ([`Error::is_local`]).
    pub async fn send(self) -> Result<Downloaded> {
        self.send_if(&[]).await
    }

    /// Downloads the file unless its validators show that it is unchanged.
    #[cfg(feature = "mirror")]
    pub(crate) async fn send_if_changed(self, since: &Validators) -> Result<Option<Downloaded>> {
        match self.send_if(&since.conditions()).await {
            Ok(downloaded) => Ok(Some(downloaded)),
            Err(error) if error.status() == Some(StatusCode::NOT_MODIFIED) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn send_if(self, conditions: &[(HeaderName, HeaderValue)]) -> Result<Downloaded> {
        let mut file = self.file.resolve().await?;
        if self.accepts_any_content {
            file.accept_any_content();
        }
        if !self.verify {
            file.expect_nothing();
        }
        let expected = file.expected().clone();
        let mut transfer = file.open_if(self.file.client(), true, conditions).await?;
        // The first bytes are examined before anything is written: what they are says more than how many.
        let first = transfer.next().await;
        if !first.as_ref().is_err_and(Error::is_unexpected_content) {
            refuse_another_size(&transfer, &expected)?;
        }
        let mut next = first?;

        let target = self.target(&file, &transfer).await?;
        let local = |error: io::Error| Error::local(&target, error);
        let mut partial = Partial::create(target.clone(), expected.clone(), self.sync).map_err(local)?;
        self.listener.report(0, transfer.total());
        while let Some(piece) = next {
            if matches!(piece, Piece::Anew) {
                refuse_another_size(&transfer, &expected)?;
            }
            partial.take(piece).await.map_err(local)?;
            self.listener.report(transfer.received(), transfer.total());
            next = transfer.next().await?;
        }
        let (complete, check) = partial.complete().await.map_err(local)?;
        let checksum =
            check.finish(transfer.received(), transfer.coded()).map_err(|error| error.of_file(transfer.url()))?;
        let path = complete.finish().await.map_err(local)?;
        let header = |name: HeaderName| Some(transfer.headers().get(name)?.to_str().ok()?.to_owned());
        Ok(Downloaded {
            path,
            size: transfer.received(),
            checksum,
            url: transfer.url().to_string(),
            requested_url: file.url().to_owned(),
            redirects: transfer.redirects().to_vec(),
            media_type: header(CONTENT_TYPE),
            content_coding: transfer.coding().map(str::to_owned),
            etag: header(ETAG),
            last_modified: header(LAST_MODIFIED),
            resumptions: transfer.resumptions(),
        })
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
            name::of_response(transfer.headers()).or_else(|| name::of_url(transfer.url())).unwrap_or_else(fallback);
        if self.filter.allows(&name) {
            return Ok(folder.join(name));
        }
        // Two files with the same name are distinguished by the id.
        let (stem, extension) = split(&name);
        let id = fallback();
        Ok(folder.join(format!("{stem}-{}{extension}", split(&id).0)))
    }
}

/// Fails before the download if the announced size differs from the declared one.
fn refuse_another_size(transfer: &Transfer, expected: &Expected) -> Result<()> {
    match (transfer.total(), expected.size) {
        (Some(total), Some(declared)) if total != declared => {
            let message = format!("the file has {total} bytes, but {declared} are declared");
            Err(Error::corrupt(message).of_file(transfer.url()))
        }
        _ => Ok(()),
    }
}

/// Splits a file name into stem and extension, which keeps its dot.
fn split(name: &str) -> (&str, &str) {
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or(name);
    (stem, &name[stem.len()..])
}
