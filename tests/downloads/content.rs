//! Downloads with unexpected encodings and contents, and from servers that violate HTTP.

use std::io::Write;

use datagouv::files::{Algorithm, Checksum, RemoteFile};
use datagouv_sandbox::fault::{Fault, FaultServer};
use datagouv_sandbox::platform::{COMMUNES, COMMUNES_RESOURCE};
use datagouv_sandbox::{Reply, Sandbox, clock};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use crate::{Folder, TAG, client, client_of, csv, data};

const CSV: &str = "code;nom\n01001;L'Abergement\n";

pub const REJECTED: &str =
    "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected.</body></html>";

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
    FaultServer::responding(move |_| Reply::new(200, "text/csv", body.clone()).with_header("content-encoding", coding))
        .await
}

#[tokio::test]
async fn compares_a_declared_size_with_the_decoded_or_the_encoded_body() {
    let (table, folder) = (table(), Folder::new());
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
async fn compares_a_declared_checksum_with_the_decoded_or_the_encoded_body() {
    clock::by_steps();
    let server = sending("gzip", gzip(CSV.as_bytes())).await;
    let sum = |data: &[u8]| {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(data);
        Checksum::new(Algorithm::Sha256, &digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    for data in [CSV.as_bytes(), &gzip(CSV.as_bytes())] {
        // Also if the first response is cut.
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
async fn recognises_an_html_page_in_an_encoded_body() {
    let server = sending("gzip", gzip(b"<html><title>Request Rejected</title>")).await;
    let error = client().file(csv(&server, "/a.csv")).bytes(10_000).await.unwrap_err();
    assert!(error.is_unexpected_content() && error.to_string().contains("Request Rejected"), "{error}");
}

#[tokio::test]
async fn keeps_a_compressed_format_compressed() {
    let packed = gzip(CSV.as_bytes());
    let body = packed.clone();
    let server = FaultServer::responding(move |arrival| {
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
async fn ignores_a_content_encoding_that_is_not_applied() {
    let folder = Folder::new();
    for coding in ["gzip", "utf-8", "UTF-8", "identity", "binary", ""] {
        let server = sending(coding, CSV.into()).await;
        let saved = client().file(csv(&server, "/a.csv")).download(&folder.0).send().await.unwrap();
        assert_eq!(std::fs::read_to_string(saved.path).unwrap(), CSV, "{coding}");
        assert_eq!(saved.content_coding, None, "{coding}");
    }
}

#[tokio::test]
async fn restarts_an_encoded_body_cut_at_any_byte() {
    clock::by_steps();
    let (table, folder) = (table(), Folder::new());
    let server = sending("gzip", gzip(&table)).await;
    for kept in [0, 1, 500, 20_000] {
        server.fault_once(Fault::CutBody(kept));
        let saved = client().file(csv(&server, "/a.csv")).download(&folder.0).send().await.unwrap();
        assert!(std::fs::read(&saved.path).unwrap() == table, "{kept}");
        assert_eq!(saved.resumptions, 1);
    }
}

#[tokio::test]
async fn decompresses_a_bomb_in_small_chunks() {
    let server = FaultServer::serving("text/csv", "").await;
    server.fault_always(Fault::GzipBomb(64 << 20));
    let mut stream = client().file(csv(&server, "/a.csv").with_format("json")).stream().await.unwrap();
    let (mut sum, mut most) = (0, 0);
    while let Some(bytes) = stream.chunk().await.unwrap() {
        (sum, most) = (sum + bytes.len(), most.max(bytes.len()));
    }
    // The filler text, with the quotes and braces around it.
    assert!(sum > 64 << 20, "{sum}");
    assert!(most < 6 << 20, "{most} bytes at once");
    let error = client().file(csv(&server, "/a.csv").with_format("json")).bytes(1 << 20).await.unwrap_err();
    assert!(error.is_too_large(), "{error}");
}

#[tokio::test]
async fn does_not_append_an_encoded_range_to_the_file() {
    clock::by_steps();
    let table = table();
    let served = table.clone();
    let server = FaultServer::responding(move |arrival| {
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
async fn a_wrong_range_is_not_reported_as_a_changed_file() {
    clock::by_steps();
    for status in [206, 416] {
        let server = FaultServer::responding(move |arrival| match arrival.header("range") {
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
async fn accepts_a_file_declared_empty() {
    let server = FaultServer::responding(|_| Reply::new(200, "text/csv", "")).await;
    assert_eq!(client().file(csv(&server, "/a.csv").with_size(0)).bytes(10).await.unwrap(), "");
}

#[tokio::test]
async fn an_html_page_instead_of_data_is_an_error_and_not_saved() {
    let folder = Folder::new();
    let server = FaultServer::responding(|_| Reply::new(200, "text/html", REJECTED)).await;
    let file = csv(&server, "/waf.csv");
    for size in [None, Some(10_000)] {
        let error = client().file(file.clone().with_size(size)).download(&folder.0).send().await.unwrap_err();
        assert!(error.is_unexpected_content(), "{error}");
        assert!(error.to_string().contains("an HTML page came in place of the file"), "{error}");
        assert!(error.to_string().contains("Request Rejected"), "{error}");
        assert!(error.to_string().contains("/waf.csv"), "{error}");
        assert_eq!(error.body().unwrap(), REJECTED);
        assert!(folder.names().is_empty());
    }
    assert!(client().file(file.clone()).bytes(1_000).await.unwrap_err().is_unexpected_content());
    let mut stream = client().file(file.clone()).stream().await.unwrap();
    assert!(stream.chunk().await.unwrap_err().is_unexpected_content());
    let saved = client().file(file).download(&folder.0).accept_any_content().send().await.unwrap();
    assert_eq!((saved.size as usize, saved.media_type.as_deref()), (REJECTED.len(), Some("text/html")));
    // Without a declared format, any content but a login page is accepted.
    let page = RemoteFile::new(format!("{}/page", server.origin()));
    assert_eq!(client().file(page).bytes(1_000).await.unwrap(), REJECTED);
}

#[tokio::test]
async fn reports_a_redirect_to_a_login_page() {
    let server = FaultServer::responding(|arrival| match arrival.path() {
        "/a.csv" => Reply::empty(302).with_header("location", "/sso/login?next=%2Fa.csv&token=abc"),
        _ => Reply::new(200, "text/html", "<!DOCTYPE html><form>"),
    })
    .await;
    let error = client().file(csv(&server, "/a.csv")).bytes(1_000).await.unwrap_err();
    assert!(error.is_unexpected_content() && error.to_string().contains("redirected to a login page"), "{error}");
    assert!(error.to_string().contains("/sso/login?next=%2Fa.csv&token=…"), "{error}");
    let undeclared = client().file(RemoteFile::new(format!("{}/a.csv", server.origin())));
    assert!(undeclared.bytes(1_000).await.unwrap_err().is_unexpected_content());
    let folder = Folder::new();
    undeclared.download(&folder.0).accept_any_content().send().await.unwrap();
}

#[tokio::test]
async fn an_empty_file_is_an_error_if_data_is_declared() {
    let server = FaultServer::responding(|_| Reply::new(200, "text/csv", "")).await;
    let error = client().file(csv(&server, "/a.csv")).bytes(1_000).await.unwrap_err();
    assert!(error.is_unexpected_content() && error.to_string().contains("nothing came"), "{error}");
}

#[tokio::test]
async fn compares_a_file_with_the_format_of_its_resource() {
    let (sandbox, folder) = (Sandbox::start_platform().await, Folder::new());
    let mut resource = client_of(&sandbox).resource(COMMUNES_RESOURCE).get().await.unwrap();
    let server = FaultServer::responding(|_| Reply::new(200, "text/html", REJECTED)).await;
    resource.url = format!("{}/communes.csv", server.origin());
    let error = client().file(&resource).download(&folder.0).send().await.unwrap_err();
    assert!(error.is_unexpected_content(), "{error}");
    resource.format = Some("html".to_owned());
    let error = client().file(&resource).download(&folder.0).send().await.unwrap_err();
    assert!(error.is_corrupt(), "the page has another size than declared: {error}");
}

#[tokio::test]
async fn decodes_a_content_encoding_that_was_not_requested() {
    let folder = Folder::new();
    let server = FaultServer::responding(|_| {
        Reply::new(200, "text/csv", gzip(&data())).with_header("content-encoding", "gzip").with_header("etag", TAG)
    })
    .await;
    for size in [None, Some(data().len() as u64)] {
        let file = csv(&server, "/a.csv").with_size(size);
        let saved = client().file(file.clone()).download(&folder.0).send().await.unwrap();
        assert_eq!((saved.size, saved.content_coding.as_deref()), (data().len() as u64, Some("gzip")));
        assert!(folder.read("a.csv") == data());
        assert!(client().file(file).bytes(1 << 20).await.unwrap() == data());
    }
    // The file itself is compressed.
    let saved = client().file(csv(&server, "/b.csv.gz")).download(&folder.0).send().await.unwrap();
    assert_eq!((saved.content_coding, saved.etag.as_deref()), (None, Some(TAG)));
    assert!(folder.read("b.csv.gz") == gzip(&data()));
}

#[tokio::test]
async fn restarts_a_cut_encoded_body() {
    clock::by_steps();
    let folder = Folder::new();
    let server = FaultServer::responding(|arrival| {
        let body = gzip(&data());
        // The body is complete for HTTP.
        let body = if arrival.number == 1 { body[..body.len() / 2].to_vec() } else { body };
        Reply::new(200, "text/csv", body).with_header("content-encoding", "gzip")
    })
    .await;
    let saved = client().file(csv(&server, "/a.csv")).download(&folder.0).send().await.unwrap();
    assert!(folder.read("a.csv") == data());
    assert_eq!((saved.resumptions, server.count()), (1, 2));
}

#[tokio::test]
async fn an_unknown_content_encoding_is_an_error() {
    let server =
        FaultServer::responding(|_| Reply::new(200, "text/csv", "x").with_header("content-encoding", "compress")).await;
    let error = client().file(csv(&server, "/a.csv")).bytes(10).await.unwrap_err();
    assert!(error.to_string().contains("content coding `compress`"), "{error}");
}

#[tokio::test]
async fn a_body_that_is_always_cut_is_not_reported_as_a_changed_file() {
    clock::by_steps();
    let folder = Folder::new();
    let server = FaultServer::responding(|_| Reply::new(200, "text/csv", data())).await;
    server.fault_always(Fault::CutBody(120_000));
    let error = client().file(csv(&server, "/a.csv")).download(&folder.0).send().await.unwrap_err();
    assert!(error.is_transport() && !error.is_changed(), "{error}");
    let message = error.to_string();
    assert!(message.contains("the body broke off after 120000 of 200000 bytes, and cannot be resumed"), "{message}");
    assert!(folder.names().is_empty());
}

#[tokio::test]
async fn refuses_an_invalid_url_before_sending() {
    let (sandbox, server) = (Sandbox::start_platform().await, FaultServer::serving("text/csv", "a").await);
    let escaped = format!("{}/wfs?a=1&amp;b=2", server.origin());
    let error = client().file(RemoteFile::new(&escaped)).bytes(10).await.unwrap_err();
    let meant = escaped.replace("&amp;", "&");
    assert!(error.is_request() && error.to_string().contains(&format!("probably `{meant}` is meant")), "{error}");
    let dataset = client_of(&sandbox).dataset("communes");
    let input = datagouv::main::types::ResourceInput::remote("Escaped", &escaped);
    let error = dataset.create_remote(input).await.unwrap_err();
    assert!(error.is_request() && error.to_string().contains(&meant), "{error}");
    assert_eq!((server.count(), sandbox.requests().len()), (0, 0));
    // A changed URL is checked too, an unchanged one is not.
    let resource = client_of(&sandbox).dataset(COMMUNES).resource(COMMUNES_RESOURCE);
    let error = resource.update(|update| update.url(&escaped)).await.unwrap_err();
    assert!(error.is_request() && error.to_string().contains(&meant), "{error}");
    assert!(sandbox.requests().iter().all(|request| request.method == "GET"));
    resource.update(|update| update.title("Renamed")).await.unwrap();
}

#[tokio::test]
async fn the_error_of_a_file_has_its_query() {
    let server = FaultServer::responding(|_| Reply::empty(500)).await;
    let file = RemoteFile::new(format!("{}/wfs?request=GetFeature&apikey=abc", server.origin()));
    let error = client().file(file).bytes(10).await.unwrap_err().to_string();
    assert!(error.contains("/wfs?request=GetFeature&apikey=…"), "{error}");
}
