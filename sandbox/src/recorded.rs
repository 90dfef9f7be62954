//! Recorded responses of the real servers.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::api::base;
use crate::document::Error;
use crate::log::Received;
use crate::request::{essence, is_json};
use crate::response::{Reply, SAMPLE_FILE};
use crate::sort::sort_by;
use crate::{Api, api};

#[derive(Debug)]
struct Exchange {
    api: Api,
    operation_id: String,
    /// Path and query below the API's base; None if the response is for every path.
    path: Option<String>,
    reply: Reply,
}

/// All recorded exchanges.
#[derive(Debug, Default)]
pub(crate) struct Recorded(Vec<Exchange>);

impl Recorded {
    /// Records the response of an operation for every path; it replaces the previous one.
    pub(crate) fn record(&mut self, api: Api, operation_id: &str, reply: Reply) {
        self.0.retain(|other| other.path.is_some() || other.api != api || other.operation_id != operation_id);
        self.0.push(Exchange { api, operation_id: operation_id.to_owned(), path: None, reply });
    }

    /// Loads every `.json` file of a directory and of those below it; returns how many.
    pub(crate) fn load(&mut self, directory: &Path) -> Result<usize, Error> {
        let failed =
            |path: &Path, error: &dyn std::fmt::Display| Error::new(format!("fixture {}: {error}", path.display()));
        let entries = fs::read_dir(directory).map_err(|error| failed(directory, &error))?;
        let mut paths = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failed(directory, &error))?;
        sort_by(&mut paths, Ord::cmp);
        let mut loaded = 0;
        for path in paths {
            if path.is_dir() {
                loaded += self.load(&path)?;
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let text = fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
                let fixture = serde_json::from_str(&text).map_err(|error| failed(&path, &error))?;
                self.0.push(exchange(&fixture).map_err(|error| failed(&path, &error))?);
                loaded += 1;
            }
        }
        Ok(loaded)
    }

    /// Whether there is one of an operation.
    pub(crate) fn has(&self, api: Api, operation_id: &str) -> bool {
        self.0.iter().any(|exchange| exchange.api == api && exchange.operation_id == operation_id)
    }

    /// The exchange of the same path and query, else of the same path, else the operation's response for all paths,
    /// else its first successful one.
    pub(crate) fn find(&self, api: Api, operation_id: &str, received: &Received) -> Option<Reply> {
        let path = received.path.strip_prefix(base(api)).unwrap_or(&received.path);
        let full = if received.query.is_empty() { path.to_owned() } else { format!("{path}?{}", received.query) };
        let own = || self.0.iter().filter(|exchange| exchange.api == api && exchange.operation_id == operation_id);
        let bare = |exchange: &&Exchange| {
            exchange.path.as_deref().is_some_and(|recorded| recorded.split('?').next() == Some(path))
        };
        own()
            .find(|exchange| exchange.path.as_deref() == Some(&full))
            .or_else(|| own().filter(|exchange| exchange.reply.status < 400).find(bare))
            .or_else(|| own().find(|exchange| exchange.path.is_none()))
            .or_else(|| own().find(|exchange| exchange.reply.status < 400))
            .map(|exchange| exchange.reply.clone())
    }
}

/// The response of one recorded exchange.
pub(crate) fn read(file: &Path) -> Result<Reply, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::new(format!("fixture {}: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| failed(&error))?;
    let fixture = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    exchange(&fixture).map(|exchange| exchange.reply).map_err(|error| failed(&error))
}

/// Reads `{"api", "operation_id", "method", "path", "status", "content_type", "body"}`. The body is JSON
/// for a JSON media type and a text for another; null or absent is no body. A redirection may name its
/// `"location"`, else it leads to the small file of the sandbox.
fn exchange(fixture: &Value) -> Result<Exchange, String> {
    let text =
        |name: &str| fixture.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is missing or no text"));
    let name = text("api")?;
    let api = api::named(name).ok_or_else(|| format!("there is no API `{name}`"))?;
    let status = fixture
        .get("status")
        .and_then(Value::as_u64)
        .and_then(|status| u16::try_from(status).ok())
        .ok_or("`status` is missing or no status")?;
    let body = fixture.get("body").unwrap_or(&Value::Null);
    let content_type = fixture.get("content_type").and_then(Value::as_str).unwrap_or_default();
    let reply = match body {
        _ if (300..400).contains(&status) => {
            let location = fixture.get("location").and_then(Value::as_str);
            Reply::empty(status).with_header("location", location.unwrap_or(SAMPLE_FILE))
        }
        Value::Null if !is_json(&essence(content_type)) => Reply::empty(status),
        Value::String(text) if !is_json(&essence(content_type)) => Reply::new(status, content_type, text.clone()),
        body => Reply::new(status, content_type, body.to_string()),
    };
    let path = text("path")?;
    let path = path.strip_prefix(base(api)).unwrap_or(path);
    Ok(Exchange { api, operation_id: text("operation_id")?.to_owned(), path: Some(path.to_owned()), reply })
}
