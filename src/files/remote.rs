//! Files that are somewhere: where, and what is declared about them.

use std::path::PathBuf;

use bytes::Bytes;
use reqwest::Url;

use super::checksum::{Checksum, Digester};
use super::download::Download;
use super::progress::Listener;
use super::stream::FileStream;
use super::transfer::{Piece, Transfer};
use crate::main::types::Resource;
use crate::objects::{Export, ResourceHandle};
use crate::{Client, Error, Result};

/// A file somewhere, with what is declared about it. A resource of a dataset is one.
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
    /// The name where neither the server nor the URL has one.
    name: Option<String>,
    expected: Expected,
}

/// What is declared about the bytes of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    pub size: Option<u64>,
    pub checksum: Option<Checksum>,
}

impl RemoteFile {
    /// The file of a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), name: None, expected: Expected::default() }
    }

    /// With a size in bytes, to be compared.
    pub fn with_size(mut self, size: impl Into<Option<u64>>) -> Self {
        self.expected.size = size.into();
        self
    }

    /// With a checksum, to be compared.
    pub fn with_checksum(mut self, checksum: impl Into<Option<Checksum>>) -> Self {
        self.expected.checksum = checksum.into();
        self
    }

    /// With the name that it gets in a folder where neither the server nor the URL has one.
    pub fn with_fallback_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn fallback_name(&self) -> &str {
        self.name.as_deref().unwrap_or("download")
    }

    pub(super) fn expected(&self) -> &Expected {
        &self.expected
    }

    pub(super) async fn open(&self, client: &Client, restarts: bool) -> Result<Transfer> {
        let url = Url::parse(self.url.trim())
            .map_err(|error| Error::request(format!("`{}` is not the URL of a file", self.url)).with_source(error))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::request(format!("a file is not fetched by {}", url.scheme())));
        }
        Transfer::open(client, &url, restarts).await
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
        }
    }
}

impl Expected {
    pub(super) fn check(&self) -> Check {
        let digester = self.checksum.as_ref().map(|checksum| Digester::new(checksum.algorithm()));
        Check { expected: self.clone(), digester }
    }
}

impl From<&Export> for RemoteFile {
    fn from(export: &Export) -> Self {
        Self::new(&export.url).with_size(export.size)
    }
}

/// Compares a file with what is declared about it.
pub(super) struct Check {
    expected: Expected,
    digester: Option<Digester>,
}

impl Check {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some(digester) = &mut self.digester {
            digester.update(bytes);
        }
    }

    /// The checksum that was found right, where one was declared.
    pub(super) fn finish(self, size: u64) -> Result<Option<Checksum>> {
        if let Some(expected) = self.expected.size.filter(|expected| *expected != size) {
            return Err(Error::corrupt(format!("the file has {size} bytes where {expected} are declared")));
        }
        let Some(found) = self.digester.map(Digester::finish) else { return Ok(None) };
        match self.expected.checksum {
            Some(expected) if expected != found => {
                Err(Error::corrupt(format!("the checksum of the file is {found} where {expected} is declared")))
            }
            _ => Ok(Some(found)),
        }
    }
}

/// A file somewhere, and the client to fetch it with: [`Client::file`].
#[derive(Clone, Debug)]
pub struct FileHandle {
    client: Client,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Remote(Box<RemoteFile>),
    /// A resource that is still to be looked up.
    Resource(Box<ResourceHandle>),
}

impl Client {
    /// A file somewhere: a resource that you have read, or what a URL leads to.
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
    /// Saves it, at a path or in a folder.
    pub fn download(&self, path: impl Into<PathBuf>) -> Download {
        Download::new(self.clone(), path.into())
    }

    /// All of its bytes in memory, `max` at most.
    ///
    /// # Errors
    ///
    /// Where it is longer, and as for [`Download::send`].
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
        check.finish(all.len() as u64).map_err(|error| error.of_file(transfer.url()))?;
        Ok(all.into())
    }

    /// Its bytes as they come.
    ///
    /// # Errors
    ///
    /// Where there is no such file, or no answer comes.
    pub async fn stream(&self) -> Result<FileStream> {
        let file = self.resolve().await?;
        let transfer = file.open(&self.client, false).await?;
        Ok(FileStream::new(transfer, file.expected, Listener::default()))
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

/// Where a resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latest {
    /// The URL that stays: it leads to the file, wherever that is. The one to be published.
    pub permanent: String,
    /// Where it leads now.
    pub current: String,
}

impl ResourceHandle {
    /// Saves its file, at a path or in a folder.
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

    /// All bytes of its file in memory, `max` at most.
    ///
    /// # Errors
    ///
    /// Where it is longer, and as for [`Download::send`].
    pub async fn bytes(&self, max: usize) -> Result<Bytes> {
        self.file().bytes(max).await
    }

    /// The bytes of its file as they come.
    ///
    /// # Errors
    ///
    /// Where there is no such resource or file, or no answer comes.
    pub async fn stream(&self) -> Result<FileStream> {
        self.file().stream().await
    }

    /// The URL of its file that stays, and where that leads now.
    ///
    /// # Errors
    ///
    /// Where there is no such resource, or no answer comes.
    pub async fn latest(&self) -> Result<Latest> {
        let Resource { latest, url, .. } = self.get().await?;
        Ok(Latest { permanent: latest, current: url })
    }

    fn file(&self) -> FileHandle {
        FileHandle { client: self.client.clone(), source: Source::Resource(Box::new(self.clone())) }
    }
}
