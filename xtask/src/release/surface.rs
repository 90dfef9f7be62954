//! The public items of the crate, as `cargo public-api` lists them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;

use super::manifest::Manifest;
use super::repository::{Base, Repository};
use crate::diff::change::Release;

/// How the tool is installed.
pub const INSTALL: &str =
    "`cargo install cargo-public-api --locked` and `rustup toolchain install nightly --profile minimal`";

/// How the public items changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Surface {
    pub removed: Vec<String>,
    pub changed: Vec<Changed>,
    pub added: Vec<String>,
    /// Of those that are added, those that a program may fail to compile for.
    pub added_breaking: Vec<String>,
}

/// An item with another signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    pub old: String,
    pub new: String,
}

impl Surface {
    /// The release that the changes need.
    pub fn release(&self) -> Release {
        if self.removed.is_empty() && self.changed.is_empty() && self.added_breaking.is_empty() {
            if self.added.is_empty() { Release::Patch } else { Release::Minor }
        } else {
            Release::Major
        }
    }
}

/// Lists the public items of both states, and compares them.
///
/// # Errors
/// If the tool is not there, or fails; the reason says what to do.
pub fn between(repository: &Repository, base: &Base) -> Result<Surface, String> {
    let version = version_of_tool()?;
    let target = repository.root().join("target/release-check");
    fs::create_dir_all(&target).map_err(|error| format!("{}: {error}", target.display()))?;
    // Of a commit, the list stays what it is.
    let kept = target.join(format!("{}-{version}.txt", base.revision));
    let old = match fs::read_to_string(&kept) {
        Ok(list) => list,
        Err(_) => {
            let folder = target.join("base");
            repository.export(&base.revision, &folder)?;
            let list = list(&folder, &target)?;
            fs::write(&kept, &list).map_err(|error| format!("{}: {error}", kept.display()))?;
            list
        }
    };
    let new = list(repository.root(), &target)?;
    Ok(compare(&old, &new))
}

fn version_of_tool() -> Result<String, String> {
    let output = Command::new(crate::cargo_program()).args(["public-api", "--version"]).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo public-api is not installed: {INSTALL}"));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.split_whitespace().last().unwrap_or_default().to_owned())
}

/// The public items of the crate in a folder, with all features that are for users.
fn list(folder: &Path, target: &Path) -> Result<String, String> {
    let manifest = Manifest::read(folder, "Cargo.toml")?;
    let features = manifest.public_features();
    // Not the cargo that runs this: the tool asks rustup for the nightly one.
    let mut command = Command::new("cargo");
    command.arg("public-api").arg("--manifest-path").arg(folder.join("Cargo.toml"));
    command.args(["--package", manifest.name().unwrap_or_default()]);
    command.args(["--no-default-features", "--features", &features.join(","), "--omit", "blanket-impls"]);
    command.args(["--color", "never"]).arg("--target-dir").arg(target.join("target"));
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC", "RUSTDOC"] {
        command.env_remove(name);
    }
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cargo public-api: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let reason = stderr.lines().find(|line| line.contains("error")).or_else(|| stderr.lines().next_back());
    let reason = reason.unwrap_or("it does not say why").trim();
    Err(format!("cargo public-api fails in {}: {reason}; it needs {INSTALL}", folder.display()))
}

/// The differences of two lists, an item a line.
pub fn compare(old: &str, new: &str) -> Surface {
    let (old, new) = (items(old), items(new));
    let mut surface = Surface::default();
    let mut fresh: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for line in new.difference(&old) {
        fresh.entry(key(line)).or_default().push(line);
    }
    for line in old.difference(&new) {
        match fresh.get_mut(key(line)).and_then(Vec::pop) {
            Some(other) => surface.changed.push(Changed { old: line.clone(), new: other.clone() }),
            None => surface.removed.push(line.clone()),
        }
    }
    surface.added = fresh.into_values().flatten().cloned().collect();
    surface.added.sort();
    let is_closed = |line: &&String| {
        let Some((parent, _)) = path(line).rsplit_once("::") else { return false };
        let is_variant = line.starts_with("pub datagouv::") && !line.contains(": ");
        let is_of_trait = line.contains("fn ") || line.contains("type ") || line.contains("const ");
        (is_variant && old.contains(&format!("pub enum {parent}")))
            || (is_of_trait && old.iter().any(|it| it.starts_with("pub trait ") && path(it) == parent))
    };
    surface.added_breaking = surface.added.iter().filter(is_closed).cloned().collect();
    surface
}

/// The items of a list. Functions of implementations are left out: their signatures are those of the trait, in the words
/// of whoever wrote the implementation, such as a derive.
fn items(list: &str) -> BTreeSet<String> {
    let mut is_of_trait = false;
    let mut items = BTreeSet::new();
    for line in list.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let is_function = line.starts_with("pub ") && line.contains("fn ");
        if line.starts_with("impl") {
            is_of_trait = line.contains(" for ");
        } else if !is_function && !line.starts_with("pub type ") && !line.starts_with("pub const ") {
            is_of_trait = false;
        }
        if !(is_of_trait && is_function) {
            items.insert(line.to_owned());
        }
    }
    items
}

/// By what an item is known again: its kind and its path; an `impl` by the whole line.
fn key(line: &str) -> &str {
    if line.starts_with("impl") {
        return line;
    }
    let path = path(line);
    let start = path.as_ptr() as usize - line.as_ptr() as usize;
    line.get(..start + path.len()).unwrap_or(line)
}

/// The words before the path of an item.
const WORDS: [&str; 17] = [
    "pub ", "const ", "unsafe ", "async ", "extern ", "fn ", "struct ", "enum ", "union ", "trait ", "type ", "mod ",
    "macro ", "static ", "mut ", "use ", "proc ",
];

/// The path of an item.
pub fn path(line: &str) -> &str {
    let mut rest = line;
    loop {
        let without_attribute = rest.strip_prefix("#[").and_then(|rest| rest.split_once("] ")).map(|(_, rest)| rest);
        let without_word = || WORDS.iter().find_map(|word| rest.strip_prefix(word));
        match without_attribute.or_else(without_word) {
            Some(shorter) => rest = shorter,
            None => break,
        }
    }
    let mut depth = 0usize;
    for (index, letter) in rest.char_indices() {
        match letter {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            '(' | ' ' | '=' | ';' | '{' if depth == 0 => {
                return rest.get(..index).unwrap_or_default().trim_end_matches(':');
            }
            _ => {}
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "\
pub mod datagouv
#[non_exhaustive] pub enum datagouv::Api
pub datagouv::Api::Main
pub enum datagouv::Closed
pub datagouv::Closed::One
pub struct datagouv::Client
impl datagouv::Client
pub fn datagouv::Client::new() -> datagouv::Result<Self>
pub fn datagouv::Client::old(&self, &str) -> alloc::string::String
impl core::marker::Send for datagouv::Client
pub trait datagouv::Observe: core::marker::Send
pub fn datagouv::Observe::seen(&self)
pub datagouv::Row::title: alloc::string::String
";

    fn with(from: &str, to: &str) -> Surface {
        compare(OLD, &OLD.replace(from, to))
    }

    #[test]
    fn the_same_items_in_another_order_are_a_patch() {
        // What is of an implementation stands after it.
        let (first, last) = OLD.split_once("pub trait").unwrap();
        let surface = compare(OLD, &format!("pub trait{last}{first}"));
        assert_eq!(surface, Surface::default());
        assert_eq!(surface.release(), Release::Patch);
    }

    #[test]
    fn an_item_is_known_by_its_path() {
        for (line, expected) in [
            ("pub fn datagouv::Client::new() -> datagouv::Result<Self>", "datagouv::Client::new"),
            ("#[non_exhaustive] pub struct datagouv::Rows<T: Clone>", "datagouv::Rows<T: Clone>"),
            ("pub datagouv::Row::title: alloc::string::String", "datagouv::Row::title"),
            ("pub datagouv::Api::Other(alloc::string::String)", "datagouv::Api::Other"),
            ("pub async fn datagouv::Rows<T>::next(&mut self)", "datagouv::Rows<T>::next"),
            ("pub type datagouv::Page::Item = T", "datagouv::Page::Item"),
            ("pub fn alloc::vec::Vec<T>::items(&mut self) -> &mut datagouv::Items", "alloc::vec::Vec<T>::items"),
        ] {
            assert_eq!(path(line), expected);
        }
    }

    #[test]
    fn what_is_gone_or_has_another_signature_breaks() {
        let gone = with("pub fn datagouv::Client::old(&self, &str) -> alloc::string::String\n", "");
        assert_eq!(gone.removed.len(), 1);
        assert_eq!(gone.release(), Release::Major);
        let other = with("Client::old(&self, &str)", "Client::old(&self, usize)");
        assert_eq!((other.removed.len(), other.changed.len(), other.added.len()), (0, 1, 0));
        assert_eq!(other.release(), Release::Major);
        let field =
            with("Row::title: alloc::string::String", "Row::title: core::option::Option<alloc::string::String>");
        assert_eq!(field.changed.len(), 1);
        let unsent =
            with("impl core::marker::Send for datagouv::Client", "impl !core::marker::Send for datagouv::Client");
        assert_eq!(unsent.release(), Release::Major);
    }

    #[test]
    fn an_implementation_in_other_words_is_the_same() {
        let derived = format!(
            "{OLD}impl core::cmp::PartialEq for datagouv::Api\npub fn datagouv::Api::eq(&self, &datagouv::Api) -> bool\n"
        );
        assert_eq!(compare(&derived, &derived.replace("&datagouv::Api)", "&Self)")), Surface::default());
        // Without it, what compiles may not; with another associated type neither.
        assert_eq!(compare(&derived, OLD).removed, ["impl core::cmp::PartialEq for datagouv::Api"]);
        let iterator = format!(
            "{OLD}impl core::iter::traits::iterator::Iterator for datagouv::Pages\npub type datagouv::Pages::Item = u8\n"
        );
        assert_eq!(compare(&iterator, &iterator.replace("u8", "u16")).changed.len(), 1);
        // A function of the type itself after one counts.
        let own = format!("{derived}impl datagouv::Api\npub fn datagouv::Api::name(&self) -> &str\n");
        assert_eq!(compare(&own, &derived).removed.len(), 2);
    }

    #[test]
    fn what_is_new_adds_but_where_programs_had_to_name_all() {
        let method = format!("{OLD}pub fn datagouv::Client::more(&self)\n");
        assert_eq!(compare(OLD, &method).release(), Release::Minor);
        let open = format!("{OLD}pub datagouv::Api::Other\n");
        assert_eq!(compare(OLD, &open).release(), Release::Minor);
        let closed = format!("{OLD}pub datagouv::Closed::Two\n");
        assert_eq!(compare(OLD, &closed).added_breaking, ["pub datagouv::Closed::Two"]);
        let of_trait = format!("{OLD}pub fn datagouv::Observe::more(&self)\n");
        assert_eq!(compare(OLD, &of_trait).release(), Release::Major);
    }
}
