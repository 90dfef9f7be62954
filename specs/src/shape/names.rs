//! Names: from what a document calls a thing to what Rust can call it.

use std::collections::BTreeSet;

use heck::{ToSnakeCase, ToUpperCamelCase};

/// Words that Rust keeps for itself, and those that the generated builders need.
const RESERVED: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "union",
];

/// The name of a field or method: snake case, an underscore added where Rust keeps the word.
pub fn snake(name: &str) -> String {
    let mut snake = name.to_snake_case();
    if snake.is_empty() {
        snake = "empty".to_owned();
    }
    if snake.starts_with(|first: char| first.is_ascii_digit()) {
        snake.insert(0, '_');
    }
    let snake = ascii(&snake);
    if RESERVED.contains(&snake.as_str()) { format!("{snake}_") } else { snake }
}

/// The name of a type: upper camel case.
pub fn camel(name: &str) -> String {
    let camel = ascii(&name.to_upper_camel_case());
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

/// The method name of an operation. An id that is no name carries the route after `_api_/` or the first
/// slash; what stands before is the name.
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
    fn a_word_of_the_language_gets_an_underscore() {
        assert_eq!(snake("type"), "type_");
        assert_eq!(snake("public-service"), "public_service");
        assert_eq!(snake("2x"), "_2x");
    }

    #[test]
    fn variants_of_opposite_orders_differ() {
        assert_eq!(variant("created"), "Created");
        assert_eq!(variant("-created"), "CreatedDescending");
        assert_eq!(variant("unknown"), "UnknownValue");
        assert_eq!(variant(""), "Empty");
    }
}
