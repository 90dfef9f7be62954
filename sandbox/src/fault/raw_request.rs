//! Requests, read from the socket.

use std::io;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::HeaderValue;
use tokio::net::TcpStream;

use crate::socket;

/// The largest request head that is accepted.
const MAX_HEAD: usize = 1 << 20;
const MAX_HEADERS: usize = 128;

/// A request that arrived at a fault server.
#[derive(Debug, Clone)]
pub struct RawRequest {
    /// The number of the request, from 1.
    pub number: usize,
    /// The number of its connection, from 1.
    pub connection: usize,
    /// The method, in upper case.
    pub method: String,
    /// The path and the query, as they were sent.
    pub target: String,
    /// The request line and the headers, as they were sent.
    pub head: Bytes,
    /// The body, without the framing.
    pub body: Bytes,
    /// Whether the whole body arrived.
    pub complete: bool,
    headers: Vec<(String, Bytes)>,
}

impl RawRequest {
    /// The path, as it was sent.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The query as it was sent, empty where there is none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// A header's text, None where it is absent or not readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// All headers, in their order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    pub(crate) fn header_map(&self) -> HeaderMap {
        let pair = |(name, value): (&str, &[u8])| Some((name.parse().ok()?, HeaderValue::from_bytes(value).ok()?));
        self.headers().filter_map(pair).collect::<HeaderMap>()
    }

    /// Whether the request contains a text, in its head or in its body.
    pub fn contains(&self, needle: &str) -> bool {
        let holds = |all: &[u8]| all.windows(needle.len().max(1)).any(|window| window == needle.as_bytes());
        holds(&self.head) || holds(&self.body)
    }

    fn parse(head: Bytes, connection: usize) -> io::Result<Self> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        request.parse(&head).map_err(io::Error::other)?;
        let headers =
            request.headers.iter().map(|header| (header.name.to_owned(), Bytes::copy_from_slice(header.value)));
        Ok(Self {
            number: 0,
            connection,
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            headers: headers.collect(),
            head: head.clone(),
            body: Bytes::new(),
            complete: false,
        })
    }
}

/// The bytes of a connection that are received and not parsed yet.
#[derive(Default)]
pub(crate) struct Incoming {
    buffer: BytesMut,
}

impl Incoming {
    /// The next request without its body; None at the end of the connection.
    pub(crate) async fn head(&mut self, stream: &mut TcpStream, connection: usize) -> io::Result<Option<RawRequest>> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                return RawRequest::parse(self.buffer.split_to(end + 4).freeze(), connection).map(Some);
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(io::Error::other("a request without end"));
            }
            if socket::read(stream, &mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The body that belongs to a request, or its first bytes.
    pub(crate) async fn body(
        &mut self,
        stream: &mut TcpStream,
        request: &mut RawRequest,
        limit: usize,
    ) -> io::Result<()> {
        let chunked = request.header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
        let length = request.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        let mut body = BytesMut::new();
        let result = match chunked {
            true => self.chunks(stream, &mut body, limit).await,
            false => self.some(stream, &mut body, length, limit).await,
        };
        request.body = body.freeze();
        request.complete = result?;
        Ok(())
    }

    /// Moves bytes into a body; returns whether all of them arrived within the limit.
    async fn some(
        &mut self,
        stream: &mut TcpStream,
        body: &mut BytesMut,
        length: usize,
        limit: usize,
    ) -> io::Result<bool> {
        let mut left = length;
        while left > 0 {
            if self.buffer.is_empty() && socket::read(stream, &mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let taken = left.min(self.buffer.len()).min(limit - body.len());
            body.extend_from_slice(&self.buffer.split_to(taken));
            left -= taken;
            if body.len() == limit && left > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn chunks(&mut self, stream: &mut TcpStream, body: &mut BytesMut, limit: usize) -> io::Result<bool> {
        loop {
            let size = self.line(stream).await?;
            let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            if !self.some(stream, body, size, limit).await? {
                return Ok(false);
            }
            self.line(stream).await?;
            if size == 0 {
                return Ok(true);
            }
        }
    }

    async fn line(&mut self, stream: &mut TcpStream) -> io::Result<String> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n") {
                let line = self.buffer.split_to(end + 2);
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            if socket::read(stream, &mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

fn find(buffer: &[u8], mark: &[u8]) -> Option<usize> {
    buffer.windows(mark.len()).position(|window| window == mark)
}
