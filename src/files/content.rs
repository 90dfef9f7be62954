//! Whether a file begins as its declared format does.

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How many of the first bytes are examined.
pub(super) const EXAMINED: usize = 1_024;

/// How much of an unexpected file an error shows.
const SHOWN: usize = 120;

/// The kind of content that a declared format promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    /// Anything: the format is that of a page, or the caller accepts all.
    Any,
    /// The format is not declared or not known: anything but the login page that a redirect led to.
    #[default]
    Unknown,
    /// Data that is neither HTML, XML nor JSON, such as CSV or ZIP.
    Data,
    /// The same, compressed: a content coding of gzip is that of the file itself.
    Gzip,
    /// The same of zstd.
    Zstd,
    /// Tables of Excel: many programs export HTML under this name, and Excel opens it.
    Excel,
    /// Text of any kind, but not a page.
    Text,
    Json,
    Xml,
}

/// Formats as producers write them.
const DATA: [&str; 46] = [
    "csv", "tsv", "xlsx", "xlsm", "ods", "parquet", "arrow", "feather", "sqlite", "gpkg", "shp", "dbf", "mdb", "gtfs",
    "mbtiles", "pmtiles", "kmz", "netcdf", "nc", "grib", "grib2", "las", "laz", "ttl", "n3", "nt", "zip", "7z", "rar",
    "tar", "bz2", "xz", "pdf", "doc", "docx", "odt", "ppt", "pptx", "jpg", "jpeg", "png", "tif", "tiff", "geotiff",
    "jp2", "gif",
];
const JSON: [&str; 8] = ["json", "geojson", "topojson", "jsonl", "ndjson", "jsonld", "json-ld", "ijson"];
const XML: [&str; 9] = ["xml", "rdf", "kml", "gml", "gpx", "svg", "atom", "rss", "netex"];

impl Content {
    /// Returns what a format promises, such as `csv` or `.csv.gz`; else what the media type does.
    pub(super) fn declared(format: Option<&str>, mime: Option<&str>) -> Self {
        let format = format.unwrap_or_default().trim().to_ascii_lowercase();
        // The last part of `csv.gz` says how the file begins.
        let last = format.rsplit('.').next().unwrap_or_default();
        match last {
            format if DATA.contains(&format) => Self::Data,
            "gz" | "gzip" | "tgz" => Self::Gzip,
            "zst" | "zstd" => Self::Zstd,
            "xls" => Self::Excel,
            "txt" => Self::Text,
            format if JSON.contains(&format) => Self::Json,
            format if XML.contains(&format) => Self::Xml,
            "" => Self::of_media_type(mime.unwrap_or_default()),
            "html" | "htm" | "xhtml" | "url" | "web" => Self::Any,
            _ => Self::Unknown,
        }
    }

    fn of_media_type(mime: &str) -> Self {
        let mime = essence(mime);
        match mime.as_str() {
            "text/csv" | "text/tab-separated-values" | "application/zip" | "application/pdf" => Self::Data,
            "application/gzip" | "application/x-gzip" => Self::Gzip,
            "application/zstd" => Self::Zstd,
            "application/vnd.ms-excel" => Self::Excel,
            "application/vnd.apache.parquet" => Self::Data,
            mime if mime.starts_with("application/vnd.openxmlformats-") => Self::Data,
            mime if mime.starts_with("application/vnd.oasis.opendocument.") => Self::Data,
            "application/json" | "application/geo+json" | "application/ld+json" => Self::Json,
            "application/xml" | "text/xml" | "application/rdf+xml" => Self::Xml,
            "text/html" | "application/xhtml+xml" => Self::Any,
            _ => Self::Unknown,
        }
    }

    /// Returns an error if the first bytes of a file show that it is no such content. `complete` says that they are all of
    /// it.
    pub(super) fn examine(self, first: &[u8], complete: bool, response: Examined<'_>) -> Result<()> {
        let login = looks_like_login(response.url, response.requested);
        if self == Self::Unknown && !login {
            return Ok(());
        }
        let Some(found) = self.contradiction(first, complete, response.headers) else { return Ok(()) };
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
            return (self != Self::Unknown).then_some("nothing");
        }
        let text = leading_text(first);
        let media_type =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(essence).unwrap_or_default();
        let is_excel = text.contains("<table") || text.contains("schemas-microsoft-com");
        let is_html = is_html(&text, &media_type) && !(self == Self::Excel && is_excel);
        // Mislabelled data of maps is data all the same.
        let is_json_object =
            text.starts_with('{') && media_type.ends_with("json") && !text.contains("featurecollection");
        match () {
            () if is_html => Some("an HTML page"),
            () if self == Self::Unknown => None,
            () if is_exception_report(&text) => Some("an error report in XML"),
            () if is_error_object(&text) => Some("an error report in JSON"),
            () if is_json_object && matches!(self, Self::Data | Self::Gzip | Self::Zstd | Self::Excel) => {
                Some("a JSON object")
            }
            () => None,
        }
    }
}

/// Returns whether a text in lower case is an HTML page: it begins as one, or with an element of HTML where the response
/// says so too.
fn is_html(text: &str, media_type: &str) -> bool {
    let root = root(text);
    let begins = |element: &str| {
        let rest = root.strip_prefix('<').and_then(|root| root.strip_prefix(element));
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == ':' || next == '-'))
    };
    let labelled = ["a", "br", "div", "font", "h1", "iframe", "meta", "p", "script", "style", "table", "title"];
    root.starts_with("<!doctype html")
        || ["html", "head", "body"].iter().any(|element| begins(element))
        || matches!(media_type, "text/html" | "application/xhtml+xml") && labelled.iter().any(|element| begins(element))
}

/// The text from its first element on, after XML declarations, comments and white space.
fn root(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        let end = match () {
            () if text.starts_with("<?") => "?>",
            () if text.starts_with("<!--") => "-->",
            () => return text,
        };
        match text.split_once(end) {
            Some((_, rest)) => text = rest,
            None => return text,
        }
    }
}

/// Returns whether a text in lower case is the report of services of maps or of stores of objects, with status 200.
fn is_exception_report(text: &str) -> bool {
    let Some(element) = root(text).strip_prefix('<') else { return false };
    let name = element.split(|letter: char| letter.is_whitespace() || matches!(letter, '>' | '/')).next();
    let name = name.and_then(|name| name.rsplit(':').next()).unwrap_or_default();
    matches!(name, "serviceexceptionreport" | "exceptionreport") || element.starts_with("error><code>")
}

/// Returns whether a text in lower case is the error of ArcGIS servers, with status 200.
fn is_error_object(text: &str) -> bool {
    let packed: String = text.chars().filter(|letter| !letter.is_whitespace()).take(20).collect();
    packed.starts_with("{\"error\":{\"code\":")
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
        for (format, media_type, page) in [
            ("xls", "text/html", "<html><head><title>Request Rejected</title>"),
            ("xml", "text/html", "<?xml version=\"1.0\"?>\n<!-- x --><!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0\">"),
            ("json", "text/html", "<script>location = '/'</script>"),
            ("txt", "text/html", "<meta http-equiv=\"refresh\">"),
        ] {
            assert_eq!(contradiction(format, media_type, page.as_bytes()), Some("an HTML page"), "{page}");
        }
        let report = b"{\n \"error\" : {\"code\" : 400, \"message\": \"Invalid URL\"}}";
        assert_eq!(contradiction("geojson", "application/json", report), Some("an error report in JSON"));
        assert_eq!(contradiction("csv", "text/xml", b"<Error><Code>NoSuchKey</Code>"), Some("an error report in XML"));
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
            // Tables of Excel in HTML.
            ("xls", "text/html", b"<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><head>"),
            ("xls", "application/vnd.ms-excel", b"<html><body><table><tr>"),
            ("csv", "text/plain", b"<b>1</b>;2\n"),
            ("csv", "text/html", b"<alpha>;2\n"),
            ("shp", "application/geo+json", b"{\"type\": \"FeatureCollection\", \"features\": []}"),
            ("txt", "application/json", b"{\"a\": 1}"),
            ("json", "application/json", b"{\"error\": null, \"rows\": 3}"),
            ("json", "application/json", b"{\"errors\": []}"),
            ("xml", "text/xml", b"<schema location=\"http://example.org/owsExceptionReport.xsd\"/>"),
        ] {
            assert_eq!(contradiction(format, content_type, first), None, "{format} {content_type}");
        }
    }

    #[test]
    fn a_page_is_accepted_where_a_page_or_nothing_is_declared() {
        let (status, headers) = (reqwest::StatusCode::OK, HeaderMap::new());
        let accepts = |format: &str, url: &str, first: &[u8]| {
            let (requested, url) = ("https://example.org/a".parse().unwrap(), url.parse().unwrap());
            let examined = Examined { requested: &requested, url: &url, status, headers: &headers };
            Content::declared(Some(format), None).examine(first, true, examined).is_ok()
        };
        for (format, is_page) in [("html", true), ("htm", true), ("url", true), ("", false), ("wms", false)] {
            assert!(accepts(format, "https://example.org/b", b"<!doctype html>"), "{format}");
            // The page of a login, to which a redirect led.
            assert_eq!(accepts(format, "https://sso.example.org/login", b"<!doctype html>"), is_page, "{format}");
            assert!(accepts(format, "https://sso.example.org/login", b"a;b\n"), "{format}");
            assert!(accepts(format, "https://sso.example.org/login", b""), "{format}");
        }
        assert_eq!(Content::declared(None, Some("text/html")), Content::Any);
        assert_eq!(Content::declared(None, Some("text/csv; charset=utf-8")), Content::Data);
        assert_eq!(Content::declared(Some("html"), Some("text/csv")), Content::Any);
    }
}
