//! Pass 4, naming: the names in Rust of the types of components.
//!
//! Guarantees: every component has a name in each role in which it can be met, whatever tags are kept later, so that a
//! type is called the same with one feature and with all. No two names are the same.

use std::collections::{BTreeMap, BTreeSet};

use super::components::{Components, base};
use super::names;
use super::roles::Roles;
use super::types::Role;

/// The types that the crate has of its own, and those of the standard library that are written without a path.
const RESERVED: [&str; 11] =
    ["DateTime", "Date", "File", "Filters", "Values", "Field", "Vec", "String", "Option", "Box", "Default"];

/// The names of types given so far.
#[derive(Debug)]
pub struct Names {
    components: BTreeMap<(String, Role), String>,
    /// The name of each enum, by its sorted values.
    pub enums: BTreeMap<Vec<String>, String>,
    taken: BTreeSet<String>,
}

impl Names {
    /// The name of a component's type in a role.
    pub fn of(&self, component: &str, role: Role) -> Option<&str> {
        self.components.get(&(component.to_owned(), role)).map(String::as_str)
    }

    /// Whether a type already has that name.
    pub fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    /// Takes a name, with a number where it is taken already.
    pub fn take(&mut self, name: String) -> String {
        let name = names::free(name, &self.taken);
        self.taken.insert(name.clone());
        name
    }

    /// Takes a name for a component in a role.
    pub fn take_for(&mut self, component: &str, role: Role, name: String) -> String {
        let name = self.take(name);
        self.components.insert((component.to_owned(), role), name.clone());
        name
    }
}

/// Names the types of components.
pub fn naming(components: Components<'_>, roles: &Roles) -> Names {
    let taken = RESERVED.map(str::to_owned).into();
    let mut names = Names { components: BTreeMap::new(), enums: BTreeMap::new(), taken };
    // Those without a suffix first: the plain name is theirs.
    let mut ordered: Vec<&String> = components.iter().map(|(name, _)| name).collect();
    ordered.sort_by_key(|name| (base(name) != name.as_str(), name.as_str()));
    for component in ordered.iter().filter(|name| roles.responses.contains(**name)) {
        let name = names::camel(base(component));
        let name = if names.is_taken(&name) { names::camel(component) } else { name };
        names.take_for(component, Role::Response, name);
    }
    // In requests, the plain name belongs to what is written.
    ordered.sort_by_key(|name| name.ends_with("_read"));
    for component in ordered.iter().filter(|name| roles.requests.contains(**name)) {
        let stem = base(component);
        let is_only_sent = stem == component.as_str() && !roles.responses.contains(*component);
        let input = |name: String| if name.ends_with("Input") { name } else { format!("{name}Input") };
        let name = names::camel(stem);
        let name = if is_only_sent { name } else { input(name) };
        let name = if names.is_taken(&name) { input(names::camel(component)) } else { name };
        names.take_for(component, Role::Request, name);
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_component_in_both_roles_has_two_names_and_one_that_is_only_sent_keeps_its_own() {
        let schemas = json!({"Thing": {}, "Query": {}, "Part_read": {}, "Part_write": {}, "File": {}});
        let document = json!({"components": {"schemas": schemas}});
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let roles =
            Roles { responses: set(&["Thing", "Part_read", "File"]), requests: set(&["Thing", "Query", "Part_write"]) };
        let names = naming(Components::of(&document), &roles);
        assert_eq!(names.of("Thing", Role::Response), Some("Thing"));
        assert_eq!(names.of("Thing", Role::Request), Some("ThingInput"));
        assert_eq!(names.of("Query", Role::Request), Some("Query"));
        assert_eq!(names.of("Part_read", Role::Response), Some("Part"));
        assert_eq!(names.of("Part_write", Role::Request), Some("PartInput"));
        assert_eq!(names.of("File", Role::Response), Some("File2"));
        assert_eq!(names.of("Query", Role::Response), None);
    }
}
