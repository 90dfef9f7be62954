//! The server: which requests fail, and how.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::upstream::Upstream;
use super::{Arrival, Fault};
use crate::answer::Reply;
use crate::file::File;
use crate::server::{Delivery, Service, serve};
use crate::{Api, Sandbox, state};

type Plan = Arc<dyn Fn(&Arrival) -> Option<Fault> + Send + Sync>;

/// A running server that fails as it is told; it stops when it is dropped.
#[derive(Debug)]
pub struct FaultServer {
    address: SocketAddr,
    state: Arc<State>,
    task: Mutex<JoinHandle<()>>,
    /// Keeps the port while it is closed: another server would be given it, and answer for this one.
    _reserved: Option<TcpSocket>,
}

struct State {
    origin: String,
    upstream: Upstream,
    memory: Mutex<Memory>,
    gone: Notify,
}

struct Memory {
    plan: Plan,
    counting: bool,
    requests: usize,
    connections: usize,
    log: Vec<Arrival>,
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
    /// Starts before a sandbox: what is not to fail is answered by it.
    ///
    /// # Panics
    /// When no port can be bound: there is nothing to test then.
    pub async fn before(sandbox: &Sandbox) -> Self {
        Self::start(Upstream::Server(sandbox.address)).await
    }

    /// Starts with answers of its own.
    ///
    /// # Panics
    /// When no port can be bound: there is nothing to test then.
    pub async fn answering(answer: impl Fn(&Arrival) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(Upstream::Function(Arc::new(answer))).await
    }

    /// Starts with one file, which stands at every path: whole or in ranges, with a strong validator.
    ///
    /// # Panics
    /// When no port can be bound: there is nothing to test then.
    pub async fn serving(content_type: &str, data: impl Into<Bytes>) -> Self {
        let file = File::new(content_type, data);
        Self::answering(move |arrival| file.answer(&arrival.method, &arrival.header_map())).await
    }

    async fn start(upstream: Upstream) -> Self {
        let (listener, reserved) = reserve().expect("a free port on 127.0.0.1");
        let address = listener.local_addr().expect("a bound socket has an address");
        let memory = Memory { plan: Arc::new(|_| None), counting: false, requests: 0, connections: 0, log: Vec::new() };
        let state = Arc::new(State {
            origin: format!("http://{address}"),
            upstream,
            memory: Mutex::new(memory),
            gone: Notify::new(),
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
        format!("{}{}", self.origin(), state::base(api))
    }

    /// Says which requests fail, from now on.
    pub fn plan(&self, plan: impl Fn(&Arrival) -> Option<Fault> + Send + Sync + 'static) {
        self.state.memory().plan = Arc::new(plan);
    }

    /// The next request fails; those after it are fine.
    pub fn fault_once(&self, fault: Fault) {
        self.fault_nth(1, fault);
    }

    /// The n-th request from now, counted from 1, fails; all others are fine.
    pub fn fault_nth(&self, nth: usize, fault: Fault) {
        let number = self.state.memory().requests + nth;
        self.plan(move |arrival| (arrival.number == number).then(|| fault.clone()));
    }

    /// The n-th request from now, counted from 1, and all after it fail.
    pub fn fault_from(&self, nth: usize, fault: Fault) {
        let number = self.state.memory().requests + nth;
        self.plan(move |arrival| (arrival.number >= number).then(|| fault.clone()));
    }

    /// Every request fails.
    pub fn fault_always(&self, fault: Fault) {
        self.fault_from(0, fault);
    }

    /// No request fails any more.
    pub fn heal(&self) {
        self.plan(|_| None);
    }

    /// Closes the port and all connections: whoever connects is refused.
    pub async fn close(&self) {
        self.state.gone.notify_one();
        let task = std::mem::replace(&mut *self.task(), tokio::spawn(async {}));
        let _ = task.await;
    }

    /// Opens the port again, after [`FaultServer::close`] or [`Fault::Vanish`].
    pub fn open(&self) -> io::Result<()> {
        let listener = listen(self.address)?;
        *self.task() = tokio::spawn(serve(listener, Arc::clone(&self.state)));
        Ok(())
    }

    fn task(&self) -> MutexGuard<'_, JoinHandle<()>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on requests are counted, not kept: there will be too many.
    pub fn only_count(&self) {
        self.state.memory().counting = true;
    }

    /// How many requests have come.
    pub fn count(&self) -> usize {
        self.state.memory().requests
    }

    /// How many connections have come.
    pub fn connections(&self) -> usize {
        self.state.memory().connections
    }

    /// The requests that have come, in their order.
    pub fn requests(&self) -> Vec<Arrival> {
        self.state.memory().log.clone()
    }

    /// The requests that have come since the last call, taken out of the log.
    pub fn take_requests(&self) -> Vec<Arrival> {
        std::mem::take(&mut self.state.memory().log)
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // The port is opened again while connections of before are still in their last state.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    bind(address)?.listen(1024)
}

/// A port, and a second socket that has it without listening, where the system allows two.
fn reserve() -> io::Result<(TcpListener, Option<TcpSocket>)> {
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let reserved = bind(any)?;
    match listen(reserved.local_addr()?) {
        Ok(listener) => Ok((listener, Some(reserved))),
        Err(_) => Ok((listen(any)?, None)),
    }
}

impl Service for State {
    fn connected(&self) -> usize {
        let mut memory = self.memory();
        memory.connections += 1;
        memory.connections
    }

    fn begun(&self, arrival: &mut Arrival) -> Option<Fault> {
        let mut memory = self.memory();
        memory.requests += 1;
        arrival.number = memory.requests;
        let plan = Arc::clone(&memory.plan);
        drop(memory);
        plan(arrival)
    }

    fn arrived(&self, arrival: &Arrival) {
        let mut memory = self.memory();
        if !memory.counting {
            memory.log.push(arrival.clone());
        }
    }

    async fn respond(&self, arrival: Arrival, fault: Option<Fault>) -> io::Result<Delivery> {
        let reply = match &fault {
            Some(Fault::Reply(reply)) => reply.clone(),
            Some(fault) if !fault.serves() => Reply::empty(200),
            _ => self.upstream.answer(&arrival, &self.origin).await?,
        };
        Ok(Delivery { reply, fault })
    }

    async fn gone(&self) {
        self.gone.notified().await;
    }

    fn go(&self) {
        self.gone.notify_one();
    }
}
