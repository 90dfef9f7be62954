//! Rust names for the names of a document.

use std::collections::BTreeSet;

use heck::{ToSnakeCase, ToUpperCamelCase};

/// Keywords of Rust, sorted.
const RESERVED: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The name of a field or method: snake case, an underscore added to keywords.
pub fn snake(name: &str) -> String {
    let mut snake = if is_snake(name) { name.to_owned() } else { ascii(&name.to_snake_case()) };
    if snake.is_empty() {
        snake = "empty".to_owned();
    }
    if snake.starts_with(|first: char| first.is_ascii_digit()) {
        snake.insert(0, '_');
    }
    if RESERVED.binary_search(&snake.as_str()).is_ok() {
        snake.push('_');
    }
    snake
}

/// The name of a type: upper camel case.
pub fn camel(name: &str) -> String {
    let camel = if is_snake(name) {
        capitalized(name)
    } else if is_camel(name) {
        name.to_owned()
    } else {
        ascii(&name.to_upper_camel_case())
    };
    match camel.chars().next() {
        None => "Empty".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("V{camel}"),
        Some(_) => camel,
    }
}

/// The name of an enum's variant. A leading minus is the platform's way to say "in descending order".
pub fn variant(value: &str) -> String {
    let name = match value.strip_prefix('-') {
        Some(rest) if !rest.is_empty() => format!("{}Descending", camel(rest)),
        _ => camel(value),
    };
    // `Unknown` holds what the document does not name.
    match name.as_str() {
        "Unknown" => "UnknownValue".to_owned(),
        "Self" => "Self_".to_owned(),
        _ => name,
    }
}

/// The method name of an operation. Some ids contain the route after `_api_/` or the first slash; the
/// name is the part before.
pub fn operation(operation_id: &str) -> String {
    let name = match operation_id.find('/') {
        Some(slash) => operation_id[..slash].trim_end_matches('_').trim_end_matches("_api"),
        None => operation_id,
    };
    snake(name)
}

/// A name that is free: itself, or with the first number that makes it so.
pub fn free(name: String, taken: &BTreeSet<String>) -> String {
    if !taken.contains(&name) {
        return name;
    }
    (2..).map(|number| format!("{name}{number}")).find(|candidate| !taken.contains(candidate)).unwrap_or(name)
}

/// Whether a name is in snake case and of ASCII: most are, and need not go through `heck`, which is slow where it is not
/// optimized, as in the build of a client.
fn is_snake(name: &str) -> bool {
    let mut before = b'_';
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => {}
            b'_' if before != b'_' => {}
            _ => return false,
        }
        before = byte;
    }
    before != b'_'
}

/// Whether a name is in upper camel case and of ASCII letters, each capital followed by a small one.
fn is_camel(name: &str) -> bool {
    let mut needs_small = false;
    let mut is_first = true;
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' if !is_first => needs_small = false,
            b'A'..=b'Z' if !needs_small => needs_small = true,
            _ => return false,
        }
        is_first = false;
    }
    !(is_first || needs_small)
}

/// A name in snake case, in upper camel case.
fn capitalized(snake: &str) -> String {
    let mut camel = String::with_capacity(snake.len());
    let mut starts = true;
    for letter in snake.chars() {
        if letter == '_' {
            starts = true;
        } else {
            camel.push(if starts { letter.to_ascii_uppercase() } else { letter });
            starts = false;
        }
    }
    camel
}

fn ascii(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_carries_its_route_is_cut_before_it() {
        assert_eq!(operation("get_datasets_csv_api_/organizations/<org:org>/datasets.csv"), "get_datasets_csv");
        assert_eq!(operation("getResourceDataCsv"), "get_resource_data_csv");
        assert_eq!(operation("get_topics_api"), "get_topics_api");
    }

    #[test]
    fn a_keyword_gets_an_underscore() {
        assert_eq!(snake("type"), "type_");
        assert_eq!(snake("public-service"), "public_service");
        assert_eq!(snake("2x"), "_2x");
    }

    /// Every name of up to five of these letters, and some longer ones.
    #[test]
    fn the_fast_path_gives_what_heck_gives() {
        let mut names = vec![String::new()];
        let mut longest = names.clone();
        for _ in 0..5 {
            longest = longest
                .iter()
                .flat_map(|name| "abAB1_-é".chars().map(move |letter| format!("{name}{letter}")))
                .collect();
            names.extend_from_slice(&longest);
        }
        let longer = ["dataset_page", "a__b", "a_", "_a", "v2_api", "2_x", "DatasetPage", "CSVFile", "AaB", "in-reply"];
        names.extend(longer.map(str::to_owned));
        let mut short = 0;
        for name in &names {
            if is_snake(name) {
                assert_eq!(*name, name.to_snake_case());
                assert_eq!(capitalized(name), name.to_upper_camel_case(), "{name}");
                short += 1;
            }
            if is_camel(name) {
                assert_eq!(*name, name.to_upper_camel_case());
                short += 1;
            }
        }
        assert!(short > 100, "{short} of {}", names.len());
    }

    #[test]
    fn the_keywords_are_sorted() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn variants_of_opposite_orders_differ() {
        assert_eq!(variant("created"), "Created");
        assert_eq!(variant("-created"), "CreatedDescending");
        assert_eq!(variant("unknown"), "UnknownValue");
        assert_eq!(variant(""), "Empty");
    }
}
