//! From a document to an extract: some paths, and what they refer to.

use datagouv_specs::document::canonical_text;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The paths of the extracts, where a version has them.
const PATHS: [&str; 18] = [
    "/contacts/",
    "/discussions/{id}/comments/{cidx}/spam/",
    "/discussions/{id}/spam/",
    "/harvest/job/{ident}/",
    "/harvest/job/{job}/",
    "/me/api_tokens/",
    "/me/api_tokens/{api_token}/",
    "/me/apikey/",
    "/organizations/{org}/banner/",
    "/organizations/{org}/member/{user}/",
    "/organizations/{org}/membership/{id}/accept/",
    "/organizations/{org}/membership/{id}/cancel/",
    "/pages/",
    "/pages/{page}/",
    "/spam/",
    "/users/roles/",
    "/workers/jobs/",
    "/workers/jobs/{id}/",
];

/// The text of an extract of a document of Swagger 2.0.
pub fn extract(document: &Value) -> String {
    let mut out = document.as_object().cloned().unwrap_or_default();
    let held = |key: &str, name: &str| document.get(key).and_then(|held| held.get(name)).cloned();
    let paths: Map<String, Value> =
        PATHS.iter().filter_map(|path| Some(((*path).to_owned(), held("paths", path)?))).collect();
    let mut open = Vec::new();
    references(&Value::Object(paths.clone()), &mut open);
    out.insert("paths".to_owned(), Value::Object(paths));
    let mut kept: Map<String, Value> = Map::new();
    for key in ["definitions", "parameters", "responses"] {
        if out.remove(key).is_some() {
            kept.insert(key.to_owned(), Value::Object(Map::new()));
        }
    }
    while let Some(reference) = open.pop() {
        let Some((key, name)) = reference.strip_prefix("#/").and_then(|pointer| pointer.split_once('/')) else {
            continue;
        };
        let name = percent_decode_str(name).decode_utf8_lossy().replace("~1", "/").replace("~0", "~");
        let (Some(value), Some(Value::Object(target))) = (held(key, &name), kept.get_mut(key)) else { continue };
        if !target.contains_key(&name) {
            references(&value, &mut open);
            target.insert(name, value);
        }
    }
    kept.retain(|_, held| held.as_object().is_some_and(|held| !held.is_empty()));
    out.append(&mut kept);
    canonical_text(&Value::Object(out))
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn extraction_is_idempotent() {
    for version in crate::VERSIONS {
        let extracted = crate::extract(version);
        assert_eq!(extract(&extracted.parse().unwrap()), String::from_utf8(extracted.bytes).unwrap(), "{version}");
    }
}
