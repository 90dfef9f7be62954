//! The operations of the APIs, as data.

/// An operation of one of the APIs.
///
/// The constant `OPERATIONS` of each API's module lists those of this build.
///
/// ```
/// # #[cfg(feature = "tabular")] {
/// let mut operations = datagouv::tabular::OPERATIONS.iter();
/// let rows = operations.find(|operation| operation.name == "get_resource_data").unwrap();
/// assert_eq!((rows.method, rows.path), ("GET", "/api/resources/{rid}/data/"));
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The `operationId` in the API's document.
    pub operation_id: &'static str,
    /// The name of its method on the API's client (`get_dataset`).
    pub name: &'static str,
    /// The HTTP method, in capitals.
    pub method: &'static str,
    /// The path template, relative to the base URL.
    pub path: &'static str,
    /// The first tag in the API's document, empty if there is none. Tags of the catalogue are Cargo features.
    pub tag: &'static str,
    /// The media type of the request body, if there is one.
    pub request: Option<&'static str>,
    /// The media type of the response body, if there is one.
    pub response: Option<&'static str>,
    /// Whether the response is a page of a list; the builder then has `pages` and `items`.
    pub paginated: bool,
    /// Whether the operation takes a mask; the builder then has `fields` and `fields_raw`.
    pub masked: bool,
}

/// Operations that are idempotent by HTTP's definition, and not on the platform: method and path.
const ONCE: [(&str, &str); 3] = [
    // A comment may be addressed by its index, which belongs to the next comment as soon as the first is deleted.
    ("DELETE", "/discussions/{id}/comments/{cidx}/"),
    // The code of an identity provider can be exchanged once.
    ("GET", "/geopf/auth"),
    ("GET", "/proconnect/auth"),
];

impl Operation {
    /// Returns whether sending it twice has the same effect as sending it once: all but POST and PATCH (RFC 9110, section
    /// 9.2.2), except for a few operations of the platform. Only idempotent operations are retried
    /// ([`RetryPolicy`](crate::RetryPolicy)).
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        !matches!(self.method, "POST" | "PATCH") && !self.is_exception()
    }

    /// Returns whether the operation is not idempotent although its method is.
    pub(crate) fn is_exception(&self) -> bool {
        ONCE.contains(&(self.method, self.path))
    }
}

/// The operation of [`Client::request`](crate::Client::request).
pub(crate) static UNDECLARED: Operation = Operation {
    operation_id: "request",
    name: "request",
    method: "",
    path: "",
    tag: "",
    request: None,
    response: None,
    paginated: false,
    masked: false,
};
