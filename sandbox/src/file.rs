//! Files of the sandbox, the targets of redirects and resources; served whole or in ranges.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use http::HeaderMap;

use crate::request::header;
use crate::response::{Reply, SAMPLE_FILE, sample};

/// A file and its media type.
#[derive(Debug, Clone)]
pub(crate) struct File {
    content_type: String,
    data: Bytes,
    /// A strong validator that changes with the bytes.
    tag: String,
}

/// The files that are served, by path.
pub(crate) type Files = BTreeMap<String, File>;

/// The files that every sandbox has.
pub(crate) fn samples() -> BTreeMap<String, File> {
    let file = File::new("text/csv", sample("text/csv"));
    BTreeMap::from([(SAMPLE_FILE.to_owned(), file)])
}

impl File {
    pub(crate) fn new(content_type: &str, data: impl Into<Bytes>) -> Self {
        let data = data.into();
        let mut hasher = DefaultHasher::new();
        data.hash(&mut hasher);
        Self { content_type: content_type.to_owned(), data, tag: format!("\"{:016x}\"", hasher.finish()) }
    }

    pub(crate) fn reply(&self, method: &str, headers: &HeaderMap) -> Reply {
        if !matches!(method, "GET" | "HEAD") {
            return Reply::empty(405).with_header("allow", "GET, HEAD");
        }
        let tag = &self.tag;
        let length = self.data.len();
        let dress = |reply: Reply| reply.with_header("etag", tag.as_str()).with_header("accept-ranges", "bytes");
        if header(headers, "if-none-match") == *tag {
            return dress(Reply::empty(304));
        }
        let condition = header(headers, "if-range");
        let range = Some(header(headers, "range")).filter(|_| condition.is_empty() || condition == *tag);
        match range.and_then(|range| range.strip_prefix("bytes=")).map(|range| bounds(range, length)) {
            Some(Some((first, end))) => {
                let part = self.data.slice(first..end);
                dress(Reply::new(206, &self.content_type, part))
                    .with_header("content-range", format!("bytes {first}-{}/{length}", end - 1))
            }
            Some(None) => dress(Reply::empty(416)).with_header("content-range", format!("bytes */{length}")),
            None => dress(Reply::new(200, &self.content_type, self.data.clone())),
        }
    }
}

/// First byte and the one after the last of a single range (RFC 9110, section 14.1.2).
fn bounds(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.split_once('-')?;
    let (first, end) = match (first.trim(), last.trim()) {
        ("", suffix) => (length.saturating_sub(suffix.parse().ok()?), length),
        (first, "") => (first.parse().ok()?, length),
        (first, last) => (first.parse().ok()?, last.parse::<usize>().ok()?.saturating_add(1).min(length)),
    };
    (first < end).then_some((first, end))
}

#[cfg(test)]
mod tests {
    use super::bounds;

    #[test]
    fn ranges_are_cut_to_the_file_or_refused() {
        assert_eq!(bounds("0-3", 10), Some((0, 4)));
        assert_eq!(bounds("4-", 10), Some((4, 10)));
        assert_eq!(bounds("-3", 10), Some((7, 10)));
        assert_eq!(bounds("5-99", 10), Some((5, 10)));
        assert_eq!(bounds("10-", 10), None);
        assert_eq!(bounds("4-2", 10), None);
        assert_eq!(bounds("a-b", 10), None);
        assert_eq!(bounds("0-18446744073709551615", 10), Some((0, 10)));
    }
}
