//! Manifests of crates, with the lines of what they say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use toml_edit::{Document, Item, TableLike};

/// A `Cargo.toml`.
pub struct Manifest {
    /// The path, from the root.
    pub path: String,
    document: Document<String>,
    /// That of the workspace around it, where it is another one.
    workspace: Option<Document<String>>,
}

/// A dependency on a crate of the project.
pub struct PathDependency {
    /// The section: `dependencies`.
    pub section: &'static str,
    pub name: String,
    pub version: Option<String>,
    pub line: usize,
}

/// What a manifest says, and where.
pub struct Said {
    pub text: String,
    pub line: usize,
}

impl Manifest {
    /// Reads a manifest of the folder.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(root: &Path, path: &str) -> Result<Self, String> {
        let document = parse(root, path)?;
        let mut workspace = None;
        let mut folder = Path::new(path).parent().filter(|_| document.get("workspace").is_none());
        while let Some(above) = folder.and_then(Path::parent) {
            let path = above.join("Cargo.toml").to_string_lossy().into_owned();
            if root.join(&path).exists() {
                workspace = Some(parse(root, &path)?).filter(|found| found.get("workspace").is_some());
            }
            folder = Some(above).filter(|_| workspace.is_none());
        }
        Ok(Self { path: path.to_owned(), document, workspace })
    }

    /// A member of the package, which may be that of the workspace.
    pub fn package(&self, key: &str) -> Option<&Item> {
        let own = self.get(&["package", key])?;
        if own.get("workspace").and_then(Item::as_bool) != Some(true) {
            return Some(own);
        }
        let workspace = self.workspace.as_ref().unwrap_or(&self.document);
        workspace.get("workspace")?.get("package")?.get(key)
    }

    /// The value at a path of keys.
    pub fn get(&self, keys: &[&str]) -> Option<&Item> {
        keys.iter().try_fold(self.document.as_item(), |item, key| item.get(key))
    }

    /// A text at a path of keys, with its line.
    pub fn said(&self, keys: &[&str]) -> Option<Said> {
        let item = self.get(keys)?;
        Some(Said { text: item.as_str()?.to_owned(), line: self.line(item) })
    }

    pub fn name(&self) -> Option<&str> {
        self.get(&["package", "name"])?.as_str()
    }

    /// Whether the crate may be published: cargo refuses one that has no version.
    pub fn is_published(&self) -> bool {
        let may_be = self.package("publish").and_then(Item::as_bool) != Some(false);
        may_be && self.name().is_some() && self.package("version").is_some()
    }

    /// The line of an item, from one.
    pub fn line(&self, item: &Item) -> usize {
        let start = item.span().map_or(0, |span| span.start);
        line_of(self.document.raw(), start)
    }

    /// The dependencies on crates of the project.
    pub fn path_dependencies(&self) -> Vec<PathDependency> {
        let mut found = Vec::new();
        for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let table = self.get(&[section]).and_then(Item::as_table_like);
            for (name, item) in table.into_iter().flat_map(TableLike::iter) {
                if item.get("path").and_then(Item::as_str).is_none() {
                    continue;
                }
                let package = item.get("package").and_then(Item::as_str).unwrap_or(name);
                found.push(PathDependency {
                    section,
                    name: package.to_owned(),
                    version: item.get("version").and_then(Item::as_str).map(str::to_owned),
                    line: self.line(item),
                });
            }
        }
        found
    }

    /// The features, with what each enables and its line.
    pub fn features(&self) -> Vec<(String, Vec<String>, usize)> {
        let table = self.get(&["features"]).and_then(Item::as_table_like);
        let feature = |(name, item): (&str, &Item)| (name.to_owned(), texts(item), self.line(item));
        table.into_iter().flat_map(TableLike::iter).map(feature).collect()
    }

    /// The features that a list enables, with those that these enable.
    pub fn enabled(&self, list: impl IntoIterator<Item = String>) -> BTreeSet<String> {
        let features = self.features();
        let mut enabled = BTreeSet::new();
        let mut open: Vec<String> = list.into_iter().collect();
        while let Some(name) = open.pop() {
            if let Some((_, others, _)) = features.iter().find(|(feature, ..)| *feature == name)
                && enabled.insert(name)
            {
                open.extend(others.iter().cloned());
            }
        }
        enabled
    }

    /// The features that are for users: none with `_` before its name, nor one that enables such a one, nor those that
    /// only pass something on to a dependency, by which no item of the crate comes or goes.
    pub fn public_features(&self) -> Vec<String> {
        let is_private = |name: &str| self.enabled([name.to_owned()]).iter().any(|it| it.starts_with('_'));
        let features = self.features().into_iter().filter(|(name, others, _)| {
            let passes_on = !others.is_empty() && others.iter().all(|other| other.contains('/'));
            name != "default" && !is_private(name) && !passes_on
        });
        features.map(|(name, ..)| name).collect()
    }
}

fn parse(root: &Path, path: &str) -> Result<Document<String>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{path}: {error}");
    let text = fs::read_to_string(root.join(path)).map_err(|error| failed(&error))?;
    Document::parse(text).map_err(|error| failed(&error))
}

/// The texts of a list.
pub fn texts(item: &Item) -> Vec<String> {
    item.as_array().into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// The line of an offset, from one.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
