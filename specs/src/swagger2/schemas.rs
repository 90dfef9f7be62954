//! Schemas.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::converter::{Converter, EXTERNAL_DOCS};
use super::names::Reference;
use crate::Error;
use crate::node::{Grammar, Kind, Node, Optional, Required};
use crate::pointer::decode;

/// The keywords that schemas, parameters, items and headers have in common.
pub(super) const VALUE: Grammar = &[
    (Optional, Kind::Any, &["type", "default"]),
    (Optional, Kind::Text, &["format", "pattern"]),
    (Optional, Kind::Number, &["maximum", "minimum", "multipleOf"]),
    (Optional, Kind::Flag, &["exclusiveMaximum", "exclusiveMinimum", "uniqueItems"]),
    (Optional, Kind::Count, &["maxLength", "minLength", "maxItems", "minItems"]),
    (Optional, Kind::List, &["enum"]),
    (Optional, Kind::Object, &["items"]),
];
const SCHEMA: Grammar = &[
    (Optional, Kind::Text, &["$ref", "title", "description", "discriminator"]),
    (Optional, Kind::Count, &["maxProperties", "minProperties"]),
    (Optional, Kind::Texts, &["required"]),
    (Optional, Kind::Any, &["additionalProperties", "example"]),
    (Optional, Kind::List, &["allOf"]),
    (Optional, Kind::Object, &["properties"]),
    (Optional, Kind::Flag, &["readOnly"]),
    (Optional, Kind::Of(XML), &["xml"]),
    (Optional, Kind::Of(EXTERNAL_DOCS), &["externalDocs"]),
];
const XML: Grammar =
    &[(Optional, Kind::Text, &["name", "namespace", "prefix"]), (Optional, Kind::Flag, &["attribute", "wrapped"])];
const FILE: Grammar = &[
    (Required, Kind::Text, &["type"]),
    (Optional, Kind::Text, &["format", "title", "description"]),
    (Optional, Kind::Any, &["default", "example"]),
    (Optional, Kind::Texts, &["required"]),
    (Optional, Kind::Flag, &["readOnly"]),
    (Optional, Kind::Of(EXTERNAL_DOCS), &["externalDocs"]),
];
const TYPES: &[&str] = &["string", "number", "integer", "boolean", "array", "object"];

impl<'a> Converter<'a> {
    /// A schema object.
    pub fn schema(&self, node: &Node<'a>) -> Result<Value, Error> {
        node.check(&[VALUE, SCHEMA])?;
        let mut schema = json!({});
        for (key, child) in node.entries()? {
            schema[key] = match key {
                "$ref" => self.schema_reference(&child)?.into(),
                "items" => self.schema(&child)?,
                "additionalProperties" if !child.value.is_boolean() => self.schema(&child)?,
                "allOf" => {
                    let parts = child.elements()?;
                    let parts = parts.iter().map(|part| self.schema(part));
                    parts.collect::<Result<Value, _>>()?
                }
                "properties" => {
                    let mut properties = json!({});
                    for (name, property) in child.entries()? {
                        properties[name] = self.schema(&property)?;
                    }
                    properties
                }
                "discriminator" => json!({ "propertyName": child.value }),
                "type" | "x-nullable" => continue,
                _ => child.value.clone(),
            };
        }
        write_type(node, TYPES, &mut schema)?;
        Ok(schema)
    }

    /// The schema of a response, the only place where it may be a file.
    pub fn response_schema(&self, node: &Node<'a>) -> Result<Value, Error> {
        if !has_type(node, "file") {
            return self.schema(node);
        }
        node.check(&[FILE])?;
        let names = &["format", "title", "description", "default", "example", "required", "readOnly", "externalDocs"];
        let mut schema = node.carry(names);
        write_type(node, &["file"], &mut schema)?;
        Ok(schema)
    }

    /// A definition, which alone can be inherited from. A discriminator holds the name of a
    /// definition as Swagger has it: where that is not the component's name, a mapping says so.
    pub fn definition(&self, name: &'a str, node: &Node<'a>) -> Result<Value, Error> {
        let mut schema = self.schema(node)?;
        if schema.get("discriminator").is_some() {
            for heir in self.descendants(name)? {
                let component = self.schemas.of(heir);
                if component != heir {
                    let pointer = format!("#/components/schemas/{component}");
                    schema["discriminator"]["mapping"][heir] = pointer.into();
                }
            }
        }
        Ok(schema)
    }

    /// A definition and all that extend it by `allOf`.
    fn descendants(&self, ancestor: &'a str) -> Result<BTreeSet<&'a str>, Error> {
        let mut descendants = BTreeSet::from([ancestor]);
        loop {
            let known = descendants.len();
            for (name, definition) in self.root.members("definitions")? {
                for part in definition.list("allOf")? {
                    let Some(text) = part.get("$ref") else {
                        continue;
                    };
                    let parent = Reference::read(&text, &self.root, "definitions")?;
                    if parent.rest.is_none() && descendants.contains(parent.name) {
                        descendants.insert(name);
                    }
                }
            }
            if descendants.len() == known {
                return Ok(descendants);
            }
        }
    }

    /// What a reference to a definition, or to a schema inside one, becomes.
    fn schema_reference(&self, text: &Node<'a>) -> Result<String, Error> {
        let reference = Reference::read(text, &self.root, "definitions")?;
        let mut pointer = format!("#/components/schemas/{}", self.schemas.of(reference.name));
        if let Some(rest) = reference.rest {
            if !leads_to_schema(reference.target, rest) {
                return Err(text.error("leads to no schema that stays at its place"));
            }
            pointer.push('/');
            pointer.push_str(rest);
        }
        Ok(pointer)
    }
}

/// Whether a pointer inside a definition leads to a schema, and to the same one after conversion.
fn leads_to_schema(definition: Node, pointer: &str) -> bool {
    let mut schema = Some(definition);
    let mut tokens = pointer.split('/').map(decode);
    while let (Some(current), Some(token)) = (&schema, tokens.next()) {
        let child = current.get(&token);
        schema = match token.as_str() {
            "additionalProperties" => child,
            // Under several types, `items` moves to the one that is an array.
            "items" if !current.value["type"].is_array() => child,
            "properties" | "allOf" => child.zip(tokens.next()).and_then(|(all, token)| all.get(&token)),
            _ => None,
        };
    }
    schema.is_some_and(|schema| schema.value.is_object())
}

/// Whether `type` is this one, or has it among others.
pub(super) fn has_type(node: &Node, name: &str) -> bool {
    match &node.value["type"] {
        Value::Array(types) => types.iter().any(|it| it == name),
        it => it == name,
    }
}

/// Writes `type`, which Swagger may give as a list, and `nullable`. The schema is an object.
pub(super) fn write_type(node: &Node, known: &[&str], schema: &mut Value) -> Result<(), Error> {
    let mut nullable = node.is_true("x-nullable")?;
    if let Some(given) = node.get("type") {
        let mut types = match given.value {
            Value::Array(_) => given.texts()?,
            _ => vec![given.text()?],
        };
        if let Some(name) = types.iter().find(|name| **name != "null" && !known.contains(name)) {
            return Err(given.error(format!("`{name}` is no type here; the types are {}", known.join(", "))));
        }
        nullable |= types.contains(&"null");
        types.retain(|name| *name != "null");
        match types.as_slice() {
            [] => return Err(given.error("OpenAPI 3.0 has no type for null alone")),
            [name] => write_one_type(name, schema),
            _ => write_alternatives(&types, nullable, schema),
        }
    }
    if nullable {
        schema["nullable"] = true.into();
    }
    Ok(())
}

fn write_one_type(name: &str, schema: &mut Value) {
    schema["type"] = name.into();
    if name == "file" {
        schema["type"] = "string".into();
        default(schema, "format", "binary".into());
    } else if name == "array" {
        // Swagger lets a list of anything have no items; OpenAPI 3.0 does not.
        default(schema, "items", json!({}));
    }
}

fn write_alternatives(types: &[&str], nullable: bool, schema: &mut Value) {
    let items = schema.as_object_mut().and_then(|schema| schema.remove("items"));
    let alternative = |name: &&str| {
        let mut alternative = json!({});
        if let ("array", Some(items)) = (*name, &items) {
            alternative["items"] = items.clone();
        }
        if nullable {
            alternative["nullable"] = true.into();
        }
        write_one_type(name, &mut alternative);
        alternative
    };
    schema["anyOf"] = types.iter().map(alternative).collect();
}

fn default(object: &mut Value, key: &str, value: Value) {
    if object.get(key).is_none() {
        object[key] = value;
    }
}
