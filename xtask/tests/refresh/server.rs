//! A server of HTTP that answers what a test tells it to, badly too.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What a path answers.
#[derive(Clone)]
pub enum Answer {
    /// 200 with a body of a media type.
    Body(&'static str, Vec<u8>),
    /// This status, and a page of HTML.
    Status(u16),
    /// 302 to a URL.
    Redirect(String),
    /// 200, all of the head, and so many bytes of the body, then the connection is cut.
    Cut(Vec<u8>, usize),
    /// 200 and a body without an end; no length is told.
    Endless,
    /// 200 and a length, and no body until the connection is closed.
    Huge(u64),
    /// Nothing, for as long as the asker waits.
    Silence,
}

/// A server on a port of its own, for as long as the value lives.
pub struct Server {
    port: u16,
    answers: Arc<Mutex<Vec<(String, Answer)>>>,
    asked: Arc<AtomicUsize>,
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers: Arc<Mutex<Vec<(String, Answer)>>> = Arc::default();
        let asked = Arc::new(AtomicUsize::new(0));
        let (known, count) = (Arc::clone(&answers), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (known, count) = (Arc::clone(&known), Arc::clone(&count));
                thread::spawn(move || {
                    count.fetch_add(1, Ordering::SeqCst);
                    let _ = serve(stream, &known);
                });
            }
        });
        Self { port, answers, asked }
    }

    /// The URL of a path that answers this from now on.
    pub fn at(&self, path: &str, answer: Answer) -> String {
        let mut answers = lock(&self.answers);
        answers.retain(|(known, _)| known != path);
        answers.push((path.to_owned(), answer));
        self.url(path)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// How many requests came.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, answers: &Mutex<Vec<(String, Answer)>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let answer = lock(answers).iter().find(|(known, _)| *known == path).map(|(_, answer)| answer.clone());
    match answer.unwrap_or(Answer::Status(404)) {
        Answer::Body(media, body) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {}\r\n", body.len())?;
            stream.write_all(b"Connection: close\r\n\r\n")?;
            stream.write_all(&body)
        }
        Answer::Status(status) => {
            let body = "<!doctype html><title>Sorry</title>";
            write!(stream, "HTTP/1.1 {status} No\r\nContent-Type: text/html\r\nContent-Length: {}\r\n", body.len())?;
            write!(stream, "Connection: close\r\n\r\n{body}")
        }
        Answer::Redirect(to) => {
            write!(stream, "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Answer::Cut(body, sent) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
            stream.write_all(&body[..sent])
        }
        Answer::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"swagger\": \"")?;
            // Ends when nobody reads on.
            loop {
                stream.write_all(&[b'a'; 1 << 16])?;
            }
        }
        Answer::Huge(length) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")?;
            wait(&mut reader)
        }
        Answer::Silence => wait(&mut reader),
    }
}

/// Until the other side closes, or ten minutes.
fn wait(reader: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    reader.get_ref().set_read_timeout(Some(Duration::from_secs(600)))?;
    reader.read_line(&mut String::new()).map(drop)
}
