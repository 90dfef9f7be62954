//! Downloads: resumed, checked, and saved under a name within their folder.

#[cfg(any(feature = "brotli", feature = "zstd"))]
mod codings;
mod content;
mod dataset;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use datagouv::files::{Algorithm, Checksum, RemoteFile};
use datagouv::{Api, Client};
use datagouv_sandbox::fault::{Fault, FaultServer, RawRequest};
use datagouv_sandbox::platform::{COMMUNES, COMMUNES_RESOURCE};
use datagouv_sandbox::{Reply, Sandbox, clock};

const KEY: &str = "udata_a-key-that-must-not-be-seen";
const TAG: &str = "\"one\"";
const ABC_SHA1: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

fn client() -> Client {
    Client::builder().base_url(Api::Main, "http://127.0.0.1:9/api/1").api_key(KEY).build().unwrap()
}

fn client_of(sandbox: &Sandbox) -> Client {
    Client::builder()
        .base_url(Api::Main, sandbox.url(Api::Main))
        .base_url(Api::MainV2, sandbox.url(Api::MainV2))
        .api_key(KEY)
        .build()
        .unwrap()
}

/// A file whose declared format is CSV.
fn csv(server: &FaultServer, path: &str) -> RemoteFile {
    RemoteFile::new(format!("{}{path}", server.origin())).with_format("csv")
}

/// A folder that is removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("datagouv-downloads-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file whose bytes differ by position.
fn data() -> Vec<u8> {
    (0_u32..50_000).flat_map(u32::to_le_bytes).collect()
}

/// A file, whole or from the requested offset.
fn ranged(arrival: &RawRequest, data: &[u8], tag: &str) -> Reply {
    let first = arrival
        .header("range")
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok())
        .filter(|_| arrival.header("if-range").is_none_or(|condition| condition == tag));
    let reply = match first {
        Some(first) => {
            let range = format!("bytes {first}-{}/{}", data.len() - 1, data.len());
            Reply::new(206, "text/csv", data[first..].to_vec()).with_header("content-range", range)
        }
        None => Reply::new(200, "text/csv", data.to_vec()),
    };
    reply.with_header("etag", tag)
}

fn ranges(server: &FaultServer) -> Vec<Option<String>> {
    server.requests().iter().map(|arrival| arrival.header("range").map(str::to_owned)).collect()
}

async fn of_three_bytes(headers: &'static [(&'static str, &'static str)]) -> FaultServer {
    FaultServer::responding(move |_| {
        headers.iter().fold(Reply::new(200, "text/csv", "abc"), |reply, (name, value)| reply.with_header(name, *value))
    })
    .await
}

#[tokio::test]
async fn saves_a_resource_under_its_name_and_checks_it() {
    let (sandbox, folder) = (Sandbox::start_platform().await, Folder::new());
    let saved = client_of(&sandbox).resource(COMMUNES_RESOURCE).download(&folder.0).send().await.unwrap();
    let name = saved.path.file_name().unwrap().to_str().unwrap();
    assert_eq!(folder.names(), [name]);
    assert!(saved.url.ends_with(name), "{} is not of {}", name, saved.url);
    assert_eq!(folder.read(name).len() as u64, saved.size);
    assert_eq!(saved.checksum.unwrap().algorithm(), Algorithm::Sha1);
    assert_eq!(saved.resumptions, 0);
    let requests = sandbox.requests();
    // The URL comes from the catalogue; the file is requested as it is stored, and without the key.
    let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths[0], format!("/api/2/datasets/resources/{COMMUNES_RESOURCE}/"));
    assert_eq!(paths.len(), 2);
    assert_eq!((requests[1].header("accept-encoding"), requests[1].header("x-api-key")), (Some("identity"), None));
}

#[tokio::test]
async fn a_cut_download_resumes_with_the_same_etag() {
    clock::by_steps();
    for fault in [Fault::CutBody(120_000), Fault::ResetBody(120_000)] {
        let folder = Folder::new();
        let server = FaultServer::responding(|arrival| ranged(arrival, &data(), TAG)).await;
        server.fault_once(fault);
        let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
        let saved = client().file(file).download(&folder.0).send().await.unwrap();
        assert_eq!((saved.size, saved.resumptions), (200_000, 1));
        assert!(folder.read("a.csv") == data());
        let second = &server.requests()[1];
        let first: usize = second.header("range").unwrap()["bytes=".len()..].trim_end_matches('-').parse().unwrap();
        // A reset may discard bytes that were not read yet.
        assert!((1..=120_000).contains(&first), "{first}");
        assert_eq!(second.header("if-range"), Some(TAG));
    }
}

#[tokio::test]
async fn resumes_as_long_as_it_makes_progress() {
    let folder = Folder::new();
    let server = FaultServer::responding(|arrival| ranged(arrival, &data(), TAG)).await;
    server.plan(|arrival| (arrival.number <= 12).then_some(Fault::CutBody(10_000)));
    let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
    let saved = client().file(file).download(&folder.0).send().await.unwrap();
    assert_eq!(saved.resumptions, 12);
    assert!(folder.read("a.csv") == data());
    let expected: Vec<Option<String>> =
        (0..13).map(|part| (part > 0).then(|| format!("bytes={}-", part * 10_000))).collect();
    assert_eq!(ranges(&server), expected);
}

#[tokio::test]
async fn fails_without_progress() {
    let folder = Folder::new();
    let server = FaultServer::responding(|arrival| ranged(arrival, &data(), TAG)).await;
    server.plan(|arrival| Some(Fault::CutBody(if arrival.number == 1 { 10_000 } else { 0 })));
    let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
    let error = client().file(file).download(&folder.0).send().await.unwrap_err();
    assert!(error.is_transport(), "{error}");
    assert_eq!(folder.names(), [""; 0]);
    assert!(server.count() <= 20, "{}", server.count());
}

#[tokio::test]
async fn restarts_when_the_file_changed() {
    let folder = Folder::new();
    // The whole file with the new tag, whatever the range: `If-Range` does not match.
    let server = FaultServer::responding(|arrival| match arrival.number {
        1 => ranged(arrival, &data(), TAG),
        _ => ranged(arrival, b"the new state", "\"two\""),
    })
    .await;
    server.fault_once(Fault::CutBody(50_000));
    let progress = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&progress);
    let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
    let download = client()
        .file(file)
        .download(&folder.0)
        .progress(move |now| listener.lock().unwrap().push((now.bytes, now.total)));
    let saved = download.send().await.unwrap();
    assert_eq!(folder.read("a.csv"), b"the new state");
    assert_eq!((saved.size, ranges(&server)), (13, vec![None, Some("bytes=50000-".to_owned())]));
    let progress = progress.lock().unwrap();
    assert_eq!((progress[0], progress[progress.len() - 1]), ((0, Some(200_000)), (13, Some(13))));
    assert!(progress.contains(&(0, Some(13))), "the progress goes back: {progress:?}");
}

#[tokio::test]
async fn refuses_a_range_of_another_version_or_position() {
    type Wrong = fn(Reply) -> Reply;
    let wrong: [Wrong; 4] = [
        |reply| Reply { headers: Vec::new(), ..reply }.with_header("content-range", "bytes 9999-199999/200000"),
        |reply| Reply { headers: Vec::new(), ..reply }.with_header("content-range", "bytes 10000-199999/200001"),
        |reply| Reply { headers: Vec::new(), ..reply },
        |reply| {
            Reply { headers: vec![("etag".to_owned(), "\"two\"".to_owned())], ..reply }
                .with_header("content-range", "bytes 10000-199999/200000")
        },
    ];
    for wrong in wrong {
        let folder = Folder::new();
        let server = FaultServer::responding(move |arrival| match arrival.number {
            2 => wrong(ranged(arrival, &data(), TAG)),
            _ => ranged(arrival, &data(), TAG),
        })
        .await;
        server.fault_once(Fault::CutBody(10_000));
        let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
        client().file(file).download(&folder.0).send().await.unwrap();
        assert!(folder.read("a.csv") == data());
        assert_eq!(ranges(&server), [None, Some("bytes=10000-".to_owned()), None]);
    }
}

#[tokio::test]
async fn restarts_when_the_file_became_shorter() {
    let folder = Folder::new();
    let server = FaultServer::responding(|arrival| match arrival.number {
        2 => Reply::empty(416).with_header("content-range", "bytes */3"),
        3 => ranged(arrival, b"abc", "\"two\""),
        _ => ranged(arrival, &data(), TAG),
    })
    .await;
    server.fault_once(Fault::CutBody(10_000));
    let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
    client().file(file).download(&folder.0).send().await.unwrap();
    assert_eq!(folder.read("a.csv"), b"abc");
}

#[tokio::test]
async fn skips_the_received_bytes_of_a_server_without_ranges() {
    let folder = Folder::new();
    let whole = |_: &RawRequest| Reply::new(200, "text/csv", data()).with_header("etag", TAG);
    let server = FaultServer::responding(whole).await;
    server.fault_once(Fault::CutBody(10_000));
    let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
    let mut stream = client().file(file.clone()).stream().await.unwrap();
    let mut all = Vec::new();
    while let Some(bytes) = stream.chunk().await.unwrap() {
        all.extend_from_slice(&bytes);
    }
    assert!(all == data());
    assert_eq!(server.count(), 2);
    server.fault_once(Fault::CutBody(10_000));
    client().file(file).download(&folder.0).send().await.unwrap();
    assert!(folder.read("a.csv") == data());
}

#[tokio::test]
async fn does_not_resume_without_a_strong_validator() {
    let folder = Folder::new();
    let server =
        FaultServer::responding(|_| Reply::new(200, "text/csv", data()).with_header("etag", "W/\"one\"")).await;
    server.fault_once(Fault::CutBody(10_000));
    let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
    client().file(file.clone()).download(&folder.0).send().await.unwrap();
    assert!(folder.read("a.csv") == data());
    assert_eq!(ranges(&server), [None, None]);

    // Bytes that a reader has yielded cannot be replaced.
    server.fault_once(Fault::CutBody(10_000));
    let mut stream = client().file(file).stream().await.unwrap();
    let error = loop {
        match stream.chunk().await {
            Ok(bytes) => assert!(bytes.is_some()),
            Err(error) => break error,
        }
    };
    assert!(error.is_transport(), "{error}");
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn resumes_with_an_old_last_modified_without_an_etag() {
    let folder = Folder::new();
    let changed = "Sat, 21 Nov 2026 10:00:00 GMT";
    let server = FaultServer::responding(move |arrival| {
        let mut reply = ranged(arrival, &data(), changed);
        reply.headers.retain(|(name, _)| name != "etag");
        reply.with_header("last-modified", changed).with_header("date", "Sun, 22 Nov 2026 10:00:00 GMT")
    })
    .await;
    server.fault_once(Fault::CutBody(10_000));
    let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
    client().file(file).download(&folder.0).send().await.unwrap();
    assert!(folder.read("a.csv") == data());
    let second = &server.requests()[1];
    assert_eq!((second.header("range"), second.header("if-range")), (Some("bytes=10000-"), Some(changed)));
}

#[tokio::test]
async fn a_wrong_checksum_leaves_no_file() {
    let (server, folder) = (of_three_bytes(&[]).await, Folder::new());
    let wrong = Checksum::new(Algorithm::Sha1, &ABC_SHA1.replace('a', "b"));
    let file = RemoteFile::new(format!("{}/a.csv", server.origin())).with_checksum(wrong);
    std::fs::write(folder.0.join("a.csv"), "what was there").unwrap();
    let error = client().file(file.clone()).download(&folder.0).send().await.unwrap_err();
    assert!(error.is_corrupt() && error.to_string().contains(ABC_SHA1), "{error}");
    assert_eq!(folder.names(), ["a.csv"]);
    assert_eq!(folder.read("a.csv"), b"what was there");

    let saved = client().file(file.clone()).download(&folder.0).verify(false).send().await.unwrap();
    assert_eq!((folder.read("a.csv"), saved.checksum), (b"abc".to_vec(), None));
    assert!(client().file(file.clone()).bytes(3).await.unwrap_err().is_corrupt());
    let mut stream = client().file(file).stream().await.unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "abc");
    assert!(stream.chunk().await.unwrap_err().is_corrupt());
}

#[tokio::test]
async fn every_declared_checksum_is_compared() {
    let server = of_three_bytes(&[]).await;
    for (algorithm, value) in [
        (Algorithm::Crc32, "352441c2"),
        (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
        (Algorithm::Sha1, ABC_SHA1),
        (Algorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ] {
        let folder = Folder::new();
        let checksum = Checksum::new(algorithm, value).unwrap();
        let file = RemoteFile::new(format!("{}/a.csv", server.origin())).with_checksum(checksum.clone());
        let saved = client().file(file).download(&folder.0).send().await.unwrap();
        assert_eq!(saved.checksum, Some(checksum));
    }
}

#[tokio::test]
async fn refuses_another_size_before_reading_the_body() {
    let (server, folder) = (of_three_bytes(&[]).await, Folder::new());
    let file = RemoteFile::new(format!("{}/a.csv", server.origin())).with_size(4);
    let error = client().file(file).download(&folder.0).send().await.unwrap_err();
    assert!(error.is_corrupt() && error.to_string().contains("3 bytes, but 4 are declared"), "{error}");
    assert_eq!(folder.names(), [""; 0]);
}

#[tokio::test]
async fn a_dropped_download_leaves_no_file() {
    let folder = Folder::new();
    let server = FaultServer::responding(|arrival| ranged(arrival, &data(), TAG)).await;
    server.fault_always(Fault::StallBody(100_000));
    let (begun, beginning) = tokio::sync::oneshot::channel();
    let begun = Mutex::new(Some(begun));
    let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
    let download = client().file(file).download(&folder.0).progress(move |now| {
        if now.bytes > 0
            && let Some(begun) = begun.lock().unwrap().take()
        {
            let _ = begun.send(());
        }
    });
    let mut sending = Box::pin(download.send());
    tokio::select! {
        outcome = &mut sending => panic!("it stalls: {outcome:?}"),
        begun = beginning => begun.unwrap(),
    }
    let names = folder.names();
    assert!(names.len() == 1 && names[0].starts_with(".a.csv.") && names[0].ends_with(".part"), "{names:?}");
    drop(sending);
    assert_eq!(folder.names(), [""; 0]);
}

#[tokio::test]
async fn the_file_name_is_that_of_the_response_the_url_or_the_resource() {
    let named = of_three_bytes(&[("content-disposition", "attachment; filename*=UTF-8''donn%C3%A9es.csv")]).await;
    let nameless = of_three_bytes(&[]).await;
    for (server, path, name) in
        [(&named, "/x.csv", "données.csv"), (&nameless, "/a/x.csv?y=z", "x.csv"), (&nameless, "/export?y=z", "rid.csv")]
    {
        let folder = Folder::new();
        let file = RemoteFile::new(format!("{}{path}", server.origin())).with_fallback_name("rid.csv");
        let saved = client().file(file).download(&folder.0).send().await.unwrap();
        assert_eq!((folder.names(), saved.path), (vec![name.to_owned()], folder.0.join(name)));
    }
}

#[tokio::test]
async fn no_file_name_leaves_the_folder() {
    for header in [
        "attachment; filename=\"../../escaped.csv\"",
        "attachment; filename=\"..\\\\..\\\\escaped.csv\"",
        "attachment; filename*=UTF-8''..%2F..%2Fescaped.csv",
        "attachment; filename=\"/etc/escaped.csv\"",
    ] {
        let (server, folder) = (
            FaultServer::responding(move |_| Reply::new(200, "a/b", "abc").with_header("content-disposition", header))
                .await,
            Folder::new(),
        );
        let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
        client().file(file).download(&folder.0).send().await.unwrap();
        assert_eq!(folder.names(), ["escaped.csv"], "{header}");
    }
}

#[tokio::test]
async fn saves_to_a_path_and_creates_its_folder() {
    let (server, folder) =
        (of_three_bytes(&[("content-disposition", "attachment; filename=b.csv")]).await, Folder::new());
    let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
    client().file(file.clone()).download(folder.0.join("mine.csv")).send().await.unwrap();
    client().file(file.clone()).download(format!("{}/made/here/", folder.0.display())).send().await.unwrap();
    assert_eq!(folder.names(), ["made", "mine.csv"]);
    assert_eq!(folder.read("made/here/b.csv"), b"abc");
    let error = client().file(file).download(folder.0.join("missing/mine.csv")).send().await.unwrap_err();
    assert!(error.is_local(), "{error}");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_followed_without_the_key() {
    let target = of_three_bytes(&[]).await;
    let location = format!("{}/données%20é.csv", target.origin());
    let server = FaultServer::responding(move |_| Reply::empty(302).with_header("location", location.as_str())).await;
    let folder = Folder::new();
    let file = RemoteFile::new(format!("{}/r/1", server.origin()));
    let saved = client().file(file).download(&folder.0).send().await.unwrap();
    assert_eq!(folder.names(), ["données é.csv"]);
    assert!(saved.url.starts_with(target.origin()), "{}", saved.url);
    let [redirect] = &saved.redirects[..] else { panic!("{:?}", saved.redirects) };
    assert_eq!((redirect.status.as_u16(), &redirect.url), (302, &saved.url));
    for server in [server, target] {
        assert_eq!(server.count(), 1);
        assert!(!server.requests()[0].contains(KEY));
    }
}

#[tokio::test]
async fn lists_redirects_in_order_and_once_where_a_download_resumes() {
    clock::by_steps();
    let server = FaultServer::responding(|arrival| match arrival.path() {
        "/r/1" => Reply::empty(301).with_header("location", "/old/a.csv"),
        "/old/a.csv" => Reply::empty(307).with_header("location", "/b.csv?v=2"),
        _ => ranged(arrival, &data(), TAG),
    })
    .await;
    // The request for the rest is redirected as well.
    server.fault_nth(3, Fault::CutBody(1_000));
    let folder = Folder::new();
    let saved = client().file(csv(&server, "/r/1")).download(&folder.0).send().await.unwrap();
    let redirects: Vec<(u16, &str)> = saved
        .redirects
        .iter()
        .map(|redirect| (redirect.status.as_u16(), redirect.url.strip_prefix(server.origin()).unwrap()))
        .collect();
    assert_eq!(redirects, [(301, "/old/a.csv"), (307, "/b.csv?v=2")]);
    assert_eq!((saved.url.strip_prefix(server.origin()), saved.resumptions), (Some("/b.csv?v=2"), 1));
    assert!(folder.read("b.csv") == data());
    let direct = client().file(csv(&server, "/c.csv")).download(&folder.0).send().await.unwrap();
    assert!(direct.redirects.is_empty());
}

#[tokio::test]
async fn names_the_redirect_target_in_errors() {
    let server = FaultServer::responding(|arrival| match arrival.path() {
        "/a.csv" => Reply::empty(302).with_header("location", "/cas/login?service=a.csv&ticket_key=hidden"),
        _ => Reply::empty(403),
    })
    .await;
    let error = client().file(csv(&server, "/a.csv")).bytes(10).await.unwrap_err().to_string();
    let origin = server.origin();
    assert!(
        error.contains(&format!("403 Forbidden (GET {origin}/a.csv, redirected to {origin}/cas/login?")),
        "{error}"
    );
    assert!(error.contains("service=a.csv&ticket_key=…)"), "{error}");
}

#[tokio::test]
async fn limits_bytes_in_memory() {
    let server = FaultServer::responding(|arrival| ranged(arrival, &data(), TAG)).await;
    server.fault_once(Fault::CutBody(10_000));
    let file = RemoteFile::new(format!("{}/a.csv", server.origin()));
    assert!(client().file(file.clone()).bytes(200_000).await.unwrap() == data());
    let error = client().file(file).bytes(199_999).await.unwrap_err();
    assert!(error.is_too_large(), "{error}");
}

#[tokio::test]
async fn refuses_other_schemes_than_http() {
    for url in ["file:///etc/passwd", "ftp://h/a.csv", "data:,abc", "a.csv", ""] {
        let error = client().file(RemoteFile::new(url)).bytes(10).await.unwrap_err();
        assert!(error.is_request(), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_missing_file_is_an_error_and_leaves_no_file() {
    let (sandbox, folder) = (Sandbox::start_platform().await, Folder::new());
    sandbox.strict(false);
    let file = RemoteFile::new(format!("{}/files/none.csv", sandbox.origin()));
    let error = client_of(&sandbox).file(file).download(&folder.0).send().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    let error = client_of(&sandbox).resource("none").download(&folder.0).send().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(folder.names(), [""; 0]);
}

#[tokio::test]
async fn latest_has_the_permanent_and_the_current_url() {
    let sandbox = Sandbox::start_platform().await;
    let latest = client_of(&sandbox).resource(COMMUNES_RESOURCE).latest().await.unwrap();
    assert_eq!(latest.permanent, format!("{}/datasets/r/{COMMUNES_RESOURCE}", sandbox.url(Api::Main)));
    assert!(latest.current.starts_with(&format!("{}/files/", sandbox.origin())), "{}", latest.current);
}

#[tokio::test]
async fn downloads_can_be_spawned() {
    let (sandbox, folder) = (Sandbox::start_platform().await, Folder::new());
    let client = client_of(&sandbox);
    let all = client.dataset(COMMUNES).download_all(&folder.0);
    let all = tokio::spawn(all.send()).await.unwrap().unwrap();
    let resource = client.resource(COMMUNES_RESOURCE);
    tokio::spawn(resource.download(&folder.0).send()).await.unwrap().unwrap();
    tokio::spawn(async move {
        let mut stream = resource.stream().await.unwrap();
        while stream.chunk().await.unwrap().is_some() {}
    })
    .await
    .unwrap();
    assert_eq!(all.len(), 1);
    let path = &all[0].outcome.as_ref().unwrap().path;
    assert_eq!(path.parent(), Some(Path::new(&folder.0)));
}
