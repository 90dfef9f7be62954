//! Which operations return a type, and which take it.

use std::collections::{BTreeMap, BTreeSet};

use super::prose::listed;
use crate::shape::types::Type;
use crate::shape::{Operation, ResponseBody, Shaped};

/// How many links a sentence has before the rest is counted.
const LINKS: usize = 4;

/// The operations and types that refer to each type.
pub(super) struct Usage<'a> {
    uses: BTreeMap<&'a str, Uses<'a>>,
}

/// Names of operations and types.
#[derive(Default)]
struct Uses<'a> {
    /// The operations whose response, or the items of whose pages, are of the type.
    returned: Vec<&'a str>,
    /// The operations whose body or parameter is of the type.
    taken: Vec<&'a str>,
    /// The operations whose responses contain it somewhere.
    inside_returned: Vec<&'a str>,
    /// The operations whose requests contain it somewhere.
    inside_taken: Vec<&'a str>,
    /// The types that have a field or a variant of it.
    parents: Vec<&'a str>,
}

impl<'a> Usage<'a> {
    pub(super) fn of(shaped: &'a Shaped) -> Self {
        let mut usage = Self { uses: shaped.types.keys().map(|name| (name.as_str(), Uses::default())).collect() };
        let mentions: BTreeMap<&str, BTreeSet<String>> =
            shaped.types.iter().map(|(name, made)| (name.as_str(), made.mentions())).collect();
        for (parent, names) in &mentions {
            names
                .iter()
                .filter(|name| name != parent)
                .for_each(|name| usage.add(name, parent, |uses| &mut uses.parents));
        }
        // Pages come last: who looks for a type wants the operation that returns one of it.
        let (pages, others): (Vec<_>, Vec<_>) =
            shaped.operations.iter().partition(|operation| operation.paginated.is_some());
        others.into_iter().chain(pages).for_each(|operation| usage.add_response(operation, &mentions));
        shaped.operations.iter().for_each(|operation| usage.add_request(operation, &mentions));
        usage
    }

    fn add_response(&mut self, operation: &'a Operation, mentions: &BTreeMap<&str, BTreeSet<String>>) {
        let mut returned = BTreeSet::new();
        if let ResponseBody::Json(rust) = &operation.response {
            rust.mentions(&mut returned);
        }
        operation.paginated.iter().for_each(|item| item.mentions(&mut returned));
        returned.iter().for_each(|name| self.add(name, &operation.name, |uses| &mut uses.returned));
        for name in inside(&returned, mentions) {
            self.add(name, &operation.name, |uses| &mut uses.inside_returned);
        }
    }

    fn add_request(&mut self, operation: &'a Operation, mentions: &BTreeMap<&str, BTreeSet<String>>) {
        let mut taken = BTreeSet::new();
        let parameters = operation.parameters.iter().map(|parameter| &parameter.rust);
        parameters.chain(&operation.body).for_each(|rust| rust.mentions(&mut taken));
        taken.iter().for_each(|name| self.add(name, &operation.name, |uses| &mut uses.taken));
        for name in inside(&taken, mentions) {
            self.add(name, &operation.name, |uses| &mut uses.inside_taken);
        }
    }

    fn add(&mut self, name: &str, user: &'a str, list: impl for<'u> Fn(&'u mut Uses<'a>) -> &'u mut Vec<&'a str>) {
        if let Some(uses) = self.uses.get_mut(name) {
            list(uses).push(user);
        }
    }

    /// Says which operations return a type and which take it. Where too many contain it, the types that contain it are
    /// named in their place.
    pub(super) fn describe(&self, made: &Type) -> Option<String> {
        let uses = self.uses.get(made.name.as_str())?;
        let mut sentences = Vec::new();
        let mut is_part = false;
        for (direct, direct_word, inside, inside_word) in [
            (&uses.returned, "Returned by", &uses.inside_returned, "In responses of"),
            (&uses.taken, "Taken by", &uses.inside_taken, "In requests of"),
        ] {
            if !direct.is_empty() {
                sentences.push(format!(
                    "{direct_word} {}.",
                    links(direct, |name| format!("[`{name}`](super::Client::{name})"))
                ));
            } else if inside.len() > LINKS {
                is_part = true;
            } else if !inside.is_empty() {
                sentences.push(format!(
                    "{inside_word} {}.",
                    links(inside, |name| format!("[`{name}`](super::Client::{name})"))
                ));
            }
        }
        if is_part && !uses.parents.is_empty() {
            sentences.push(format!("Part of {}.", links(&uses.parents, |name| format!("[`{name}`]"))));
        }
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }
}

/// The types that these contain, directly or not.
fn inside<'m>(roots: &BTreeSet<String>, mentions: &'m BTreeMap<&str, BTreeSet<String>>) -> BTreeSet<&'m str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = roots.iter().map(String::as_str).collect();
    while let Some(name) = open.pop() {
        for name in mentions.get(name).into_iter().flatten() {
            if found.insert(name.as_str()) {
                open.push(name);
            }
        }
    }
    found
}

/// The first names as links, and the number of the others.
fn links(names: &[&str], link: impl Fn(&str) -> String) -> String {
    // One more is shorter than its count.
    let shown = if names.len() > LINKS + 1 { LINKS } else { names.len() };
    let mut items: Vec<String> = names.iter().take(shown).map(|name| link(name)).collect();
    if names.len() > shown {
        items.push(format!("{} others", names.len() - shown));
    }
    listed(&items)
}
