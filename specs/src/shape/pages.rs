//! Pass 10, pages: which operations are paginated, and which take a field mask.
//!
//! Guarantees: an operation is paginated only if it takes the number and the size of pages and responds with a page, and
//! masked only if it takes `X-Fields` and responds with JSON that has fields.

use std::collections::BTreeMap;

use super::hoisting::{Hoisted, TypedOperation};
use super::shaped::ResponseBody;
use super::types::{Kind, Rust, Type};

/// The query parameters that choose a page.
const PAGE: [&str; 2] = ["page", "page_size"];

/// The header that names the fields to return.
const MASK: &str = "X-Fields";

/// The pagination of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// The type of the items of its pages.
    pub items: Option<Rust>,
    /// Whether it takes a field mask.
    pub masked: bool,
}

/// The pagination of each operation, in their order.
pub fn pages(hoisted: &Hoisted<'_>) -> Vec<Paging> {
    let paging = |operation: &TypedOperation<'_>| {
        let takes_pages = PAGE.iter().all(|name| operation.document.has_parameter("query", name));
        let has_fields =
            matches!(operation.response, ResponseBody::Json(Rust::Named(_) | Rust::List(_) | Rust::Map(_) | Rust::Any));
        Paging {
            items: items_of(&hoisted.types, &operation.response).filter(|_| takes_pages).cloned(),
            masked: has_fields && operation.document.has_parameter("header", MASK),
        }
    };
    hoisted.operations.iter().map(paging).collect()
}

/// The items of a response that is a page: an object that lists them as `data` and has `total` or `next_page`, or a bare
/// list.
fn items_of<'a>(types: &'a BTreeMap<String, Type>, response: &'a ResponseBody) -> Option<&'a Rust> {
    let ResponseBody::Json(rust) = response else { return None };
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::shape::hoisting::hoisted;

    fn paging(schema: &Value, parameters: &[(&str, &str)]) -> Paging {
        let parameters: Vec<Value> = parameters
            .iter()
            .map(|(location, name)| json!({"in": location, "name": name, "schema": {"type": "string"}}))
            .collect();
        let responses = json!({"200": {"content": {"application/json": {"schema": schema}}}});
        let operation = json!({"operationId": "x", "parameters": parameters, "responses": responses});
        let document = json!({"paths": {"/t": {"get": operation}}});
        pages(&hoisted(&document).unwrap()).remove(0)
    }

    #[test]
    fn an_operation_that_takes_and_returns_pages_is_paginated() {
        let list = json!({"type": "array", "items": {"type": "string"}});
        let page = |counts: &str| json!({"properties": {"data": list, counts: {"type": "integer"}}});
        let both = [("query", "page"), ("query", "page_size")];
        for schema in [&list, &page("total"), &page("next_page")] {
            assert_eq!(paging(schema, &both).items, Some(Rust::String), "{schema}");
        }
        // An object that lists data and does not count it; a size that cannot be chosen.
        assert_eq!(paging(&page("size"), &both).items, None);
        assert_eq!(paging(&page("total"), &both[..1]).items, None);
    }

    #[test]
    fn an_operation_that_takes_the_header_and_returns_fields_is_masked() {
        let object = json!({"properties": {"id": {"type": "string"}}});
        assert!(paging(&object, &[("header", MASK)]).masked);
        assert!(!paging(&object, &[("query", MASK)]).masked);
        assert!(!paging(&json!({"type": "string"}), &[("header", MASK)]).masked);
    }
}
