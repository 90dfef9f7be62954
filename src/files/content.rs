//! Whether a file begins as its declared format does.

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use crate::{Error, Result};

/// How many of the first bytes are examined.
pub(super) const EXAMINED: usize = 1_024;

/// How much of an unexpected file an error shows.
const SHOWN: usize = 120;

/// The kind of content that a declared format promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Content {
    /// Anything, an HTML page too: the format is not declared, or is that of a page.
    #[default]
    Any,
    /// Data that is neither HTML, XML nor JSON, such as CSV or ZIP.
    Data,
    Json,
    Xml,
}

/// Formats as producers write them.
const DATA: [&str; 34] = [
    "csv", "tsv", "txt", "xls", "xlsx", "xlsm", "ods", "parquet", "arrow", "sqlite", "gpkg", "shp", "dbf", "mdb",
    "zip", "gz", "gzip", "7z", "rar", "tar", "tgz", "bz2", "xz", "zst", "pdf", "doc", "docx", "odt", "ppt", "pptx",
    "jpg", "jpeg", "png", "tif",
];
const JSON: [&str; 8] = ["json", "geojson", "topojson", "jsonl", "ndjson", "jsonld", "json-ld", "ijson"];
const XML: [&str; 8] = ["xml", "rdf", "kml", "gml", "gpx", "svg", "atom", "rss"];

impl Content {
    /// Returns what a format promises, such as `csv` or `.csv.gz`; else what the media type does.
    pub(super) fn declared(format: Option<&str>, mime: Option<&str>) -> Self {
        let format = format.unwrap_or_default().trim().to_ascii_lowercase();
        // The last part of `csv.gz` says how the file begins.
        let last = format.rsplit('.').next().unwrap_or_default();
        match last {
            format if DATA.contains(&format) => Self::Data,
            format if JSON.contains(&format) => Self::Json,
            format if XML.contains(&format) => Self::Xml,
            "" => Self::of_media_type(mime.unwrap_or_default()),
            _ => Self::Any,
        }
    }

    fn of_media_type(mime: &str) -> Self {
        let mime = essence(mime);
        match mime.as_str() {
            "text/csv" | "text/tab-separated-values" | "application/zip" | "application/gzip" | "application/pdf" => {
                Self::Data
            }
            "application/vnd.ms-excel" | "application/vnd.apache.parquet" => Self::Data,
            mime if mime.starts_with("application/vnd.openxmlformats-") => Self::Data,
            mime if mime.starts_with("application/vnd.oasis.opendocument.") => Self::Data,
            "application/json" | "application/geo+json" | "application/ld+json" => Self::Json,
            "application/xml" | "text/xml" | "application/rdf+xml" => Self::Xml,
            _ => Self::Any,
        }
    }

    /// Returns an error if the first bytes of a file show that it is no such content. `complete` says that they are all of
    /// it.
    pub(super) fn examine(self, first: &[u8], complete: bool, response: Examined<'_>) -> Result<()> {
        let Some(found) = self.contradiction(first, complete, response.headers) else { return Ok(()) };
        let login = looks_like_login(response.url, response.requested);
        let redirected = if login { " (redirected to a login page)" } else { "" };
        let shown = shown(first);
        let begins = if shown.is_empty() { String::new() } else { format!(", and begins with `{shown}`") };
        let message = format!("{found} came in place of the file{redirected}{begins}: `accept_any_content` accepts it");
        let (status, headers) = (response.status, response.headers.clone());
        Err(Error::unexpected_content(message, status, headers, first.to_vec().into()).of_file(response.url))
    }

    fn contradiction(self, first: &[u8], complete: bool, headers: &HeaderMap) -> Option<&'static str> {
        if self == Self::Any {
            return None;
        }
        if complete && first.is_empty() {
            return Some("nothing");
        }
        let text = leading_text(first);
        let is_html = ["<!doctype html", "<html", "<head>", "<body"].iter().any(|start| text.starts_with(start));
        // What services of maps and stores of objects respond with status 200.
        let is_exception = text.starts_with('<')
            && ["<serviceexceptionreport", "exceptionreport", "<error><code>"].iter().any(|mark| text.contains(mark));
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(essence);
        let is_json_object = text.starts_with('{') && media_type.is_some_and(|essence| essence.ends_with("json"));
        match () {
            () if is_html => Some("an HTML page"),
            () if is_exception => Some("an error report in XML"),
            () if is_json_object && self == Self::Data => Some("a JSON object"),
            () => None,
        }
    }
}

/// The response whose body is examined.
#[derive(Clone, Copy)]
pub(super) struct Examined<'a> {
    pub requested: &'a Url,
    /// After redirects.
    pub url: &'a Url,
    pub status: reqwest::StatusCode,
    pub headers: &'a HeaderMap,
}

/// The media type without its parameters, in lower case.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The beginning of a text in lower case, without a byte order mark and white space, in UTF-16 as well.
fn leading_text(first: &[u8]) -> String {
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    let wide = first.strip_prefix(b"\xff\xfe").or_else(|| first.strip_prefix(b"\xfe\xff"));
    let bytes: Vec<u8> = match wide {
        Some(wide) => wide.iter().copied().filter(|byte| *byte != 0).collect(),
        None => first.to_vec(),
    };
    String::from_utf8_lossy(&bytes).trim_start().to_ascii_lowercase()
}

fn shown(first: &[u8]) -> String {
    let text = String::from_utf8_lossy(first.get(..SHOWN).unwrap_or(first)).into_owned();
    text.trim().chars().flat_map(char::escape_debug).collect()
}

fn looks_like_login(url: &Url, requested: &Url) -> bool {
    let words = ["login", "signin", "sign-in", "sso", "oauth", "authenticate", "connexion"];
    let place = format!("{}{}", url.host_str().unwrap_or_default(), url.path()).to_ascii_lowercase();
    let mut segments = place.split(['/', '.', '-', '_']);
    url != requested && segments.any(|segment| words.contains(&segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contradiction(format: &str, content_type: &str, first: &[u8]) -> Option<&'static str> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type.parse().unwrap())]);
        Content::declared(Some(format), None).contradiction(first, first.len() < EXAMINED, &headers)
    }

    #[test]
    fn a_page_or_an_error_report_is_no_data() {
        let page = "\u{feff}\r\n<!DOCTYPE html><html><head><title>Request Rejected</title>";
        for format in ["csv", ".CSV", "csv.gz", "xlsx", "json", "kml", "zip"] {
            assert_eq!(contradiction(format, "text/html", page.as_bytes()), Some("an HTML page"), "{format}");
            assert_eq!(contradiction(format, "text/csv", b"<HTML>"), Some("an HTML page"), "{format}");
            assert_eq!(contradiction(format, "text/csv", b""), Some("nothing"), "{format}");
        }
        let report = br#"<?xml version="1.0"?><ows:ExceptionReport version="2.0.0"><ows:Exception/>"#;
        assert_eq!(contradiction("geojson", "text/xml", report), Some("an error report in XML"));
        let report = b"<?xml version='1.0'?>\n<ServiceExceptionReport>";
        assert_eq!(contradiction("gml", "application/vnd.ogc.se_xml", report), Some("an error report in XML"));
        let json = br#"{"error": "quota"}"#;
        assert_eq!(contradiction("csv", "application/json; charset=utf-8", json), Some("a JSON object"));
        let wide: Vec<u8> = b"\xff\xfe".iter().copied().chain(b"<html>".iter().flat_map(|byte| [*byte, 0])).collect();
        assert_eq!(contradiction("csv", "text/html", &wide), Some("an HTML page"));
    }

    #[test]
    fn data_under_a_wrong_label_is_accepted() {
        for (format, content_type, first) in [
            ("csv", "text/html; charset=utf-8", &b"code;nom\n1;a\n"[..]),
            ("csv", "application/octet-stream", b"{1};{2}\n"),
            ("xlsx", "application/zip", b"a;b\n"),
            ("csv", "text/csv", b"<5 ans;12\n"),
            ("json", "application/json", b"{}"),
            ("xml", "text/xml", b"<?xml version='1.0'?><error>not of the service</error>"),
            ("csv", "application/json", b"a,b\n"),
        ] {
            assert_eq!(contradiction(format, content_type, first), None, "{format} {content_type}");
        }
    }

    #[test]
    fn a_page_is_accepted_where_a_page_or_nothing_is_declared() {
        for format in ["html", "htm", "url", "web", "", "wms", "Document"] {
            assert_eq!(contradiction(format, "text/html", b"<!doctype html>"), None, "{format}");
        }
        assert_eq!(Content::declared(None, Some("text/csv; charset=utf-8")), Content::Data);
        assert_eq!(Content::declared(Some("html"), Some("text/csv")), Content::Any);
    }
}
