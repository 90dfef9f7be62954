//! What several tests need.

use serde_json::Value;

/// The pointers to all values of a document.
pub fn pointers(value: &Value, pointer: &str, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    let mut below = |token: &str, child| {
        let token = token.replace('~', "~0").replace('/', "~1");
        pointers(child, &format!("{pointer}/{token}"), found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, child)| below(name, child)),
        Value::Array(list) => list.iter().enumerate().for_each(|(index, child)| below(&index.to_string(), child)),
        _ => {}
    }
}
