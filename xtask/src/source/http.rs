//! A document by HTTP.

use std::io::{IsTerminal, Read, Write};
use std::time::Duration;

use super::{MAX_BYTES, too_large};

/// The limits of a request.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The time that all of it may take.
    pub timeout: Duration,
    /// The size of the body.
    pub bytes: u64,
    /// How many redirects are followed.
    pub redirects: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(60), bytes: MAX_BYTES, redirects: 5 }
    }
}

/// The body of a response with status 200.
pub fn get(url: &str, limits: &Limits) -> Result<Vec<u8>, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(limits.timeout))
        .timeout_connect(Some(limits.timeout.min(Duration::from_secs(10))))
        .max_redirects(limits.redirects)
        // A request over TLS does not follow a redirect without.
        .https_only(url.starts_with("https://"))
        .user_agent(concat!("datagouv-xtask (", env!("CARGO_PKG_REPOSITORY"), ")"))
        .build()
        .into();
    let mut response = agent.get(url).header("Accept", "application/json, application/yaml;q=0.9").call().map_err(
        |error| match error {
            ureq::Error::StatusCode(status) => format!("responded {status}"),
            other => other.to_string(),
        },
    )?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(format!("responded {status}, and not 200"));
    }
    let length = response.body().content_length();
    if length.is_some_and(|length| length > limits.bytes) {
        return Err(too_large(limits.bytes));
    }
    let mut progress = Progress::start(url, length);
    // One byte more than the limit distinguishes too large from just large enough.
    let mut reader = response.body_mut().with_config().limit(limits.bytes + 2).reader();
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let read = reader.read(&mut chunk).map_err(|error| format!("cut after {} bytes: {error}", bytes.len()))?;
        if read == 0 {
            break;
        }
        bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
        if bytes.len() as u64 > limits.bytes {
            return Err(too_large(limits.bytes));
        }
        progress.update(bytes.len());
    }
    match length {
        Some(length) if length != bytes.len() as u64 => Err(format!("cut after {} of {length} bytes", bytes.len())),
        _ => Ok(bytes),
    }
}

/// A progress line on a terminal, removed at the end.
struct Progress<'a> {
    url: &'a str,
    length: Option<u64>,
    shown: bool,
}

impl<'a> Progress<'a> {
    fn start(url: &'a str, length: Option<u64>) -> Self {
        Self { url, length, shown: std::io::stderr().is_terminal() }
    }

    fn update(&mut self, received: usize) {
        if self.shown {
            let of = self.length.map(|length| format!(" of {}", length >> 10)).unwrap_or_default();
            eprint!("\r\x1b[K{}: {}{of} KB", self.url, received >> 10);
            let _ = std::io::stderr().flush();
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}
