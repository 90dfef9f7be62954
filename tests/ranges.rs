//! Files read by ranges: one version of the file, with few requests.

use std::sync::{Arc, Mutex};

use datagouv::files::{FileState, RangeReader, RemoteFile};
use datagouv::{Api, Client, Result};
use datagouv_sandbox::fault::{Fault, FaultServer, RawRequest};
use datagouv_sandbox::{Reply, clock};

/// How much of the end of a file the reader caches.
const TAIL: u64 = 64 << 10;

/// A file whose bytes differ by position.
fn data() -> Vec<u8> {
    (0_u32..50_000).flat_map(u32::to_le_bytes).collect()
}

async fn open(server: &FaultServer) -> Result<RangeReader> {
    let client = Client::builder()
        .base_url(Api::Main, format!("{}/api/1", server.origin()))
        .api_key("udata_a-key-that-must-not-be-seen")
        .build()
        .unwrap();
    client.file(RemoteFile::new(format!("{}/a.parquet", server.origin()))).ranges().await
}

fn requested(server: &FaultServer) -> Vec<String> {
    server.take_requests().iter().map(|arrival| arrival.header("range").unwrap_or("none").to_owned()).collect()
}

/// Headers of a response.
type Headers = &'static [(&'static str, &'static str)];

/// A server whose file can be replaced, with validators. It ignores preconditions, as some servers do.
async fn replaceable(tags: [Headers; 2], data: [Vec<u8>; 2]) -> (FaultServer, impl Fn()) {
    let state = Arc::new(Mutex::new(0));
    let current = Arc::clone(&state);
    let server = FaultServer::responding(move |arrival| {
        let state = *current.lock().unwrap();
        let reply = partial(arrival, &data[state]);
        tags[state].iter().fold(reply, |reply, (name, value)| reply.with_header(name, *value))
    })
    .await;
    (server, move || *state.lock().unwrap() = 1)
}

fn partial(arrival: &RawRequest, data: &[u8]) -> Reply {
    let range = arrival.header("range").unwrap().strip_prefix("bytes=").unwrap().to_owned();
    let (first, last) = range.split_once('-').unwrap();
    let (first, end) = match first {
        "" => (data.len().saturating_sub(last.parse().unwrap()), data.len()),
        first => (first.parse().unwrap(), data.len().min(last.parse::<usize>().unwrap() + 1)),
    };
    if first >= end {
        return Reply::empty(416);
    }
    let content_range = format!("bytes {first}-{}/{}", end - 1, data.len());
    Reply::new(206, "application/vnd.apache.parquet", data[first..end].to_vec())
        .with_header("content-range", content_range)
}

#[tokio::test]
async fn reads_ranges_and_knows_the_end_without_a_request() {
    let data = data();
    let server = FaultServer::serving("application/vnd.apache.parquet", data.clone()).await;
    let file = open(&server).await.unwrap();
    assert_eq!(file.len(), data.len() as u64);
    assert_eq!(requested(&server), ["bytes=-65536"]);
    for (from, to) in [(0, 4), (1_000, 90_000), (0, data.len()), (5, 5)] {
        assert!(file.read(from as u64..to as u64).await.unwrap() == data[from..to], "{from}..{to}");
    }
    assert_eq!(requested(&server), ["bytes=0-3", "bytes=1000-89999", "bytes=0-199999"]);
    let tail = data.len() - TAIL as usize;
    assert!(file.read_suffix(TAIL).await.unwrap() == data[tail..]);
    assert!(file.read(tail as u64 + 7..file.len() - 9).await.unwrap() == data[tail + 7..data.len() - 9]);
    assert_eq!(requested(&server), [""; 0]);
    assert!(file.read_suffix(1_000_000).await.unwrap() == data, "longer than the file: the whole file");
}

#[tokio::test]
async fn range_requests_have_the_precondition_and_no_key() {
    let server = FaultServer::serving("text/csv", data()).await;
    open(&server).await.unwrap().read(0..1).await.unwrap();
    let requests = server.requests();
    assert!(requests[0].header("if-match").is_none());
    assert!(requests[1].header("if-match").is_some_and(|tag| tag.starts_with('"')));
    assert!(requests.iter().all(|request| request.header("x-api-key").is_none()));
    assert!(requests.iter().all(|request| request.header("accept-encoding") == Some("identity")));
}

#[tokio::test]
async fn a_saved_file_state_is_reopened_unless_the_file_has_changed() {
    let (one, mut other) = (data(), data());
    other[3] = 255;
    const DATE: (&str, &str) = ("date", "Sun, 22 Nov 2026 10:00:09 GMT");
    const EARLIER: Headers = &[("last-modified", "Sun, 22 Nov 2026 10:00:00 GMT"), DATE];
    const LATER: Headers = &[("last-modified", "Sun, 22 Nov 2026 10:00:01 GMT"), DATE];
    let longer = [one.clone(), vec![0]].concat();
    let cases: [([Headers; 2], Vec<u8>, &str); 4] = [
        ([&[("etag", "\"a\"")], &[("etag", "\"b\"")]], other.clone(), "entity tag"),
        ([EARLIER, LATER], other.clone(), "modification date"),
        ([&[("etag", "\"a\"")], &[]], other, "no entity tag any more"),
        ([&[], &[]], longer, "size"),
    ];
    for (tags, changed, what) in cases {
        let (server, replace) = replaceable(tags, [one.clone(), changed]).await;
        let sent = serde_json::to_string(&open(&server).await.unwrap().state()).unwrap();
        assert!(!sent.contains("a-key-that-must-not-be-seen"), "{sent}");
        let state: FileState = serde_json::from_str(&sent).unwrap();
        let client = Client::new().unwrap();
        let same = RangeReader::reopen(&client, &state).await.unwrap();
        assert_eq!(same.read(0..4).await.unwrap(), one[..4], "{what}");
        replace();
        let error = RangeReader::reopen(&client, &state).await.unwrap_err();
        assert!(error.is_changed(), "{what}: {error}");
    }
}

#[tokio::test]
async fn several_ranges_are_returned_in_order_and_close_ones_coalesced() {
    let data = data();
    let server = FaultServer::serving("text/csv", data.clone()).await;
    let file = open(&server).await.unwrap();
    requested(&server);
    let ranges = [100_000..100_010, 0..10, 500..600, 100_005..100_020, 50_000..50_000];
    let read = file.read_all(&ranges).await.unwrap();
    for (range, bytes) in ranges.iter().zip(read) {
        assert!(bytes == data[range.start as usize..range.end as usize], "{range:?}");
    }
    let mut requests = requested(&server);
    requests.sort();
    assert_eq!(requests, ["bytes=0-599", "bytes=100000-100019"], "nothing is requested for an empty range");
}

#[tokio::test]
async fn a_replaced_file_is_an_error() {
    let (one, mut other) = (data(), data());
    other[3] = 255;
    let longer = [other.clone(), vec![0; 10]].concat();
    type Headers = &'static [(&'static str, &'static str)];
    let cases: [(Headers, Headers, &[u8]); 3] = [
        (&[("etag", "\"a\"")], &[("etag", "\"b\"")], &other),
        (
            &[("last-modified", "Sun, 22 Nov 2026 10:00:00 GMT"), ("date", "Sun, 22 Nov 2026 12:00:00 GMT")],
            &[("last-modified", "Sun, 22 Nov 2026 11:00:00 GMT"), ("date", "Sun, 22 Nov 2026 12:00:00 GMT")],
            &other,
        ),
        (&[], &[], &longer),
    ];
    for (before, after, replaced) in cases {
        let (server, replace) = replaceable([before, after], [one.clone(), replaced.to_vec()]).await;
        let file = open(&server).await.unwrap();
        assert!(file.read(0..8).await.unwrap() == one[..8]);
        replace();
        let error = file.read(0..8).await.unwrap_err();
        assert!(error.is_changed() && error.is_corrupt(), "{before:?}: {error}");
        assert!(error.to_string().contains("changed while it was read"), "{error}");
        // The end is cached.
        assert!(file.read_suffix(5).await.unwrap() == one[one.len() - 5..]);
        assert!(open(&server).await.unwrap().read(0..8).await.unwrap() == replaced[..8]);
    }
}

#[tokio::test]
async fn status_412_means_that_the_file_changed() {
    let server = FaultServer::serving("text/csv", data()).await;
    let file = open(&server).await.unwrap();
    for status in [412, 416] {
        server.fault_once(Fault::status(status));
        let error = file.read(0..8).await.unwrap_err();
        assert!(error.is_changed(), "{error}");
    }
}

#[tokio::test]
async fn a_range_that_is_refused_of_the_same_file_is_not_called_a_change() {
    let server = FaultServer::serving("text/csv", data()).await;
    let file = open(&server).await.unwrap();
    for (length, is_changed) in [(200_000, false), (7, true)] {
        let refused = Reply::empty(416).with_header("content-range", format!("bytes */{length}"));
        server.fault_once(Fault::Reply(refused));
        let error = file.read(0..8).await.unwrap_err();
        assert_eq!(error.is_changed(), is_changed, "{error}");
        let message = error.to_string();
        assert_eq!(message.contains("refused bytes 0 to 8 of the 200000 that the file has"), !is_changed, "{message}");
    }
}

#[tokio::test]
async fn a_cut_body_is_resumed() {
    clock::by_steps();
    let data = data();
    for fault in [Fault::CutBody(50_000), Fault::ResetBody(50_000)] {
        let server = FaultServer::serving("text/csv", data.clone()).await;
        let file = open(&server).await.unwrap();
        requested(&server);
        server.fault_once(fault);
        assert!(file.read(10..110_010).await.unwrap() == data[10..110_010]);
        let requests = requested(&server);
        assert_eq!(requests.len(), 2);
        let rest = requests[1].strip_prefix("bytes=").unwrap().strip_suffix("-110009").unwrap();
        assert!((11..=50_010).contains(&rest.parse::<u32>().unwrap()), "{rest}");
    }
}

#[tokio::test]
async fn a_body_that_is_always_cut_is_a_transport_error() {
    clock::by_steps();
    let server = FaultServer::serving("text/csv", data()).await;
    let file = open(&server).await.unwrap();
    server.fault_always(Fault::CutBody(0));
    let error = file.read(0..10).await.unwrap_err();
    assert!(error.is_transport() && !error.is_changed(), "{error}");
}

#[tokio::test]
async fn a_server_without_ranges_serves_small_files_only() {
    let small: Vec<u8> = data()[..1_000].to_vec();
    for data in [small.clone(), Vec::new()] {
        let expected = data.clone();
        let server = FaultServer::responding(move |_| Reply::new(200, "text/csv", data.clone())).await;
        let file = open(&server).await.unwrap();
        assert_eq!((file.len(), file.is_empty()), (expected.len() as u64, expected.is_empty()));
        assert!(file.read(0..file.len()).await.unwrap() == expected);
        assert_eq!(server.requests().len(), 1);
    }
    let server = FaultServer::responding(|_| Reply::new(200, "text/csv", data())).await;
    let error = open(&server).await.unwrap_err();
    assert!(error.to_string().contains("does not support range requests"), "{error}");
}

#[tokio::test]
async fn an_empty_file_has_no_last_bytes() {
    let server = FaultServer::responding(|arrival| match arrival.header("range") {
        Some(_) => Reply::empty(416).with_header("content-range", "bytes */0"),
        None => Reply::new(200, "text/csv", ""),
    })
    .await;
    assert!(open(&server).await.unwrap().is_empty());
}

#[tokio::test]
async fn falls_back_to_positions_without_suffix_ranges() {
    let server = FaultServer::responding(|arrival| match arrival.header("range") {
        Some(range) if !range.starts_with("bytes=-") => partial(arrival, &data()),
        _ => Reply::new(200, "text/csv", data()).with_header("accept-ranges", "bytes"),
    })
    .await;
    let file = open(&server).await.unwrap();
    assert!(file.read_suffix(4).await.unwrap() == data()[data().len() - 4..]);
    assert_eq!(requested(&server), ["bytes=-65536", "bytes=134464-199999"]);
}

#[tokio::test]
async fn a_range_outside_of_the_file_is_not_requested() {
    let server = FaultServer::serving("text/csv", data()).await;
    let file = open(&server).await.unwrap();
    requested(&server);
    #[allow(clippy::reversed_empty_ranges)]
    for range in [0..200_001, 200_001..200_002, 9..3] {
        let error = file.read(range).await.unwrap_err();
        assert!(error.is_request() && error.to_string().contains("not within the file of 200000 bytes"), "{error}");
    }
    assert_eq!(requested(&server), [""; 0]);
}

#[tokio::test]
async fn refuses_another_range_than_the_requested_one() {
    let server = FaultServer::serving("text/csv", data()).await;
    let file = open(&server).await.unwrap();
    let other = Reply::new(206, "text/csv", data()[4..8].to_vec()).with_header("content-range", "bytes 4-7/200000");
    server.fault_once(Fault::Reply(other));
    let error = file.read(0..8).await.unwrap_err();
    assert!(error.is_corrupt() && !error.is_changed(), "{error}");
}

#[tokio::test]
async fn does_not_read_beyond_the_requested_range() {
    let server = FaultServer::responding(|arrival| match arrival.header("range") {
        Some(range) if !range.starts_with("bytes=-") => partial(arrival, &data()),
        _ => Reply::new(206, "text/csv", data()).with_header("content-range", "bytes 0-199999/200000"),
    })
    .await;
    let file = open(&server).await.unwrap();
    assert!(file.read_suffix(4).await.unwrap() == data()[data().len() - 4..]);
    assert_eq!(requested(&server), ["bytes=-65536", "bytes=134464-199999"]);
}
