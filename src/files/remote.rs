//! Files to download: their URL, and their declared size and checksum.

use bytes::Bytes;
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};

use super::checksum::Checksum;
use super::content::Content;
use super::expected::Expected;
use super::transfer::{Piece, Transfer};
use crate::main::types::Resource;
use crate::objects::{Export, ResourceHandle, file_url};
use crate::{Client, Error, Result};

/// The URL of a file, with its declared size and checksum. Made from a resource with `From`, or from a URL.
///
/// ```
/// use datagouv::files::{Algorithm, Checksum, RemoteFile};
///
/// let file = RemoteFile::new("https://example.org/communes.csv")
///     .with_size(28)
///     .with_checksum(Checksum::new(Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"));
/// assert_eq!(file.url(), "https://example.org/communes.csv");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RemoteFile {
    url: String,
    /// The file name, if neither the server nor the URL has one.
    name: Option<String>,
    expected: Expected,
    content: Content,
}

impl RemoteFile {
    /// Creates a file from a URL, without size and checksum.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), name: None, expected: Expected::default(), content: Content::Unknown }
    }

    /// Sets the declared size in bytes, which downloads verify.
    pub fn with_size(mut self, size: impl Into<Option<u64>>) -> Self {
        self.expected.size = size.into();
        self
    }

    /// Sets the declared checksum, which downloads verify.
    pub fn with_checksum(mut self, checksum: impl Into<Option<Checksum>>) -> Self {
        self.expected.checksum = checksum.into();
        self
    }

    /// Sets the declared format (`csv`, `json`, `xlsx`…): a download of an HTML page in its place is then an error, as
    /// [`Download`](super::Download) describes. Default: none, and any content is accepted
    /// but a login page that a redirect leads to.
    pub fn with_format(mut self, format: impl AsRef<str>) -> Self {
        self.content = Content::declared(Some(format.as_ref()), None);
        self
    }

    /// Sets the file name in a folder, used if neither the server nor the URL has one.
    pub fn with_fallback_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Returns the URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn fallback_name(&self) -> &str {
        self.name.as_deref().unwrap_or("download")
    }

    pub(super) fn accept_any_content(&mut self) {
        self.content = Content::Any;
    }

    pub(super) fn expect_nothing(&mut self) {
        if self.expected.size == Some(0) {
            self.accept_any_content();
        }
        self.expected = Expected::default();
    }

    pub(super) fn expected(&self) -> &Expected {
        &self.expected
    }

    pub(super) async fn open(&self, client: &Client, restarts: bool) -> Result<Transfer> {
        self.open_if(client, restarts, &[]).await
    }

    /// Requests the file under conditions.
    pub(super) async fn open_if(
        &self,
        client: &Client,
        restarts: bool,
        conditions: &[(HeaderName, HeaderValue)],
    ) -> Result<Transfer> {
        // What is declared to be empty may be.
        let content = if self.expected.size == Some(0) { Content::Any } else { self.content };
        Transfer::open(client, &self.parsed_url()?, restarts, content, self.expected.clone(), conditions).await
    }

    pub(super) fn content(&self) -> Content {
        self.content
    }

    pub(super) fn parsed_url(&self) -> Result<Url> {
        file_url::parse(&self.url)
    }
}

impl From<&Resource> for RemoteFile {
    fn from(resource: &Resource) -> Self {
        let format = resource.format.as_deref().map(|format| format!(".{format}")).unwrap_or_default();
        Self {
            url: resource.url.clone(),
            name: Some(format!("{}{format}", resource.id)),
            expected: Expected {
                size: resource.filesize.and_then(|size| u64::try_from(size).ok()),
                checksum: resource.checksum.as_ref().and_then(Option::from),
            },
            content: Content::declared(resource.format.as_deref(), resource.mime.as_deref()),
        }
    }
}

impl From<&Export> for RemoteFile {
    fn from(export: &Export) -> Self {
        Self::new(&export.url).with_size(export.size)
    }
}

/// A file to download; made by [`Client::file`].
#[derive(Clone, Debug)]
pub struct FileHandle {
    client: Client,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Remote(Box<RemoteFile>),
    /// A resource whose URL is looked up when it is needed.
    Resource(Box<ResourceHandle>),
}

impl Client {
    /// Returns a handle to a file: that of a resource, or of any URL ([`RemoteFile`]). Nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// let dataset = client.main().get_dataset().dataset("a-slug-or-id").send().await?;
    /// for resource in &dataset.resources {
    ///     client.file(resource).download("data/").send().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn file(&self, file: impl Into<RemoteFile>) -> FileHandle {
        FileHandle { client: self.clone(), source: Source::Remote(Box::new(file.into())) }
    }
}

impl FileHandle {
    /// Downloads the file into memory.
    ///
    /// # Errors
    ///
    /// Returns an error if the file has more than `max` bytes ([`Error::is_too_large`]), and those of [`Download::send`](super::Download::send).
    pub async fn bytes(&self, max: usize) -> Result<Bytes> {
        let file = self.resolve().await?;
        let mut transfer = file.open(&self.client, true).await?;
        let mut check = file.expected.check();
        let mut all = Vec::new();
        let too_large = || Error::file_too_large(max);
        while let Some(piece) = transfer.next().await? {
            if transfer.total().is_some_and(|total| total > max as u64) {
                return Err(too_large().of_file(transfer.url()));
            }
            match piece {
                Piece::Bytes(bytes) if all.len() + bytes.len() > max => {
                    return Err(too_large().of_file(transfer.url()));
                }
                Piece::Bytes(bytes) => {
                    check.update(&bytes);
                    all.extend_from_slice(&bytes);
                }
                Piece::Anew => {
                    check = file.expected.check();
                    all.clear();
                }
            }
        }
        check.finish(all.len() as u64, transfer.coded()).map_err(|error| error.of_file(transfer.url()))?;
        Ok(all.into())
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) async fn resolve(&self) -> Result<RemoteFile> {
        match &self.source {
            Source::Remote(file) => Ok((**file).clone()),
            Source::Resource(resource) => Ok((&resource.get().await?).into()),
        }
    }
}

/// The URLs of the file of a resource; see [`ResourceHandle::latest`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latest {
    /// The permanent URL, which redirects to the file. This is the one to publish.
    pub permanent: String,
    /// The URL that it redirects to now.
    pub current: String,
}

impl ResourceHandle {
    /// Downloads the file of the resource into memory.
    ///
    /// # Errors
    ///
    /// Returns an error if the file has more than `max` bytes ([`Error::is_too_large`]), and those of [`Download::send`](super::Download::send).
    pub async fn bytes(&self, max: usize) -> Result<Bytes> {
        self.file().bytes(max).await
    }

    /// Returns the permanent URL of the file, and the URL that it redirects to now.
    ///
    /// # Errors
    ///
    /// Returns an error if the resource does not exist or no response arrives.
    pub async fn latest(&self) -> Result<Latest> {
        let Resource { latest, url, .. } = self.get().await?;
        Ok(Latest { permanent: latest, current: url })
    }

    pub(super) fn file(&self) -> FileHandle {
        FileHandle { client: self.client.clone(), source: Source::Resource(Box::new(self.clone())) }
    }
}
