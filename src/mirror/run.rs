//! A run of a mirror.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::report::{MirrorReport, MirroredFile, Outcome};
use super::select::{Planned, plan};
use super::state::{Content, Entry, OnDisk, State, hash, remove_temporary};
use super::{Mirror, Orphans};
use crate::files::{Checksum, Tally, Validators};
use crate::main::types::{Filetype, Resource};
use crate::{Error, Result};

/// So often is the state written while files come. A file that is downloaded and not yet in it is downloaded again after a
/// crash, so that it is written no later than this, and not for each of thousands of small files.
const SAVED_EVERY: Duration = Duration::from_secs(2);

/// The state on its way to the disk.
struct Ledger {
    folder: PathBuf,
    inner: Mutex<Unsaved>,
}

struct Unsaved {
    state: State,
    changed: bool,
    /// When it was last written.
    saved: Option<Instant>,
}

impl Ledger {
    fn new(folder: PathBuf, state: State) -> Self {
        Self { folder, inner: Mutex::new(Unsaved { state, changed: true, saved: None }) }
    }

    fn lock(&self) -> MutexGuard<'_, Unsaved> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock().state)
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> io::Result<()> {
        let mut inner = self.lock();
        change(&mut inner.state);
        inner.changed = true;
        if inner.saved.is_none_or(|saved| saved.elapsed() >= SAVED_EVERY) { inner.write(&self.folder) } else { Ok(()) }
    }

    fn save(&self) -> io::Result<()> {
        self.lock().write(&self.folder)
    }
}

impl Unsaved {
    fn write(&mut self, folder: &Path) -> io::Result<()> {
        if std::mem::take(&mut self.changed) {
            self.state.write(folder)?;
            self.saved = Some(Instant::now());
        }
        Ok(())
    }
}

/// Saves what is known when a run is dropped, which spares downloads.
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
    /// It has changed according to the catalogue.
    Other(Box<Content>),
    /// A conditional request to its server decides.
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
    let planned = plan(datasets, mirror.source.has_folders(), &mirror.selection, mirror.orphans, &mut state);
    if mirror.dry_run {
        return Ok(rehearse(&mirror, &planned, &state).await);
    }
    for within in std::iter::once("").chain(state.folders.values().map(String::as_str)) {
        remove_temporary(&folder.join(within)).map_err(local)?;
    }
    let ledger = Ledger::new(folder.clone(), state);
    // The names are kept from now on, however far this run comes.
    ledger.save().map_err(local)?;

    let total = planned.len() as u64;
    let tally = Tally::new(mirror.listener.clone(), total);
    // By number: a closure that takes references would make a future that cannot be spawned.
    let files = (0..planned.len()).filter_map(|number| {
        let (mirror, planned, ledger, tally) = (&mirror, planned.get(number)?, &ledger, tally.clone());
        Some(async move {
            let outcome = follow(mirror, planned, ledger, &tally).await.unwrap_or_else(Outcome::Failed);
            tally.finished(&planned.path);
            reported(&mirror.folder, &planned.resource.id, &planned.dataset, &planned.path, outcome)
        })
    });
    let mut files: Vec<MirroredFile> = stream::iter(files).buffered(mirror.concurrency).collect().await;
    files.extend(remove_orphans(&mirror, &planned, &ledger).map_err(local)?);
    ledger.save().map_err(local)?;
    Ok(MirrorReport { files, dry_run: false })
}

fn reported(folder: &Path, resource: &str, dataset: &str, path: &str, outcome: Outcome) -> MirroredFile {
    MirroredFile { resource: resource.to_owned(), dataset: dataset.to_owned(), path: folder.join(path), outcome }
}

/// What a run would do, as far as it is known without asking the servers of the files.
async fn rehearse(mirror: &Mirror, planned: &[Planned], state: &State) -> MirrorReport {
    let mut files = Vec::new();
    for planned in planned {
        let content = state.files.get(&planned.resource.id).and_then(|entry| entry.content.as_ref());
        let outcome = match known(&mirror.folder.join(&planned.path), &planned.resource, content).await {
            Known::Nothing => Outcome::New,
            Known::Same(_) => Outcome::Unchanged,
            Known::Other(_) => Outcome::Changed,
            Known::Open(_) => Outcome::Unknown,
        };
        files.push(reported(&mirror.folder, &planned.resource.id, &planned.dataset, &planned.path, outcome));
    }
    let orphans = state.files.iter().filter(|(id, _)| planned.iter().all(|planned| planned.resource.id != **id));
    files.extend(orphans.map(|(id, entry)| {
        let outcome = if mirror.orphans == Orphans::Remove { Outcome::Removed } else { Outcome::Orphaned };
        reported(&mirror.folder, id, &entry.dataset, &entry.path, outcome)
    }));
    MirrorReport { files, dry_run: true }
}

/// The checksum that the catalogue declares, as text.
fn declared(resource: &Resource) -> Option<String> {
    resource.checksum.as_ref().and_then(Option::<Checksum>::from).map(|checksum| checksum.to_string())
}

async fn known(path: &Path, resource: &Resource, content: Option<&Content>) -> Known {
    let Some(content) = content else { return Known::Nothing };
    let Ok(on_disk) = OnDisk::of(path) else { return Known::Nothing };
    if on_disk != content.on_disk && hash(path).await.ok().as_ref() != Some(&content.sha256) {
        return Known::Nothing;
    }
    let now = Box::new(Content { on_disk, ..content.clone() });
    let declared = declared(resource);
    let dated = || content.dated == resource.last_modified.as_str();
    let same = content.url == resource.url && content.declared == declared && (declared.is_some() || dated());
    match resource.filetype {
        // The platform changes URL and checksum of its own files whenever their content changes.
        Filetype::File if same => Known::Same(now),
        Filetype::File => Known::Other(now),
        _ => Known::Open(now),
    }
}

/// Brings a file up to date.
async fn follow(mirror: &Mirror, planned: &Planned, ledger: &Ledger, tally: &Tally<str>) -> Result<Outcome> {
    let Planned { resource, path, .. } = planned;
    let target = mirror.folder.join(path);
    let local = |error: io::Error| Error::local(&target, error);
    let before = ledger.read(|state| state.files.get(&resource.id)?.content.clone());
    let (since, before) = match known(&target, resource, before.as_ref()).await {
        Known::Nothing => (Validators::default(), None),
        Known::Same(content) => {
            keep(mirror, planned, *content, ledger).map_err(local)?;
            return Ok(Outcome::Unchanged);
        }
        Known::Open(content) if content.url == resource.url => (content.validators.clone(), Some(content)),
        Known::Other(content) | Known::Open(content) => (Validators::default(), Some(content)),
    };
    if let Some(folder) = target.parent() {
        tokio::fs::create_dir_all(folder).await.map_err(local)?;
    }
    let download = mirror.client.file(resource).download(&target).verify(mirror.verify).sync(true);
    let download = download.progress(tally.of_file(path.clone()));
    let Some(downloaded) = download.send_if_changed(&since).await? else {
        keep(mirror, planned, before.map(|content| *content).unwrap_or_default(), ledger).map_err(local)?;
        return Ok(Outcome::Unchanged);
    };
    let content = Content {
        url: resource.url.clone(),
        sha256: hash(&target).await.map_err(local)?,
        on_disk: OnDisk::of(&target).map_err(local)?,
        validators: Validators::of(&downloaded),
        ..Content::default()
    };
    let outcome = match &before {
        None => Outcome::New,
        Some(before) if before.sha256 == content.sha256 => Outcome::Unchanged,
        Some(_) => Outcome::Changed,
    };
    keep(mirror, planned, content, ledger).map_err(local)?;
    Ok(outcome)
}

/// Records what is in the folder now, and removes what the file was before it was renamed.
fn keep(mirror: &Mirror, planned: &Planned, content: Content, ledger: &Ledger) -> io::Result<()> {
    let id = &planned.resource.id;
    let mut previous = Vec::new();
    ledger.change(|state| {
        if let Some(entry) = state.files.get_mut(id) {
            let dated = planned.resource.last_modified.as_str().to_owned();
            entry.content = Some(Content { declared: declared(&planned.resource), dated, ..content });
            previous.clone_from(&entry.previous);
        }
        previous.retain(|path| !is_used(state, path, None));
    })?;
    for path in &previous {
        remove(&mirror.folder.join(path))?;
    }
    ledger.change(|state| {
        if let Some(entry) = state.files.get_mut(id) {
            entry.previous.clear();
        }
    })
}

/// Returns whether a path is that of a file, other than one, on systems without case too.
fn is_used(state: &State, path: &str, except: Option<&str>) -> bool {
    let path = path.to_lowercase();
    let others = state.files.iter().filter(|(id, _)| except.is_none_or(|except| except != *id));
    others.map(|(_, entry)| entry).any(|entry| entry.path.to_lowercase() == path)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Keeps or removes the files whose resources are no longer there.
fn remove_orphans(mirror: &Mirror, planned: &[Planned], ledger: &Ledger) -> io::Result<Vec<MirroredFile>> {
    let here: std::collections::HashSet<&str> = planned.iter().map(|planned| planned.resource.id.as_str()).collect();
    let orphans: Vec<(String, Entry)> = ledger.read(|state| {
        let orphans = state.files.iter().filter(|(id, _)| !here.contains(id.as_str()));
        orphans.map(|(id, entry)| (id.clone(), entry.clone())).collect()
    });
    let mut files = Vec::new();
    for (id, entry) in orphans {
        let outcome = match mirror.orphans {
            Orphans::Keep => {
                ledger.change(|state| {
                    if let Some(entry) = state.files.get_mut(&id) {
                        entry.gone = true;
                    }
                })?;
                Outcome::Orphaned
            }
            Orphans::Remove => {
                for path in entry.previous.iter().chain([&entry.path]) {
                    if !ledger.read(|state| is_used(state, path, Some(&id))) {
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
