//! The validators of a file, by which its server recognises later whether the file is still the same.

use reqwest::header::{HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use serde::{Deserialize, Serialize};

use super::Downloaded;

/// The validators of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validators {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
}

impl Validators {
    pub(crate) fn of(file: &Downloaded) -> Self {
        Self { etag: file.etag.clone(), last_modified: file.last_modified.clone() }
    }

    /// The headers of a request for the file if it has changed.
    pub(super) fn conditions(&self) -> Vec<(HeaderName, HeaderValue)> {
        let header =
            |name: HeaderName, value: &Option<String>| Some((name, HeaderValue::from_str(value.as_ref()?).ok()?));
        // Servers that support entity tags ignore a date sent along with one (RFC 9110, 13.1.3).
        let conditions = [header(IF_NONE_MATCH, &self.etag), header(IF_MODIFIED_SINCE, &self.last_modified)];
        conditions.into_iter().flatten().collect()
    }
}
