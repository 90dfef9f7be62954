//! Files of the same name that are uploaded within a second.
//!
//! The server stores a file under `<slug of the dataset>/<YYYYMMDD-HHMMSS>/<name>` before it creates the resource. If that
//! name exists already, the second upload fails with a bare 500, and nothing was created.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::DATE;
use serde_json::Value;

use super::super::checksum::Checksum;
use super::target::has_file;
use crate::Error;

/// A file that was stored in the second in which an upload failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Twin {
    /// It is another file: the upload failed because of its name.
    Other,
    /// It has the same content, so that it may be the result of the upload.
    Same,
}

pub(super) fn is_internal(error: &Error) -> bool {
    error.status() == Some(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Looks for the twin of a file whose upload failed after `elapsed`, by the clock of the server.
pub(super) fn find(
    there: &[Value],
    error: &Error,
    elapsed: Duration,
    name: &str,
    size: u64,
    checksum: &Checksum,
) -> Option<Twin> {
    let date = error.headers()?.get(DATE)?.to_str().ok()?;
    let end = httpdate::parse_http_date(date).ok()?;
    let times = end - elapsed - Duration::from_secs(1)..=end + Duration::from_secs(1);
    let twin = there.iter().find(|resource| {
        let mut segments = resource.get("url").and_then(Value::as_str).unwrap_or_default().rsplit('/');
        let (stored, second) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
        same_name(stored, name) && time(second).is_some_and(|time| times.contains(&time))
    })?;
    Some(if has_file(twin, size, checksum) { Twin::Same } else { Twin::Other })
}

/// Parses `YYYYMMDD-HHMMSS`, in UTC.
fn time(text: &str) -> Option<SystemTime> {
    let (date, time) = text.split_once('-').filter(|(date, time)| (date.len(), time.len()) == (8, 6))?;
    let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
    let (hour, minute, second) = (time.get(..2)?, time.get(2..4)?, time.get(4..)?);
    let micros = crate::DateTime::from(format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).to_unix_micros()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).ok()?))
}

/// Returns whether the server stores a name under another one: it writes letters without their accents, in lower case, and
/// hyphens for the rest.
fn same_name(stored: &str, name: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    if name.is_ascii() {
        return letters(stored) == letters(name);
    }
    // What becomes of other letters is not known: the extension and the second have to do.
    let extension = |text: &str| text.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension(stored) == extension(name)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::header::HeaderMap;
    use serde_json::json;

    use super::super::super::checksum::Algorithm;
    use super::*;

    #[test]
    fn a_twin_is_of_the_same_name_and_second() {
        let sum = |digit: &str| Checksum::new(Algorithm::Sha1, &digit.repeat(40)).unwrap();
        let headers = HeaderMap::from_iter([(DATE, "Sat, 28 Nov 2026 17:10:53 GMT".parse().unwrap())]);
        let error = Error::status_failure(StatusCode::INTERNAL_SERVER_ERROR, headers, Bytes::new());
        let found = |path: &str, name: &str| {
            let url = format!("https://static.example/resources/{path}");
            let there = [json!({"url": url, "filesize": 3, "checksum": {"value": sum("a").value()}})];
            find(&there, &error, Duration::from_millis(300), name, 3, &sum("b"))
        };
        for (path, name, is_twin) in [
            ("communes/20261128-171053/a-b.csv", "A b.csv", true),
            ("communes/20261128-171052/a-b.csv", "A b.csv", true),
            ("communes/20261128-171053/donnees-ete.csv", "données été.csv", true),
            ("communes/20261128-171053/a-b.csv", "c.csv", false),
            ("communes/20261128-171053/donnees-ete.csv", "données été.json", false),
            ("communes/20261128-171040/a-b.csv", "A b.csv", false),
            ("communes/20261128-171057/a-b.csv", "A b.csv", false),
            ("communes/a-b.csv", "A b.csv", false),
        ] {
            assert_eq!(found(path, name), is_twin.then_some(Twin::Other), "{path} {name}");
        }
        let there = [json!({
            "url": "https://static.example/resources/c/20261128-171053/a.csv",
            "filesize": 3,
            "checksum": {"value": sum("a").value()},
        })];
        assert_eq!(find(&there, &error, Duration::ZERO, "a.csv", 3, &sum("a")), Some(Twin::Same));
        assert_eq!(find(&there, &error, Duration::ZERO, "a.csv", 4, &sum("a")), Some(Twin::Other));
    }
}
