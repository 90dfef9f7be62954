//! References: those that lead nowhere, elsewhere, or are written otherwise.

use serde_json::{Map, Value};

use super::grammar::Role;
use super::pass::{Pass, kind_name};
use super::rules;
use super::version::Version;
use crate::pointer::{decode, escape};

impl Pass {
    /// Reads the reference of an object. Returns whether the object has other members to read; none where the object is
    /// nothing without its target.
    pub fn reference(&mut self, members: &mut Map<String, Value>, role: Role, pointer: &str) -> Option<bool> {
        let at = format!("{pointer}/$ref");
        let text = match members.get("$ref") {
            Some(Value::String(text)) => text.clone(),
            Some(other) => {
                let fault = format!("must be a text, and is {}", kind_name(other));
                self.note(&rules::WRONG_TYPE, &at, fault, "it is left out");
                members.remove("$ref");
                return Some(true);
            }
            None => return Some(true),
        };
        let text = match self.by_name(&text, role) {
            Some(right) => {
                self.note(&rules::REFERENCE_BY_NAME, &at, format!("`{text}` is a name"), format!("it is `{right}`"));
                members.insert("$ref".to_owned(), right.clone().into());
                right
            }
            None => text,
        };
        let (rule, fault) = if !text.starts_with('#') {
            (&rules::EXTERNAL_REFERENCE, format!("`{text}` leads out of the document"))
        } else if self.leads_to_its_kind(&text, role) {
            return self.siblings(members, &text, role, pointer);
        } else {
            (&rules::DANGLING_REFERENCE, format!("`{text}` leads to no {}, or back to itself", role.name()))
        };
        match role {
            Role::Schema => {
                self.note(rule, &at, fault, "any value is allowed");
                members.remove("$ref");
                Some(true)
            }
            Role::Response => {
                self.note(rule, &at, fault, "the response has no content");
                *members = Map::from_iter([("description".to_owned(), "".into())]);
                Some(true)
            }
            _ => {
                self.note(rule, &at, fault, format!("the {} is left out", role.name()));
                None
            }
        }
    }

    fn siblings(&mut self, members: &mut Map<String, Value>, text: &str, role: Role, pointer: &str) -> Option<bool> {
        match role {
            Role::Schema => Some(true),
            Role::PathItem if self.is_swagger() => {
                self.note(
                    &rules::PATH_REFERENCE,
                    pointer,
                    format!("`{text}` is a path of the document"),
                    "it is a copy",
                );
                members.remove("$ref");
                let target = self.lookup(text).and_then(Value::as_object).cloned().unwrap_or_default();
                for (key, value) in target {
                    members.entry(key).or_insert(value);
                }
                Some(true)
            }
            Role::PathItem => Some(true),
            _ => {
                let is_text = |value: &Value| value.is_string();
                let is_override = |key: &str, value: &Value| {
                    self.version == Version::OpenApi31 && matches!(key, "summary" | "description") && is_text(value)
                };
                let is_kept = |key: &str, value: &Value| key == "$ref" || is_override(key, value);
                let others: Vec<String> =
                    members.iter().filter(|(key, value)| !is_kept(key, value)).map(|(key, _)| key.clone()).collect();
                for key in others {
                    members.remove(&key);
                    let at = format!("{pointer}/{}", escape(&key));
                    self.note(&rules::REFERENCE_SIBLINGS, &at, "is a sibling of a `$ref`", "it is left out");
                }
                Some(false)
            }
        }
    }

    /// The reference that the name of a component is meant to be.
    fn by_name(&self, text: &str, role: Role) -> Option<String> {
        if text.starts_with("#/") || self.lookup(text).is_some() {
            return None;
        }
        let section = self.section(role)?;
        let prefix = section.trim_start_matches('/');
        let name =
            text.trim_start_matches('#').trim_start_matches('/').trim_start_matches(prefix).trim_start_matches('/');
        let pointer = format!("{section}/{}", escape(name));
        let is_there = !name.is_empty() && self.root.pointer(&pointer).is_some();
        is_there.then(|| format!("#{pointer}"))
    }

    /// Where the components of a role are.
    fn section(&self, role: Role) -> Option<&'static str> {
        Some(match (role, self.is_swagger()) {
            (Role::Schema, true) => "/definitions",
            (Role::Parameter, true) => "/parameters",
            (Role::Response, true) => "/responses",
            (Role::PathItem, true) => "/paths",
            (_, true) => return None,
            (Role::Schema, false) => "/components/schemas",
            (Role::Parameter, false) => "/components/parameters",
            (Role::Response, false) => "/components/responses",
            (Role::Body, false) => "/components/requestBodies",
            (Role::Header, false) => "/components/headers",
            (Role::Scheme, false) => "/components/securitySchemes",
            (Role::Callback, false) => "/components/callbacks",
            (Role::PathItem, false) => "/components/pathItems",
            _ => return None,
        })
    }

    fn lookup(&self, text: &str) -> Option<&Value> {
        let fragment = text.strip_prefix('#')?;
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return anchored(&self.root, fragment);
        }
        let decoded: Vec<String> = fragment.split('/').map(|token| escape(&decode(token))).collect();
        self.root.pointer(fragment).or_else(|| self.root.pointer(&decoded.join("/")))
    }

    /// What a reference of a role leads to, by way of all references in between.
    pub fn follow<'a>(&'a self, value: &'a Value) -> Option<&'a Value> {
        let mut current = value;
        let mut seen = Vec::new();
        while let Some(text) = current.get("$ref").and_then(Value::as_str) {
            if seen.contains(&text) {
                return None;
            }
            seen.push(text);
            current = self.lookup(text)?;
        }
        Some(current)
    }

    fn leads_to_its_kind(&self, text: &str, role: Role) -> bool {
        let Some(target) = self.lookup(text).and_then(|target| self.follow(target)) else { return false };
        if !(target.is_object() || (target.is_boolean() && role == Role::Schema)) {
            return false;
        }
        if let Some(rest) = text.strip_prefix("#/components/").filter(|_| !self.is_swagger()) {
            let section = rest.split('/').next().unwrap_or_default();
            let is_own = self.section(role).is_some_and(|own| own.strip_prefix("/components/") == Some(section));
            // A schema may be within any component; the others are components themselves.
            let is_within = rest.split('/').count() > 2;
            return is_own || (is_within && role == Role::Schema);
        }
        if role == Role::Parameter && !self.is_swagger() {
            return target.get("name").is_some() && target.get("in").is_some();
        }
        // Swagger 2.0 has a section for each kind, and a definition may be referred to from inside.
        if let (true, Some(section)) = (self.is_swagger(), self.section(role)) {
            let rest = text
                .strip_prefix('#')
                .and_then(|text| text.strip_prefix(section))
                .and_then(|text| text.strip_prefix('/'));
            return rest.is_some_and(|rest| !rest.contains('/') || (role == Role::Schema && is_within_schema(rest)));
        }
        true
    }
}

/// Whether the rest of a pointer leads from a definition to a schema in it.
fn is_within_schema(rest: &str) -> bool {
    let mut tokens = rest.split('/').skip(1);
    while let Some(token) = tokens.next() {
        let is_schema = match token {
            "items" | "additionalProperties" => true,
            "properties" | "allOf" => tokens.next().is_some(),
            _ => false,
        };
        if !is_schema {
            return false;
        }
    }
    true
}

/// The schema with an anchor.
fn anchored<'a>(value: &'a Value, anchor: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => {
            if members.get("$anchor").and_then(Value::as_str) == Some(anchor) {
                return Some(value);
            }
            members.values().find_map(|child| anchored(child, anchor))
        }
        Value::Array(list) => list.iter().find_map(|child| anchored(child, anchor)),
        _ => None,
    }
}
