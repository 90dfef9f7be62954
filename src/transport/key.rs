//! The API key: where it may go.

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Request, Url};
use secrecy::{ExposeSecret, SecretString};

use super::address::is_loopback;
use super::host::same_origin;
use crate::{Error, Result};

pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The platform's key of a user.
pub(crate) struct Key {
    secret: SecretString,
    /// Whether it may go over http to a host that is not this machine.
    insecure: bool,
}

impl Key {
    pub(crate) fn new(secret: SecretString, insecure: bool) -> Result<Self> {
        let key = Self { secret, insecure };
        key.header()?;
        Ok(key)
    }

    fn header(&self) -> Result<HeaderValue> {
        // The source would show what the characters are next to.
        let mut value = HeaderValue::from_str(self.secret.expose_secret())
            .map_err(|_| Error::request("the API key holds characters that a header cannot"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Puts the key on a request to the API's own origin (scheme, host and port) and paths, and takes it off
    /// all others.
    pub(super) fn authenticate(key: Option<&Self>, base: &Url, request: &mut Request) -> Result<()> {
        request.headers_mut().remove(API_KEY);
        let url = request.url();
        let within = |_: &&Self| same_origin(url, base) && below(url.path(), base.path());
        let Some(key) = key.filter(within) else { return Ok(()) };
        if url.scheme() != "https" && !is_loopback(url) && !key.insecure {
            return Err(Error::request(format!(
                "the API key is not sent over {} to {}: use https",
                url.scheme(),
                url.host_str().unwrap_or_default()
            )));
        }
        request.headers_mut().insert(API_KEY, key.header()?);
        Ok(())
    }
}

/// Whether a path is below a base path, at a segment's border.
pub(super) fn below(path: &str, base: &str) -> bool {
    path.strip_prefix(base.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::*;

    fn goes_to(url: &str, base: &str) -> Result<bool> {
        let key = Key::new("udata_secret".into(), false)?;
        let mut request = Request::new(Method::GET, url.parse().unwrap());
        request.headers_mut().insert(API_KEY, HeaderValue::from_static("stale"));
        Key::authenticate(Some(&key), &base.parse().unwrap(), &mut request)?;
        Ok(match request.headers().get(API_KEY) {
            Some(value) => {
                assert!(value == "udata_secret" && value.is_sensitive());
                true
            }
            None => false,
        })
    }

    #[test]
    fn the_key_is_sent_only_to_its_own_origin_and_paths() {
        let base = "https://www.data.gouv.fr/api/1";
        assert!(goes_to("https://www.data.gouv.fr/api/1/me/", base).unwrap());
        for other in [
            "https://www.data.gouv.fr/api/2/me/",
            "https://www.data.gouv.fr/api/10/me/",
            "https://www.data.gouv.fr/",
            "https://www.data.gouv.fr:8443/api/1/me/",
            "http://www.data.gouv.fr/api/1/me/",
            "https://data.gouv.fr/api/1/me/",
            "https://www.data.gouv.fr.example.org/api/1/me/",
            "https://www.data.gouv.fr/api/1/../2/me/",
        ] {
            assert!(!goes_to(other, base).unwrap(), "{other}");
        }
    }

    #[test]
    fn the_key_is_sent_over_http_only_to_this_machine() {
        assert!(goes_to("http://127.0.0.1:7000/api/1/me/", "http://127.0.0.1:7000/api/1").unwrap());
        let error = goes_to("http://udata.example.org/api/1/me/", "http://udata.example.org/api/1").unwrap_err();
        assert!(error.to_string().contains("use https"), "{error}");
    }

    #[test]
    fn a_key_with_a_line_break_is_refused_without_being_shown() {
        let error = Key::new("udata_secret\r\nX-Other: b".into(), false).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("udata_secret"));
    }

    #[test]
    fn a_base_path_ends_at_a_segment() {
        assert!(below("/api/1/datasets/", "/api/1"));
        assert!(below("/api/1", "/api/1/"));
        assert!(!below("/api/10/datasets/", "/api/1"));
        assert!(!below("/avatars/x.png", "/api/1"));
    }
}
