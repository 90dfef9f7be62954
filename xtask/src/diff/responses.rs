//! Responses: statuses, media types, headers, links.

use std::collections::{BTreeMap, BTreeSet};

use datagouv_specs::pointer::escape;
use serde_json::Value;

use super::change::Direction;
use super::comparison::{Comparison, OperationDifferences};
use super::location::Location;
use super::operations::Entry;
use super::{bodies, rules, texts, webhooks};

fn responses<'a>(entry: &Entry<'a>) -> BTreeMap<String, &'a Value> {
    let responses = entry.value.get("responses").and_then(Value::as_object).into_iter().flatten();
    let responses = responses.filter(|(status, _)| !status.starts_with("x-"));
    responses.map(|(status, response)| (status.to_uppercase(), entry.document.follow(response).value)).collect()
}

/// Compares the responses of an operation.
pub fn compare<'a>(
    comparison: &mut Comparison<'a>,
    old: &Entry<'a>,
    new: &Entry<'a>,
    output: &mut OperationDifferences,
) {
    let (was, is) = (responses(old), responses(new));
    // A range applies to each of its statuses that is not declared.
    let range = |status: &str| format!("{}XX", status.get(..1).unwrap_or_default());
    for (status, response) in &was {
        match is.get(status).or_else(|| is.get(&range(status))) {
            Some(now) => response_change(comparison, status, response, now, output),
            None => removed(status, output),
        }
    }
    for (status, response) in &is {
        if was.contains_key(status) {
            continue;
        }
        match was.get(&range(status)) {
            Some(before) => response_change(comparison, status, before, response, output),
            None => added(status, output),
        }
    }
    webhooks::callbacks(comparison, old, new, output);
}

fn is_error(status: &str) -> bool {
    status.starts_with(['4', '5'])
}

fn removed(status: &str, output: &mut OperationDifferences) {
    let rule = match status {
        "DEFAULT" => &rules::DEFAULT_RESPONSE_REMOVED,
        status if is_error(status) => &rules::ERROR_REMOVED,
        _ => &rules::SUCCESS_REMOVED,
    };
    let values = (Some(status.to_lowercase().into()), None);
    output.report(rule, &location(status), values, "is gone");
}

fn added(status: &str, output: &mut OperationDifferences) {
    let rule = match status {
        "DEFAULT" => &rules::DEFAULT_RESPONSE_ADDED,
        status if is_error(status) => &rules::ERROR_ADDED,
        _ => &rules::SUCCESS_ADDED,
    };
    let values = (None, Some(status.to_lowercase().into()));
    output.report(rule, &location(status), values, "is new");
}

fn location(status: &str) -> Location {
    match status {
        "DEFAULT" => Location::of("/responses/default", "the response for other statuses"),
        status => Location::of(format!("/responses/{}", escape(status)), format!("the response {status}")),
    }
}

fn response_change<'a>(
    comparison: &mut Comparison<'a>,
    status: &str,
    was: &'a Value,
    is: &'a Value,
    output: &mut OperationDifferences,
) {
    let at = location(status);
    links(was, is, &at, output);
    bodies::received(comparison, &at, Some(was), Some(is), output);
    headers(comparison, status, was, is, output);
}

fn headers<'a>(
    comparison: &mut Comparison<'a>,
    status: &str,
    was: &'a Value,
    is: &'a Value,
    output: &mut OperationDifferences,
) {
    // Header names are case-insensitive; media types cover `Content-Type`.
    let headers = |response: &'a Value| -> BTreeMap<String, (&'a str, &'a Value)> {
        let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
        let headers = headers.map(|(name, header)| (name.to_lowercase(), (name.as_str(), header)));
        headers.filter(|(name, _)| name != "content-type").collect()
    };
    let (was, is) = (headers(was), headers(is));
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let required = |header: &Value| header.get("required") == Some(&Value::Bool(true));
    for key in names {
        let before = was.get(key).map(|(name, header)| (*name, comparison.old.follow(header).value));
        let after = is.get(key).map(|(name, header)| (*name, comparison.new.follow(header).value));
        let Some((name, _)) = after.or(before) else { continue };
        let at = Location::of(
            format!("{}/headers/{}", location(status).pointer, escape(name)),
            format!("the header `{name}` of {}", location(status)),
        );
        match (before, after) {
            (Some((_, header)), None) => {
                let values = (Some(name.into()), None);
                match required(header) {
                    true => {
                        output.report(&rules::REQUIRED_HEADER_REMOVED, &at, values, "is gone, and was always there")
                    }
                    false => output.report(&rules::HEADER_REMOVED, &at, values, "is gone"),
                }
            }
            (None, Some(_)) => output.report(&rules::HEADER_ADDED, &at, (None, Some(name.into())), "is new"),
            (Some((_, before)), Some((_, after))) => {
                let flip = (Some(required(before).into()), Some(required(after).into()));
                match (required(before), required(after)) {
                    (false, true) => output.report(&rules::HEADER_BECAME_REQUIRED, &at, flip, "is now always there"),
                    (true, false) => {
                        output.report(&rules::HEADER_BECAME_OPTIONAL, &at, flip, "is no longer always there");
                    }
                    _ => {}
                }
                let (before, after) = (before.get("schema"), after.get("schema"));
                let (old, new) = ((comparison.old, before), (comparison.new, after));
                let change = match (texts::wider(new, old, false), texts::wider(old, new, false)) {
                    (Some(_), _) => Some((&rules::TYPE_NARROWED, "may no longer be any text")),
                    (None, Some(_)) => Some((&rules::TYPE_WIDENED, "may now be any text")),
                    (None, None) => None,
                };
                if let Some((pair, text)) = change {
                    let types = |schema: Option<&Value>| schema.and_then(|schema| schema.get("type")).cloned();
                    output.report(pair.on(Direction::Response), &at, (types(before), types(after)), text);
                } else {
                    comparison.schemas(before, after, &at, Direction::Response, output);
                }
            }
            (None, None) => {}
        }
    }
}

/// Compares the links of a response.
fn links(was: &Value, is: &Value, at: &Location, output: &mut OperationDifferences) {
    let names = |value: &Value| -> BTreeSet<String> {
        value.get("links").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    let (before, after) = (names(was), names(is));
    for name in before.symmetric_difference(&after) {
        let location = format!("{}/links/{}", at.pointer, escape(name));
        let value = || Some(Value::from(name.as_str()));
        if after.contains(name) {
            let text = format!("The link `{name}` is new");
            output.report_text(&rules::LINK_ADDED, &location, (None, value()), text);
        } else {
            let text = format!("The link `{name}` is gone");
            output.report_text(&rules::LINK_REMOVED, &location, (value(), None), text);
        }
    }
}
