//! Gives every schema its type, and every object, union and enum inside it a type of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::shape::components::{Components, base, component_name, enum_values, flag, is_object, union_variants};
use crate::shape::names;
use crate::shape::naming::Names;
use crate::shape::types::{Field, Kind, Role, Rust, Type};
use crate::{Error, pointer};

/// The types made of schemas so far, with what the making needs.
pub struct Schemas<'a> {
    components: Components<'a>,
    /// The names of types.
    pub names: Names,
    /// The types, by name.
    pub types: BTreeMap<String, Type>,
    /// The component that each object of requests is made of, by the name of its type.
    pub sent_components: BTreeMap<String, String>,
    /// The components without a type of their own that are being read.
    open: Vec<String>,
}

/// A schema, and the names that a type made of it can have where it has none of its own.
#[derive(Clone, Copy)]
pub struct Inline<'s> {
    /// The schema.
    pub schema: &'s Value,
    /// Whether it is met in responses or in requests.
    pub role: Role,
    /// The name in Rust of the type or the operation that it is in.
    pub parent: &'s str,
    /// The name in the document of the property, or what is put in its stead.
    pub property: &'s str,
    /// The JSON pointer of the schema.
    pub pointer: &'s str,
}

impl Inline<'_> {
    fn name(&self) -> String {
        format!("{}{}", self.parent, names::camel(self.property))
    }
}

impl<'a> Schemas<'a> {
    /// No types yet.
    pub fn new(components: Components<'a>, names: Names) -> Self {
        Self { components, names, types: BTreeMap::new(), sent_components: BTreeMap::new(), open: Vec::new() }
    }

    /// The type of a schema.
    pub fn rust(&mut self, inline: Inline<'_>) -> Result<Rust, Error> {
        let Inline { schema, role, pointer, .. } = inline;
        let Some(object) = schema.as_object() else {
            return Err(Error::new(pointer, "a schema is an object"));
        };
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            return self.component(component_name(reference, pointer)?, role, pointer);
        }
        if let Some(parts) = object.get("allOf").and_then(Value::as_array) {
            return match parts.as_slice() {
                [single] if !object.contains_key("properties") => self.rust(Inline { schema: single, ..inline }),
                _ => self.object(inline),
            };
        }
        if let Some(variants) = object.get("oneOf").or_else(|| object.get("anyOf")).and_then(Value::as_array) {
            return self.union(variants, inline);
        }
        if let Some(values) = enum_values(schema) {
            return Ok(self.enumeration(values, object, inline));
        }
        match object.get("type").and_then(Value::as_str) {
            Some("string") => Ok(match object.get("format").and_then(Value::as_str) {
                Some("date-time") => Rust::DateTime,
                Some("date") => Rust::Date,
                Some("binary") if role == Role::Request => Rust::File,
                _ => Rust::String,
            }),
            Some("integer") => Ok(Rust::Integer),
            Some("number") => Ok(Rust::Number),
            Some("boolean") => Ok(Rust::Boolean),
            Some("array") => match object.get("items") {
                Some(items) if !items.is_null() => {
                    Ok(Rust::List(Box::new(self.item(Inline { schema: items, ..inline }, "items")?)))
                }
                _ => Ok(Rust::List(Box::new(Rust::Any))),
            },
            Some("object") | None if object.contains_key("properties") => self.object(inline),
            Some("object") => match object.get("additionalProperties") {
                Some(values @ Value::Object(_)) => {
                    let values = Inline { schema: values, ..inline };
                    Ok(Rust::Map(Box::new(self.item(values, "additionalProperties")?)))
                }
                Some(Value::Bool(true)) => Ok(Rust::Map(Box::new(Rust::Any))),
                // The document says "object" of anything that it does not look into.
                _ => Ok(Rust::Any),
            },
            None => Ok(Rust::Any),
            Some(other) => Err(Error::new(pointer, format!("`{other}` is not a type of OpenAPI 3.0"))),
        }
    }

    /// The type of the items of a list or of the values of a map, which stand under `key`.
    fn item(&mut self, inline: Inline<'_>, key: &str) -> Result<Rust, Error> {
        let pointer = format!("{}/{key}", inline.pointer);
        let rust = self.rust(Inline { pointer: &pointer, ..inline })?;
        Ok(nullable(inline.schema, rust))
    }

    /// The type of a component.
    fn component(&mut self, component: &str, role: Role, pointer: &str) -> Result<Rust, Error> {
        let Some((component, schema)) = self.components.lookup(component, role) else {
            let message = format!("`#/components/schemas/{component}` is not in the document");
            return Err(Error::new(pointer, message));
        };
        let pointer = component_pointer(component);
        // An enum, a list or plain text under a name needs no type of its own in each role.
        if !is_object(schema) && union_variants(schema).is_none() {
            // A list of itself has no type that can be written.
            if self.open.iter().any(|open| open == component) {
                return Ok(Rust::Any);
            }
            self.open.push(component.to_owned());
            let rust = self.rust(Inline { schema, role, parent: "", property: base(component), pointer: &pointer });
            self.open.pop();
            return rust;
        }
        let name = match self.names.of(component, role) {
            Some(name) => name.to_owned(),
            None => {
                let suffix = if role == Role::Request { "Input" } else { "" };
                self.names.take_for(component, role, format!("{}{suffix}", names::camel(base(component))))
            }
        };
        if !self.types.contains_key(&name) {
            self.hold(&name);
            let variants = union_variants(schema).map(|variants| self.merge_objects(variants, role, &pointer));
            let kind = match variants.transpose()?.as_deref() {
                Some([object]) => Kind::Structure(role, self.fields(object, role, &name, None, &pointer)?),
                Some(variants) => Kind::Union(self.variants(variants, role, &name, &pointer)?),
                None => {
                    let fields = self.fields(schema, role, &name, None, &pointer)?;
                    if role == Role::Request {
                        self.sent_components.insert(name.clone(), component.to_owned());
                    }
                    Kind::Structure(role, fields)
                }
            };
            self.add(&name, schema, kind);
        }
        Ok(Rust::Named(name))
    }

    /// The type of a component as a request that requires these properties: its own type, or one with a suffix.
    pub fn request(&mut self, component: &str, suffix: &str, required: &BTreeSet<String>) -> Result<String, Error> {
        let Some((component, schema)) = self.components.lookup(component, Role::Request) else {
            return Err(Error::new(component_pointer(component), "not in the document"));
        };
        let pointer = component_pointer(component);
        let name = if suffix.is_empty() {
            match self.component(component, Role::Request, &pointer)? {
                Rust::Named(name) => name,
                _ => return Err(Error::new(pointer, "requirements are only for objects")),
            }
        } else {
            let stem = names::camel(base(component));
            self.names.take(format!("{}{suffix}", stem.trim_end_matches("Input")))
        };
        let fields = self.fields(schema, Role::Request, &name, Some(required), &pointer)?;
        self.sent_components.insert(name.clone(), component.to_owned());
        self.add(&name, schema, Kind::Structure(Role::Request, fields));
        Ok(name)
    }

    /// The type of a form, from the schema of a body.
    pub fn form(&mut self, schema: &Value, name: String, multipart: bool, pointer: &str) -> Result<Rust, Error> {
        let name = self.names.take(name);
        let mut fields = self.fields(schema, Role::Request, &name, None, pointer)?;
        fields.retain(|field| !field.rest);
        self.add(&name, schema, Kind::Form(fields, multipart));
        Ok(Rust::Named(name))
    }

    fn object(&mut self, inline: Inline<'_>) -> Result<Rust, Error> {
        let name = self.names.take(inline.name());
        self.hold(&name);
        let fields = self.fields(inline.schema, inline.role, &name, None, inline.pointer)?;
        self.add(&name, inline.schema, Kind::Structure(inline.role, fields));
        Ok(Rust::Named(name))
    }

    fn fields(
        &mut self,
        schema: &Value,
        role: Role,
        name: &str,
        required: Option<&BTreeSet<String>>,
        pointer: &str,
    ) -> Result<Vec<Field>, Error> {
        let properties = self.components.properties(schema, role, pointer)?;
        let required = required.unwrap_or(&properties.required);
        if let Some(missing) = required.iter().find(|property| !properties.schemas.contains_key(*property)) {
            return Err(Error::new(pointer, format!("`{missing}` is required but is not a property")));
        }
        let hidden = if role == Role::Request { "readOnly" } else { "writeOnly" };
        let mut taken = BTreeSet::new();
        let mut fields = Vec::new();
        for (property, schema) in properties.schemas {
            if flag(schema, hidden) {
                continue;
            }
            let pointer = format!("{pointer}/properties/{}", pointer::escape(&property));
            let rust = self.rust(Inline { schema, role, parent: name, property: &property, pointer: &pointer })?;
            let field = names::free(names::snake(&property), &taken);
            taken.insert(field.clone());
            fields.push(Field {
                required: required.contains(&property),
                nullable: flag(schema, "nullable"),
                description: description(schema),
                name: field,
                property,
                rust,
                rest: false,
            });
        }
        if let Some(values) = self.components.additional_properties(schema, role) {
            let rust = if values.is_object() {
                let values = Inline { schema: values, role, parent: name, property: "Other", pointer };
                self.item(values, "additionalProperties")?
            } else {
                Rust::Any
            };
            fields.push(Field {
                property: String::new(),
                name: names::free("other_properties".to_owned(), &taken),
                description: Some("The properties that the document allows and does not name.".to_owned()),
                rust: Rust::Map(Box::new(rust)),
                required: false,
                nullable: false,
                rest: true,
            });
        }
        Ok(fields)
    }

    fn union(&mut self, variants: &[Value], inline: Inline<'_>) -> Result<Rust, Error> {
        let variants = self.merge_objects(variants, inline.role, inline.pointer)?;
        if let [single] = variants.as_slice() {
            return self.rust(Inline { schema: single, ..inline });
        }
        let name = self.names.take(inline.name());
        let variants = self.variants(&variants, inline.role, &name, inline.pointer)?;
        let description = inline.schema.get("description").and_then(Value::as_str).map(str::to_owned);
        let made = Type { name: name.clone(), description, kind: Kind::Union(variants), converts_from: None };
        self.types.insert(name.clone(), made);
        Ok(Rust::Named(name))
    }

    /// Merges the objects of a union into one with the properties of all: a response that is decoded tolerantly would
    /// always match the first of them, and lose the properties of the others.
    fn merge_objects(&self, variants: &[Value], role: Role, pointer: &str) -> Result<Vec<Value>, Error> {
        let is_merged = |variant: &Value| {
            let reference = variant.get("$ref").and_then(Value::as_str);
            let component = reference.and_then(|reference| self.components.resolve(reference, role, pointer).ok());
            is_object(component.map_or(variant, |(_, schema)| schema))
        };
        let (objects, others): (Vec<&Value>, Vec<&Value>) = variants.iter().partition(|variant| is_merged(variant));
        if objects.len() < 2 {
            return Ok(variants.to_vec());
        }
        let mut merged = Map::new();
        let mut common: Option<BTreeSet<String>> = None;
        for object in objects {
            let properties = self.components.properties(object, role, pointer)?;
            for (name, schema) in properties.schemas {
                merged.entry(name).or_insert_with(|| schema.clone());
            }
            common = Some(match common {
                Some(common) => common.intersection(&properties.required).cloned().collect(),
                None => properties.required,
            });
        }
        let required: Vec<String> = common.into_iter().flatten().collect();
        let object = serde_json::json!({"type": "object", "properties": merged, "required": required});
        Ok(others.into_iter().cloned().chain([object]).collect())
    }

    fn variants(
        &mut self,
        variants: &[Value],
        role: Role,
        name: &str,
        pointer: &str,
    ) -> Result<Vec<(String, Rust)>, Error> {
        let mut taken = BTreeSet::from(["Other".to_owned()]);
        let mut typed = Vec::new();
        for (index, schema) in variants.iter().enumerate() {
            let (property, pointer) = (format!("Variant{index}"), format!("{pointer}/{index}"));
            let rust = self.rust(Inline { schema, role, parent: name, property: &property, pointer: &pointer })?;
            let label = match &rust {
                Rust::Named(named) => named.clone(),
                Rust::List(_) => "List".to_owned(),
                Rust::Map(_) => "Map".to_owned(),
                Rust::Nullable(_) | Rust::Any | Rust::File | Rust::Filters | Rust::Values => "Value".to_owned(),
                Rust::String | Rust::Integer | Rust::Number | Rust::Boolean | Rust::DateTime | Rust::Date => {
                    format!("{rust:?}")
                }
            };
            let label = names::free(label, &taken);
            taken.insert(label.clone());
            typed.push((label, rust));
        }
        Ok(typed)
    }

    fn enumeration(&mut self, values: Vec<String>, object: &Map<String, Value>, inline: Inline<'_>) -> Rust {
        let name = match self.names.enums.get(&values) {
            Some(name) => name.clone(),
            None => {
                let name = self.names.take(inline.name());
                self.names.enums.insert(values.clone(), name.clone());
                name
            }
        };
        self.types.entry(name.clone()).or_insert_with(|| Type {
            name: name.clone(),
            description: object.get("description").and_then(Value::as_str).map(str::to_owned),
            kind: Kind::Enumeration(values),
            converts_from: None,
        });
        Rust::Named(name)
    }

    /// Holds the place of a type while its properties are read: schemas may be recursive.
    fn hold(&mut self, name: &str) {
        self.add(name, &Value::Null, Kind::Enumeration(Vec::new()));
    }

    fn add(&mut self, name: &str, schema: &Value, kind: Kind) {
        let made = Type { name: name.to_owned(), description: description(schema), kind, converts_from: None };
        self.types.insert(name.to_owned(), made);
    }
}

fn component_pointer(component: &str) -> String {
    format!("/components/schemas/{}", pointer::escape(component))
}

fn description(schema: &Value) -> Option<String> {
    schema
        .get("description")
        .or_else(|| schema.get("title"))
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty())
        .map(str::to_owned)
}

fn nullable(schema: &Value, rust: Rust) -> Rust {
    if flag(schema, "nullable") && rust != Rust::Any { Rust::Nullable(Box::new(rust)) } else { rust }
}
