//! Whether the files of a release agree.

use crate::repository::Repository;

/// A repository in which 0.1.1 is about to be released, and everything agrees.
fn agreeing() -> Repository {
    let repository = Repository::released();
    repository.raise("0.1.1");
    repository
}

/// What is found after one edit.
fn after(path: &str, from: &str, to: &str) -> Vec<String> {
    let repository = agreeing();
    repository.edit(path, from, to);
    repository.findings()
}

#[test]
fn the_newest_section_is_that_of_the_version() {
    assert_eq!(
        after("CHANGELOG.md", "## 0.1.1", "## 0.1.2"),
        ["CHANGELOG.md:3: the newest section is of 0.1.2, and the version of Cargo.toml is 0.1.1"]
    );
    assert_eq!(after("CHANGELOG.md", "\nMore.\n", ""), ["CHANGELOG.md:3: the section is empty"]);
}

#[test]
fn sections_of_what_was_released_are_there_and_say_so() {
    assert_eq!(
        after("CHANGELOG.md", "0.1.0 (2026-11-01)", "0.1.0 (unreleased)"),
        [
            "CHANGELOG.md:7: 0.1.0 was released, and its section says that it was not",
            "CHANGELOG.md:7: a section before the newest is marked as unreleased",
        ]
    );
    assert_eq!(
        after("CHANGELOG.md", "## 0.1.0 (2026-11-01)\n", ""),
        ["CHANGELOG.md:1: there is no section for 0.1.0, which was released"]
    );
    assert_eq!(
        after("CHANGELOG.md", "## 0.1.0 (2026-11-01)", "## 0.2.0 (2026-11-01)\n\n## 0.1.0 (2026-11-01)"),
        ["CHANGELOG.md:7: the section of 0.2.0 stands after that of 0.1.1"]
    );
}

#[test]
fn crates_and_their_dependencies_on_each_other_have_one_version() {
    assert_eq!(
        after("Cargo.toml", "\"specs\", version = \"0.1.1\"", "\"specs\", version = \"0.1.0\""),
        ["Cargo.toml:25: `datagouv-specs` is required as 0.1.0, and has the version 0.1.1"]
    );
    assert_eq!(
        after("Cargo.toml", "\"specs\", version = \"0.1.1\"", "\"specs\""),
        ["Cargo.toml:25: `datagouv-specs` is required without a version: the crate cannot be published"]
    );
    assert_eq!(
        after("specs/Cargo.toml", "version.workspace = true", "version = \"0.1.0\""),
        ["specs/Cargo.toml:3: the version is 0.1.0, and that of the workspace 0.1.1"]
    );
}

#[test]
fn snippets_name_a_version_features_and_a_repository_that_are_there() {
    assert_eq!(
        after("README.md", "version = \"0.1\"", "version = \"0.2\""),
        ["README.md:7: `datagouv = \"0.2\"` is not met by the version 0.1.1"]
    );
    assert_eq!(
        after("README.md", "[\"arrow\"] }", "[\"parquet\"] }"),
        ["README.md:7: `datagouv` has no feature `parquet`"]
    );
    assert_eq!(
        after("README.md", "version = \"0.1\"", "git = \"https://example.org/other\""),
        [
            "README.md:7: `datagouv` is from https://example.org/other, and the repository is https://example.org/datagouv"
        ]
    );
}

#[test]
fn the_table_of_features_has_all_that_are_for_users() {
    assert_eq!(after("README.md", "| `arrow`, ", "| "), ["README.md:12: the table has no feature `arrow`"]);
    assert_eq!(after("README.md", "`gzip`", "`zip`"), ["README.md:13: the crate has no feature `zip`"]);
}

#[test]
fn the_compiler_is_that_of_the_manifest() {
    assert_eq!(
        after("Cargo.toml", "rust-version = \"1.88\"", "rust-version = \"1.90\""),
        ["README.md:3: Rust 1.88 is not what the manifest asks for (1.90)"]
    );
}

#[test]
fn docs_rs_shows_every_feature_that_is_for_users_and_no_other() {
    assert_eq!(
        after("Cargo.toml", "features = [\"arrow\"]", "features = []"),
        ["Cargo.toml:28: docs.rs does not show the feature `arrow`"]
    );
    assert_eq!(
        after("Cargo.toml", "features = [\"arrow\"]", "features = [\"arrow\", \"old\"]"),
        ["Cargo.toml:28: docs.rs is to build the feature `old`, which the crate has not"]
    );
    assert_eq!(
        after("Cargo.toml", "features = [\"arrow\"]", "all-features = true"),
        ["Cargo.toml:27: docs.rs is to build all features, among them `_round-trip`, which is not for users"]
    );
}

#[test]
fn a_crate_that_is_never_published_needs_no_versions() {
    let repository = agreeing();
    let tool = "[package]\nname = \"tool\"\n\n[dependencies]\ndatagouv = { path = \"..\" }\n";
    repository.write("tool/Cargo.toml", tool);
    assert_eq!(repository.findings(), [""; 0]);
    // With a version it could be.
    repository.write("tool/Cargo.toml", &tool.replace("\n\n", "\nversion = \"0.1.1\"\n\n"));
    assert_eq!(
        repository.findings(),
        ["tool/Cargo.toml:6: `datagouv` is required without a version: the crate cannot be published"]
    );
    repository.write("tool/Cargo.toml", &tool.replace("\n\n", "\nversion = \"0.1.1\"\npublish = false\n\n"));
    assert_eq!(repository.findings(), [""; 0]);
    // What a workspace of its own says of it counts.
    let member = "[package]\nname = \"program\"\nversion.workspace = true\npublish.workspace = true\n\n";
    repository.write("tool/Cargo.toml", "[workspace]\n\n[workspace.package]\nversion = \"0.2.0\"\npublish = false\n");
    repository
        .write("tool/program/Cargo.toml", &format!("{member}[dependencies]\ndatagouv = {{ path = \"../..\" }}\n"));
    assert_eq!(repository.findings(), [""; 0]);
}
