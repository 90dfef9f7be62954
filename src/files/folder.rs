//! Downloads of all files of a dataset.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream;

use super::download::{Downloaded, NameFilter};
use super::progress::Progress;
use super::tally::{Tally, TallyListener};
use crate::main::types::{Resource, ResourceTypeValue};
use crate::objects::DatasetHandle;
use crate::{Error, Result};

/// A download of the files of a dataset into a folder, each as a [`Download`](super::Download); made by
/// [`DatasetHandle::download_all`].
#[must_use = "a download does nothing until it is sent"]
pub struct DownloadAll {
    dataset: DatasetHandle,
    folder: PathBuf,
    types: Option<Vec<ResourceTypeValue>>,
    concurrency: usize,
    verify: bool,
    sync: bool,
    accepts_any_content: bool,
    listener: Option<TallyListener<Resource>>,
}

/// The outcome of the download of one resource.
#[derive(Debug)]
#[non_exhaustive]
pub struct ResourceDownload {
    /// The resource.
    pub resource: Resource,
    /// The downloaded file, or the error.
    pub outcome: Result<Downloaded>,
}

impl DatasetHandle {
    /// Downloads the files of the dataset into a folder, which is created if missing.
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::main::types::ResourceTypeValue::{Documentation, Main};
    ///
    /// let dataset = client.dataset("a-slug-or-id");
    /// let files = dataset.download_all("data").types([Main, Documentation]).concurrency(4);
    /// for file in files.send().await? {
    ///     match file.outcome {
    ///         Ok(saved) => println!("{}", saved.path.display()),
    ///         Err(error) => eprintln!("{}: {error}", file.resource.title),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn download_all(&self, folder: impl Into<PathBuf>) -> DownloadAll {
        DownloadAll {
            dataset: self.clone(),
            folder: folder.into(),
            types: None,
            concurrency: 2,
            verify: true,
            sync: false,
            accepts_any_content: false,
            listener: None,
        }
    }
}

impl DownloadAll {
    /// Restricts the download to resources of these types. Default: all.
    pub fn types(mut self, types: impl IntoIterator<Item = ResourceTypeValue>) -> Self {
        self.types = Some(types.into_iter().collect());
        self
    }

    /// Sets how many files are downloaded concurrently. Default: 2.
    pub fn concurrency(mut self, downloads: usize) -> Self {
        self.concurrency = downloads.max(1);
        self
    }

    /// Sets whether declared sizes and checksums are verified. Default: `true`.
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// Sets whether the bytes of each file are on disk when it is finished; see [`Download::sync`](super::Download::sync).
    /// Default: `false`.
    pub fn sync(mut self, sync: bool) -> Self {
        self.sync = sync;
        self
    }

    /// Accepts files that do not begin as their declared formats do; see [`Download`](super::Download#unexpected-content).
    pub fn accept_any_content(mut self) -> Self {
        self.accepts_any_content = true;
        self
    }

    /// Sets a closure that receives a resource, and the progress of all files, whenever bytes of the resource arrive and when
    /// it is finished. It should be quick.
    pub fn progress(mut self, listener: impl Fn(&Resource, Progress) + Send + Sync + 'static) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// Downloads the files and returns their outcomes in the order of the dataset. A failure does not stop the others.
    ///
    /// # Errors
    ///
    /// Returns an error if the dataset cannot be read or the folder cannot be created.
    pub async fn send(self) -> Result<Vec<ResourceDownload>> {
        let DatasetHandle { client, id } = self.dataset;
        let dataset = client.main().get_dataset().dataset(id).send().await?.into_inner();
        let local = |error| Error::local(&self.folder, error);
        tokio::fs::create_dir_all(&self.folder).await.map_err(local)?;

        let taken = Arc::new(Mutex::new(HashSet::new()));
        // Some file systems are case-insensitive.
        let filter = NameFilter::new(move |name| {
            taken.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_lowercase())
        });
        let wanted = |resource: &Resource| self.types.as_ref().is_none_or(|types| types.contains(&resource.type_));
        let resources: Vec<Resource> = dataset.resources.into_iter().filter(wanted).collect();
        let tally = Tally::new(self.listener, resources.len() as u64);
        let downloads = resources.into_iter().map(|resource| {
            let download = client.file(&resource).download(&self.folder).filter(filter.clone());
            let mut download = download.verify(self.verify).sync(self.sync);
            if self.accepts_any_content {
                download = download.accept_any_content();
            }
            let download = download.progress(tally.of_file(resource.clone()));
            let tally = tally.clone();
            async move {
                let outcome = download.send().await;
                tally.finished(&resource);
                ResourceDownload { resource, outcome }
            }
        });
        Ok(stream::iter(downloads).buffered(self.concurrency).collect().await)
    }
}

impl std::fmt::Debug for DownloadAll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DownloadAll")
            .field("dataset", &self.dataset.id)
            .field("folder", &self.folder)
            .field("types", &self.types)
            .finish_non_exhaustive()
    }
}
