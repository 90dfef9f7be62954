//! An HTTP server whose responses a test sets, invalid ones too.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The response of a path.
#[derive(Clone)]
pub enum Response {
    /// 200 with a body of a media type.
    Body(&'static str, Vec<u8>),
    /// This status, and a page of HTML.
    Status(u16),
    /// 302 to a URL.
    Redirect(String),
    /// 200, all of the head, and so many bytes of the body, then the connection is cut.
    Cut(Vec<u8>, usize),
    /// 200 and a body without an end, and no length.
    Endless,
    /// 200 and a length, and no body until the connection is closed.
    Huge(u64),
    /// No response, for as long as the client waits.
    Silence,
}

/// A server on a port of its own, for as long as the value lives.
pub struct Server {
    port: u16,
    responses: Arc<Mutex<Vec<(String, Response)>>>,
    requests: Arc<AtomicUsize>,
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let responses: Arc<Mutex<Vec<(String, Response)>>> = Arc::default();
        let requests = Arc::new(AtomicUsize::new(0));
        let (known, count) = (Arc::clone(&responses), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (known, count) = (Arc::clone(&known), Arc::clone(&count));
                thread::spawn(move || {
                    count.fetch_add(1, Ordering::SeqCst);
                    let _ = serve(stream, &known);
                });
            }
        });
        Self { port, responses, requests }
    }

    /// Sets the response of a path, and returns its URL.
    pub fn at(&self, path: &str, response: Response) -> String {
        let mut responses = lock(&self.responses);
        responses.retain(|(known, _)| known != path);
        responses.push((path.to_owned(), response));
        self.url(path)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The number of requests received.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, responses: &Mutex<Vec<(String, Response)>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let response = lock(responses).iter().find(|(known, _)| *known == path).map(|(_, response)| response.clone());
    match response.unwrap_or(Response::Status(404)) {
        Response::Body(media, body) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {}\r\n", body.len())?;
            stream.write_all(b"Connection: close\r\n\r\n")?;
            stream.write_all(&body)
        }
        Response::Status(status) => {
            let body = "<!doctype html><title>Sorry</title>";
            write!(stream, "HTTP/1.1 {status} No\r\nContent-Type: text/html\r\nContent-Length: {}\r\n", body.len())?;
            write!(stream, "Connection: close\r\n\r\n{body}")
        }
        Response::Redirect(to) => {
            write!(stream, "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Response::Cut(body, sent) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
            stream.write_all(&body[..sent])
        }
        Response::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"swagger\": \"")?;
            // Ends when nobody reads on.
            loop {
                stream.write_all(&[b'a'; 1 << 16])?;
            }
        }
        Response::Huge(length) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")?;
            wait(&mut reader)
        }
        Response::Silence => wait(&mut reader),
    }
}

/// Until the other side closes, or ten minutes.
fn wait(reader: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    reader.get_ref().set_read_timeout(Some(Duration::from_secs(600)))?;
    reader.read_line(&mut String::new()).map(drop)
}
