//! Pass 11, generator: operations in the form that progenitor reads, OpenAPI 3.0.
//!
//! Guarantees: every operation has one response for success and none for errors, and refers to types by name only.

use std::collections::{BTreeMap, BTreeSet};

use openapiv3::{
    AdditionalProperties, AnySchema, ArrayType, BooleanType, Components, HeaderStyle, Info, IntegerFormat, IntegerType,
    MediaType, NumberFormat, NumberType, ObjectType, OpenAPI, Parameter, ParameterData, ParameterSchemaOrContent,
    PathItem, PathStyle, Paths, QueryStyle, ReferenceOr, RequestBody, Response, Responses, Schema, SchemaData,
    SchemaKind, StatusCode, StringFormat, StringType, Type, VariantOrUnknownOrEmpty,
};

use serde_json::Value;

use super::hoisting::TypedOperation;
use super::names;
use super::operations::DocumentParameter;
use super::pages::Paging;
use super::shaped::{Operation, Parameter as ShapedParameter, ResponseBody, Shaped};
use super::types::Rust;

/// The types that the crate has for all documents.
const SHARED: [&str; 4] = ["DateTime", "Date", "Filters", "Values"];

/// Writes all operations in the generator's form.
pub fn operations(operations: Vec<TypedOperation<'_>>, pages: Vec<Paging>) -> Vec<Operation> {
    operations.into_iter().zip(pages).map(|(operation, paging)| form(operation, paging)).collect()
}

fn form(operation: TypedOperation<'_>, paging: Paging) -> Operation {
    let TypedOperation { document, parameters, body, response } = operation;
    let request = document.body.as_ref().map(|body| body.media_type.to_owned());
    let mut mentions = BTreeSet::new();
    parameters.iter().chain(&body).for_each(|rust| rust.mentions(&mut mentions));
    if let ResponseBody::Json(rust) = &response {
        rust.mentions(&mut mentions);
    }
    let generator_item = openapiv3::Operation {
        operation_id: Some(document.name.clone()),
        parameters: document
            .parameters
            .iter()
            .zip(&parameters)
            .map(|(described, rust)| parameter(described, rust))
            .collect(),
        request_body: request.as_deref().zip(body.as_ref()).map(|(media_type, rust)| request_body(media_type, rust)),
        responses: responses(&response),
        ..openapiv3::Operation::default()
    };
    let described = document.parameters.iter().zip(parameters).map(|(described, rust)| ShapedParameter {
        name: names::snake(&described.generator_name),
        sent_as: described.name.to_owned(),
        location: described.location.to_owned(),
        description: text(described.value, "description"),
        required: is_required(described),
        schema: described.value.get("schema").cloned().unwrap_or_default(),
        rust,
    });
    Operation {
        parameters: described.collect(),
        summary: text(document.value, "summary"),
        description: text(document.value, "description"),
        tag: document.value.pointer("/tags/0").and_then(Value::as_str).map(str::to_owned),
        operation_id: document.operation_id,
        name: document.name,
        method: document.method.to_ascii_uppercase(),
        path: document.path.to_owned(),
        request,
        body,
        response,
        paginated: paging.items,
        masked: paging.masked,
        mentions,
        generator_path: document.generator_path,
        generator_item,
    }
}

/// A text of an object of the document, where it says something.
fn text(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn is_required(parameter: &DocumentParameter<'_>) -> bool {
    parameter.location == "path" || parameter.value.get("required").and_then(Value::as_bool) == Some(true)
}

impl Shaped {
    /// The document that the generator reads: every named type an opaque component.
    pub fn generator_document(&self) -> OpenAPI {
        let mut components = Components::default();
        let names: BTreeSet<&str> = self.types.keys().map(String::as_str).chain(SHARED).collect();
        for name in names {
            components.schemas.insert(name.to_owned(), of_type(Type::Object(ObjectType::default())));
        }
        let mut items: BTreeMap<&str, PathItem> = BTreeMap::new();
        for operation in &self.operations {
            let item = items.entry(&operation.generator_path).or_default();
            let slot = match operation.method.as_str() {
                "GET" => &mut item.get,
                "PUT" => &mut item.put,
                "POST" => &mut item.post,
                "DELETE" => &mut item.delete,
                "OPTIONS" => &mut item.options,
                "HEAD" => &mut item.head,
                "PATCH" => &mut item.patch,
                _ => &mut item.trace,
            };
            *slot = Some(operation.generator_item.clone());
        }
        let mut paths = Paths::default();
        for (path, item) in items {
            paths.paths.insert(path.to_owned(), ReferenceOr::Item(item));
        }
        let text = |key: &str| self.info.get(key).and_then(Value::as_str).map(str::to_owned);
        let info = Info {
            title: text("title").unwrap_or_else(|| self.api.name().to_owned()),
            description: text("description"),
            terms_of_service: text("termsOfService"),
            version: text("version").unwrap_or_else(|| "0".to_owned()),
            ..Info::default()
        };
        OpenAPI { openapi: "3.0.3".to_owned(), info, paths, components: Some(components), ..OpenAPI::default() }
    }
}

fn parameter(described: &DocumentParameter<'_>, rust: &Rust) -> ReferenceOr<Parameter> {
    let parameter_data = ParameterData {
        name: described.generator_name.clone(),
        description: None,
        required: is_required(described),
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(schema(rust)),
        example: None,
        examples: Default::default(),
        explode: None,
        extensions: Default::default(),
    };
    ReferenceOr::Item(match described.location {
        "path" => Parameter::Path { parameter_data, style: PathStyle::default() },
        "header" => Parameter::Header { parameter_data, style: HeaderStyle::default() },
        _ => {
            let style = QueryStyle::default();
            Parameter::Query { parameter_data, allow_reserved: false, style, allow_empty_value: None }
        }
    })
}

fn request_body(media_type: &str, rust: &Rust) -> ReferenceOr<RequestBody> {
    // The generator knows no form but this one; its builders hand over the fields, and the form is written by the crate.
    let media_type = if media_type == "multipart/form-data" { "application/x-www-form-urlencoded" } else { media_type };
    let schema = if *rust == Rust::File { bytes() } else { schema(rust) };
    let mut body = RequestBody { required: true, ..RequestBody::default() };
    body.content.insert(media_type.to_owned(), MediaType { schema: Some(schema), ..MediaType::default() });
    ReferenceOr::Item(body)
}

/// One response for every success, whichever status the document declares; errors are one type for all.
fn responses(body: &ResponseBody) -> Responses {
    let mut response = Response::default();
    let content = match body {
        ResponseBody::Json(rust) => Some(("application/json", schema(rust))),
        ResponseBody::Bytes(_) => Some(("application/octet-stream", bytes())),
        ResponseBody::Empty => None,
    };
    if let Some((media_type, schema)) = content {
        response.content.insert(media_type.to_owned(), MediaType { schema: Some(schema), ..MediaType::default() });
    }
    let mut responses = Responses::default();
    responses.responses.insert(StatusCode::Range(2), ReferenceOr::Item(response));
    responses
}

/// A type as the generator reads it.
fn schema(rust: &Rust) -> ReferenceOr<Schema> {
    let named = |name: &str| ReferenceOr::ref_(&format!("#/components/schemas/{name}"));
    match rust {
        Rust::String | Rust::File => of_type(Type::String(StringType::default())),
        Rust::Integer => {
            let format = VariantOrUnknownOrEmpty::Item(IntegerFormat::Int64);
            of_type(Type::Integer(IntegerType { format, ..IntegerType::default() }))
        }
        Rust::Number => {
            let format = VariantOrUnknownOrEmpty::Item(NumberFormat::Double);
            of_type(Type::Number(NumberType { format, ..NumberType::default() }))
        }
        Rust::Boolean => of_type(Type::Boolean(BooleanType::default())),
        Rust::DateTime => named("DateTime"),
        Rust::Date => named("Date"),
        Rust::Filters => named("Filters"),
        Rust::Values => named("Values"),
        Rust::Any => of_kind(SchemaKind::Any(AnySchema::default())),
        Rust::Named(name) => named(name),
        Rust::List(inner) => {
            let items = match schema(inner) {
                ReferenceOr::Reference { reference } => ReferenceOr::Reference { reference },
                ReferenceOr::Item(item) => ReferenceOr::boxed_item(item),
            };
            of_type(Type::Array(ArrayType {
                items: Some(items),
                min_items: None,
                max_items: None,
                unique_items: false,
            }))
        }
        Rust::Map(inner) => {
            let additional_properties = Some(AdditionalProperties::Schema(Box::new(schema(inner))));
            of_type(Type::Object(ObjectType { additional_properties, ..ObjectType::default() }))
        }
        Rust::Nullable(inner) => {
            let mut nullable = match schema(inner) {
                ReferenceOr::Item(item) => item,
                reference => Schema {
                    schema_data: SchemaData::default(),
                    schema_kind: SchemaKind::AllOf { all_of: vec![reference] },
                },
            };
            nullable.schema_data.nullable = true;
            ReferenceOr::Item(nullable)
        }
    }
}

/// The bytes of a file.
fn bytes() -> ReferenceOr<Schema> {
    let format = VariantOrUnknownOrEmpty::Item(StringFormat::Binary);
    of_type(Type::String(StringType { format, ..StringType::default() }))
}

fn of_type(r#type: Type) -> ReferenceOr<Schema> {
    of_kind(SchemaKind::Type(r#type))
}

fn of_kind(schema_kind: SchemaKind) -> ReferenceOr<Schema> {
    ReferenceOr::Item(Schema { schema_data: SchemaData::default(), schema_kind })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::shape::hoisting::hoisted;
    use crate::shape::pages::pages;

    #[test]
    fn the_generator_reads_one_success_of_opaque_types_and_no_errors() {
        let content = json!({"content": {"application/json": {"schema": {"properties": {"id": {}}}}}});
        let document = json!({"paths": {"/t": {"get": {
            "operationId": "x", "tags": ["things"], "responses": {"200": content, "201": {}, "404": content}
        }}}});
        let hoisted = hoisted(&document).unwrap();
        let pages = pages(&hoisted);
        let operations = super::operations(hoisted.operations, pages);
        assert_eq!(operations[0].tag.as_deref(), Some("things"));
        assert!(operations[0].mentions.iter().eq(["XResponse"]));
        let responses = serde_json::to_value(&operations[0].generator_item.responses).unwrap();
        let schema = json!({"$ref": "#/components/schemas/XResponse"});
        assert_eq!(responses, json!({"2XX": {"description": "", "content": {"application/json": {"schema": schema}}}}));
    }
}
