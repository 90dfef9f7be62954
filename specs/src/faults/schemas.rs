//! Schemas in the words of another version.

use serde_json::{Map, Value, json};

use super::grammar::Role;
use super::pass::Pass;
use super::rules;
use super::version::Version;
use crate::pointer::escape;

const TYPES: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];

impl Pass {
    pub fn prepare_schema(&mut self, members: &mut Map<String, Value>, pointer: &str) {
        self.required_flags(members, pointer);
        if members.get("items").is_some_and(Value::is_array) {
            let at = format!("{pointer}/items");
            self.note(&rules::TUPLE_ITEMS, &at, "is a list", "each item is any value");
            members.insert("items".to_owned(), json!({}));
        }
        if members.get("enum").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            members.remove("enum");
            self.note(&rules::WRONG_TYPE, &format!("{pointer}/enum"), "has no values", "it is left out");
        }
        self.discriminator(members, pointer);
        self.values(members, Role::Schema, pointer);
    }

    /// What schemas, and the parameters of Swagger 2.0, have in common.
    pub fn values(&mut self, members: &mut Map<String, Value>, role: Role, pointer: &str) {
        self.exclusive_bounds(members, pointer);
        self.constant(members, pointer);
        self.type_names(members, role, pointer);
        self.nullable(members, role, pointer);
    }

    /// `required: true` of a property is that of its object.
    fn required_flags(&mut self, members: &mut Map<String, Value>, pointer: &str) {
        let mut required = Vec::new();
        for (name, property) in members.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            let Some(property) = property.as_object_mut() else { continue };
            if let Some(Value::Bool(flag)) = property.get("required") {
                required.push((name.clone(), *flag));
                property.remove("required");
            }
        }
        for (name, flag) in required {
            let at = format!("{pointer}/properties/{}/required", escape(&name));
            let reading = if flag { "the object requires it" } else { "it is left out" };
            self.note(&rules::REQUIRED_FLAG, &at, format!("is {flag}, and not a list"), reading);
            let list = members.entry("required").or_insert_with(|| json!([]));
            if let (true, Value::Array(list)) = (flag, &mut *list)
                && !list.iter().any(|it| it == name.as_str())
            {
                list.push(name.into());
            }
            if list == &json!([]) {
                members.remove("required");
            }
        }
    }

    fn discriminator(&mut self, members: &mut Map<String, Value>, pointer: &str) {
        let right = match (members.get("discriminator"), self.is_swagger()) {
            (Some(Value::Object(object)), true) => match object.get("propertyName") {
                Some(name @ Value::String(_)) => name.clone(),
                _ => return,
            },
            (Some(name @ Value::String(_)), false) => json!({ "propertyName": name }),
            _ => return,
        };
        let at = format!("{pointer}/discriminator");
        self.note(&rules::DISCRIMINATOR_FORM, &at, "is in the form of another version", format!("it is {right}"));
        members.insert("discriminator".to_owned(), right);
    }

    fn exclusive_bounds(&mut self, members: &mut Map<String, Value>, pointer: &str) {
        for (plain, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            let at = format!("{pointer}/{exclusive}");
            match (members.get(exclusive).cloned(), self.version) {
                (Some(Value::Bool(flag)), Version::OpenApi31) => {
                    members.remove(exclusive);
                    let bound = if flag { members.remove(plain) } else { None };
                    let reading = bound.as_ref().map_or("it is left out".to_owned(), |bound| format!("it is {bound}"));
                    self.note(&rules::EXCLUSIVE_BOUND, &at, "is a flag", reading);
                    members.extend(bound.map(|bound| (exclusive.to_owned(), bound)));
                }
                (Some(bound @ Value::Number(_)), Version::Swagger2 | Version::OpenApi30) => {
                    let known = members.get(plain).and_then(Value::as_f64);
                    let value = bound.as_f64().unwrap_or_default();
                    let is_stricter =
                        known.is_none_or(|known| if plain == "minimum" { value >= known } else { value <= known });
                    let reading = if is_stricter {
                        format!("`{plain}` is {bound}, and excluded")
                    } else {
                        "it is left out".to_owned()
                    };
                    self.note(&rules::EXCLUSIVE_BOUND, &at, "is a number", reading);
                    members.remove(exclusive);
                    if is_stricter {
                        members.insert(plain.to_owned(), bound);
                        members.insert(exclusive.to_owned(), true.into());
                    }
                }
                _ => {}
            }
        }
    }

    fn constant(&mut self, members: &mut Map<String, Value>, pointer: &str) {
        if self.version == Version::OpenApi31 || !members.contains_key("const") {
            return;
        }
        let Some(value) = members.remove("const") else { return };
        self.note(
            &rules::CONST_VALUE,
            &format!("{pointer}/const"),
            "is no keyword here",
            "it is an `enum` of one value",
        );
        members.insert("enum".to_owned(), json!([value]));
    }

    fn type_names(&mut self, members: &mut Map<String, Value>, role: Role, pointer: &str) {
        let at = format!("{pointer}/type");
        let takes_file = role != Role::Schema || is_response_schema(pointer);
        let mut format = None;
        let mut read = |pass: &mut Self, name: &str| -> Option<String> {
            if TYPES.contains(&name) || name == "null" || (name == "file" && pass.is_swagger() && takes_file) {
                return Some(name.to_owned());
            }
            let (right, right_format) = meant(name);
            let reading = right.map_or("any type is allowed".to_owned(), |right| format!("it is `{right}`"));
            pass.note(&rules::UNKNOWN_TYPE, &at, format!("`{name}` is no type here"), reading);
            format = format.or(right_format);
            right.map(str::to_owned)
        };
        let types = match members.get("type") {
            Some(Value::String(name)) => {
                let name = name.clone();
                match read(self, &name) {
                    Some(right) => members.insert("type".to_owned(), right.into()),
                    None => members.remove("type"),
                };
                if let Some(format) = format.filter(|_| !members.contains_key("format")) {
                    members.insert("format".to_owned(), format.into());
                }
                if self.is_swagger() && members.get("type").is_some_and(|name| name == "null") {
                    self.note(
                        &rules::UNKNOWN_TYPE,
                        &at,
                        "Swagger 2.0 has no type for null alone",
                        "any type is allowed",
                    );
                    members.remove("type");
                }
                return;
            }
            Some(Value::Array(types)) if types.iter().all(Value::is_string) => types.clone(),
            _ => return,
        };
        let mut kept: Vec<String> = Vec::new();
        for name in types.iter().filter_map(Value::as_str) {
            match read(self, name) {
                Some(right) if kept.contains(&right) => {}
                Some(right) => kept.push(right),
                // Any type among others is any type.
                None => {
                    members.remove("type");
                    return;
                }
            }
        }
        let is_null = |name: &String| name == "null";
        if kept.iter().all(is_null) && self.version != Version::OpenApi31 || kept.is_empty() {
            self.note(&rules::UNKNOWN_TYPE, &at, "names no type", "any type is allowed");
            members.remove("type");
        } else if self.version == Version::OpenApi30 {
            self.type_list(members, kept, &at);
        } else if types.len() != kept.len() || types.iter().zip(&kept).any(|(old, new)| old != new) {
            members.insert("type".to_owned(), kept.into());
        }
    }

    /// A list of types in OpenAPI 3.0.
    fn type_list(&mut self, members: &mut Map<String, Value>, mut types: Vec<String>, at: &str) {
        let listed = types.join(", ");
        let nullable = types.iter().any(|name| name == "null");
        types.retain(|name| name != "null");
        // Every whole number is a number.
        if types.iter().any(|name| name == "number") {
            types.retain(|name| name != "integer");
        }
        members.remove("type");
        if nullable {
            members.insert("nullable".to_owned(), true.into());
        }
        let reading = match types.as_slice() {
            [name] => {
                members.insert("type".to_owned(), name.as_str().into());
                format!("it is `{name}`{}", if nullable { ", or null" } else { "" })
            }
            _ if members.contains_key("anyOf") => "any type is allowed".to_owned(),
            _ => {
                let items = members.remove("items").unwrap_or_else(|| json!({}));
                let variants = types.iter().map(|name| match name.as_str() {
                    "array" => json!({ "type": name, "items": items }),
                    _ => json!({ "type": name }),
                });
                members.insert("anyOf".to_owned(), variants.collect());
                "it is a union of them".to_owned()
            }
        };
        self.note(&rules::TYPE_LIST, at, format!("is a list of types: {listed}"), reading);
    }

    fn nullable(&mut self, members: &mut Map<String, Value>, role: Role, pointer: &str) {
        if self.version == Version::OpenApi30 {
            return;
        }
        let at = format!("{pointer}/nullable");
        let Some(Value::Bool(flag)) = members.get("nullable") else { return };
        let flag = *flag;
        members.remove("nullable");
        let reading = if flag { "null is allowed" } else { "it is left out" };
        self.note(&rules::NULLABLE_FLAG, &at, "is no keyword here", reading);
        if !flag {
            return;
        }
        if self.is_swagger() {
            members.insert("x-nullable".to_owned(), true.into());
            return;
        }
        let null = || Value::from("null");
        match members.get_mut("type") {
            Some(Value::Array(types)) => types.extend((!types.contains(&null())).then(null)),
            Some(name) => *name = json!([name, "null"]),
            None if role == Role::Schema => {
                let rest = std::mem::take(members);
                // A schema that says nothing else allows null as it is.
                if !rest.is_empty() {
                    members.insert("anyOf".to_owned(), json!([rest, { "type": "null" }]));
                }
            }
            None => {}
        }
        if let Some(Value::Array(values)) = members.get_mut("enum") {
            values.extend((!values.contains(&Value::Null)).then_some(Value::Null));
        }
    }

    pub fn complete_schema(&mut self, members: &mut Map<String, Value>, pointer: &str) {
        // Only a response may be a file, and then it says little else.
        if self.is_swagger() && members.get("type").is_some_and(|name| name == "file") {
            const FILE: [&str; 8] =
                ["type", "format", "title", "description", "default", "example", "required", "readOnly"];
            let others: Vec<String> =
                members.keys().filter(|key| !FILE.contains(&key.as_str()) && !key.starts_with("x-")).cloned().collect();
            for key in others {
                members.remove(&key);
                self.note(
                    &rules::UNKNOWN_MEMBER,
                    &format!("{pointer}/{key}"),
                    "a file has no such member",
                    "it is left out",
                );
            }
        }
    }
}

/// Whether a pointer of Swagger 2.0 is that of the schema of a response.
fn is_response_schema(pointer: &str) -> bool {
    let mut tokens = pointer.rsplit('/');
    tokens.next() == Some("schema") && tokens.nth(1) == Some("responses")
}

/// The type and the format that a name of another language is.
fn meant(name: &str) -> (Option<&'static str>, Option<&'static str>) {
    match name.to_ascii_lowercase().as_str() {
        "string" | "str" | "text" | "char" | "enum" => (Some("string"), None),
        "integer" | "int" | "int32" | "short" => (Some("integer"), None),
        "long" | "int64" => (Some("integer"), Some("int64")),
        "number" | "decimal" => (Some("number"), None),
        "float" => (Some("number"), Some("float")),
        "double" => (Some("number"), Some("double")),
        "boolean" | "bool" => (Some("boolean"), None),
        "array" | "list" => (Some("array"), None),
        "object" | "map" | "dict" => (Some("object"), None),
        "date" => (Some("string"), Some("date")),
        "datetime" | "date-time" | "timestamp" => (Some("string"), Some("date-time")),
        "uuid" => (Some("string"), Some("uuid")),
        "uri" | "url" => (Some("string"), Some("uri")),
        "file" | "binary" => (Some("string"), Some("binary")),
        "null" => (Some("null"), None),
        _ => (None, None),
    }
}
