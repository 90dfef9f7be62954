//! One pass through a document: each object with its members, in their types.

use serde_json::{Map, Number, Value, json};

use super::grammar::{Kind, Role, member};
use super::notes::Note;
use super::pass::{Pass, kind_name};
use super::rules;
use super::version::Version;
use crate::pointer::escape;

/// Goes through a document once. Without notes, it is as it was.
pub(super) fn pass(document: Value, version: Version) -> (Value, Vec<Note>) {
    let mut pass = Pass { root: document.clone(), version, notes: Vec::new() };
    let document = pass.object(document, Role::Document, "").unwrap_or_else(|| json!({}));
    (document, pass.notes)
}

impl Pass {
    /// An object of a role without its faults; none where nothing is left of it.
    pub fn object(&mut self, value: Value, role: Role, pointer: &str) -> Option<Value> {
        let Value::Object(mut members) = value else {
            // The only schemas that are none.
            if value.is_boolean() && role == Role::Schema && self.version == Version::OpenApi31 {
                return Some(value);
            }
            let reading = "it is left out";
            self.note(&rules::WRONG_TYPE, pointer, format!("must be an object, and is {}", kind_name(&value)), reading);
            return None;
        };
        if role.refers(self.version) && members.contains_key("$ref") && !self.reference(&mut members, role, pointer)? {
            return Some(members.into());
        }
        self.prepare(&mut members, role, pointer)?;
        let mut kept = Map::new();
        for (key, child) in members {
            let at = format!("{pointer}/{}", escape(&key));
            match member(self.version, role, &key) {
                Some(kind) => {
                    if let Some(child) = self.member(child, kind, &at) {
                        kept.insert(key, child);
                    }
                }
                None if self.is_swagger() => self.unknown(key, child, &mut kept, &at),
                None => {
                    kept.insert(key, child);
                }
            }
        }
        self.complete(&mut kept, role, pointer)?;
        Some(kept.into())
    }

    /// A member that Swagger 2.0 does not have.
    fn unknown(&mut self, key: String, child: Value, kept: &mut Map<String, Value>, at: &str) {
        if matches!(key.as_str(), "oneOf" | "anyOf" | "not") {
            self.note(&rules::UNKNOWN_UNION, at, format!("Swagger 2.0 has no `{key}`"), "it is left out");
            return;
        }
        let extension = format!("x-{key}");
        let fault = format!("`{key}` has no place here in Swagger 2.0");
        if child.is_object() || child.is_array() || child.is_null() || kept.contains_key(&extension) {
            self.note(&rules::UNKNOWN_MEMBER, at, fault, "it is left out");
        } else {
            self.note(&rules::UNKNOWN_MEMBER, at, fault, format!("it is kept as `{extension}`"));
            kept.insert(extension, child);
        }
    }

    fn member(&mut self, value: Value, kind: Kind, at: &str) -> Option<Value> {
        if value.is_null() && kind == Kind::Types && is_of_variant(at) {
            return Some(self.null_type(at));
        }
        if value.is_null() && kind != Kind::Any {
            self.note(&rules::NULL_MEMBER, at, "is null", "it is read as absent");
            return None;
        }
        match kind {
            Kind::Any => Some(value),
            Kind::Text => self.text(value, at),
            Kind::Flag => match value {
                Value::Bool(_) => Some(value),
                Value::String(text) if matches!(text.to_ascii_lowercase().as_str(), "true" | "false") => {
                    let flag = text.eq_ignore_ascii_case("true");
                    self.note(
                        &rules::WRONG_FORM,
                        at,
                        format!("must be true or false, and is the text `{text}`"),
                        format!("it is {flag}"),
                    );
                    Some(flag.into())
                }
                other => self.left_out(&other, "true or false", at),
            },
            Kind::Number | Kind::Count => self.number(value, kind == Kind::Count, at),
            Kind::Texts => self.texts(value, at),
            Kind::Types => match value {
                Value::Array(names) => {
                    let names = names.into_iter().enumerate().map(|(index, name)| match name {
                        Value::Null => self.null_type(&format!("{at}/{index}")),
                        name => name,
                    });
                    let names = names.collect();
                    self.texts(names, at)
                }
                other => self.text(other, at),
            },
            Kind::List => match value {
                Value::Array(_) => Some(value),
                Value::Object(_) => self.left_out(&value, "a list", at),
                other => {
                    self.note(&rules::WRONG_FORM, at, "must be a list", "it is a list of that value");
                    Some(json!([other]))
                }
            },
            Kind::One(role) => self.object(value, role, at),
            Kind::OneOrFlag(_) if value.is_boolean() => Some(value),
            Kind::OneOrFlag(role) => self.object(value, role, at),
            Kind::ListOf(role) => self.list(value, role, at),
            Kind::Map(role) | Kind::Extensible(role) => self.map(value, role, matches!(kind, Kind::Extensible(_)), at),
            Kind::MapOfTexts => self.map_of_texts(value, at),
            Kind::Object => match value {
                Value::Object(_) => Some(value),
                other => self.left_out(&other, "an object", at),
            },
            Kind::Requirements => self.requirements(value, at),
        }
    }

    /// The name of the type that YAML turns into a null where it has no quotes.
    fn null_type(&mut self, at: &str) -> Value {
        self.note(&rules::WRONG_FORM, at, "must be a text, and is null", "it is the type `null`");
        "null".into()
    }

    fn text(&mut self, value: Value, at: &str) -> Option<Value> {
        match value {
            Value::String(_) => Some(value),
            Value::Number(_) | Value::Bool(_) => {
                let fault = format!("must be a text, and is {}", kind_name(&value));
                self.note(&rules::WRONG_FORM, at, fault, format!("it is the text `{value}`"));
                Some(value.to_string().into())
            }
            other => self.left_out(&other, "a text", at),
        }
    }

    fn number(&mut self, value: Value, count: bool, at: &str) -> Option<Value> {
        let expected = if count { "a whole number, not negative" } else { "a number" };
        let is_right = |value: &Value| if count { value.is_u64() } else { value.is_number() };
        if is_right(&value) {
            return Some(value);
        }
        let parsed = match &value {
            Value::String(text) => text.trim().parse::<Number>().ok().map(Value::Number),
            // 3.0 is a whole number too.
            Value::Number(number) => number
                .as_f64()
                .filter(|it| it.fract() == 0.0 && (0.0..9e15).contains(it))
                .map(|it| Value::from(it as u64)),
            _ => None,
        };
        match parsed.filter(is_right) {
            Some(number) => {
                self.note(
                    &rules::WRONG_FORM,
                    at,
                    format!("must be {expected}, and is `{value}`"),
                    format!("it is {number}"),
                );
                Some(number)
            }
            None => self.left_out(&value, expected, at),
        }
    }

    fn texts(&mut self, value: Value, at: &str) -> Option<Value> {
        match value {
            Value::Array(list) => {
                let texts = list.into_iter().enumerate();
                Some(texts.filter_map(|(index, value)| self.text(value, &format!("{at}/{index}"))).collect())
            }
            Value::String(text) => {
                self.note(
                    &rules::WRONG_FORM,
                    at,
                    "must be a list of texts, and is a text",
                    "it is a list of that text",
                );
                Some(json!([text]))
            }
            other => self.left_out(&other, "a list of texts", at),
        }
    }

    fn list(&mut self, value: Value, role: Role, at: &str) -> Option<Value> {
        match value {
            Value::Array(list) => {
                let mut kept = Vec::new();
                for (index, child) in list.into_iter().enumerate() {
                    let at = format!("{at}/{index}");
                    let child = match (role, child) {
                        (Role::Tag, Value::String(name)) => {
                            self.note(
                                &rules::WRONG_FORM,
                                &at,
                                "must be an object, and is a text",
                                "it is a tag of that name",
                            );
                            json!({ "name": name })
                        }
                        (_, child) => child,
                    };
                    kept.extend(self.object(child, role, &at));
                }
                Some(kept.into())
            }
            Value::Object(_) => {
                self.note(&rules::WRONG_FORM, at, "must be a list, and is an object", "it is a list of that object");
                Some(json!([self.object(value, role, at)?]))
            }
            other => self.left_out(&other, "a list", at),
        }
    }

    fn map(&mut self, value: Value, role: Role, extensible: bool, at: &str) -> Option<Value> {
        let Value::Object(members) = value else {
            return self.left_out(&value, "an object", at);
        };
        let mut kept = Map::new();
        for (name, child) in members {
            let below = format!("{at}/{}", escape(&name));
            if extensible && name.starts_with("x-") {
                kept.insert(name, child);
                continue;
            }
            let Some(name) = self.named(name, role, &below, &kept) else { continue };
            if let Some(child) = self.object(child, role, &below) {
                kept.insert(name, child);
            }
        }
        Some(kept.into())
    }

    /// The name of an object of a map; none where it can have none.
    fn named(&mut self, name: String, role: Role, at: &str, kept: &Map<String, Value>) -> Option<String> {
        // Paths are distinguished from components by their pointer.
        if role == Role::PathItem && at.starts_with("/paths/") && !name.starts_with('/') {
            let path = format!("/{name}");
            let is_free =
                !kept.contains_key(&path) && self.root.pointer("/paths").is_none_or(|all| all.get(&path).is_none());
            let reading =
                if is_free { format!("it is `{path}`") } else { "it is left out, since that one is there".to_owned() };
            self.note(&rules::PATH_SLASH, at, format!("the path `{name}` does not begin with `/`"), reading);
            return is_free.then_some(path);
        }
        if role == Role::Response && at.starts_with("/paths/") && !self.is_status(&name) {
            self.note(&rules::UNKNOWN_STATUS, at, format!("`{name}` is no status"), "it is left out");
            return None;
        }
        Some(name)
    }

    fn is_status(&self, name: &str) -> bool {
        let digits = name.as_bytes();
        let first = digits.first().is_some_and(|digit| (b'1'..=b'5').contains(digit));
        let rest = digits.get(1..).unwrap_or_default();
        let is_range = !self.is_swagger() && rest.eq_ignore_ascii_case(b"XX");
        name == "default" || (digits.len() == 3 && first && (rest.iter().all(u8::is_ascii_digit) || is_range))
    }

    fn map_of_texts(&mut self, value: Value, at: &str) -> Option<Value> {
        match value {
            Value::Object(members) => {
                let mut kept = Map::new();
                for (name, child) in members {
                    // An extension of a scope list is none of its texts.
                    if name.starts_with("x-") {
                        kept.insert(name, child);
                    } else if child.is_null() {
                        let at = format!("{at}/{}", escape(&name));
                        self.note(&rules::NULL_MEMBER, &at, "is null", "it is an empty text");
                        kept.insert(name, "".into());
                    } else if let Some(text) = self.text(child, &format!("{at}/{}", escape(&name))) {
                        kept.insert(name, text);
                    }
                }
                Some(kept.into())
            }
            Value::Array(names) if names.iter().all(Value::is_string) => {
                self.note(
                    &rules::WRONG_FORM,
                    at,
                    "must be an object of texts, and is a list",
                    "its texts are the names",
                );
                let names = names.into_iter().filter_map(|name| name.as_str().map(str::to_owned));
                Some(names.map(|name| (name, Value::from(""))).collect())
            }
            other => self.left_out(&other, "an object of texts", at),
        }
    }

    fn requirements(&mut self, value: Value, at: &str) -> Option<Value> {
        let list = match value {
            Value::Array(list) => list,
            Value::Object(_) => {
                self.note(&rules::WRONG_FORM, at, "must be a list, and is an object", "it is a list of that object");
                vec![value]
            }
            other => return self.left_out(&other, "a list", at),
        };
        let schemes = if self.is_swagger() { "/securityDefinitions" } else { "/components/securitySchemes" };
        let known = |pass: &Self, name: &str| pass.root.pointer(schemes).is_some_and(|all| all.get(name).is_some());
        let had_any = !list.is_empty();
        let mut kept = Vec::new();
        for (index, alternative) in list.into_iter().enumerate() {
            let at = format!("{at}/{index}");
            let Value::Object(members) = alternative else {
                self.left_out(&alternative, "an object", &at);
                continue;
            };
            let mut requirement = Map::new();
            let mut is_known = true;
            for (name, scopes) in members {
                if !known(self, &name) {
                    let fault = format!("`{name}` is no security scheme of the document");
                    self.note(&rules::SECURITY_UNKNOWN, &at, fault, "this alternative is left out");
                    is_known = false;
                    continue;
                }
                let below = format!("{at}/{}", escape(&name));
                let scopes = if scopes.is_null() { None } else { self.texts(scopes, &below) };
                if scopes.is_none() {
                    self.note(&rules::WRONG_FORM, &below, "must be a list of scopes", "there are none");
                }
                requirement.insert(name, scopes.unwrap_or_else(|| json!([])));
            }
            if is_known {
                kept.push(Value::from(requirement));
            }
        }
        // An empty list would say that no credentials are needed.
        if kept.is_empty() && had_any { None } else { Some(kept.into()) }
    }

    /// Puts members in their place before they are read.
    fn prepare(&mut self, members: &mut Map<String, Value>, role: Role, pointer: &str) -> Option<()> {
        match role {
            Role::Document => self.version_text(members),
            Role::Schema => self.prepare_schema(members, pointer),
            Role::Parameter | Role::Header | Role::Items => self.prepare_parameter(members, role, pointer)?,
            Role::Scheme => self.prepare_scheme(members, pointer)?,
            _ => {}
        }
        Some(())
    }

    /// Puts in what is missing; none where the object is nothing without.
    fn complete(&mut self, members: &mut Map<String, Value>, role: Role, pointer: &str) -> Option<()> {
        let needed: &[&str] = match role {
            Role::Document => {
                self.complete_document(members);
                return Some(());
            }
            Role::Info => &["title", "version"],
            Role::Operation => {
                self.complete_operation(members, pointer);
                return Some(());
            }
            Role::PathItem => {
                self.parameters(members, &[], pointer);
                return Some(());
            }
            Role::Parameter => return self.complete_parameter(members, pointer),
            Role::Schema => {
                self.complete_schema(members, pointer);
                return Some(());
            }
            Role::Tag | Role::License => &["name"],
            Role::Docs | Role::Server => &["url"],
            Role::Discriminator => &["propertyName"],
            Role::Scheme => &["type"],
            _ => return Some(()),
        };
        for name in needed {
            if members.contains_key(*name) {
                continue;
            }
            if role == Role::Info {
                self.note(&rules::MISSING_MEMBER, pointer, format!("has no `{name}`"), "it is an empty text");
                members.insert((*name).to_owned(), "".into());
            } else {
                self.note(&rules::MISSING_MEMBER, pointer, format!("has no `{name}`"), "it is left out");
                return None;
            }
        }
        Some(())
    }

    fn version_text(&mut self, members: &mut Map<String, Value>) {
        let (key, right) = match self.version {
            Version::Swagger2 => ("swagger", "2.0"),
            Version::OpenApi30 => ("openapi", "3.0.3"),
            Version::OpenApi31 => ("openapi", "3.1.0"),
        };
        let is_right = |text: &str| match self.version {
            Version::Swagger2 => text == right,
            _ => text.split('.').count() >= 3 && !text.starts_with(' '),
        };
        if members.get(key).and_then(Value::as_str).is_none_or(|text| !is_right(text)) {
            let found = members.get(key).map(Value::to_string).unwrap_or_default();
            self.note(&rules::VERSION_FORM, &format!("/{key}"), format!("is {found}"), format!("it is \"{right}\""));
            members.insert(key.to_owned(), right.into());
        }
        // Of both, the one that is read.
        if key == "openapi" && members.remove("swagger").is_some() {
            self.note(&rules::VERSION_FORM, "/swagger", "stands together with `openapi`", "it is left out");
        }
    }

    fn complete_document(&mut self, members: &mut Map<String, Value>) {
        if !members.contains_key("info") {
            self.note(&rules::MISSING_MEMBER, "", "has no `info`", "its title and version are empty");
            members.insert("info".to_owned(), json!({ "title": "", "version": "" }));
        }
        if !members.contains_key("paths") && self.version != Version::OpenApi31 {
            self.note(&rules::MISSING_MEMBER, "", "has no `paths`", "it has no operations");
            members.insert("paths".to_owned(), json!({}));
        }
        if self.is_swagger() {
            self.addresses(members);
        }
    }

    fn complete_operation(&mut self, members: &mut Map<String, Value>, pointer: &str) {
        let responses = members.get("responses").and_then(Value::as_object);
        let is_empty = responses.is_none_or(|responses| responses.keys().all(|name| name.starts_with("x-")));
        let may_be_absent = self.version == Version::OpenApi31 && responses.is_none();
        if is_empty && !may_be_absent {
            self.note(&rules::NO_RESPONSES, pointer, "has no responses", "it has a `default` one without content");
            let responses = members.entry("responses").or_insert_with(|| json!({}));
            responses["default"] = json!({ "description": "" });
        }
        let item = pointer.rsplit_once('/').map(|(item, _)| item.to_owned()).unwrap_or_default();
        let inherited = self.root.pointer(&item).and_then(|item| item.get("parameters")).and_then(Value::as_array);
        let inherited = inherited.cloned().unwrap_or_default();
        self.parameters(members, &inherited, pointer);
    }
}

/// Whether a pointer leads to a member of a variant of a union.
fn is_of_variant(at: &str) -> bool {
    let mut steps = at.rsplit('/').skip(1);
    let is_index = steps.next().is_some_and(|step| step.parse::<usize>().is_ok());
    is_index && matches!(steps.next(), Some("oneOf" | "anyOf"))
}
