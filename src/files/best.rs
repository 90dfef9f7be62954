//! The choice between a file and the copies of it.

use std::fmt;
use std::path::PathBuf;

use super::download::Downloaded;
use super::remote::{FileHandle, RemoteFile};
use crate::objects::{Analysis, ResourceHandle};
use crate::{Error, Result};

/// A format in which a resource may be had; see [`ResourceHandle::best_file`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The platform's copy in Parquet.
    Parquet,
    /// The platform's copy in GeoJSON.
    GeoJson,
    /// The platform's copy in PMTiles.
    PmTiles,
    /// The file of the resource, if its declared format is `csv` or `csv.gz`.
    Csv,
    /// The file of the resource, whatever its format.
    Original,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parquet => "parquet",
            Self::GeoJson => "geojson",
            Self::PmTiles => "pmtiles",
            Self::Csv => "csv",
            Self::Original => "original",
        })
    }
}

/// A file that was chosen; made by [`ResourceHandle::best_file`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BestFile {
    /// The format that was found.
    pub format: Format,
    /// The file or the copy.
    pub file: FileHandle,
}

impl ResourceHandle {
    /// Returns the first of some formats in which the resource can be had, with one request; `None` if there is none of them.
    /// Copies that are known to be of an earlier file are left out
    /// ([`PlatformCopy::is_outdated`](super::PlatformCopy::is_outdated)).
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::files::Format;
    ///
    /// let resource = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf");
    /// if let Some(best) = resource.best_file([Format::Parquet, Format::Csv]).await? {
    ///     let saved = best.file.download("data/").send().await?;
    ///     println!("{}: {}", best.format, saved.path.display());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn best_file(&self, formats: impl IntoIterator<Item = Format>) -> Result<Option<BestFile>> {
        let formats: Vec<Format> = formats.into_iter().collect();
        Ok(self.choose(&formats).await?.0)
    }

    /// Downloads the resource in the first of some formats in which it can be had; see [`best_file`](Self::best_file).
    ///
    /// # Errors
    ///
    /// Returns an error if there is none of them ([`Error::is_request`]), and those of
    /// [`Download::send`](super::Download::send).
    pub async fn download_best(
        &self,
        path: impl Into<PathBuf>,
        formats: impl IntoIterator<Item = Format>,
    ) -> Result<Downloaded> {
        let (path, formats): (PathBuf, Vec<Format>) = (path.into(), formats.into_iter().collect());
        let (found, own) = self.choose(&formats).await?;
        let best = found.ok_or_else(|| {
            let wanted: Vec<String> = formats.iter().map(Format::to_string).collect();
            let own = own.map(|own| format!(", and its file is `{own}`")).unwrap_or_default();
            let message = format!("the resource {} cannot be had as {}{own}", self.id(), wanted.join(" or "));
            Error::request(message)
        })?;
        best.file.download(path).send().await
    }

    /// Returns the file that was found, and the declared format of the resource.
    async fn choose(&self, formats: &[Format]) -> Result<(Option<BestFile>, Option<String>)> {
        let resource = self.get().await?;
        let analysis = Analysis::from_extras(&resource.extras);
        let copies_are_outdated = analysis.is_outdated(Some(&resource.url));
        let own = resource.format.as_deref().map(|own| own.trim().trim_start_matches('.').to_ascii_lowercase());
        let file = |format: Format| {
            let copy = match format {
                Format::Parquet => analysis.parquet.as_ref(),
                Format::GeoJson => analysis.geojson.as_ref(),
                Format::PmTiles => analysis.pmtiles.as_ref(),
                Format::Csv if !matches!(own.as_deref(), Some("csv" | "csv.gz")) => None,
                Format::Csv | Format::Original => return Some(RemoteFile::from(&resource)),
            };
            copy.filter(|_| !copies_are_outdated).map(RemoteFile::from)
        };
        let found = formats.iter().find_map(|format| Some((*format, file(*format)?)));
        Ok((found.map(|(format, file)| BestFile { format, file: self.client.file(file) }), own))
    }
}
