//! Copies of a file in other formats, made by the platform.

use std::path::PathBuf;

use bytes::Bytes;

use super::download::Download;
use super::range_reader::RangeReader;
use super::remote::{FileHandle, RemoteFile};
use super::stream::FileStream;
use crate::objects::{Analysis, Export, ResourceHandle};
use crate::{Client, DateTime, Result};

/// A copy of the file of a resource in another format, made by the platform when it imported the rows.
///
/// Made by [`ResourceHandle::parquet`], [`ResourceHandle::geojson`] and [`ResourceHandle::pmtiles`], from the extras of the
/// resource (`analysis:parsing:*`). The API key is never sent to the server of the copy.
///
/// The URL of a copy contains the id of the resource alone: after the file was replaced, the same URL has other content. A
/// [`RangeReader`] notices that; see also [`is_outdated`](Self::is_outdated).
///
/// ```no_run
/// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
/// let resource = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf");
/// match resource.parquet().await? {
///     Some(copy) if !copy.is_outdated() => drop(copy.download("data/").send().await?),
///     _ => drop(resource.download("data/").send().await?),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PlatformCopy {
    client: Client,
    export: Export,
    started_at: Option<DateTime>,
    finished_at: Option<DateTime>,
    is_outdated: bool,
}

impl ResourceHandle {
    /// Returns the copy in Parquet, if there is one (`get_resource` of v2).
    ///
    /// It has the columns under their names in the file, without `__id`, in the order of the file, compressed by zstd.
    /// **Date-times have lost their time of day**: hydra writes them as dates. There is none of a file that was not
    /// imported as a table.
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn parquet(&self) -> Result<Option<PlatformCopy>> {
        self.platform_copy(|analysis| analysis.parquet.clone()).await
    }

    /// Returns the copy in GeoJSON, if there is one (`get_resource` of v2): of tables with a column of geometries, or with
    /// coordinates. Rows without coordinates are left out.
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn geojson(&self) -> Result<Option<PlatformCopy>> {
        self.platform_copy(|analysis| analysis.geojson.clone()).await
    }

    /// Returns the copy in PMTiles, tiles of a map in one file, if there is one (`get_resource` of v2).
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn pmtiles(&self) -> Result<Option<PlatformCopy>> {
        self.platform_copy(|analysis| analysis.pmtiles.clone()).await
    }

    async fn platform_copy(&self, export: impl FnOnce(&Analysis) -> Option<Export>) -> Result<Option<PlatformCopy>> {
        let (analysis, url) = self.analysed().await?;
        Ok(export(&analysis).map(|export| PlatformCopy {
            client: self.client.clone(),
            export,
            is_outdated: analysis.is_outdated(url.as_deref()),
            started_at: analysis.parsing_started_at,
            finished_at: analysis.parsing_finished_at,
        }))
    }
}

impl PlatformCopy {
    /// Returns the URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.export.url
    }

    /// Returns the size in bytes, if the platform declares it.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.export.size
    }

    /// Returns when the import began that made the copy.
    #[must_use]
    pub fn started_at(&self) -> Option<&DateTime> {
        self.started_at.as_ref()
    }

    /// Returns when the import ended that made the copy.
    #[must_use]
    pub fn finished_at(&self) -> Option<&DateTime> {
        self.finished_at.as_ref()
    }

    /// Returns whether the copy is known to be of an earlier file than the resource has now: the table is that of another
    /// URL, or the file was checked or downloaded again after the import. A file on another server that changed since the
    /// platform last checked it is not noticed.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.is_outdated
    }

    /// Builds a download to a path or a folder. The size is verified.
    pub fn download(&self, path: impl Into<PathBuf>) -> Download {
        self.file().download(path)
    }

    /// Requests the copy and returns its bytes as a stream.
    ///
    /// # Errors
    ///
    /// Those of [`FileHandle::stream`].
    pub async fn stream(&self) -> Result<FileStream> {
        self.file().stream().await
    }

    /// Downloads the copy into memory.
    ///
    /// # Errors
    ///
    /// Those of [`FileHandle::bytes`].
    pub async fn bytes(&self, max: usize) -> Result<Bytes> {
        self.file().bytes(max).await
    }

    /// Opens the copy for reading by ranges, with one request for its last 64 KiB.
    ///
    /// # Errors
    ///
    /// Those of [`FileHandle::ranges`].
    pub async fn ranges(&self) -> Result<RangeReader> {
        self.file().ranges().await
    }

    fn file(&self) -> FileHandle {
        self.client.file(RemoteFile::from(&self.export))
    }
}
