//! Changes of the files of datasets in the catalogue.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream;

use super::Mirror;
use super::select::plan;
use super::state::State;
use crate::Result;
use crate::main::types::Resource;

/// A change of a file in the catalogue.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// What has happened to it.
    pub kind: ChangeKind,
    /// The id of its dataset.
    pub dataset: String,
    /// The resource; one that was removed is as it was last.
    pub resource: Resource,
}

/// A kind of a [`Change`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The file was added.
    New,
    /// Its URL, checksum, size or date is another, or the platform's analysis has found another content.
    Changed,
    /// It was removed, or is no longer selected.
    Removed,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ChangeKind::New => "new",
            ChangeKind::Changed => "changed",
            ChangeKind::Removed => "removed",
        };
        write!(f, "{kind}: {} ({})", self.resource.title, self.resource.url)
    }
}

/// A [`Stream`] of changes of files in the catalogue; made by [`Mirror::watch`].
#[must_use = "a stream does nothing until it is polled"]
pub struct Watch {
    changes: Pin<Box<dyn Stream<Item = Result<Change>> + Send>>,
}

type Seen = BTreeMap<String, (String, Resource)>;

struct Watching {
    mirror: Mirror,
    every: Duration,
    /// What was last seen; `None` before the first response.
    seen: Option<Seen>,
    next: Option<tokio::time::Instant>,
    ready: VecDeque<Change>,
}

impl Watch {
    pub(super) fn new(mirror: Mirror, every: Duration) -> Self {
        let watching = Watching { mirror, every, seen: None, next: None, ready: VecDeque::new() };
        let changes = stream::unfold(watching, |mut watching| async move {
            let change = watching.change().await;
            Some((change, watching))
        });
        Self { changes: Box::pin(changes) }
    }

    /// Returns the next change. It waits as long as there is none.
    pub async fn next(&mut self) -> Option<Result<Change>> {
        std::future::poll_fn(|context| self.changes.as_mut().poll_next(context)).await
    }
}

impl Watching {
    async fn change(&mut self) -> Result<Change> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Ok(change);
            }
            if let Some(next) = self.next {
                tokio::time::sleep_until(next).await;
            }
            // Not from the end of a request that takes long.
            self.next = Some(tokio::time::Instant::now() + self.every);
            let datasets = self.mirror.source.list(&self.mirror.client).await?;
            let planned = plan(datasets, false, &self.mirror.selection, self.mirror.orphans, &mut State::default());
            let now: Seen = planned
                .into_iter()
                .map(|planned| (planned.resource.id.clone(), (planned.dataset, planned.resource)))
                .collect();
            if let Some(before) = self.seen.replace(now.clone()) {
                self.ready = compare(before, now).into();
            }
        }
    }
}

/// What shows that a file is another.
fn signs(resource: &Resource) -> impl PartialEq + use<> {
    let analysed = ["analysis:checksum", "analysis:last-modified-at"].map(|key| resource.extras.get(key).cloned());
    let checksum = resource.checksum.as_ref().map(|checksum| checksum.value.clone());
    (resource.url.clone(), checksum, resource.filesize, resource.last_modified.as_str().to_owned(), analysed)
}

fn compare(mut before: Seen, now: Seen) -> Vec<Change> {
    let mut changes = Vec::new();
    for (id, (dataset, resource)) in now {
        let kind = match before.remove(&id) {
            None => ChangeKind::New,
            Some((_, before)) if signs(&before) != signs(&resource) => ChangeKind::Changed,
            Some(_) => continue,
        };
        changes.push(Change { kind, dataset, resource });
    }
    let removed = before.into_values();
    changes.extend(removed.map(|(dataset, resource)| Change { kind: ChangeKind::Removed, dataset, resource }));
    changes
}

impl Stream for Watch {
    type Item = Result<Change>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.changes.as_mut().poll_next(context)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
