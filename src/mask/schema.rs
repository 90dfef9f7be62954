//! Derives a mask from the JSON Schema of a type.

use std::any::type_name;
use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::{Error, Result};

/// What is requested of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    /// The whole value.
    Whole,
    /// These fields, each with its own mask, and all others if `others` is set.
    Fields { named: BTreeMap<String, Mask>, others: bool },
}

/// Returns the mask of a type.
pub(super) fn of<T: JsonSchema>() -> Result<Mask> {
    // The schema for deserializing, which is the default.
    let schema = SchemaSettings::default().into_generator().into_root_schema_for::<T>();
    let mut reader = Reader { root: schema.as_value(), open: vec!["#"], path: Vec::new() };
    reader.read(schema.as_value()).map(|mask| mask.unwrap_or(Mask::Whole)).map_err(|refusal| {
        Error::request(format!(
            "cannot derive a mask from `{}`: {refusal}; leave the field out, or write the mask (`fields_raw`)",
            type_name::<T>()
        ))
    })
}

impl Mask {
    /// Returns the mask of pages with such items, as text.
    pub(super) fn on_pages(mut self) -> String {
        if let Self::Fields { named, others: false } = &mut self {
            named.entry("id".to_owned()).or_insert(Self::Whole);
        }
        format!("data{{{self}}},next_page,page,page_size,previous_page,total")
    }

    /// Returns the union of two masks of one value.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fields { mut named, others }, Self::Fields { named: more, others: also }) => {
                for (name, mask) in more {
                    let mask = match named.remove(&name) {
                        Some(known) => known.or(mask),
                        None => mask,
                    };
                    named.insert(name, mask);
                }
                Self::Fields { named, others: others || also }
            }
            _ => Self::Whole,
        }
    }

    /// Returns the mask of a value that both schemas describe together (`allOf`): one without fields adds nothing.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Whole, mask) | (mask, Self::Whole) => mask,
            (mask, other) => mask.or(other),
        }
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Fields { named, others } = self else { return f.write_str("*") };
        let mut comma = "";
        for (name, mask) in named {
            write!(f, "{comma}{name}")?;
            comma = ",";
            // A field's name alone selects all of it: braces after the name of a text are an error of the server.
            if matches!(mask, Self::Fields { named, .. } if !named.is_empty()) {
                write!(f, "{{{mask}}}")?;
            }
        }
        if *others || named.is_empty() { write!(f, "{comma}*") } else { Ok(()) }
    }
}

struct Reader<'a> {
    root: &'a Value,
    /// The references that lead to the current schema.
    open: Vec<&'a str>,
    /// The fields that lead to it.
    path: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    /// Returns the mask of a schema; `None` if it allows no value but null.
    fn read(&mut self, schema: &'a Value) -> Result<Option<Mask>, String> {
        let Some(schema) = schema.as_object() else {
            return Ok((*schema != Value::Bool(false)).then_some(Mask::Whole));
        };
        let mut wanted: Vec<Mask> = Vec::new();
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            wanted.extend(self.follow(reference)?);
        }
        if let Some(own) = self.read_fields(schema)? {
            wanted.push(own);
        }
        for list in ["items", "prefixItems"].iter().filter_map(|key| schema.get(*key)) {
            wanted.extend(self.read_any(list)?);
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            wanted.extend(self.read(part)?);
        }
        for choice in ["anyOf", "oneOf"].iter().filter_map(|key| schema.get(*key)) {
            wanted.extend(self.read_any(choice)?);
        }
        let is_null = schema.get("type").and_then(Value::as_str) == Some("null");
        Ok(wanted.into_iter().reduce(Mask::and).or_else(|| (!is_null).then_some(Mask::Whole)))
    }

    /// Returns the mask of one schema, or the union of those of several.
    fn read_any(&mut self, schemas: &'a Value) -> Result<Option<Mask>, String> {
        let Some(schemas) = schemas.as_array() else { return self.read(schemas) };
        let mut wanted: Option<Mask> = None;
        for schema in schemas {
            wanted = match (wanted, self.read(schema)?) {
                (Some(known), Some(more)) => Some(known.or(more)),
                (known, more) => known.or(more),
            };
        }
        Ok(wanted)
    }

    fn read_fields(&mut self, schema: &'a serde_json::Map<String, Value>) -> Result<Option<Mask>, String> {
        let others = ["additionalProperties", "patternProperties", "unevaluatedProperties"]
            .iter()
            .any(|key| schema.get(*key).is_some_and(|allowed| *allowed != Value::Bool(false)));
        let properties = schema.get("properties").and_then(Value::as_object);
        if properties.is_none() && !others {
            return Ok(None);
        }
        let mut named = BTreeMap::new();
        for (name, schema) in properties.into_iter().flatten() {
            self.path.push(name);
            let sayable = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | ':');
            if name.is_empty() || !name.chars().all(sayable) {
                return Err(format!("a mask cannot express the name of its field `{}`", self.path.join(".")));
            }
            let mask = self.read(schema)?.unwrap_or(Mask::Whole);
            self.path.pop();
            named.insert(name.clone(), mask);
        }
        Ok(Some(Mask::Fields { named, others }))
    }

    fn follow(&mut self, reference: &'a str) -> Result<Option<Mask>, String> {
        if self.open.contains(&reference) {
            return Err(format!("its field `{}` contains the type that it is part of", self.path.join(".")));
        }
        let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let target = target.ok_or_else(|| format!("its schema refers to `{reference}`, which does not exist"))?;
        self.open.push(reference);
        let mask = self.read(target)?;
        self.open.pop();
        Ok(mask)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mask(schema: &Value) -> String {
        let mut reader = Reader { root: schema, open: vec!["#"], path: Vec::new() };
        reader.read(schema).unwrap().unwrap().to_string()
    }

    #[test]
    fn a_text_or_an_object_is_selected_whole() {
        let object = json!({"type": "object", "properties": {"id": {"type": "string"}}});
        let license = json!({"anyOf": [{"type": "string"}, object]});
        assert_eq!(mask(&json!({"properties": {"license": license}})), "license");
        let license = json!({"anyOf": [object, {"type": "null"}]});
        assert_eq!(mask(&json!({"properties": {"license": license}})), "license{id}");
    }

    #[test]
    fn keywords_next_to_a_reference_do_not_hide_its_fields() {
        let schema = json!({
            "properties": {"by": {"allOf": [{"$ref": "#/$defs/By"}, {"description": "who"}], "default": null}},
            "$defs": {"By": {"properties": {"name": {"type": "string"}}}}
        });
        assert_eq!(mask(&schema), "by{name}");
    }

    #[test]
    fn a_union_selects_the_fields_of_all_variants() {
        let [a, b] = ["a", "b"].map(|name| json!({"properties": {name: {"type": "string"}, "id": {}}}));
        assert_eq!(mask(&json!({"properties": {"subject": {"oneOf": [a, b]}}})), "subject{a,b,id}");
    }
}
