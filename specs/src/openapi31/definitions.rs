//! Schemas that are defined within others, and the references to all.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde_json::Value;

use crate::Error;
use crate::component_name::clean;
use crate::node::Node;
use crate::pointer::{decode, escape};

/// The members of a schema that define others.
pub(super) const DEFINING: [&str; 2] = ["$defs", "definitions"];

/// The schemas of a document under `$defs`, and the anchors, found before anything is converted.
pub(super) struct Definitions<'a> {
    /// The name of the component that each becomes, by its pointer.
    names: BTreeMap<String, String>,
    /// The same, by identity.
    identities: HashMap<*const Value, String>,
    /// The pointers of anchors.
    anchors: BTreeMap<&'a str, String>,
    /// Those whose schema was met, and which are to be converted.
    met: RefCell<VecDeque<(String, Node<'a>)>>,
}

impl<'a> Definitions<'a> {
    pub fn of(document: &'a Value) -> Self {
        let mut definitions = Self {
            names: BTreeMap::new(),
            identities: HashMap::new(),
            anchors: BTreeMap::new(),
            met: RefCell::default(),
        };
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
        let mut taken: BTreeSet<String> = schemas.into_iter().flat_map(|schemas| schemas.keys().cloned()).collect();
        definitions.collect(document, "", false, &mut taken);
        definitions
    }

    /// Where the members of a value are `named`, they are no keywords.
    fn collect(&mut self, value: &'a Value, pointer: &str, named: bool, taken: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) if named => {
                for (name, child) in members {
                    self.collect(child, &format!("{pointer}/{}", escape(name)), false, taken);
                }
            }
            Value::Object(members) => {
                for anchor in ["$anchor", "$dynamicAnchor"].iter().filter_map(|key| members.get(*key)?.as_str()) {
                    self.anchors.entry(anchor).or_insert_with(|| pointer.to_owned());
                }
                for key in DEFINING {
                    for (name, schema) in members.get(key).and_then(Value::as_object).into_iter().flatten() {
                        let component = free_name(name, pointer, taken);
                        self.names.insert(format!("{pointer}/{key}/{}", escape(name)), component.clone());
                        self.identities.insert(std::ptr::from_ref(schema), component);
                    }
                }
                for (name, child) in members {
                    let named = name == "properties" || DEFINING.contains(&name.as_str());
                    self.collect(child, &format!("{pointer}/{}", escape(name)), named, taken);
                }
            }
            Value::Array(list) => {
                for (index, child) in list.iter().enumerate() {
                    self.collect(child, &format!("{pointer}/{index}"), false, taken);
                }
            }
            _ => {}
        }
    }

    /// Takes note of the definitions of a schema, which become components.
    pub fn meet(&self, schema: &Node<'a>) -> Result<(), Error> {
        for key in DEFINING {
            for (_, node) in schema.members(key)? {
                if let Some(name) = self.identities.get(&std::ptr::from_ref(node.value)) {
                    self.met.borrow_mut().push_back((name.clone(), node));
                }
            }
        }
        Ok(())
    }

    /// The next definition to convert, with its name.
    pub fn next(&self) -> Option<(String, Node<'a>)> {
        self.met.borrow_mut().pop_front()
    }

    /// What the text of a reference becomes.
    pub fn pointer(&self, reference: &Node<'a>) -> Result<String, Error> {
        let pointer = self.resolve(reference)?;
        // A definition, or what is inside one.
        for (end, _) in pointer.match_indices('/').chain([(pointer.len(), "")]).collect::<Vec<_>>().into_iter().rev() {
            let (defined, rest) = pointer.split_at(end);
            if let Some(name) = self.names.get(defined) {
                return Ok(format!("#/components/schemas/{name}{rest}"));
            }
        }
        Ok(format!("#{pointer}"))
    }

    /// The pointer that a reference has, its fragment decoded.
    fn resolve(&self, reference: &Node<'a>) -> Result<String, Error> {
        let text = reference.text()?;
        let Some(fragment) = text.strip_prefix('#') else {
            return Err(reference.error(format!("`{text}` leads out of the document, which is not read")));
        };
        if fragment.is_empty() || fragment.starts_with('/') {
            let tokens = fragment.split('/').map(|token| escape(&decode(token)));
            return Ok(tokens.collect::<Vec<_>>().join("/"));
        }
        let found = self.anchors.get(fragment).cloned();
        found.ok_or_else(|| reference.error(format!("`{text}` leads to no `$anchor`")))
    }

    /// What a reference leads to, by way of all references in between.
    pub fn follow(&self, root: &Node<'a>, reference: &Node<'a>) -> Result<Node<'a>, Error> {
        let mut seen = BTreeSet::new();
        let mut current = *reference;
        loop {
            let pointer = self.resolve(&current)?;
            let target = root.at(&pointer);
            let target = target.ok_or_else(|| current.error(format!("`#{pointer}` leads to nothing")))?;
            if !seen.insert(pointer) {
                return Err(reference.error("leads back to itself"));
            }
            match target.get("$ref") {
                Some(next) => current = next,
                None => return Ok(target),
            }
        }
    }
}

/// A name that no component has: that of the definition, or else with that of the component in front.
fn free_name(name: &str, pointer: &str, taken: &mut BTreeSet<String>) -> String {
    let owner = pointer.strip_prefix("/components/schemas/").and_then(|rest| rest.split('/').next());
    let plain = clean(name);
    let owned = owner.map_or_else(|| plain.clone(), |owner| format!("{}_{plain}", clean(&decode(owner))));
    let numbered = (2..).map(|number| format!("{owned}_{number}"));
    let mut candidates = [plain.clone(), owned.clone()].into_iter().chain(numbered);
    // The numbers have no end, so one is free.
    let free = candidates.find(|candidate| !taken.contains(candidate)).unwrap_or(plain);
    taken.insert(free.clone());
    free
}
