//! Responses: where they come from, and those made from the document.

use bytes::Bytes;
use serde_json::Value;

use crate::document::Document;
use crate::example::{Maker, Style};
use crate::request::{essence, is_json};
use crate::route::Operation;

/// Where the responses to valid requests come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Responses {
    /// The recorded response of the operation, or one made from its schema where none is recorded.
    #[default]
    Recorded,
    /// The stateful platform if it has the operation, else as `Recorded`.
    Platform,
    /// Always made from the schema, with every declared property.
    Schema,
    /// Made from the schema: null wherever the document allows null, absent where it allows only absence.
    Nulls,
    /// Made from the schema with every property null, whatever the document requires.
    AllNulls,
    /// Made from the schema with only what it requires: no optional property, empty arrays.
    Minimal,
    /// `{}` and `[]`, whatever the document requires.
    Empty,
    /// Made from the schema, with unknown enum values and an unknown property in every object.
    Unknown,
    /// Made from the schema, with this status instead of the declared one; 204 has no body.
    Status(u16),
}

impl Responses {
    pub(crate) fn style(self) -> Style {
        match self {
            Self::Recorded | Self::Platform | Self::Schema | Self::Status(_) => Style::Full,
            Self::Nulls => Style::Nulls,
            Self::AllNulls => Style::AllNull,
            Self::Minimal => Style::Minimal,
            Self::Empty => Style::Empty,
            Self::Unknown => Style::Unknown,
        }
    }
}

/// A complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers, but for those of the connection.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// A response of a media type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// A response in JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A response without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// The path of the small file that redirects have as their location.
pub(crate) const SAMPLE_FILE: &str = "/files/exemple.csv";

/// The response that the document declares for an operation, with a body in the given style.
pub fn declared(document: &Document, operation: &Operation, style: Style, accept: &str) -> Reply {
    let Some((status, response)) = success(document, operation) else {
        return Reply::empty(204);
    };
    if (300..400).contains(&status) {
        return Reply::empty(status).with_header("location", SAMPLE_FILE);
    }
    let Some((media_type, schema)) = content(response, accept) else {
        return Reply::empty(status);
    };
    if status == 204 {
        return Reply::empty(status);
    }
    if is_json(&essence(media_type)) {
        let body = Maker::new(document, style).make(schema);
        return Reply::new(status, media_type, body.to_string());
    }
    let media_type = if media_type.contains('*') { "application/octet-stream" } else { media_type };
    Reply::new(status, media_type, sample(&essence(media_type)))
}

/// The schema of the response that the document declares for an operation.
pub fn declared_schema<'a>(document: &'a Document, operation: &'a Operation) -> Option<&'a Value> {
    let (_, response) = success(document, operation)?;
    let (media_type, schema) = content(response, "application/json")?;
    is_json(&essence(media_type)).then_some(schema)
}

/// The first 2xx, else the first 3xx, else `default`.
fn success<'a>(document: &'a Document, operation: &'a Operation) -> Option<(u16, &'a Value)> {
    let responses = operation.responses.as_object()?;
    let coded = |kind: u16| {
        responses
            .iter()
            .filter_map(|(code, response)| Some((code.replace("XX", "00").parse::<u16>().ok()?, response)))
            .filter(|(code, _)| code / 100 == kind)
            .min_by_key(|(code, _)| *code)
    };
    let (status, response) = coded(2).or_else(|| coded(3)).or_else(|| Some((200, responses.get("default")?)))?;
    Some((status, document.resolve(response)))
}

/// The media type of a response that the client accepts; JSON if it accepts any.
fn content<'a>(response: &'a Value, accept: &str) -> Option<(&'a str, &'a Value)> {
    let content = response.get("content")?.as_object()?;
    let accepted = accept.split(',').map(essence);
    let (name, media) = accepted
        .filter_map(|wanted| content.iter().find(|(name, _)| essence(name) == wanted))
        .next()
        .or_else(|| content.iter().find(|(name, _)| is_json(&essence(name))))
        .or_else(|| content.iter().next())?;
    Some((name.as_str(), media.get("schema").unwrap_or(&Value::Null)))
}

/// A PNG of one transparent pixel.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0, 1, 0, 0, 5, 0, 1,
    0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

/// A small body of a media type that is not JSON.
pub(crate) fn sample(media_type: &str) -> Bytes {
    match media_type {
        "text/csv" => "\"id\";\"title\"\r\n\"1\";\"exemple\"\r\n".into(),
        "image/png" => PNG.into(),
        "application/atom+xml" => concat!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n",
            "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Exemple</title>",
            "<id>https://www.data.gouv.fr/</id><updated>2026-01-15T09:30:00Z</updated></feed>\n"
        )
        .into(),
        "application/yaml" | "text/yaml" => "openapi: 3.0.3\ninfo: {title: Exemple, version: '1'}\npaths: {}\n".into(),
        _ => "exemple\n".into(),
    }
}
