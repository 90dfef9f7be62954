//! The document that is converted, with the names of its components.

use serde_json::Value;

use super::names::{Names, Reference};
use super::node::{Grammar, Kind, May, Must, Node};
use crate::Error;

const ROOT: Grammar = &[
    (Must, Kind::Text, &["swagger"]),
    (May, Kind::Text, &["host", "basePath"]),
    (Must, Kind::Of(INFO), &["info"]),
    (May, Kind::Texts, &["schemes", "consumes", "produces"]),
    (Must, Kind::Object, &["paths"]),
    (May, Kind::Object, &["definitions", "parameters", "responses", "securityDefinitions"]),
    (May, Kind::List, &["security"]),
    (May, Kind::ListOf(TAG), &["tags"]),
    (May, Kind::Of(EXTERNAL_DOCS), &["externalDocs"]),
];
const INFO: Grammar = &[
    (Must, Kind::Text, &["title", "version"]),
    (May, Kind::Text, &["description", "termsOfService"]),
    (May, Kind::Of(&[(May, Kind::Text, &["name", "url", "email"])]), &["contact"]),
    (May, Kind::Of(&[(Must, Kind::Text, &["name"]), (May, Kind::Text, &["url"])]), &["license"]),
];
const TAG: Grammar = &[
    (Must, Kind::Text, &["name"]),
    (May, Kind::Text, &["description"]),
    (May, Kind::Of(EXTERNAL_DOCS), &["externalDocs"]),
];
pub(super) const EXTERNAL_DOCS: Grammar = &[(Must, Kind::Text, &["url"]), (May, Kind::Text, &["description"])];

/// A Swagger 2.0 document on its way to OpenAPI 3.0.
pub(super) struct Converter<'a> {
    pub root: Node<'a>,
    pub consumes: Vec<&'a str>,
    pub produces: Vec<&'a str>,
    pub schemas: Names<'a>,
    pub parameters: Names<'a>,
    pub responses: Names<'a>,
    pub security: Names<'a>,
}

impl<'a> Converter<'a> {
    /// Checks the top level of a document.
    pub fn new(root: Node<'a>) -> Result<Self, Error> {
        root.check(&[ROOT])?;
        let version = root.need("swagger")?;
        if version.text()? != "2.0" {
            return Err(version.refuse("must be 2.0"));
        }
        let names = |section| Ok(Names::new(root.members(section)?));
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

    /// The media types that an operation consumes or produces: its own list, even an empty one, or
    /// that of the document.
    pub fn media_types(&self, operation: &Node<'a>, key: &str) -> Result<Vec<&'a str>, Error> {
        let list = operation.get(key).or_else(|| self.root.get(key));
        list.map_or(Ok(Vec::new()), |list| list.texts())
    }

    /// What a node refers to in a section of the document; none if it is not a reference.
    pub fn shared(&self, node: &Node<'a>, section: &str) -> Result<Option<Reference<'a>>, Error> {
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
pub(super) fn content(media_types: &[&str], media: &Value) -> Value {
    let names = match media_types {
        [] => &["*/*"],
        names => names,
    };
    names.iter().map(|name| (*name, media.clone())).collect()
}
