//! A file that is there when it is whole, and not before.

use std::io;
use std::path::PathBuf;

use tokio::fs::File;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

/// A temporary file beside its target. Dropped before [`finish`](Self::finish), it is removed.
pub(super) struct Partial {
    file: File,
    target: PathBuf,
    guard: Guard,
}

struct Guard(Option<PathBuf>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // There is nobody left to tell.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Partial {
    /// Creates it. In one step, without waiting, so that there is never a file that nobody removes.
    pub(super) fn create(target: PathBuf) -> io::Result<Self> {
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        loop {
            let path = target.with_file_name(format!(".{name}.{:08x}.part", fastrand::u32(..)));
            match std::fs::OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self { file: File::from_std(file), target, guard: Guard(Some(path)) }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// Forgets what was written.
    pub(super) async fn clear(&mut self) -> io::Result<()> {
        self.file.flush().await?;
        self.file.rewind().await?;
        self.file.set_len(0).await
    }

    /// Moves it to its target, in one step; what was there is replaced.
    pub(super) async fn finish(self) -> io::Result<PathBuf> {
        let Self { mut file, target, mut guard } = self;
        file.flush().await?;
        file.sync_all().await?;
        drop(file);
        if let Some(path) = &guard.0 {
            tokio::fs::rename(path, &target).await?;
        }
        guard.0 = None;
        Ok(target)
    }
}
