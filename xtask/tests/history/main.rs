//! The diff of what the catalogue's documents really were: those of four versions of its server.
//!
//! `udata-*.json` are extracts of them: a few paths, and all that these refer to. The feature `live` fetches the whole
//! documents, and proves that the extracts are extracts.

mod extract;
#[cfg(feature = "live")]
mod live;

use std::path::Path;

use datagouv_specs::Api;
use xtask::diff::change::{Change, Level, Release};
use xtask::diff::document::Document;
use xtask::diff::report::Report;
use xtask::diff::{Format, between, compare};
use xtask::source::{Loaded, load};

/// The versions, and when they came.
pub const VERSIONS: [&str; 4] = ["14.0.2", "15.4.1", "17.0.3", "17.18.0"];

/// An extract.
pub fn extract(version: &str) -> Loaded {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/history").join(format!("udata-{version}.json"));
    let loaded = load(&file.to_string_lossy()).unwrap();
    Loaded { name: format!("udata {version}"), api: Some(Api::Main), ..loaded }
}

/// What changed on the wire.
pub fn wire(old: &Loaded, new: &Loaded) -> Vec<Change> {
    let read = |loaded: &Loaded| Document::new(&loaded.name, loaded.parse().unwrap()).unwrap();
    compare(&read(old), &read(new)).unwrap()
}

/// The report of that.
pub fn wire_report(old: &Loaded, new: &Loaded) -> String {
    let changes = wire(old, new);
    let report = Report { old: old.name.clone(), new: new.name.clone(), changes, ..Report::default() };
    report.write(Format::Text, false)
}

/// The operations of the changes of some rules, as `METHOD path`.
pub fn operations(changes: &[Change], rules: &[&str]) -> Vec<String> {
    let of_rules = changes.iter().filter(|change| rules.contains(&change.id));
    let mut found: Vec<String> =
        of_rules.flat_map(|change| &change.operations).map(|it| format!("{} {}", it.method, it.path)).collect();
    found.sort();
    found
}

pub const REMOVED: [&str; 3] = ["operation-removed", "path-removed", "deprecated-operation-removed"];
pub const ADDED: [&str; 2] = ["operation-added", "path-added"];

/// What a program notices, as `id item`.
pub fn rust(old: &Loaded, new: &Loaded) -> Vec<String> {
    let report = between(old, new, Some(Api::Main)).unwrap();
    let found = report.changes.iter().flat_map(|change| &change.rust);
    found.map(|rust| format!("{} {}", rust.id, rust.item.trim_start_matches("datagouv::main::"))).collect()
}

#[test]
fn the_reports_of_the_extracts_are_those_that_were_reviewed() {
    for pair in VERSIONS.windows(2) {
        let [old, new] = pair else { continue };
        insta::assert_snapshot!(format!("extracts-{old}-{new}"), wire_report(&extract(old), &extract(new)));
    }
}

#[test]
fn api_keys_became_tokens_with_version_16() {
    let (old, new) = (extract("15.4.1"), extract("17.0.3"));
    let changes = wire(&old, &new);
    let expected = [
        "DELETE /discussions/{id}/comments/{cidx}/spam/",
        "DELETE /discussions/{id}/spam/",
        "DELETE /me/apikey/",
        "GET /pages/",
        "GET /pages/{page}/",
        "GET /spam/",
        "POST /me/apikey/",
        "POST /pages/",
        "PUT /pages/{page}/",
    ];
    assert_eq!(operations(&changes, &REMOVED), expected);
    let added = ["DELETE /me/api_tokens/{api_token}/", "GET /me/api_tokens/", "POST /me/api_tokens/"];
    let found = operations(&changes, &ADDED);
    assert!(added.iter().all(|operation| found.contains(&operation.to_string())), "{found:?}");
    let rust = rust(&old, &new);
    for expected in [
        "rust-method-removed Client::generate_apikey",
        "rust-method-removed Client::clear_apikey",
        "rust-method-added Client::create_api_token",
        "rust-type-removed types::ApiKey",
    ] {
        assert!(rust.contains(&expected.to_owned()), "{expected} in {rust:?}");
    }
}

#[test]
fn a_member_is_invited_since_version_15() {
    let (old, new) = (extract("14.0.2"), extract("15.4.1"));
    let changes = wire(&old, &new);
    assert_eq!(operations(&changes, &REMOVED), ["POST /organizations/{org}/member/{user}/"]);
    assert_eq!(operations(&changes, &ADDED), ["POST /organizations/{org}/membership/{id}/cancel/"]);
    assert!(rust(&old, &new).contains(&"rust-method-removed Client::create_organization_member".to_owned()));
}

#[test]
fn a_parameter_of_the_path_was_renamed_with_version_17() {
    let (old, new) = (extract("17.0.3"), extract("17.18.0"));
    let changes = wire(&old, &new);
    // The path is the same to the server, and no operation went or came with it.
    assert_eq!(operations(&changes, &["path-parameter-renamed"]), ["GET /harvest/job/{job}/"]);
    assert_eq!(operations(&changes, &REMOVED), [""; 0]);
    let added = ["DELETE /organizations/{org}/banner/", "POST /organizations/{org}/banner/"];
    assert_eq!(operations(&changes, &ADDED), added);
    // A program wrote `.ident(..)`.
    let rust = rust(&old, &new);
    assert!(rust.contains(&"rust-argument-renamed Client::get_harvest_job::job".to_owned()), "{rust:?}");
    assert!(rust.contains(&"rust-type-renamed types::PeriodicTask".to_owned()), "{rust:?}");
}

#[test]
fn a_version_against_itself_has_no_change() {
    for version in VERSIONS {
        let report = between(&extract(version), &extract(version), Some(Api::Main)).unwrap();
        assert!(report.changes.is_empty(), "{version}: {:?}", report.changes);
        assert_eq!(report.release, Some(Release::Patch));
    }
}

#[test]
fn back_in_time_what_was_added_is_removed() {
    for pair in VERSIONS.windows(2) {
        let [old, new] = pair else { continue };
        let (there, back) = (wire(&extract(old), &extract(new)), wire(&extract(new), &extract(old)));
        assert_eq!(operations(&there, &ADDED), operations(&back, &REMOVED), "{old} {new}");
        assert_eq!(operations(&there, &REMOVED), operations(&back, &ADDED), "{old} {new}");
        let breaking = |changes: &[Change]| changes.iter().any(|change| change.level == Level::Breaking);
        assert!(breaking(&there) && breaking(&back), "{old} {new}");
    }
}
