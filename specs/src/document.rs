//! The vendored documents: which there are, and their canonical form.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::Error;

/// One of the APIs of data.gouv.fr that describe themselves in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Api {
    /// The catalogue, `/api/1`.
    Main,
    /// Search, topics and extras of the catalogue, `/api/2`.
    MainV2,
    /// Rows of tabular files.
    Tabular,
    /// Visits and downloads by month.
    Metrics,
}

impl Api {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Main, Self::MainV2, Self::Tabular, Self::Metrics];

    /// The name of the API in features, folders and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::MainV2 => "main-v2",
            Self::Tabular => "tabular",
            Self::Metrics => "metrics",
        }
    }

    /// The name of the API's module in the generated crate.
    pub fn module(self) -> &'static str {
        match self {
            Self::MainV2 => "main_v2",
            other => other.name(),
        }
    }

    /// The file of the vendored document, in the folder named after the API.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Main | Self::MainV2 => "swagger.json",
            Self::Tabular | Self::Metrics => "openapi.json",
        }
    }

    /// The text of the vendored document.
    pub fn document_text(self) -> &'static str {
        match self {
            Self::Main => include_str!("../main/swagger.json"),
            Self::MainV2 => include_str!("../main-v2/swagger.json"),
            Self::Tabular => include_str!("../tabular/openapi.json"),
            Self::Metrics => include_str!("../metrics/openapi.json"),
        }
    }

    /// The text of the overlay in its compiled form.
    pub fn overlay_text(self) -> &'static str {
        match self {
            Self::Main => include_str!("../main/overlay.json"),
            Self::MainV2 => include_str!("../main-v2/overlay.json"),
            Self::Tabular => include_str!("../tabular/overlay.json"),
            Self::Metrics => include_str!("../metrics/overlay.json"),
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Api {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|api| api.name() == name)
            .ok_or_else(|| Error::new("", format!("`{name}` is not one of main, main-v2, tabular, metrics")))
    }
}

/// Parses a document of JSON.
pub fn parse(text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|error| Error::new("", format!("not JSON: {error}")))
}

/// The document as OpenAPI 3.0, whichever of the three languages it is written in.
pub fn to_openapi(document: Value) -> Result<Value, Error> {
    if document.get("swagger").is_some() {
        return crate::swagger2::to_openapi(&document);
    }
    match document.get("openapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("3.0.") => Ok(document),
        Some(version) if version.starts_with("3.1.") => crate::openapi31::to_openapi30(&document),
        Some(version) => Err(unknown_version(version)),
        None => Err(Error::new("", "neither `swagger: \"2.0\"` nor `openapi: \"3.0.x\"` or `\"3.1.x\"`")),
    }
}

/// The error of a document of a version that is not known, which may be a later one.
pub fn unknown_version(version: &str) -> Error {
    let known = "Swagger 2.0, OpenAPI 3.0 and 3.1 are";
    let is_later = version.split('.').next() == Some("3") && !version.starts_with("3.0") && !version.starts_with("3.1");
    let state = if is_later { "is not known yet" } else { "is not read" };
    Error::new("/openapi", format!("OpenAPI {version} {state}; {known}"))
}

/// Lists of the catalogue's documents that the server builds from unordered sets: schema and property.
const UNORDERED: [(&str, &str); 5] = [
    ("PeriodicTask (read)", "task"),
    ("PeriodicTask (write)", "task"),
    ("PeriodicTask", "task"),
    ("Job", "task"),
    ("Task", "status"),
];

/// The parameter whose list of values is built in the same way, in each operation that has it.
const UNORDERED_PARAMETER: &str = "producer_type";

/// The canonical text of a document: keys sorted, two spaces, a final newline, and the lists whose order
/// is random on the server put in order, so that the same document always gives the same bytes.
pub fn canonical_text(document: &Value) -> String {
    let mut document = document.clone();
    for (definition, property) in UNORDERED {
        let pointer = format!("/definitions/{definition}/properties/{property}");
        document.pointer_mut(&pointer).into_iter().for_each(put_in_order);
    }
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for operation in paths.into_iter().flat_map(|paths| paths.values_mut()).filter_map(Value::as_object_mut) {
        let parameters = operation.values_mut().filter_map(|operation| operation.get_mut("parameters")?.as_array_mut());
        parameters
            .flatten()
            .filter(|parameter| parameter.get("name").and_then(Value::as_str) == Some(UNORDERED_PARAMETER))
            .for_each(put_in_order);
    }
    document.sort_all_objects();
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Puts the values of an enum in order.
fn put_in_order(schema: &mut Value) {
    let Some(Value::Array(values)) = schema.get_mut("enum") else { return };
    values.sort_by_key(Value::to_string);
    let first = values.first().cloned();
    // The example is the first of the set, so it is as random as the order.
    if let (Some(first), Some(example)) = (first, schema.get_mut("example")) {
        *example = first;
    }
}
