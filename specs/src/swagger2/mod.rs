//! From Swagger 2.0 to OpenAPI 3.0.3.
//!
//! The languages: <https://spec.openapis.org/oas/v2.0.html> and
//! <https://spec.openapis.org/oas/v3.0.3.html>. Every construct of the first becomes its
//! equivalent in the second, or is an error with its name and JSON pointer. What the standards leave
//! open is decided here:
//!
//! - Names of components: what OpenAPI does not allow becomes `_` ("Reuse (read)" is `Reuse_read`).
//! - Servers: one for each scheme. No scheme: `//host/base`, since Swagger then means the scheme by
//!   which the document came. No host: the base path alone, relative to where the document came
//!   from; schemes are then ignored.
//! - A body or response for which no media type is declared is `*/*`. A form has those of the
//!   consumed media types that can carry it (with a file, multipart alone); if none can, it is
//!   multipart if it has a file, else urlencoded.
//! - A shared body or response is inlined where the operation's media types are not the document's.
//! - A response without schema has no content, but for its examples.
//! - The name of a body parameter is left out: it is never on the wire.
//! - `x-example` of a parameter is its `example`.

mod converter;
mod names;
mod parameters;
mod schemas;
mod security;
mod siblings;

use serde_json::{Value, json};

use crate::Error;
use crate::node::{Grammar, Kind, Node, Optional, Required};
use converter::{Converter, EXTERNAL_DOCS, content};
use names::Reference;
use parameters::Payload;
pub use siblings::wrap_reference_siblings;

const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch"];
const PATH_ITEM: Grammar =
    &[(Optional, Kind::Object, METHODS), (Optional, Kind::List, &["parameters"]), (Optional, Kind::Text, &["$ref"])];
const OPERATION: Grammar = &[
    (Optional, Kind::Text, &["summary", "description", "operationId"]),
    (Optional, Kind::Texts, &["tags", "consumes", "produces", "schemes"]),
    (Optional, Kind::List, &["parameters", "security"]),
    (Required, Kind::Object, &["responses"]),
    (Optional, Kind::Flag, &["deprecated"]),
    (Optional, Kind::Of(EXTERNAL_DOCS), &["externalDocs"]),
];
const RESPONSE: Grammar =
    &[(Optional, Kind::Text, &["description"]), (Optional, Kind::Object, &["schema", "headers", "examples"])];

/// Converts a Swagger 2.0 document to OpenAPI 3.0.3.
///
/// # Errors
/// Anything that is not valid Swagger 2.0 or that OpenAPI 3.0 cannot express, with its JSON pointer.
pub fn to_openapi(document: &Value) -> Result<Value, Error> {
    let mut openapi = Converter::new(Node::root(document))?.document()?;
    wrap_reference_siblings(&mut openapi);
    Ok(openapi)
}

impl<'a> Converter<'a> {
    fn document(&self) -> Result<Value, Error> {
        let mut openapi = self.root.carry(&["info", "tags", "externalDocs"]);
        openapi["openapi"] = "3.0.3".into();
        openapi["servers"] = self.servers(&self.root)?;
        if let Some(list) = self.root.get("security") {
            openapi["security"] = self.security(&list)?;
        }
        openapi["paths"] = self.paths()?;
        let (mut schemas, mut responses, mut security) = (json!({}), json!({}), json!({}));
        for (name, node) in self.root.members("definitions")? {
            schemas[self.schemas.of(name)] = self.definition(name, &node)?;
        }
        for (name, node) in self.root.members("responses")? {
            responses[self.responses.of(name)] = self.response(&node, &self.produces)?;
        }
        for (name, node) in self.root.members("securityDefinitions")? {
            security[self.security.of(name)] = security::scheme(&node)?;
        }
        let (parameters, bodies) = self.shared_parameters()?;
        for (section, components) in [
            ("schemas", schemas),
            ("responses", responses),
            ("parameters", parameters),
            ("requestBodies", bodies),
            ("securitySchemes", security),
        ] {
            if components != json!({}) {
                openapi["components"][section] = components;
            }
        }
        Ok(openapi)
    }

    /// The servers for the schemes of the document or of an operation.
    fn servers(&self, owner: &Node<'a>) -> Result<Value, Error> {
        let base = match self.root.get("basePath") {
            Some(node) => {
                let base = node.text()?;
                if base.contains(['{', '}']) || !(base.is_empty() || base.starts_with('/')) {
                    return Err(node.error("must start with `/` and have no template"));
                }
                base.trim_end_matches('/')
            }
            None => "",
        };
        let Some(node) = self.root.get("host") else {
            return Ok(json!([{ "url": if base.is_empty() { "/" } else { base } }]));
        };
        let host = node.text()?;
        if host.is_empty() || host.contains(['{', '}', '/']) {
            return Err(node.error("must be a host, with a port or without, and no more"));
        }
        let mut servers = Vec::new();
        for scheme in owner.list("schemes")? {
            let name = scheme.text()?;
            if !["http", "https", "ws", "wss"].contains(&name) {
                return Err(scheme.error(format!("`{name}` is no scheme of Swagger 2.0")));
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
        let mut paths = node.carry(&[]);
        for (path, item) in node.entries()? {
            if path.starts_with('/') {
                paths[path] = self.path_item(&item)?;
            } else if !path.starts_with("x-") {
                return Err(node.error(format!("`{path}` must start with `/`")));
            }
        }
        Ok(paths)
    }

    fn path_item(&self, node: &Node<'a>) -> Result<Value, Error> {
        node.check(&[PATH_ITEM])?;
        if let Some(reference) = node.get("$ref") {
            return Err(reference.error("the path is described elsewhere, which is not read"));
        }
        let mut item = node.carry(&[]);
        let (parameters, payload) = self.parameters(node)?;
        if !parameters.is_empty() {
            item["parameters"] = parameters.into();
        }
        for method in METHODS {
            if let Some(operation) = node.get(method) {
                item[*method] = self.operation(&operation, &payload)?;
            }
        }
        Ok(item)
    }

    fn operation(&self, node: &Node<'a>, inherited: &Payload<'a>) -> Result<Value, Error> {
        node.check(&[OPERATION])?;
        let names = &["tags", "summary", "description", "operationId", "deprecated", "externalDocs"];
        let mut operation = node.carry(names);
        let (parameters, payload) = self.parameters(node)?;
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(body) = self.request_body(node, &payload, inherited)? {
            operation["requestBody"] = body;
        }
        operation["responses"] = self.operation_responses(node)?;
        if let Some(list) = node.get("security") {
            operation["security"] = self.security(&list)?;
        }
        if node.get("schemes").is_some() && self.root.get("host").is_some() {
            operation["servers"] = self.servers(node)?;
        }
        Ok(operation)
    }

    fn operation_responses(&self, operation: &Node<'a>) -> Result<Value, Error> {
        let produces = self.media_types(operation, "produces")?;
        let node = operation.need("responses")?;
        let mut responses = node.carry(&[]);
        let mut is_empty = true;
        for (code, response) in node.entries()? {
            if code.starts_with("x-") {
                continue;
            }
            let is_status = code.len() == 3 && matches!(code.parse(), Ok(100..600u16));
            if !is_status && code != "default" {
                return Err(node.error(format!("`{code}` is no status code")));
            }
            is_empty = false;
            responses[code] = match self.shared(&response, "responses")? {
                None => self.response(&response, &produces)?,
                // The component has the media types of the document.
                Some(Reference { target, .. }) if produces != self.produces && target.get("schema").is_some() => {
                    self.response(&target, &produces)?
                }
                Some(Reference { name, .. }) => {
                    let name = self.responses.of(name);
                    json!({ "$ref": format!("#/components/responses/{name}") })
                }
            };
        }
        if is_empty {
            return Err(node.error("there must be a response"));
        }
        Ok(responses)
    }

    fn response(&self, node: &Node<'a>, produces: &[&str]) -> Result<Value, Error> {
        node.check(&[RESPONSE])?;
        let mut response = node.carry(&["description"]);
        if node.get("description").is_none() {
            response["description"] = "".into();
        }
        for (name, node) in node.members("headers")? {
            response["headers"][name] = parameters::header(&node)?;
        }
        let mut media = json!({});
        if let Some(schema) = node.get("schema") {
            media["schema"] = self.response_schema(&schema)?;
            response["content"] = content(produces, &media);
        }
        for (media_type, example) in node.members("examples")? {
            let declared = response["content"].get(media_type);
            let mut media = declared.unwrap_or(&media).clone();
            media["example"] = example.value.clone();
            response["content"][media_type] = media;
        }
        Ok(response)
    }
}
