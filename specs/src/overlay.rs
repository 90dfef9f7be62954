//! Overlays: corrections of a document that describes its server wrongly.
//!
//! An overlay is written by people as an [OpenAPI Overlay 1.0.0](https://spec.openapis.org/overlay/v1.0.0.html)
//! document in YAML, whose targets are JSONPath (RFC 9535) and whose descriptions say how each fact was observed. The
//! build of a client needs neither the descriptions nor a JSONPath library: it applies the compiled form, the same
//! actions with every target resolved to JSON pointers (RFC 6901).

use std::cmp::Ordering;

use serde_json::Value;

use crate::Error;
use crate::pointer::{escape, find_mut, unescape};

#[cfg(feature = "authoring")]
pub use authoring::{Action, Change, Compiled, Overlay, check, compile, evaluate, parse_yaml};

/// Applies the compiled form of an overlay: `{"actions": [{"targets": [pointer, ...], "update": ...}]}`, with
/// `"remove": true` in place of `update` where the targets are removed.
pub fn apply(compiled: &Value, document: &mut Value) -> Result<(), Error> {
    let actions = compiled.get("actions").and_then(Value::as_array);
    let actions = actions.ok_or_else(|| Error::new("", "a compiled overlay has a list of `actions`"))?;
    for (index, action) in actions.iter().enumerate() {
        apply_action(action, document).map_err(|message| Error::new(format!("/actions/{index}"), message))?;
    }
    crate::swagger2::wrap_reference_siblings(document);
    Ok(())
}

fn apply_action(action: &Value, document: &mut Value) -> Result<(), String> {
    let targets = action.get("targets").and_then(Value::as_array);
    let targets = targets.ok_or("a compiled action has a list of `targets`")?;
    let pointers: Option<Vec<&str>> = targets.iter().map(Value::as_str).collect();
    let pointers = pointers.ok_or("`targets` are JSON pointers")?;
    match (action.get("update"), action.get("remove")) {
        (Some(value), None) => pointers.iter().try_for_each(|pointer| update(document, pointer, value).map(drop)),
        (None, Some(Value::Bool(true))) => remove_all(document, pointers),
        _ => Err("a compiled action has either `update` or `remove: true`".to_owned()),
    }
}

/// Merges a value into an object, or appends it to an array. Returns whether that changed anything.
fn update(document: &mut Value, pointer: &str, value: &Value) -> Result<bool, String> {
    let target = find_mut(document, pointer).ok_or_else(|| missing(pointer))?;
    match target {
        Value::Array(entries) if entries.contains(value) => Ok(false),
        Value::Array(entries) => {
            entries.push(value.clone());
            Ok(true)
        }
        Value::Object(_) if value.is_object() => merge(target, value).map_err(|rest| {
            // Overlay 1.0.0 does not say whether the new array replaces the old one or lengthens it.
            format!("at `{pointer}{rest}` an array meets an array: remove the old one first, in an action before")
        }),
        Value::Object(_) => Err(format!("`{pointer}` is an object, and only an object can update it")),
        _ => Err(format!("`{pointer}` is neither an object nor an array: update the object that holds it")),
    }
}

/// Returns whether that changed anything, or the relative pointer at which both values are arrays.
fn merge(target: &mut Value, value: &Value) -> Result<bool, String> {
    match (target, value) {
        (Value::Object(target), Value::Object(value)) => {
            let mut changed = false;
            for (key, value) in value {
                if let Some(old) = target.get_mut(key) {
                    changed |= merge(old, value).map_err(|rest| format!("/{}{rest}", escape(key)))?;
                } else {
                    target.insert(key.clone(), value.clone());
                    changed = true;
                }
            }
            Ok(changed)
        }
        (Value::Array(old), Value::Array(new)) if old == new => Ok(false),
        (Value::Array(_), Value::Array(_)) => Err(String::new()),
        (target, value) => {
            let changed = target != value;
            target.clone_from(value);
            Ok(changed)
        }
    }
}

/// Removes from the back, so that no removal shifts or deletes a later target.
fn remove_all(document: &mut Value, mut pointers: Vec<&str>) -> Result<(), String> {
    pointers.sort_by(|one, other| in_document_order(one, other));
    pointers.into_iter().rev().try_for_each(|pointer| remove(document, pointer))
}

fn remove(document: &mut Value, pointer: &str) -> Result<(), String> {
    let (holder, last) = pointer.rsplit_once('/').ok_or("the document as a whole cannot be removed")?;
    let removed = match find_mut(document, holder) {
        Some(Value::Object(object)) => object.remove(&unescape(last)),
        Some(Value::Array(entries)) => {
            let index = last.parse().ok().filter(|index: &usize| *index < entries.len());
            index.map(|index| entries.remove(index))
        }
        _ => None,
    };
    removed.map(drop).ok_or_else(|| missing(pointer))
}

fn missing(pointer: &str) -> String {
    format!("`{pointer}` is not in the document")
}

/// Orders parents before children, and array elements by index.
fn in_document_order(one: &str, other: &str) -> Ordering {
    fn key(token: &str) -> (bool, usize, &str) {
        let index = token.parse::<usize>();
        (index.is_err(), index.unwrap_or_default(), token)
    }
    one.split('/').map(key).cmp(other.split('/').map(key))
}

#[cfg(feature = "authoring")]
mod authoring {
    use serde_json::{Map, Value, json};
    use serde_json_path::JsonPath;

    use crate::Error;

    /// An overlay as it is written.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Overlay {
        /// What it is about.
        pub title: String,
        /// Its own version.
        pub version: String,
        /// Its actions, in the order in which they apply.
        pub actions: Vec<Action>,
    }

    /// One correction.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Action {
        /// JSONPath (RFC 9535) of the values to correct.
        pub target: String,
        /// What the server really does, and how that was observed.
        pub description: String,
        /// The change to those values.
        pub change: Change,
    }

    /// What an action does to its targets.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Change {
        /// Merge this into objects, key by key; append it to arrays.
        Update(Value),
        /// Remove them.
        Remove,
    }

    /// An overlay evaluated against the document that it corrects.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Compiled {
        /// The form that [`apply`](super::apply) reads.
        pub overlay: Value,
        /// The corrected document.
        pub document: Value,
    }

    /// Parses an overlay. Unknown members are errors, and every action must have a description.
    pub fn parse_yaml(text: &str) -> Result<Overlay, Error> {
        // Parsed as a YAML value first, which rejects duplicate keys and accepts `200` as a key.
        let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).map_err(|error| not_an_overlay(&error))?;
        let value = serde_json::to_value(yaml).map_err(|error| not_an_overlay(&error))?;
        let root = object(&value, "", &["overlay", "info", "actions"])?;
        match text_of(root, "overlay", "")? {
            "1.0.0" => {}
            version => return Err(Error::new("/overlay", format!("Overlay {version} is not read, 1.0.0 is"))),
        }
        let info = root.get("info").ok_or_else(|| Error::new("/info", "missing"))?;
        let info = object(info, "/info", &["title", "version"])?;
        let actions = root.get("actions").and_then(Value::as_array);
        let actions = actions.ok_or_else(|| Error::new("/actions", "must be a list"))?;
        Ok(Overlay {
            title: text_of(info, "title", "/info")?.to_owned(),
            version: text_of(info, "version", "/info")?.to_owned(),
            actions: actions
                .iter()
                .enumerate()
                .map(|(index, action)| parse_action(action, &format!("/actions/{index}")))
                .collect::<Result<_, _>>()?,
        })
    }

    fn not_an_overlay(error: &dyn std::fmt::Display) -> Error {
        Error::new("", format!("not YAML that JSON can say: {error}"))
    }

    fn parse_action(action: &Value, pointer: &str) -> Result<Action, Error> {
        let action = object(action, pointer, &["target", "description", "update", "remove"])?;
        let target = text_of(action, "target", pointer)?.to_owned();
        let change = match (action.get("update"), action.get("remove")) {
            (Some(update), None) => Change::Update(update.clone()),
            (None, Some(Value::Bool(true))) => Change::Remove,
            (None, Some(_)) => return Err(Error::new(pointer, format!("`{target}`: `remove` can only be true"))),
            (Some(_), Some(_)) => return Err(Error::new(pointer, format!("`{target}`: both `update` and `remove`"))),
            (None, None) => return Err(Error::new(pointer, format!("`{target}`: neither `update` nor `remove`"))),
        };
        Ok(Action { target, description: text_of(action, "description", pointer)?.to_owned(), change })
    }

    fn object<'a>(value: &'a Value, pointer: &str, known: &[&str]) -> Result<&'a Map<String, Value>, Error> {
        let object = value.as_object().ok_or_else(|| Error::new(pointer, "must be an object"))?;
        match object.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Error::new(pointer, format!("`{key}` is not one of {}", known.join(", ")))),
            None => Ok(object),
        }
    }

    fn text_of<'a>(object: &'a Map<String, Value>, key: &str, pointer: &str) -> Result<&'a str, Error> {
        match object.get(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
            Some(_) => Err(Error::new(pointer, format!("`{key}` must be text, and not empty"))),
            None => Err(Error::new(pointer, format!("`{key}` is missing"))),
        }
    }

    /// Evaluates an overlay against its document, action by action.
    ///
    /// An action without effect is an error, since the document no longer has the fault that it corrects: a target that
    /// matches nothing, an update that changes nothing, and the same for each single name where a target lists names.
    pub fn compile(overlay: &Overlay, document: &Value) -> Result<Compiled, Error> {
        let (compiled, errors) = evaluate(overlay, document);
        errors.into_iter().next().map_or(Ok(compiled), Err)
    }

    /// Returns all errors of [`compile`], not only the first. Actions that depend on a failing one fail too.
    pub fn check(overlay: &Overlay, document: &Value) -> Vec<Error> {
        evaluate(overlay, document).1
    }

    /// Applies an overlay to a document for which it was not written: applies what applies, and returns the errors that
    /// [`compile`] would give for the rest.
    pub fn evaluate(overlay: &Overlay, document: &Value) -> (Compiled, Vec<Error>) {
        let mut document = document.clone();
        let mut actions = Vec::new();
        let mut errors = Vec::new();
        for (index, action) in overlay.actions.iter().enumerate() {
            let mut problems = Vec::new();
            let targets = perform(action, &mut document, &mut problems);
            actions.push(match &action.change {
                Change::Update(value) => json!({"targets": targets, "update": value}),
                Change::Remove => json!({"targets": targets, "remove": true}),
            });
            errors.extend(problems.into_iter().map(|problem| {
                Error::new(format!("/actions/{index}"), format!("{problem}. It says: {}", action.description.trim()))
            }));
        }
        crate::swagger2::wrap_reference_siblings(&mut document);
        (Compiled { overlay: json!({"actions": actions}), document }, errors)
    }

    /// Applies an action, and returns the pointers of the values that it changed.
    fn perform(action: &Action, document: &mut Value, problems: &mut Vec<String>) -> Vec<String> {
        let target = &action.target;
        let selected = match select(target, document) {
            Ok(selected) => selected,
            Err(problem) => {
                problems.push(problem);
                return Vec::new();
            }
        };
        // Selected before anything changes, since a filter may depend on what the action changes.
        let parts: Vec<(String, Vec<String>)> = one_name_each(target)
            .into_iter()
            .map(|part| {
                let selected = select(&part, document).unwrap_or_default();
                (part, selected)
            })
            .collect();
        let changed = match &action.change {
            Change::Remove => {
                let pointers = selected.iter().map(String::as_str).collect();
                problems
                    .extend(super::remove_all(document, pointers).err().map(|error| format!("`{target}`: {error}")));
                selected.clone()
            }
            Change::Update(value) => {
                let mut changed = Vec::new();
                for pointer in &selected {
                    match super::update(document, pointer, value) {
                        Ok(true) => changed.push(pointer.clone()),
                        Ok(false) => {}
                        Err(problem) => {
                            problems.push(format!("`{target}`: {problem}"));
                            return changed;
                        }
                    }
                }
                changed
            }
        };
        let whole = (target.clone(), selected);
        let parts = if parts.is_empty() { vec![whole] } else { parts };
        for (part, selected) in parts {
            if selected.is_empty() {
                problems.push(format!("`{part}` matches nothing"));
            } else if !selected.iter().any(|pointer| changed.contains(pointer)) {
                problems.push(format!("`{part}` already is what the update makes it"));
            }
        }
        changed
    }

    fn select(target: &str, document: &Value) -> Result<Vec<String>, String> {
        let path = JsonPath::parse(target).map_err(|error| format!("`{target}` is not JSONPath: {error}"))?;
        let mut pointers: Vec<String> =
            path.query_located(document).locations().map(|location| location.to_json_pointer()).collect();
        pointers.sort_by(|one, other| super::in_document_order(one, other));
        pointers.dedup();
        Ok(pointers)
    }

    /// The target with one name in place of a list of names, for each name of each list: each must have an effect.
    fn one_name_each(target: &str) -> Vec<String> {
        let mut parts = Vec::new();
        for (start, end) in brackets(target) {
            let Some(names) = quoted_names(&target[start..end]) else { continue };
            if names.len() > 1 {
                parts.extend(names.iter().map(|name| format!("{}{name}{}", &target[..start], &target[end..])));
            }
        }
        parts
    }

    /// Where the contents of the outermost brackets of a JSONPath are.
    fn brackets(path: &str) -> Vec<(usize, usize)> {
        let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
        for (pointer, character) in outside_quotes(path) {
            match character {
                '[' => {
                    depth += 1;
                    if depth == 1 {
                        start = pointer + 1;
                    }
                }
                ']' => {
                    if depth == 1 {
                        found.push((start, pointer));
                    }
                    depth = depth.saturating_sub(1);
                }
                _ => {}
            }
        }
        found
    }

    /// The names of `'a', "b"`, still in their quotes, if there is nothing else between the brackets.
    fn quoted_names(selectors: &str) -> Option<Vec<&str>> {
        let mut ends: Vec<usize> =
            outside_quotes(selectors).filter(|(_, one)| *one == ',').map(|(pointer, _)| pointer).collect();
        ends.push(selectors.len());
        let mut start = 0;
        ends.into_iter()
            .map(|end| {
                let selector = selectors[start..end].trim();
                start = end + 1;
                selector.starts_with(['\'', '"']).then_some(selector)
            })
            .collect()
    }

    fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> {
        let (mut quote, mut escaped) = (None, false);
        text.char_indices().filter(move |(_, character)| match (quote, *character) {
            (Some(_), _) if escaped => {
                escaped = false;
                false
            }
            (Some(_), '\\') => {
                escaped = true;
                false
            }
            (Some(open), close) => {
                if open == close {
                    quote = None;
                }
                false
            }
            (None, '\'' | '"') => {
                quote = Some(*character);
                false
            }
            (None, _) => true,
        })
    }
}
