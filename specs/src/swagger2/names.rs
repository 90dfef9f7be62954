//! Names of components, and the references that use them.

use std::collections::{BTreeMap, BTreeSet};

use crate::Error;
use crate::component_name::{clean, is_valid};
use crate::node::Node;
use crate::pointer::{decode, unescape};

/// The component names of a section, for the names that are not valid ones.
pub(super) struct Names<'a>(BTreeMap<&'a str, String>);

impl<'a> Names<'a> {
    /// Valid and distinct component names. One that is valid stays; in the others, what is not
    /// allowed becomes `_`, and a number distinguishes those that then are the same.
    pub fn new(section: Vec<(&'a str, Node<'a>)>) -> Self {
        let originals = section.into_iter().map(|(name, _)| name);
        let (valid, others): (BTreeSet<_>, BTreeSet<_>) = originals.partition(|name| is_valid(name));
        let mut taken: BTreeSet<String> = valid.into_iter().map(str::to_owned).collect();
        let mut names = BTreeMap::new();
        for original in others {
            let cleaned = clean(original);
            let mut name = cleaned.clone();
            let mut number = 1;
            while !taken.insert(name.clone()) {
                number += 1;
                name = format!("{cleaned}_{number}");
            }
            names.insert(original, name);
        }
        Self(names)
    }

    /// The component name for a name.
    pub fn of<'b>(&'b self, original: &'b str) -> &'b str {
        self.0.get(original).map_or(original, String::as_str)
    }
}

/// A reference into a section of the document.
pub(super) struct Reference<'a> {
    /// The name it refers to, as the section has it.
    pub name: &'a str,
    /// The value of that name.
    pub target: Node<'a>,
    /// The rest of the pointer, inside the target, as it was written.
    pub rest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Reads the text of a `$ref` that must lead into `section` of the document.
    pub fn read(text: &Node<'a>, root: &Node<'a>, section: &str) -> Result<Self, Error> {
        let pointer = text.text()?;
        let Some(path) = pointer.strip_prefix("#/") else {
            return Err(text.error(format!("`{pointer}` leads out of the document; only #/{section}/... is read")));
        };
        let mut tokens = path.splitn(3, '/');
        if tokens.next() != Some(section) {
            return Err(text.error(format!("`{pointer}` must lead to #/{section}/...")));
        }
        let token = tokens.next().unwrap_or_default();
        let targets = root.get(section);
        let find = |name: String| {
            let targets = targets.as_ref()?;
            let (name, _) = targets.value.as_object()?.get_key_value(&name)?;
            Some((name.as_str(), targets.get(name)?))
        };
        let found = find(decode(token)).or_else(|| find(unescape(token)));
        let (name, target) = found.ok_or_else(|| text.error(format!("`{pointer}` leads to nothing")))?;
        let rest = tokens.next();
        Ok(Self { name, target, rest })
    }
}
