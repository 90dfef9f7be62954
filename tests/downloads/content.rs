//! Files that come in another form than they were requested in, or from servers that keep no promise.

use std::io::Write;
use std::path::PathBuf;

use datagouv::files::{Algorithm, Checksum, RemoteFile};
use datagouv::{Api, Client};
use datagouv_sandbox::fault::{Fault, FaultServer};
use datagouv_sandbox::{Reply, clock};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

const CSV: &str = "code;nom\n01001;L'Abergement\n";

fn client() -> Client {
    Client::builder().base_url(Api::Main, "http://127.0.0.1:9/api/1").build().unwrap()
}

fn csv(server: &FaultServer, path: &str) -> RemoteFile {
    RemoteFile::new(format!("{}{path}", server.origin())).with_format("csv")
}

/// A folder of this test's own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("datagouv-content-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn table() -> Vec<u8> {
    (0..20_000).flat_map(|row| format!("{row};Ville n° {}\n", row * 7).into_bytes()).collect()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn bare_deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

async fn sending(coding: &'static str, body: Vec<u8>) -> FaultServer {
    FaultServer::answering(move |_| Reply::new(200, "text/csv", body.clone()).with_header("content-encoding", coding))
        .await
}

#[tokio::test]
async fn a_declared_size_may_be_of_the_file_or_of_what_is_sent() {
    let (table, folder) = (table(), Folder::new("size"));
    for (coding, body) in
        [("gzip", gzip(&table)), ("x-gzip", gzip(&table)), ("deflate", zlib(&table)), ("deflate", bare_deflate(&table))]
    {
        let sent = body.len() as u64;
        let server = sending(coding, body).await;
        for size in [None, Some(table.len() as u64), Some(sent)] {
            let file = csv(&server, "/a.csv").with_size(size);
            let saved = client().file(file.clone()).download(&folder.0).send().await.unwrap();
            assert!(std::fs::read(&saved.path).unwrap() == table, "{coding}");
            assert_eq!((saved.size, saved.content_coding.as_deref()), (table.len() as u64, Some(coding)));
            assert!(client().file(file).bytes(1 << 20).await.unwrap() == table, "{coding}");
        }
        let error = client().file(csv(&server, "/a.csv").with_size(sent + 1)).bytes(1 << 20).await.unwrap_err();
        assert!(error.is_corrupt() && error.to_string().contains(&format!("({sent} as they were sent)")), "{error}");
    }
}

#[tokio::test]
async fn a_declared_checksum_may_be_of_the_file_or_of_what_is_sent() {
    clock::by_steps();
    let server = sending("gzip", gzip(CSV.as_bytes())).await;
    let sum = |data: &[u8]| {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(data);
        Checksum::new(Algorithm::Sha256, &digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    for data in [CSV.as_bytes(), &gzip(CSV.as_bytes())] {
        // Also where the first response breaks off.
        for kept in [1000, 20] {
            server.fault_once(Fault::CutBody(kept));
            let file = csv(&server, "/a.csv").with_checksum(sum(data));
            assert_eq!(client().file(file).bytes(100).await.unwrap(), CSV);
        }
    }
    let file = csv(&server, "/a.csv").with_checksum(sum(b"other"));
    assert!(client().file(file).bytes(100).await.unwrap_err().is_corrupt());
}

#[tokio::test]
async fn a_page_is_recognised_in_its_coding() {
    let server = sending("gzip", gzip(b"<html><title>Request Rejected</title>")).await;
    let error = client().file(csv(&server, "/a.csv")).bytes(10_000).await.unwrap_err();
    assert!(error.is_unexpected_content() && error.to_string().contains("Request Rejected"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_compressed_by_its_format_or_name_stays_so() {
    let packed = gzip(CSV.as_bytes());
    let body = packed.clone();
    let server = FaultServer::answering(move |arrival| {
        let reply = Reply::new(200, "text/csv", body.clone()).with_header("content-encoding", "gzip");
        match arrival.path() {
            "/named" => reply.with_header("content-disposition", "attachment; filename=a.csv.gz"),
            _ => reply,
        }
    })
    .await;
    for (path, format) in [("/a.csv.gz", "csv"), ("/export", "csv.gz"), ("/named", "csv")] {
        let file = RemoteFile::new(format!("{}{path}", server.origin())).with_format(format);
        let bytes = client().file(file.with_size(packed.len() as u64)).bytes(1000).await.unwrap();
        assert!(bytes == packed, "{path}");
    }
}

#[tokio::test]
async fn a_coding_that_is_named_but_not_applied_is_ignored() {
    let folder = Folder::new("named");
    for coding in ["gzip", "utf-8", "UTF-8", "identity", "binary", ""] {
        let server = sending(coding, CSV.into()).await;
        let saved = client().file(csv(&server, "/a.csv")).download(&folder.0).send().await.unwrap();
        assert_eq!(std::fs::read_to_string(saved.path).unwrap(), CSV, "{coding}");
        assert_eq!(saved.content_coding, None, "{coding}");
    }
}

#[tokio::test]
async fn a_coded_body_that_breaks_off_starts_over_wherever_it_does() {
    clock::by_steps();
    let (table, folder) = (table(), Folder::new("cut"));
    let server = sending("gzip", gzip(&table)).await;
    for kept in [0, 1, 500, 20_000] {
        server.fault_once(Fault::CutBody(kept));
        let saved = client().file(csv(&server, "/a.csv")).download(&folder.0).send().await.unwrap();
        assert!(std::fs::read(&saved.path).unwrap() == table, "{kept}");
        assert_eq!(saved.resumptions, 1);
    }
}

#[tokio::test]
async fn a_little_that_becomes_too_much_comes_in_small_pieces() {
    let server = FaultServer::serving("text/csv", "").await;
    server.fault_always(Fault::GzipBomb(64 << 20));
    let mut stream = client().file(csv(&server, "/a.csv").with_format("json")).stream().await.unwrap();
    let (mut sum, mut most) = (0, 0);
    while let Some(bytes) = stream.chunk().await.unwrap() {
        (sum, most) = (sum + bytes.len(), most.max(bytes.len()));
    }
    // The text that is filled, and the quotes and braces around it.
    assert!(sum > 64 << 20, "{sum}");
    assert!(most < 6 << 20, "{most} bytes at once");
    let error = client().file(csv(&server, "/a.csv").with_format("json")).bytes(1 << 20).await.unwrap_err();
    assert!(error.is_too_large(), "{error}");
}

#[tokio::test]
async fn a_rest_in_a_coding_is_not_taken_for_the_rest_of_the_file() {
    clock::by_steps();
    let table = table();
    let served = table.clone();
    let server = FaultServer::answering(move |arrival| {
        let reply = Reply::new(200, "text/csv", served.clone()).with_header("etag", "\"one\"");
        match arrival.header("range") {
            Some(_) => {
                let rest = format!("bytes 10000-{}/{}", served.len() - 1, served.len());
                Reply { status: 206, body: gzip(&served[10_000..]).into(), ..reply }
                    .with_header("content-range", rest)
                    .with_header("content-encoding", "gzip")
            }
            None => reply,
        }
    })
    .await;
    server.fault_once(Fault::CutBody(10_000));
    assert!(client().file(csv(&server, "/a.csv")).bytes(1 << 20).await.unwrap() == table);
}

#[tokio::test]
async fn a_server_that_sends_wrong_ranges_is_not_said_to_have_changed_the_file() {
    clock::by_steps();
    for status in [206, 416] {
        let server = FaultServer::answering(move |arrival| match arrival.header("range") {
            Some(_) => Reply::new(status, "text/csv", "wrong").with_header("etag", "\"one\""),
            None => Reply::new(200, "text/csv", table()).with_header("etag", "\"one\""),
        })
        .await;
        server.fault_once(Fault::CutBody(10_000));
        let mut stream = client().file(csv(&server, "/a.csv")).stream().await.unwrap();
        let mut all = Vec::new();
        while let Some(bytes) = stream.chunk().await.unwrap() {
            all.extend_from_slice(&bytes);
        }
        assert!(all == table(), "{status}");
    }
}

#[tokio::test]
async fn a_file_that_is_declared_empty_may_be() {
    let server = FaultServer::answering(|_| Reply::new(200, "text/csv", "")).await;
    assert_eq!(client().file(csv(&server, "/a.csv").with_size(0)).bytes(10).await.unwrap(), "");
}
