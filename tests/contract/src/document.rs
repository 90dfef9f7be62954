//! The operations of a corrected document, read independently of the passes that shape it for the generator, so that
//! an error of these is not repeated here.

use datagouv_specs::{Api, Error, corrected};
use serde_json::{Value, json};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The corrected document of one API.
#[derive(Debug, Clone)]
pub struct Document {
    /// Which API it describes.
    pub api: Api,
    value: Value,
}

/// An operation, with what it declares of its request.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its `operationId`.
    pub id: String,
    /// The method, in upper case.
    pub method: String,
    /// The path template.
    pub path: String,
    /// The parameters of the operation and of its path item.
    pub parameters: Vec<Parameter>,
    /// The body, if it takes one.
    pub body: Option<Body>,
    /// Whether its only success is a redirect.
    pub redirects: bool,
}

/// A declared parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// `path`, `query` or `header`.
    pub place: String,
    /// The name it is sent under.
    pub name: String,
    /// Its schema.
    pub schema: Value,
    /// How it is passed and sent.
    pub kind: Kind,
}

/// A declared body.
#[derive(Debug, Clone)]
pub struct Body {
    /// The media type that the client sends.
    pub media_type: String,
    /// Its schema.
    pub schema: Value,
    /// The properties that the server requires, if they differ from those of the schema.
    pub required: Option<Vec<String>>,
}

/// The kind of value of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// An integer.
    Integer,
    /// A number.
    Number,
    /// A boolean.
    Boolean,
    /// A list; in a query, the key repeated.
    List,
    /// A list in one value, its items joined by commas.
    Joined,
    /// An object; in a query, its keys are separate parameters.
    Object,
    /// An object whose keys are all data.
    Map,
    /// A file of a form.
    File,
}

impl Parameter {
    /// The key of its sample among those of a call.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}.{}", self.place, self.name)
    }
}

impl Body {
    /// Whether it is a form.
    #[must_use]
    pub fn is_form(&self) -> bool {
        matches!(self.media_type.as_str(), "multipart/form-data" | "application/x-www-form-urlencoded")
    }
}

impl Document {
    /// Reads the corrected document of an API.
    ///
    /// # Errors
    ///
    /// If the document cannot be corrected.
    pub fn corrected(api: Api) -> Result<Self, Error> {
        Ok(Self { api, value: corrected(api)? })
    }

    /// The target of a chain of references.
    #[must_use]
    pub fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        let mut node = node;
        for _ in 0..16 {
            let target = node.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
            match target.and_then(|pointer| self.value.pointer(pointer)) {
                Some(target) => node = target,
                None => break,
            }
        }
        node
    }

    /// The schemas that a value must all satisfy: the target of a reference, and all of an `allOf`.
    #[must_use]
    pub fn parts<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let mut parts: Vec<&'a Value> = Vec::new();
        let mut open = vec![schema];
        while let Some(next) = open.pop() {
            let next = self.resolve(next);
            if !parts.iter().any(|part| std::ptr::eq(*part, next)) {
                parts.push(next);
                open.extend(list(next, "allOf").iter().rev());
            }
        }
        parts
    }

    /// The kind of value of a schema.
    #[must_use]
    pub fn kind(&self, schema: &Value) -> Kind {
        let parts = self.parts(schema);
        let says = |key: &str| parts.iter().find_map(|part| part.get(key));
        match says("type").and_then(Value::as_str) {
            Some("integer") => Kind::Integer,
            Some("number") => Kind::Number,
            Some("boolean") => Kind::Boolean,
            Some("array") => Kind::List,
            Some("string") if says("format").and_then(Value::as_str) == Some("binary") => Kind::File,
            Some("object") | None if says("properties").is_some() => Kind::Object,
            Some("object") if says("additionalProperties").is_some_and(|values| *values != json!(false)) => Kind::Map,
            Some("object") => Kind::Object,
            _ => Kind::Text,
        }
    }

    /// All operations, in the order of the document.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let paths = self.value.get("paths").and_then(Value::as_object);
        let items = paths.into_iter().flatten().map(|(path, item)| (path, self.resolve(item)));
        items
            .flat_map(|(path, item)| {
                METHODS.iter().filter_map(move |method| Some(self.operation(path, item, method, item.get(*method)?)))
            })
            .collect()
    }

    fn operation(&self, path: &str, item: &Value, method: &str, value: &Value) -> Operation {
        let mut parameters: Vec<Parameter> = Vec::new();
        // Parameters of the operation override those of the path item.
        for declared in list(value, "parameters").iter().chain(list(item, "parameters")) {
            let parameter = self.parameter(self.resolve(declared));
            if parameters.iter().all(|other| other.key() != parameter.key()) {
                parameters.push(parameter);
            }
        }
        let codes: Vec<&String> =
            value.get("responses").and_then(Value::as_object).into_iter().flatten().map(|(code, _)| code).collect();
        let any = |digit: char| codes.iter().any(|code| code.starts_with(digit));
        Operation {
            id: value.get("operationId").and_then(Value::as_str).map_or(format!("{method}_{path}"), str::to_owned),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            parameters,
            body: value.get("requestBody").and_then(|body| self.body(self.resolve(body))),
            redirects: any('3') && !any('2'),
        }
    }

    fn parameter(&self, declared: &Value) -> Parameter {
        let text = |key: &str| declared.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let schema = declared.get("schema").cloned().unwrap_or_else(|| json!({"type": "string"}));
        let explodes = declared.get("explode").and_then(Value::as_bool) != Some(false);
        let kind = match self.kind(&schema) {
            Kind::List if !explodes => Kind::Joined,
            Kind::Map => Kind::Object,
            other => other,
        };
        Parameter { place: text("in"), name: text("name"), schema, kind }
    }

    fn body(&self, declared: &Value) -> Option<Body> {
        let content = declared.get("content").and_then(Value::as_object)?;
        // Of several media types, JSON is preferred.
        let (media_type, media) = content.get_key_value("application/json").or_else(|| content.iter().next())?;
        let required = declared.get("x-required-in-requests").map(|_| {
            list(declared, "x-required-in-requests").iter().filter_map(Value::as_str).map(str::to_owned).collect()
        });
        Some(Body {
            media_type: media_type.clone(),
            schema: media.get("schema").cloned().unwrap_or_else(|| json!({})),
            required,
        })
    }

    /// The properties of a schema that may be sent, in the order of their names.
    #[must_use]
    pub fn sent_properties<'a>(&'a self, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
        let mut all: Vec<(&str, &Value)> = Vec::new();
        for part in self.parts(schema) {
            for (name, property) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let read_only = |schema: &Value| schema.get("readOnly") == Some(&json!(true));
                if !read_only(property) && !self.parts(property).into_iter().any(read_only) {
                    all.retain(|(other, _)| other != name);
                    all.push((name, property));
                }
            }
        }
        all.sort_by_key(|(name, _)| *name);
        all
    }

    /// The properties that the server requires of a value in a request.
    #[must_use]
    pub fn required_in_requests<'a>(&'a self, schema: &'a Value) -> Vec<&'a str> {
        let names = |part: &'a Value| {
            let key = if part.get("x-required-in-requests").is_some() { "x-required-in-requests" } else { "required" };
            list(part, key).iter().filter_map(Value::as_str)
        };
        let sent = self.sent_properties(schema);
        self.parts(schema)
            .into_iter()
            .flat_map(names)
            .filter(|name| sent.iter().any(|(sent, _)| sent == name))
            .collect()
    }
}

/// The array under a key, empty if there is none.
#[must_use]
pub fn list<'a>(node: &'a Value, key: &str) -> &'a [Value] {
    node.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
