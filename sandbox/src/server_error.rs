//! Errors as the real servers word them.

use http::StatusCode;
use serde_json::{Value, json};

use crate::Api;
use crate::response::Reply;

/// An error of the platform, with the body that the real servers send for it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datagouv::Result<()> {
/// use datagouv_sandbox::{Sandbox, ServerError};
///
/// let platform = Sandbox::start_platform().await;
/// let refused = ServerError::fields([("title", "Ce champ est requis.")]);
/// platform.on(|client| client.main().create_dataset()).error(refused);
/// platform.on(|client| client.main().get_dataset()).error(ServerError::gone());
///
/// let client = platform.client();
/// assert!(client.dataset("trees").get().await.unwrap_err().is_gone());
/// # let trees = datagouv::main::types::DatasetInput::new("Trees", "Elms and oaks.");
/// let error = client.main().create_dataset().body(trees).send().await.unwrap_err();
/// assert_eq!(error.field_errors().first().map(|error| error.field.as_str()), Some("title"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    NotFound,
    Gone,
    Unauthorized,
    InvalidKey,
    Forbidden(String),
    Fields(Vec<(String, String)>),
    RequestTooLong,
    OutputTooLong,
    Aggregation,
    Status(u16),
}

impl ServerError {
    /// 404: there is no such object.
    #[must_use]
    pub fn not_found() -> Self {
        Self(Kind::NotFound)
    }

    /// 410: the object was deleted.
    #[must_use]
    pub fn gone() -> Self {
        Self(Kind::Gone)
    }

    /// 401: the operation needs an API key.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self(Kind::Unauthorized)
    }

    /// 401: the API key is unknown or revoked.
    #[must_use]
    pub fn invalid_key() -> Self {
        Self(Kind::InvalidKey)
    }

    /// 403: the user of the API key lacks the permission.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::forbidden_because("You do not have the permission to modify that object.")
    }

    /// 403, with a message.
    #[must_use]
    pub fn forbidden_because(message: impl Into<String>) -> Self {
        Self(Kind::Forbidden(message.into()))
    }

    /// 400: fields of the body are invalid, each with a reason.
    #[must_use]
    pub fn fields<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(Kind::Fields(fields.into_iter().map(|(field, reason)| (field.to_owned(), reason.to_owned())).collect()))
    }

    /// 400 of the tabular and the metrics API: path and query are longer than 8,190 bytes.
    #[must_use]
    pub fn request_too_long() -> Self {
        Self(Kind::RequestTooLong)
    }

    /// 403 of the tabular and the metrics API: an export would have more than 50,000 rows.
    #[must_use]
    pub fn output_too_long() -> Self {
        Self(Kind::OutputTooLong)
    }

    /// 403 of the tabular API: the resource is not one of those that may be aggregated.
    #[must_use]
    pub fn aggregation_refused() -> Self {
        Self(Kind::Aggregation)
    }

    /// Another status, with its name as the message.
    #[must_use]
    pub fn status(status: u16) -> Self {
        match status {
            401 => Self::unauthorized(),
            403 => Self::forbidden(),
            404 => Self::not_found(),
            410 => Self::gone(),
            status => Self(Kind::Status(status)),
        }
    }

    /// The response of an API.
    #[must_use]
    pub fn reply(&self, api: Api) -> Reply {
        let rows = matches!(api, Api::Tabular | Api::Metrics);
        let message = |status: u16, text: &str| Reply::json(status, &json!({"message": text}));
        let plain = |status: u16, text: &str| Reply::new(status, "text/plain; charset=utf-8", text.to_owned());
        match &self.0 {
            Kind::NotFound if api == Api::Tabular => plain(404, "404: Not Found"),
            Kind::NotFound if api == Api::Metrics => {
                let text = "Could not find the table 'metric.nowhere' in the schema cache";
                let detail = json!({"code": "PGRST205", "details": null, "hint": null, "message": text});
                refusal(404, "Database error", detail)
            }
            Kind::NotFound => message(404, NOT_FOUND),
            Kind::Gone if rows => plain(
                410,
                "Resource 00000000-0000-4000-8000-000000000000 has been permanently deleted on \
                 2026-01-01T00:00:00.000000+00:00 by its producer. Contact the resource producer to get more \
                 information.",
            ),
            Kind::Gone => message(410, "Dataset has been deleted"),
            Kind::Unauthorized => message(401, UNAUTHORIZED).with_header("www-authenticate", "Bearer realm=\"uData\""),
            Kind::InvalidKey => {
                message(401, "Invalid API token").with_header("www-authenticate", "Bearer realm=\"uData\"")
            }
            Kind::Forbidden(text) => message(403, text),
            Kind::Fields(fields) => {
                let mut errors = serde_json::Map::new();
                for (field, reason) in fields {
                    let reasons = errors.entry(field).or_insert_with(|| json!([]));
                    if let Some(reasons) = reasons.as_array_mut() {
                        reasons.push(json!(reason));
                    }
                }
                Reply::json(400, &json!({"errors": errors}))
            }
            Kind::RequestTooLong => plain(400, "Got more than 8190 bytes when reading"),
            Kind::OutputTooLong => {
                let text = "The output has more than 50000 rows, please consider downloading the source file directly";
                refusal(403, "Output is too long", json!(text))
            }
            Kind::Aggregation => {
                let text = "Aggregation parameters `count` are not allowed for resource \
                            '00000000-0000-4000-8000-000000000000'";
                refusal(403, "Unauthorized parameters", json!(text))
            }
            Kind::Status(500) if rows => plain(500, "500 Internal Server Error\n\nServer got itself in trouble"),
            Kind::Status(status) => {
                let name = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
                message(*status, name.unwrap_or("Unknown"))
            }
        }
    }
}

/// The message of the catalogue for an unknown URL. The real one continues with similar URLs.
pub(crate) const NOT_FOUND: &str = "The requested URL was not found on the server. If you entered the URL manually \
                                    please check your spelling and try again.";

/// The message of the catalogue for a request without an API key.
pub(crate) const UNAUTHORIZED: &str = "The server could not verify that you are authorized to access the URL \
                                       requested. You either supplied the wrong credentials (e.g. a bad password), \
                                       or your browser doesn't understand how to supply the credentials required.";

fn refusal(status: u16, title: &str, detail: Value) -> Reply {
    Reply::new(
        status,
        "application/json; charset=utf-8",
        json!({"errors": [{"code": null, "title": title, "detail": detail}]}).to_string(),
    )
}
