//! The fault server: which requests fail, and how.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::upstream::Upstream;
use super::{Fault, RawRequest};
use crate::file::File;
use crate::response::Reply;
use crate::server::{Counters, Delivery, Service, serve};
use crate::{Api, Sandbox, api};

type Plan = Arc<dyn Fn(&RawRequest) -> Option<Fault> + Send + Sync>;

/// A running server whose requests fail according to a plan; it stops when it is dropped.
#[derive(Debug)]
pub struct FaultServer {
    address: SocketAddr,
    state: Arc<State>,
    task: Mutex<JoinHandle<()>>,
    /// Keeps the port while it is closed: otherwise another server could get it.
    _reserved: Option<TcpSocket>,
}

struct State {
    origin: String,
    upstream: Upstream,
    memory: Mutex<Memory>,
    closed: Notify,
    counters: Counters,
}

struct Memory {
    plan: Plan,
    counting: bool,
    log: Vec<RawRequest>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("origin", &self.origin).field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

impl State {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.task.get_mut().unwrap_or_else(PoisonError::into_inner).abort();
    }
}

impl FaultServer {
    /// Starts as a proxy of a sandbox, which responds to the requests that do not fail.
    ///
    /// # Panics
    /// When no port can be bound: there is nothing to test then.
    pub async fn before(sandbox: &Sandbox) -> Self {
        Self::start(Upstream::Server(sandbox.address)).await
    }

    /// Starts with a function that makes the responses.
    ///
    /// # Panics
    /// When no port can be bound: there is nothing to test then.
    pub async fn responding(respond: impl Fn(&RawRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(Upstream::Function(Arc::new(respond))).await
    }

    /// Starts with one file, served at every path, whole or in ranges, with a strong validator.
    ///
    /// # Panics
    /// When no port can be bound: there is nothing to test then.
    pub async fn serving(content_type: &str, data: impl Into<Bytes>) -> Self {
        let file = File::new(content_type, data);
        Self::responding(move |request| file.reply(&request.method, &request.header_map())).await
    }

    async fn start(upstream: Upstream) -> Self {
        let (listener, reserved) = reserve().expect("a free port on 127.0.0.1");
        let address = listener.local_addr().expect("a bound socket has an address");
        let memory = Memory { plan: Arc::new(|_| None), counting: false, log: Vec::new() };
        let state = Arc::new(State {
            origin: format!("http://{address}"),
            upstream,
            memory: Mutex::new(memory),
            closed: Notify::new(),
            counters: Counters::default(),
        });
        let task = Mutex::new(tokio::spawn(serve(listener, Arc::clone(&state))));
        Self { address, state, task, _reserved: reserved }
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.state.origin
    }

    /// The base URL of an API of the sandbox behind it, without a final slash.
    pub fn url(&self, api: Api) -> String {
        format!("{}{}", self.origin(), api::base(api))
    }

    /// Sets which requests fail, from now on.
    pub fn plan(&self, plan: impl Fn(&RawRequest) -> Option<Fault> + Send + Sync + 'static) {
        self.state.memory().plan = Arc::new(plan);
    }

    /// Makes the next request fail, and no other.
    pub fn fault_once(&self, fault: Fault) {
        self.fault_nth(1, fault);
    }

    /// Makes the n-th request from now fail, counted from 1, and no other.
    pub fn fault_nth(&self, nth: usize, fault: Fault) {
        let number = self.count() + nth;
        self.plan(move |request| (request.number == number).then(|| fault.clone()));
    }

    /// Makes the n-th request from now fail, counted from 1, and all after it.
    pub fn fault_from(&self, nth: usize, fault: Fault) {
        let number = self.count() + nth;
        self.plan(move |request| (request.number >= number).then(|| fault.clone()));
    }

    /// Makes every request fail.
    pub fn fault_always(&self, fault: Fault) {
        self.fault_from(0, fault);
    }

    /// Ends the faults: no further request fails.
    pub fn clear_faults(&self) {
        self.plan(|_| None);
    }

    /// Closes the port and all connections; new connections are refused.
    pub async fn close(&self) {
        self.state.closed.notify_one();
        let task = std::mem::replace(&mut *self.task(), tokio::spawn(async {}));
        let _ = task.await;
    }

    /// Opens the port again, after [`FaultServer::close`] or [`Fault::StopServer`].
    pub fn open(&self) -> io::Result<()> {
        let listener = listen(self.address)?;
        *self.task() = tokio::spawn(serve(listener, Arc::clone(&self.state)));
        Ok(())
    }

    fn task(&self) -> MutexGuard<'_, JoinHandle<()>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts requests from now on without logging them, for tests with very many.
    pub fn stop_logging(&self) {
        self.state.memory().counting = true;
    }

    /// How many requests have arrived.
    pub fn count(&self) -> usize {
        self.state.counters.requests()
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.state.counters.connections()
    }

    /// The requests that have arrived, in their order.
    pub fn requests(&self) -> Vec<RawRequest> {
        self.state.memory().log.clone()
    }

    /// The requests that have arrived since the last call, removed from the log.
    pub fn take_requests(&self) -> Vec<RawRequest> {
        std::mem::take(&mut self.state.memory().log)
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // The port is opened again while earlier connections are still in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    bind(address)?.listen(1024)
}

/// A listener, and a second socket bound to its port without listening, where the system allows two.
fn reserve() -> io::Result<(TcpListener, Option<TcpSocket>)> {
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let reserved = bind(any)?;
    match listen(reserved.local_addr()?) {
        Ok(listener) => Ok((listener, Some(reserved))),
        Err(_) => Ok((listen(any)?, None)),
    }
}

impl Service for State {
    fn counters(&self) -> &Counters {
        &self.counters
    }

    fn early_fault(&self, request: &RawRequest) -> Option<Fault> {
        let plan = Arc::clone(&self.memory().plan);
        plan(request)
    }

    fn log(&self, request: &RawRequest) {
        let mut memory = self.memory();
        if !memory.counting {
            memory.log.push(request.clone());
        }
    }

    async fn respond(&self, request: RawRequest, fault: Option<Fault>) -> io::Result<Delivery> {
        let reply = match &fault {
            Some(Fault::Reply(reply)) => reply.clone(),
            Some(fault) if !fault.serves() => Reply::empty(200),
            _ => self.upstream.reply(&request, &self.origin).await?,
        };
        Ok(Delivery { reply, fault })
    }

    async fn closed(&self) {
        self.closed.notified().await;
    }

    fn close(&self) {
        self.closed.notify_one();
    }
}
