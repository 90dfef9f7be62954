//! Writes responses to the socket, intact or with a fault.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::net::TcpStream;

use super::Fault;
#[cfg(feature = "gzip")]
use super::bomb;
use crate::response::Reply;
use crate::socket;

/// The state of the connection after a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The next request is read.
    Open,
    /// It is closed with a FIN.
    Close,
    /// It is reset.
    Reset,
    /// It stays open, and nothing more is sent.
    Silent,
    /// The next request is read, and no response is sent.
    Dead,
    /// It is closed when the next request has been read.
    Closing,
    /// It is reset, and the server closes its port.
    Gone,
}

/// The pause before a reset, in which the client reads what was sent before it.
const PAUSE: Duration = Duration::from_millis(20);

/// How a body is delimited.
enum Framing {
    Length(usize),
    Chunked,
}

pub(crate) async fn play(
    stream: &mut TcpStream,
    fault: Option<&Fault>,
    mut reply: Reply,
    is_head: bool,
) -> io::Result<After> {
    let length = reply.body.len();
    let whole = Framing::Length(length);
    match fault {
        None | Some(Fault::Reply(_)) => write_reply(stream, &reply, is_head).await.map(|()| After::Open),
        Some(Fault::DeadAfterwards) => write_reply(stream, &reply, is_head).await.map(|()| After::Dead),
        Some(Fault::ClosedAfterwards) => write_reply(stream, &reply, is_head).await.map(|()| After::Closing),
        Some(Fault::ResetInRequest(_) | Fault::ResetBeforeHeaders) => Ok(After::Reset),
        Some(Fault::CloseBeforeHeaders) => Ok(After::Close),
        Some(Fault::StopServer) => Ok(After::Gone),
        Some(Fault::StallBeforeHeaders) => Ok(After::Silent),
        Some(Fault::CutHeaders) => {
            let head = head(&reply, whole);
            socket::write(stream, &head[..head.len() / 2]).await?;
            Ok(After::Close)
        }
        Some(Fault::ResetAfterHeaders) => {
            socket::write(stream, &head(&reply, whole)).await?;
            tokio::time::sleep(PAUSE).await;
            Ok(After::Reset)
        }
        Some(Fault::HugeHeaders(size)) => huge_headers(stream, *size).await,
        _ if is_head => write_reply(stream, &reply, is_head).await.map(|()| After::Open),
        Some(Fault::CutBody(kept)) => {
            part(stream, &reply, whole, *kept).await?;
            Ok(After::Close)
        }
        Some(Fault::ResetBody(kept)) => {
            part(stream, &reply, whole, *kept).await?;
            tokio::time::sleep(PAUSE).await;
            Ok(After::Reset)
        }
        Some(Fault::StallBody(kept)) => {
            part(stream, &reply, whole, *kept).await?;
            Ok(After::Silent)
        }
        Some(Fault::Drip(pause)) => {
            socket::write(stream, &head(&reply, whole)).await?;
            for byte in &reply.body {
                if pause.is_zero() {
                    tokio::task::yield_now().await;
                } else {
                    tokio::time::sleep(*pause).await;
                }
                socket::write(stream, &[*byte]).await?;
            }
            Ok(After::Open)
        }
        Some(Fault::LengthTooLarge(more)) => {
            part(stream, &reply, Framing::Length(length + more), length).await?;
            Ok(After::Close)
        }
        Some(Fault::LengthTooSmall(less)) => {
            part(stream, &reply, Framing::Length(length.saturating_sub(*less)), length).await?;
            // The surplus bytes are on the wire before the next request: a client reads them as its response.
            Ok(After::Open)
        }
        Some(Fault::CutChunked(kept)) => {
            socket::write(stream, &head(&reply, Framing::Chunked)).await?;
            chunk(stream, up_to(&reply.body, *kept)).await?;
            Ok(After::Close)
        }
        Some(Fault::InvalidChunk(kept)) => {
            socket::write(stream, &head(&reply, Framing::Chunked)).await?;
            chunk(stream, up_to(&reply.body, *kept)).await?;
            socket::write(stream, b"no size\r\nnothing\r\n").await?;
            Ok(After::Close)
        }
        Some(Fault::Halved) => {
            reply.body = reply.body.slice(..length / 2);
            write_reply(stream, &reply, is_head).await.map(|()| After::Open)
        }
        #[cfg(feature = "gzip")]
        Some(Fault::TruncatedGzip) => {
            let mut packed = bomb::gzip(&reply.body)?;
            packed.truncate(packed.len() / 2);
            reply.body = packed.into();
            let reply = reply.with_header("content-encoding", "gzip");
            write_reply(stream, &reply, is_head).await.map(|()| After::Open)
        }
        #[cfg(feature = "gzip")]
        Some(Fault::GzipBomb(size)) => {
            let reply = Reply::new(200, "application/json", Bytes::new()).with_header("content-encoding", "gzip");
            socket::write(stream, &head(&reply, Framing::Chunked)).await?;
            for part in bomb::bomb(*size) {
                chunk(stream, &part).await?;
            }
            socket::write(stream, b"0\r\n\r\n").await?;
            Ok(After::Open)
        }
        Some(Fault::InvalidUtf8) => {
            let mut body = reply.body.to_vec();
            // Replacing a letter leaves the syntax of the body intact, whatever its format.
            let middle = body.len() / 2;
            if let Some(at) = (middle..body.len()).chain(0..middle).find(|at| body[*at].is_ascii_alphabetic()) {
                body[at] = 0xff;
            }
            reply.body = body.into();
            write_reply(stream, &reply, is_head).await.map(|()| After::Open)
        }
    }
}

fn up_to(body: &Bytes, count: usize) -> &[u8] {
    &body[..count.min(body.len())]
}

/// The status line and the headers.
fn head(reply: &Reply, framing: Framing) -> Vec<u8> {
    let reason =
        StatusCode::from_u16(reply.status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Unknown");
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match framing {
        // 204 and 304 have no body and no length.
        Framing::Length(0) if matches!(reply.status, 204 | 304) => head.push_str("\r\n"),
        Framing::Length(length) => head.push_str(&format!("content-length: {length}\r\n\r\n")),
        Framing::Chunked => head.push_str("transfer-encoding: chunked\r\n\r\n"),
    }
    head.into_bytes()
}

async fn write_reply(stream: &mut TcpStream, reply: &Reply, is_head: bool) -> io::Result<()> {
    let mut message = head(reply, Framing::Length(reply.body.len()));
    if !is_head {
        message.extend_from_slice(&reply.body);
    }
    socket::write(stream, &message).await
}

async fn part(stream: &mut TcpStream, reply: &Reply, framing: Framing, kept: usize) -> io::Result<()> {
    socket::write(stream, &head(reply, framing)).await?;
    socket::write(stream, up_to(&reply.body, kept)).await
}

async fn chunk(stream: &mut TcpStream, data: &[u8]) -> io::Result<()> {
    // An empty chunk would end the body.
    if data.is_empty() {
        return Ok(());
    }
    socket::write(stream, format!("{:x}\r\n", data.len()).as_bytes()).await?;
    socket::write(stream, data).await?;
    socket::write(stream, b"\r\n").await
}

async fn huge_headers(stream: &mut TcpStream, size: u64) -> io::Result<After> {
    let line = format!("x-filling: {}\r\n", "0".repeat(1011));
    let lines = line.repeat(64);
    socket::write(stream, b"HTTP/1.1 200 OK\r\n").await?;
    for _ in 0..size.div_ceil(lines.len() as u64) {
        socket::write(stream, lines.as_bytes()).await?;
    }
    Ok(After::Close)
}
