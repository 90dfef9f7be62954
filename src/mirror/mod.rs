//! Folders that follow the files of datasets: only what has changed is downloaded.
//!
//! ```no_run
//! # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
//! use datagouv::mirror::Orphans;
//!
//! let mirror = client.organization("ministere-de-l-interieur").mirror("data");
//! let report = mirror.include("*.csv").exclude("*-2019.csv").concurrency(4).orphans(Orphans::Remove).run().await?;
//! println!("{report}");
//! for (file, error) in report.failures() {
//!     eprintln!("{}: {error}", file.path.display());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | What is followed | Start with | Where its files are |
//! |---|---|---|
//! | a dataset | [`DatasetHandle::mirror`](crate::objects::DatasetHandle::mirror) | in the folder |
//! | the datasets of an organization | [`OrganizationHandle::mirror`](crate::objects::OrganizationHandle::mirror) | in a folder for each dataset |
//! | the datasets of a topic | [`TopicHandle::mirror`](crate::objects::TopicHandle::mirror) | the same |
//! | a search, any list of datasets | [`Client::mirror`](crate::Client::mirror) | the same |
//!
//! # What has changed
//!
//! | The file | is downloaded if |
//! |---|---|
//! | is on the platform | its URL or its checksum in the catalogue is another (its date, if it has no checksum); its server is not requested |
//! | is on another server | its URL is another, or its server says that it has changed (`ETag`, `Last-Modified`) |
//! | the same, and its server sends neither | always; if the content is the same it is [unchanged](Outcome::Unchanged) |
//! | is missing in the folder, or was changed there | always |
//!
//! # Names
//!
//! A file has the last segment of its URL as its name, else its title if that is a file name, else the id of the resource. It
//! keeps its path as long as that name stays the same, whatever becomes of others. Of files of the same name (without regard
//! to case, as on some systems), the oldest has it, and the others have their id in it. A file whose name changes is
//! downloaded under the new one, then removed under the old one. The folder of a dataset is its slug when it is first seen.
//! Names are safe on every system, and no path leaves the folder, whatever a server sends.
//!
//! # Interruptions
//!
//! A mirror can be interrupted at any moment, by dropping it or by ending the program; run again, it ends as if it had not
//! been. Files and the state (`.datagouv-mirror.json` in the folder) are written under a temporary name, synced, and
//! moved. Temporary files that a killed program left are removed. One mirror may run in a folder at a time.
//!
//! A file that cannot be downloaded fails alone; its content from before stays. If the catalogue cannot be read in whole,
//! the run ends with its error, and no file is taken for an orphan.

mod report;
mod run;
mod select;
mod source;
mod state;
mod watch;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use wildmatch::WildMatch;

pub use self::report::{MirrorReport, MirroredFile, Outcome};
use self::select::Selection;
use self::source::Source;
pub use self::watch::{Change, ChangeKind, Watch};
use crate::files::{Progress, TallyListener};
use crate::main::builder::ListDatasets;
use crate::main::types::ResourceTypeValue;
use crate::objects::DatasetHandle;
use crate::{Client, Result};

/// Whether orphans are kept: files whose resources are no longer in the catalogue, or no longer selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Orphans {
    /// They are kept, and are reported with each run.
    #[default]
    Keep,
    /// They are removed.
    Remove,
}

/// A folder that follows the files of datasets; see [the module](self).
#[derive(Clone)]
#[must_use = "a mirror does nothing until it is run"]
pub struct Mirror {
    client: Client,
    source: Source,
    folder: PathBuf,
    selection: Selection,
    concurrency: usize,
    verify: bool,
    orphans: Orphans,
    dry_run: bool,
    listener: Option<TallyListener<str>>,
}

impl DatasetHandle {
    /// Builds a mirror of the files of the dataset in a folder.
    pub fn mirror(&self, folder: impl Into<PathBuf>) -> Mirror {
        Mirror::new(&self.client, Source::Dataset(self.id.clone()), folder.into())
    }
}

#[cfg(feature = "main-organizations")]
impl crate::objects::OrganizationHandle {
    /// Builds a mirror of the files of the organization's datasets, in a folder for each dataset.
    pub fn mirror(&self, folder: impl Into<PathBuf>) -> Mirror {
        Mirror::new(&self.client, Source::Organization(self.clone()), folder.into())
    }
}

#[cfg(feature = "main-v2")]
impl crate::objects::TopicHandle {
    /// Builds a mirror of the files of the topic's datasets, in a folder for each dataset. If the topic no longer exists, the
    /// run is an error, and nothing is taken to be gone.
    pub fn mirror(&self, folder: impl Into<PathBuf>) -> Mirror {
        Mirror::new(&self.client, Source::Topic(self.clone()), folder.into())
    }
}

impl Client {
    /// Builds a mirror of the files of a list of datasets, such as a search, in a folder for each dataset.
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// let search = client.main().list_datasets().q("bornes de recharge").tag(["irve"]);
    /// let report = client.mirror(search, "data").formats(["csv"]).run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn mirror(&self, datasets: ListDatasets<'_>, folder: impl Into<PathBuf>) -> Mirror {
        Mirror::new(self, Source::list_of(datasets), folder.into())
    }
}

impl Mirror {
    fn new(client: &Client, source: Source, folder: PathBuf) -> Self {
        Self {
            client: client.clone(),
            source,
            folder,
            selection: Selection::default(),
            concurrency: 2,
            verify: true,
            orphans: Orphans::default(),
            dry_run: false,
            listener: None,
        }
    }

    /// Selects files whose names match a pattern, in which `*` is any text and `?` any character, without regard to case.
    /// Called again, files that match any of the patterns. Default: all.
    pub fn include(mut self, pattern: impl AsRef<str>) -> Self {
        self.selection.include.push(WildMatch::new_case_insensitive(pattern.as_ref()));
        self
    }

    /// Leaves out files whose names match a pattern, even those that are [included](Self::include). Can be called several
    /// times.
    pub fn exclude(mut self, pattern: impl AsRef<str>) -> Self {
        self.selection.exclude.push(WildMatch::new_case_insensitive(pattern.as_ref()));
        self
    }

    /// Selects resources of these formats (`csv`, `parquet`…), as the catalogue has them. Default: all.
    pub fn formats<Format: Into<String>>(mut self, formats: impl IntoIterator<Item = Format>) -> Self {
        self.selection.formats = formats.into_iter().map(Into::into).collect();
        self
    }

    /// Selects resources of these types. Default: all but APIs.
    pub fn types(mut self, types: impl IntoIterator<Item = ResourceTypeValue>) -> Self {
        self.selection.types = Some(types.into_iter().collect());
        self
    }

    /// Sets how many files are followed concurrently, within the [limits](crate::Limits) of each host. Default: 2.
    pub fn concurrency(mut self, files: usize) -> Self {
        self.concurrency = files.max(1);
        self
    }

    /// Sets whether declared sizes and checksums are verified. Default: `true`.
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// Sets whether files are kept whose resources are no longer in the catalogue, or no longer selected. Default: they are.
    pub fn orphans(mut self, orphans: Orphans) -> Self {
        self.orphans = orphans;
        self
    }

    /// Sets whether the run only reports what it would do. It reads the catalogue, and changes nothing. Default: `false`.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Sets a closure that receives the path of a file in the folder, and the progress of the whole mirror, whenever bytes of
    /// the file arrive and when it is finished. It should be quick.
    pub fn progress(mut self, listener: impl Fn(&str, Progress) + Send + Sync + 'static) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// Brings the folder, which is created if missing, up to date.
    ///
    /// # Errors
    ///
    /// Returns an error if the catalogue cannot be read in whole, or the folder or the state cannot be written
    /// ([`is_local`](crate::Error::is_local)). Failures of files are in the report.
    pub async fn run(self) -> Result<MirrorReport> {
        run::run(self).await
    }

    /// Returns the changes of the followed files in the catalogue as a stream, which polls it at intervals. Nothing is
    /// downloaded: call [`run`](Self::run) for that.
    ///
    /// The first request is sent at once; its files are what later ones are compared with. The stream does not end. An error
    /// of a request is an item, and the next request follows.
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use std::time::Duration;
    ///
    /// let mirror = client.dataset("a-slug-or-id").mirror("data").include("*.csv");
    /// let mut changes = mirror.clone().watch(Duration::from_secs(3_600));
    /// while let Some(change) = changes.next().await {
    ///     println!("{}", change?);
    ///     println!("{}", mirror.clone().run().await?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch(self, every: Duration) -> Watch {
        Watch::new(self, every)
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror")
            .field("source", &self.source)
            .field("folder", &self.folder)
            .field("selection", &self.selection)
            .field("orphans", &self.orphans)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}
