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
}
