//! A run of a mirror.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::report::{MirrorReport, MirroredFile, Outcome};
use super::select::{Planned, plan};
use super::state::{Content, OnDisk, State, hash, remove_temporary};
use super::{Gone, Mirror};
use crate::files::{Checksum, Conditional, Progress};
use crate::main::types::{Filetype, Resource};
use crate::{Error, Result};

/// So often is the state written while files come. A file that is downloaded and not yet in it is downloaded again after a
/// crash, so that it is written no later than this, and not for each of thousands of small files.
const SAVED_EVERY: Duration = Duration::from_secs(2);

/// The state on its way to the disk.
struct Ledger {
    folder: PathBuf,
    inner: Mutex<(State, Option<Instant>)>,
}

impl Ledger {
    fn state(&self) -> MutexGuard<'_, (State, Option<Instant>)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> io::Result<()> {
        let mut inner = self.state();
        let (state, saved) = &mut *inner;
        change(state);
        if saved.is_none_or(|saved| saved.elapsed() >= SAVED_EVERY) {
            state.write(&self.folder)?;
            *saved = Some(Instant::now());
        }
        Ok(())
    }

    fn save(&self) -> io::Result<()> {
        self.state().0.write(&self.folder)
    }
}

/// Saves what is known when a run is dropped, which costs a download less.
impl Drop for Ledger {
    fn drop(&mut self) {
        let _ = self.save();
    }
}

/// What is known of a file without asking its server.
enum Known {
    /// There is none, or not as it was downloaded.
    Nothing,
    Same(Box<Content>),
    /// The catalogue tells that it has changed.
    Other(Box<Content>),
    /// Its server has to be asked.
    Open(Box<Content>),
}

pub(super) async fn run(mirror: Mirror) -> Result<MirrorReport> {
    let datasets = mirror.source.list(&mirror.client).await?;
    let folder = mirror.folder.clone();
    let local = |error: io::Error| Error::local(&folder, error);
    if !mirror.dry_run {
        tokio::fs::create_dir_all(&folder).await.map_err(local)?;
    }
    let mut state = State::read(&folder).map_err(local)?;
    let planned = plan(datasets, mirror.source.has_folders(), &mirror.selection, &mut state);
    if mirror.dry_run {
        return Ok(rehearse(&mirror, &planned, &state));
    }
    for within in std::iter::once("").chain(state.folders.values().map(String::as_str)) {
        remove_temporary(&folder.join(within)).map_err(local)?;
    }
    let ledger = Arc::new(Ledger { folder: folder.clone(), inner: Mutex::new((state, None)) });
    // The names are kept from now on, however far this run comes.
    ledger.save().map_err(local)?;

    let total = planned.len() as u64;
    let transferred = Arc::new(Transferred { mirror: &mirror, total, inner: Mutex::default() });
    let files = planned.iter().map(|planned| {
        let (ledger, transferred) = (Arc::clone(&ledger), Arc::clone(&transferred));
        async move {
            let outcome = transferred.follow(planned, &ledger).await.unwrap_or_else(Outcome::Failed);
            transferred.finished(planned);
            reported(&transferred.mirror.folder, &planned.resource.id, &planned.dataset, &planned.path, outcome)
        }
    });
    let mut files: Vec<MirroredFile> = stream::iter(files).buffered(mirror.concurrency).collect().await;
    files.extend(remove_gone(&mirror, &planned, &ledger).map_err(local)?);
    ledger.save().map_err(local)?;
    Ok(MirrorReport { files, dry_run: false })
}

fn reported(folder: &Path, resource: &str, dataset: &str, path: &str, outcome: Outcome) -> MirroredFile {
    MirroredFile { resource: resource.to_owned(), dataset: dataset.to_owned(), path: folder.join(path), outcome }
}

/// What a run would do, as far as it is known without asking the servers of the files.
fn rehearse(mirror: &Mirror, planned: &[Planned], state: &State) -> MirrorReport {
    let file = |planned: &Planned| {
        let content = state.files.get(&planned.resource.id).and_then(|entry| entry.content.as_ref());
        let outcome = match known(&mirror.folder.join(&planned.path), &planned.resource, content) {
            Known::Nothing => Outcome::New,
            Known::Same(_) => Outcome::Unchanged,
            Known::Other(_) => Outcome::Changed,
            Known::Open(_) => Outcome::Unknown,
        };
        reported(&mirror.folder, &planned.resource.id, &planned.dataset, &planned.path, outcome)
    };
    let mut files: Vec<MirroredFile> = planned.iter().map(file).collect();
    let gone = state.files.iter().filter(|(id, _)| planned.iter().all(|planned| planned.resource.id != **id));
    files.extend(gone.map(|(id, entry)| {
        let outcome = if mirror.gone == Gone::Remove { Outcome::Removed } else { Outcome::Gone };
        reported(&mirror.folder, id, &entry.dataset, &entry.path, outcome)
    }));
    MirrorReport { files, dry_run: true }
}

/// The checksum that the catalogue declares, as text.
fn declared(resource: &Resource) -> Option<String> {
    resource.checksum.as_ref().and_then(Option::<Checksum>::from).map(|checksum| checksum.to_string())
}

fn known(path: &Path, resource: &Resource, content: Option<&Content>) -> Known {
    let Some(content) = content else { return Known::Nothing };
    let Ok(on_disk) = OnDisk::of(path) else { return Known::Nothing };
    let as_downloaded =
        on_disk == content.on_disk || hash(path).is_ok_and(|found| found == content.sha256);
    if !as_downloaded {
        return Known::Nothing;
    }
    let content_of_now = Box::new(Content { on_disk, ..content.clone() });
    let declared = declared(resource);
    let same = content.url == resource.url
        && content.declared == declared
        && content.dated == resource.last_modified.as_str();
    match resource.filetype {
        // The platform changes URL, checksum and date of its own files whenever their content changes.
        Filetype::File if same => Known::Same(content_of_now),
        Filetype::File => Known::Other(content_of_now),
        _ => Known::Open(content_of_now),
    }
}

/// Where a run is, for its listener.
struct Transferred<'a> {
    mirror: &'a Mirror,
    total: u64,
    inner: Mutex<Totals>,
}

#[derive(Default)]
struct Totals {
    files: u64,
    bytes: u64,
}

impl Transferred<'_> {
    fn tell(&self, planned: &Planned, change: impl FnOnce(&mut Totals)) {
        let mut totals = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut totals);
        if let Some(listener) = &self.mirror.listener {
            let progress = Progress { bytes: totals.bytes, total: None };
            listener(&planned.path, progress);
        }
    }

    fn finished(&self, planned: &Planned) {
        self.tell(planned, |totals| totals.files += 1);
    }

    /// Brings a file up to date.
    async fn follow(&self, planned: &Planned, ledger: &Ledger) -> Result<Outcome> {
        let Planned { resource, path, .. } = planned;
        let target = self.mirror.folder.join(path);
        let local = |error: io::Error| Error::local(&target, error);
        let before = ledger.state().0.files.get(&resource.id).and_then(|entry| entry.content.clone());
        let (condition, before) = match known(&target, resource, before.as_ref()) {
            Known::Nothing => (Conditional::default(), None),
            Known::Same(content) => {
                self.keep(planned, *content, ledger).map_err(local)?;
                return Ok(Outcome::Unchanged);
            }
            Known::Other(content) => (Conditional::default(), Some(content)),
            Known::Open(content) if content.url == resource.url => {
                (Conditional::new(content.etag.as_deref(), content.last_modified.as_deref()), Some(content))
            }
            Known::Open(content) => (Conditional::default(), Some(content)),
        };
        if let Some(folder) = target.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(local)?;
        }
        let file = self.mirror.client.file(resource);
        let mut seen = 0;
        let inner = &self.inner;
        let _ = inner;
        let download = file.download(&target).verify(self.mirror.verify);
        let downloaded = download.send_if(condition, |bytes| {
            self.tell(planned, |totals| totals.bytes += bytes.saturating_sub(seen));
            seen = bytes;
        });
        let Some((etag, last_modified)) = downloaded.await? else {
            let content = before.map(|content| *content).unwrap_or_default();
            self.keep(planned, content, ledger).map_err(local)?;
            return Ok(Outcome::Unchanged);
        };
        let content = Content {
            url: resource.url.clone(),
            sha256: hash(&target).map_err(local)?,
            on_disk: OnDisk::of(&target).map_err(local)?,
            etag,
            last_modified,
            declared: declared(resource),
            dated: resource.last_modified.as_str().to_owned(),
        };
        let outcome = match &before {
            None => Outcome::New,
            Some(before) if before.sha256 == content.sha256 => Outcome::Unchanged,
            Some(_) => Outcome::Changed,
        };
        self.keep(planned, content, ledger).map_err(local)?;
        Ok(outcome)
    }

    /// Records what is in the folder now, and removes what the file was before.
    fn keep(&self, planned: &Planned, content: Content, ledger: &Ledger) -> io::Result<()> {
        let mut previous = Vec::new();
        ledger.change(|state| {
            if let Some(entry) = state.files.get_mut(&planned.resource.id) {
                entry.content = Some(Content {
                    declared: declared(&planned.resource),
                    dated: planned.resource.last_modified.as_str().to_owned(),
                    ..content
                });
                previous.clone_from(&entry.previous);
            }
            previous.retain(|path| !is_used(state, path));
        })?;
        for path in &previous {
            remove(&self.mirror.folder.join(path))?;
        }
        ledger.change(|state| {
            if let Some(entry) = state.files.get_mut(&planned.resource.id) {
                entry.previous.clear();
            }
        })
    }
}

/// Returns whether a path is that of a file, on systems without case too.
fn is_used(state: &State, path: &str) -> bool {
    let path = path.to_lowercase();
    state.files.values().any(|entry| entry.path.to_lowercase() == path)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Keeps or removes the files whose resources are no longer there.
fn remove_gone(mirror: &Mirror, planned: &[Planned], ledger: &Ledger) -> io::Result<Vec<MirroredFile>> {
    let here: std::collections::HashSet<&str> = planned.iter().map(|planned| planned.resource.id.as_str()).collect();
    let mut gone = Vec::new();
    for (id, entry) in ledger.state().0.files.iter().filter(|(id, _)| !here.contains(id.as_str())) {
        gone.push((id.clone(), entry.clone()));
    }
    let mut files = Vec::new();
    for (id, entry) in gone {
        let outcome = match mirror.gone {
            Gone::Keep => {
                ledger.change(|state| {
                    if let Some(entry) = state.files.get_mut(&id) {
                        entry.gone = true;
                    }
                })?;
                Outcome::Gone
            }
            Gone::Remove => {
                for path in entry.previous.iter().chain([&entry.path]) {
                    let others = ledger.state().0.files.iter().filter(|(other, _)| **other != id).count();
                    let used = others > 0 && {
                        let inner = ledger.state();
                        let lower = path.to_lowercase();
                        inner.0.files.iter().any(|(other, entry)| *other != id && entry.path.to_lowercase() == lower)
                    };
                    if !used {
                        remove(&mirror.folder.join(path))?;
                    }
                }
                ledger.change(|state| {
                    state.files.remove(&id);
                })?;
                Outcome::Removed
            }
        };
        files.push(reported(&mirror.folder, &id, &entry.dataset, &entry.path, outcome));
    }
    Ok(files)
}
