//! Names of components: what OpenAPI 3 allows, and what becomes of the others.

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || ".-_".contains(character)
}

/// Whether a component may have this name.
pub(crate) fn is_valid(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_allowed)
}

/// A valid name: what is not allowed becomes `_`.
pub(crate) fn clean(original: &str) -> String {
    let mut name = String::new();
    for character in original.chars() {
        if is_allowed(character) {
            name.push(character);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    match name.trim_matches('_') {
        "" => "_".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}
