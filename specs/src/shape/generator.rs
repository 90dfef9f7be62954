//! What the generator reads of a shaped document, in its own terms: OpenAPI 3.0.

use std::collections::{BTreeMap, BTreeSet};

use openapiv3::{
    AdditionalProperties, AnySchema, ArrayType, BooleanType, Components, HeaderStyle, Info, IntegerFormat, IntegerType,
    MediaType, NumberFormat, NumberType, ObjectType, OpenAPI, Operation, Parameter, ParameterData,
    ParameterSchemaOrContent, PathItem, PathStyle, Paths, QueryStyle, ReferenceOr, RequestBody, Response, Schema,
    SchemaData, SchemaKind, StatusCode, StringFormat, StringType, Type, VariantOrUnknownOrEmpty,
};

use super::types::Rust;
use super::{Answer, Shaped};

/// The types that the crate has for all documents.
const SHARED: [&str; 4] = ["DateTime", "Date", "Filters", "Values"];

/// The document: every named type an opaque component.
pub fn document(shaped: &Shaped) -> OpenAPI {
    let mut components = Components::default();
    let names: BTreeSet<&str> = shaped.types.keys().map(String::as_str).chain(SHARED).collect();
    for name in names {
        components.schemas.insert(name.to_owned(), of_type(Type::Object(ObjectType::default())));
    }
    let mut items: BTreeMap<&str, PathItem> = BTreeMap::new();
    for operation in &shaped.operations {
        let item = items.entry(&operation.generator_path).or_default();
        let place = match operation.method.as_str() {
            "GET" => &mut item.get,
            "PUT" => &mut item.put,
            "POST" => &mut item.post,
            "DELETE" => &mut item.delete,
            "OPTIONS" => &mut item.options,
            "HEAD" => &mut item.head,
            "PATCH" => &mut item.patch,
            _ => &mut item.trace,
        };
        *place = Some(operation.generator_item.clone());
    }
    let mut paths = Paths::default();
    for (path, item) in items {
        paths.paths.insert(path.to_owned(), ReferenceOr::Item(item));
    }
    let text = |key: &str| shaped.info.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    let info = Info {
        title: text("title").unwrap_or_else(|| shaped.api.name().to_owned()),
        description: text("description"),
        terms_of_service: text("termsOfService"),
        version: text("version").unwrap_or_else(|| "0".to_owned()),
        ..Info::default()
    };
    OpenAPI { openapi: "3.0.3".to_owned(), info, paths, components: Some(components), ..OpenAPI::default() }
}

/// A parameter, `required` by the document.
pub fn parameter(
    location: &str,
    name: String,
    required: bool,
    rust: &Rust,
    description: Option<&str>,
) -> ReferenceOr<Parameter> {
    let parameter_data = ParameterData {
        name,
        description: description.map(str::to_owned),
        required,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(schema(rust)),
        example: None,
        examples: Default::default(),
        explode: None,
        extensions: Default::default(),
    };
    ReferenceOr::Item(match location {
        "path" => Parameter::Path { parameter_data, style: PathStyle::default() },
        "header" => Parameter::Header { parameter_data, style: HeaderStyle::default() },
        _ => {
            let style = QueryStyle::default();
            Parameter::Query { parameter_data, allow_reserved: false, style, allow_empty_value: None }
        }
    })
}

/// A body of a type and a media type.
pub fn body(media: &str, rust: &Rust) -> ReferenceOr<RequestBody> {
    // The generator knows no form but this one; its builders hand over the fields, and the form is written by the crate.
    let media = if media == "multipart/form-data" { "application/x-www-form-urlencoded" } else { media };
    let schema = if *rust == Rust::File { bytes() } else { schema(rust) };
    let mut body = RequestBody { required: true, ..RequestBody::default() };
    body.content.insert(media.to_owned(), MediaType { schema: Some(schema), ..MediaType::default() });
    ReferenceOr::Item(body)
}

/// Any success is a success, whichever the document promised; errors are one type for all.
pub fn answers(operation: &mut Operation, answer: &Answer) {
    let mut response = Response::default();
    let content = match answer {
        Answer::Json(rust) => Some(("application/json", schema(rust))),
        Answer::Bytes(_) => Some(("application/octet-stream", bytes())),
        Answer::Empty => None,
    };
    if let Some((media, schema)) = content {
        response.content.insert(media.to_owned(), MediaType { schema: Some(schema), ..MediaType::default() });
    }
    operation.responses.responses.insert(StatusCode::Range(2), ReferenceOr::Item(response));
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
