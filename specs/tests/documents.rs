//! The vendored documents: that they are what provenance.toml says, whole, and in canonical form.

use std::collections::BTreeMap;

use datagouv_specs::{Api, corrected, document};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[derive(serde::Deserialize)]
struct Provenance {
    file: String,
    sha256_file: String,
}

#[test]
fn each_file_matches_its_provenance() {
    let text = include_str!("../provenance.toml");
    let provenance: BTreeMap<String, Provenance> = toml::from_str(text).unwrap();
    assert_eq!(provenance.len(), Api::ALL.len());
    for api in Api::ALL {
        let recorded = &provenance[api.name()];
        assert_eq!(recorded.file, format!("{api}/{}", api.file_name()));
        let hash: String = Sha256::digest(api.document_text()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, recorded.sha256_file, "{api}");
    }
}

#[test]
fn each_file_is_in_canonical_form() {
    for api in Api::ALL {
        let text = document::canonical_text(&document::parse(api.document_text()).unwrap());
        assert!(text == api.document_text(), "{api} is not in canonical form");
    }
}

#[test]
fn the_documents_are_complete() {
    let count = |api: Api| {
        let document = document::parse(api.document_text()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let methods = ["get", "put", "post", "delete", "patch"];
        let operations: usize =
            paths.values().map(|item| methods.iter().filter(|method| item.get(**method).is_some()).count()).sum();
        let definitions = document.get("definitions").or_else(|| document.pointer("/components/schemas"));
        (operations, paths.len(), definitions.and_then(Value::as_object).unwrap().len())
    };
    assert_eq!(count(Api::Main), (247, 178, 181));
    assert_eq!(count(Api::MainV2), (36, 23, 59));
    assert_eq!(count(Api::Tabular).0, 8);
    assert_eq!(count(Api::Metrics).0, 3);
}

#[test]
fn every_overlay_applies_and_leaves_no_reference_dangling() {
    for api in Api::ALL {
        let document = corrected(api).unwrap();
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(!references.is_empty());
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{api}: {reference}");
        }
    }
}

#[test]
fn lists_in_random_order_are_sorted() {
    let dump = |values: Value, example: &str| {
        let task = json!({"properties": {"status": {"enum": values, "example": example}}});
        document::canonical_text(&json!({"definitions": {"Task": task}}))
    };
    assert_eq!(dump(json!(["B", "A"]), "B"), dump(json!(["A", "B"]), "A"));
    assert_ne!(dump(json!(["A"]), "A"), dump(json!(["A", "B"]), "A"));
    let search = |name: &str, values: Value| {
        let search =
            json!({"parameters": [{"in": "query", "name": "q"}, {"in": "query", "name": name, "enum": values}]});
        document::canonical_text(&json!({"paths": {"/datasets/search/": {"get": search}}}))
    };
    assert_eq!(
        search("producer_type", json!(["user", "company"])),
        search("producer_type", json!(["company", "user"]))
    );
    // The order of other lists is the author's.
    assert_ne!(search("sort", json!(["user", "company"])), search("sort", json!(["company", "user"])));
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                references.push(reference.clone());
            }
            object.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}
