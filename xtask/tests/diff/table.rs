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

#[test]
fn the_policy_has_the_levels_of_the_rules() {
    let text = include_str!("../../../docs/diff-policy.md");
    let mut verdicts = 0;
    for line in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| case")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, others, ours, reason] = cells.as_slice() else { panic!("{line}") };
        assert!(!others.is_empty() && reason.ends_with('.'), "{line}");
        if *ours == "none" {
            continue;
        }
        let (id, level) = ours.split_once("` (").unwrap();
        let rule = RULES.iter().find(|rule| rule.id == id.trim_start_matches('`')).unwrap_or_else(|| panic!("{ours}"));
        assert_eq!(rule.level.name(), level.trim_end_matches(')'), "{ours}");
        verdicts += 1;
    }
    assert!(verdicts > 20);
}

#[test]
fn the_faults_of_documents_are_documented() {
    let text = include_str!("../../../docs/documents.md");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `") && line.contains("` | ")).collect();
    for rule in datagouv_specs::faults::RULES {
        let row = format!("| `{}` | {} | {} |", rule.id, rule.level.name(), rule.text);
        assert!(rows.contains(&row.as_str()), "docs/documents.md has not: {row}");
    }
}
