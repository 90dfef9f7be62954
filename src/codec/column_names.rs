//! The names of columns in the headers of CSV files.

use std::collections::HashSet;

/// The names of the columns: those that are there twice have a number (`a`, `a.1`), as on the platform, and those without
/// a name that of their place (`column_3`).
pub(crate) fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    let mut taken = HashSet::new();
    for (index, name) in names.enumerate() {
        let name = if name.is_empty() { format!("column_{}", index + 1) } else { name.to_owned() };
        let mut candidate = name.clone();
        let mut number = 0;
        while !taken.insert(candidate.clone()) {
            number += 1;
            candidate = format!("{name}.{number}");
        }
        unique.push(candidate);
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_are_unique() {
        assert_eq!(unique(["a", "", "a", "a.1", "a"].into_iter()), ["a", "column_2", "a.1", "a.1.1", "a.2"]);
    }
}
