//! Several files that change together: after a crash, the old ones are all there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder, below the root, of a replacement in progress; it remains after a crash.
const STAGE: &str = ".refresh";

/// The journal: the files that change, a line each. While it exists, the old ones are valid.
const JOURNAL: &str = "journal";

/// A folder of files.
pub struct Store {
    root: PathBuf,
}

/// A file of a store, and its new content.
pub struct Replacement {
    /// The path, from the store's root.
    pub path: String,
    /// The new content.
    pub bytes: Vec<u8>,
}

impl Store {
    /// Opens a folder, and restores files that a crash left half replaced. Returns whether there were any.
    pub fn open(root: &Path) -> io::Result<(Self, bool)> {
        let store = Self { root: root.to_path_buf() };
        let recovered = store.recover()?;
        Ok((store, recovered))
    }

    /// Replaces all of the files, or none.
    pub fn replace(&self, replacements: &[Replacement]) -> io::Result<()> {
        self.replace_with_hook(replacements, |_| Ok(()))
    }

    /// [`replace`](Self::replace); `before` is called before each step that can be seen from outside.
    fn replace_with_hook(
        &self,
        replacements: &[Replacement],
        before: impl FnMut(usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let done = self.attempt(replacements, before);
        if done.is_err() {
            self.recover()?;
        }
        done
    }

    fn attempt(&self, replacements: &[Replacement], mut before: impl FnMut(usize) -> io::Result<()>) -> io::Result<()> {
        let stage = self.stage();
        fs::create_dir(&stage)?;
        let mut journal = String::new();
        for (index, replacement) in replacements.iter().enumerate() {
            match fs::read(self.root.join(&replacement.path)) {
                Ok(old) => write_through(&self.old(index), &old)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            write_through(&self.staged(index), &replacement.bytes)?;
            journal.push_str(&replacement.path);
            journal.push('\n');
        }
        before(0)?;
        let written = stage.join("journal.part");
        write_through(&written, journal.as_bytes())?;
        fs::rename(written, stage.join(JOURNAL))?;
        sync_folder(&stage)?;
        for (index, replacement) in replacements.iter().enumerate() {
            before(index + 1)?;
            let target = self.root.join(&replacement.path);
            fs::rename(self.staged(index), &target)?;
            sync_folder(target.parent().unwrap_or(&self.root))?;
        }
        before(replacements.len() + 1)?;
        // From here on the new ones are valid.
        fs::remove_file(stage.join(JOURNAL))?;
        sync_folder(&stage)?;
        fs::remove_dir_all(stage)
    }

    fn recover(&self) -> io::Result<bool> {
        let stage = self.stage();
        if !stage.exists() {
            return Ok(false);
        }
        let journal = stage.join(JOURNAL);
        let journal_text = match fs::read_to_string(&journal) {
            Ok(journal_text) => journal_text,
            // Nothing was replaced yet, or everything.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::remove_dir_all(stage)?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        for (index, path) in journal_text.lines().enumerate() {
            let target = self.root.join(path);
            match fs::read(self.old(index)) {
                // A copy: a crash in the middle of this finds it again.
                Ok(old) => {
                    let part = stage.join("old.part");
                    write_through(&part, &old)?;
                    fs::rename(part, &target)?;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::remove_file(&target) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                },
                Err(error) => return Err(error),
            }
            sync_folder(target.parent().unwrap_or(&self.root))?;
        }
        fs::remove_file(journal)?;
        fs::remove_dir_all(stage)?;
        Ok(true)
    }

    fn stage(&self) -> PathBuf {
        self.root.join(STAGE)
    }

    fn old(&self, index: usize) -> PathBuf {
        self.stage().join(format!("{index}.old"))
    }

    fn staged(&self, index: usize) -> PathBuf {
        self.stage().join(format!("{index}.new"))
    }
}

/// Writes a file, and returns when it is on the disk.
fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Returns when the names of a folder are on the disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("datagouv-store-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(folder.join("main")).unwrap();
            fs::write(folder.join("main/document"), "old document").unwrap();
            fs::write(folder.join("provenance"), "old provenance").unwrap();
            Self(folder)
        }

        fn content(&self) -> [Option<String>; 3] {
            ["main/document", "provenance", "main/added"].map(|path| fs::read_to_string(self.0.join(path)).ok())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn replacements() -> Vec<Replacement> {
        ["main/document", "main/added", "provenance"]
            .map(|path| Replacement { path: path.to_owned(), bytes: b"new".to_vec() })
            .into()
    }

    fn old() -> [Option<String>; 3] {
        [Some("old document".to_owned()), Some("old provenance".to_owned()), None]
    }

    fn all_new() -> [Option<String>; 3] {
        [0, 1, 2].map(|_| Some("new".to_owned()))
    }

    #[test]
    fn all_files_are_replaced_and_nothing_else_is_left() {
        let folder = Folder::new("all");
        let (store, recovered) = Store::open(&folder.0).unwrap();
        assert!(!recovered);
        store.replace(&replacements()).unwrap();
        assert_eq!(folder.content(), all_new());
        assert!(!folder.0.join(STAGE).exists());
    }

    #[test]
    fn a_step_that_fails_leaves_all_files_as_they_were() {
        for step in 0..=4 {
            let folder = Folder::new(&format!("fails-{step}"));
            let (store, _) = Store::open(&folder.0).unwrap();
            let failed = store.replace_with_hook(&replacements(), |at| {
                if at == step { Err(io::Error::other("no room")) } else { Ok(()) }
            });
            assert_eq!(failed.unwrap_err().to_string(), "no room");
            assert_eq!(folder.content(), old(), "step {step}");
            assert!(!folder.0.join(STAGE).exists());
        }
    }

    #[test]
    fn after_a_crash_at_any_step_the_old_files_are_back_together() {
        for step in 0..=4 {
            let folder = Folder::new(&format!("crash-{step}"));
            let (store, _) = Store::open(&folder.0).unwrap();
            let crashed = catch_unwind(AssertUnwindSafe(|| {
                store.replace_with_hook(&replacements(), |at| {
                    assert_ne!(at, step, "the power goes");
                    Ok(())
                })
            }));
            assert!(crashed.is_err());
            // Some are replaced, some not: this is what has to be mended.
            assert_eq!(folder.content() == old(), step <= 1, "step {step}");
            let (_, recovered) = Store::open(&folder.0).unwrap();
            assert_eq!(recovered, step >= 1);
            assert_eq!(folder.content(), old(), "step {step}");
            assert!(!folder.0.join(STAGE).exists());
        }
    }

    #[test]
    fn a_crash_during_cleanup_keeps_the_new_files() {
        let folder = Folder::new("sweep");
        let (store, _) = Store::open(&folder.0).unwrap();
        store.replace(&replacements()).unwrap();
        // What was still there when the journal was gone.
        fs::create_dir(folder.0.join(STAGE)).unwrap();
        fs::write(folder.0.join(STAGE).join("0.old"), "old document").unwrap();
        let (_, recovered) = Store::open(&folder.0).unwrap();
        assert!(!recovered);
        assert_eq!(folder.content(), all_new());
        assert!(!folder.0.join(STAGE).exists());
    }
}
