//! Schemas to types: one Rust type for each role in which a schema is met.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::enumerations::{self, string_values};
use super::types::{Field, Kind, Role, Rust, Type};
use super::{Found, names};
use crate::{Error, pointer};

/// The schemas of a document on their way to types.
pub struct Schemas<'a> {
    components: &'a Map<String, Value>,
    names: BTreeMap<(String, Role), String>,
    taken: BTreeSet<String>,
    enumerations: BTreeMap<Vec<String>, String>,
    /// The components being read that have no type of their own.
    nameless: Vec<String>,
    /// The types made so far, by name.
    pub types: BTreeMap<String, Type>,
}

static NO_COMPONENTS: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

impl<'a> Schemas<'a> {
    /// Names every component in each role in which it can be met, whatever part of the API is asked for later:
    /// a type is called the same with one feature and with all.
    pub fn new(
        document: &'a Value,
        operations: &[Found<'a>],
        answers: &BTreeSet<String>,
        requests: &BTreeSet<String>,
    ) -> Self {
        let components = document.pointer("/components/schemas").and_then(Value::as_object).unwrap_or(&NO_COMPONENTS);
        let mut schemas = Self {
            components,
            names: BTreeMap::new(),
            taken: [
                "DateTime", "Date", "File", "Filters", "Values", "Field", "Vec", "String", "Option", "Box", "Default",
            ]
            .map(str::to_owned)
            .into(),
            enumerations: BTreeMap::new(),
            nameless: Vec::new(),
            types: BTreeMap::new(),
        };
        // Those without a suffix first: the plain name is theirs.
        let mut ordered: Vec<&String> = components.keys().collect();
        ordered.sort_by_key(|name| (base(name) != name.as_str(), name.as_str()));
        for component in &ordered {
            if answers.contains(*component) {
                let name = names::camel(base(component));
                let name = if schemas.taken.contains(&name) { names::camel(component) } else { name };
                schemas.take((*component).clone(), Role::Answer, name);
            }
        }
        // In requests, what is written has the plain name.
        ordered.sort_by_key(|name| name.ends_with("_read"));
        for component in &ordered {
            if requests.contains(*component) {
                let stem = base(component);
                let only_goes_in = stem == component.as_str() && !answers.contains(*component);
                let input = |name: String| if name.ends_with("Input") { name } else { format!("{name}Input") };
                let name = names::camel(stem);
                let name = if only_goes_in { name } else { input(name) };
                let name = if schemas.taken.contains(&name) { input(names::camel(component)) } else { name };
                schemas.take((*component).clone(), Role::Request, name);
            }
        }
        schemas.enumerations = enumerations::names(document, operations, &mut schemas.taken);
        schemas
    }

    fn take(&mut self, component: String, role: Role, name: String) {
        let name = names::free(name, &self.taken);
        self.taken.insert(name.clone());
        self.names.insert((component, role), name);
    }

    /// The type of a schema. `parent`, as Rust has it, and `property`, as the document has it, name what has no name
    /// of its own.
    pub fn rust(
        &mut self,
        schema: &Value,
        role: Role,
        parent: &str,
        property: &str,
        place: &str,
    ) -> Result<Rust, Error> {
        let Some(object) = schema.as_object() else {
            return Err(Error::new(place, "a schema is an object"));
        };
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            return self.reference(reference, role, place);
        }
        if let Some(parts) = object.get("allOf").and_then(Value::as_array) {
            if let [single] = parts.as_slice()
                && !object.contains_key("properties")
            {
                return self.rust(single, role, parent, property, place);
            }
            return self.structure(schema, role, parent, property, place);
        }
        if let Some(parts) = object.get("oneOf").or_else(|| object.get("anyOf")).and_then(Value::as_array) {
            return self.union(parts, object, role, parent, property, place);
        }
        if let Some(values) = string_values(schema) {
            return Ok(self.enumeration(values, object, parent, property));
        }
        let format = object.get("format").and_then(Value::as_str);
        match object.get("type").and_then(Value::as_str) {
            Some("string") => Ok(match format {
                Some("date-time") => Rust::DateTime,
                Some("date") => Rust::Date,
                Some("binary") if role == Role::Request => Rust::File,
                _ => Rust::String,
            }),
            Some("integer") => Ok(Rust::Integer),
            Some("number") => Ok(Rust::Number),
            Some("boolean") => Ok(Rust::Boolean),
            Some("array") => {
                let items = object.get("items").unwrap_or(&Value::Null);
                let place = format!("{place}/items");
                let inner = if items.is_null() { Rust::Any } else { self.rust(items, role, parent, property, &place)? };
                Ok(Rust::List(Box::new(nullable_item(items, inner))))
            }
            Some("object") | None if object.contains_key("properties") => {
                self.structure(schema, role, parent, property, place)
            }
            Some("object") => match object.get("additionalProperties") {
                Some(values @ Value::Object(_)) => {
                    let place = format!("{place}/additionalProperties");
                    let inner = self.rust(values, role, parent, property, &place)?;
                    Ok(Rust::Map(Box::new(nullable_item(values, inner))))
                }
                Some(Value::Bool(true)) => Ok(Rust::Map(Box::new(Rust::Any))),
                // The document says "object" of anything that it does not look into.
                _ => Ok(Rust::Any),
            },
            None => Ok(Rust::Any),
            Some(other) => Err(Error::new(place, format!("`{other}` is not a type of OpenAPI 3.0"))),
        }
    }

    fn reference(&mut self, reference: &str, role: Role, place: &str) -> Result<Rust, Error> {
        let component = component_name(reference, place)?;
        let component = in_role(component, role, self.components);
        let Some(schema) = self.components.get(component) else {
            return Err(Error::new(place, format!("`{reference}` is not in the document")));
        };
        let key = (component.to_owned(), role);
        let place = format!("/components/schemas/{component}");
        // An enum, a list or plain text under a name needs no type of its own in each role.
        if !is_structure(schema) && !is_union(schema) {
            // A list of itself has no type that can be written.
            if self.nameless.iter().any(|open| open == component) {
                return Ok(Rust::Any);
            }
            self.nameless.push(component.to_owned());
            let rust = self.rust(schema, role, "", base(component), &place);
            self.nameless.pop();
            return rust;
        }
        let name = match self.names.get(&key) {
            Some(name) => name.clone(),
            None => {
                let name = names::camel(base(component));
                self.take(
                    component.to_owned(),
                    role,
                    if role == Role::Request { format!("{name}Input") } else { name },
                );
                self.names[&key].clone()
            }
        };
        if !self.types.contains_key(&name) {
            // Holds the place while its own properties are read: schemas may be recursive.
            self.types.insert(name.clone(), placeholder(&name));
            let parts = union_parts(schema).map(|parts| self.one_object(parts, role, &place)).transpose()?;
            let made = if let Some([object]) = parts.as_deref() {
                let fields = self.fields(object, role, &name, None, &place)?;
                let kind = Kind::Structure(role, fields);
                Type { name: name.clone(), description: description(schema), kind, made_from: None }
            } else if let Some(parts) = parts {
                let variants = self.variants(&parts, role, &name, &place)?;
                Type {
                    name: name.clone(),
                    description: description(schema),
                    kind: Kind::Union(variants),
                    made_from: None,
                }
            } else {
                let mut fields = self.fields(schema, role, &name, None, &place)?;
                self.null_of_answers(component, &mut fields);
                let made_from = (role == Role::Request).then(|| self.answer_of(component)).flatten();
                Type {
                    name: name.clone(),
                    description: description(schema),
                    kind: Kind::Structure(role, fields),
                    made_from,
                }
            };
            self.types.insert(name.clone(), made);
        }
        Ok(Rust::Named(name))
    }

    /// What a component's own list requires of a request; `None` where it is not an object.
    pub fn required_in_requests(&self, component: &str) -> Result<Option<BTreeSet<String>>, Error> {
        let component = in_role(component, Role::Request, self.components);
        let Some(schema) = self.components.get(component).filter(|schema| is_structure(schema)) else {
            return Ok(None);
        };
        let (mut properties, mut required) = (BTreeMap::new(), BTreeSet::new());
        let place = format!("/components/schemas/{component}");
        self.flatten(schema, Role::Request, &mut properties, &mut required, 0, &place)?;
        Ok(Some(required))
    }

    /// A request type with a list of required properties of its own.
    pub fn request_variant(&mut self, component: &str, suffix: &str, required: &[String]) -> Result<String, Error> {
        let component = in_role(component, Role::Request, self.components);
        let place = format!("/components/schemas/{component}");
        let Some(schema) = self.components.get(component) else {
            return Err(Error::new(place, "not in the document"));
        };
        let name = if suffix.is_empty() {
            match self.reference(&format!("#/components/schemas/{component}"), Role::Request, &place)? {
                Rust::Named(name) => name,
                _ => return Err(Error::new(place, "requirements are only for objects")),
            }
        } else {
            let name = names::free(
                format!("{}{suffix}", names::camel(base(component)).trim_end_matches("Input")),
                &self.taken,
            );
            self.taken.insert(name.clone());
            name
        };
        let mut fields = self.fields(schema, Role::Request, &name, Some(required), &place)?;
        self.null_of_answers(component, &mut fields);
        let made_from = self.answer_of(component);
        let made = Type {
            name: name.clone(),
            description: description(schema),
            kind: Kind::Structure(Role::Request, fields),
            made_from,
        };
        self.types.insert(name.clone(), made);
        Ok(name)
    }

    /// The form of an operation, from the schema of its body.
    pub fn form(&mut self, schema: &Value, name: &str, multipart: bool, place: &str) -> Result<Rust, Error> {
        let name = names::free(name.to_owned(), &self.taken);
        self.taken.insert(name.clone());
        let mut fields = self.fields(schema, Role::Request, &name, None, place)?;
        fields.retain(|field| !field.rest);
        let made = Type {
            name: name.clone(),
            description: description(schema),
            kind: Kind::Form(fields, multipart),
            made_from: None,
        };
        self.types.insert(name.clone(), made);
        Ok(Rust::Named(name))
    }

    /// Where a schema is met both ways, it is in answers that a required property was seen null.
    fn null_of_answers(&self, component: &str, fields: &mut [Field]) {
        if self.names.contains_key(&(component.to_owned(), Role::Answer)) {
            fields.iter_mut().filter(|field| field.required).for_each(|field| field.nullable = false);
        }
    }

    /// The answer's name of the component that this request's component writes.
    fn answer_of(&self, component: &str) -> Option<String> {
        let stem = base(component);
        // What only goes in may be a component of its own, beside the one that comes back.
        let back = stem.strip_suffix("Input").unwrap_or(stem);
        [component.to_owned(), format!("{stem}_read"), stem.to_owned(), back.to_owned()]
            .into_iter()
            .find_map(|candidate| self.names.get(&(candidate, Role::Answer)).cloned())
    }

    fn structure(
        &mut self,
        schema: &Value,
        role: Role,
        parent: &str,
        property: &str,
        place: &str,
    ) -> Result<Rust, Error> {
        let name = names::free(format!("{parent}{}", names::camel(property)), &self.taken);
        self.taken.insert(name.clone());
        self.types.insert(name.clone(), placeholder(&name));
        let fields = self.fields(schema, role, &name, None, place)?;
        let made = Type {
            name: name.clone(),
            description: description(schema),
            kind: Kind::Structure(role, fields),
            made_from: None,
        };
        self.types.insert(name.clone(), made);
        Ok(Rust::Named(name))
    }

    fn fields(
        &mut self,
        schema: &Value,
        role: Role,
        name: &str,
        required: Option<&[String]>,
        place: &str,
    ) -> Result<Vec<Field>, Error> {
        let mut properties = BTreeMap::new();
        let mut own = BTreeSet::new();
        self.flatten(schema, role, &mut properties, &mut own, 0, place)?;
        let required: BTreeSet<String> = required.map_or(own, |list| list.iter().cloned().collect());
        if let Some(missing) = required.iter().find(|property| !properties.contains_key(*property)) {
            return Err(Error::new(place, format!("`{missing}` is required but is not a property")));
        }
        let mut taken = BTreeSet::new();
        let mut fields = Vec::new();
        for (property, schema) in properties {
            let flag = |key: &str| flag(schema, key);
            if (role == Role::Request && flag("readOnly")) || (role == Role::Answer && flag("writeOnly")) {
                continue;
            }
            let place = format!("{place}/properties/{}", pointer::escape(&property));
            let rust = self.rust(schema, role, name, &property, &place)?;
            let field = names::free(names::snake(&property), &taken);
            taken.insert(field.clone());
            fields.push(Field {
                // Always there and sometimes null is not always a value.
                required: required.contains(&property) && !(role == Role::Answer && flag("nullable")),
                nullable: flag("nullable"),
                description: description(schema),
                name: field,
                property,
                rust,
                rest: false,
            });
        }
        if let Some(values) = self.additional(schema, role, 0) {
            let place = format!("{place}/additionalProperties");
            let inner = if values.is_object() { self.rust(values, role, name, "Other", &place)? } else { Rust::Any };
            fields.push(Field {
                property: String::new(),
                name: names::free("other_properties".to_owned(), &taken),
                description: Some("The properties that the document allows and does not name.".to_owned()),
                rust: Rust::Map(Box::new(nullable_item(values, inner))),
                required: false,
                nullable: false,
                rest: true,
            });
        }
        Ok(fields)
    }

    /// What a schema or one of its parents says of the properties that it does not name, where it allows them.
    fn additional<'s>(&self, schema: &'s Value, role: Role, depth: usize) -> Option<&'s Value>
    where
        'a: 's,
    {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str).filter(|_| depth <= 32) {
            let component = in_role(component_name(reference, "").ok()?, role, self.components);
            return self.additional(self.components.get(component)?, role, depth + 1);
        }
        let parents = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        let own = schema.get("additionalProperties").filter(|values| **values != Value::Bool(false));
        own.or_else(|| parents.filter_map(|parent| self.additional(parent, role, depth + 1)).next())
    }

    /// The properties of a schema with those of its parents, and what is required of them in a role.
    fn flatten(
        &self,
        schema: &'a Value,
        role: Role,
        properties: &mut BTreeMap<String, &'a Value>,
        required: &mut BTreeSet<String>,
        depth: usize,
        place: &str,
    ) -> Result<(), Error> {
        if depth > 32 {
            return Err(Error::new(place, "a schema is its own parent"));
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let component = in_role(component_name(reference, place)?, role, self.components);
            let Some(parent) = self.components.get(component) else {
                return Err(Error::new(place, format!("`{reference}` is not in the document")));
            };
            return self.flatten(parent, role, properties, required, depth + 1, place);
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.flatten(part, role, properties, required, depth + 1, place)?;
        }
        for (property, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            properties.insert(property.clone(), schema);
        }
        // What is said of requests is the whole of it, whatever the parents say of answers.
        if role == Role::Request && schema.get("x-required-in-requests").is_some() {
            required.clear();
        }
        let own = match role {
            Role::Request => schema.get("x-required-in-requests").or_else(|| schema.get("required")),
            Role::Answer => schema.get("required"),
        };
        for name in own.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            // A list written for answers names read-only properties too.
            let read_only = properties.get(name).is_some_and(|schema| flag(schema, "readOnly"));
            if !(role == Role::Request && read_only) {
                required.insert(name.to_owned());
            }
        }
        Ok(())
    }

    fn union(
        &mut self,
        parts: &[Value],
        object: &Map<String, Value>,
        role: Role,
        parent: &str,
        property: &str,
        place: &str,
    ) -> Result<Rust, Error> {
        let parts = &self.one_object(parts, role, place)?;
        if let [single] = parts.as_slice() {
            return self.rust(single, role, parent, property, place);
        }
        let name = names::free(format!("{parent}{}", names::camel(property)), &self.taken);
        self.taken.insert(name.clone());
        let variants = self.variants(parts, role, &name, place)?;
        let description = object.get("description").and_then(Value::as_str).map(str::to_owned);
        self.types.insert(
            name.clone(),
            Type { name: name.clone(), description, kind: Kind::Union(variants), made_from: None },
        );
        Ok(Rust::Named(name))
    }

    /// Several objects of a union become one, with the properties of all: an answer that is read with tolerance
    /// would always be the first of them, and lose what only another has.
    fn one_object(&self, parts: &[Value], role: Role, place: &str) -> Result<Vec<Value>, Error> {
        let is_object = |part: &Value| {
            let referred = part.get("$ref").and_then(Value::as_str).and_then(|reference| {
                self.components.get(in_role(component_name(reference, place).ok()?, role, self.components))
            });
            is_structure(referred.unwrap_or(part))
        };
        let (objects, others): (Vec<&Value>, Vec<&Value>) = parts.iter().partition(|part| is_object(part));
        if objects.len() < 2 {
            return Ok(parts.to_vec());
        }
        let mut merged = Map::new();
        let mut common: Option<BTreeSet<String>> = None;
        for object in &objects {
            let (mut properties, mut required) = (BTreeMap::new(), BTreeSet::new());
            self.flatten(object, role, &mut properties, &mut required, 0, place)?;
            for (name, schema) in properties {
                merged.entry(name).or_insert_with(|| schema.clone());
            }
            common = Some(common.map_or(required.clone(), |common| common.intersection(&required).cloned().collect()));
        }
        let required: Vec<String> = common.into_iter().flatten().collect();
        let object = serde_json::json!({"type": "object", "properties": merged, "required": required});
        Ok(others.into_iter().cloned().chain([object]).collect())
    }

    fn variants(&mut self, parts: &[Value], role: Role, name: &str, place: &str) -> Result<Vec<(String, Rust)>, Error> {
        let mut taken = BTreeSet::from(["Other".to_owned()]);
        let mut variants = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let rust = self.rust(part, role, name, &format!("Variant{index}"), &format!("{place}/{index}"))?;
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
            variants.push((label, rust));
        }
        Ok(variants)
    }

    fn enumeration(&mut self, values: Vec<String>, object: &Map<String, Value>, parent: &str, property: &str) -> Rust {
        let name = match self.enumerations.get(&values) {
            Some(name) => name.clone(),
            None => {
                let name = names::free(format!("{parent}{}", names::camel(property)), &self.taken);
                self.taken.insert(name.clone());
                self.enumerations.insert(values.clone(), name.clone());
                name
            }
        };
        self.types.entry(name.clone()).or_insert_with(|| Type {
            name: name.clone(),
            description: object.get("description").and_then(Value::as_str).map(str::to_owned),
            kind: Kind::Enumeration(values),
            made_from: None,
        });
        Rust::Named(name)
    }
}

/// The name of a component without the role that the document writes into it.
pub(super) fn base(component: &str) -> &str {
    component.strip_suffix("_read").or_else(|| component.strip_suffix("_write")).unwrap_or(component)
}

/// In a request, `X (read)` means `X (write)` where the document has both and the latter can say what the
/// former can: a reference to something by its id is not what writes that thing.
fn in_role<'n>(component: &'n str, role: Role, components: &'n Map<String, Value>) -> &'n str {
    let written = || {
        let stem = component.strip_suffix("_read").filter(|_| role == Role::Request)?;
        let (written, schema) = components.get_key_value(&format!("{stem}_write"))?;
        sendable(components.get(component)?).is_subset(&sendable(schema)).then_some(written.as_str())
    };
    written().unwrap_or(component)
}

/// The properties of a schema itself that may be sent.
fn sendable(schema: &Value) -> BTreeSet<&str> {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties.filter(|(_, schema)| !flag(schema, "readOnly")).map(|(name, _)| name.as_str()).collect()
}

/// Every component that a schema leads to, in a role.
pub fn reachable(document: &Value, schema: &Value, role: Role, found: &mut BTreeSet<String>) {
    let components = document.pointer("/components/schemas").and_then(Value::as_object).unwrap_or(&NO_COMPONENTS);
    reach(components, schema, role, found);
}

fn reach(components: &Map<String, Value>, schema: &Value, role: Role, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(component) =
                object.get("$ref").and_then(Value::as_str).and_then(|reference| component_name(reference, "").ok())
            {
                let component = in_role(component, role, components);
                if let Some(schema) = components.get(component)
                    && found.insert(component.to_owned())
                {
                    reach(components, schema, role, found);
                }
            }
            let hidden = if role == Role::Request { "readOnly" } else { "writeOnly" };
            object
                .values()
                .filter(|value| !flag(value, hidden))
                .for_each(|value| reach(components, value, role, found));
        }
        Value::Array(items) => items.iter().for_each(|value| reach(components, value, role, found)),
        _ => {}
    }
}

/// The component's name in a reference to a schema.
pub fn component_name<'r>(reference: &'r str, place: &str) -> Result<&'r str, Error> {
    reference
        .strip_prefix("#/components/schemas/")
        .ok_or_else(|| Error::new(place, format!("`{reference}` is not a reference to a schema")))
}

fn flag(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn description(schema: &Value) -> Option<String> {
    schema
        .get("description")
        .or_else(|| schema.get("title"))
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty())
        .map(str::to_owned)
}

fn placeholder(name: &str) -> Type {
    Type { name: name.to_owned(), description: None, kind: Kind::Enumeration(Vec::new()), made_from: None }
}

fn nullable_item(schema: &Value, inner: Rust) -> Rust {
    if flag(schema, "nullable") && inner != Rust::Any { Rust::Nullable(Box::new(inner)) } else { inner }
}

fn is_structure(schema: &Value) -> bool {
    schema.get("properties").is_some()
        || schema.get("allOf").and_then(Value::as_array).is_some_and(|parts| parts.len() > 1)
}

fn union_parts(schema: &Value) -> Option<&[Value]> {
    let parts = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    (parts.len() > 1).then_some(parts.as_slice())
}

fn is_union(schema: &Value) -> bool {
    union_parts(schema).is_some()
}
