//! Reading and writing of sockets. The feature of tokio that has it would rebuild the user's tokio, and all that uses it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Reads what there is into a buffer; 0 at the end.
pub(crate) async fn read(stream: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<usize> {
    let mut bytes = [0; 8192];
    poll_fn(|context| {
        let mut read = ReadBuf::new(&mut bytes);
        let poll = Pin::new(&mut *stream).poll_read(context, &mut read);
        poll.map_ok(|()| {
            buffer.extend_from_slice(read.filled());
            read.filled().len()
        })
    })
    .await
}

/// Writes all of the bytes.
pub(crate) async fn write(stream: &mut TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = poll_fn(|context| Pin::new(&mut *stream).poll_write(context, bytes)).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// Ends the side that writes.
pub(crate) async fn shut_down(stream: &mut TcpStream) -> io::Result<()> {
    poll_fn(|context| Pin::new(&mut *stream).poll_shutdown(context)).await
}
