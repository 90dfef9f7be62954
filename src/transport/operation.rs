//! What can be called, as data.

/// An operation of one of the APIs, as its document describes it and this build can call it.
///
/// ```
/// # #[cfg(feature = "tabular")] {
/// let rows = datagouv::tabular::OPERATIONS.iter().find(|operation| operation.name == "get_resource_data").unwrap();
/// assert_eq!((rows.method, rows.path), ("GET", "/api/resources/{rid}/data/"));
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The document's `operationId`.
    pub operation_id: &'static str,
    /// The name of its method on the API's client.
    pub name: &'static str,
    /// The HTTP method, in capitals.
    pub method: &'static str,
    /// The path template, below the base URL.
    pub path: &'static str,
    /// The document's tag; empty where it has none.
    pub tag: &'static str,
    /// The media type of the request's body, where it has one.
    pub request: Option<&'static str>,
    /// The media type of the answer, where it has one.
    pub response: Option<&'static str>,
    /// Whether it answers page by page: its builder has `pages` and `items`.
    pub paginated: bool,
    /// Whether the fields of the answer can be chosen: its builder has `fields` and `fields_raw`.
    pub masked: bool,
}

/// What HTTP's definition takes for idempotent and the platform does not: method and path.
const ONCE: [(&str, &str); 3] = [
    // A comment may be named by its place in the discussion, which is another's as soon as it is gone.
    ("DELETE", "/discussions/{id}/comments/{cidx}/"),
    // The code that an identity provider gives is exchanged once.
    ("GET", "/geopf/auth"),
    ("GET", "/proconnect/auth"),
];

impl Operation {
    /// Whether sending it twice is as good as sending it once: by HTTP's definition (RFC 9110, section 9.2.2)
    /// all but POST and PATCH, less the few of which the platform makes something else. Only these are sent
    /// again after a failure ([`RetryPolicy`](crate::RetryPolicy)).
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        !matches!(self.method, "POST" | "PATCH") && !self.is_exception()
    }

    /// Whether its method promises what it does not keep.
    pub(crate) fn is_exception(&self) -> bool {
        ONCE.contains(&(self.method, self.path))
    }
}

/// What [`Client::request`](crate::Client::request) sends: no operation of a document.
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
