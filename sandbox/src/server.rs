//! The HTTP server: raw sockets, so that a response can be broken at any byte.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::fault::play::{After, play};
use crate::fault::raw_request::Incoming;
use crate::fault::{Fault, RawRequest};
use crate::response::Reply;
use crate::socket;

/// A response, and its fault, if it has one.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) reply: Reply,
    pub(crate) fault: Option<Fault>,
}

/// The numbers of connections and of requests, from 1.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

impl Counters {
    /// How many connections were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// How many requests have arrived.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn next(counter: &AtomicUsize) -> usize {
    counter.fetch_add(1, Ordering::SeqCst) + 1
}

/// A handler of requests.
pub(crate) trait Service: Send + Sync + 'static {
    /// The counters of its connections and requests.
    fn counters(&self) -> &Counters;

    /// The fault of a request whose body has not arrived, if it is known already.
    fn early_fault(&self, request: &RawRequest) -> Option<Fault>;

    /// Logs a request, complete or not.
    fn log(&self, request: &RawRequest);

    /// Responds to a request.
    fn respond(&self, request: RawRequest, fault: Option<Fault>) -> impl Future<Output = io::Result<Delivery>> + Send;

    /// Completes when the server has to close its port and all connections.
    fn closed(&self) -> impl Future<Output = ()> + Send;

    /// Closes the port and all connections.
    fn close(&self);
}

/// Accepts connections until the service or the task ends; they end with it.
pub(crate) async fn serve(listener: TcpListener, service: Arc<impl Service>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let service = Arc::clone(&service);
                let number = next(&service.counters().connections);
                connections.spawn(async move {
                    // A client that closes its connection is no error of the server.
                    let _ = connection(stream, &*service, number).await;
                });
            }
            Some(_) = connections.join_next() => {}
            () = service.closed() => return,
        }
    }
}

async fn connection(mut stream: TcpStream, service: &impl Service, number: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut incoming = Incoming::default();
    let mut after = After::Open;
    while let Some(mut request) = incoming.head(&mut stream, number).await? {
        request.number = next(&service.counters().requests);
        let fault = service.early_fault(&request);
        let limit = match fault {
            Some(Fault::ResetInRequest(limit)) => limit,
            _ => usize::MAX,
        };
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            socket::write(&mut stream, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let read = incoming.body(&mut stream, &mut request, limit).await;
        service.log(&request);
        read?;
        after = match after {
            After::Dead => After::Silent,
            After::Closing => After::Close,
            _ => {
                let is_head = request.method == "HEAD";
                let last = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
                let Delivery { reply, fault } = service.respond(request, fault).await?;
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
                service.close();
                // Ends with the server.
                return silence(stream).await;
            }
        }
    }
    Ok(())
}

/// Closes with a FIN. Unread bytes of the client would turn it into a reset, so they are read first.
async fn close(mut stream: TcpStream) -> io::Result<()> {
    socket::shut_down(&mut stream).await?;
    silence(stream).await
}

/// Reads until the client closes its side, and sends nothing.
async fn silence(mut stream: TcpStream) -> io::Result<()> {
    let mut ignored = BytesMut::new();
    while socket::read(&mut stream, &mut ignored).await? > 0 {
        ignored.clear();
    }
    Ok(())
}
