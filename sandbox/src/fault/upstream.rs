//! Where the responses of a fault server come from.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::net::TcpStream;

use super::RawRequest;
use crate::response::Reply;
use crate::socket;

/// Headers that belong to a connection, not to a message.
const FRAMING: [&str; 5] = ["connection", "content-length", "transfer-encoding", "keep-alive", "date"];

#[derive(Clone)]
pub(super) enum Upstream {
    Function(Arc<dyn Fn(&RawRequest) -> Reply + Send + Sync>),
    /// Another server; its origin is replaced in responses by that of the fault server.
    Server(SocketAddr),
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(_) => f.write_str("Function"),
            Self::Server(address) => write!(f, "Server({address})"),
        }
    }
}

impl Upstream {
    pub(super) async fn reply(&self, request: &RawRequest, origin: &str) -> io::Result<Reply> {
        match self {
            Self::Function(function) => Ok(function(request)),
            Self::Server(address) => {
                let reply = forward(*address, request).await?;
                Ok(renamed(reply, &format!("http://{address}"), origin))
            }
        }
    }
}

async fn forward(address: SocketAddr, request: &RawRequest) -> io::Result<Reply> {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
    for (name, value) in request.headers().filter(|(name, _)| !is_framing(name)) {
        head.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend_from_slice(format!("connection: close\r\ncontent-length: {}\r\n\r\n", request.body.len()).as_bytes());
    let mut stream = TcpStream::connect(address).await?;
    socket::write(&mut stream, &head).await?;
    socket::write(&mut stream, &request.body).await?;
    let mut response = BytesMut::new();
    while socket::read(&mut stream, &mut response).await? > 0 {}
    parse(&response, request.method == "HEAD")
}

fn parse(bytes: &[u8], is_head: bool) -> io::Result<Reply> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes).map_err(io::Error::other)? else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    if header("transfer-encoding").is_some() {
        return Err(io::Error::other("the sandbox sends no chunked bodies"));
    }
    let body = match header("content-length").and_then(|length| length.parse().ok()) {
        // The length of the body that a GET would have.
        Some(length) if is_head => vec![0; length].into(),
        _ => Bytes::copy_from_slice(bytes.get(length..).unwrap_or_default()),
    };
    let kept = response.headers.iter().filter(|header| !is_framing(header.name));
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    Ok(Reply {
        status: response.code.unwrap_or_default(),
        headers: kept.map(|header| (header.name.to_owned(), text(header.value))).collect(),
        body,
    })
}

fn is_framing(name: &str) -> bool {
    FRAMING.iter().any(|own| own.eq_ignore_ascii_case(name))
}

fn renamed(mut reply: Reply, from: &str, to: &str) -> Reply {
    for (_, value) in &mut reply.headers {
        *value = value.replace(from, to);
    }
    if let Ok(text) = std::str::from_utf8(&reply.body)
        && text.contains(from)
    {
        reply.body = text.replace(from, to).into();
    }
    reply
}
