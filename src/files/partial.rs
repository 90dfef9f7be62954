//! Temporary files, moved to their target when complete.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use super::expected::{Check, Expected};
use super::transfer::Piece;

/// How many pieces may wait to be written; a piece has a few hundred kilobytes at most.
const WAITING: usize = 8;

/// How many bytes are written between syncs to disk, so that little is left for the end.
const SYNC_INTERVAL: usize = 32 << 20;

/// A temporary file next to its target. Dropped before [`Complete::finish`], it is removed.
///
/// Threads write and hash each piece while the next ones arrive. They do not belong to the runtime's blocking pool, which may
/// be small, because they are used for as long as the download takes.
pub(super) struct Partial {
    pieces: mpsc::Sender<Piece>,
    written: oneshot::Receiver<io::Result<(File, Check)>>,
    target: PathBuf,
    sync: bool,
    guard: Guard,
}

/// The temporary file with all of its bytes.
pub(super) struct Complete {
    file: File,
    target: PathBuf,
    sync: bool,
    guard: Guard,
}

struct Guard(Option<PathBuf>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // An error cannot be reported here.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Partial {
    /// Creates the file, without an await, so that a dropped download cannot leave it behind. With `sync`, its bytes are on
    /// disk before it is moved.
    pub(super) fn create(target: PathBuf, expected: Expected, sync: bool) -> io::Result<Self> {
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (file, guard) = loop {
            let path = target.with_file_name(format!(".{name}.{:08x}.part", fastrand::u32(..)));
            match std::fs::OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => break (file, Guard(Some(path))),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        };
        let (pieces, waiting) = mpsc::channel(WAITING);
        let (sender, written) = oneshot::channel();
        // The receiver is gone if the download was dropped.
        start(move || drop(sender.send(write(file, expected, waiting, sync))))?;
        Ok(Self { pieces, written, target, sync, guard })
    }

    /// Adds a piece.
    pub(super) async fn take(&mut self, piece: Piece) -> io::Result<()> {
        if self.pieces.send(piece).await.is_ok() {
            return Ok(());
        }
        // The thread ends early only if it cannot write.
        Err((&mut self.written).await.ok().and_then(Result::err).unwrap_or_else(ended))
    }

    /// Waits until everything is written.
    pub(super) async fn complete(self) -> io::Result<(Complete, Check)> {
        let Self { pieces, written, target, sync, guard } = self;
        drop(pieces);
        let (file, check) = written.await.unwrap_or_else(|_| Err(ended()))?;
        Ok((Complete { file, target, sync, guard }, check))
    }
}

impl Complete {
    /// Moves the file to its target atomically, replacing an existing file.
    pub(super) async fn finish(self) -> io::Result<PathBuf> {
        let Self { file, target, sync, mut guard } = self;
        if sync {
            tokio::fs::File::from_std(file).sync_all().await?;
        }
        if let Some(path) = &guard.0 {
            tokio::fs::rename(path, &target).await?;
        }
        guard.0 = None;
        Ok(target)
    }
}

fn start<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name("datagouv-file".to_owned()).spawn(work)
}

fn ended() -> io::Error {
    io::Error::other("a thread that works on the file has ended")
}

fn write(
    mut file: File,
    expected: Expected,
    mut pieces: mpsc::Receiver<Piece>,
    sync: bool,
) -> io::Result<(File, Check)> {
    let start_checking = || WorkerThread::start(WAITING, check(expected.clone()));
    let checking = expected.checksum.is_some().then(start_checking).transpose()?;
    let mut background = sync.then(BackgroundSync::default);
    while let Some(piece) = pieces.blocking_recv() {
        if let Some(checking) = &checking {
            checking.give(piece.clone())?;
        }
        match piece {
            Piece::Bytes(bytes) => {
                file.write_all(&bytes)?;
                if let Some(background) = &mut background {
                    background.wrote(bytes.len(), &file)?;
                }
            }
            // The bytes written so far are void.
            Piece::Anew => {
                file.rewind()?;
                file.set_len(0)?;
            }
        }
    }
    background.map_or(Ok(()), BackgroundSync::finish)?;
    let check = checking.map_or_else(|| Ok(expected.check()), WorkerThread::finish)?;
    Ok((file, check))
}

fn check(expected: Expected) -> impl FnOnce(Receiver<Piece>) -> Check {
    move |pieces| {
        let mut check = expected.check();
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => check.update(&bytes),
                Piece::Anew => check = expected.check(),
            }
        }
        check
    }
}

/// A thread that processes pieces.
struct WorkerThread<T, Made> {
    given: SyncSender<T>,
    thread: JoinHandle<Made>,
}

impl<T: Send + 'static, Made: Send + 'static> WorkerThread<T, Made> {
    fn start(waiting: usize, work: impl FnOnce(Receiver<T>) -> Made + Send + 'static) -> io::Result<Self> {
        let (given, taken) = sync_channel(waiting);
        Ok(Self { given, thread: start(move || work(taken))? })
    }

    /// Queues a piece; waits if the queue is full.
    fn give(&self, item: T) -> io::Result<()> {
        self.given.send(item).map_err(|_| ended())
    }

    /// Closes the queue and returns the result of the thread.
    fn finish(self) -> io::Result<Made> {
        drop(self.given);
        self.thread.join().map_err(|_| ended())
    }
}

/// Syncs written bytes to disk while more are written.
#[derive(Default)]
struct BackgroundSync {
    written: usize,
    worker: Option<WorkerThread<(), io::Result<()>>>,
}

impl BackgroundSync {
    fn wrote(&mut self, bytes: usize, file: &File) -> io::Result<()> {
        self.written += bytes;
        if self.written < SYNC_INTERVAL {
            return Ok(());
        }
        self.written = 0;
        let worker = match &mut self.worker {
            Some(worker) => worker,
            none => {
                let file = file.try_clone()?;
                let keep = move |woken: Receiver<()>| woken.into_iter().try_for_each(|()| file.sync_data());
                none.insert(WorkerThread::start(1, keep)?)
            }
        };
        // If it is still busy, one sync afterwards is enough; if it has failed, the error is returned at the end.
        let _ = worker.given.try_send(());
        Ok(())
    }

    /// The system reports a failed sync only once, so the error is passed on.
    fn finish(self) -> io::Result<()> {
        self.worker.map_or(Ok(()), |worker| worker.finish()?)
    }
}
