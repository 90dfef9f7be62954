//! Servers: scheme, host and base path.

use serde_json::{Value, json};

use super::comparison::{OperationDifferences, Values};
use super::document::Document;
use super::operations::Entry;
use super::rules::{self, Rule};
use super::schemas::Difference;

/// The parts of a server's URL.
#[derive(Debug, PartialEq, Eq)]
struct Url<'a> {
    scheme: &'a str,
    host: &'a str,
    path: &'a str,
}

impl<'a> Url<'a> {
    fn new(text: &'a str) -> Self {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text.strip_prefix("//").unwrap_or(text)));
        if scheme.is_empty() && !text.starts_with("//") {
            return Self { scheme, host: "", path: text.trim_end_matches('/') };
        }
        let end = rest.find('/').unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        Self { scheme, host, path: path.trim_end_matches('/') }
    }
}

fn servers(owner: &Value) -> Option<&Vec<Value>> {
    owner.get("servers").and_then(Value::as_array).filter(|list| !list.is_empty())
}

/// Compares the servers of the documents.
pub fn compare(old: &Document, new: &Document) -> Vec<Difference> {
    let mut differences = Vec::new();
    lists(servers(old.root()), servers(new.root()), |rule, values, text| {
        let (old, new) = values;
        differences.push(Difference { rule, location: "/servers".to_owned(), old, new, text });
    });
    differences
}

/// Compares the servers of an operation that has its own.
pub fn compare_operations(old: &Entry, new: &Entry, output: &mut OperationDifferences) {
    let own = |entry: &Entry| servers(entry.value).or_else(|| servers(entry.item)).is_some();
    if own(old) || own(new) {
        let (was, is) = (effective(old), effective(new));
        lists(was, is, |rule, values, text| output.report_text(rule, "/servers", values, text));
    }
}

fn effective<'a>(entry: &Entry<'a>) -> Option<&'a Vec<Value>> {
    servers(entry.value).or_else(|| servers(entry.item)).or_else(|| servers(entry.document.root()))
}

fn lists(old: Option<&Vec<Value>>, new: Option<&Vec<Value>>, mut report: impl FnMut(&'static Rule, Values, String)) {
    // Without any, the server is `/`, relative to the document (OpenAPI 3.0.3, OpenAPI Object).
    let own = vec![json!({ "url": "/" })];
    let url = |server: &Value| server.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    let key = |server: &Value| url(server).trim_end_matches('/').to_owned();
    let mut old: Vec<&Value> = old.unwrap_or(&own).iter().collect();
    let mut new: Vec<&Value> = new.unwrap_or(&own).iter().collect();
    old.retain(|was| {
        let Some(position) = new.iter().position(|is| key(is) == key(was)) else { return true };
        let is = new.remove(position);
        variables(was, is, &mut report);
        false
    });
    // The rest are paired by what they have most in common, and reported as changed.
    old.retain(|was| {
        let was = url(was);
        let before = Url::new(&was);
        let common = |after: &Url| {
            usize::from(before.scheme == after.scheme)
                + usize::from(before.host == after.host)
                + usize::from(before.path == after.path)
        };
        let best = (0..new.len()).max_by_key(|index| common(&Url::new(&url(new[*index]))));
        let Some(index) = best else { return true };
        let is = url(new.remove(index));
        let after = Url::new(&is);
        for (rule, before, after, name) in [
            (&rules::SERVER_SCHEME_CHANGED, before.scheme, after.scheme, "scheme"),
            (&rules::SERVER_HOST_CHANGED, before.host, after.host, "host"),
            (&rules::SERVER_BASE_PATH_CHANGED, before.path, after.path, "base path"),
        ] {
            if before != after {
                let or_none = |part: &str| if part.is_empty() { "none".to_owned() } else { format!("`{part}`") };
                let text = format!("The {name} of the server is {}, no longer {}", or_none(after), or_none(before));
                report(rule, (Some(was.as_str().into()), Some(is.as_str().into())), text);
            }
        }
        false
    });
    for server in old {
        let url = url(server);
        report(&rules::SERVER_REMOVED, (Some(url.as_str().into()), None), format!("The server `{url}` is gone"));
    }
    for server in new {
        let url = url(server);
        report(&rules::SERVER_ADDED, (None, Some(url.as_str().into())), format!("The server `{url}` is new"));
    }
}

fn variables(was: &Value, is: &Value, report: &mut impl FnMut(&'static Rule, Values, String)) {
    let empty = serde_json::Map::new();
    let map = |server: &'_ Value| server.get("variables").and_then(Value::as_object).cloned().unwrap_or(empty.clone());
    let (was, is) = (map(was), map(is));
    // A description is no more than that, and values have no order.
    let told = |variable: Option<&Value>| {
        let variable = variable?;
        let mut values = variable.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
        values.sort_by_key(Value::to_string);
        Some(json!({ "default": variable.get("default"), "enum": values }))
    };
    let names: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    for name in names {
        let (before, after) = (told(was.get(name)), told(is.get(name)));
        if before != after {
            let text = format!("The variable `{name}` of the server changed");
            report(&rules::SERVER_VARIABLE_CHANGED, (before, after), text);
        }
    }
}
