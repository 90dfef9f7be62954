//! From a method and a path to an operation of the document.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::document::{Document, members};
use crate::sort::sort_by_key;

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// An operation of the document, with references resolved at the first level.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `operationId`, or method and path if the document has none.
    pub id: String,
    /// The method, in upper case.
    pub method: String,
    /// The path template.
    pub template: String,
    /// Parameters of the operation and of its path item.
    pub parameters: Vec<Value>,
    /// The `requestBody` object.
    pub body: Option<Value>,
    /// The `responses` object.
    pub responses: Value,
}

/// The result of a search for a method and a path.
#[derive(Debug)]
pub enum Found<'a> {
    /// An operation, with the values of the path parameters, decoded.
    Operation(&'a Operation, Vec<(String, String)>),
    /// The path exists; these are its methods.
    OtherMethods(Vec<&'a str>),
    /// No such path.
    NoPath,
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    Parameter(String),
}

#[derive(Debug)]
struct Route {
    segments: Vec<Vec<Piece>>,
    operations: BTreeMap<String, Operation>,
}

/// All paths of a document, the more literal ones first.
#[derive(Debug)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// Reads the paths of a document.
    pub fn new(document: &Document) -> Self {
        let mut routes: Vec<Route> = document
            .value()
            .get("paths")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(template, _)| template.starts_with('/'))
            .map(|(template, item)| Route {
                segments: template.split('/').map(pieces).collect(),
                operations: operations(document, template, document.resolve(item)),
            })
            .collect();
        sort_by_key(&mut routes, true, |route| {
            route.segments.iter().map(|segment| literalness(segment)).collect::<Vec<_>>()
        });
        Self(routes)
    }

    /// All operations of the document.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.0.iter().flat_map(|route| route.operations.values())
    }

    /// Finds the operation of a method and a raw path below the API's base. A path with a literal where
    /// another has a parameter wins, unless only the other has the method.
    pub fn find(&self, method: &str, path: &str) -> Found<'_> {
        let segments: Vec<_> = path.split('/').map(|segment| percent_decode_str(segment).decode_utf8_lossy()).collect();
        let mut methods = Vec::new();
        for route in &self.0 {
            let Some(captures) = capture(&route.segments, &segments) else {
                continue;
            };
            if let Some(operation) = route.operations.get(method) {
                return Found::Operation(operation, captures);
            }
            methods.extend(route.operations.keys().map(String::as_str));
        }
        if methods.is_empty() { Found::NoPath } else { Found::OtherMethods(methods) }
    }
}

fn operations(document: &Document, template: &str, item: &Value) -> BTreeMap<String, Operation> {
    METHODS
        .into_iter()
        .filter_map(|method| {
            let operation = item.get(method)?;
            let name = method.to_ascii_uppercase();
            let id = operation
                .get("operationId")
                .and_then(Value::as_str)
                .map_or_else(|| format!("{name} {template}"), str::to_owned);
            let operation = Operation {
                id,
                method: name.clone(),
                template: template.to_owned(),
                parameters: parameters(document, item, operation),
                body: operation.get("requestBody").map(|body| document.resolve(body).clone()),
                responses: operation.get("responses").cloned().unwrap_or(Value::Null),
            };
            Some((name, operation))
        })
        .collect()
}

/// The parameters of the path item with those of the operation, which replace them by name and place.
fn parameters(document: &Document, item: &Value, operation: &Value) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for parameter in members(item, "parameters").chain(members(operation, "parameters")) {
        let parameter = document.resolve(parameter);
        all.retain(|other| other.get("name") != parameter.get("name") || other.get("in") != parameter.get("in"));
        all.push(parameter.clone());
    }
    all
}

fn pieces(segment: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = segment;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
    {
        if !before.is_empty() {
            pieces.push(Piece::Literal(before.to_owned()));
        }
        pieces.push(Piece::Parameter(name.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.to_owned()));
    }
    pieces
}

/// 2 for a literal segment, 1 for one with a parameter inside, 0 for a bare parameter.
fn literalness(segment: &[Piece]) -> u8 {
    let parameters = segment.iter().filter(|piece| matches!(piece, Piece::Parameter(_))).count();
    match (parameters, segment.len()) {
        (0, _) => 2,
        (1, 1) => 0,
        _ => 1,
    }
}

fn capture(template: &[Vec<Piece>], path: &[impl AsRef<str>]) -> Option<Vec<(String, String)>> {
    if template.len() != path.len() {
        return None;
    }
    let mut captures = Vec::new();
    for (pieces, segment) in template.iter().zip(path) {
        capture_segment(pieces, segment.as_ref(), &mut captures)?;
    }
    Some(captures)
}

fn capture_segment(pieces: &[Piece], segment: &str, captures: &mut Vec<(String, String)>) -> Option<()> {
    match pieces {
        [] => segment.is_empty().then_some(()),
        [Piece::Literal(literal), rest @ ..] => {
            capture_segment(rest, segment.strip_prefix(literal.as_str())?, captures)
        }
        [Piece::Parameter(name), rest @ ..] => {
            let ends = segment.char_indices().skip(1).map(|(index, _)| index);
            for end in ends.chain([segment.len()]).filter(|end| *end > 0) {
                let (value, after) = segment.split_at(end);
                captures.push((name.clone(), value.to_owned()));
                if capture_segment(rest, after, captures).is_some() {
                    return Some(());
                }
                captures.pop();
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Api;

    fn routes() -> Routes {
        let paths = json!({"openapi": "3.0.3", "paths": {
            "/datasets/{dataset}/": {
                "parameters": [{"name": "dataset", "in": "path", "required": true, "schema": {"type": "string"}}],
                "get": {"operationId": "get_dataset"}, "put": {"operationId": "update_dataset"}},
            "/datasets/badges/": {"get": {"operationId": "badges"}},
            "/datasets/{dataset}/rdf.{_format}": {"get": {"operationId": "rdf_format"}},
            "/datasets/{dataset}/rdf": {"get": {"operationId": "rdf"}},
            "/site/catalog": {"get": {"operationId": "catalog"}},
        }});
        Routes::new(&Document::new(Api::Main, paths).expect("a good document"))
    }

    fn found(method: &str, path: &str) -> (String, Vec<(String, String)>) {
        match routes().find(method, path) {
            Found::Operation(operation, captures) => (operation.id.clone(), captures),
            Found::OtherMethods(methods) => (format!("not {method} but {}", methods.join(" ")), Vec::new()),
            Found::NoPath => ("nothing".to_owned(), Vec::new()),
        }
    }

    #[test]
    fn a_literal_wins_over_a_parameter_where_it_has_the_method() {
        assert_eq!(found("GET", "/datasets/badges/").0, "badges");
        assert_eq!(found("GET", "/datasets/arbres/").0, "get_dataset");
        assert_eq!(found("PUT", "/datasets/badges/").0, "update_dataset");
    }

    #[test]
    fn a_parameter_inside_a_segment_is_captured_and_decoded() {
        let (id, captures) = found("GET", "/datasets/a%2Fb%20c/rdf.jsonld");
        assert_eq!(id, "rdf_format");
        assert_eq!(captures, [("dataset".into(), "a/b c".into()), ("_format".into(), "jsonld".into())]);
        assert_eq!(found("GET", "/datasets/x/rdf").0, "rdf");
        assert_eq!(found("GET", "/datasets/x/rdf.").0, "nothing");
    }

    #[test]
    fn final_slashes_and_methods_count() {
        assert_eq!(found("GET", "/site/catalog").0, "catalog");
        assert_eq!(found("GET", "/site/catalog/").0, "nothing");
        assert_eq!(found("GET", "/datasets/x").0, "nothing");
        assert_eq!(found("GET", "/datasets//").0, "nothing");
        assert_eq!(found("PATCH", "/datasets/x/").0, "not PATCH but GET PUT");
    }
}
