//! The bytes that the fault server sends, and the ends of its connections.

mod support;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use datagouv_sandbox::fault::{Fault, FaultServer, UntrustedServer};
use datagouv_sandbox::{Api, Reply, Sandbox, clock};
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Debug, PartialEq, Eq)]
enum End {
    Closed,
    Reset,
    Open,
}

/// How long a connection is silent before it is taken for open.
const SILENCE: Duration = Duration::from_secs(2);

const GET: &str = "GET /file?x=1 HTTP/1.1\r\nhost: h\r\nx-mark: a\r\n\r\n";

async fn server() -> FaultServer {
    FaultServer::responding(|_| Reply::new(200, "text/plain", "0123456789")).await
}

async fn connect(server: &FaultServer) -> TcpStream {
    TcpStream::connect(server.origin().trim_start_matches("http://")).await.unwrap()
}

/// Sends, and reads until the end or until the connection is silent.
async fn exchange(stream: &mut TcpStream, request: &str) -> (String, End) {
    // A server that has reset the connection reads no more.
    let _ = stream.write_all(request.as_bytes()).await;
    let (mut all, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    let end = loop {
        match tokio::time::timeout(SILENCE, stream.read(&mut buffer)).await {
            Ok(Ok(0)) => break End::Closed,
            Ok(Ok(read)) => all.extend_from_slice(&buffer[..read]),
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => break End::Reset,
            Ok(Err(error)) => panic!("{error}"),
            Err(_) => break End::Open,
        }
    };
    (String::from_utf8_lossy(&all).into_owned(), end)
}

#[tokio::test]
async fn every_fault_sends_exactly_its_bytes() {
    clock::by_steps();
    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n";
    let length = |length: usize, body: &str| format!("{HEAD}content-length: {length}\r\n\r\n{body}");
    let chunked = |body: &str| format!("{HEAD}transfer-encoding: chunked\r\n\r\n{body}");
    let whole = length(10, "0123456789");
    let cases = [
        (Fault::ResetBeforeHeaders, String::new(), End::Reset),
        (Fault::CloseBeforeHeaders, String::new(), End::Closed),
        (Fault::CutHeaders, whole[..(whole.len() - 10) / 2].to_owned(), End::Closed),
        (Fault::ResetAfterHeaders, length(10, ""), End::Reset),
        (Fault::CutBody(4), length(10, "0123"), End::Closed),
        (Fault::CutBody(0), length(10, ""), End::Closed),
        (Fault::ResetBody(4), length(10, "0123"), End::Reset),
        (Fault::StallBeforeHeaders, String::new(), End::Open),
        (Fault::StallBody(4), length(10, "0123"), End::Open),
        (Fault::Drip(Duration::from_millis(1)), whole.clone(), End::Open),
        (Fault::LengthTooLarge(5), length(15, "0123456789"), End::Closed),
        (Fault::LengthTooSmall(3), length(7, "0123456789"), End::Open),
        (Fault::CutChunked(4), chunked("4\r\n0123\r\n"), End::Closed),
        (Fault::InvalidChunk(4), chunked("4\r\n0123\r\nno size\r\nnothing\r\n"), End::Closed),
        (Fault::DeadAfterwards, whole.clone(), End::Open),
        (Fault::ClosedAfterwards, whole.clone(), End::Open),
        (Fault::empty(), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(), End::Open),
    ];
    join_all(cases.map(|(fault, expected, end)| async move {
        let server = server().await;
        server.fault_once(fault.clone());
        let seen = exchange(&mut connect(&server).await, GET).await;
        assert_eq!(seen, (expected, end), "{fault:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_kept_alive_connection_stalls_or_closes() {
    clock::by_steps();
    let server = server().await;
    for (fault, end) in [(Fault::DeadAfterwards, End::Open), (Fault::ClosedAfterwards, End::Closed)] {
        server.fault_once(fault);
        let mut stream = connect(&server).await;
        assert!(exchange(&mut stream, GET).await.0.ends_with("0123456789"));
        assert_eq!(exchange(&mut stream, GET).await, (String::new(), end));
        assert!(exchange(&mut connect(&server).await, GET).await.0.ends_with("0123456789"));
    }
    assert_eq!((server.count(), server.connections()), (6, 4));
}

#[tokio::test]
async fn a_closed_port_refuses_until_it_is_opened() {
    clock::by_steps();
    let server = server().await;
    let address = server.origin().trim_start_matches("http://").to_owned();
    server.close().await;
    assert_eq!(TcpStream::connect(&address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    server.open().unwrap();
    assert!(exchange(&mut connect(&server).await, GET).await.0.ends_with("0123456789"));
    server.fault_once(Fault::StopServer);
    assert_eq!(exchange(&mut connect(&server).await, GET).await, (String::new(), End::Reset));
    assert_eq!(TcpStream::connect(&address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn requests_are_logged_unchanged() {
    clock::by_steps();
    let server = server().await;
    server.fault_nth(2, Fault::ResetInRequest(3));
    let mut stream = connect(&server).await;
    exchange(&mut stream, GET).await;
    let post = "POST /file HTTP/1.1\r\nhost: h\r\ncontent-length: 6\r\n\r\nabcdef";
    assert_eq!(exchange(&mut stream, post).await, (String::new(), End::Reset));
    let chunked = "PUT /file HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    exchange(&mut connect(&server).await, chunked).await;
    let seen = server.take_requests();
    let requests: Vec<_> =
        seen.iter().map(|one| (one.number, one.connection, one.method.as_str(), &one.body[..], one.complete)).collect();
    assert_eq!(requests, [(1, 1, "GET", &b""[..], true), (2, 1, "POST", b"abc", false), (3, 2, "PUT", b"abcde", true)]);
    assert_eq!((seen[0].path(), seen[0].query(), seen[0].header("X-Mark")), ("/file", "x=1", Some("a")));
    assert!(seen[1].contains("abc") && seen[1].contains("/file") && !seen[1].contains("abcd"));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_proxy_of_a_sandbox_replaces_its_origin() {
    clock::by_steps();
    let sandbox = Sandbox::start_platform().await;
    let server = FaultServer::before(&sandbox).await;
    let client = support::client();
    let url = format!("{}/datasets/?page_size=1", server.url(Api::Main));
    let page: serde_json::Value = client.get(&url).send().await.unwrap().json().await.unwrap();
    let file = page["data"][0]["resources"][0]["url"].as_str().unwrap();
    assert!(file.starts_with(server.origin()), "{file}");
    let whole = client.get(file).send().await.unwrap().bytes().await.unwrap();
    let part = client.get(file).header("range", "bytes=2-5").send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.bytes().await.unwrap(), whole.slice(2..6));
    let head = client.head(file).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], whole.len().to_string().as_str());
    // A request with `Fault::Reply` is not served.
    sandbox.take_requests();
    server.fault_once(Fault::status(503));
    assert_eq!(client.get(&url).send().await.unwrap().status(), 503);
    assert!(sandbox.take_requests().is_empty());
    server.fault_once(Fault::ResetBeforeHeaders);
    client.get(&url).send().await.unwrap_err();
    assert_eq!(sandbox.take_requests().len(), 1);
}

#[tokio::test]
async fn bombs_and_huge_headers_have_their_full_size() {
    clock::by_steps();
    let server = server().await;
    server.fault_once(Fault::HugeHeaders(1 << 20));
    assert!(exchange(&mut connect(&server).await, GET).await.0.len() > 1 << 20);
    server.fault_once(Fault::GzipBomb(100 << 20));
    // Read raw, since a client that decompresses would be hit. Invalid UTF-8 counts up to three times here.
    let (bomb, _) = exchange(&mut connect(&server).await, GET).await;
    assert!((10 << 10..600 << 10).contains(&bomb.len()), "{} bytes", bomb.len());
}

#[tokio::test]
async fn clients_reject_the_self_signed_certificate() {
    let server = UntrustedServer::start().await;
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let stream = TcpStream::connect(server.origin().trim_start_matches("https://")).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let error = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!((server.connections(), server.bytes()), (1, 0));
}
