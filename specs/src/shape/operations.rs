//! Pass 1, operations: the operations of a document in its order.
//!
//! Guarantees: references to parameters, bodies and responses are followed, the parameters of a path are merged into
//! its operations, one media type is chosen for each body, and no two operations have the same method name in Rust.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::names;
use crate::{Api, Error, pointer};

/// The methods of a path item, in OpenAPI's order.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The media types of bodies that can be generated, the preferred one first.
const MEDIA_TYPES: [&str; 4] =
    ["application/json", "multipart/form-data", "application/x-www-form-urlencoded", "application/octet-stream"];

/// How many references to a reference are followed.
const MAX_REFERENCES: usize = 8;

static EMPTY: LazyLock<Value> = LazyLock::new(|| Value::Object(Map::new()));

/// An operation as the document describes it.
#[derive(Debug)]
pub struct DocumentOperation<'a> {
    /// Which API it belongs to.
    pub api: Api,
    /// The name of its method in Rust.
    pub name: String,
    /// The document's `operationId`, or the method and path where it has none.
    pub operation_id: String,
    /// The path template.
    pub path: &'a str,
    /// The path template with the names that the generator reads.
    pub generator_path: String,
    /// The HTTP method, in small letters.
    pub method: &'static str,
    /// The operation object.
    pub value: &'a Value,
    /// Its parameters: those of the path come last.
    pub parameters: Vec<DocumentParameter<'a>>,
    /// Its request body.
    pub body: Option<DocumentBody<'a>>,
    /// The responses that mean success, by status.
    pub successes: Vec<(&'a str, &'a Value)>,
}

/// A parameter as the document describes it.
#[derive(Debug)]
pub struct DocumentParameter<'a> {
    /// Where it is sent: `query`, `header`, `path`, `cookie`.
    pub location: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The name that the generator reads.
    pub generator_name: String,
    /// The parameter object.
    pub value: &'a Value,
}

/// A request body as the document describes it.
#[derive(Debug, Clone, Copy)]
pub struct DocumentBody<'a> {
    /// The body object.
    pub value: &'a Value,
    /// The media type chosen.
    pub media_type: &'a str,
    /// The schema under that media type; empty where there is none.
    pub schema: &'a Value,
}

impl DocumentOperation<'_> {
    /// The JSON pointer of the operation object.
    pub fn pointer(&self) -> String {
        format!("/paths/{}/{}", pointer::escape(self.path), self.method)
    }

    /// An error inside the operation, with the operation named.
    pub fn error(&self, error: Error) -> Error {
        Error::new(error.pointer, format!("{}, operation {}: {}", self.api, self.operation_id, error.message))
    }

    /// Whether the operation has a parameter of that location and name.
    pub fn has_parameter(&self, location: &str, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.location == location && parameter.name == name)
    }

    /// Whether the operation changes an existing object.
    pub fn is_update(&self) -> bool {
        matches!(self.method, "put" | "patch")
    }
}

/// Reads the operations of a document.
pub fn operations(api: Api, document: &Value) -> Result<Vec<DocumentOperation<'_>>, Error> {
    let mut operations: Vec<DocumentOperation<'_>> = Vec::new();
    let mut methods: BTreeMap<String, String> = BTreeMap::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in METHODS {
            let Some(value) = item.get(method) else { continue };
            let operation_id = value.get("operationId").and_then(Value::as_str).map(str::to_owned);
            let operation_id = operation_id.unwrap_or_else(|| format!("{method}_{path}"));
            let mut operation = DocumentOperation {
                api,
                name: names::operation(&operation_id),
                operation_id,
                path,
                generator_path: path.clone(),
                method,
                value,
                parameters: parameters(document, item, value),
                body: None,
                successes: successes(document, value),
            };
            let taken = methods.insert(operation.name.clone(), operation.operation_id.clone());
            if let Some(other) = taken {
                let message = format!("its method `{}` is already that of `{other}`", operation.name);
                return Err(operation.error(Error::new(operation.pointer(), message)));
            }
            if let Some(body) = value.get("requestBody") {
                let body = body_of(resolve(document, body)).map_err(|message| {
                    operation.error(Error::new(format!("{}/requestBody", operation.pointer()), message))
                })?;
                operation.body = Some(body);
            }
            operations.push(operation);
        }
    }
    Ok(operations)
}

/// The parameters of an operation; its own outrank those of its path.
fn parameters<'a>(document: &'a Value, item: &'a Value, operation: &'a Value) -> Vec<DocumentParameter<'a>> {
    let mut merged = BTreeMap::new();
    for list in [item.get("parameters"), operation.get("parameters")].into_iter().flatten() {
        for value in list.as_array().into_iter().flatten().map(|parameter| resolve(document, parameter)) {
            let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
            let (location, name) = (text("in"), text("name"));
            let generator_name = name.to_owned();
            merged.insert((location, name), DocumentParameter { location, name, generator_name, value });
        }
    }
    let mut parameters: Vec<DocumentParameter<'a>> = merged.into_values().collect();
    parameters.sort_by_key(|parameter| parameter.location == "path");
    parameters
}

fn body_of(value: &Value) -> Result<DocumentBody<'_>, String> {
    let content = value.get("content").and_then(Value::as_object).filter(|content| !content.is_empty());
    let content = content.ok_or("a body without a media type")?;
    let chosen = MEDIA_TYPES
        .iter()
        .find_map(|media_type| content.get_key_value(*media_type))
        .or_else(|| content.iter().find(|(media_type, _)| is_json(media_type)));
    let Some((media_type, media)) = chosen else {
        let offered: Vec<&str> = content.keys().map(String::as_str).collect();
        return Err(format!("none of the body's media types can be generated: {}", offered.join(", ")));
    };
    let media_type = if is_json(media_type) { "application/json" } else { media_type };
    Ok(DocumentBody { value, media_type, schema: media.get("schema").unwrap_or(&EMPTY) })
}

/// The responses that mean success: 2xx, or redirects where there are none.
fn successes<'a>(document: &'a Value, operation: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let responses = operation.get("responses").and_then(Value::as_object);
    let of = |digit: char| {
        responses
            .into_iter()
            .flatten()
            .filter(|(status, _)| status.starts_with(digit))
            .map(|(status, response)| (status.as_str(), resolve(document, response)))
            .collect::<Vec<_>>()
    };
    let successes = of('2');
    if successes.is_empty() { of('3') } else { successes }
}

/// Follows a reference to a parameter, a response or a body.
fn resolve<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    for _ in 0..MAX_REFERENCES {
        let target = value
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| reference.strip_prefix('#'))
            .and_then(|pointer| document.pointer(pointer));
        match target {
            Some(target) => value = target,
            None => break,
        }
    }
    value
}

/// The JSON entry of a `content` object.
pub fn json_media(content: &Map<String, Value>) -> Option<&Value> {
    content.iter().find(|(media_type, _)| is_json(media_type)).map(|(_, media)| media)
}

fn is_json(media_type: &str) -> bool {
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    media_type == "application/json" || media_type == "*/*"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(item: Value) -> Value {
        json!({"paths": {"/things/": item}, "components": {
            "parameters": {"Page": {"in": "query", "name": "page"}},
            "responses": {"Done": {"description": "done"}}
        }})
    }

    #[test]
    fn parameters_of_the_path_are_merged_and_those_of_the_operation_outrank_them() {
        let document = document(json!({
            "parameters": [{"in": "path", "name": "id"}, {"in": "query", "name": "q", "description": "path"}],
            "get": {"operationId": "x", "parameters": [
                {"$ref": "#/components/parameters/Page"}, {"in": "query", "name": "q", "description": "operation"}
            ]}
        }));
        let operations = operations(Api::Main, &document).unwrap();
        let parameters = &operations[0].parameters;
        assert!(parameters.iter().map(|parameter| parameter.name).eq(["page", "q", "id"]));
        assert_eq!(parameters[1].value["description"], "operation");
    }

    #[test]
    fn redirects_are_successes_only_without_a_2xx_response() {
        let statuses = |responses: Value| {
            let document = document(json!({"get": {"operationId": "x", "responses": responses}}));
            let operations = operations(Api::Main, &document).unwrap();
            operations[0].successes.iter().map(|(status, _)| (*status).to_owned()).collect::<Vec<_>>()
        };
        let done = json!({"$ref": "#/components/responses/Done"});
        assert_eq!(statuses(json!({"200": done, "302": done, "404": done})), ["200"]);
        assert_eq!(statuses(json!({"302": done, "404": done})), ["302"]);
    }

    #[test]
    fn json_is_the_preferred_media_type_of_a_body() {
        let content = json!({"multipart/form-data": {}, "application/json": {"schema": {"type": "string"}}});
        let document = document(json!({"post": {"operationId": "x", "requestBody": {"content": content}}}));
        let operations = operations(Api::Main, &document).unwrap();
        let body = operations[0].body.unwrap();
        assert_eq!((body.media_type, body.schema), ("application/json", &json!({"type": "string"})));
    }
}
