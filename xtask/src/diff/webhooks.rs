//! Webhooks and callbacks: what the server sends, and the client receives.

use std::collections::BTreeSet;

use datagouv_specs::pointer::escape;
use serde_json::Value;

use super::bodies::received;
use super::change::Operation;
use super::comparison::{Comparison, OperationDifferences};
use super::document::Document;
use super::location::Location;
use super::operations::{Entry, METHODS};
use super::rules;

/// The path items under names, sorted.
fn names(map: Option<&Value>) -> BTreeSet<&str> {
    let names = map.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str());
    names.filter(|name| !name.starts_with("x-")).collect()
}

/// Compares the webhooks of two documents.
pub fn compare<'a>(comparison: &mut Comparison<'a>, old: &'a Document, new: &'a Document) -> Vec<OperationDifferences> {
    let (was, is) = (old.root().get("webhooks"), new.root().get("webhooks"));
    let mut outputs = Vec::new();
    for name in names(was).union(&names(is)) {
        let item = |document: &'a Document, all: Option<&'a Value>| {
            all.and_then(|all| all.get(*name)).map(|item| document.follow(item).value)
        };
        let (before, after) = (item(old, was), item(new, is));
        for method in METHODS {
            let operation = |item: Option<&'a Value>| item.and_then(|item| item.get(method));
            let (before, after) = (operation(before), operation(after));
            let Some(shown) = after.or(before) else { continue };
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let mut output = OperationDifferences::new(Operation {
                path: format!("webhook {name}"),
                method: method.to_uppercase(),
                operation: shown.get("operationId").and_then(text),
                tag: shown.get("tags").and_then(|tags| tags.get(0)).and_then(text),
            });
            match (before, after) {
                (None, Some(_)) => {
                    let text = format!("The webhook `{name}` is new");
                    output.report_text(&rules::WEBHOOK_ADDED, "", (None, Some((*name).into())), text);
                }
                (Some(_), None) => {
                    let text = format!("The webhook `{name}` is gone");
                    output.report_text(&rules::WEBHOOK_REMOVED, "", (Some((*name).into()), None), text);
                }
                (Some(before), Some(after)) => payload(comparison, before, after, "/requestBody", &mut output),
                (None, None) => {}
            }
            outputs.push(output);
        }
    }
    outputs
}

/// Compares the callbacks of an operation.
pub fn callbacks<'a>(
    comparison: &mut Comparison<'a>,
    old: &Entry<'a>,
    new: &Entry<'a>,
    output: &mut OperationDifferences,
) {
    let (was, is) = (old.value.get("callbacks"), new.value.get("callbacks"));
    for name in names(was).union(&names(is)) {
        let location = format!("/callbacks/{}", escape(name));
        let callback = |entry: &Entry<'a>, all: Option<&'a Value>| {
            all.and_then(|all| all.get(*name)).map(|callback| entry.document.follow(callback).value)
        };
        match (callback(old, was), callback(new, is)) {
            (Some(_), None) => {
                let text = format!("The callback `{name}` is gone");
                output.report_text(&rules::CALLBACK_REMOVED, &location, (Some((*name).into()), None), text);
            }
            (None, Some(_)) => {
                let text = format!("The callback `{name}` is new");
                output.report_text(&rules::CALLBACK_ADDED, &location, (None, Some((*name).into())), text);
            }
            (Some(was), Some(is)) => {
                for expression in names(Some(was)).union(&names(Some(is))) {
                    let item = |entry: &Entry<'a>, all: &'a Value| {
                        all.get(*expression).map(|it| entry.document.follow(it).value)
                    };
                    let (was, is) = (item(old, was), item(new, is));
                    for method in METHODS {
                        let operation = |item: Option<&'a Value>| item.and_then(|item| item.get(method));
                        let request = format!("{} {expression}", method.to_uppercase());
                        let value = || Some(Value::from(request.as_str()));
                        match (operation(was), operation(is)) {
                            (Some(was), Some(is)) => payload(comparison, was, is, &location, output),
                            (Some(_), None) => {
                                let text = format!("The callback `{name}` no longer sends `{request}`");
                                output.report_text(&rules::CALLBACK_REMOVED, &location, (value(), None), text);
                            }
                            (None, Some(_)) => {
                                let text = format!("The callback `{name}` also sends `{request}`");
                                output.report_text(&rules::CALLBACK_ADDED, &location, (None, value()), text);
                            }
                            (None, None) => {}
                        }
                    }
                }
            }
            (None, None) => {}
        }
    }
}

/// Compares what the server sends: a request to it, a response to the client.
fn payload<'a>(
    comparison: &mut Comparison<'a>,
    old: &'a Value,
    new: &'a Value,
    location: &str,
    output: &mut OperationDifferences,
) {
    let body = |document: &'a Document, operation: &'a Value| {
        operation.get("requestBody").map(|body| document.follow(body).value)
    };
    let (was, is) = (body(comparison.old, old), body(comparison.new, new));
    received(comparison, &Location::of(location, "what the server sends"), was, is, output);
}
