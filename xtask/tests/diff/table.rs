//! The table of the rules.

use std::collections::BTreeSet;

use xtask::diff::rules::RULES;

use super::{operation_rules, schema_rules};

#[test]
fn every_rule_has_a_trigger_and_a_near_miss() {
    let mut tested: BTreeSet<String> = operation_rules::cases().iter().map(|case| case.rule.to_owned()).collect();
    for case in schema_rules::cases() {
        tested.extend(["request", "response"].map(|way| format!("{way}-{}", case.rule)));
    }
    let table: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(tested, table);
}

#[test]
fn names_are_kebab_case_and_distinct() {
    let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(names.len(), RULES.len());
    for name in names {
        assert!(name.chars().all(|it| it.is_ascii_lowercase() || it == '-'), "{name}");
        assert!(!name.starts_with('-') && !name.ends_with('-') && !name.contains("--"), "{name}");
    }
}
