//! From Swagger 2.0 to OpenAPI 3.0.3.
//!
//! The languages: <https://spec.openapis.org/oas/v2.0.html> and <https://spec.openapis.org/oas/v3.0.3.html>. Every construct
//! of the first becomes what says the same in the second, or is refused by name and place; nothing is dropped in
//! silence. What the standards leave open is decided here:
//!
//! - Names of components: what OpenAPI does not allow becomes `_` ("Reuse (read)" is `Reuse_read`).
//! - Servers: one for each scheme. No scheme: `//host/base`, since Swagger then means the scheme by which the document came.
//!   No host: the base path alone, relative to where the document came from; schemes then have nothing to stand on.
//! - A body or response for which no media type is declared is `*/*`; a form is urlencoded, or multipart if it has a file.
//!   Of the media types that an operation consumes a form takes those of forms, and of these only multipart if it has a file.
//! - A shared body or response is inlined where the operation's media types are not those of the document.
//! - A response without schema has no content, but for its examples.
//! - The name of a body parameter, which is never on the wire, is left out.

mod names;
mod node;
mod parameters;
mod schemas;
mod security;
mod siblings;

use serde_json::{Map, Value, json};

use crate::Error;
use names::{Names, Reference};
use node::{Grammar, Kind, Node};
use parameters::Parameters;
pub use siblings::wrap_reference_siblings;

const ROOT: Grammar = &[
    (Kind::Text, "swagger! host basePath"),
    (Kind::Of(INFO), "info!"),
    (Kind::Texts, "schemes consumes produces"),
    (Kind::Object, "paths! definitions parameters responses securityDefinitions"),
    (Kind::List, "security"),
    (Kind::ListOf(TAG), "tags"),
    (Kind::Of(EXTERNAL_DOCS), "externalDocs"),
];
const INFO: Grammar = &[
    (Kind::Text, "title! version! description termsOfService"),
    (Kind::Of(&[(Kind::Text, "name url email")]), "contact"),
    (Kind::Of(&[(Kind::Text, "name! url")]), "license"),
];
const TAG: Grammar = &[(Kind::Text, "name! description"), (Kind::Of(EXTERNAL_DOCS), "externalDocs")];
const EXTERNAL_DOCS: Grammar = &[(Kind::Text, "url! description")];
const METHODS: &str = "get put post delete options head patch";
const PATH_ITEM: Grammar = &[(Kind::Object, METHODS), (Kind::List, "parameters"), (Kind::Text, "$ref")];
const OPERATION: Grammar = &[
    (Kind::Text, "summary description operationId"),
    (Kind::Texts, "tags consumes produces schemes"),
    (Kind::List, "parameters security"),
    (Kind::Object, "responses!"),
    (Kind::Flag, "deprecated"),
    (Kind::Of(EXTERNAL_DOCS), "externalDocs"),
];
const RESPONSE: Grammar = &[(Kind::Text, "description"), (Kind::Object, "schema headers examples")];

/// The OpenAPI 3.0.3 document that says what a Swagger 2.0 document says.
///
/// # Errors
/// What is not Swagger 2.0, and what OpenAPI 3.0 cannot express, with its place.
pub fn to_openapi(document: &Value) -> Result<Value, Error> {
    let mut openapi = Converter::new(Node::root(document))?.document()?;
    wrap_reference_siblings(&mut openapi);
    Ok(openapi)
}

struct Converter<'a> {
    root: Node<'a>,
    consumes: Vec<&'a str>,
    produces: Vec<&'a str>,
    schemas: Names<'a>,
    parameters: Names<'a>,
    responses: Names<'a>,
    security: Names<'a>,
}

impl<'a> Converter<'a> {
    fn new(root: Node<'a>) -> Result<Self, Error> {
        root.check(&[ROOT])?;
        let version = root.need("swagger")?;
        if version.text()? != "2.0" {
            return Err(version.refuse("must be 2.0"));
        }
        let names = |section| root.members(section).map(|members| Names::new(members.iter().map(|(name, _)| *name)));
        let texts = |key| root.get(key).map_or(Ok(Vec::new()), |list| list.texts());
        Ok(Self {
            consumes: texts("consumes")?,
            produces: texts("produces")?,
            schemas: names("definitions")?,
            parameters: names("parameters")?,
            responses: names("responses")?,
            security: names("securityDefinitions")?,
            root,
        })
    }

    fn document(&self) -> Result<Value, Error> {
        let mut openapi = self.root.carry("info tags externalDocs");
        openapi.insert("openapi".to_owned(), "3.0.3".into());
        openapi.insert("servers".to_owned(), self.servers(&self.root)?);
        openapi.extend(self.security(&self.root)?.map(|security| ("security".to_owned(), security)));
        openapi.insert("paths".to_owned(), self.paths()?);
        let components = self.components()?;
        if !components.is_empty() {
            openapi.insert("components".to_owned(), components.into());
        }
        Ok(openapi.into())
    }

    fn components(&self) -> Result<Map<String, Value>, Error> {
        let (mut schemas, mut responses, mut security) = (Map::new(), Map::new(), Map::new());
        for (name, node) in self.root.members("definitions")? {
            schemas.insert(self.schemas.of(name).to_owned(), self.definition(name, &node)?.into());
        }
        for (name, node) in self.root.members("responses")? {
            responses.insert(self.responses.of(name).to_owned(), self.response(&node, &self.produces)?);
        }
        for (name, node) in self.root.members("securityDefinitions")? {
            security.insert(self.security.of(name).to_owned(), security::scheme(&node)?);
        }
        let (parameters, bodies) = self.shared_parameters()?;
        let sections = [
            ("schemas", schemas),
            ("responses", responses),
            ("parameters", parameters),
            ("requestBodies", bodies),
            ("securitySchemes", security),
        ];
        let sections = sections.into_iter().filter(|(_, section)| !section.is_empty());
        Ok(sections.map(|(name, section)| (name.to_owned(), section.into())).collect())
    }

    /// The servers for the schemes of the document or of an operation.
    fn servers(&self, owner: &Node<'a>) -> Result<Value, Error> {
        let text = |key| self.root.get(key).map(|node| node.text().map(|text| (node, text))).transpose();
        let base = match text("basePath")? {
            Some((node, base)) if base.contains(['{', '}']) || !(base.is_empty() || base.starts_with('/')) => {
                return Err(node.refuse("must start with `/` and have no template"));
            }
            base => base.map_or("", |(_, base)| base.trim_end_matches('/')),
        };
        let host = match text("host")? {
            Some((node, host)) if host.is_empty() || host.contains(['{', '}', '/']) => {
                return Err(node.refuse("must be a host, with a port or without, and no more"));
            }
            Some((_, host)) => host,
            None => return Ok(json!([{ "url": if base.is_empty() { "/" } else { base } }])),
        };
        let mut servers = Vec::new();
        for scheme in owner.list("schemes")? {
            let name = scheme.text()?;
            if !["http", "https", "ws", "wss"].contains(&name) {
                return Err(scheme.refuse(format!("`{name}` is no scheme of Swagger 2.0")));
            }
            servers.push(json!({ "url": format!("{name}://{host}{base}") }));
        }
        if servers.is_empty() {
            servers.push(json!({ "url": format!("//{host}{base}") }));
        }
        Ok(servers.into())
    }

    fn paths(&self) -> Result<Value, Error> {
        let node = self.root.need("paths")?;
        let mut paths = node.carry("");
        for (path, item) in node.entries()? {
            if path.starts_with('/') {
                paths.insert(path.to_owned(), self.path_item(&item)?);
            } else if !path.starts_with("x-") {
                return Err(node.refuse(format!("`{path}` must start with `/`")));
            }
        }
        Ok(paths.into())
    }

    fn path_item(&self, node: &Node<'a>) -> Result<Value, Error> {
        node.check(&[PATH_ITEM])?;
        if let Some(reference) = node.get("$ref") {
            return Err(reference.refuse("the path is described elsewhere, which is not read"));
        }
        let mut item = node.carry("");
        let mut parameters = self.parameters(node)?;
        for method in METHODS.split(' ') {
            if let Some(operation) = node.get(method) {
                item.insert(method.to_owned(), self.operation(&operation, &parameters)?);
            }
        }
        let others = parameters.take_others();
        if !others.is_empty() {
            item.insert("parameters".to_owned(), others.into());
        }
        Ok(item.into())
    }

    fn operation(&self, node: &Node<'a>, inherited: &Parameters<'a>) -> Result<Value, Error> {
        node.check(&[OPERATION])?;
        let mut operation = node.carry("tags summary description operationId deprecated externalDocs");
        let mut put = |key: &str, value: Option<Value>| operation.extend(value.map(|value| (key.to_owned(), value)));
        let mut parameters = self.parameters(node)?;
        let others = parameters.take_others();
        put("parameters", (!others.is_empty()).then(|| others.into()));
        put("requestBody", self.request_body(node, parameters, inherited)?);
        put("responses", Some(self.operation_responses(node)?));
        put("security", self.security(node)?);
        if node.get("schemes").is_some() && self.root.get("host").is_some() {
            put("servers", Some(self.servers(node)?));
        }
        Ok(operation.into())
    }

    fn operation_responses(&self, operation: &Node<'a>) -> Result<Value, Error> {
        let produces = self.media_types(operation, "produces")?;
        let node = operation.need("responses")?;
        let mut responses = node.carry("");
        let extensions = responses.len();
        for (code, response) in node.entries()? {
            let is_status = code.len() == 3
                && code.starts_with(['1', '2', '3', '4', '5'])
                && code.bytes().all(|digit| digit.is_ascii_digit());
            if !is_status && code != "default" {
                if code.starts_with("x-") {
                    continue;
                }
                return Err(node.refuse(format!("`{code}` is no status code")));
            }
            let converted = match self.shared(&response, "responses")? {
                Some(Reference { name, target, .. }) if produces == self.produces || target.get("schema").is_none() => {
                    json!({ "$ref": format!("#/components/responses/{}", self.responses.of(name)) })
                }
                Some(reference) => self.response(&reference.target, &produces)?,
                None => self.response(&response, &produces)?,
            };
            responses.insert(code.to_owned(), converted);
        }
        if responses.len() == extensions {
            return Err(node.refuse("there must be a response"));
        }
        Ok(responses.into())
    }

    fn response(&self, node: &Node<'a>, produces: &[&str]) -> Result<Value, Error> {
        node.check(&[RESPONSE])?;
        let mut response = node.carry("description");
        response.entry("description").or_insert_with(|| "".into());
        let mut headers = Map::new();
        for (name, node) in node.members("headers")? {
            headers.insert(name.to_owned(), parameters::header(&node)?);
        }
        if !headers.is_empty() {
            response.insert("headers".to_owned(), headers.into());
        }
        let mut media = Map::new();
        let mut contents = Map::new();
        if let Some(schema) = node.get("schema") {
            media.insert("schema".to_owned(), self.response_schema(&schema)?.into());
            contents = content(produces, &media.clone().into());
        }
        for (media_type, example) in node.members("examples")? {
            let entry = contents.entry(media_type).or_insert_with(|| media.clone().into());
            entry["example"] = example.value.clone();
        }
        if !contents.is_empty() {
            response.insert("content".to_owned(), contents.into());
        }
        Ok(response.into())
    }

    /// The media types that an operation consumes or produces: its own list, even an empty one, or that of the document.
    fn media_types(&self, operation: &Node<'a>, key: &str) -> Result<Vec<&'a str>, Error> {
        let list = operation.get(key).or_else(|| self.root.get(key));
        list.map_or(Ok(Vec::new()), |list| list.texts())
    }

    /// What a reference object refers to in a section of the document; none for what is not a reference.
    fn shared(&self, node: &Node<'a>, section: &str) -> Result<Option<Reference<'a>>, Error> {
        let Some(text) = node.get("$ref") else {
            return Ok(None);
        };
        if node.object()?.len() > 1 {
            return Err(node.refuse("nothing may stand beside this `$ref`"));
        }
        let reference = Reference::read(&text, &self.root, section)?;
        match reference.rest {
            Some(_) => Err(text.refuse(format!("must lead to one of `{section}`, not inside it"))),
            None => Ok(Some(reference)),
        }
    }
}

/// The same content for each media type.
fn content(media_types: &[&str], media: &Value) -> Map<String, Value> {
    let media_types = if media_types.is_empty() { &["*/*"] } else { media_types };
    media_types.iter().map(|name| ((*name).to_owned(), media.clone())).collect()
}
