//! Which objects have which members, in each language.

use super::version::Version;

/// The kind of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Document,
    Info,
    Contact,
    License,
    Tag,
    Docs,
    Components,
    PathItem,
    Operation,
    Parameter,
    /// The items of a parameter or a header of Swagger 2.0.
    Items,
    Body,
    Media,
    Encoding,
    Response,
    Header,
    Callback,
    Schema,
    Discriminator,
    Xml,
    Scheme,
    Flows,
    Flow,
    Server,
    Variable,
}

impl Role {
    /// What such an object is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::PathItem => "path",
            Self::Parameter => "parameter",
            Self::Body => "request body",
            Self::Response => "response",
            Self::Header => "header",
            Self::Callback => "callback",
            Self::Schema => "schema",
            Self::Scheme => "security scheme",
            _ => "object",
        }
    }

    /// Whether such an object may be a reference instead.
    pub fn refers(self, version: Version) -> bool {
        use Role::*;
        match self {
            PathItem | Parameter | Response | Schema => true,
            Body | Header | Callback | Scheme => version != Version::Swagger2,
            _ => false,
        }
    }
}

/// The type of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Anything, null included.
    Any,
    Text,
    Flag,
    Number,
    /// A whole number that is not negative.
    Count,
    Texts,
    List,
    /// A text or a list of texts.
    Types,
    One(Role),
    OneOrFlag(Role),
    ListOf(Role),
    /// An object whose keys are names; with `x-` extensions among them or not.
    Map(Role),
    Extensible(Role),
    MapOfTexts,
    /// An object of anything.
    Object,
    /// Security requirements.
    Requirements,
}

pub(super) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The type of a member; none where the language does not have it.
pub(super) fn member(version: Version, role: Role, key: &str) -> Option<Kind> {
    if key.starts_with("x-") && role != Role::Callback {
        // The extensions that are read.
        return match (role, key) {
            (Role::Operation | Role::Parameter | Role::Schema, "x-sunset") => Some(Kind::Text),
            (_, "x-nullable") if version == Version::Swagger2 => Some(Kind::Flag),
            _ => Some(Kind::Any),
        };
    }
    let common = match (role, key) {
        (Role::Document, "info") => Kind::One(Role::Info),
        (Role::Document, "paths") => Kind::Extensible(Role::PathItem),
        (Role::Document | Role::Operation, "security") => Kind::Requirements,
        (Role::Document, "tags") => Kind::ListOf(Role::Tag),
        (Role::Document | Role::Tag | Role::Operation | Role::Schema, "externalDocs") => Kind::One(Role::Docs),
        (Role::Info, "title" | "version" | "description" | "termsOfService") => Kind::Text,
        (Role::Info, "contact") => Kind::One(Role::Contact),
        (Role::Info, "license") => Kind::One(Role::License),
        (Role::Contact, "name" | "url" | "email") | (Role::License, "name" | "url") => Kind::Text,
        (Role::Tag, "name" | "description") | (Role::Docs, "url" | "description") => Kind::Text,
        (Role::PathItem, "$ref") => Kind::Text,
        (Role::PathItem, "trace") if version == Version::Swagger2 => return None,
        (Role::PathItem, key) if METHODS.contains(&key) => Kind::One(Role::Operation),
        (Role::PathItem | Role::Operation, "parameters") => Kind::ListOf(Role::Parameter),
        (Role::Operation, "summary" | "description" | "operationId") => Kind::Text,
        (Role::Operation, "tags") => Kind::Texts,
        (Role::Operation, "deprecated") => Kind::Flag,
        (Role::Operation, "responses") => Kind::Extensible(Role::Response),
        (Role::Parameter, "name" | "in") | (Role::Parameter | Role::Header | Role::Response, "description") => {
            Kind::Text
        }
        (Role::Parameter, "required" | "allowEmptyValue") => Kind::Flag,
        (Role::Response, "headers") => Kind::Map(Role::Header),
        (Role::Schema, key) => return schema(version, key),
        (Role::Xml, "name" | "namespace" | "prefix") => Kind::Text,
        (Role::Xml, "attribute" | "wrapped") => Kind::Flag,
        (Role::Scheme, "type" | "description" | "name" | "in") => Kind::Text,
        (Role::Flow, "authorizationUrl" | "tokenUrl" | "refreshUrl") => Kind::Text,
        (Role::Flow, "scopes") => Kind::MapOfTexts,
        _ => return if version == Version::Swagger2 { swagger(role, key) } else { openapi(version, role, key) },
    };
    Some(common)
}

fn schema(version: Version, key: &str) -> Option<Kind> {
    Some(match key {
        "$ref" | "title" | "description" | "format" | "pattern" => Kind::Text,
        "type" => Kind::Types,
        "default" | "example" => Kind::Any,
        "minimum" | "maximum" | "multipleOf" => Kind::Number,
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => Kind::Count,
        "uniqueItems" | "readOnly" => Kind::Flag,
        "required" => Kind::Texts,
        "enum" => Kind::List,
        "properties" => Kind::Map(Role::Schema),
        "additionalProperties" => Kind::OneOrFlag(Role::Schema),
        "allOf" => Kind::ListOf(Role::Schema),
        "xml" => Kind::One(Role::Xml),
        "externalDocs" => Kind::One(Role::Docs),
        "exclusiveMinimum" | "exclusiveMaximum" if version == Version::OpenApi31 => Kind::Number,
        "exclusiveMinimum" | "exclusiveMaximum" => Kind::Flag,
        "items" if version == Version::OpenApi31 => Kind::OneOrFlag(Role::Schema),
        "items" => Kind::One(Role::Schema),
        "discriminator" if version == Version::Swagger2 => Kind::Text,
        _ if version == Version::Swagger2 => return None,
        "discriminator" => Kind::One(Role::Discriminator),
        "nullable" | "writeOnly" | "deprecated" => Kind::Flag,
        "oneOf" | "anyOf" => Kind::ListOf(Role::Schema),
        "not" if version == Version::OpenApi31 => Kind::OneOrFlag(Role::Schema),
        "not" => Kind::One(Role::Schema),
        // Keywords of 3.1 in a document of 3.0 are read, though they say nothing there.
        "contains" | "propertyNames" | "if" | "then" | "else" if version == Version::OpenApi30 => {
            Kind::One(Role::Schema)
        }
        "prefixItems" => Kind::ListOf(Role::Schema),
        "contains"
        | "propertyNames"
        | "if"
        | "then"
        | "else"
        | "unevaluatedItems"
        | "unevaluatedProperties"
        | "contentSchema" => Kind::OneOrFlag(Role::Schema),
        "$defs" | "definitions" | "patternProperties" | "dependentSchemas" => Kind::Map(Role::Schema),
        "minContains" | "maxContains" => Kind::Count,
        "contentEncoding" | "contentMediaType" | "$anchor" | "$comment" | "$id" | "$schema" => Kind::Text,
        "examples" => Kind::List,
        _ => return None,
    })
}

fn swagger(role: Role, key: &str) -> Option<Kind> {
    use Role::*;
    Some(match (role, key) {
        (Document, "swagger" | "host" | "basePath") => Kind::Text,
        (Document | Operation, "schemes" | "consumes" | "produces") => Kind::Texts,
        (Document, "definitions") => Kind::Map(Schema),
        (Document, "parameters") => Kind::Map(Parameter),
        (Document, "responses") => Kind::Map(Response),
        (Document, "securityDefinitions") => Kind::Map(Scheme),
        (Parameter, "schema") => Kind::One(Schema),
        (Parameter | Items | Header, "collectionFormat" | "format" | "pattern") => Kind::Text,
        (Parameter | Items | Header, "type") => Kind::Types,
        (Parameter | Items | Header, "default") => Kind::Any,
        (Parameter | Items | Header, "minimum" | "maximum" | "multipleOf") => Kind::Number,
        (Parameter | Items | Header, "exclusiveMinimum" | "exclusiveMaximum" | "uniqueItems") => Kind::Flag,
        (Parameter | Items | Header, "minLength" | "maxLength" | "minItems" | "maxItems") => Kind::Count,
        (Parameter | Items | Header, "enum") => Kind::List,
        (Parameter | Items | Header, "items") => Kind::One(Items),
        (Parameter | Response, "$ref") => Kind::Text,
        (Response, "schema") => Kind::One(Schema),
        (Response, "examples") => Kind::Object,
        (Scheme, "flow" | "authorizationUrl" | "tokenUrl") => Kind::Text,
        (Scheme, "scopes") => Kind::MapOfTexts,
        _ => return None,
    })
}

fn openapi(version: Version, role: Role, key: &str) -> Option<Kind> {
    use Role::*;
    Some(match (role, key) {
        (Document, "openapi") => Kind::Text,
        (Document, "components") => Kind::One(Components),
        (Document | PathItem | Operation, "servers") => Kind::ListOf(Server),
        (Document, "webhooks") => Kind::Extensible(PathItem),
        (Document, "jsonSchemaDialect") => Kind::Text,
        (Components, "schemas") => Kind::Map(Schema),
        (Components, "parameters") => Kind::Map(Parameter),
        (Components, "requestBodies") => Kind::Map(Body),
        (Components, "responses") => Kind::Map(Response),
        (Components, "headers") | (Encoding, "headers") => Kind::Map(Header),
        (Components, "securitySchemes") => Kind::Map(Scheme),
        (Components | Operation, "callbacks") => Kind::Map(Callback),
        (Components, "pathItems") if version == Version::OpenApi31 => Kind::Map(PathItem),
        (Components, "links" | "examples") | (Response, "links") => Kind::Object,
        (PathItem, "summary" | "description") | (Body | Scheme, "description") => Kind::Text,
        (Operation, "requestBody") => Kind::One(Body),
        (Parameter | Header | Encoding, "style") => Kind::Text,
        (Body | Header, "required") | (Header, "allowEmptyValue") => Kind::Flag,
        (Parameter | Header | Encoding, "explode" | "allowReserved") | (Parameter | Header, "deprecated") => Kind::Flag,
        (Parameter | Header | Media, "schema") if version == Version::OpenApi31 => Kind::OneOrFlag(Schema),
        (Parameter | Header | Media, "schema") => Kind::One(Schema),
        (Parameter | Header | Body | Response, "content") => Kind::Map(Media),
        (Media, "encoding") => Kind::Map(Encoding),
        (Encoding, "contentType") => Kind::Text,
        (Callback, key) if !key.starts_with("x-") => Kind::One(PathItem),
        (Discriminator, "propertyName") => Kind::Text,
        (Discriminator, "mapping") => Kind::MapOfTexts,
        (Scheme, "scheme" | "bearerFormat" | "openIdConnectUrl") => Kind::Text,
        (Scheme, "flows") => Kind::One(Flows),
        (Flows, key) if !key.starts_with("x-") => Kind::One(Flow),
        (Server, "url" | "description") | (Variable, "default" | "description") => Kind::Text,
        (Server, "variables") => Kind::Map(Variable),
        (Variable, "enum") => Kind::Texts,
        _ => return None,
    })
}
