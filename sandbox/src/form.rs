//! Form bodies: their fields, and whether these satisfy a schema.

use bytes::Bytes;
use serde_json::Value;

use crate::document::Document;
pub use crate::multipart::{Field, multipart};
use crate::text::check_text;
use crate::validate::{Checker, Direction};

/// The fields of an `application/x-www-form-urlencoded` body.
pub fn urlencoded(body: &[u8]) -> Vec<Field> {
    form_urlencoded::parse(body)
        .map(|(name, value)| Field {
            name: name.into_owned(),
            file_name: None,
            content_type: None,
            data: Bytes::from(value.into_owned()),
        })
        .collect()
}

/// Checks the fields against the schema of the form.
pub fn check(document: &Document, schema: &Value, required: Option<&[&str]>, fields: &[Field]) -> Result<(), String> {
    let parts = document.parts(schema);
    let required: Vec<&str> = match required {
        Some(names) => names.to_vec(),
        None => Checker::new(document, Direction::Request).required(schema),
    };
    if let Some(name) = required.into_iter().find(|name| fields.iter().all(|field| field.name != *name)) {
        return Err(format!("field `{name}` is required and missing"));
    }
    for (index, field) in fields.iter().enumerate() {
        let name = &field.name;
        let wrong = |reason: &str| format!("field `{name}`: {reason}");
        let property = parts
            .iter()
            .find_map(|part| part.get("properties")?.get(name))
            .ok_or_else(|| wrong("no such field is declared"))?;
        let is = |keyword: &str, value: &str| {
            document.parts(property).iter().any(|part| part.get(keyword).and_then(Value::as_str) == Some(value))
        };
        let items = document.parts(property).into_iter().find_map(|part| part.get("items"));
        let is_array = is("type", "array");
        if !is_array && fields[..index].iter().any(|other| other.name == *name) {
            return Err(wrong("given more than once"));
        }
        let schema = if is_array { items.unwrap_or(&Value::Null) } else { property };
        let is_file = document.parts(schema).iter().any(|part| {
            matches!(part.get("format").and_then(Value::as_str), Some("binary" | "byte"))
                || part.get("type").and_then(Value::as_str) == Some("file")
        });
        if is_file {
            if field.file_name.as_deref().unwrap_or_default().is_empty() {
                return Err(wrong("a file must have a file name"));
            }
            continue;
        }
        if field.file_name.is_some() {
            return Err(wrong("a file was sent where a value is declared"));
        }
        let text = std::str::from_utf8(&field.data).map_err(|_| wrong("not UTF-8"))?;
        check_text(document, schema, text).map_err(|reason| wrong(&reason))?;
    }
    Ok(())
}
