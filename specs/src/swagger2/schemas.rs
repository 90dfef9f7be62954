//! Schemas.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::names::{Reference, decode};
use super::node::{Grammar, Kind, Node};
use super::{Converter, EXTERNAL_DOCS};
use crate::Error;

/// The keywords that schemas, parameters, items and headers have in common.
pub(super) const VALUE: Grammar = &[
    (Kind::Any, "type default"),
    (Kind::Text, "format pattern"),
    (Kind::Number, "maximum minimum multipleOf"),
    (Kind::Flag, "exclusiveMaximum exclusiveMinimum uniqueItems"),
    (Kind::Count, "maxLength minLength maxItems minItems"),
    (Kind::List, "enum"),
    (Kind::Object, "items"),
];
const SCHEMA: Grammar = &[
    (Kind::Text, "$ref title description discriminator"),
    (Kind::Count, "maxProperties minProperties"),
    (Kind::Texts, "required"),
    (Kind::Any, "additionalProperties example"),
    (Kind::List, "allOf"),
    (Kind::Object, "properties"),
    (Kind::Flag, "readOnly"),
    (Kind::Of(XML), "xml"),
    (Kind::Of(EXTERNAL_DOCS), "externalDocs"),
];
const FILE: Grammar = &[
    (Kind::Text, "type! format title description"),
    (Kind::Any, "default example"),
    (Kind::Texts, "required"),
    (Kind::Flag, "readOnly"),
    (Kind::Of(EXTERNAL_DOCS), "externalDocs"),
];
const XML: Grammar = &[(Kind::Text, "name namespace prefix"), (Kind::Flag, "attribute wrapped")];

const TYPES: &[&str] = &["string", "number", "integer", "boolean", "array", "object"];

impl<'a> Converter<'a> {
    /// A schema object.
    pub fn schema(&self, node: &Node<'a>) -> Result<Map<String, Value>, Error> {
        node.check(&[VALUE, SCHEMA])?;
        let mut schema = Map::new();
        for (key, child) in node.entries()? {
            let value = match key {
                "type" | "x-nullable" => continue,
                "$ref" => self.schema_reference(&child)?.into(),
                "items" => self.schema(&child)?.into(),
                "additionalProperties" if !child.value.is_boolean() => self.schema(&child)?.into(),
                "allOf" => {
                    let parts = child.elements()?;
                    let parts = parts.iter().map(|part| self.schema(part));
                    parts.collect::<Result<Vec<_>, _>>()?.into()
                }
                "properties" => {
                    let mut properties = Map::new();
                    for (name, property) in child.entries()? {
                        properties.insert(name.to_owned(), self.schema(&property)?.into());
                    }
                    properties.into()
                }
                "discriminator" => json!({ "propertyName": child.value }),
                _ => child.value.clone(),
            };
            schema.insert(key.to_owned(), value);
        }
        write_type(node, TYPES, &mut schema)?;
        Ok(schema)
    }

    /// A schema where a response has it: there alone it may be a file.
    pub fn response_schema(&self, node: &Node<'a>) -> Result<Map<String, Value>, Error> {
        if node.get("type").is_none_or(|name| name.value != "file") {
            return self.schema(node);
        }
        node.check(&[FILE])?;
        let mut schema = node.carry("title description default example required readOnly externalDocs");
        schema.remove("x-nullable");
        write_file(&mut schema);
        Ok(schema)
    }

    /// A definition, which alone can be inherited from. A discriminator holds the name of a definition as Swagger has
    /// it: where that is not the component's name, a mapping says so.
    pub fn definition(&self, name: &'a str, node: &Node<'a>) -> Result<Map<String, Value>, Error> {
        let mut schema = self.schema(node)?;
        if let Some(discriminator) = schema.get_mut("discriminator") {
            let mut mapping = Map::new();
            for heir in self.heirs(name)? {
                let component = self.schemas.of(heir);
                if component != heir {
                    mapping.insert(heir.to_owned(), format!("#/components/schemas/{component}").into());
                }
            }
            if !mapping.is_empty() {
                discriminator["mapping"] = mapping.into();
            }
        }
        Ok(schema)
    }

    /// A definition and all that extend it by `allOf`.
    fn heirs(&self, ancestor: &'a str) -> Result<BTreeSet<&'a str>, Error> {
        let mut heirs = BTreeSet::from([ancestor]);
        loop {
            let known = heirs.len();
            for (name, definition) in self.root.members("definitions")? {
                for text in definition.list("allOf")?.iter().filter_map(|part| part.get("$ref")) {
                    let parent = Reference::read(&text, &self.root, "definitions")?;
                    if parent.rest.is_none() && heirs.contains(parent.name) {
                        heirs.insert(name);
                    }
                }
            }
            if heirs.len() == known {
                return Ok(heirs);
            }
        }
    }

    /// The pointer to a component that a reference to a definition, or to a schema inside one, becomes.
    fn schema_reference(&self, text: &Node<'a>) -> Result<String, Error> {
        let reference = Reference::read(text, &self.root, "definitions")?;
        let mut pointer = format!("#/components/schemas/{}", self.schemas.of(reference.name));
        if let Some(rest) = reference.rest {
            if !leads_to_schema(reference.target, rest) {
                return Err(text.refuse("leads to no schema that OpenAPI 3.0 has at the same place"));
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

/// Writes `type`, which Swagger may give as a list, and `nullable`.
pub(super) fn write_type(node: &Node, known: &[&str], schema: &mut Map<String, Value>) -> Result<(), Error> {
    let mut nullable = node.says("x-nullable")?;
    if let Some(given) = node.get("type") {
        let mut types = if given.value.is_array() { given.texts()? } else { vec![given.text()?] };
        if let Some(unknown) = types.iter().find(|name| **name != "null" && !known.contains(name)) {
            return Err(given.refuse(format!("`{unknown}` is no type here; OpenAPI 3.0 has {}", known.join(", "))));
        }
        nullable |= types.contains(&"null");
        types.retain(|name| *name != "null");
        match types.as_slice() {
            [] => return Err(given.refuse("OpenAPI 3.0 has no type for null alone")),
            [name] => write_one_type(name, schema),
            _ => {
                let items = schema.remove("items");
                let alternative = |name: &&str| {
                    let mut alternative = Map::new();
                    if *name == "array" {
                        alternative.extend(items.clone().map(|items| ("items".to_owned(), items)));
                    }
                    if nullable {
                        alternative.insert("nullable".to_owned(), true.into());
                    }
                    write_one_type(name, &mut alternative);
                    Value::from(alternative)
                };
                let alternatives = types.iter().map(alternative).collect();
                schema.insert("anyOf".to_owned(), alternatives);
            }
        }
    }
    if nullable {
        schema.insert("nullable".to_owned(), true.into());
    }
    Ok(())
}

fn write_one_type(name: &str, schema: &mut Map<String, Value>) {
    schema.insert("type".to_owned(), name.into());
    if name == "array" {
        // Swagger leaves out the items of a list of anything; OpenAPI 3.0 does not.
        schema.entry("items").or_insert_with(|| json!({}));
    }
}

/// A file, as OpenAPI 3.0 says it.
pub(super) fn write_file(schema: &mut Map<String, Value>) {
    schema.insert("type".to_owned(), "string".into());
    schema.insert("format".to_owned(), "binary".into());
}
