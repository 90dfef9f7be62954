//! What a mirror remembers of its files, in a file of its folder.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

use crate::files::Validators;

/// The name of the state file.
pub(super) const STATE: &str = ".datagouv-mirror.json";

/// The version of its form. Another version is not understood, and the files are downloaded again.
const VERSION: u32 = 1;

/// What is known of the files of a folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    version: u32,
    /// The folders of datasets, by their ids; empty for the mirror of one dataset.
    pub folders: BTreeMap<String, String>,
    /// The files, by the ids of their resources.
    pub files: BTreeMap<String, Entry>,
}

/// A file of the mirror.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Its path in the folder, with `/`.
    pub path: String,
    /// The id of its dataset.
    pub dataset: String,
    /// Its name before it was made distinct from others.
    pub name: String,
    /// Its paths before, whose files are kept until it is downloaded under the new one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<String>,
    /// What is in the folder; `None` before the first download.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// Whether the resource is no longer there, and the file is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// A downloaded file, and its metadata at that time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Content {
    pub url: String,
    pub sha256: String,
    pub on_disk: OnDisk,
    /// The validators by which the server recognises the content.
    #[serde(default)]
    pub validators: Validators,
    /// The checksum that the platform declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// The date of the last change by the platform.
    pub dated: String,
}

/// By this, a file is seen to be changed by others without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OnDisk {
    pub size: u64,
    /// Nanoseconds since 1970.
    pub modified: u64,
}

impl OnDisk {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { size: metadata.len(), modified: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX) })
    }
}

impl State {
    /// Reads the state of a folder: that of a new mirror if there is none, or it is not understood.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        let bytes = match std::fs::read(folder.join(STATE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let state: Self = serde_json::from_slice(&bytes).unwrap_or_default();
        let within =
            state.files.values().all(|entry| entry.previous.iter().chain([&entry.path]).all(|path| is_within(path)))
                && state.folders.values().all(|folder| is_within(folder));
        // Whoever can write the state could otherwise have files elsewhere overwritten.
        Ok(if state.version == VERSION && within { state } else { Self::default() })
    }

    /// Writes the state, so that after a crash there is the whole of it or the whole of the one before.
    pub(super) fn write(&mut self, folder: &Path) -> io::Result<()> {
        self.version = VERSION;
        let temporary = folder.join(format!("{STATE}.part"));
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        std::fs::rename(&temporary, folder.join(STATE))?;
        sync_folder(folder);
        Ok(())
    }
}

/// Makes renames in a folder last. Not every system can, and what is lost is made again.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Returns whether a path stays in its folder.
pub(super) fn is_within(path: &str) -> bool {
    let path = Path::new(path);
    path.components().next().is_some()
        && path.components().all(|component| matches!(component, Component::Normal(_)))
        && !path.starts_with(STATE)
}

/// Computes the SHA-256 of a file.
pub(super) async fn hash(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = tokio::fs::File::open(path).await?;
    let mut piece = vec![0; 256 << 10];
    loop {
        match file.read(&mut piece).await? {
            0 => break,
            read => hasher.update(piece.get(..read).unwrap_or_default()),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Removes the temporary files that a killed program has left in a folder.
pub(super) fn remove_temporary(folder: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path: PathBuf = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let random = name.strip_prefix('.').and_then(|name| name.strip_suffix(".part")?.rsplit('.').next());
        if random.is_some_and(|random| random.len() == 8 && random.bytes().all(|digit| digit.is_ascii_hexdigit())) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_leads_out_of_the_folder_is_not_used() {
        for path in ["../a.csv", "/etc/passwd", "a/../../b.csv", "", ".", STATE] {
            assert!(!is_within(path), "{path}");
        }
        assert!(is_within("a.csv") && is_within("dataset/a.csv"));
        let folder = std::env::temp_dir().join(format!("datagouv-state-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut state = State::default();
        state.files.insert("r".to_owned(), Entry { path: "../a.csv".to_owned(), ..Entry::default() });
        state.write(&folder).unwrap();
        assert!(State::read(&folder).unwrap().files.is_empty());
        state.files.insert("r".to_owned(), Entry { path: "a.csv".to_owned(), ..Entry::default() });
        state.write(&folder).unwrap();
        assert_eq!(State::read(&folder).unwrap(), state);
        std::fs::write(folder.join(STATE), b"{\"version\":").unwrap();
        assert_eq!(State::read(&folder).unwrap(), State::default());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
