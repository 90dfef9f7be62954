//! The document that is converted, with the names of its components.

use serde_json::Value;

use super::names::{Names, Reference};
use crate::Error;
use crate::node::{Grammar, Kind, Node, Optional, Required};

const ROOT: Grammar = &[
    (Required, Kind::Text, &["swagger"]),
    (Optional, Kind::Text, &["host", "basePath"]),
    (Required, Kind::Of(INFO), &["info"]),
    (Optional, Kind::Texts, &["schemes", "consumes", "produces"]),
    (Required, Kind::Object, &["paths"]),
    (Optional, Kind::Object, &["definitions", "parameters", "responses", "securityDefinitions"]),
    (Optional, Kind::List, &["security"]),
    (Optional, Kind::ListOf(TAG), &["tags"]),
    (Optional, Kind::Of(EXTERNAL_DOCS), &["externalDocs"]),
];
const INFO: Grammar = &[
    (Required, Kind::Text, &["title", "version"]),
    (Optional, Kind::Text, &["description", "termsOfService"]),
    (Optional, Kind::Of(&[(Optional, Kind::Text, &["name", "url", "email"])]), &["contact"]),
    (Optional, Kind::Of(&[(Required, Kind::Text, &["name"]), (Optional, Kind::Text, &["url"])]), &["license"]),
];
const TAG: Grammar = &[
    (Required, Kind::Text, &["name"]),
    (Optional, Kind::Text, &["description"]),
    (Optional, Kind::Of(EXTERNAL_DOCS), &["externalDocs"]),
];
pub(super) const EXTERNAL_DOCS: Grammar = &[(Required, Kind::Text, &["url"]), (Optional, Kind::Text, &["description"])];

/// A Swagger 2.0 document that is being converted.
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
            return Err(version.error("must be 2.0"));
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
            return Err(node.error("a `$ref` here may have no siblings"));
        }
        let reference = Reference::read(&text, &self.root, section)?;
        match reference.rest {
            Some(_) => Err(text.error(format!("must lead to one of `{section}`, not inside it"))),
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
