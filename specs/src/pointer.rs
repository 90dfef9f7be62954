//! The tokens of a JSON pointer (RFC 6901).

/// A name as a token of a pointer.
///
/// ```
/// assert_eq!(datagouv_specs::pointer::escape("/datasets/~me"), "~1datasets~1~0me");
/// ```
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The name that a token of a pointer stands for.
///
/// ```
/// assert_eq!(datagouv_specs::pointer::unescape("~1datasets~1~0me"), "/datasets/~me");
/// ```
pub fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}
