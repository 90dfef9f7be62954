//! Every operation of every corrected document is served, and its generated body satisfies its schema.

use std::collections::BTreeSet;

use datagouv_sandbox::Document;
use datagouv_sandbox::example::Style;
use datagouv_sandbox::response::{declared, declared_schema};
use datagouv_sandbox::route::Routes;
use datagouv_sandbox::validate::{Checker, Direction};

#[test]
fn a_generated_body_satisfies_its_schema() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    let mut largest = 0;
    for document in Document::corrected().expect("the corrected documents") {
        let routes = Routes::new(&document);
        for operation in routes.operations() {
            let Some(schema) = declared_schema(&document, operation) else {
                continue;
            };
            for style in [Style::Full, Style::Nulls, Style::Minimal] {
                let reply = declared(&document, operation, style, "application/json");
                let body = serde_json::from_slice(&reply.body).expect("a made body is JSON");
                checked += 1;
                largest = largest.max(reply.body.len());
                if let Err(mismatch) = Checker::new(&document, Direction::Response).check(schema, &body) {
                    wrong.push(format!("{} {} {style:?}: {mismatch}", document.api(), operation.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(checked > 0);
    assert!(largest < 1 << 16, "{largest} bytes are no small example");
}

#[test]
fn operation_ids_are_unique() {
    for document in Document::corrected().expect("the corrected documents") {
        let routes = Routes::new(&document);
        let ids: Vec<&str> = routes.operations().map(|operation| operation.id.as_str()).collect();
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len(), "{}", document.api());
    }
}

#[test]
fn the_scenarios_of_behaviours_md_run_against_the_sandbox() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).expect("a file");
    let listed = read("../tests/live/sandbox.txt");
    let table = read("src/behaviours.md");
    let named: Vec<&str> = table.split('`').filter(|word| word.contains("::")).collect();
    assert!(named.len() > 20);
    for scenario in named {
        assert!(listed.lines().any(|line| line == scenario), "`{scenario}` is not in tests/live/sandbox.txt");
    }
}
