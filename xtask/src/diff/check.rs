//! Checks the types of the objects of an OpenAPI 3 document, as far as a diff reads them.

use std::collections::HashSet;

use datagouv_specs::Error;
use datagouv_specs::pointer::escape;
use serde_json::Value;

use super::references::{follow, reference};

/// The kind of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Role {
    Document,
    Components,
    PathItem,
    /// A path item under a name.
    Webhook,
    Operation,
    Parameter,
    Body,
    Media,
    Encoding,
    Response,
    Header,
    Callback,
    Schema,
    Discriminator,
    Scheme,
    Flows,
    Flow,
    Server,
    Variable,
}

/// The type of a member.
enum Kind {
    Text,
    Flag,
    Number,
    Texts,
    List,
    /// `type`: a string, or a list of strings.
    Types,
    Object(Role),
    ObjectOrFlag(Role),
    ListOf(Role),
    /// An object whose keys are names.
    MapOf(Role),
    MapOfTexts,
    /// Security requirements.
    Requirements,
}

fn member(role: Role, key: &str) -> Option<Kind> {
    use Role::*;
    Some(match (role, key) {
        (Document, "paths") => Kind::MapOf(PathItem),
        (Document, "webhooks") => Kind::MapOf(Webhook),
        (Document, "components") => Kind::Object(Components),
        (Document | PathItem | Operation, "servers") => Kind::ListOf(Server),
        (Document | Operation, "security") => Kind::Requirements,
        (Components, "schemas") => Kind::MapOf(Schema),
        (Components, "parameters") => Kind::MapOf(Parameter),
        (Components, "requestBodies") => Kind::MapOf(Body),
        (Components, "responses") => Kind::MapOf(Response),
        (Components, "headers") | (Response | Encoding, "headers") => Kind::MapOf(Header),
        (Components, "securitySchemes") => Kind::MapOf(Scheme),
        (Components | Operation, "callbacks") => Kind::MapOf(Callback),
        (PathItem | Webhook, key) if METHODS.contains(&key) => Kind::Object(Operation),
        (PathItem | Webhook | Operation, "parameters") => Kind::ListOf(Parameter),
        (Operation, "operationId" | "x-sunset") => Kind::Text,
        (Operation, "tags") => Kind::Texts,
        (Operation | Parameter | Header | Schema, "deprecated") => Kind::Flag,
        (Operation, "requestBody") => Kind::Object(Body),
        (Operation, "responses") => Kind::MapOf(Response),
        (Parameter, "name" | "in") | (Parameter | Header | Encoding, "style") => Kind::Text,
        (Parameter | Header | Body, "required") => Kind::Flag,
        (Parameter | Header | Encoding, "explode" | "allowReserved") | (Parameter, "allowEmptyValue") => Kind::Flag,
        (Parameter | Header | Media, "schema") => Kind::Object(Schema),
        (Parameter | Header | Body | Response, "content") => Kind::MapOf(Media),
        (Media, "encoding") => Kind::MapOf(Encoding),
        (Encoding, "contentType") => Kind::Text,
        (Callback, key) if !key.starts_with("x-") => Kind::Object(PathItem),
        (Schema, "type") => Kind::Types,
        (Schema, "format" | "pattern") => Kind::Text,
        (Schema, "nullable" | "readOnly" | "writeOnly" | "uniqueItems") => Kind::Flag,
        (Schema, "minimum" | "maximum" | "multipleOf" | "minLength" | "maxLength" | "minItems") => Kind::Number,
        (Schema, "maxItems" | "minProperties" | "maxProperties") => Kind::Number,
        (Schema, "enum") => Kind::List,
        (Schema, "required") => Kind::Texts,
        (Schema, "properties") => Kind::MapOf(Schema),
        (Schema, "not" | "contains" | "propertyNames" | "if" | "then" | "else") => Kind::Object(Schema),
        (Schema, "prefixItems") => Kind::ListOf(Schema),
        (Schema, "patternProperties" | "dependentSchemas") => Kind::MapOf(Schema),
        (Schema, "minContains" | "maxContains") => Kind::Number,
        (Schema, "items" | "additionalProperties" | "unevaluatedItems" | "unevaluatedProperties") => {
            Kind::ObjectOrFlag(Schema)
        }
        (Schema, "allOf" | "oneOf" | "anyOf") => Kind::ListOf(Schema),
        (Schema, "discriminator") => Kind::Object(Discriminator),
        (Discriminator, "propertyName") => Kind::Text,
        (Discriminator, "mapping") => Kind::MapOfTexts,
        (Scheme, "type" | "name" | "in" | "scheme" | "bearerFormat" | "openIdConnectUrl") => Kind::Text,
        (Scheme, "flows") => Kind::Object(Flows),
        (Flows, key) if !key.starts_with("x-") => Kind::Object(Flow),
        (Flow, "authorizationUrl" | "tokenUrl" | "refreshUrl") => Kind::Text,
        (Flow, "scopes") => Kind::MapOfTexts,
        (Server, "url") => Kind::Text,
        (Server, "variables") => Kind::MapOf(Variable),
        (Variable, "default") => Kind::Text,
        (Variable, "enum") => Kind::Texts,
        _ => return None,
    })
}

/// The required members.
fn needed(role: Role) -> &'static [&'static str] {
    match role {
        Role::Document => &["paths"],
        Role::Parameter => &["name", "in"],
        Role::Operation => &["responses"],
        Role::Server => &["url"],
        Role::Scheme => &["type"],
        _ => &[],
    }
}

/// The methods of a path.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The objects that may be a reference instead.
fn refers(role: Role) -> bool {
    use Role::*;
    matches!(role, PathItem | Webhook | Parameter | Body | Response | Header | Callback | Schema | Scheme)
}

/// Fails where a member has another type than the specification says, or a reference cannot be resolved.
///
/// # Errors
/// The first fault, with its pointer.
pub fn check(root: &Value) -> Result<(), Error> {
    let mut check = Check { root, rest: vec![(root, Role::Document, String::new())], seen: HashSet::new() };
    while let Some((value, role, location)) = check.rest.pop() {
        check.object(value, role, &location)?;
    }
    Ok(())
}

struct Check<'a> {
    root: &'a Value,
    rest: Vec<(&'a Value, Role, String)>,
    /// The addresses of checked values, which references may reach again.
    seen: HashSet<(*const Value, Role)>,
}

impl<'a> Check<'a> {
    fn object(&mut self, value: &'a Value, role: Role, location: &str) -> Result<(), Error> {
        if !self.seen.insert((std::ptr::from_ref(value), role)) {
            return Ok(());
        }
        let Value::Object(members) = value else {
            return Err(Error::new(location, "must be an object"));
        };
        if refers(role) && members.contains_key("$ref") {
            let at = format!("{location}/$ref");
            let Some(text) = reference(value) else {
                return Err(Error::new(at, "must be text"));
            };
            if !text.starts_with('#') {
                return Err(Error::new(at, format!("`{text}` leads out of the document, which is not read")));
            }
            let Some(target) = follow(self.root, value) else {
                return Err(Error::new(at, format!("`{text}` leads to nothing, or back to itself")));
            };
            let pointer = target.pointer.unwrap_or_default().to_owned();
            self.rest.push((target.value, role, pointer));
            // Siblings of a reference to a schema are compared too.
            if role != Role::Schema {
                return Ok(());
            }
        }
        if let Some(name) = needed(role).iter().find(|name| !members.contains_key(**name)) {
            return Err(Error::new(location, format!("has no `{name}`")));
        }
        for (key, child) in members {
            if let Some(kind) = member(role, key) {
                self.member(child, kind, format!("{location}/{}", escape(key)))?;
            }
        }
        Ok(())
    }

    fn member(&mut self, value: &'a Value, kind: Kind, location: String) -> Result<(), Error> {
        let texts = |list: &Value| list.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        let (is_right, expected) = match kind {
            Kind::Text => (value.is_string(), "text"),
            Kind::Flag => (value.is_boolean(), "true or false"),
            Kind::Number => (value.is_number(), "a number"),
            Kind::Texts => (texts(value), "a list of texts"),
            Kind::Types => (value.is_string() || texts(value), "text, or a list of texts"),
            Kind::List | Kind::ListOf(_) => (value.is_array(), "a list"),
            Kind::ObjectOrFlag(_) => (value.is_object() || value.is_boolean(), "an object, true or false"),
            Kind::Object(_) | Kind::MapOf(_) => (value.is_object(), "an object"),
            Kind::MapOfTexts => {
                (value.as_object().is_some_and(|map| map.values().all(Value::is_string)), "an object of texts")
            }
            Kind::Requirements => (
                value.as_array().is_some_and(|list| {
                    list.iter().all(|one| one.as_object().is_some_and(|one| one.values().all(texts)))
                }),
                "a list of objects that have lists of texts",
            ),
        };
        if !is_right {
            return Err(Error::new(location, format!("must be {expected}")));
        }
        match (kind, value) {
            (Kind::Object(role) | Kind::ObjectOrFlag(role), Value::Object(_)) => {
                self.rest.push((value, role, location))
            }
            (Kind::ListOf(role), Value::Array(list)) => {
                let elements = list.iter().enumerate();
                self.rest.extend(elements.map(|(index, child)| (child, role, format!("{location}/{index}"))));
            }
            (Kind::MapOf(role), Value::Object(map)) => {
                // Paths and responses have vendor extensions among their names.
                let extensible = matches!(role, Role::PathItem | Role::Webhook | Role::Response)
                    && !location.starts_with("/components");
                for (name, child) in map.iter().filter(|(name, _)| !(extensible && name.starts_with("x-"))) {
                    if role == Role::PathItem && !name.starts_with('/') {
                        return Err(Error::new(location, format!("`{name}` must start with `/`")));
                    }
                    self.rest.push((child, role, format!("{location}/{}", escape(name))));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
