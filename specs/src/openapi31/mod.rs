//! From OpenAPI 3.1 to OpenAPI 3.0.3.
//!
//! The languages: <https://spec.openapis.org/oas/v3.1.1.html>, whose schemas are JSON Schema 2020-12
//! (<https://json-schema.org/draft/2020-12/json-schema-core>), and <https://spec.openapis.org/oas/v3.0.3.html>.
//! What constrains values becomes its equivalent, or is an error with its name and JSON pointer. What only annotates
//! stays, under a name that starts with `x-` where 3.0 has none.
//!
//! | 3.1 | 3.0 |
//! |---|---|
//! | `type: [T, "null"]`, a variant `{type: "null"}` of a union | `nullable: true` |
//! | `type: "null"` alone | `enum: [null]` |
//! | `type: [T, U]` | `anyOf` of the types |
//! | `const` | `enum` of one value |
//! | `exclusiveMinimum`, `exclusiveMaximum` as numbers | the bound, and a flag |
//! | `true`, `false` as schemas | `{}`, `{not: {}}` |
//! | `examples` of a schema | `example`, the first of them |
//! | `contentEncoding: base64` | `format: byte` |
//! | `contentMediaType: application/octet-stream` | `format: binary` |
//! | a body of `application/octet-stream`, `image/…`, `audio/…` or `video/…` without a schema | `format: binary` |
//! | `unevaluatedProperties`, `unevaluatedItems` where no sibling evaluates | `additionalProperties`, `items` |
//! | `$defs`, `$anchor` | components, and references to them |
//! | `$ref` with siblings | `allOf` of the reference, next to them; a description of another object is that of a copy |
//! | `components.pathItems` | written out where they are referenced |
//! | `webhooks` | `x-webhooks`: a client does not call them |
//! | an operation without `responses` | a `default` response without content |
//!
//! Refused: `prefixItems`, `contains`, `if`, `dependentRequired`, `dependentSchemas`, `patternProperties`,
//! `propertyNames`, `$dynamicRef`, `$id`, dialects other than those of OpenAPI 3.1 and JSON Schema 2020-12, mutual TLS,
//! roles of schemes that are not OAuth 2.

mod converter;
mod definitions;
mod schemas;

use serde_json::{Value, json};

use crate::Error;
use crate::nesting::{Nesting, Role, child_role};
use crate::node::Node;
use crate::swagger2::wrap_reference_siblings;
use converter::{Converter, check_dialect};
use definitions::Definitions;

/// Converts an OpenAPI 3.1 document to OpenAPI 3.0.3.
///
/// # Errors
/// Anything that OpenAPI 3.0 cannot express, with its JSON pointer.
pub fn to_openapi30(document: &Value) -> Result<Value, Error> {
    convert(document, false)
}

/// Writes an OpenAPI 3.1 document as OpenAPI 3.0.3 does, and keeps what that has no equal for: `const`, the keywords of
/// JSON Schema, webhooks, mutual TLS. In this form, documents of all versions can be compared.
///
/// # Errors
/// Where a value has a type that it cannot have, or a reference leads nowhere.
pub fn to_comparable(document: &Value) -> Result<Value, Error> {
    convert(document, true)
}

fn convert(document: &Value, keeps: bool) -> Result<Value, Error> {
    let root = Node::root(document);
    let converter = Converter { root, definitions: Definitions::of(document), keeps };
    let mut openapi = converter.document()?;
    wrap_reference_siblings(&mut openapi);
    check(Node::root(&openapi), Role::Document)?;
    Ok(openapi)
}

impl<'a> Converter<'a> {
    fn document(&self) -> Result<Value, Error> {
        self.root.object()?;
        if let Some(dialect) = self.root.get("jsonSchemaDialect").filter(|_| !self.keeps) {
            check_dialect(&dialect)?;
        }
        self.requirements(&self.root)?;
        let mut openapi = self.object(Role::Document, &self.root)?;
        openapi["openapi"] = "3.0.3".into();
        if openapi.get("paths").is_none() {
            openapi["paths"] = json!({});
        }
        if let Some(members) = openapi.as_object_mut() {
            members.remove("jsonSchemaDialect");
            if let Some(webhooks) = members.remove("webhooks") {
                let name = if self.keeps { "webhooks" } else { "x-webhooks" };
                members.insert(name.to_owned(), webhooks);
            }
        }
        while let Some((name, node)) = self.definitions.next() {
            let schema = self.schema(&node)?;
            openapi["components"]["schemas"][name] = schema;
        }
        Ok(openapi)
    }

    /// An object that is no schema, with all that it contains.
    fn object(&self, role: Role, node: &Node<'a>) -> Result<Value, Error> {
        if role == Role::Schema {
            return self.schema(node);
        }
        node.object()?;
        if let Some(reference) = node.get("$ref").filter(|_| role.refers()) {
            return self.referenced(role, node, &reference);
        }
        let mut object = json!({});
        for (key, child) in node.entries()? {
            object[key] = match child_role(role, key) {
                _ if role == Role::Components && key == "pathItems" => continue,
                None => child.value.clone(),
                Some((Nesting::One, role)) => self.object(role, &child)?,
                Some((_, role)) if child.value.is_array() => {
                    let list = child.elements()?;
                    list.iter().map(|child| self.object(role, child)).collect::<Result<Value, _>>()?
                }
                Some((nesting, role)) => {
                    let mut map = json!({});
                    for (name, child) in child.entries()? {
                        let is_extension = matches!(nesting, Nesting::Extensible) && name.starts_with("x-");
                        map[name] = if is_extension { child.value.clone() } else { self.object(role, &child)? };
                        if key == "content" && is_of_bytes(name) && child.get("schema").is_none() {
                            map[name]["schema"] = json!({ "type": "string", "format": "binary" });
                        }
                    }
                    map
                }
            };
        }
        self.complete(role, node, &mut object)?;
        Ok(object)
    }

    /// What objects of 3.0 must have, and what they have no place for.
    fn complete(&self, role: Role, node: &Node<'a>, object: &mut Value) -> Result<(), Error> {
        match role {
            Role::Info => rename(object, "summary"),
            Role::Operation => {
                self.requirements(node)?;
                if node.get("responses").is_none_or(|responses| responses.value == &json!({})) {
                    object["responses"]["default"] = json!({ "description": "" });
                }
            }
            Role::Response if node.get("description").is_none() => object["description"] = "".into(),
            Role::Scheme => {
                if let Some(kind) = node.get("type").filter(|kind| kind.value == "mutualTLS" && !self.keeps) {
                    return Err(kind.error("OpenAPI 3.0 has no security scheme `mutualTLS`"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// An object that is a reference. One that overrides the description of its target is a copy of it.
    fn referenced(&self, role: Role, node: &Node<'a>, reference: &Node<'a>) -> Result<Value, Error> {
        let target = self.definitions.follow(&self.root, reference)?;
        if role == Role::PathItem {
            let mut item = self.object(role, &target)?;
            for (key, child) in node.entries()?.into_iter().filter(|(key, _)| *key != "$ref") {
                if item.get(key).is_some() {
                    return Err(child.error(format!("is a sibling of a `$ref` whose target has `{key}` too")));
                }
                item[key] = match child_role(role, key) {
                    Some((Nesting::One, role)) => self.object(role, &child)?,
                    Some((_, role)) => {
                        let list = child.elements()?;
                        list.iter().map(|child| self.object(role, child)).collect::<Result<Value, _>>()?
                    }
                    None => child.value.clone(),
                };
            }
            return Ok(item);
        }
        if let Some(description) = node.get("description") {
            let mut copy = self.object(role, &target)?;
            copy["description"] = description.text()?.into();
            return Ok(copy);
        }
        Ok(json!({ "$ref": self.definitions.pointer(reference)? }))
    }

    /// Fails where a security requirement has roles, which only OAuth 2 and OpenID Connect have in 3.0.
    fn requirements(&self, owner: &Node<'a>) -> Result<(), Error> {
        if self.keeps {
            return Ok(());
        }
        let schemes = self.root.get("components").and_then(|components| components.get("securitySchemes"));
        for requirement in owner.list("security")? {
            for (name, roles) in requirement.entries()? {
                let scheme = schemes.as_ref().and_then(|schemes| schemes.get(name));
                let kind = scheme.and_then(|scheme| scheme.get("type")?.text().ok());
                let takes_scopes = kind.is_none_or(|kind| matches!(kind, "oauth2" | "openIdConnect"));
                if !takes_scopes && !roles.elements()?.is_empty() {
                    return Err(roles.error(format!("OpenAPI 3.0 has no roles of the security scheme `{name}`")));
                }
            }
        }
        Ok(())
    }
}

/// Fails where a reference of a converted document leads to nothing: what it led to has another place.
fn check(root: Node, role: Role) -> Result<(), Error> {
    let mut rest = vec![(root, role)];
    while let Some((node, role)) = rest.pop() {
        let Value::Object(members) = node.value else { continue };
        if let Some(reference) = node.get("$ref").filter(|_| role.refers())
            && let Some(text) = reference.value.as_str()
            && text.strip_prefix('#').is_none_or(|pointer| root.at(pointer).is_none())
        {
            return Err(reference.error(format!("`{text}` leads to nothing that OpenAPI 3.0 has there")));
        }
        for (key, value) in members {
            let Some((nesting, role)) = child_role(role, key) else { continue };
            match (nesting, value) {
                (Nesting::One, value) => rest.push((node.below(value), role)),
                (_, Value::Array(list)) => rest.extend(list.iter().map(|value| (node.below(value), role))),
                (_, Value::Object(map)) => rest.extend(map.values().map(|value| (node.below(value), role))),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether a body of a media type is bytes, for which 3.1 needs no schema.
fn is_of_bytes(media_type: &str) -> bool {
    let name = media_type.to_ascii_lowercase();
    let mut kinds = ["application/octet-stream", "image/", "audio/", "video/"].into_iter();
    kinds.any(|kind| name.starts_with(kind))
}

/// Keeps an annotation that 3.0 does not have as an extension.
fn rename(object: &mut Value, key: &str) {
    if let Some(members) = object.as_object_mut()
        && let Some(value) = members.remove(key)
    {
        members.entry(format!("x-{key}")).or_insert(value);
    }
}
