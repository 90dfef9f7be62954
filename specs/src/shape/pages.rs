//! Pass 10, pages: which operations answer page by page, and which let their caller choose the fields.
//!
//! Guarantees: an operation is paginated only if it takes the number and the size of pages and answers a page, and
//! masked only if it takes `X-Fields` and answers JSON that has fields.

use std::collections::BTreeMap;

use super::hoisting::{Hoisted, TypedOperation};
use super::shaped::Answer;
use super::types::{Kind, Rust, Type};

/// The query parameters that choose a page.
const PAGE: [&str; 2] = ["page", "page_size"];

/// The header that names the fields to answer.
const MASK: &str = "X-Fields";

/// How an operation answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// The type of the items of its pages.
    pub items: Option<Rust>,
    /// Whether its caller can choose the fields.
    pub masked: bool,
}

/// How each operation answers, in their order.
pub fn pages(hoisted: &Hoisted<'_>) -> Vec<Paging> {
    let paging = |operation: &TypedOperation<'_>| {
        let takes_pages = PAGE.iter().all(|name| operation.document.has_parameter("query", name));
        let has_fields =
            matches!(operation.answer, Answer::Json(Rust::Named(_) | Rust::List(_) | Rust::Map(_) | Rust::Any));
        Paging {
            items: items_of(&hoisted.types, &operation.answer).filter(|_| takes_pages).cloned(),
            masked: has_fields && operation.document.has_parameter("header", MASK),
        }
    };
    hoisted.operations.iter().map(paging).collect()
}

/// The items of an answer that is a page: an object that lists them as `data` and has `total` or `next_page`, or a bare
/// list.
fn items_of<'a>(types: &'a BTreeMap<String, Type>, answer: &'a Answer) -> Option<&'a Rust> {
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
