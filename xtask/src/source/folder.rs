//! The files beside a document, to which it may refer.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::{git, parse, read};

/// The folder of a document, which references do not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    root: Root,
    /// The document, from there.
    file: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Root {
    Files(PathBuf),
    /// `REVISION:FOLDER/`
    Commit(String),
}

impl Folder {
    /// The folder in which a file lies.
    pub fn of_file(file: &Path) -> Self {
        let folder = file.parent().unwrap_or(Path::new(""));
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { root: Root::Files(folder.to_owned()), file: name }
    }

    /// The folder in which a file of a commit lies, `REVISION:PATH`.
    pub(super) fn of_commit(object: &str) -> Self {
        let end = object.rfind(['/', ':']).map_or(0, |end| end + 1);
        let (folder, name) = object.split_at(end);
        Self { root: Root::Commit(folder.to_owned()), file: name.to_owned() }
    }

    /// A folder further up, to which references may lead as well.
    ///
    /// # Errors
    ///
    /// When the document is not in it.
    pub fn within(self, folder: &Path) -> Result<Self, String> {
        let Root::Files(own) = &self.root else { return Err("a folder is for documents that are files".to_owned()) };
        let whole = |path: &Path| path.canonicalize().map_err(|error| format!("{}: {error}", path.display()));
        let (own, root) = (whole(own)?, whole(folder)?);
        let below = own.strip_prefix(&root).map_err(|_| format!("the document is not in {}", folder.display()))?;
        let below = below.components().filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            _ => None,
        });
        let file = below.chain([self.file]).collect::<Vec<_>>().join("/");
        Ok(Self { root: Root::Files(root), file })
    }

    /// The path of the document in the folder.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The text of a file, by its path in the folder.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is elsewhere by way of a link.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        match &self.root {
            Root::Commit(folder) => git::show(&format!("{folder}{path}")),
            Root::Files(folder) => {
                let whole = |path: &Path| path.canonicalize().map_err(|error| error.to_string());
                let file = whole(&folder.join(path))?;
                if !file.starts_with(whole(folder)?) {
                    return Err("it is outside of the folder of the document".to_owned());
                }
                read(&file)
            }
        }
    }

    /// The value that a file holds.
    pub(super) fn parse(&self, path: &str) -> Result<Value, String> {
        parse(&self.read(path)?)
    }
}
