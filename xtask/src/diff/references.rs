//! References within a document.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The target of a reference.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The value.
    pub value: &'a Value,
    /// The pointer of the last reference followed; `None` if there was none.
    pub pointer: Option<&'a str>,
}

/// Follows references; `None` if one cannot be resolved, leaves the document, or is part of a cycle.
pub fn follow<'a>(root: &'a Value, value: &'a Value) -> Option<Target<'a>> {
    let mut target = Target { value, pointer: None };
    let mut seen = Vec::new();
    while let Some(reference) = reference(target.value) {
        if seen.contains(&reference) {
            return None;
        }
        seen.push(reference);
        target = Target { value: lookup(root, reference)?, pointer: reference.strip_prefix('#') };
    }
    Some(target)
}

/// The text of a reference.
pub fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}

/// Looks up a pointer in a URI fragment (RFC 6901, section 6).
fn lookup<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    root.pointer(pointer).or_else(|| {
        let decoded = percent_decode_str(pointer).decode_utf8().ok()?;
        root.pointer(&decoded)
    })
}
