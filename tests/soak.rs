//! The client under sustained load: `cargo test -p datagouv-tests --test soak -- --nocapture`.
//!
//! It takes some minutes; `DATAGOUV_SOAK=short` runs a tenth.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use datagouv::files::{Algorithm, Checksum, RemoteFile};
use datagouv::observe::{CallFinished, Observe, Outcome, Retrying};
use datagouv::{Api, Client, ClientBuilder, Error, Limits, RetryPolicy};
use datagouv_sandbox::Reply;
use datagouv_sandbox::fault::{Fault, FaultServer, RawRequest};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

/// The number of iterations, or a tenth of it in the short form.
fn part(whole: usize) -> usize {
    if std::env::var("DATAGOUV_SOAK").is_ok_and(|value| value == "short") { whole / 10 } else { whole }
}

/// The bytes that the process holds in memory, if the system reports them.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? << 10)
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A number that looks random and is the same in every run.
fn scattered(number: usize) -> u64 {
    let mut state = (number as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

fn client_of(server: &FaultServer) -> ClientBuilder {
    Client::builder()
        .base_url(Api::Main, format!("{}/api/1", server.origin()))
        .retries(RetryPolicy::default().base_delay(Duration::from_millis(10)))
        .limits(Limits::none())
}

/// The tests run one after the other, so that each measures its own memory.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const TASKS: usize = 100;
/// The tokens of the default retry budget, and the cost of a retry.
const BUDGET: u64 = 500;
const PRICE: u64 = 5;

#[derive(Debug, Default)]
struct Counts {
    /// Calls that succeeded at the first attempt.
    first: AtomicU64,
    /// Retries of calls that succeeded.
    brought_back: AtomicU64,
    /// All retries.
    further: AtomicU64,
    exhausted: AtomicU64,
    failed: AtomicU64,
}

impl Observe for Counts {
    fn retrying(&self, _: &Retrying<'_>) {
        self.further.fetch_add(1, Ordering::Relaxed);
    }

    fn call_finished(&self, event: &CallFinished<'_>) {
        match (event.outcome, event.attempts) {
            (Outcome::Success, 1) => self.first.fetch_add(1, Ordering::Relaxed),
            (Outcome::Success, attempts) => self.brought_back.fetch_add(u64::from(attempts) - 1, Ordering::Relaxed),
            _ => self.failed.fetch_add(1, Ordering::Relaxed),
        };
    }
}

#[derive(Debug, Deserialize)]
struct Item {
    number: usize,
    text: String,
}

/// A filler, so that bodies are long enough to be cut.
fn text_of(number: usize) -> String {
    format!("{:016x}", scattered(number)).repeat(32)
}

fn item(arrival: &RawRequest) -> Reply {
    let number = arrival.path().rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or_default();
    Reply::json(200, &json!({"number": number, "text": text_of(number)}))
}

/// Three of ten requests fail, with different faults.
fn mishap(arrival: &RawRequest) -> Option<Fault> {
    let random = scattered(arrival.number);
    (random % 10 < 3).then(|| match random / 10 % 8 {
        0 => Fault::ResetBeforeHeaders,
        1 => Fault::CloseBeforeHeaders,
        2 => Fault::CutBody(100),
        3 => Fault::ResetBody(200),
        4 => Fault::CutChunked(300),
        5 => Fault::status(503),
        6 => Fault::status(500),
        _ => Fault::too_many_requests(Some("0")),
    })
}

/// Checks that an error is one that the faults explain.
fn is_expected(error: &Error) -> bool {
    let status = error.status().map(|status| status.as_u16());
    error.is_transport() || error.is_circuit_open() || matches!(status, Some(429 | 500 | 503))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_tasks_succeed_when_three_of_ten_requests_fail() {
    let _alone = ALONE.lock().await;
    let server = FaultServer::responding(item).await;
    server.stop_logging();
    server.plan(mishap);
    let counts = Arc::new(Counts::default());
    let client = client_of(&server).observer(Arc::clone(&counts) as Arc<dyn Observe>).build().expect("a client");
    let time = Duration::from_secs(part(60) as u64);
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (client, counts) = (client.clone(), Arc::clone(&counts));
        tasks.spawn(async move {
            for call in 0.. {
                if began.elapsed() > time {
                    break;
                }
                let number = task + call * TASKS;
                let item = client.request(Api::Main, "GET", &format!("/items/{number}")).json::<Item>().send().await;
                match item {
                    Ok(item) => assert_eq!((item.number, item.text.as_str()), (number, &*text_of(number))),
                    Err(error) => {
                        assert!(is_expected(&error), "{error:?}");
                        counts.exhausted.fetch_add(error.retry_budget_exhausted().into(), Ordering::Relaxed);
                    }
                }
            }
        });
    }
    // Pools, buffers and the allocator have grown to their size after a while.
    tokio::time::sleep(time / 4).await;
    let before = resident();
    while let Some(done) = tasks.join_next().await {
        done.expect("every response is correct");
    }
    let after = resident();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (first, failed, further) = (count(&counts.first), count(&counts.failed), count(&counts.further));
    let brought_back = count(&counts.brought_back);
    println!(
        "soak: {} requests in {:.0} s, {TASKS} tasks; {first} right at once, {failed} failed for good, {} of them \
         for lack of budget; {further} further attempts, {brought_back} of calls that came right",
        server.count(),
        began.elapsed().as_secs_f64(),
        count(&counts.exhausted),
    );
    assert!(first > 0 && further > 0);
    // Retries cannot cost more than the budget had and regained.
    assert!(further * PRICE <= BUDGET + first + brought_back * PRICE, "more further attempts than the budget has");
    // 27 of 1000 fail three times in a row; the others lack budget.
    let calls = server.count() as u64 - further;
    assert!(failed * 5 < calls, "{failed} of {calls} calls failed");
    if let (Some(before), Some(after)) = (before, after) {
        println!("soak: {:.1} MB resident after a quarter, {:.1} MB at the end", megabytes(before), megabytes(after));
        assert!(after < before + before / 5 + (16 << 20), "memory grows");
    }
}

const SIZE: usize = 1 << 20;
const AT_ONCE: usize = 32;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_downloads_resume_after_a_random_cut() {
    let _alone = ALONE.lock().await;
    let downloads = part(10_000);
    let data: Vec<u8> = (0..SIZE / 8).flat_map(|number| scattered(number).to_le_bytes()).collect();
    let checksum: String = Sha256::digest(&data).iter().map(|byte| format!("{byte:02x}")).collect();
    let server = FaultServer::serving("application/octet-stream", data.clone()).await;
    server.stop_logging();
    // Whether the first response of each file ends with a FIN: then all its bytes arrive, and the second request is
    // for the rest. A reset may discard bytes that a busy client has not read yet.
    let in_order: Mutex<HashMap<String, bool>> = Mutex::new(HashMap::new());
    let (resumed, begun_anew) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    server.plan({
        let (resumed, begun_anew) = (Arc::clone(&resumed), Arc::clone(&begun_anew));
        move |arrival| {
            let mut in_order = in_order.lock().expect("no plan panics");
            let resumes = arrival.header("range").is_some();
            resumed.fetch_add(resumes.into(), Ordering::Relaxed);
            if let Some(in_order) = in_order.get(&arrival.target) {
                begun_anew.fetch_add((*in_order && !resumes).into(), Ordering::Relaxed);
                return None;
            }
            let kept = (scattered(arrival.number) % SIZE as u64) as usize;
            let closes = kept.is_multiple_of(2);
            in_order.insert(arrival.target.clone(), closes && kept > 0);
            Some(if closes { Fault::CutBody(kept) } else { Fault::ResetBody(kept) })
        }
    });
    let folder = std::env::temp_dir().join(format!("datagouv-soak-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for files that pass");
    let client = client_of(&server).build().expect("a client");
    let (data, next) = (Arc::new(data), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let before = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (client, data, next, before) = (client.clone(), Arc::clone(&data), Arc::clone(&next), Arc::clone(&before));
        let (origin, folder, checksum) = (server.origin().to_owned(), folder.clone(), checksum.clone());
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= downloads {
                    return;
                }
                if number == downloads / 4 {
                    before.store(resident().unwrap_or_default(), Ordering::Relaxed);
                }
                let path = folder.join(number.to_string());
                let file = RemoteFile::new(format!("{origin}/{number}"))
                    .with_size(SIZE as u64)
                    .with_checksum(Checksum::new(Algorithm::Sha256, &checksum));
                let saved = client.file(file).download(&path).send().await.expect("a cut file is had all the same");
                assert!(saved.checksum.is_some() && saved.resumptions == 1, "{saved:?}");
                assert!(std::fs::read(&path).expect("the file that was saved") == *data, "{number} is another file");
                std::fs::remove_file(&path).expect("the file that was saved");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("every file is right");
    }
    let left = std::fs::read_dir(&folder).expect("the folder").count();
    let _ = std::fs::remove_dir_all(&folder);
    let (requests, resumed) = (server.count(), resumed.load(Ordering::Relaxed));
    println!(
        "soak: {downloads} downloads of {SIZE} bytes in {:.0} s, each cut once; {requests} requests, {resumed} of them for \
         the rest; every file right by its SHA-256",
        began.elapsed().as_secs_f64()
    );
    if let Some(after) = resident() {
        let before = before.load(Ordering::Relaxed);
        println!("soak: {:.1} MB resident after a quarter, {:.1} MB at the end", megabytes(before), megabytes(after));
        assert!(after < before + before / 5 + (16 << 20), "memory grows");
    }
    assert_eq!((requests, left), (2 * downloads, 0));
    assert_eq!(begun_anew.load(Ordering::Relaxed), 0, "received bytes are not requested again");
}
