//! Parameters, addresses and security schemes.

use serde_json::{Map, Value, json};

use super::grammar::Role;
use super::pass::Pass;
use super::rules;
use super::version::Version;
use crate::pointer::escape;

/// The keywords that describe the value of a parameter where it has no schema.
const VALUE: [&str; 17] = [
    "type",
    "format",
    "items",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "enum",
    "multipleOf",
    "x-nullable",
];

impl Pass {
    pub fn prepare_parameter(&mut self, members: &mut Map<String, Value>, role: Role, pointer: &str) -> Option<()> {
        if !self.is_swagger() {
            // A type outside of the schema is that of Swagger 2.0.
            if members.contains_key("type") && !members.contains_key("schema") && !members.contains_key("content") {
                let schema = take(members, &VALUE);
                self.note(
                    &rules::PARAMETER_SCHEMA,
                    pointer,
                    "has a `type`, and no schema",
                    "its schema is of that type",
                );
                members.insert("schema".to_owned(), schema.into());
            }
            return Some(());
        }
        let is_body = members.get("in").is_some_and(|place| place == "body");
        if is_body {
            if members.remove("collectionFormat").is_some() {
                let at = format!("{pointer}/collectionFormat");
                self.note(&rules::COLLECTION_FORMAT, &at, "is given for a body", "it is left out");
            }
            let rest = take(members, &VALUE);
            if !members.contains_key("schema") {
                let fault = "is a body without a schema";
                let (rule, reading) = match rest.is_empty() {
                    true => (&rules::MISSING_MEMBER, "it is any value"),
                    false => (&rules::PARAMETER_SCHEMA, "its schema is of its type"),
                };
                self.note(rule, pointer, fault, reading);
                members.insert("schema".to_owned(), rest.into());
            } else if !rest.is_empty() {
                self.note(&rules::UNKNOWN_MEMBER, pointer, "has both a type and a schema", "it is left out");
            }
            return Some(());
        }
        if let Some(schema) = members.remove("schema") {
            self.note(
                &rules::PARAMETER_SCHEMA,
                pointer,
                "has a schema, and is no body",
                "it is of the type of the schema",
            );
            let schema = self.follow(&schema).and_then(Value::as_object).cloned().unwrap_or_default();
            for (key, value) in schema {
                // A schema that is more than the type of a parameter has its type alone.
                if VALUE.contains(&key.as_str()) && !members.contains_key(&key) {
                    members.insert(key, value);
                }
            }
        }
        self.values(members, role, pointer);
        let place = members.get("in").and_then(Value::as_str).unwrap_or_default().to_owned();
        let takes = |name: &str| match name {
            "object" => false,
            "file" => place == "formData",
            _ => true,
        };
        match members.get("type").cloned() {
            Some(Value::String(name)) if takes(&name) => {}
            Some(Value::Array(names)) if names.iter().all(|name| name.as_str().is_some_and(takes)) => {}
            Some(other) => {
                let at = format!("{pointer}/type");
                self.note(&rules::UNKNOWN_TYPE, &at, format!("{other} is no type of a parameter"), "it is `string`");
                members.insert("type".to_owned(), "string".into());
                members.remove("items");
            }
            None => {
                self.note(&rules::MISSING_MEMBER, pointer, "has no `type`", "it is `string`");
                members.insert("type".to_owned(), "string".into());
            }
        }
        if let (Role::Items, true) = (role, has_type(members, "array")) {
            self.note(&rules::LIST_OF_LISTS, pointer, "is a list within a list", "it is a text");
            members.insert("type".to_owned(), "string".into());
            members.remove("items");
            members.remove("collectionFormat");
        }
        self.collection_format(members, role, &place, pointer);
        Some(())
    }

    fn collection_format(&mut self, members: &mut Map<String, Value>, role: Role, place: &str, pointer: &str) {
        let at = format!("{pointer}/collectionFormat");
        let Some(format) = members.get("collectionFormat").and_then(Value::as_str).map(str::to_owned) else { return };
        if !has_type(members, "array") {
            members.remove("collectionFormat");
            self.note(&rules::COLLECTION_FORMAT, &at, "is given for a type other than an array", "it is left out");
            return;
        }
        let is_known = match (role, place) {
            (Role::Parameter, "query" | "formData") => ["csv", "ssv", "pipes", "multi"].contains(&format.as_str()),
            _ => format == "csv",
        };
        if !is_known {
            let fault = format!("OpenAPI 3.0 has no collectionFormat `{format}` there");
            self.note(&rules::COLLECTION_FORMAT, &at, fault, "it is `csv`");
            members.insert("collectionFormat".to_owned(), "csv".into());
        }
    }

    pub fn complete_parameter(&mut self, members: &mut Map<String, Value>, pointer: &str) -> Option<()> {
        for name in ["name", "in"] {
            if !members.contains_key(name) {
                self.note(&rules::MISSING_MEMBER, pointer, format!("has no `{name}`"), "it is left out");
                return None;
            }
        }
        let place = members.get("in").and_then(Value::as_str).unwrap_or_default().to_owned();
        let places: &[&str] = match self.version {
            Version::Swagger2 => &["query", "header", "path", "formData", "body"],
            _ => &["query", "header", "path", "cookie"],
        };
        if !places.contains(&place.as_str()) {
            let fault = format!("`{place}` is no place of a parameter");
            self.note(&rules::PARAMETER_PLACE, &format!("{pointer}/in"), fault, "it is left out");
            return None;
        }
        if place == "path" && members.get("required") != Some(&Value::Bool(true)) {
            self.note(&rules::PATH_PARAMETER_OPTIONAL, pointer, "is in the path, and not required", "it is required");
            members.insert("required".to_owned(), true.into());
        }
        if self.is_swagger() && members.contains_key("allowEmptyValue") && place != "query" {
            let is_set = members.remove("allowEmptyValue") == Some(Value::Bool(true));
            let rule = if place == "formData" { &rules::FORM_EMPTY_VALUE } else { &rules::UNKNOWN_MEMBER };
            if is_set || place != "formData" {
                self.note(rule, &format!("{pointer}/allowEmptyValue"), "has no place here", "it is left out");
            }
        }
        Some(())
    }

    /// The parameters of a path or an operation, together.
    pub fn parameters(&mut self, owner: &mut Map<String, Value>, inherited: &[Value], pointer: &str) {
        if self.is_swagger() {
            self.schemes(owner, pointer);
        }
        let Some(Value::Array(list)) = owner.remove("parameters") else { return };
        let key = |pass: &Self, parameter: &Value| {
            let target = pass.follow(parameter)?;
            let text = |key: &str| target.get(key).and_then(Value::as_str).map(str::to_owned);
            Some((text("in")?, text("name")?))
        };
        let has = |pass: &Self, list: &[Value], place: &str| {
            pass.is_swagger() && list.iter().any(|it| key(pass, it).is_some_and(|it| it.0 == place))
        };
        let has_form = has(self, inherited, "formData");
        let has_body = (has(self, &list, "body") && !has_form) || has(self, inherited, "body");
        let mut seen = Vec::new();
        let mut kept = Vec::new();
        for (index, parameter) in list.into_iter().enumerate() {
            let at = format!("{pointer}/parameters/{index}");
            let Some((place, name)) = key(self, &parameter) else {
                kept.push(parameter);
                continue;
            };
            if place == "formData" && has_body {
                self.note(&rules::BODY_AND_FORM, &at, "is a field of a form, and there is a body", "it is left out");
                continue;
            }
            if place == "body" && has_form {
                self.note(&rules::BODY_AND_FORM, &at, "is a body, and the path has a form", "it is left out");
                continue;
            }
            let key = if place == "body" { (place, String::new()) } else { (place, name.clone()) };
            if seen.contains(&key) {
                let fault = format!("`{name}` in {} stands here already", key.0);
                self.note(&rules::PARAMETER_TWICE, &at, fault, "it is left out");
                continue;
            }
            seen.push(key);
            kept.push(parameter);
        }
        if self.is_swagger() {
            self.repeated_fields(owner, &mut kept, pointer);
        }
        owner.insert("parameters".to_owned(), kept.into());
    }

    /// Lists in a multipart form, which are written as several fields.
    fn repeated_fields(&mut self, owner: &Map<String, Value>, list: &mut [Value], pointer: &str) {
        let consumes = owner.get("consumes").or_else(|| self.root.get("consumes")).and_then(Value::as_array);
        let is_multipart =
            |name: &Value| name.as_str().is_some_and(|name| name.to_ascii_lowercase().starts_with("multipart/"));
        let has_file = list.iter().any(|it| it.get("type").is_some_and(|name| name == "file"));
        if !has_file && !consumes.is_some_and(|list| list.iter().any(is_multipart)) {
            return;
        }
        for (index, parameter) in list.iter_mut().enumerate() {
            let Some(members) = parameter.as_object_mut() else { continue };
            let is_field = members.get("in").is_some_and(|place| place == "formData") && has_type(members, "array");
            if is_field && members.get("collectionFormat").is_none_or(|format| format != "multi") {
                let at = format!("{pointer}/parameters/{index}");
                self.note(&rules::COLLECTION_FORMAT, &at, "joins a list in a multipart form", "the field is repeated");
                members.insert("collectionFormat".to_owned(), "multi".into());
            }
        }
    }

    /// The schemes of a document or an operation of Swagger 2.0.
    fn schemes(&mut self, owner: &mut Map<String, Value>, pointer: &str) {
        let Some(Value::Array(schemes)) = owner.get_mut("schemes") else { return };
        let is_known = |scheme: &Value| scheme.as_str().is_some_and(|it| ["http", "https", "ws", "wss"].contains(&it));
        let unknown: Vec<Value> = schemes.iter().filter(|scheme| !is_known(scheme)).cloned().collect();
        schemes.retain(is_known);
        if schemes.is_empty() {
            owner.remove("schemes");
        }
        for scheme in unknown {
            let at = format!("{pointer}/schemes");
            self.note(&rules::SERVER_ADDRESS, &at, format!("{scheme} is no scheme"), "it is left out");
        }
    }

    /// `host`, `basePath` and `schemes`.
    pub fn addresses(&mut self, members: &mut Map<String, Value>) {
        self.schemes(members, "");
        if let Some(host) = members.get("host").and_then(Value::as_str).map(str::to_owned) {
            let (scheme, rest) =
                host.split_once("://").map_or((None, host.as_str()), |(scheme, rest)| (Some(scheme), rest));
            let (name, path) = rest.split_once('/').map_or((rest, None), |(name, path)| (name, Some(path)));
            let name = name.trim();
            if name.is_empty() || name.contains(['{', '}']) {
                members.remove("host");
                let fault = format!("`{host}` is no host");
                self.note(&rules::SERVER_ADDRESS, "/host", fault, "it is that from which the document came");
            } else if name != host {
                let fault = format!("`{host}` is more than a host");
                self.note(&rules::SERVER_ADDRESS, "/host", fault, "its parts are put in their places");
                members.insert("host".to_owned(), name.into());
                if let Some(scheme) = scheme.filter(|it| ["http", "https", "ws", "wss"].contains(it)) {
                    members.entry("schemes").or_insert_with(|| json!([scheme]));
                }
                if let Some(path) = path.filter(|path| !path.is_empty()) {
                    members.entry("basePath").or_insert_with(|| format!("/{path}").into());
                }
            }
        }
        if let Some(base) = members.get("basePath").and_then(Value::as_str).map(str::to_owned) {
            if base.contains(['{', '}']) {
                members.remove("basePath");
                self.note(&rules::SERVER_ADDRESS, "/basePath", format!("`{base}` has a template"), "it is left out");
            } else if !base.is_empty() && !base.starts_with('/') {
                let path = base
                    .split_once("://")
                    .map_or(base.as_str(), |(_, rest)| rest.split_once('/').map_or("", |it| it.1));
                let right = format!("/{path}");
                let fault = format!("`{base}` does not begin with `/`");
                self.note(&rules::SERVER_ADDRESS, "/basePath", fault, format!("it is `{right}`"));
                members.insert("basePath".to_owned(), right.into());
            }
        }
    }

    /// A security scheme of Swagger 2.0.
    pub fn prepare_scheme(&mut self, members: &mut Map<String, Value>, pointer: &str) -> Option<()> {
        if !self.is_swagger() {
            return Some(());
        }
        let text =
            |members: &Map<String, Value>, key: &str| members.get(key).and_then(Value::as_str).map(str::to_owned);
        let kind = text(members, "type").unwrap_or_default();
        let flow = text(members, "flow").unwrap_or_default();
        let (allowed, needed): (&[&str], &[&str]) = match (kind.as_str(), flow.as_str()) {
            ("basic", _) => (&["type", "description"], &[]),
            ("apiKey", _) => (&["type", "description", "name", "in"], &["name", "in"]),
            ("oauth2", "implicit") => {
                (&["type", "description", "flow", "authorizationUrl", "scopes"], &["authorizationUrl"])
            }
            ("oauth2", "password" | "application") => {
                (&["type", "description", "flow", "tokenUrl", "scopes"], &["tokenUrl"])
            }
            ("oauth2", "accessCode") => (
                &["type", "description", "flow", "authorizationUrl", "tokenUrl", "scopes"],
                &["authorizationUrl", "tokenUrl"],
            ),
            _ => {
                let fault = format!("is of no type that Swagger 2.0 has: `{kind}` {flow}");
                self.note(&rules::SECURITY_SCHEME, pointer, fault.trim_end(), "it is left out");
                return None;
            }
        };
        let lacks = needed.iter().find(|key| text(members, key).is_none());
        let is_elsewhere = kind == "apiKey" && !matches!(text(members, "in").as_deref(), Some("query" | "header"));
        if lacks.is_some() || is_elsewhere {
            let lacking = lacks.copied().unwrap_or("in");
            self.note(&rules::SECURITY_SCHEME, pointer, format!("has no right `{lacking}`"), "it is left out");
            return None;
        }
        if kind == "oauth2" && members.get("scopes").is_none_or(Value::is_null) {
            self.note(&rules::MISSING_MEMBER, pointer, "has no `scopes`", "there are none");
            members.insert("scopes".to_owned(), json!({}));
        }
        let others: Vec<String> =
            members.keys().filter(|key| !allowed.contains(&key.as_str()) && !key.starts_with("x-")).cloned().collect();
        for key in others {
            members.remove(&key);
            let at = format!("{pointer}/{}", escape(&key));
            self.note(&rules::UNKNOWN_MEMBER, &at, "has no place in a scheme of this type", "it is left out");
        }
        Some(())
    }
}

fn has_type(members: &Map<String, Value>, name: &str) -> bool {
    match members.get("type") {
        Some(Value::Array(types)) => types.iter().any(|it| it == name),
        Some(it) => it == name,
        None => false,
    }
}

/// Takes the members of these names out.
fn take(members: &mut Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| members.remove_entry(*name)).collect()
}
