//! Content codings that need a feature.

use datagouv::files::{Algorithm, Checksum};
use datagouv_sandbox::Reply;
use datagouv_sandbox::fault::FaultServer;
use sha2::Digest;

use super::{Folder, client, clock, csv};

/// `"code,nom\n" + "29019,Brest\n" * 20000` by the encoders of Python's packages brotli 1.2 and zstandard 0.25.
const CODED: [(&str, &str); 2] = [
    #[cfg(feature = "brotli")]
    ("br", "5b88a9835ff4645dca0f68af5217b1a10479b016a8c0be840ea0a7c4a946c4e63d"),
    #[cfg(not(feature = "brotli"))]
    ("identity", ""),
    #[cfg(feature = "zstd")]
    ("zstd", "28b52ffda089a90300e40000a0636f64652c6e6f6d0a32393031392c42726573740100d2ff9f172645000000010086a9cf0b10"),
    #[cfg(not(feature = "zstd"))]
    ("identity", ""),
];

fn table() -> Vec<u8> {
    format!("code,nom\n{}", "29019,Brest\n".repeat(20_000)).into_bytes()
}

fn coded() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    CODED.into_iter().filter(|(coding, _)| *coding != "identity").map(|(coding, hex)| (coding, bytes(hex)))
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

async fn sending(coding: &'static str, body: Vec<u8>) -> FaultServer {
    FaultServer::responding(move |_| Reply::new(200, "text/csv", body.clone()).with_header("content-encoding", coding))
        .await
}

fn sha256(data: &[u8]) -> Checksum {
    let digest = sha2::Sha256::digest(data);
    Checksum::new(Algorithm::Sha256, &digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()).unwrap()
}

#[tokio::test]
async fn compares_declarations_with_the_decoded_or_the_encoded_body() {
    let (table, folder) = (table(), Folder::new());
    for (coding, body) in coded() {
        let sent = body.len() as u64;
        let server = sending(coding, body.clone()).await;
        for size in [None, Some(table.len() as u64), Some(sent)] {
            for checksum in [None, Some(sha256(&table)), Some(sha256(&body))] {
                let file = csv(&server, "/a.csv").with_size(size).with_checksum(checksum);
                let saved = client().file(file.clone()).download(&folder.0).send().await.unwrap();
                assert!(folder.read("a.csv") == table, "{coding}");
                assert_eq!((saved.size, saved.content_coding.as_deref()), (table.len() as u64, Some(coding)));
                assert!(client().file(file).bytes(1 << 20).await.unwrap() == table, "{coding}");
            }
        }
        let error = client().file(csv(&server, "/a.csv").with_size(sent + 1)).bytes(1 << 20).await.unwrap_err();
        assert!(error.is_corrupt() && error.to_string().contains(&format!("({sent} as they were sent)")), "{error}");
        let error = client().file(csv(&server, "/a.csv").with_checksum(sha256(b""))).bytes(1 << 20).await.unwrap_err();
        assert!(error.is_corrupt(), "{error}");
    }
}

#[tokio::test]
async fn restarts_an_encoded_body_cut_at_any_byte() {
    clock::by_steps();
    let folder = Folder::new();
    for (coding, body) in coded() {
        for kept in [1, 3, 5, body.len() - 1] {
            let whole = body.clone();
            // The body is complete for HTTP.
            let server = FaultServer::responding(move |arrival| {
                let kept = if arrival.number == 1 { kept } else { whole.len() };
                Reply::new(200, "text/csv", whole[..kept].to_vec()).with_header("content-encoding", coding)
            })
            .await;
            let saved = client().file(csv(&server, "/a.csv")).download(&folder.0).send().await.unwrap();
            assert!(folder.read("a.csv") == table(), "{coding} {kept}");
            assert_eq!((saved.resumptions, server.count()), (1, 2), "{coding} {kept}");
        }
    }
}

#[tokio::test]
async fn a_damaged_body_is_corrupt_and_plain_text_is_recognised() {
    for (coding, body) in coded() {
        let damaged: Vec<u8> = body.iter().enumerate().map(|(at, byte)| if at < 12 { *byte } else { !byte }).collect();
        let followed = [&body[..], b"more"].concat();
        for body in [damaged, followed] {
            let server = sending(coding, body).await;
            let error = client().file(csv(&server, "/a.csv")).bytes(1 << 20).await.unwrap_err();
            assert!(error.is_corrupt() && error.to_string().contains("cannot be undone"), "{coding}: {error}");
        }
        // Brotli has no magic number.
        if coding == "zstd" {
            let server = sending(coding, b"a;b\n1;2\n".to_vec()).await;
            assert_eq!(client().file(csv(&server, "/a.csv")).bytes(100).await.unwrap(), "a;b\n1;2\n");
        }
        let server = sending(coding, Vec::new()).await;
        let error = client().file(csv(&server, "/a.csv")).bytes(100).await.unwrap_err();
        assert!(error.is_unexpected_content() && error.to_string().contains("nothing came"), "{error}");
    }
}

#[tokio::test]
async fn decompresses_a_bomb_in_small_chunks() {
    for (coding, body) in coded() {
        let server = sending(coding, body).await;
        let mut stream = client().file(csv(&server, "/a.csv")).stream().await.unwrap();
        let (mut sum, mut most) = (0, 0);
        while let Some(bytes) = stream.chunk().await.unwrap() {
            (sum, most) = (sum + bytes.len(), most.max(bytes.len()));
        }
        assert!(sum == table().len() && most <= 130 << 10, "{coding}: {most} of {sum} bytes at once");
        let error = client().file(csv(&server, "/a.csv")).bytes(100_000).await.unwrap_err();
        assert!(error.is_too_large(), "{error}");
    }
}

#[tokio::test]
async fn keeps_a_compressed_format_compressed() {
    let folder = Folder::new();
    for (coding, body) in coded() {
        let server = sending(coding, body.clone()).await;
        let extension = if coding == "br" { "br" } else { "zst" };
        let name = format!("a.csv.{extension}");
        let file = csv(&server, &format!("/{name}")).with_size(body.len() as u64);
        let saved = client().file(file).download(&folder.0).send().await.unwrap();
        assert_eq!(saved.content_coding, None);
        assert!(folder.read(&name) == body);
    }
}

#[cfg(feature = "zstd")]
#[tokio::test]
async fn refuses_a_frame_with_a_larger_window_than_http_allows() {
    // The same text with a window of 128 MiB.
    let body = "28b52ffd0088e40000a0636f64652c6e6f6d0a32393031392c42726573740100d2ff9f17264d0000080a010085a9391002";
    let server = sending("zstd", bytes(body)).await;
    let error = client().file(csv(&server, "/a.csv")).bytes(1 << 20).await.unwrap_err();
    assert!(error.is_corrupt() && error.to_string().contains("needs too much memory"), "{error}");
}
