//! Security requirements of operations, and security schemes.

use std::collections::{BTreeMap, BTreeSet};

use datagouv_specs::pointer::escape;
use serde_json::{Map, Value};

use super::comparison::{Comparison, OperationDifferences};
use super::document::Document;
use super::operations::Entry;
use super::rules::{self, Rule};
use super::schemas::Difference;

/// The scopes of each scheme that is required together; empty if no credentials are.
type Alternative = BTreeMap<String, BTreeSet<String>>;

fn alternatives(entry: &Entry) -> Vec<Alternative> {
    let list = entry.value.get("security").or_else(|| entry.document.root().get("security")).and_then(Value::as_array);
    let alternative = |value: &Value| -> Alternative {
        let schemes = value.as_object().into_iter().flatten();
        let scopes = |value: &Value| {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        schemes.map(|(name, value)| (name.clone(), scopes(value))).collect()
    };
    let list: Vec<Alternative> = list.into_iter().flatten().map(alternative).collect();
    // An empty list is no requirement.
    if list.is_empty() { vec![Alternative::new()] } else { list }
}

fn scheme_map(document: &Document) -> BTreeMap<String, &Value> {
    let schemes = document.root().pointer("/components/securitySchemes").and_then(Value::as_object);
    schemes.into_iter().flatten().map(|(name, scheme)| (name.clone(), document.follow(scheme).value)).collect()
}

/// The members that define the credentials and how they are sent; the others are descriptions.
const IDENTITY: [&str; 5] = ["type", "scheme", "name", "in", "openIdConnectUrl"];

fn identity(scheme: &Value) -> Map<String, Value> {
    let mut parts = Map::new();
    for key in IDENTITY {
        let Some(value) = scheme.get(key) else { continue };
        // Header names and HTTP authentication schemes are case-insensitive.
        let is_plain = key == "scheme" || key == "name" && scheme.get("in").and_then(Value::as_str) == Some("header");
        let value = match value.as_str() {
            Some(text) if is_plain => text.to_lowercase().into(),
            _ => value.clone(),
        };
        parts.insert(key.to_owned(), value);
    }
    parts
}

/// The old names of renamed schemes, by their new names.
fn old_names(old: &Document, new: &Document) -> BTreeMap<String, String> {
    let (was, is) = (scheme_map(old), scheme_map(new));
    let mut names = BTreeMap::new();
    let mut gone: Vec<&String> = was.keys().filter(|name| !is.contains_key(*name)).collect();
    for (name, scheme) in is.iter().filter(|(name, _)| !was.contains_key(*name)) {
        let same = |other: &&String| {
            let before = was[*other];
            identity(before) == identity(scheme) && before.get("flows") == scheme.get("flows")
        };
        if let Some(position) = gone.iter().position(same) {
            names.insert(name.clone(), gone.remove(position).clone());
        }
    }
    names
}

/// Compares the security requirements of an operation.
pub fn compare(comparison: &Comparison, old: &Entry, new: &Entry, output: &mut OperationDifferences) {
    let mut was = alternatives(old);
    let mut is = alternatives(new);
    if was == is {
        return;
    }
    let names = old_names(comparison.old, comparison.new);
    for alternative in &mut is {
        let renamed = std::mem::take(alternative).into_iter();
        *alternative = renamed.map(|(name, scopes)| (names.get(&name).cloned().unwrap_or(name), scopes)).collect();
    }
    let listed = |alternatives: &[Alternative]| Value::Array(alternatives.iter().map(value).collect());
    let values = (Some(listed(&was)), Some(listed(&is)));
    let open = |alternatives: &[Alternative]| alternatives.iter().any(Alternative::is_empty);
    match (open(&was), open(&is)) {
        (true, false) => {
            let text = format!("Credentials are now required: {}", words(&is));
            output.report_text(&rules::SECURITY_REQUIRED, "/security", values, text);
            // Reported as becoming required.
            was.retain(|alternative| !alternative.is_empty());
            if was.is_empty() {
                return;
            }
        }
        (false, true) => {
            let text = format!("Credentials are no longer required: {}", words(&was));
            output.report_text(&rules::SECURITY_NO_LONGER_REQUIRED, "/security", values, text);
            return;
        }
        _ => {}
    }
    let (needed_before, needed_after) = (was.clone(), is.clone());
    was.retain(|alternative| {
        let Some(position) = is.iter().position(|other| other == alternative) else { return true };
        is.remove(position);
        false
    });
    // The same schemes with other scopes.
    was.retain(|before| {
        let Some(position) = is.iter().position(|after| after.keys().eq(before.keys())) else { return true };
        let after = is.remove(position);
        for (scheme, scopes) in before {
            let now = after.get(scheme).cloned().unwrap_or_default();
            for scope in now.difference(scopes) {
                let text = format!("The scope `{scope}` of `{scheme}` is now required");
                let values = (None, Some(scope.as_str().into()));
                output.report_text(&rules::SECURITY_SCOPE_ADDED, "/security", values, text);
            }
            for scope in scopes.difference(&now) {
                let text = format!("The scope `{scope}` of `{scheme}` is no longer required");
                let values = (Some(scope.as_str().into()), None);
                output.report_text(&rules::SECURITY_SCOPE_REMOVED, "/security", values, text);
            }
        }
        false
    });
    // Who sends more credentials than are needed is let in: such an alternative says nothing.
    was.retain(|sent| !needed_after.iter().any(|needed| is_enough(needed, sent)));
    is.retain(|sent| !needed_before.iter().any(|needed| is_enough(needed, sent)));
    for alternative in &was {
        let text = format!("{} is no longer enough", capital(&one(alternative)));
        output.report_text(&rules::SECURITY_ALTERNATIVE_REMOVED, "/security", (Some(value(alternative)), None), text);
    }
    for alternative in &is {
        let text = format!("{} is enough", capital(&one(alternative)));
        output.report_text(&rules::SECURITY_ALTERNATIVE_ADDED, "/security", (None, Some(value(alternative))), text);
    }
}

/// Whether the credentials of one alternative contain those of another.
fn is_enough(needed: &Alternative, sent: &Alternative) -> bool {
    needed.iter().all(|(scheme, scopes)| sent.get(scheme).is_some_and(|sent| scopes.is_subset(sent)))
}

fn value(alternative: &Alternative) -> Value {
    let scopes = |scopes: &BTreeSet<String>| scopes.iter().map(|scope| Value::from(scope.as_str())).collect::<Value>();
    Value::Object(alternative.iter().map(|(name, list)| (name.clone(), scopes(list))).collect())
}

fn one(alternative: &Alternative) -> String {
    match alternative.is_empty() {
        true => "no credentials".to_owned(),
        false => alternative.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" with "),
    }
}

fn words(alternatives: &[Alternative]) -> String {
    let named = alternatives.iter().filter(|alternative| !alternative.is_empty());
    named.map(one).collect::<Vec<_>>().join(", or ")
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", characters.as_str())
}

/// Compares the security schemes of the documents.
pub fn schemes(old: &Document, new: &Document) -> Vec<Difference> {
    let (was, is) = (scheme_map(old), scheme_map(new));
    let renamed = old_names(old, new);
    let mut differences = Differences(Vec::new());
    for (name, before) in &was {
        let at = format!("/components/securitySchemes/{}", escape(name));
        match is.get(name) {
            Some(after) => differences.scheme(name, &at, before, after),
            None if renamed.values().any(|other| other == name) => {}
            None => {
                let text = format!("The security scheme `{name}` is gone");
                differences.report(&rules::SCHEME_REMOVED, &at, Some(name.as_str().into()), None, text);
            }
        }
    }
    for name in is.keys().filter(|name| !was.contains_key(*name) && !renamed.contains_key(*name)) {
        let at = format!("/components/securitySchemes/{}", escape(name));
        let text = format!("The security scheme `{name}` is new");
        differences.report(&rules::SCHEME_ADDED, &at, None, Some(name.as_str().into()), text);
    }
    differences.0
}

struct Differences(Vec<Difference>);

impl Differences {
    fn report(&mut self, rule: &'static Rule, location: &str, old: Option<Value>, new: Option<Value>, text: String) {
        self.0.push(Difference { rule, location: location.to_owned(), old, new, text });
    }

    fn scheme(&mut self, name: &str, at: &str, was: &Value, is: &Value) {
        let (before, after) = (identity(was), identity(is));
        if before != after {
            let text = format!("The security scheme `{name}` is another one");
            self.report(&rules::SCHEME_CHANGED, at, Some(before.into()), Some(after.into()), text);
            return;
        }
        if was.get("bearerFormat") != is.get("bearerFormat") {
            let text = format!("The format of the tokens of `{name}` is said otherwise");
            let value = |scheme: &Value| scheme.get("bearerFormat").cloned();
            self.report(&rules::BEARER_FORMAT_CHANGED, at, value(was), value(is), text);
        }
        let flows = |scheme: &Value| scheme.get("flows").and_then(Value::as_object).cloned().unwrap_or_default();
        let (was, is) = (flows(was), flows(is));
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).filter(|name| !name.starts_with("x-")).collect();
        for flow in names {
            let at = format!("{at}/flows/{}", escape(flow));
            match (was.get(flow), is.get(flow)) {
                (Some(before), Some(after)) => self.flow(name, flow, &at, before, after),
                (Some(_), None) => {
                    let text = format!("The flow `{flow}` of `{name}` is gone");
                    self.report(&rules::FLOW_REMOVED, &at, Some(flow.as_str().into()), None, text);
                }
                (None, _) => {
                    let text = format!("The flow `{flow}` of `{name}` is new");
                    self.report(&rules::FLOW_ADDED, &at, None, Some(flow.as_str().into()), text);
                }
            }
        }
    }

    fn flow(&mut self, scheme: &str, flow: &str, at: &str, was: &Value, is: &Value) {
        for key in ["authorizationUrl", "tokenUrl", "refreshUrl"] {
            let (before, after) = (was.get(key), is.get(key));
            if before != after {
                let text = format!("The `{key}` of the flow `{flow}` of `{scheme}` changed");
                self.report(&rules::FLOW_URL_CHANGED, at, before.cloned(), after.cloned(), text);
            }
        }
        let scopes = |flow: &Value| -> BTreeSet<String> {
            flow.get("scopes").and_then(Value::as_object).into_iter().flatten().map(|it| it.0.clone()).collect()
        };
        let (was, is) = (scopes(was), scopes(is));
        for scope in was.difference(&is) {
            let text = format!("The scope `{scope}` of `{scheme}` is gone");
            self.report(&rules::SCOPE_REMOVED, at, Some(scope.as_str().into()), None, text);
        }
        for scope in is.difference(&was) {
            let text = format!("The scope `{scope}` of `{scheme}` is new");
            self.report(&rules::SCOPE_ADDED, at, None, Some(scope.as_str().into()), text);
        }
    }
}
