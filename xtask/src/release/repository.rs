//! What git knows: the last release, and files as they were.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::version::Version;

/// A repository, at its root.
pub struct Repository {
    root: PathBuf,
}

/// The state that is compared with.
#[derive(Debug, Clone)]
pub struct Base {
    /// The full id of the commit.
    pub revision: String,
    /// Its name, for people.
    pub name: String,
    /// The version that it released, where it is a tag.
    pub released: Option<Version>,
}

impl Repository {
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    /// The root of the working tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The revision that is named, or else the last tag of a version, or else the first commit.
    ///
    /// # Errors
    /// If there is none, or the history is cut.
    pub fn base(&self, since: Option<&str>) -> Result<Base, String> {
        if let Some(since) = since {
            let revision = self.text(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit(since)]);
            let revision = revision.map_err(|_| format!("`{since}` is no commit of {}", self.root.display()))?;
            return Ok(Base { revision, name: since.to_owned(), released: version_of(since) });
        }
        self.text(&["rev-parse", "--verify", "HEAD"])?;
        if let Ok(tag) = self.text(&["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]) {
            let revision = self.text(&["rev-parse", "--verify", &commit(&tag)])?;
            return Ok(Base { revision, released: version_of(&tag), name: tag });
        }
        if self.text(&["rev-parse", "--is-shallow-repository"])? == "true" {
            return Err("the history is cut and has no tag of a version: `git fetch --unshallow --tags`".to_owned());
        }
        let first = self.text(&["rev-list", "--max-parents=0", "HEAD"])?;
        let revision = first.lines().last().unwrap_or_default().to_owned();
        let short = revision.get(..7).unwrap_or_default();
        Ok(Base { name: format!("the first commit, {short}"), revision, released: None })
    }

    /// A file as a commit has it; `None` where it has not.
    ///
    /// # Errors
    /// If git cannot be run.
    pub fn show(&self, revision: &str, path: &str) -> Result<Option<Vec<u8>>, String> {
        let mut command = self.git();
        let output = command.args(["cat-file", "blob", &format!("{revision}:{path}")]).output();
        let output = output.map_err(|error| format!("git: {error}"))?;
        Ok(output.status.success().then_some(output.stdout))
    }

    /// The paths that git knows of the working tree.
    ///
    /// # Errors
    /// If git cannot list them.
    pub fn files(&self) -> Result<Vec<String>, String> {
        let list = self.text(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        Ok(list.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
    }

    /// Writes the files of a commit into a folder. The repository and its index stay as they are.
    ///
    /// # Errors
    /// If git or the file system fails.
    pub fn export(&self, revision: &str, folder: &Path) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(failed)?;
        }
        fs::create_dir_all(folder).map_err(failed)?;
        let index = folder.join(".index");
        let prefix = format!("--prefix={}/", folder.display());
        for arguments in [["read-tree", "--reset", revision], ["checkout-index", "--all", &prefix]] {
            let mut command = self.git();
            run(command.env("GIT_INDEX_FILE", &index).args(arguments))?;
        }
        fs::remove_file(&index).map_err(failed)
    }

    fn text(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = self.git();
        run(command.args(arguments)).map(|text| text.trim_end_matches('\n').to_owned())
    }

    fn git(&self) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.root).stdin(Stdio::null());
        command
    }
}

fn commit(name: &str) -> String {
    format!("{name}^{{commit}}")
}

fn version_of(tag: &str) -> Option<Version> {
    Version::parse(tag.strip_prefix('v')?)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("git: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let reason = stderr.lines().next().unwrap_or("it does not say why").trim_start_matches("fatal: ").to_owned();
    Err(format!("git: {reason}"))
}
