//! Requests, one at a time.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The size above which a body is not read.
const MAX_BYTES: u64 = 16 << 20;

/// The longest that a server is waited for when it says how long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a request got.
pub enum Received {
    /// JSON, with its status.
    Json(u16, Value),
    /// A status of failure: the caller may not, there is nothing, or the request lacks what no document says.
    Refused(u16),
    /// Something that is not JSON, with its status and media type.
    Other(u16, String),
}

/// A client that makes one request at a time, and pauses in between.
pub struct Client {
    agent: ureq::Agent,
    pause: Duration,
    last: Cell<Option<Instant>>,
}

impl Client {
    pub fn new(pause: Duration) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            .timeout_connect(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            .max_redirects(3)
            .user_agent(concat!("datagouv-xtask (", env!("CARGO_PKG_REPOSITORY"), ")"))
            .build()
            .into();
        Self { agent, pause, last: Cell::new(None) }
    }

    /// Requests a URL. If the server sends `Retry-After`, the request is sent once more after that time.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub fn get(&self, url: &str) -> Result<Received, String> {
        let mut again = true;
        loop {
            if let Some(last) = self.last.get() {
                std::thread::sleep(self.pause.saturating_sub(last.elapsed()));
            }
            let response = self.agent.get(url).header("Accept", "application/json").call();
            self.last.set(Some(Instant::now()));
            let mut response = response.map_err(|error| format!("{url}: {error}"))?;
            let status = response.status().as_u16();
            if matches!(status, 429 | 503) && again {
                let header = response.headers().get("retry-after").and_then(|it| it.to_str().ok()?.parse().ok());
                std::thread::sleep(Duration::from_secs(header.unwrap_or(5)).min(PATIENCE));
                again = false;
                continue;
            }
            if status >= 400 {
                return Ok(Received::Refused(status));
            }
            let media_type = response.body().mime_type().unwrap_or_default().to_owned();
            if !media_type.ends_with("json") {
                return Ok(Received::Other(status, media_type));
            }
            let text = response.body_mut().with_config().limit(MAX_BYTES).read_to_string();
            let text = text.map_err(|error| format!("{url}: {error}"))?;
            return Ok(match serde_json::from_str(&text) {
                Ok(body) => Received::Json(status, body),
                Err(_) => Received::Other(status, "what is not JSON".to_owned()),
            });
        }
    }
}
