//! Error messages in the bodies of responses.

use serde_json::Value;

use super::Error;

/// A field that the server refused, and why; see [`Error::field_errors`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// The path of the field (`schema.name`).
    pub field: String,
    /// The server's message.
    pub message: String,
}

impl Error {
    /// Returns the server's message, from any of the forms of error bodies that the platform uses. `None` if there was no
    /// response, or its body has no message.
    #[must_use]
    pub fn server_message(&self) -> Option<String> {
        let body = self.body()?;
        let Ok(json) = serde_json::from_slice::<Value>(body) else {
            let text = String::from_utf8_lossy(body);
            let text = text.trim();
            // HTML pages are for browsers: the status says more.
            return (!text.is_empty() && !text.starts_with('<')).then(|| text.to_owned());
        };
        let text = |key: &str| json.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        text("message").or_else(|| text("error")).or_else(|| database_message(&json)).or_else(|| {
            let fields: Vec<String> =
                self.field_errors().into_iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
            (!fields.is_empty()).then(|| fields.join("; "))
        })
    }

    /// Returns the fields that the server refused, in the order of the response.
    ///
    /// ```
    /// fn explain(error: &datagouv::Error) {
    ///     for refused in error.field_errors() {
    ///         println!("{}: {}", refused.field, refused.message);
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn field_errors(&self) -> Vec<FieldError> {
        let mut found = Vec::new();
        if let Some(errors @ Value::Object(_)) = self.body_json().as_ref().and_then(|json| json.get("errors")) {
            collect_field_errors("", errors, &mut found);
        }
        found
    }
}

/// Reads `{"errors": {field: text, texts or nested}}`.
fn collect_field_errors(field: &str, value: &Value, found: &mut Vec<FieldError>) {
    match value {
        Value::Object(nested) => {
            for (name, value) in nested {
                let name = if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
                collect_field_errors(&name, value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_field_errors(field, value, found)),
        Value::String(message) => found.push(FieldError { field: field.to_owned(), message: message.clone() }),
        Value::Null => {}
        other => found.push(FieldError { field: field.to_owned(), message: other.to_string() }),
    }
}

/// Reads `{"errors": [{"code", "title", "detail"}]}` of the tabular and metrics APIs.
fn database_message(json: &Value) -> Option<String> {
    let first = json.get("errors")?.as_array()?.first()?;
    let title = first.get("title").and_then(Value::as_str);
    let detail = first.get("detail");
    let of_detail = |key: &str| detail?.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let message = detail.and_then(Value::as_str).or_else(|| of_detail("message"));
    let mut message_text = match (title, message) {
        (Some(title), Some(message)) => format!("{title}: {message}"),
        (title, message) => title.or(message)?.to_owned(),
    };
    for more in [of_detail("details"), of_detail("hint")].into_iter().flatten() {
        message_text.push_str("; ");
        message_text.push_str(more.trim_end_matches('.'));
    }
    Some(message_text)
}

/// Returns the error code of the database behind the tabular and metrics APIs (SQLSTATE, or a code of PostgREST).
pub(super) fn database_code(json: &Value) -> Option<&str> {
    json.get("errors")?.as_array()?.first()?.get("detail")?.get("code")?.as_str()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    use super::*;

    fn failure(body: &str) -> Error {
        Error::status_failure(StatusCode::BAD_REQUEST, HeaderMap::new(), Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn every_error_body_of_the_servers_is_understood() {
        for (body, message) in [
            (r#"{"message": "Invalid API token"}"#, "Invalid API token"),
            (r#"{"errors": {"title": ["Ce champ est requis."]}}"#, "title: Ce champ est requis."),
            (r#"{"errors": {"name": "Field is required"}, "message": "ValidationError"}"#, "ValidationError"),
            (r#"{"error": "Not found", "status": 404}"#, "Not found"),
            (r#"{"success": false, "error": "Missing file parameter", "message": ""}"#, "Missing file parameter"),
            (
                r#"{"errors": [{"code": null, "title": "Output is too long", "detail": "more than 50000 rows"}]}"#,
                "Output is too long: more than 50000 rows",
            ),
            (
                r#"{"errors": [{"code": "x", "title": "Database error", "detail": {"code": "42703", "message": "no column"}}]}"#,
                "Database error: no column",
            ),
            (
                r#"{"errors": [{"code": null, "title": "Database error", "detail": {"code": "42703", "details": null,
                    "hint": "Perhaps you meant to reference the column \"t.nom\".", "message": "column t.nm does not exist"}}]}"#,
                "Database error: column t.nm does not exist; Perhaps you meant to reference the column \"t.nom\"",
            ),
            ("404: Not Found", "404: Not Found"),
        ] {
            assert_eq!(failure(body).server_message().as_deref(), Some(message), "{body}");
        }
        assert_eq!(failure("<!doctype html><title>405</title>").server_message(), None);
    }

    #[test]
    fn nested_fields_are_named_with_their_parents() {
        let error = failure(r#"{"errors": {"schema": {"name": ["unknown"]}, "scopes": {"0": "bad"}}}"#);
        let fields: Vec<(String, String)> =
            error.field_errors().into_iter().map(|error| (error.field, error.message)).collect();
        assert_eq!(
            fields,
            [("schema.name".to_owned(), "unknown".to_owned()), ("scopes.0".to_owned(), "bad".to_owned())]
        );
    }
}
