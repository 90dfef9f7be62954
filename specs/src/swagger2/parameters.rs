//! Parameters: those that stay parameters, bodies and forms.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::converter::{Converter, content};
use super::schemas::{VALUE, has_type, write_type};
use crate::Error;
use crate::node::{Grammar, Kind, Node, Optional, Required, kind_of};

const PARAMETER: Grammar = &[
    (Required, Kind::Text, &["name", "in"]),
    (Optional, Kind::Text, &["description"]),
    (Optional, Kind::Flag, &["required"]),
];
const BODY: Grammar = &[(Required, Kind::Object, &["schema"])];
const HEADER: Grammar = &[(Optional, Kind::Text, &["description"])];
/// The keywords of parameters, headers and items in addition to `VALUE`.
const ITEMS: Grammar = &[(Required, Kind::Any, &["type"]), (Optional, Kind::Text, &["collectionFormat"])];
const EMPTY: Grammar = &[(Optional, Kind::Flag, &["allowEmptyValue"])];

const TYPES: &[&str] = &["string", "number", "integer", "boolean", "array"];
const FORM_TYPES: &[&str] = &["string", "number", "integer", "boolean", "array", "file"];

const MULTIPART: &str = "multipart/form-data";
const URLENCODED: &str = "application/x-www-form-urlencoded";

/// The parameters of a path or an operation that make a request body.
#[derive(Default)]
pub(super) struct Payload<'a> {
    body: Option<Body<'a>>,
    form: Vec<Node<'a>>,
}

struct Body<'a> {
    node: Node<'a>,
    /// The name of the shared parameter that it is.
    shared: Option<&'a str>,
}

impl<'a> Converter<'a> {
    /// The `parameters` of a path item or an operation: those that stay parameters, and the others.
    pub fn parameters(&self, owner: &Node<'a>) -> Result<(Vec<Value>, Payload<'a>), Error> {
        let (mut parameters, mut payload) = (Vec::new(), Payload::default());
        let mut seen = BTreeSet::new();
        for entry in owner.list("parameters")? {
            let (node, shared) = match self.shared(&entry, "parameters")? {
                Some(reference) => (reference.target, Some(reference.name)),
                None => (entry, None),
            };
            let location = check_parameter(&node)?;
            if !seen.insert((location, node.need("name")?.text()?)) {
                return Err(entry.error("a parameter of this name and place stands here already"));
            }
            match (location, shared) {
                ("body", _) if payload.body.is_some() => {
                    return Err(entry.error("is a second body"));
                }
                ("body", shared) => payload.body = Some(Body { node, shared }),
                ("formData", _) => payload.form.push(node),
                (_, Some(name)) => {
                    let pointer = format!("#/components/parameters/{}", self.parameters.of(name));
                    parameters.push(json!({ "$ref": pointer }));
                }
                (location, None) => parameters.push(parameter(&node, location)?),
            }
        }
        Ok((parameters, payload))
    }

    /// The request body of an operation, from its own parameters and those of its path.
    pub fn request_body(
        &self,
        operation: &Node<'a>,
        own: &Payload<'a>,
        inherited: &Payload<'a>,
    ) -> Result<Option<Value>, Error> {
        let consumes = self.media_types(operation, "consumes")?;
        let overridden: Vec<_> = own.form.iter().map(|field| &field.value["name"]).collect();
        let fields = inherited.form.iter().filter(|field| !overridden.contains(&&field.value["name"]));
        let fields: Vec<_> = fields.chain(&own.form).collect();
        // A body has no name on the wire: that of the operation replaces that of the path.
        match own.body.as_ref().or(inherited.body.as_ref()) {
            None if fields.is_empty() => Ok(None),
            None => form(&fields, &consumes).map(Some),
            Some(_) if !fields.is_empty() => Err(operation.error("has both a body and a form")),
            Some(body) => match body.shared {
                Some(name) if consumes == self.consumes => {
                    let name = self.parameters.of(name);
                    Ok(Some(json!({ "$ref": format!("#/components/requestBodies/{name}") })))
                }
                _ => self.body(&body.node, &consumes).map(Some),
            },
        }
    }

    fn body(&self, node: &Node<'a>, consumes: &[&str]) -> Result<Value, Error> {
        let mut body = node.carry(&["description", "required"]);
        let mut schema = self.schema(&node.need("schema")?)?;
        if node.is_true("x-nullable")? {
            schema["nullable"] = true.into();
        }
        body["content"] = content(consumes, &json!({ "schema": schema }));
        Ok(body)
    }

    /// The shared parameters, as `parameters` and `requestBodies` of the components. Shared fields
    /// of forms are in neither: each operation has a form of its own.
    pub fn shared_parameters(&self) -> Result<(Value, Value), Error> {
        let (mut parameters, mut bodies) = (json!({}), json!({}));
        for (name, node) in self.root.members("parameters")? {
            let name = self.parameters.of(name);
            match check_parameter(&node)? {
                "body" => bodies[name] = self.body(&node, &self.consumes)?,
                "formData" => drop(form(&[&node], &[])?),
                location => parameters[name] = parameter(&node, location)?,
            }
        }
        Ok((parameters, bodies))
    }
}

/// Fails unless the node is a parameter object; returns its location.
fn check_parameter<'a>(node: &Node<'a>) -> Result<&'a str, Error> {
    let pointer = node.need("in")?;
    let location = pointer.text()?;
    match location {
        "body" => node.check(&[PARAMETER, BODY])?,
        "query" | "formData" => node.check(&[PARAMETER, VALUE, ITEMS, EMPTY])?,
        "path" | "header" => node.check(&[PARAMETER, VALUE, ITEMS])?,
        _ => return Err(pointer.error(format!("`{location}` is no place of a parameter"))),
    }
    Ok(location)
}

fn parameter(node: &Node, location: &str) -> Result<Value, Error> {
    let mut parameter = node.carry(&["name", "in", "description", "required", "allowEmptyValue"]);
    if location == "path" {
        if node.get("required").is_some() && !node.is_true("required")? {
            return Err(node.error("a parameter in the path must be required"));
        }
        parameter["required"] = true.into();
    }
    example(&mut parameter);
    write_value(node, location, &mut parameter)?;
    Ok(parameter)
}

/// Swagger 2.0 has no example of a parameter, and a customary extension for it.
fn example(owner: &mut Value) {
    if let Some(members) = owner.as_object_mut()
        && let Some(example) = members.remove("x-example")
    {
        members.insert("example".to_owned(), example);
    }
}

/// A header of a response.
pub(super) fn header(node: &Node) -> Result<Value, Error> {
    node.check(&[HEADER, VALUE, ITEMS])?;
    let mut header = node.carry(&["description"]);
    write_value(node, "header", &mut header)?;
    Ok(header)
}

/// Writes the schema and the style of a parameter or a header, which is an object.
fn write_value(node: &Node, location: &str, owner: &mut Value) -> Result<(), Error> {
    if let Some((style, explode)) = style(node, location)? {
        owner["style"] = style.into();
        owner["explode"] = explode.into();
    }
    owner["schema"] = json!({});
    write_schema(node, TYPES, &mut owner["schema"])
}

/// Writes what `VALUE` has into the schema of a parameter, of items or of a header.
fn write_schema(node: &Node, types: &[&str], schema: &mut Value) -> Result<(), Error> {
    for (name, child) in node.entries()? {
        if name != "type" && kind_of(name, &[VALUE]).is_some() {
            schema[name] = match name {
                "items" => items(&child)?,
                _ => child.value.clone(),
            };
        }
    }
    write_type(node, types, schema)
}

fn items(node: &Node) -> Result<Value, Error> {
    node.check(&[VALUE, ITEMS])?;
    if style(node, "query")?.is_some() {
        return Err(node.error("OpenAPI 3.0 has no collectionFormat for lists in a list"));
    }
    let mut items = node.carry(&[]);
    write_schema(node, TYPES, &mut items)?;
    Ok(items)
}

/// How a list is written: the `style` and `explode` that a `collectionFormat` is in OpenAPI. None
/// for what is no list.
fn style(node: &Node, location: &str) -> Result<Option<(&'static str, bool)>, Error> {
    let format = node.get("collectionFormat");
    match (&format, has_type(node, "array")) {
        (None, false) => return Ok(None),
        (Some(format), false) => return Err(format.error("only a list has a collectionFormat")),
        (_, true) => {}
    }
    let name = format.as_ref().map_or(Ok("csv"), Node::text)?;
    match (location, name) {
        ("path" | "header", "csv") => Ok(Some(("simple", false))),
        ("query" | "formData", "csv") => Ok(Some(("form", false))),
        ("query" | "formData", "ssv") => Ok(Some(("spaceDelimited", false))),
        ("query" | "formData", "pipes") => Ok(Some(("pipeDelimited", false))),
        ("query" | "formData", "multi") => Ok(Some(("form", true))),
        _ => {
            let message = format!("OpenAPI 3.0 has no collectionFormat `{name}` in {location}");
            Err(format.as_ref().unwrap_or(node).error(message))
        }
    }
}

/// The request body for the fields of a form.
fn form(fields: &[&Node], consumes: &[&str]) -> Result<Value, Error> {
    let (mut schema, mut encoding) = (json!({ "type": "object" }), json!({}));
    let mut required = Vec::new();
    let mut joined = None;
    for field in fields {
        let name = field.need("name")?.text()?;
        if field.is_true("allowEmptyValue")? {
            return Err(field.error("OpenAPI 3.0 has no allowEmptyValue in a form"));
        }
        if field.is_true("required")? {
            required.push(name);
        }
        let mut property = field.carry(&["description"]);
        example(&mut property);
        write_schema(field, FORM_TYPES, &mut property)?;
        schema["properties"][name] = property;
        if let Some((style, explode)) = style(field, "formData")? {
            encoding[name] = json!({ "style": style, "explode": explode });
            joined = joined.or((!explode).then_some(field));
        }
    }
    let mut body = json!({});
    if !required.is_empty() {
        schema["required"] = required.into();
        body["required"] = true.into();
    }
    for name in form_types(fields, consumes) {
        let mut media = json!({ "schema": schema });
        match joined {
            Some(field) if is_media_type(name, MULTIPART) => {
                let message = "OpenAPI 3.0 has no collectionFormat but `multi` in multipart/form-data";
                return Err(field.error(message));
            }
            _ if is_media_type(name, MULTIPART) || encoding == json!({}) => {}
            _ => media["encoding"] = encoding.clone(),
        }
        body["content"][name] = media;
    }
    Ok(body)
}

/// The media types of a form, among those that the operation consumes.
fn form_types<'a>(fields: &[&Node], consumes: &[&'a str]) -> Vec<&'a str> {
    let (fitting, default): (&[_], _) = match fields.iter().any(|field| has_type(field, "file")) {
        true => (&[MULTIPART], MULTIPART),
        false => (&[MULTIPART, URLENCODED], URLENCODED),
    };
    let is_fitting = |name: &&str| fitting.iter().any(|fitting| is_media_type(name, fitting));
    let types: Vec<_> = consumes.iter().copied().filter(is_fitting).collect();
    if types.is_empty() { vec![default] } else { types }
}

/// Whether a media type is the one expected, whatever its parameters.
fn is_media_type(name: &str, expected: &str) -> bool {
    let essence = name.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(expected)
}
