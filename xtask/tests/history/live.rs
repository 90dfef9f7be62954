//! The whole documents, as each version of the package gives them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use datagouv_specs::Api;
use datagouv_specs::document::canonical_text;
use xtask::diff::between;
use xtask::diff::change::{Change, Level, Release};
use xtask::source::{Loaded, load};

use crate::{ADDED, REMOVED, VERSIONS, extract, operations, rust, wire, wire_report};

/// A version's document, asked for once.
fn whole(version: &str) -> Loaded {
    static ALL: LazyLock<BTreeMap<&str, Loaded>> =
        LazyLock::new(|| VERSIONS.into_iter().map(|version| (version, fetch(version))).collect());
    ALL[version].clone()
}

/// In canonical form: some lists have another order at each start of the server.
fn fetch(version: &str) -> Loaded {
    let loaded = load(&format!("udata:{version}")).unwrap();
    let text = canonical_text(&loaded.parse().unwrap());
    Loaded { bytes: text.into_bytes(), ..loaded }
}

#[test]
fn each_version_gives_the_document_of_its_time() {
    let count = |version: &str| {
        let document = whole(version).parse().unwrap();
        let paths = document["paths"].as_object().unwrap();
        let methods = ["get", "put", "post", "delete", "patch"];
        let operations = paths.values().flat_map(|item| methods.iter().filter(|method| item.get(**method).is_some()));
        (paths.len(), operations.count(), document["definitions"].as_object().unwrap().len())
    };
    assert_eq!(VERSIONS.map(count), [(154, 220, 123), (162, 228, 135), (163, 230, 152), (178, 247, 181)]);
}

/// With `DATAGOUV_EXTRACT=1` the extracts are written anew.
#[test]
fn the_extracts_are_extracts_of_the_documents() {
    for version in VERSIONS {
        let text = extract::extract(&whole(version).parse().unwrap());
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/history/udata-{version}.json"));
        if std::env::var_os("DATAGOUV_EXTRACT").is_some() {
            fs::write(&file, &text).unwrap();
        }
        assert!(fs::read_to_string(&file).unwrap() == text, "{version}");
    }
}

#[test]
fn the_same_version_gives_the_same_document() {
    for version in VERSIONS {
        assert!(fetch(version).bytes == whole(version).bytes, "{version}");
    }
}

#[test]
fn removals_and_additions_match_the_changelogs() {
    let of = |old: &str, new: &str, rules: &[&str]| operations(&wire(&whole(old), &whole(new)), rules);
    assert_eq!(of("14.0.2", "15.4.1", &REMOVED), ["POST /organizations/{org}/member/{user}/"]);
    let removed = of("15.4.1", "17.0.3", &REMOVED);
    assert_eq!(removed.len(), 9, "{removed:?}");
    assert_eq!(of("17.0.3", "17.18.0", &REMOVED), [""; 0]);
    let added = of("17.0.3", "17.18.0", &ADDED);
    assert_eq!(added.len(), 17, "{added:?}");
    assert_eq!(added.iter().filter(|operation| operation.contains("/geopf/")).count(), 8, "{added:?}");
    assert_eq!(added.iter().filter(|operation| operation.contains("/banner/")).count(), 2, "{added:?}");
}

#[test]
fn the_reports_are_those_that_were_reviewed() {
    for (index, old) in VERSIONS.iter().enumerate() {
        for new in VERSIONS.iter().skip(index + 1) {
            insta::assert_snapshot!(format!("whole-{old}-{new}"), wire_report(&whole(old), &whole(new)));
        }
    }
}

#[test]
fn a_program_of_each_version_needs_changes_for_the_next() {
    for pair in VERSIONS.windows(2) {
        let [old, new] = pair else { continue };
        let report = between(&whole(old), &whole(new), Some(Api::Main)).unwrap();
        assert_eq!(report.release, Some(Release::Major), "{old} {new}");
        let breaking = |changes: &[Change]| changes.iter().filter(|it| it.level == Level::Breaking).count();
        assert!(breaking(&report.changes) > 0);
    }
    let found = rust(&whole("17.0.3"), &whole("17.18.0"));
    for expected in [
        "rust-argument-renamed Client::get_harvest_job::job",
        "rust-argument-renamed Client::list_harvest_job_items::job",
        "rust-argument-type-widened Client::list_reuses::tag",
        "rust-argument-required-added Client::put_job_api::body",
        "rust-constructor-changed types::HarvestSourceInput::new",
        "rust-type-renamed types::PeriodicTask",
    ] {
        assert!(found.contains(&expected.to_owned()), "{expected}");
    }
    assert_eq!(found.iter().filter(|change| change.starts_with("rust-method-added")).count(), 17);
    assert!(!found.iter().any(|change| change.starts_with("rust-method-removed")), "{found:?}");
}

#[test]
fn the_vendored_documents_are_those_of_their_version() {
    for (source, api) in [("udata:17.18.0", Api::Main), ("udata:17.18.0:main-v2", Api::MainV2)] {
        let text = canonical_text(&load(source).unwrap().parse().unwrap());
        assert!(text == api.document_text(), "{source}");
    }
}
