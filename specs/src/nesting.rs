//! The objects of an OpenAPI 3.0 document, and how they are nested.

/// The kind of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Document,
    Info,
    Components,
    PathItem,
    Operation,
    Callback,
    Response,
    /// A parameter or a header.
    Carrier,
    Body,
    Media,
    /// The encoding of a part of a media type.
    Encoding,
    Scheme,
    Schema,
}

impl Role {
    /// Whether such an object may be a reference instead.
    pub fn refers(self) -> bool {
        !matches!(self, Self::Document | Self::Info | Self::Components | Self::Operation | Self::Media | Self::Encoding)
    }
}

/// How objects are nested under a key.
#[derive(Clone, Copy)]
pub(crate) enum Nesting {
    One,
    /// In a list, or in a map in which every key is a name.
    Many,
    /// In a map in which `x-` starts an extension.
    Extensible,
}

/// The nesting and the role of the objects under a key; `None` if they are data.
pub(crate) fn child_role(role: Role, key: &str) -> Option<(Nesting, Role)> {
    use Nesting::*;
    use Role::*;
    Some(match (role, key) {
        (Document, "info") => (One, Info),
        (Document, "components") => (One, Components),
        (Document, "paths" | "webhooks") => (Extensible, PathItem),
        (Components, "schemas") => (Many, Schema),
        (Components, "responses") => (Many, Response),
        (Components, "parameters" | "headers") => (Many, Carrier),
        (Components, "requestBodies") => (Many, Body),
        (Components, "securitySchemes") => (Many, Scheme),
        (Components | Operation, "callbacks") => (Many, Callback),
        (Callback, key) if !key.starts_with("x-") => (One, PathItem),
        (PathItem | Operation, "parameters") => (Many, Carrier),
        (PathItem, "get" | "put" | "post" | "delete" | "options" | "head" | "patch" | "trace") => (One, Operation),
        (Operation, "requestBody") => (One, Body),
        (Operation, "responses") => (Extensible, Response),
        (Carrier | Media, "schema") => (One, Schema),
        (Carrier | Body | Response, "content") => (Many, Media),
        (Media, "encoding") => (Many, Encoding),
        (Response | Encoding, "headers") => (Many, Carrier),
        (Schema, "properties" | "allOf" | "anyOf" | "oneOf") => (Many, Schema),
        (Schema, "items" | "additionalProperties" | "not") => (One, Schema),
        _ => return None,
    })
}
