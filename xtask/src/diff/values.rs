//! Values in sentences.

use serde_json::Value;

/// A value in a sentence, cut where it is long.
pub fn display(value: &Value) -> String {
    // A backtick would end the code that the value stands in.
    let text = value.to_string().replace('`', "'");
    if text.chars().count() <= 60 {
        return format!("`{text}`");
    }
    format!("`{}…`", text.chars().take(59).collect::<String>())
}
