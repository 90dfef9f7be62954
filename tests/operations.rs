//! `docs/operations.md` says of every operation whether it is sent again.
//!
//! `UPDATE=1 cargo test --test operations` writes the page anew.

use std::collections::HashMap;
use std::path::Path;

use datagouv::Operation;

const INTRODUCTION: &str = "\
# Every operation, and whether it is sent again

A request that fails in a way that may pass is sent again where the operation is *idempotent*: sent twice, it does what it does
once. The table says which are: `Operation::is_idempotent` derives it from the method, by HTTP's definition, and knows the
exceptions. What is not idempotent is sent once, unless the caller says otherwise (`Call::repeatable`). `RetryPolicy` tells after
which failures, how often and how fast.

The exceptions: a comment of a discussion may be named by its place, which is another's as soon as it is deleted, so a second
deletion would take the next one; and the code that an identity provider gives is exchanged once.

This page is written by `tests/operations.rs`, which keeps it true.
";

fn apis() -> [(&'static str, &'static [Operation]); 4] {
    [
        ("main", datagouv::main::OPERATIONS),
        ("main_v2", datagouv::main_v2::OPERATIONS),
        ("tabular", datagouv::tabular::OPERATIONS),
        ("metrics", datagouv::metrics::OPERATIONS),
    ]
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (module, operations) in apis() {
        page += &format!("\n## `client.{module}()`\n\n| Operation | Method | Path | Idempotent |\n|---|---|---|---|\n");
        for operation in operations {
            let idempotent = if operation.is_idempotent() { "yes" } else { "no" };
            let Operation { name, method, path, .. } = operation;
            page += &format!("| `{name}` | {method} | `{path}` | {idempotent} |\n");
        }
    }
    page
}

#[test]
fn the_page_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let current = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &current).unwrap();
    }
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(written == current, "docs/operations.md is not current: run UPDATE=1 cargo test --test operations");
}

#[test]
fn only_posts_patches_and_the_known_exceptions_are_not_idempotent() {
    let mut by_method: HashMap<&str, Vec<&str>> = HashMap::new();
    for operation in apis().iter().flat_map(|(_, operations)| *operations).filter(|one| !one.is_idempotent()) {
        by_method.entry(operation.method).or_default().push(operation.path);
    }
    assert_eq!(by_method["DELETE"], ["/discussions/{id}/comments/{cidx}/"]);
    assert_eq!(by_method["GET"], ["/geopf/auth", "/proconnect/auth"]);
    let mut methods: Vec<&str> = by_method.into_keys().collect();
    methods.sort_unstable();
    assert_eq!(methods, ["DELETE", "GET", "PATCH", "POST"]);
}
