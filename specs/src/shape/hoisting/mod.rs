//! Pass 7, hoisting: types for the parameters, the body and the responses of every operation.
//!
//! Guarantees: every object, union, form and enum, however deep in a schema, is a type with a name, and no type contains
//! another but by that name. Fields say what the document says: the next passes adapt them to their role.

mod schemas;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::components::Components;
use super::names;
use super::naming::Names;
use super::operations::{DocumentBody, DocumentOperation, DocumentParameter, json_media};
use super::requirements::{Requirements, component_of};
use super::shaped::ResponseBody;
use super::types::{Role, Rust, Type};
use crate::Error;
use schemas::{Inline, Schemas};

static ANY: LazyLock<Value> = LazyLock::new(|| json!({}));
static TEXT: LazyLock<Value> = LazyLock::new(|| json!({"type": "string"}));

/// Operations and the types that they refer to by name.
#[derive(Debug)]
pub struct Hoisted<'a> {
    /// The operations, in the order of the document.
    pub operations: Vec<TypedOperation<'a>>,
    /// The types, by name.
    pub types: BTreeMap<String, Type>,
    /// The component that each object of requests is made of, by the name of its type.
    pub sent_components: BTreeMap<String, String>,
    /// The names of types.
    pub names: Names,
}

/// An operation with the types of its parameters, body and response.
#[derive(Debug)]
pub struct TypedOperation<'a> {
    /// The operation as the document describes it.
    pub document: DocumentOperation<'a>,
    /// The types of its parameters, in their order.
    pub parameters: Vec<Rust>,
    /// The type of its body.
    pub body: Option<Rust>,
    /// The body of its successful response.
    pub response: ResponseBody,
}

/// Gives types to all operations.
pub fn hoisting<'a>(
    components: Components<'a>,
    operations: Vec<DocumentOperation<'a>>,
    requirements: Requirements,
    names: Names,
) -> Result<Hoisted<'a>, Error> {
    let mut schemas = Schemas::new(components, names);
    let requests = requests(&mut schemas, requirements)?;
    let mut typed = Vec::new();
    for document in operations {
        let typed_operation = operation(&mut schemas, &requests, &document);
        let (parameters, body, response) = typed_operation.map_err(|error| document.error(error))?;
        typed.push(TypedOperation { document, parameters, body, response });
    }
    let Schemas { names, types, sent_components, .. } = schemas;
    Ok(Hoisted { operations: typed, types, sent_components, names })
}

/// The type of each component that is a body, by whether it is updated.
type Requests = BTreeMap<(String, bool), String>;

/// The types of bodies: what creates is `XInput`; what updates, where it requires other properties, is `XUpdate`.
fn requests(schemas: &mut Schemas<'_>, requirements: Requirements) -> Result<Requests, Error> {
    let mut requests = Requests::new();
    for (component, required) in requirements {
        let Some(first) = required.create.as_ref().or(required.update.as_ref()) else { continue };
        let create = schemas.request(&component, "", first)?;
        let update = match &required.update {
            Some(second) if second != first => schemas.request(&component, "Update", second)?,
            _ => create.clone(),
        };
        requests.insert((component.clone(), false), create);
        requests.insert((component, true), update);
    }
    Ok(requests)
}

fn operation(
    schemas: &mut Schemas<'_>,
    requests: &Requests,
    document: &DocumentOperation<'_>,
) -> Result<(Vec<Rust>, Option<Rust>, ResponseBody), Error> {
    let (parent, pointer) = (names::camel(&document.name), document.pointer());
    let mut parameters = Vec::new();
    for described in &document.parameters {
        parameters.push(parameter(schemas, described, &parent, &format!("{pointer}/parameters/{}", described.name))?);
    }
    let body = match &document.body {
        Some(described) => {
            let component = component_of(described).map(|component| (component.to_owned(), document.is_update()));
            let named = component.and_then(|component| requests.get(&component));
            Some(body(schemas, described, named, &parent, &format!("{pointer}/requestBody"))?)
        }
        None => None,
    };
    let response = response(schemas, &document.successes, &parent, &pointer)?;
    Ok((parameters, body, response))
}

fn parameter(
    schemas: &mut Schemas<'_>,
    parameter: &DocumentParameter<'_>,
    parent: &str,
    pointer: &str,
) -> Result<Rust, Error> {
    let DocumentParameter { location, name, value, .. } = *parameter;
    let schema = value.get("schema").unwrap_or(&TEXT);
    if location == "query" && schema.get("type").and_then(Value::as_str) == Some("object") {
        return Ok(Rust::Filters);
    }
    let rust = schemas.rust(Inline { schema, role: Role::Request, parent, property: name, pointer })?;
    if location != "query" && matches!(rust, Rust::List(_) | Rust::Map(_) | Rust::Any) {
        let message = format!("a {location} parameter with more than one value (`{name}`) cannot be generated");
        return Err(Error::new(pointer, message));
    }
    let joined = matches!(rust, Rust::List(_)) && value.get("explode").and_then(Value::as_bool) == Some(false);
    Ok(match rust {
        // The generator only knows repeated keys: a list in one value is joined by the caller.
        _ if joined => Rust::String,
        Rust::List(item) if *item == Rust::String => Rust::Values,
        rust => rust,
    })
}

fn body(
    schemas: &mut Schemas<'_>,
    body: &DocumentBody<'_>,
    named: Option<&String>,
    parent: &str,
    pointer: &str,
) -> Result<Rust, Error> {
    let schema = body.schema;
    match (body.media_type, named) {
        ("multipart/form-data" | "application/x-www-form-urlencoded", _) => {
            let multipart = body.media_type.starts_with("multipart");
            schemas.form(schema, format!("{parent}Form"), multipart, pointer)
        }
        ("application/octet-stream", _) => Ok(Rust::File),
        (_, Some(name)) if schema.get("items").is_some() => Ok(Rust::List(Box::new(Rust::Named(name.clone())))),
        (_, Some(name)) => Ok(Rust::Named(name.clone())),
        (_, None) => schemas.rust(Inline { schema, role: Role::Request, parent, property: "Body", pointer }),
    }
}

fn response(
    schemas: &mut Schemas<'_>,
    successes: &[(&str, &Value)],
    parent: &str,
    pointer: &str,
) -> Result<ResponseBody, Error> {
    let mut json: Option<Rust> = None;
    let mut bytes: BTreeSet<String> = BTreeSet::new();
    for (status, response) in successes {
        let Some(content) = response.get("content").and_then(Value::as_object) else { continue };
        let pointer = format!("{pointer}/responses/{status}");
        match json_media(content) {
            // JSON that is declared binary is bytes.
            Some(media) if media.pointer("/schema/format").and_then(Value::as_str) != Some("binary") => {
                let schema = media.get("schema").unwrap_or(&ANY);
                let inline = Inline { schema, role: Role::Response, parent, property: "Response", pointer: &pointer };
                let rust = schemas.rust(inline)?;
                if json.as_ref().is_some_and(|other| *other != rust) {
                    return Err(Error::new(pointer, "the successful responses have different types"));
                }
                json = Some(rust);
            }
            _ => bytes.extend(content.keys().cloned()),
        }
    }
    let may_have_a_body = successes.is_empty() || successes.iter().any(|(status, _)| status.starts_with('3'));
    Ok(match json {
        // A representation selected by a file extension in the path: bytes serve all of them, JSON-LD included.
        Some(_) if !bytes.is_empty() => {
            ResponseBody::Bytes(bytes.into_iter().chain(["application/json".to_owned()]).collect())
        }
        Some(rust) => ResponseBody::Json(rust),
        None if !bytes.is_empty() || may_have_a_body => ResponseBody::Bytes(bytes.into_iter().collect()),
        None => ResponseBody::Empty,
    })
}

/// Runs the passes up to this one, for the tests of the next ones.
#[cfg(test)]
pub fn hoisted(document: &Value) -> Result<Hoisted<'_>, Error> {
    use super::{enums::enums, naming::naming, operations::operations, requirements::requirements, roles::roles};
    let components = Components::of(document);
    let operations = operations(crate::Api::Main, document)?;
    let names = enums(components, &operations, naming(components, &roles(components, &operations)));
    let requirements = requirements(components, &operations)?;
    hoisting(components, operations, requirements, names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::types::Kind;

    fn response_of(schema: Value) -> Value {
        let responses = json!({"200": {"content": {"application/json": {"schema": schema}}}});
        json!({"paths": {"/things": {"get": {"operationId": "list_things", "responses": responses}}}})
    }

    #[test]
    fn nested_objects_are_types_of_their_own_named_by_their_path() {
        let owner = json!({"type": "object", "properties": {"id": {"type": "string"}}});
        let document = response_of(json!({"type": "array", "items": {"properties": {"owner": owner}}}));
        let hoisted = hoisted(&document).unwrap();
        let named = |name: &str| Rust::Named(name.to_owned());
        assert_eq!(
            hoisted.operations[0].response,
            ResponseBody::Json(Rust::List(Box::new(named("ListThingsResponse"))))
        );
        let Kind::Structure(Role::Response, fields) = &hoisted.types["ListThingsResponse"].kind else { panic!() };
        assert_eq!(fields[0].rust, named("ListThingsResponseOwner"));
        assert!(hoisted.types.contains_key("ListThingsResponseOwner"));
    }

    #[test]
    fn a_required_property_that_is_not_declared_is_an_error_with_its_pointer() {
        let error = hoisted(&response_of(json!({"properties": {"id": {}}, "required": ["name"]}))).unwrap_err();
        let expected =
            "/paths/~1things/get/responses/200: main, operation list_things: `name` is required but is not a property";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_list_in_a_query_is_repeated_unless_it_is_joined() {
        let list = json!({"type": "array", "items": {"type": "string"}});
        let parameters = json!([
            {"in": "query", "name": "a", "schema": list},
            {"in": "query", "name": "b", "schema": list, "explode": false},
            {"in": "query", "name": "c", "schema": {"type": "object"}}
        ]);
        let document = json!({"paths": {"/things": {"get": {"operationId": "x", "parameters": parameters}}}});
        assert_eq!(hoisted(&document).unwrap().operations[0].parameters, [Rust::Values, Rust::String, Rust::Filters]);
    }
}
