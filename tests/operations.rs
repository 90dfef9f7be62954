//! Checks that `docs/operations.md` lists every operation and whether it is retried.
//!
//! `UPDATE=1 cargo test -p datagouv-tests --test operations` rewrites the page.

use std::collections::HashMap;
use std::path::Path;

use datagouv::Operation;

const INTRODUCTION: &str = "\
# Operations, and which of them are retried

A request that fails in a way that may be temporary is sent again if its operation is *idempotent*: sending it twice has the same
effect as sending it once. `Operation::is_idempotent` derives this from the HTTP method (RFC 9110, section 9.2.2), with the exceptions
below. Other operations are sent once, unless the caller allows more with `Call::repeatable`. `RetryPolicy` decides which failures
count as temporary, how many attempts are made and how long to wait between them.

Exceptions: `delete_discussion_comment`, because a comment may be addressed by its index, which belongs to the next comment as soon as
the first is deleted; `geopf_auth` and `get_proconnect_auth_api`, because the code of an identity provider can be exchanged once.

`tests/operations.rs` generates this page and checks it.
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
fn the_page_of_operations_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let current = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &current).unwrap();
    }
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        written == current,
        "docs/operations.md is not current: run UPDATE=1 cargo test -p datagouv-tests --test operations"
    );
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
