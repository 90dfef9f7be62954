//! Bodies of requests, and media types.

use std::collections::{BTreeMap, BTreeSet};

use datagouv_specs::pointer::escape;
use serde_json::{Value, json};

use super::change::Direction;
use super::comparison::{Comparison, OperationDifferences};
use super::location::Location;
use super::operations::Entry;
use super::rules;

/// A media type in the form that is compared: in lower case, without its charset.
pub fn normal(media_type: &str) -> String {
    let mut parts = media_type.split(';').map(|part| part.trim().to_lowercase());
    let mut name = parts.next().unwrap_or_default();
    let mut parameters: Vec<String> = parts.filter(|it| !it.is_empty() && !it.starts_with("charset=")).collect();
    parameters.sort();
    for parameter in parameters {
        name.push_str("; ");
        name.push_str(&parameter);
    }
    name
}

/// The content of a request or response body, by media type.
pub fn content(owner: Option<&Value>) -> BTreeMap<String, &Value> {
    let content = owner.and_then(|owner| owner.get("content")).and_then(Value::as_object).into_iter().flatten();
    content.map(|(name, media)| (normal(name), media)).collect()
}

/// The media types of both sides, and which side has each.
pub fn media_types<'m>(
    old: &'m BTreeMap<String, &Value>,
    new: &'m BTreeMap<String, &Value>,
) -> impl Iterator<Item = (&'m str, bool, bool)> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names.into_iter().map(|name| (name.as_str(), old.contains_key(name), new.contains_key(name)))
}

/// Compares the body of the requests of an operation.
pub fn compare<'a>(
    comparison: &mut Comparison<'a>,
    old: &Entry<'a>,
    new: &Entry<'a>,
    output: &mut OperationDifferences,
) {
    let body = |entry: &Entry<'a>| entry.value.get("requestBody").map(|body| entry.document.follow(body).value);
    let (was, is) = (body(old), body(new));
    let required = |body: Option<&Value>| body.is_some_and(|body| body.get("required") == Some(&Value::Bool(true)));
    let at = Location::of("/requestBody", "the body");
    let (was_required, is_required) = (required(was), required(is));
    let flip = (Some(was_required.into()), Some(is_required.into()));
    match (was, is) {
        (None, None) => return,
        (None, Some(_)) => {
            let types = content(is).keys().map(|name| Value::from(name.as_str())).collect();
            match is_required {
                true => output.report(&rules::REQUIRED_BODY_ADDED, &at, (None, Some(types)), "is new, and required"),
                false => output.report(&rules::BODY_ADDED, &at, (None, Some(types)), "is new"),
            }
            return;
        }
        (Some(_), None) => {
            let types = content(was).keys().map(|name| Value::from(name.as_str())).collect();
            output.report(&rules::BODY_REMOVED, &at, (Some(types), None), "is gone");
            return;
        }
        (Some(_), Some(_)) if was_required != is_required => match is_required {
            true => output.report(&rules::BODY_BECAME_REQUIRED, &at, flip, "is now required"),
            false => output.report(&rules::BODY_BECAME_OPTIONAL, &at, flip, "is no longer required"),
        },
        _ => {}
    }
    let (old_content, new_content) = (content(was), content(is));
    for (name, in_old, in_new) in media_types(&old_content, &new_content) {
        let at = Location::of(format!("/requestBody/{}", escape(name)), format!("the body ({name})"));
        match (in_old, in_new) {
            (true, false) => {
                let text = format!("The body can no longer be {name}");
                let values = (Some(name.into()), None);
                output.report_text(&rules::REQUEST_MEDIA_TYPE_REMOVED, &at.pointer, values, text);
            }
            (false, true) => {
                let text = format!("The body can be {name}");
                output.report_text(&rules::REQUEST_MEDIA_TYPE_ADDED, &at.pointer, (None, Some(name.into())), text);
            }
            _ => {
                let (was, is) = (old_content[name], new_content[name]);
                comparison.schemas(was.get("schema"), is.get("schema"), &at, Direction::Request, output);
                encodings(was, is, name, &at, output);
            }
        }
    }
}

/// Compares the body of what a client receives: a response, a webhook or a callback.
pub fn received<'a>(
    comparison: &mut Comparison<'a>,
    at: &Location,
    was: Option<&'a Value>,
    is: Option<&'a Value>,
    output: &mut OperationDifferences,
) {
    let (was, is) = (content(was), content(is));
    let types = |content: &BTreeMap<String, &Value>| content.keys().map(|name| Value::from(name.as_str())).collect();
    match (was.is_empty(), is.is_empty()) {
        (true, false) => output.report(&rules::RESPONSE_BODY_ADDED, at, (None, Some(types(&is))), "has a body"),
        (false, true) => {
            output.report(&rules::RESPONSE_BODY_REMOVED, at, (Some(types(&was)), None), "has no longer a body");
        }
        _ => {
            for (name, in_old, in_new) in media_types(&was, &is) {
                match (in_old, in_new) {
                    (true, false) => {
                        let text = format!("can no longer be {name}");
                        output.report(&rules::RESPONSE_MEDIA_TYPE_REMOVED, at, (Some(name.into()), None), text);
                    }
                    (false, true) => {
                        let text = format!("can be {name}");
                        output.report(&rules::RESPONSE_MEDIA_TYPE_ADDED, at, (None, Some(name.into())), text);
                    }
                    _ => {
                        let at = Location::of(format!("{}/{}", at.pointer, escape(name)), format!("{at} ({name})"));
                        let (was, is) = (was[name].get("schema"), is[name].get("schema"));
                        comparison.schemas(was, is, &at, Direction::Response, output);
                    }
                }
            }
        }
    }
}

/// Compares the encodings of the fields of a form.
fn encodings(was: &Value, is: &Value, media_type: &str, at: &Location, output: &mut OperationDifferences) {
    let fields = |media: &Value| -> BTreeMap<String, Value> {
        let encoding = media.get("encoding").and_then(Value::as_object).into_iter().flatten();
        encoding.map(|(name, encoding)| (name.clone(), effective(encoding, media_type))).collect()
    };
    let (old_fields, new_fields) = (fields(was), fields(is));
    let default = effective(&json!({}), media_type);
    let names: BTreeSet<&String> = old_fields.keys().chain(new_fields.keys()).collect();
    for name in names {
        let (was, is) = (old_fields.get(name).unwrap_or(&default), new_fields.get(name).unwrap_or(&default));
        if was != is {
            let at = at.property(name);
            let values = (Some(was.clone()), Some(is.clone()));
            output.report(
                &rules::REQUEST_ENCODING_CHANGED,
                &at,
                values,
                format!("is encoded by {is}, no longer by {was}"),
            );
        }
    }
}

/// An encoding with its defaults; style and explode only apply to urlencoded forms.
fn effective(encoding: &Value, media_type: &str) -> Value {
    let mut effective = json!({});
    if let Some(content_type) = encoding.get("contentType").and_then(Value::as_str) {
        effective["contentType"] = normal(content_type).into();
    }
    if media_type.starts_with("application/x-www-form-urlencoded") {
        let style = encoding.get("style").and_then(Value::as_str).unwrap_or("form");
        effective["explode"] = encoding.get("explode").and_then(Value::as_bool).unwrap_or(style == "form").into();
        effective["style"] = style.into();
    }
    effective
}
