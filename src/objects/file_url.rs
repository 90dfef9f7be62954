//! URLs of files, as people write them.

use reqwest::Url;

use crate::transport::error::masked;
use crate::{Error, Result};

/// Parses the URL of a file to download. Spaces within it are encoded, as browsers do.
///
/// The error says what was probably meant where the URL is escaped as HTML (`&amp;`) or has no scheme.
#[cfg(feature = "files")]
pub(crate) fn parse(text: &str) -> Result<Url> {
    checked(text.trim())
}

/// Checks the URL of a file that is to be published. It is published as it is written, so that spaces are an error too.
pub(super) fn check_published(text: &str) -> Result<()> {
    if text.contains(char::is_whitespace) {
        let meant = masked(&text.trim().replace(char::is_whitespace, "%20"));
        let text = masked(text);
        return Err(Error::request(format!("the URL `{text}` contains spaces: probably `{meant}` is meant")));
    }
    checked(text).map(drop)
}

fn checked(text: &str) -> Result<Url> {
    if text.contains("&amp;") {
        let meant = masked(&text.replace("&amp;", "&"));
        let text = masked(text);
        return Err(Error::request(format!("the URL `{text}` is escaped as HTML: probably `{meant}` is meant")));
    }
    let meant = |text: &str| format!(": probably `https://{}` is meant", masked(text));
    let shown = masked(text);
    let url = Url::parse(text).map_err(|error| {
        let is_host = text.split(['/', '?', ':']).next().is_some_and(|host| host.contains('.') && !host.contains(' '));
        let hint = match text.strip_prefix("//") {
            Some(rest) => meant(rest),
            None if is_host => meant(text),
            None => String::new(),
        };
        Error::request(format!("`{shown}` is not a URL{hint}")).with_source(error)
    })?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        // What looks like a scheme is the host, before its port.
        host if host.contains('.') => Err(Error::request(format!("the URL `{shown}` has no scheme{}", meant(text)))),
        scheme => Err(Error::request(format!("a file cannot be at a URL of `{scheme}`: use http or https"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        check_published(text).unwrap_err().to_string()
    }

    #[test]
    fn an_error_says_which_url_was_probably_meant() {
        for (text, meant) in [
            ("https://example.org/wfs?a=1&amp;b=2", "https://example.org/wfs?a=1&b=2"),
            ("www.example.org/a.csv", "https://www.example.org/a.csv"),
            ("//example.org/a.csv", "https://example.org/a.csv"),
            ("example.org:8080/a.csv", "https://example.org:8080/a.csv"),
            ("https://example.org/a file.csv", "https://example.org/a%20file.csv"),
            (" https://example.org/a.csv", "https://example.org/a.csv"),
        ] {
            let error = refused(text);
            assert!(error.contains(&format!("probably `{meant}` is meant")), "{error}");
        }
        for text in [
            "https://example.org/wfs?a=1&amp;api_key=hidden",
            "example.org/a.csv?token=hidden",
            "example.org:80/a.csv?sig=hidden",
            "https://example.org/a b?password=hidden",
        ] {
            assert!(!refused(text).contains("hidden"), "{}", refused(text));
        }
        assert!(refused("a.csv is there").contains("spaces"));
        assert_eq!(refused("no-host"), "`no-host` is not a URL");
        assert!(refused("ftp://example.org/a.csv").contains("use http or https"));
        check_published("https://example.org/a%20b.csv?x=1&y=é").unwrap();
    }

    #[cfg(feature = "files")]
    #[test]
    fn spaces_are_encoded_where_a_file_is_downloaded() {
        assert_eq!(parse(" http://example.org/a b.csv\n").unwrap().as_str(), "http://example.org/a%20b.csv");
    }
}
