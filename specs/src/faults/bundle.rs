//! References to other files, written into the document.
//!
//! A schema of another file becomes a component, since schemas may refer to themselves. Other objects take the place
//! of their reference.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::grammar::{Kind, Role, member};
use super::version::Version;
use crate::Error;
use crate::pointer::{decode, escape};

/// How many references to objects that are no schemas are followed: files may multiply them.
const MOST: usize = 10_000;

/// How deep they are within each other.
const DEEPEST: usize = 32;

/// A document with the files that it refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The document.
    pub document: Value,
    /// Where its parts that stand in other files are from.
    pub origins: Vec<Origin>,
    /// The pointers of references that are not followed, each with the reason.
    pub unread: Vec<(String, String)>,
}

/// Where a part of a document is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The pointer of the part in the document.
    pub pointer: String,
    /// The file, relative to the folder of the document.
    pub file: String,
    /// The pointer of the part in the file.
    pub fragment: String,
}

impl Bundle {
    /// A document that is whole.
    pub fn whole(document: Value) -> Self {
        Self { document, origins: Vec::new(), unread: Vec::new() }
    }

    /// The file in which a pointer leads, and the pointer there; none where it leads to the document itself.
    pub fn origin(&self, pointer: &str) -> Option<(&str, String)> {
        let within = |origin: &'_ Origin| {
            let rest = pointer.strip_prefix(origin.pointer.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{}{rest}", origin.fragment))
        };
        let found = self.origins.iter().filter_map(|origin| Some((origin, within(origin)?)));
        found.max_by_key(|(origin, _)| origin.pointer.len()).map(|(origin, rest)| (origin.file.as_str(), rest))
    }
}

/// Writes what a document refers to in other files into it.
///
/// `name` is the file of the document, and `read` parses another one: paths are relative to the folder of the document,
/// with `/` between their parts. References to URLs are not followed.
///
/// # Errors
/// If the document is of no language that is read.
pub fn bundle(
    document: Value,
    name: &str,
    read: &mut dyn FnMut(&str) -> Result<Value, String>,
) -> Result<Bundle, Error> {
    let version = Version::of(&document)?;
    let section = if version == Version::Swagger2 { "/definitions" } else { "/components/schemas" };
    let names = document.pointer(section).and_then(Value::as_object);
    let taken = names.into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let mut bundler = Bundler {
        version,
        section,
        name,
        read,
        files: BTreeMap::new(),
        components: BTreeMap::new(),
        taken,
        waiting: VecDeque::new(),
        open: Vec::new(),
        followed: 0,
        bundle: Bundle::whole(Value::Null),
    };
    let mut document = bundler.walk(document, Role::Document, name, "");
    while let Some((component, target)) = bundler.waiting.pop_front() {
        // It was looked up when it got its name.
        let schema = bundler.lookup(&target).unwrap_or_else(|_| json!({}));
        let pointer = format!("{section}/{}", escape(&component));
        let schema = bundler.walk(schema, Role::Schema, &target.file, &pointer);
        bundler.bundle.origins.push(Origin { pointer, file: target.file, fragment: target.fragment });
        insert(&mut document, section, component, schema);
    }
    Ok(Bundle { document, ..bundler.bundle })
}

fn insert(document: &mut Value, section: &str, name: String, schema: Value) {
    let mut owner = document;
    for token in section.split('/').skip(1) {
        let Value::Object(members) = owner else { return };
        owner = members.entry(token).or_insert_with(|| json!({}));
    }
    if let Value::Object(members) = owner {
        members.insert(name, schema);
    }
}

/// A file, and a pointer in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    file: String,
    fragment: String,
}

struct Bundler<'r> {
    version: Version,
    /// Where schemas go.
    section: &'static str,
    /// The file of the document.
    name: &'r str,
    read: &'r mut dyn FnMut(&str) -> Result<Value, String>,
    files: BTreeMap<String, Result<Rc<Value>, String>>,
    /// The components that schemas of other files became.
    components: BTreeMap<Target, String>,
    taken: BTreeSet<String>,
    /// Components that are still to be read.
    waiting: VecDeque<(String, Target)>,
    /// What is being written in place of references.
    open: Vec<Target>,
    followed: usize,
    bundle: Bundle,
}

impl Bundler<'_> {
    /// A value of a file, with what it refers to.
    fn walk(&mut self, value: Value, role: Role, file: &str, pointer: &str) -> Value {
        let Value::Object(mut members) = value else { return value };
        if role.refers(self.version)
            && let Some(Value::String(text)) = members.get("$ref")
        {
            match self.target(text, file) {
                Ok(Some(target)) if role == Role::Schema => match self.component(&target) {
                    Ok(reference) => drop(members.insert("$ref".to_owned(), reference.into())),
                    Err(reason) => self.bundle.unread.push((format!("{pointer}/$ref"), reason)),
                },
                Ok(Some(target)) => match self.lookup(&target).and_then(|found| self.enter(&target).map(|()| found)) {
                    Ok(found) => {
                        let found = self.walk(found, role, &target.file, pointer);
                        self.open.pop();
                        let origin =
                            Origin { pointer: pointer.to_owned(), file: target.file, fragment: target.fragment };
                        self.bundle.origins.push(origin);
                        return self.merged(found, members, role, file, pointer);
                    }
                    Err(reason) => self.bundle.unread.push((format!("{pointer}/$ref"), reason)),
                },
                Ok(None) => {}
                Err(reason) => self.bundle.unread.push((format!("{pointer}/$ref"), reason)),
            }
        }
        self.members(members, role, file, pointer).into()
    }

    fn members(&mut self, members: Map<String, Value>, role: Role, file: &str, pointer: &str) -> Map<String, Value> {
        let mut walked = Map::new();
        for (key, child) in members {
            let at = format!("{pointer}/{}", escape(&key));
            let child = match member(self.version, role, &key) {
                Some(Kind::One(role) | Kind::OneOrFlag(role)) => self.walk(child, role, file, &at),
                Some(Kind::ListOf(role)) => match child {
                    Value::Array(list) => {
                        let list = list.into_iter().enumerate();
                        list.map(|(index, child)| self.walk(child, role, file, &format!("{at}/{index}"))).collect()
                    }
                    other => other,
                },
                Some(Kind::Map(role) | Kind::Extensible(role)) => match child {
                    Value::Object(map) => {
                        let map = map.into_iter().map(|(name, child)| {
                            let at = format!("{at}/{}", escape(&name));
                            (name, self.walk(child, role, file, &at))
                        });
                        Value::Object(map.collect())
                    }
                    other => other,
                },
                Some(Kind::MapOfTexts) if role == Role::Discriminator => self.mapping(child, file),
                _ => child,
            };
            walked.insert(key, child);
        }
        walked
    }

    /// What stands beside a reference: members of a path count, and descriptions of OpenAPI 3.1.
    fn merged(&mut self, found: Value, beside: Map<String, Value>, role: Role, file: &str, pointer: &str) -> Value {
        let Value::Object(mut found) = found else { return found };
        let is_kept = |key: &str| match role {
            Role::PathItem => key != "$ref",
            _ => self.version == Version::OpenApi31 && matches!(key, "summary" | "description"),
        };
        let beside = beside.into_iter().filter(|(key, _)| is_kept(key)).collect();
        found.extend(self.members(beside, role, file, pointer));
        found.into()
    }

    /// The values of a discriminator's mapping, which are names or references.
    fn mapping(&mut self, value: Value, file: &str) -> Value {
        let Value::Object(members) = value else { return value };
        let mapped = members.into_iter().map(|(name, target)| {
            let is_file =
                |text: &str| text.contains('#') || [".json", ".yaml", ".yml"].iter().any(|end| text.ends_with(end));
            let target = match target.as_str().filter(|text| is_file(text)).map(|text| self.target(text, file)) {
                Some(Ok(Some(found))) => self.component(&found).map_or(target, Value::from),
                _ => target,
            };
            (name, target)
        });
        Value::Object(mapped.collect())
    }

    /// What a reference of a file leads to; none where it is within the document, as it stands.
    fn target(&self, text: &str, file: &str) -> Result<Option<Target>, String> {
        let (path, fragment) = text.split_once('#').unwrap_or((text, ""));
        if path.is_empty() && file == self.name {
            return Ok(None);
        }
        if path.contains("://") || path.starts_with("//") {
            return Err(format!("`{text}` is a URL, and is not fetched"));
        }
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return Err(format!("`{text}` is no JSON pointer into a file"));
        }
        let target = match path {
            "" => file.to_owned(),
            path => beside(file, &decode(path))
                .ok_or_else(|| format!("`{text}` is outside of the folder of the document"))?,
        };
        let tokens: Vec<String> = fragment.split('/').map(|token| escape(&decode(token))).collect();
        Ok(Some(Target { file: target, fragment: tokens.join("/") }))
    }

    fn lookup(&mut self, target: &Target) -> Result<Value, String> {
        if target.file == self.name {
            return Err(format!("`{}` leads back to the document", target.file));
        }
        let file = match self.files.get(&target.file) {
            Some(file) => file.clone(),
            None => {
                let file = (self.read)(&target.file).map(Rc::new);
                self.files.insert(target.file.clone(), file.clone());
                file
            }
        };
        let file = file.map_err(|reason| format!("`{}` cannot be read: {reason}", target.file))?;
        let found = file.pointer(&target.fragment).cloned();
        found.ok_or_else(|| format!("`{}` has nothing at `{}`", target.file, target.fragment))
    }

    /// The reference to the component that a schema of another file is.
    fn component(&mut self, target: &Target) -> Result<String, String> {
        if target.file == self.name {
            return Ok(format!("#{}", target.fragment));
        }
        if let Some(name) = self.components.get(target) {
            return Ok(format!("#{}/{}", self.section, escape(name)));
        }
        self.lookup(target)?;
        let stem = target.file.rsplit('/').next().unwrap_or_default();
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        let last = target.fragment.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or(stem);
        let letters = |letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'));
        let base = decode(last).replace(letters, "_");
        let mut name = base.clone();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.components.insert(target.clone(), name.clone());
        let reference = format!("#{}/{}", self.section, escape(&name));
        self.waiting.push_back((name, target.clone()));
        Ok(reference)
    }

    /// Begins to write something in place of a reference.
    fn enter(&mut self, target: &Target) -> Result<(), String> {
        let Target { file, fragment } = target;
        if self.open.contains(target) {
            return Err(format!("`{file}#{fragment}` leads back to itself"));
        }
        if self.open.len() == DEEPEST || self.followed == MOST {
            return Err(format!("`{file}#{fragment}` is one reference too many"));
        }
        self.followed += 1;
        self.open.push(target.clone());
        Ok(())
    }
}

/// The path of a file that is named beside another one; none where it leaves the folder.
fn beside(file: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    if path.starts_with('/') || path.contains('\\') {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
