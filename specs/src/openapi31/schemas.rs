//! Schemas: JSON Schema 2020-12 in the words of OpenAPI 3.0.

use serde_json::{Map, Value, json};

use super::converter::{Converter, check_dialect};
use super::definitions::DEFINING;
use crate::Error;
use crate::node::Node;

/// The keywords that both have.
const KEPT: [&str; 25] = [
    "title",
    "description",
    "default",
    "example",
    "format",
    "pattern",
    "multipleOf",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
    "readOnly",
    "writeOnly",
    "deprecated",
    "discriminator",
    "xml",
    "externalDocs",
    "enum",
    "additionalProperties",
];
/// The keywords that 3.0 has nothing for.
const WITHOUT_EQUAL: [&str; 11] = [
    "prefixItems",
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "patternProperties",
    "propertyNames",
    "$id",
    "$dynamicRef",
    "$dynamicAnchor",
    "$vocabulary",
];
/// The keywords that are read together with others.
const READ_TOGETHER: [&str; 15] = [
    "type",
    "const",
    "anyOf",
    "oneOf",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "examples",
    "contentEncoding",
    "contentMediaType",
    "unevaluatedProperties",
    "unevaluatedItems",
    "if",
    "then",
    "else",
    "$anchor",
];
const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "array", "object", "null"];
/// The keywords under which other keywords evaluate properties or items.
const EVALUATING: [&str; 8] =
    ["$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas", "patternProperties", "prefixItems"];

impl<'a> Converter<'a> {
    pub(super) fn schema(&self, node: &Node<'a>) -> Result<Value, Error> {
        match node.value {
            Value::Bool(true) => return Ok(json!({})),
            Value::Bool(false) => return Ok(json!({ "not": {} })),
            Value::Object(_) => {}
            _ => return Err(node.error("must be an object, true or false")),
        }
        self.definitions.meet(node)?;
        let mut schema = Map::new();
        for (key, child) in node.entries()? {
            let value = match key {
                "$ref" => self.definitions.pointer(&child)?.into(),
                "$schema" => {
                    if !self.keeps {
                        check_dialect(&child)?;
                    }
                    continue;
                }
                "additionalProperties" if !child.value.is_boolean() => self.schema(&child)?,
                "required" if child.elements()?.is_empty() => continue,
                "items" => match child.value {
                    Value::Bool(false) if node.get("prefixItems").is_some() => child.value.clone(),
                    Value::Bool(false) => {
                        schema.insert("maxItems".to_owned(), 0.into());
                        json!({})
                    }
                    _ => self.schema(&child)?,
                },
                "not" => self.schema(&child)?,
                "allOf" => self.variants(&child)?.into(),
                "properties" => {
                    let mut properties = json!({});
                    for (name, property) in child.entries()? {
                        properties[name] = self.schema(&property)?;
                    }
                    properties
                }
                "$dynamicRef" if self.keeps => {
                    let pointer = self.definitions.pointer(&child).ok();
                    let key = if pointer.is_some() { "$ref" } else { "$dynamicRef" };
                    let value = pointer.map_or_else(|| child.value.clone(), Value::from);
                    schema.entry(key).or_insert(value);
                    continue;
                }
                "minContains" | "maxContains" | "contentSchema" if self.keeps => child.value.clone(),
                "nullable" => return Err(child.error("OpenAPI 3.1 has no `nullable`; its type for null is \"null\"")),
                key if allows_all(key, &child) => continue,
                key if self.keeps && WITHOUT_EQUAL.contains(&key) => self.kept(key, &child)?,
                key if WITHOUT_EQUAL.contains(&key) => {
                    return Err(child.error(format!("OpenAPI 3.0 has nothing for `{key}`")));
                }
                key if KEPT.contains(&key) || key.starts_with("x-") => child.value.clone(),
                key if READ_TOGETHER.contains(&key) || DEFINING.contains(&key) || key == "$comment" => continue,
                "minContains" | "maxContains" if node.get("contains").is_none() => continue,
                // An annotation, as JSON Schema reads what it does not know.
                key => {
                    schema.entry(format!("x-{key}")).or_insert_with(|| child.value.clone());
                    continue;
                }
            };
            schema.insert(key.to_owned(), value);
        }
        self.conditions(node, &mut schema)?;
        bounds(node, &mut schema)?;
        self.contents(node, &mut schema)?;
        self.unevaluated(node, &mut schema)?;
        if let Some(first) = node.list("examples")?.first() {
            schema.entry("example").or_insert_with(|| first.value.clone());
        }
        self.types(node, &mut schema)?;
        Ok(schema.into())
    }

    /// A keyword that 3.0 has nothing for, its schemas converted.
    fn kept(&self, key: &str, child: &Node<'a>) -> Result<Value, Error> {
        match key {
            "prefixItems" => Ok(self.variants(child)?.into()),
            "contains" | "propertyNames" => self.schema(child),
            "patternProperties" | "dependentSchemas" => {
                let mut map = json!({});
                for (name, schema) in child.entries()? {
                    map[name] = self.schema(&schema)?;
                }
                Ok(map)
            }
            _ => Ok(child.value.clone()),
        }
    }

    /// Fails where a condition has a consequence.
    fn conditions(&self, node: &Node<'a>, schema: &mut Map<String, Value>) -> Result<(), Error> {
        let consequences: Vec<_> = ["then", "else"].into_iter().filter_map(|key| Some((key, node.get(key)?))).collect();
        let Some(condition) = node.get("if").filter(|_| consequences.iter().any(|(_, child)| !is_anything(child)))
        else {
            return Ok(());
        };
        if !self.keeps {
            return Err(condition.error("OpenAPI 3.0 has nothing for `if`"));
        }
        schema.insert("if".to_owned(), self.schema(&condition)?);
        for (key, child) in consequences {
            schema.insert(key.to_owned(), self.schema(&child)?);
        }
        Ok(())
    }

    /// How a text carries bytes.
    fn contents(&self, node: &Node<'a>, schema: &mut Map<String, Value>) -> Result<(), Error> {
        for key in ["contentEncoding", "contentMediaType"] {
            let Some(child) = node.get(key) else { continue };
            let format = match child.text()?.to_ascii_lowercase().as_str() {
                "base64" if key == "contentEncoding" => "byte",
                "application/octet-stream" if node.get("contentEncoding").is_none() => "binary",
                _ => {
                    let name = if self.keeps { key.to_owned() } else { format!("x-{key}") };
                    schema.entry(name).or_insert_with(|| child.value.clone());
                    continue;
                }
            };
            schema.entry("format").or_insert_with(|| format.into());
        }
        Ok(())
    }

    fn variants(&self, list: &Node<'a>) -> Result<Vec<Value>, Error> {
        list.elements()?.iter().map(|part| self.schema(part)).collect()
    }

    /// Types, fixed values and unions, which say together whether null is allowed.
    fn types(&self, node: &Node<'a>, schema: &mut Map<String, Value>) -> Result<(), Error> {
        let types = types_of(node)?;
        let by_type = types.as_ref().is_none_or(|types| types.contains(&"null"));
        let mut nullable = types.is_some() && by_type;
        let values = values_of(node)?;
        if let Some(values) = &values {
            let has_null = values.iter().any(|value| value.is_null());
            nullable = by_type && has_null;
            let kept = values.iter().filter(|value| by_type || !value.is_null());
            match node.get("const").filter(|_| self.keeps) {
                Some(only) => schema.insert("const".to_owned(), only.value.clone()),
                None => schema.insert("enum".to_owned(), kept.map(|value| (*value).clone()).collect()),
            };
        }
        for kind in ["anyOf", "oneOf"] {
            let Some(list) = node.get(kind) else { continue };
            let variants = list.elements()?;
            let (nulls, others): (Vec<_>, Vec<_>) = variants.into_iter().partition(is_null);
            nullable |= !nulls.is_empty() && by_type && values.is_none();
            let mut others = others.iter().map(|part| self.schema(part)).collect::<Result<Vec<_>, _>>()?;
            match (nulls.is_empty(), others.len()) {
                (false, 0) => only_null(schema),
                (false, 1) => others.drain(..).for_each(|variant| merge(schema, variant)),
                _ => {
                    schema.insert(kind.to_owned(), others.into());
                }
            }
        }
        let mut types = types.unwrap_or_default();
        let is_null_alone = types == ["null"];
        types.retain(|name| *name != "null");
        if types.contains(&"number") {
            types.retain(|name| *name != "integer");
        }
        match types.as_slice() {
            [] if is_null_alone => only_null(schema),
            [] => {}
            [name] => {
                schema.insert("type".to_owned(), (*name).into());
                if *name == "array" {
                    schema.entry("items").or_insert_with(|| json!({}));
                }
            }
            _ => alternatives(&types, nullable, schema),
        }
        if nullable && !is_null_alone {
            schema.insert("nullable".to_owned(), true.into());
        }
        Ok(())
    }

    /// `unevaluatedProperties` and `unevaluatedItems`, where they mean what `additionalProperties` and `items` do.
    fn unevaluated(&self, node: &Node<'a>, schema: &mut Map<String, Value>) -> Result<(), Error> {
        for (key, plain) in [("unevaluatedProperties", "additionalProperties"), ("unevaluatedItems", "items")] {
            let Some(child) = node.get(key) else { continue };
            if is_anything(&child) {
                continue;
            }
            let sibling = EVALUATING.iter().find(|sibling| node.get(sibling).is_some());
            if sibling.is_some() && self.keeps {
                let value = if child.value.is_boolean() { child.value.clone() } else { self.schema(&child)? };
                schema.insert(key.to_owned(), value);
                continue;
            }
            if let Some(sibling) = sibling {
                return Err(child.error(format!("OpenAPI 3.0 has nothing for `{key}` together with `{sibling}`")));
            }
            // What this keyword speaks of is evaluated already.
            if node.get(plain).is_some() {
                continue;
            }
            match child.value {
                Value::Bool(false) if plain == "items" => {
                    schema.insert("maxItems".to_owned(), 0.into());
                }
                Value::Bool(false) => {
                    schema.insert(plain.to_owned(), false.into());
                }
                _ => {
                    schema.insert(plain.to_owned(), self.schema(&child)?);
                }
            }
        }
        Ok(())
    }
}

/// Whether a schema allows any value.
fn is_anything(schema: &Node) -> bool {
    schema.value == &Value::Bool(true) || schema.value == &json!({})
}

/// Whether a keyword that 3.0 does not have has no effect.
fn allows_all(key: &str, value: &Node) -> bool {
    match key {
        "propertyNames" => is_anything(value) || value.value == &json!({ "type": "string" }),
        "prefixItems" => value.value == &json!([]),
        "patternProperties" | "dependentRequired" | "dependentSchemas" => value.value == &json!({}),
        _ => false,
    }
}

fn types_of<'a>(node: &Node<'a>) -> Result<Option<Vec<&'a str>>, Error> {
    let Some(given) = node.get("type") else { return Ok(None) };
    let types = match given.value {
        Value::Array(_) => given.texts()?,
        _ => vec![given.text()?],
    };
    if let Some(name) = types.iter().find(|name| !TYPES.contains(name)) {
        return Err(given.error(format!("`{name}` is no type; the types are {}", TYPES.join(", "))));
    }
    if types.is_empty() {
        return Err(given.error("must have a type"));
    }
    Ok(Some(types))
}

/// The values that `enum` and `const` leave.
fn values_of<'a>(node: &Node<'a>) -> Result<Option<Vec<&'a Value>>, Error> {
    let listed = match node.get("enum") {
        Some(list) => Some(list.elements()?.iter().map(|value| value.value).collect::<Vec<_>>()),
        None => None,
    };
    match (node.get("const"), listed) {
        (None, listed) => Ok(listed),
        (Some(value), Some(listed)) if !listed.contains(&value.value) => {
            Err(value.error("is not among the values of `enum`: nothing is allowed"))
        }
        (Some(value), _) => Ok(Some(vec![value.value])),
    }
}

/// Whether a schema allows null and nothing else.
fn is_null(node: &Node) -> bool {
    let Value::Object(members) = node.value else { return false };
    let mut constraints = members.iter().filter(|(key, _)| !matches!(key.as_str(), "title" | "description"));
    match (constraints.next(), constraints.next()) {
        (Some((key, value)), None) => match key.as_str() {
            "type" => value == "null" || value == &json!(["null"]),
            "const" => value.is_null(),
            "enum" => value == &json!([null]),
            _ => false,
        },
        _ => false,
    }
}

fn only_null(schema: &mut Map<String, Value>) {
    schema.insert("enum".to_owned(), json!([null]));
}

/// Puts the only variant of a union into the schema, unless a keyword stands there, and else next to it.
fn merge(schema: &mut Map<String, Value>, variant: Value) {
    let is_annotation =
        |key: &str| matches!(key, "title" | "description" | "default" | "example") || key.starts_with("x-");
    match variant {
        Value::Object(members)
            if !members.contains_key("$ref")
                && !schema.contains_key("$ref")
                && members.keys().all(|key| is_annotation(key) || !schema.contains_key(key)) =>
        {
            for (key, value) in members {
                schema.entry(key).or_insert(value);
            }
        }
        variant => {
            if let Value::Array(all) = schema.entry("allOf").or_insert_with(|| json!([])) {
                all.push(variant);
            }
        }
    }
}

/// Writes several types as variants. What else the schema says applies to the values of its type, as it did.
fn alternatives(types: &[&str], nullable: bool, schema: &mut Map<String, Value>) {
    let items = schema.remove("items");
    let alternative = |name: &&str| {
        let mut alternative = json!({ "type": name });
        if *name == "array" {
            alternative["items"] = items.clone().unwrap_or_else(|| json!({}));
        }
        if nullable {
            alternative["nullable"] = true.into();
        }
        alternative
    };
    let variants: Value = types.iter().map(alternative).collect();
    if schema.contains_key("anyOf") {
        if let Value::Array(all) = schema.entry("allOf").or_insert_with(|| json!([])) {
            all.push(json!({ "anyOf": variants }));
        }
    } else {
        schema.insert("anyOf".to_owned(), variants);
    }
}

/// Bounds that exclude themselves: 3.0 has a flag where 3.1 has the bound.
fn bounds(node: &Node, schema: &mut Map<String, Value>) -> Result<(), Error> {
    for (plain, exclusive, is_stricter) in
        [("minimum", "exclusiveMinimum", f64::ge as fn(&f64, &f64) -> bool), ("maximum", "exclusiveMaximum", f64::le)]
    {
        let Some(bound) = node.get(exclusive) else { continue };
        let Some(value) = bound.value.as_f64() else { return Err(bound.error("must be a number")) };
        let known = schema.get(plain).and_then(Value::as_f64);
        if known.is_none_or(|known| is_stricter(&value, &known)) {
            schema.insert(plain.to_owned(), bound.value.clone());
            schema.insert(exclusive.to_owned(), true.into());
        }
    }
    Ok(())
}
