//! What a program notices, reported with its cause.

use std::collections::BTreeSet;
use std::path::Path;

use datagouv_specs::Api;
use xtask::diff::change::{Change, Level, Release};
use xtask::diff::{between, rust};
use xtask::source::{Loaded, load};

/// An extract of what a version of the server says.
fn extract(version: &str) -> Loaded {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/history").join(format!("udata-{version}.json"));
    load(&file.to_string_lossy()).unwrap()
}

fn of_rule<'c>(changes: &'c [Change], id: &str) -> Vec<&'c Change> {
    changes.iter().filter(|change| change.id == id).collect()
}

#[test]
fn a_method_goes_with_its_operation() {
    let report = between(&extract("15.4.1"), &extract("17.0.3"), Some(Api::Main)).unwrap();
    let gone = of_rule(&report.changes, "path-removed");
    assert_eq!(gone.len(), 9);
    for change in gone {
        let rules: Vec<&str> = change.rust.iter().map(|rust| rust.id).collect();
        assert_eq!(rules, ["rust-method-removed"], "{}", change.text);
    }
    assert!(of_rule(&report.changes, "rust-method-removed").is_empty());
    assert_eq!(report.release, Some(Release::Major));
}

#[test]
fn a_renamed_parameter_breaks_programs_and_not_the_wire() {
    let report = between(&extract("17.0.3"), &extract("17.18.0"), Some(Api::Main)).unwrap();
    let renamed = of_rule(&report.changes, "path-parameter-renamed");
    assert_eq!(renamed.len(), 1);
    assert_eq!(renamed[0].rust[0].id, "rust-argument-renamed");
    assert_eq!((renamed[0].level, renamed[0].worst()), (Level::Warning, Level::Breaking));
}

#[test]
fn what_a_program_notices_is_told_once() {
    let (old, new) = (extract("17.0.3"), extract("17.18.0"));
    let report = between(&old, &new, Some(Api::Main)).unwrap();
    let axis = rust::between(Api::Main, (&old, &old.parse().unwrap()), (&new, &new.parse().unwrap())).unwrap();
    let mut told: Vec<String> =
        report.changes.iter().flat_map(|change| &change.rust).map(|it| it.text.clone()).collect();
    let mut found: Vec<String> = axis.changes.into_iter().map(|change| change.text).collect();
    told.sort();
    found.sort();
    assert_eq!(told, found);
    // What the contract does not show is a change of its own, of the same id and level.
    let alone: BTreeSet<&str> =
        report.changes.iter().filter(|change| change.id.starts_with("rust-")).map(|change| change.id).collect();
    assert!(!alone.is_empty());
    for change in report.changes.iter().filter(|change| change.id.starts_with("rust-")) {
        assert_eq!((change.rust.len(), change.rust[0].id), (1, change.id));
        assert_eq!(change.level == Level::Breaking, change.rust[0].breaking);
    }
}

#[test]
fn documents_of_no_known_api_have_no_rust_axis() {
    let plain = |text: &str| Loaded { api: None, bytes: text.as_bytes().to_vec(), ..extract("17.0.3") };
    let text = r#"{"openapi": "3.0.3", "info": {"title": "things", "version": "1"}, "paths": {}}"#;
    let report = between(&plain(text), &plain(text), None).unwrap();
    assert_eq!((report.release, report.changes.len(), report.notes.len()), (None, 0, 0));
}
