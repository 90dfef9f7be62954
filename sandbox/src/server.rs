//! The HTTP server: raw sockets, so that a response can be broken at any byte.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::answer::Reply;
use crate::fault::arrival::Incoming;
use crate::fault::play::{After, play};
use crate::fault::{Arrival, Fault};

/// A response, and how it is broken, if at all.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) reply: Reply,
    pub(crate) fault: Option<Fault>,
}

/// What answers requests.
pub(crate) trait Service: Send + Sync + 'static {
    /// Numbers a new connection.
    fn connected(&self) -> usize;

    /// Numbers a request whose body has not arrived, and says how it fails, if that is known already.
    fn begun(&self, arrival: &mut Arrival) -> Option<Fault>;

    /// Keeps a request, be it complete or not.
    fn arrived(&self, arrival: &Arrival);

    /// Answers a request.
    fn respond(&self, arrival: Arrival, fault: Option<Fault>) -> impl Future<Output = io::Result<Delivery>> + Send;

    /// Ends when the server is to close its port and all connections.
    fn gone(&self) -> impl Future<Output = ()> + Send;

    /// Closes the port and all connections.
    fn go(&self);
}

/// Accepts connections until the service is gone or the task ends; they end with it.
pub(crate) async fn serve(listener: TcpListener, service: Arc<impl Service>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let service = Arc::clone(&service);
                let number = service.connected();
                connections.spawn(async move {
                    // A client that goes away is no failure of the server.
                    let _ = connection(stream, &*service, number).await;
                });
            }
            Some(_) = connections.join_next() => {}
            () = service.gone() => return,
        }
    }
}

async fn connection(mut stream: TcpStream, service: &impl Service, number: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut incoming = Incoming::default();
    let mut after = After::Open;
    while let Some(mut arrival) = incoming.head(&mut stream, number).await? {
        let fault = service.begun(&mut arrival);
        let limit = match fault {
            Some(Fault::ResetInRequest(limit)) => limit,
            _ => usize::MAX,
        };
        if arrival.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let read = incoming.body(&mut stream, &mut arrival, limit).await;
        service.arrived(&arrival);
        read?;
        after = match after {
            After::Dead => After::Silent,
            After::Closing => After::Close,
            _ => {
                let is_head = arrival.method == "HEAD";
                let last = arrival.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
                let Delivery { reply, fault } = service.respond(arrival, fault).await?;
                match play(&mut stream, fault.as_ref(), reply, is_head).await? {
                    After::Open if last => After::Close,
                    after => after,
                }
            }
        };
        match after {
            After::Open | After::Dead | After::Closing => {}
            After::Close => return close(stream).await,
            After::Reset => return stream.set_zero_linger(),
            After::Silent => return silence(stream).await,
            After::Gone => {
                stream.set_zero_linger()?;
                service.go();
                // Ends with the server.
                return silence(stream).await;
            }
        }
    }
    Ok(())
}

/// Closes in order: without it, what the client has sent and nobody read would make it a reset.
async fn close(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    silence(stream).await
}

/// Reads on until the client goes, and sends nothing.
async fn silence(mut stream: TcpStream) -> io::Result<()> {
    let mut ignored = [0; 4096];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}
