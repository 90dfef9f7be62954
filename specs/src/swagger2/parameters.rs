//! Parameters: those that stay parameters, bodies and forms.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::node::{Grammar, Kind, Node};
use super::schemas::{VALUE, write_file, write_type};
use super::{Converter, content};
use crate::Error;

const PARAMETER: Grammar = &[(Kind::Text, "name! in! description"), (Kind::Flag, "required")];
const BODY: Grammar = &[(Kind::Object, "schema!")];
const HEADER: Grammar = &[(Kind::Text, "description")];
/// What parameters, headers and items need beside the keywords of `VALUE`.
const ITEMS: Grammar = &[(Kind::Any, "type!"), (Kind::Text, "collectionFormat")];
const EMPTY: Grammar = &[(Kind::Flag, "allowEmptyValue")];

const TYPES: &[&str] = &["string", "number", "integer", "boolean", "array"];
const FORM_TYPES: &[&str] = &["string", "number", "integer", "boolean", "array", "file"];

const MULTIPART: &str = "multipart/form-data";
const URLENCODED: &str = "application/x-www-form-urlencoded";

/// A body parameter.
#[derive(Clone)]
struct Body<'a> {
    node: Node<'a>,
    /// The name of the shared parameter that it is.
    shared: Option<&'a str>,
}

/// The parameters of a path or an operation, by what they become.
#[derive(Default)]
pub(super) struct Parameters<'a> {
    body: Option<Body<'a>>,
    form: Vec<Node<'a>>,
    /// Those that stay parameters, converted.
    others: Vec<Value>,
}

impl Parameters<'_> {
    pub fn take_others(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.others)
    }
}

impl<'a> Converter<'a> {
    /// The `parameters` of a path item or an operation.
    pub fn parameters(&self, owner: &Node<'a>) -> Result<Parameters<'a>, Error> {
        let mut parameters = Parameters::default();
        let mut seen = BTreeSet::new();
        for entry in owner.list("parameters")? {
            let reference = self.shared(&entry, "parameters")?;
            let shared = reference.as_ref().map(|reference| reference.name);
            let node = reference.map_or_else(|| entry.clone(), |reference| reference.target);
            let location = check_parameter(&node)?;
            if !seen.insert((location, node.need("name")?.text()?)) {
                return Err(entry.refuse("a parameter of this name and place stands here already"));
            }
            match (location, shared) {
                ("body", _) if parameters.body.is_some() => {
                    return Err(entry.refuse("is a second body"));
                }
                ("body", shared) => parameters.body = Some(Body { node, shared }),
                ("formData", _) => parameters.form.push(node),
                (_, Some(name)) => {
                    let pointer = format!("#/components/parameters/{}", self.parameters.of(name));
                    parameters.others.push(json!({ "$ref": pointer }));
                }
                (location, None) => parameters.others.push(parameter(&node, location)?),
            }
        }
        Ok(parameters)
    }

    /// The request body of an operation, made of its own parameters and those of its path.
    pub fn request_body(
        &self,
        operation: &Node<'a>,
        own: Parameters<'a>,
        inherited: &Parameters<'a>,
    ) -> Result<Option<Value>, Error> {
        let consumes = self.media_types(operation, "consumes")?;
        let is_own = |field: &Node| own.form.iter().any(|own| own.value["name"] == field.value["name"]);
        let mut form: Vec<_> = inherited.form.iter().filter(|field| !is_own(field)).cloned().collect();
        form.extend(own.form.iter().cloned());
        // A body has no name on the wire: that of the operation replaces that of the path.
        match own.body.as_ref().or(inherited.body.as_ref()) {
            Some(_) if !form.is_empty() => Err(operation.refuse("has both a body and a form")),
            Some(Body { shared: Some(name), .. }) if consumes == self.consumes => {
                let pointer = format!("#/components/requestBodies/{}", self.parameters.of(name));
                Ok(Some(json!({ "$ref": pointer })))
            }
            Some(body) => self.body(&body.node, &consumes).map(Some),
            None if form.is_empty() => Ok(None),
            None => form_body(&form, &consumes).map(Some),
        }
    }

    fn body(&self, node: &Node<'a>, consumes: &[&str]) -> Result<Value, Error> {
        let mut body = node.carry("description required");
        body.remove("x-nullable");
        let mut schema = self.schema(&node.need("schema")?)?;
        if node.says("x-nullable")? {
            schema.insert("nullable".to_owned(), true.into());
        }
        body.insert("content".to_owned(), content(consumes, &json!({ "schema": schema })).into());
        Ok(body.into())
    }

    /// The shared parameters, as `parameters` and `requestBodies` of the components. Shared fields of forms are not among them:
    /// each operation has its own form.
    pub fn shared_parameters(&self) -> Result<(Map<String, Value>, Map<String, Value>), Error> {
        let (mut parameters, mut bodies) = (Map::new(), Map::new());
        for (name, node) in self.root.members("parameters")? {
            let name = self.parameters.of(name).to_owned();
            match check_parameter(&node)? {
                "body" => drop(bodies.insert(name, self.body(&node, &self.consumes)?)),
                "formData" => drop(form_body(&[node], &[])?),
                location => drop(parameters.insert(name, parameter(&node, location)?)),
            }
        }
        Ok((parameters, bodies))
    }
}

/// Refuses what is no parameter object; tells where the parameter goes.
fn check_parameter<'a>(node: &Node<'a>) -> Result<&'a str, Error> {
    let place = node.need("in")?;
    let location = place.text()?;
    match location {
        "body" => node.check(&[PARAMETER, BODY])?,
        "query" | "formData" => node.check(&[PARAMETER, VALUE, ITEMS, EMPTY])?,
        "path" | "header" => node.check(&[PARAMETER, VALUE, ITEMS])?,
        _ => return Err(place.refuse(format!("`{location}` is no place of a parameter"))),
    }
    Ok(location)
}

fn parameter(node: &Node, location: &str) -> Result<Value, Error> {
    let mut parameter = node.carry("name in description required allowEmptyValue");
    if location == "path" {
        if parameter.insert("required".to_owned(), true.into()) == Some(false.into()) {
            return Err(node.refuse("a parameter in the path must be required"));
        }
    }
    write_value(node, location, &mut parameter)?;
    Ok(parameter.into())
}

/// A header of a response.
pub(super) fn header(node: &Node) -> Result<Value, Error> {
    node.check(&[HEADER, VALUE, ITEMS])?;
    let mut header = node.carry("description");
    write_value(node, "header", &mut header)?;
    Ok(header.into())
}

/// Writes the schema and the style of a parameter or a header.
fn write_value(node: &Node, location: &str, owner: &mut Map<String, Value>) -> Result<(), Error> {
    owner.remove("x-nullable");
    if let Some((style, explode)) = style(node, location)? {
        owner.insert("style".to_owned(), style.into());
        owner.insert("explode".to_owned(), explode.into());
    }
    owner.insert("schema".to_owned(), value_schema(node, TYPES)?.into());
    Ok(())
}

/// The schema of a parameter, of items or of a header.
fn value_schema(node: &Node, types: &[&str]) -> Result<Map<String, Value>, Error> {
    let mut schema = node.pick("default format pattern maximum minimum multipleOf exclusiveMaximum exclusiveMinimum");
    schema.append(&mut node.pick("uniqueItems maxLength minLength maxItems minItems enum"));
    if let Some(items) = node.get("items") {
        schema.insert("items".to_owned(), items_schema(&items)?.into());
    }
    write_type(node, types, &mut schema)?;
    Ok(schema)
}

fn items_schema(node: &Node) -> Result<Map<String, Value>, Error> {
    node.check(&[VALUE, ITEMS])?;
    if style(node, "query")?.is_some() {
        return Err(node.refuse("OpenAPI 3.0 has no collectionFormat for lists in a list"));
    }
    let mut items = node.carry("");
    items.remove("x-nullable");
    items.append(&mut value_schema(node, TYPES)?);
    Ok(items)
}

/// How a list is written: OpenAPI's `style` and `explode` for a `collectionFormat`. None for what is no list.
fn style(node: &Node, location: &str) -> Result<Option<(&'static str, bool)>, Error> {
    let format = node.get("collectionFormat");
    let name = format.as_ref().map_or(Ok("csv"), Node::text)?;
    let is_list = match &node.value["type"] {
        Value::Array(types) => types.iter().any(|name| name == "array"),
        name => name == "array",
    };
    let place = format.as_ref().unwrap_or(node);
    if !is_list {
        let message = "only a list has a collectionFormat";
        return format.map_or(Ok(None), |format| Err(format.refuse(message)));
    }
    match (location, name) {
        ("path" | "header", "csv") => Ok(Some(("simple", false))),
        ("query" | "formData", "csv") => Ok(Some(("form", false))),
        ("query" | "formData", "ssv") => Ok(Some(("spaceDelimited", false))),
        ("query" | "formData", "pipes") => Ok(Some(("pipeDelimited", false))),
        ("query" | "formData", "multi") => Ok(Some(("form", true))),
        _ => Err(place.refuse(format!("OpenAPI 3.0 has no collectionFormat `{name}` in {location}"))),
    }
}

/// The request body that the fields of a form make.
fn form_body(fields: &[Node], consumes: &[&str]) -> Result<Value, Error> {
    let (mut properties, mut encoding) = (Map::new(), Map::new());
    let mut required = Vec::new();
    let mut has_file = false;
    let mut joined = None;
    for field in fields {
        let name = field.need("name")?.text()?;
        if field.says("allowEmptyValue")? {
            return Err(field.refuse("OpenAPI 3.0 has no allowEmptyValue in a form"));
        }
        if field.says("required")? {
            required.push(name);
        }
        let mut schema = field.carry("description");
        schema.remove("x-nullable");
        schema.append(&mut value_schema(field, FORM_TYPES)?);
        if schema.get("type").is_some_and(|name| name == "file") {
            has_file = true;
            write_file(&mut schema);
        }
        if let Some((style, explode)) = style(field, "formData")? {
            encoding.insert(name.to_owned(), json!({ "style": style, "explode": explode }));
            joined = joined.or((!explode).then_some(field));
        }
        properties.insert(name.to_owned(), schema.into());
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    let mut body = Map::new();
    if !required.is_empty() {
        schema["required"] = required.into();
        body.insert("required".to_owned(), true.into());
    }
    let mut media = Map::new();
    for name in form_types(consumes, has_file) {
        let mut form = json!({ "schema": schema });
        if is_media_type(name, URLENCODED) && !encoding.is_empty() {
            form["encoding"] = encoding.clone().into();
        } else if let Some(field) = joined {
            return Err(field.refuse("OpenAPI 3.0 has no collectionFormat but `multi` in multipart/form-data"));
        }
        media.insert(name.to_owned(), form);
    }
    body.insert("content".to_owned(), media.into());
    Ok(body.into())
}

/// The media types of a form, among those that the operation consumes.
fn form_types<'a>(consumes: &[&'a str], has_file: bool) -> Vec<&'a str> {
    let is_form = |name: &&str| is_media_type(name, MULTIPART) || !has_file && is_media_type(name, URLENCODED);
    let types: Vec<_> = consumes.iter().copied().filter(is_form).collect();
    match types.as_slice() {
        [] if has_file => vec![MULTIPART],
        [] => vec![URLENCODED],
        _ => types,
    }
}

/// Whether a media type is the one expected, whatever its parameters.
fn is_media_type(name: &str, expected: &str) -> bool {
    let essence = name.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(expected)
}
