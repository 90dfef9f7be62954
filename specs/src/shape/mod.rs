//! Shape: a corrected document made fit for the generator, by rules that are the same for every API.
//!
//! Types are named by their role, answers are tolerant, requests are strict, enums are open, successes are
//! one, errors are left to the one error type. What the generator cannot take is an error that names the
//! operation and the reason.

mod enumerations;
mod generator;
pub mod names;
mod pages;
mod schemas;
pub mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{Api, Error, pointer};
use schemas::Schemas;
use types::{Role, Rust, Type};

/// The methods of a path item, in OpenAPI's order.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Names that a builder needs for itself.
const BUILDER_NAMES: [&str; 9] = ["body", "call", "client", "fields", "fields_raw", "items", "new", "pages", "send"];

/// What an operation answers when it succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// JSON of this type.
    Json(Rust),
    /// Bytes of these media types; empty after a redirect, where the document cannot say.
    Bytes(Vec<String>),
    /// Nothing.
    Empty,
}

/// An operation, ready for the generator.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The document's `operationId`.
    pub operation_id: String,
    /// The name of its method in Rust.
    pub name: String,
    /// The HTTP method, in capitals.
    pub method: String,
    /// The path template, as the document has it.
    pub path: String,
    /// Its first tag.
    pub tag: Option<String>,
    /// The media type of its body.
    pub request: Option<String>,
    /// The type of its body.
    pub body: Option<Rust>,
    /// What it answers.
    pub answer: Answer,
    /// The type of the items, where it answers them page by page.
    pub paginated: Option<Rust>,
    /// Whether its caller can choose the fields of the answer.
    pub masked: bool,
    /// The types it mentions.
    pub mentions: BTreeSet<String>,
    /// The path template and the operation that the generator reads.
    generator_path: String,
    generator_item: openapiv3::Operation,
}

/// A document on the doorstep of the generator.
#[derive(Debug, Clone)]
pub struct Shaped {
    /// Which API it is.
    pub api: Api,
    /// Its operations, in the order of the document.
    pub operations: Vec<Operation>,
    /// Its types, by name.
    pub types: BTreeMap<String, Type>,
    info: Value,
}

/// An operation as it stands in a document, with its name in Rust and the parameters of its path.
struct Found<'a> {
    pub name: String,
    pub operation_id: String,
    pub path: &'a str,
    pub method: &'static str,
    pub value: &'a Value,
    shared: &'a Value,
}

impl Found<'_> {
    /// Where it stands in the document.
    fn place(&self) -> String {
        format!("/paths/{}/{}", pointer::escape(self.path), self.method)
    }
}

/// The operations of a document.
fn operations(document: &Value) -> impl Iterator<Item = Found<'_>> {
    let paths = document.get("paths").and_then(Value::as_object);
    paths.into_iter().flatten().flat_map(|(path, item)| {
        METHODS.iter().filter_map(move |method| {
            let value = item.get(*method)?;
            let operation_id = value.get("operationId").and_then(Value::as_str).map(str::to_owned);
            let operation_id = operation_id.unwrap_or_else(|| format!("{method}_{path}"));
            let shared = item.get("parameters").unwrap_or(&Value::Null);
            Some(Found { name: names::operation(&operation_id), operation_id, path, method, value, shared })
        })
    })
}

/// Shapes a corrected document.
pub fn shape(api: Api, document: &Value) -> Result<Shaped, Error> {
    let operations: Vec<Found<'_>> = operations(document).collect();
    let (answers, requests) = roles(document, &operations);
    let mut schemas = Schemas::new(document, &operations, &answers, &requests);
    let variants = request_variants(document, &operations, &mut schemas)?;
    let mut shaped = Vec::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for found in &operations {
        let place = found.place();
        if let Some(other) = seen.insert(found.name.clone(), found.operation_id.clone()) {
            return Err(refused(
                api,
                &place,
                found,
                format!("its method `{}` is already that of `{other}`", found.name),
            ));
        }
        let operation = shape_operation(document, &mut schemas, &variants, &place, found).map_err(|error| {
            Error::new(&error.place, format!("{api}, operation {}: {}", found.operation_id, error.message))
        })?;
        shaped.push(operation);
    }
    let info = document.get("info").cloned().unwrap_or_default();
    Ok(Shaped { api, operations: shaped, types: schemas.types, info })
}

fn refused(api: Api, place: &str, found: &Found<'_>, reason: String) -> Error {
    Error::new(place, format!("{api}, operation {}: {reason}", found.operation_id))
}

/// The components met in answers, and those met in requests.
fn roles(document: &Value, operations: &[Found<'_>]) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut answers = BTreeSet::new();
    let mut requests = BTreeSet::new();
    for found in operations {
        for (_, response) in successes(document, found.value) {
            schemas::reachable(document, response, Role::Answer, &mut answers);
        }
        if let Some(body) = found.value.get("requestBody") {
            schemas::reachable(document, resolve(document, body), Role::Request, &mut requests);
        }
    }
    (answers, requests)
}

impl Shaped {
    /// Keeps the operations of these tags, and the types that they need.
    pub fn retain_tags(&mut self, keep: impl Fn(Option<&str>) -> bool) {
        self.operations.retain(|operation| keep(operation.tag.as_deref()));
        let mut needed: BTreeSet<String> = BTreeSet::new();
        let mut open: Vec<String> =
            self.operations.iter().flat_map(|operation| operation.mentions.iter().cloned()).collect();
        while let Some(name) = open.pop() {
            if let Some(found) = self.types.get(&name)
                && needed.insert(name)
            {
                open.extend(found.mentions());
            }
        }
        self.types.retain(|name, _| needed.contains(name));
    }

    /// The document that the generator reads: every named type an opaque component.
    pub fn generator_document(&self) -> openapiv3::OpenAPI {
        generator::document(self)
    }
}

/// Follows a reference to a parameter, a response or a body.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    for _ in 0..8 {
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

/// The responses that mean success: 2xx, or the default where nothing else is said, or a redirect.
fn successes<'a>(document: &'a Value, operation: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let all: Vec<(&str, &Value)> = operation
        .get("responses")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(status, response)| (status.as_str(), resolve(document, response)))
        .collect();
    let of = |digit: char| all.iter().copied().filter(|(status, _)| status.starts_with(digit)).collect::<Vec<_>>();
    let (successes, redirects) = (of('2'), of('3'));
    if !successes.is_empty() { successes } else { redirects }
}

fn json_media(content: &Map<String, Value>) -> Option<&Value> {
    content.iter().find(|(media, _)| is_json(media)).map(|(_, value)| value)
}

fn is_json(media: &str) -> bool {
    let media = media.split(';').next().unwrap_or_default().trim();
    media == "application/json" || media == "*/*"
}

/// What names a request's type: its component, and the list that its operation requires.
type Variants = BTreeMap<(String, bool), String>;

/// Names the request types of components that operations require different things of: what creates is
/// `XInput`, what changes (PUT, PATCH) and requires less is `XUpdate`.
fn request_variants(document: &Value, operations: &[Found<'_>], schemas: &mut Schemas<'_>) -> Result<Variants, Error> {
    let mut lists: BTreeMap<String, [Option<BTreeSet<String>>; 2]> = BTreeMap::new();
    for found in operations {
        let Some(body) = found.value.get("requestBody").map(|body| resolve(document, body)) else { continue };
        let Some(schema) =
            body.get("content").and_then(Value::as_object).and_then(json_media).and_then(|media| media.get("schema"))
        else {
            continue;
        };
        let Some(component) = body_component(schema) else { continue };
        let list: BTreeSet<String> = match body.get("x-required-in-requests") {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(_) => {
                return Err(Error::new(
                    format!("{}/requestBody/x-required-in-requests", found.place()),
                    "not a list of names",
                ));
            }
            None => match schemas.required_in_requests(&component)? {
                Some(list) => list,
                None => continue,
            },
        };
        let slot = &mut lists.entry(component).or_default()[usize::from(changes(found))];
        *slot = Some(match slot.take() {
            // One type serves all: it asks for what each of them needs.
            Some(other) => other.intersection(&list).cloned().collect(),
            None => list,
        });
    }
    let mut variants = Variants::new();
    for (component, [creates, updates]) in lists {
        let as_list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
        let Some(first) = creates.as_ref().or(updates.as_ref()) else { continue };
        let name = schemas.request_variant(&component, "", &as_list(first))?;
        let update = match &updates {
            Some(second) if second != first => schemas.request_variant(&component, "Update", &as_list(second))?,
            _ => name.clone(),
        };
        variants.insert((component.clone(), false), name);
        variants.insert((component, true), update);
    }
    Ok(variants)
}

fn changes(found: &Found<'_>) -> bool {
    matches!(found.method, "put" | "patch")
}

/// The component that a body is, or that its items are.
fn body_component(schema: &Value) -> Option<String> {
    let schema = schema.get("items").unwrap_or(schema);
    let reference =
        schema.get("$ref").or_else(|| match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([single]) => single.get("$ref"),
            _ => None,
        })?;
    schemas::component_name(reference.as_str()?, "").ok().map(str::to_owned)
}

fn shape_operation(
    document: &Value,
    schemas: &mut Schemas<'_>,
    variants: &Variants,
    place: &str,
    found: &Found<'_>,
) -> Result<Operation, Error> {
    let parent = names::camel(&found.name);
    let mut mentions = BTreeSet::new();
    let text = |key: &str| found.value.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut item = openapiv3::Operation {
        operation_id: Some(found.name.clone()),
        summary: text("summary"),
        description: text("description"),
        ..openapiv3::Operation::default()
    };
    let mut generator_path = found.path.to_owned();
    item.parameters = shape_parameters(document, schemas, place, found, &parent, &mut generator_path, &mut mentions)?;

    let (mut request, mut typed_body) = (None, None);
    if let Some(body) = found.value.get("requestBody").map(|body| resolve(document, body)) {
        let (media, rust) = shape_body(schemas, variants, place, found, &parent, body)?;
        rust.mentions(&mut mentions);
        item.request_body = Some(generator::body(&media, &rust));
        request = Some(media);
        typed_body = Some(rust);
    }
    let answer = shape_answer(document, schemas, place, found, &parent)?;
    if let Answer::Json(rust) = &answer {
        rust.mentions(&mut mentions);
    }
    generator::answers(&mut item, &answer);
    let paginated = pages::items_of(&schemas.types, &answer).cloned();
    let paginated = paginated.filter(|_| pages::asks_for_pages(document, found));
    let masked = pages::is_masked(document, found, &answer);
    let tag = found.value.pointer("/tags/0").and_then(Value::as_str).map(str::to_owned);
    Ok(Operation {
        operation_id: found.operation_id.clone(),
        name: found.name.clone(),
        method: found.method.to_ascii_uppercase(),
        path: found.path.to_owned(),
        tag,
        request,
        body: typed_body,
        answer,
        paginated,
        masked,
        mentions,
        generator_path,
        generator_item: item,
    })
}

fn shape_parameters(
    document: &Value,
    schemas: &mut Schemas<'_>,
    place: &str,
    found: &Found<'_>,
    parent: &str,
    generator_path: &mut String,
    mentions: &mut BTreeSet<String>,
) -> Result<Vec<openapiv3::ReferenceOr<openapiv3::Parameter>>, Error> {
    // What an operation says of a parameter outranks what its path says.
    let mut merged: BTreeMap<(&str, &str), &Value> = BTreeMap::new();
    for list in [found.shared, found.value.get("parameters").unwrap_or(&Value::Null)] {
        for parameter in list.as_array().into_iter().flatten().map(|parameter| resolve(document, parameter)) {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            merged.insert((text("in"), text("name")), parameter);
        }
    }
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut shaped = Vec::new();
    let text_schema = json!({"type": "string"});
    // Paths last in the alphabet would lose their names to queries; they are the ones that may be renamed,
    // since their names are never sent.
    let (path, others): (Vec<_>, Vec<_>) = merged.into_iter().partition(|((location, _), _)| *location == "path");
    for name in generator_path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        if !path.iter().any(|((_, described), _)| *described == name) {
            return Err(Error::new(place, format!("`{name}` is in the path, and no parameter describes it")));
        }
    }
    for ((location, name), parameter) in others.into_iter().chain(path) {
        let place = format!("{place}/parameters/{name}");
        if !matches!(location, "query" | "header" | "path") {
            return Err(Error::new(place, format!("a {location} parameter (`{name}`) cannot be generated")));
        }
        let mut sent = name.to_owned();
        let mut snake = names::snake(name);
        if location == "path" {
            while taken.contains_key(&snake) || BUILDER_NAMES.contains(&snake.as_str()) {
                sent = format!("path_{}", sent.trim_start_matches('_'));
                snake = names::snake(&sent);
            }
            if sent != name {
                *generator_path = generator_path.replace(&format!("{{{name}}}"), &format!("{{{sent}}}"));
            }
        }
        if let Some(other) = taken.insert(snake.clone(), name.to_owned()) {
            return Err(Error::new(place, format!("`{name}` and `{other}` are both `{snake}` in Rust")));
        }
        if BUILDER_NAMES.contains(&snake.as_str()) {
            return Err(Error::new(place, format!("the builder needs the name `{snake}` for itself")));
        }
        let schema = parameter.get("schema").unwrap_or(&text_schema);
        let free_form = location == "query" && schema.get("type").and_then(Value::as_str) == Some("object");
        let rust = if free_form { Rust::Filters } else { schemas.rust(schema, Role::Request, parent, name, &place)? };
        if location != "query" && matches!(rust, Rust::List(_) | Rust::Map(_) | Rust::Any) {
            return Err(Error::new(
                place,
                format!("a {location} parameter with more than one value (`{name}`) cannot be generated"),
            ));
        }
        let joined = location == "query"
            && matches!(rust, Rust::List(_))
            && parameter.get("explode").and_then(Value::as_bool) == Some(false);
        // A list in one value, joined by the caller: the generator only knows repeated keys.
        let rust = if joined { Rust::String } else { rust };
        let rust = if rust == Rust::List(Box::new(Rust::String)) { Rust::Values } else { rust };
        rust.mentions(mentions);
        let required = location == "path" || parameter.get("required").and_then(Value::as_bool) == Some(true);
        let text = parameter.get("description").and_then(Value::as_str).filter(|text| !text.is_empty());
        shaped.push(generator::parameter(location, sent, required, &rust, text));
    }
    Ok(shaped)
}

fn shape_body(
    schemas: &mut Schemas<'_>,
    variants: &Variants,
    place: &str,
    found: &Found<'_>,
    parent: &str,
    body: &Value,
) -> Result<(String, Rust), Error> {
    let place = format!("{place}/requestBody");
    let content = body.get("content").and_then(Value::as_object).filter(|content| !content.is_empty());
    let Some(content) = content else { return Err(Error::new(place, "a body without a media type")) };
    let order =
        ["application/json", "multipart/form-data", "application/x-www-form-urlencoded", "application/octet-stream"];
    let chosen = order
        .iter()
        .find_map(|media| content.get_key_value(*media))
        .or_else(|| content.iter().find(|(media, _)| is_json(media)));
    let Some((media, value)) = chosen else {
        let offered: Vec<&str> = content.keys().map(String::as_str).collect();
        return Err(Error::new(
            place,
            format!("none of the body's media types can be generated: {}", offered.join(", ")),
        ));
    };
    let empty = json!({});
    let schema = value.get("schema").unwrap_or(&empty);
    let rust = match media.as_str() {
        "multipart/form-data" | "application/x-www-form-urlencoded" => {
            schemas.form(schema, &format!("{parent}Form"), media.starts_with("multipart"), &place)?
        }
        "application/octet-stream" => Rust::File,
        _ => {
            let named =
                body_component(schema).and_then(|component| variants.get(&(component, changes(found))).cloned());
            match named {
                Some(name) if schema.get("items").is_some() => Rust::List(Box::new(Rust::Named(name))),
                Some(name) => Rust::Named(name),
                None => schemas.rust(schema, Role::Request, parent, "Body", &place)?,
            }
        }
    };
    let media = if is_json(media) { "application/json".to_owned() } else { media.clone() };
    Ok((media, rust))
}

fn shape_answer(
    document: &Value,
    schemas: &mut Schemas<'_>,
    place: &str,
    found: &Found<'_>,
    parent: &str,
) -> Result<Answer, Error> {
    let mut json: Option<Rust> = None;
    let mut bytes: BTreeSet<String> = BTreeSet::new();
    let mut redirects = false;
    let responses = successes(document, found.value);
    for (status, response) in &responses {
        redirects |= status.starts_with('3');
        let Some(content) = response.get("content").and_then(Value::as_object) else { continue };
        let place = format!("{place}/responses/{status}");
        match json_media(content) {
            // What is declared JSON and binary is bytes.
            Some(media) if media.pointer("/schema/format").and_then(Value::as_str) == Some("binary") => {
                bytes.extend(content.keys().cloned());
            }
            Some(media) => {
                let empty = json!({});
                let schema = media.get("schema").unwrap_or(&empty);
                let rust = schemas.rust(schema, Role::Answer, parent, "Answer", &place)?;
                match &json {
                    Some(other) if *other != rust => return Err(Error::new(place, "two successes answer two types")),
                    _ => json = Some(rust),
                }
            }
            None => bytes.extend(content.keys().cloned()),
        }
    }
    Ok(match json {
        // A representation asked for by its extension: bytes serve all of them, JSON-LD included.
        Some(_) if !bytes.is_empty() => {
            Answer::Bytes(bytes.into_iter().chain(["application/json".to_owned()]).collect())
        }
        Some(rust) => Answer::Json(rust),
        None if !bytes.is_empty() || redirects || responses.is_empty() => Answer::Bytes(bytes.into_iter().collect()),
        None => Answer::Empty,
    })
}
