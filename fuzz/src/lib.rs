//! The fuzz targets: each takes any bytes, and panics where something is wrong.
//!
//! ```sh
//! cargo run --manifest-path fuzz/Cargo.toml --example seeds   # recorded responses and the documents, to begin with
//! cargo +nightly fuzz run responses
//! ```
//!
//! Documents that are mutated as JSON, a million of them from a seed, with the stable compiler:
//!
//! ```sh
//! cargo run --release --manifest-path fuzz/Cargo.toml --example mutate -- diff 1000000 1
//! ```

pub mod exports;
pub mod expressions;
pub mod mutate;

use std::fmt::Debug;
use std::sync::LazyLock;

use datagouv::internals::{decode, failure, file_name};
use datagouv::main::types;
use datagouv::{Client, DateTime, Filters};
use datagouv_fidelity::losses;
use datagouv_specs::{document, faults, overlay as overlays};
use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use xtask::diff::document::Document;
use xtask::diff::report::Report;
use xtask::diff::{Format, compare};
use xtask::source;

/// The largest types of responses, by the number of their properties, nested ones included.
pub const RESPONSES: [(&str, fn(&[u8])); 10] = [
    ("Site", response::<types::Site>),
    ("PostPage", response::<types::PostPage>),
    ("NotificationPage", response::<types::NotificationPage>),
    ("OrganizationPage", response::<types::OrganizationPage>),
    ("ReusePage", response::<types::ReusePage>),
    ("HarvestJobPreview", response::<types::HarvestJobPreview>),
    ("DatasetPage", response::<types::DatasetPage>),
    ("DataservicePage", response::<types::DataservicePage>),
    ("DiscussionPage", response::<types::DiscussionPage>),
    ("Transfer", response::<types::Transfer>),
];

/// The body of a response; the first byte selects its type.
pub fn responses(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let (_, read) = RESPONSES[usize::from(*first) % RESPONSES.len()];
    read(body);
    // Read as a value and written again, no property stands twice: which of two is lost is no question.
    let Ok(came @ Value::Object(_)) = serde_json::from_slice::<Value>(body) else { return };
    read(came.to_string().as_bytes());
}

/// Any object is decoded as the type of a response, and nothing of it is lost.
fn response<T: Debug + DeserializeOwned + Serialize>(body: &[u8]) {
    round_trip::<T>(body);
    let Ok(came @ Value::Object(_)) = serde_json::from_slice::<Value>(body) else { return };
    if came.to_string().as_bytes() == body {
        let value: T = decode(body).unwrap_or_else(|error| panic!("{error} in {came}"));
        let written = serde_json::to_value(&value).expect("a response can be written");
        let losses = losses(&came, &written);
        assert!(losses.is_empty(), "{losses:?} of {came}");
    }
}

/// What was read can be written, and what was written reads as the same.
fn round_trip<T: Debug + DeserializeOwned + Serialize>(body: &[u8]) {
    let Ok(value) = decode::<T>(body) else { return };
    let written = serde_json::to_vec(&value).expect("a response can be written");
    let again: T = decode(&written).unwrap_or_else(|error| panic!("{error} in {value:?}"));
    assert_eq!(serde_json::to_vec(&again).expect("a response can be written"), written);
}

/// A page of a list, of whatever is on it.
pub fn pages(data: &[u8]) {
    round_trip::<datagouv::Page<Value>>(data);
}

/// A `Content-Disposition`: the name that it gives stays in its folder.
pub fn names(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let Some(name) = file_name(value) else { return };
    assert!(!name.is_empty() && name.len() <= 255, "{name:?}");
    assert!(!name.contains(['/', '\\', '\0']) && name != "." && name != "..", "{name:?}");
}

/// The body of a failure, after its status and a `Retry-After` that ends with a line.
pub fn errors(data: &[u8]) {
    let Some((status, rest)) = data.split_first() else { return };
    let status = StatusCode::from_u16(400 + u16::from(*status)).expect("400 to 655 are statuses");
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (header, body) = rest.split_at(end);
    let error = failure(status, HeaderValue::from_bytes(header).ok(), body);
    assert_eq!(error.status(), Some(status));
    assert!(error.body().is_some_and(|own| own == body));
    let _ = (error.retry_after(), error.server_message(), error.field_errors(), error.body_json());
    assert!(error.to_string().contains(status.as_str()));
    let _ = format!("{error:?}");
}

/// Columns and values, each in a line: they reach the server's query builder as they are.
pub fn filters(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let mut pairs = Vec::new();
    while let (Some(key), Some(value)) = (lines.next(), lines.next()) {
        pairs.push((key.to_owned(), value.to_owned()));
    }
    let filters: Filters = pairs.clone().into_iter().collect();
    static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::new().expect("a client"));
    let call = CLIENT.tabular().get_resource_data().rid("1c5075ec-7ce1-49cb-ab89-94f507812daf").filters(filters).call();
    let url = call.request().expect("any text can be a filter").url().clone();
    assert_eq!(decoded_twice(url.query().unwrap_or_default()), pairs);
}

/// What the servers make of a query: decoded, split, put together again, decoded.
fn decoded_twice(query: &str) -> Vec<(String, String)> {
    let once: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let joined: Vec<String> = once.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    let joined = joined.join("&");
    let joined = joined.split('#').next().unwrap_or_default();
    let pairs =
        joined.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    pairs.map(|(key, value)| (decode(key), decode(value))).collect()
}

/// A document of an API, in either language.
pub fn convert(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Dates are texts of others too.
    let _ = DateTime::from(text).to_chrono();
    let Ok(parsed) = document::parse(text) else { return };
    let canonical = document::canonical_text(&parsed);
    let read = document::parse(&canonical).expect("the canonical text is JSON");
    assert_eq!(document::canonical_text(&read), canonical);
    // What is read with its faults has none when it is read again, and is refused only for what has no equal.
    if let Ok(reading) = faults::read(parsed.clone()) {
        let again = faults::read(reading.document.clone()).expect("what is read can be read again");
        assert!(again.notes.is_empty() && again.document == reading.document, "{:?}", again.notes);
        if let Err(error) = document::to_openapi(reading.document) {
            let is_refused = ["OpenAPI 3.0 has", "is not read"].iter().any(|text| error.message.contains(text));
            assert!(is_refused, "{error}");
        }
    }
    if let Ok(converted) = document::to_openapi(parsed) {
        let again = document::to_openapi(converted.clone()).expect("what is converted is OpenAPI");
        assert_eq!(again, converted);
    }
}

/// An overlay, on a small document.
pub fn overlay(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(overlay) = overlays::parse_yaml(text) else { return };
    let document = serde_json::json!({"paths": {"/a/": {"get": {"parameters": [{"name": "q"}]}}}, "components": {"schemas": {"A": {}}}});
    if let Ok(compiled) = overlays::compile(&overlay, &document) {
        let mut applied = document;
        overlays::apply(&compiled.overlay, &mut applied).expect("what compiles applies");
        assert_eq!(applied, compiled.document);
    }
}

/// Two documents, with a zero between them; or one, and itself.
pub fn diff(data: &[u8]) {
    let zero = data.iter().position(|byte| *byte == 0);
    let (old, new) = zero.map_or((data, data), |zero| (&data[..zero], &data[zero + 1..]));
    let read = |name: &str, bytes: &[u8]| Document::new(name, source::parse(bytes).ok()?).ok();
    let (Some(old), Some(new)) = (read("old", old), read("new", new)) else { return };
    let itself = compare(&old, &old).expect("a document of this size is compared");
    assert!(itself.is_empty(), "{itself:?}");
    let changes = compare(&old, &new).expect("documents of this size are compared");
    let _ = compare(&new, &old);
    let report = Report { old: "old".to_owned(), new: "new".to_owned(), changes, ..Report::default() };
    use Format::*;
    for format in [Text, Markdown, Json, Html, Github, Junit, Sarif] {
        assert!(!report.write(format, false).contains('\x1b'));
    }
}

/// A document that is validated, with the position of each finding.
pub fn validate(data: &[u8]) {
    let loaded = source::Loaded {
        name: "fuzz".to_owned(),
        origin: String::new(),
        bytes: data.to_vec(),
        api: None,
        version: None,
        overlay: None,
        folder: None,
        is_partial: false,
    };
    let _ = xtask::validate::validate(&loaded);
}
