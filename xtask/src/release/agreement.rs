//! Whether CHANGELOG, manifests, README and the metadata of docs.rs agree with each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Serialize;
use toml_edit::{DocumentMut, Item, TableLike};

use super::manifest::{Manifest, texts};
use super::version::Version;

/// Two files, or a file and the changes, that do not agree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    pub file: String,
    /// From one.
    pub line: usize,
    pub text: String,
}

/// The manifests of the project.
pub struct Project {
    /// Of the crate, and of the workspace.
    pub main: Manifest,
    /// Of all others that have a version of their own or of the workspace.
    others: Vec<Manifest>,
    /// The version of the workspace, with its line.
    pub version: Version,
    pub version_line: usize,
}

/// A section of the changelog.
pub struct Section {
    pub version: Option<Version>,
    pub is_unreleased: bool,
    pub line: usize,
    is_empty: bool,
}

impl Finding {
    pub fn new(file: &str, line: usize, text: String) -> Self {
        Self { file: file.to_owned(), line, text }
    }
}

impl Project {
    /// Reads the manifests of the files of a project.
    ///
    /// # Errors
    /// If one cannot be read, or the crate has no version.
    pub fn read(root: &Path, files: &[String]) -> Result<Self, String> {
        let main = Manifest::read(root, "Cargo.toml")?;
        let said = main.said(&["workspace", "package", "version"]).or_else(|| main.said(&["package", "version"]));
        let said = said.ok_or("Cargo.toml: the crate has no version")?;
        let version = Version::parse(&said.text);
        let version = version.ok_or_else(|| format!("Cargo.toml:{}: `{}` is no version", said.line, said.text))?;
        let mut others = Vec::new();
        for path in files.iter().filter(|path| path.ends_with("/Cargo.toml") && root.join(path).exists()) {
            let manifest = Manifest::read(root, path)?;
            // What is never published and says so has no version to keep.
            let is_of_the_project = manifest.package("version").and_then(Item::as_str) != Some("0.0.0");
            if is_of_the_project && manifest.name().is_some() {
                others.push(manifest);
            }
        }
        Ok(Self { main, others, version, version_line: said.line })
    }

    fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        std::iter::once(&self.main).chain(&self.others)
    }

    /// The crates that are published.
    fn published(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests().filter(|manifest| manifest.is_published())
    }

    /// Whether a name is that of a crate of the project.
    fn of(&self, name: &str) -> Option<&Manifest> {
        self.manifests().find(|manifest| manifest.name() == Some(name))
    }

    /// All findings, by file and line.
    pub fn findings(&self, root: &Path, files: &[String]) -> Vec<Finding> {
        let mut findings = self.versions();
        findings.extend(self.features_for_docs());
        for path in files.iter().filter(|path| path.ends_with(".md")) {
            if let Ok(text) = fs::read_to_string(root.join(path)) {
                findings.extend(self.snippets(path, &text));
                findings.extend(self.compilers(path, &text));
                if path == "README.md" {
                    findings.extend(self.features_in(path, &text));
                }
            }
        }
        findings.sort();
        findings
    }

    /// Versions of the crates, and of their dependencies on each other.
    fn versions(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for manifest in self.manifests() {
            if let Some(said) = manifest.said(&["package", "version"])
                && Version::parse(&said.text) != Some(self.version)
            {
                let text = format!("the version is {}, and that of the workspace {}", said.text, self.version);
                findings.push(Finding::new(&manifest.path, said.line, text));
            }
            for dependency in manifest.path_dependencies() {
                let name = &dependency.name;
                let text = match &dependency.version {
                    // Other numbers would do for cargo, but not say what was released together.
                    Some(version) if Version::parse(version.trim_start_matches(['=', '^'])) != Some(self.version) => {
                        format!("`{name}` is required as {version}, and has the version {}", self.version)
                    }
                    None if manifest.is_published() && dependency.section != "dev-dependencies" => {
                        format!("`{name}` is required without a version: the crate cannot be published")
                    }
                    _ => continue,
                };
                findings.push(Finding::new(&manifest.path, dependency.line, text));
            }
        }
        findings
    }

    /// docs.rs shows every feature that adds items.
    fn features_for_docs(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let metadata = ["package", "metadata", "docs", "rs"];
        for manifest in self.published() {
            let all = manifest.features();
            let shown = manifest.get(&[&metadata[..], &["features"]].concat());
            let line = shown.or_else(|| manifest.get(&metadata)).map_or(1, |item| manifest.line(item));
            let named = shown.map(texts).unwrap_or_default();
            for name in named.iter().filter(|name| !all.iter().any(|(feature, ..)| feature == *name)) {
                let text = format!("docs.rs is to build the feature `{name}`, which the crate has not");
                findings.push(Finding::new(&manifest.path, line, text));
            }
            let is = |key: &str| {
                let item = manifest.get(&[&metadata[..], &[key]].concat());
                item.and_then(Item::as_bool) == Some(true)
            };
            if is("all-features") {
                if let Some((name, ..)) = all.iter().find(|(name, ..)| name.starts_with('_')) {
                    let text = format!("docs.rs is to build all features, among them `{name}`, which is not for users");
                    findings.push(Finding::new(&manifest.path, line, text));
                }
                continue;
            }
            let default = if is("no-default-features") { Vec::new() } else { vec!["default".to_owned()] };
            let built = manifest.enabled(named.into_iter().chain(default));
            for name in manifest.public_features().iter().filter(|name| !built.contains(*name)) {
                let text = format!("docs.rs does not show the feature `{name}`");
                findings.push(Finding::new(&manifest.path, line, text));
            }
        }
        findings
    }

    /// Dependencies in snippets of TOML.
    fn snippets(&self, path: &str, text: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut snippet: Option<(usize, String)> = None;
        for (index, line) in text.lines().enumerate() {
            match &mut snippet {
                None if line.trim() == "```toml" => snippet = Some((index + 2, String::new())),
                Some((start, toml)) if line.trim() == "```" => {
                    findings.extend(self.snippet(path, *start, toml));
                    snippet = None;
                }
                Some((_, toml)) => {
                    toml.push_str(line);
                    toml.push('\n');
                }
                None => {}
            }
        }
        findings
    }

    fn snippet(&self, path: &str, start: usize, toml: &str) -> Vec<Finding> {
        let Ok(document) = toml.parse::<DocumentMut>() else {
            return vec![Finding::new(path, start, "the snippet is no TOML".to_owned())];
        };
        let mut findings = Vec::new();
        let repository = self.main.said(&["workspace", "package", "repository"]);
        let repository = repository.or_else(|| self.main.said(&["package", "repository"]));
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let table = document.get(section).and_then(Item::as_table_like);
            for (name, item) in table.into_iter().flat_map(TableLike::iter) {
                let Some(manifest) = self.of(name) else { continue };
                let is_it = |line: &str| line.split('=').next().is_some_and(|key| key.trim().trim_matches('"') == name);
                let line = start + toml.lines().position(is_it).unwrap_or(0);
                let mut found = |text: String| findings.push(Finding::new(path, line, text));
                let text_of = |key: &str| item.get(key).and_then(Item::as_str);
                if let Some(version) = item.as_str().or_else(|| text_of("version"))
                    && !self.version.meets(version)
                {
                    found(format!("`{name} = \"{version}\"` is not met by the version {}", self.version));
                }
                if let (Some(git), Some(said)) = (text_of("git"), &repository)
                    && git.trim_end_matches(".git") != said.text.trim_end_matches(".git")
                {
                    found(format!("`{name}` is from {git}, and the repository is {}", said.text));
                }
                let known = manifest.features();
                for feature in item.get("features").map(texts).unwrap_or_default() {
                    if !known.iter().any(|(name, ..)| *name == feature) {
                        found(format!("`{name}` has no feature `{feature}`"));
                    }
                }
            }
        }
        findings
    }

    /// The versions of Rust that a text asks for.
    fn compilers(&self, path: &str, text: &str) -> Vec<Finding> {
        let rust = |manifest: &Manifest| manifest.package("rust-version")?.as_str().map(str::to_owned);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let own =
            self.manifests().find(|manifest| manifest.path.strip_suffix("Cargo.toml") == Some(&format!("{folder}/")));
        let known: BTreeSet<String> = match own {
            Some(manifest) => rust(manifest).or_else(|| rust(&self.main)).into_iter().collect(),
            None if folder.is_empty() && path == "README.md" => rust(&self.main).into_iter().collect(),
            None => self.manifests().filter_map(rust).collect(),
        };
        let mut findings = Vec::new();
        for (index, line) in text.lines().enumerate() {
            for (at, _) in line.match_indices("Rust 1.") {
                let rest = line.get(at + "Rust ".len()..).unwrap_or_default();
                let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
                let version = rest.get(..end).unwrap_or_default().trim_end_matches('.');
                if !known.is_empty() && !known.contains(version) {
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    let text = format!("Rust {version} is not what the manifest asks for ({})", known.join(", "));
                    findings.push(Finding::new(path, index + 1, text));
                }
            }
        }
        findings
    }

    /// The table of the features in the README.
    fn features_in(&self, path: &str, text: &str) -> Vec<Finding> {
        let rows: Vec<(usize, &str)> = text
            .lines()
            .enumerate()
            .skip_while(|(_, line)| !line.starts_with("| Feature |"))
            .skip(2)
            .take_while(|(_, line)| line.starts_with('|'))
            .map(|(index, line)| (index + 1, line.split('|').nth(1).unwrap_or_default()))
            .collect();
        let Some((first, _)) = rows.first().copied() else { return Vec::new() };
        let all = self.main.features();
        let mut named = BTreeSet::new();
        let mut findings = Vec::new();
        for (line, cell) in &rows {
            for name in cell.split('`').skip(1).step_by(2) {
                if !all.iter().any(|(feature, ..)| feature == name) {
                    let text = format!("the crate has no feature `{name}`");
                    findings.push(Finding::new(path, *line, text));
                }
                named.insert(name.to_owned());
            }
        }
        // One that is part of another is reported with it.
        let parts = self.main.features().into_iter().filter(|(name, ..)| named.contains(name)).flat_map(|it| it.1);
        let told: BTreeSet<String> = parts.chain(named.iter().cloned()).collect();
        for name in self.main.public_features().iter().filter(|name| !told.contains(*name)) {
            findings.push(Finding::new(path, first, format!("the table has no feature `{name}`")));
        }
        findings
    }
}

/// The sections of the changelog, as they stand.
pub fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix("## ") {
            let name = title.split_whitespace().next().unwrap_or_default().trim_matches(['[', ']']);
            sections.push(Section {
                version: Version::parse(name.trim_start_matches('v')),
                is_unreleased: title.to_lowercase().contains("unreleased"),
                line: index + 1,
                is_empty: true,
            });
        } else if let Some(last) = sections.last_mut()
            && !line.trim().is_empty()
        {
            last.is_empty = false;
        }
    }
    sections
}

/// Whether the changelog goes with the version and with what was released.
pub fn changelog(file: &str, text: &str, project: &Project, released: Option<Version>) -> Vec<Finding> {
    let sections = sections(text);
    let version = project.version;
    let mut findings = Vec::new();
    let mut found = |line: usize, text: String| findings.push(Finding::new(file, line, text));
    match sections.first() {
        None => found(1, format!("there is no section for the version {version}")),
        Some(Section { version: Some(own), line, .. }) if *own != version => {
            found(*line, format!("the newest section is of {own}, and the version of Cargo.toml is {version}"));
        }
        Some(Section { version: Some(_), is_empty: true, line, .. }) => found(*line, "the section is empty".to_owned()),
        _ => {}
    }
    for section in sections.iter().filter(|section| section.version.is_none() && !section.is_unreleased) {
        found(section.line, "the title of the section is no version".to_owned());
    }
    for pair in sections.windows(2) {
        let [newer, older] = pair else { continue };
        if older.is_unreleased {
            found(older.line, "a section before the newest is marked as unreleased".to_owned());
        }
        if let (Some(one), Some(other)) = (newer.version, older.version)
            && one <= other
        {
            found(older.line, format!("the section of {other} stands after that of {one}"));
        }
    }
    if let Some(released) = released {
        match sections.iter().find(|section| section.version == Some(released)) {
            None => found(1, format!("there is no section for {released}, which was released")),
            Some(section) if section.is_unreleased => {
                found(section.line, format!("{released} was released, and its section says that it was not"));
            }
            Some(_) => {}
        }
    }
    findings
}
