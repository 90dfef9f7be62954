//! A connection that sends queries byte for byte.

use datagouv_sandbox::{Api, Sandbox};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    base: String,
}

/// A response.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The body if it is JSON, else null.
    pub(crate) json: Value,
}

impl Response {
    /// The rows of a body in JSON.
    pub(crate) fn rows(&self) -> &[Value] {
        let rows = self.json.as_array().or_else(|| self.json.get("data")?.as_array());
        rows.map_or(&[], Vec::as_slice)
    }
}

impl Connection {
    pub(crate) async fn open(sandbox: &Sandbox) -> Self {
        let origin = sandbox.origin();
        let host = origin.trim_start_matches("http://").to_owned();
        let base = sandbox.url(Api::Tabular).trim_start_matches(&origin).to_owned();
        Self { stream: TcpStream::connect(&host).await.expect("a connection"), host, base }
    }

    pub(crate) async fn get(&mut self, path: &str, query: &str) -> Response {
        let (base, mark) = (&self.base, if query.is_empty() { "" } else { "?" });
        // The sandbox's HTTP library refuses these, the real server's does not; to it both forms are the same.
        let encoded = |char: char| match char {
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => format!("%{:02X}", u32::from(char)),
            _ => char.to_string(),
        };
        let query: String = query.chars().map(encoded).collect();
        let request = format!("GET {base}{path}{mark}{query} HTTP/1.1\r\nhost: {}\r\n\r\n", self.host);
        self.stream.write_all(request.as_bytes()).await.expect("a request");
        let (mut received, mut buffer) = (Vec::new(), vec![0; 65_536]);
        loop {
            let count = self.stream.read(&mut buffer).await.expect("a response");
            assert!(count > 0, "the connection ended: {query}");
            received.extend_from_slice(&buffer[..count]);
            let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
            if received.len() >= end + 4 + length {
                // The server closes the connection after an invalid request.
                if head.contains("connection: close") {
                    self.stream = TcpStream::connect(&self.host).await.expect("a connection");
                }
                let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
                let body = &received[end + 4..];
                let json = serde_json::from_slice(body).unwrap_or_default();
                return Response { status, body: String::from_utf8_lossy(body).into_owned(), json };
            }
        }
    }
}
