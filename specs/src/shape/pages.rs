//! Which operations answer page by page, and which let their caller choose the fields.

use std::collections::BTreeMap;

use serde_json::Value;

use super::types::{Kind, Rust, Type};
use super::{Answer, Found, resolve};

/// The parameters that ask for a page.
const PAGE: [&str; 2] = ["page", "page_size"];

/// The header that names the fields to answer.
const MASK: &str = "X-Fields";

/// Whether an operation takes a number and a size of pages.
pub(super) fn asks_for_pages(document: &Value, found: &Found<'_>) -> bool {
    PAGE.iter().all(|name| takes(document, found, "query", name))
}

/// Whether an operation takes a mask for an answer that has fields.
pub(super) fn is_masked(document: &Value, found: &Found<'_>, answer: &Answer) -> bool {
    matches!(answer, Answer::Json(Rust::Named(_) | Rust::List(_) | Rust::Map(_) | Rust::Any))
        && takes(document, found, "header", MASK)
}

fn takes(document: &Value, found: &Found<'_>, location: &str, name: &str) -> bool {
    let lists = [found.shared, found.value.get("parameters").unwrap_or(&Value::Null)];
    lists.into_iter().filter_map(Value::as_array).flatten().any(|parameter| {
        let parameter = resolve(document, parameter);
        let is = |key: &str, text: &str| parameter.get(key).and_then(Value::as_str) == Some(text);
        is("in", location) && is("name", name)
    })
}

/// The items of an answer that is a page: an object that lists them as `data` and counts them or names the
/// next page, or a bare list.
pub(super) fn items_of<'a>(types: &'a BTreeMap<String, Type>, answer: &'a Answer) -> Option<&'a Rust> {
    let Answer::Json(rust) = answer else { return None };
    match rust {
        Rust::List(item) => Some(item),
        Rust::Named(name) => {
            let Kind::Structure(_, fields) = &types.get(name)?.kind else { return None };
            let counted = fields.iter().any(|field| matches!(field.property.as_str(), "next_page" | "total"));
            let data = fields.iter().find(|field| field.property == "data").filter(|_| counted)?;
            if let Rust::List(item) = &data.rust { Some(item) } else { None }
        }
        _ => None,
    }
}
