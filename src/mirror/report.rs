//! What a mirror did.

use std::fmt;
use std::path::PathBuf;

use crate::{Error, Result};

/// What a run of a [`Mirror`](super::Mirror) did, file by file, in the order of the catalogue; orphans last.
#[derive(Debug)]
#[non_exhaustive]
pub struct MirrorReport {
    /// The files.
    pub files: Vec<MirroredFile>,
    /// Whether it was a dry run, which changed nothing.
    pub dry_run: bool,
}

/// A file of a mirror.
#[derive(Debug)]
#[non_exhaustive]
pub struct MirroredFile {
    /// The id of the resource.
    pub resource: String,
    /// The id of its dataset.
    pub dataset: String,
    /// Where the file is, or would be.
    pub path: PathBuf,
    /// What happened to it.
    pub outcome: Outcome,
}

/// What happened to a file of a mirror.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It was not there, and was downloaded; in a dry run, it would be.
    New,
    /// It has another content than before, and was downloaded; in a dry run, the catalogue says that it has.
    Changed,
    /// It is as before.
    Unchanged,
    /// Only of a dry run: a conditional request to its server would be needed, since the catalogue does not show a change.
    Unknown,
    /// The resource is no longer in the catalogue, or no longer selected. The file is kept.
    Orphaned,
    /// The same, and the file was removed; in a dry run, it would be.
    Removed,
    /// It could not be downloaded. The file from before, if there is one, is still there.
    Failed(Error),
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Unknown => "unknown",
            Self::Orphaned => "orphaned",
            Self::Removed => "removed",
            Self::Failed(_) => "failed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "failed: {error}"),
            other => f.write_str(other.name()),
        }
    }
}

impl MirrorReport {
    /// Returns the errors of the files that failed, with these.
    pub fn failures(&self) -> impl Iterator<Item = (&MirroredFile, &Error)> {
        self.files.iter().filter_map(|file| match &file.outcome {
            Outcome::Failed(error) => Some((file, error)),
            _ => None,
        })
    }

    /// Returns the first error of a file as the error of the whole, if there is one.
    ///
    /// # Errors
    ///
    /// Returns the first error of a file.
    pub fn into_result(self) -> Result<Self> {
        if self.failures().next().is_none() {
            return Ok(self);
        }
        let failed = self.files.into_iter().find_map(|file| match file.outcome {
            Outcome::Failed(error) => Some(error),
            _ => None,
        });
        Err(failed.unwrap_or_else(|| Error::transport("a file of the mirror failed")))
    }
}

/// How many files are new, changed, unchanged…
impl fmt::Display for MirrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts: Vec<(&str, usize)> =
            ["new", "changed", "unchanged", "unknown", "orphaned", "removed", "failed"].map(|name| (name, 0)).to_vec();
        for file in &self.files {
            if let Some((_, count)) = counts.iter_mut().find(|(name, _)| *name == file.outcome.name()) {
                *count += 1;
            }
        }
        let counts: Vec<String> =
            counts.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}")).collect();
        f.write_str(&if counts.is_empty() { "no files".to_owned() } else { counts.join(", ") })
    }
}
