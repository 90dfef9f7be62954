//! Every fault of a network and a server, times every kind of call: how the call ends, and how many requests it
//! sends. `cargo test -p datagouv-tests --test faults -- --nocapture` prints the matrix.

mod calls;
mod cases;

use std::collections::BTreeSet;
use std::error::Error as _;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use datagouv::main::types::DatasetInput;
use datagouv::{Api, Client, ClientBuilder, Error, Limits, RetryPolicy, Timeouts};
use datagouv_sandbox::fault::{Fault, FaultServer, RawRequest, UntrustedServer};
use datagouv_sandbox::{Reply, Sandbox, clock};
use futures_util::{StreamExt, stream};
use tokio::time::{sleep, timeout};

use calls::{Kind, Place};
use cases::{Case, Setting};

const KEY: &str = "udata_a-key-that-must-not-be-seen";

/// Silence for this long is a fault.
const SILENCE: Duration = Duration::from_secs(5);

/// A cell that takes longer never ends: none waits for more than a minute in total.
const DEADLINE: Duration = Duration::from_secs(600);

/// The concurrent cells of a column: most of them wait.
const AT_ONCE: usize = 24;

fn client_of(origin: &str) -> ClientBuilder {
    Client::builder()
        .base_url(Api::Main, format!("{origin}/api/1"))
        .base_url(Api::MainV2, format!("{origin}/api/2"))
        .base_url(Api::Tabular, format!("{origin}/tabular"))
        .base_url(Api::Metrics, format!("{origin}/metrics"))
        .api_key(KEY)
        .retries(RetryPolicy::default().base_delay(Duration::from_millis(20)).max_retry_after(Duration::from_secs(5)))
        .limits(Limits::none())
        .timeouts(timeouts())
        .max_response_size(1 << 20)
}

fn timeouts() -> Timeouts {
    Timeouts::default().connect(Duration::from_secs(30)).head(SILENCE).idle(SILENCE)
}

/// How a cell ended, and its error.
struct Ending {
    outcome: String,
    texts: Vec<String>,
}

/// The kinds of the error, by its methods.
fn outcome_of(error: &Error) -> String {
    match () {
        () if error.is_circuit_open() => "circuit open".to_owned(),
        () if error.is_stalled() => "stalled".to_owned(),
        () if error.is_timeout() => "timeout".to_owned(),
        () if error.is_too_large() => "too large".to_owned(),
        () if error.is_unexpected_content() => "content".to_owned(),
        () if error.is_decode() => "decode".to_owned(),
        () if error.is_corrupt() => "corrupt".to_owned(),
        () if error.is_transport() => "transport".to_owned(),
        () if error.is_request() => "request".to_owned(),
        () => error.status().map_or_else(|| "?".to_owned(), |status| status.as_u16().to_string()),
    }
}

async fn outcome(kind: Kind, client: &Client, place: &Place, expected: &str) -> Ending {
    match timeout(DEADLINE, kind.run(client, place)).await {
        Err(_) => Ending { outcome: "hung".to_owned(), texts: Vec::new() },
        Ok(Ok(result)) if result == expected => Ending { outcome: "complete".to_owned(), texts: vec![result] },
        // A stream that ends as if it were complete.
        Ok(Ok(result)) if kind == Kind::Pages && expected.starts_with(&result) => {
            Ending { outcome: "partial".to_owned(), texts: vec![result] }
        }
        Ok(Ok(result)) => Ending { outcome: format!("WRONG {result:?}"), texts: vec![result] },
        Ok(Err(error)) => {
            let mut texts = vec![error.to_string(), format!("{error:?}"), format!("{error:#?}")];
            let mut source = error.source();
            while let Some(cause) = source {
                texts.extend([cause.to_string(), format!("{cause:?}")]);
                source = cause.source();
            }
            Ending { outcome: outcome_of(&error), texts }
        }
    }
}

/// The plan of a fault: one request of a call fails, or all from that one on.
fn failing(kind: Kind, always: bool) -> impl Fn(&RawRequest) -> bool + Send + Sync + 'static {
    let seen = AtomicUsize::new(0);
    move |arrival| {
        let number = || seen.fetch_add(1, Ordering::SeqCst) + 1;
        kind.touches(arrival.path()) && if always { number() >= kind.failing() } else { number() == kind.failing() }
    }
}

fn fail(server: &FaultServer, kind: Kind, always: bool, fault: &Fault) {
    let (fails, fault) = (failing(kind, always), fault.clone());
    server.plan(move |arrival| fails(arrival).then(|| fault.clone()));
}

/// Makes a call under a fault.
async fn cell(setting: &Setting, kind: Kind, sandbox: &Sandbox, place: &Place, expected: &str) -> Ending {
    let server = FaultServer::before(sandbox).await;
    let mut client = client_of(server.origin());
    let mut elsewhere = None;
    match setting {
        Setting::Once(fault) => fail(&server, kind, false, fault),
        Setting::Always(fault) => fail(&server, kind, true, fault),
        Setting::Before(_) => {}
        Setting::Limited(fault, limit) => {
            fail(&server, kind, false, fault);
            client = client.timeouts(timeouts().call(*limit));
        }
        Setting::Refused => server.close().await,
        Setting::Untrusted => {
            let untrusted = UntrustedServer::start().await;
            let mut ending =
                outcome(kind, &client_of(&untrusted.origin()).build().expect("a client"), place, expected).await;
            let _ = write!(ending.outcome, " {}", untrusted.bytes());
            return ending;
        }
        Setting::Elsewhere(status) => {
            let other = FaultServer::before(sandbox).await;
            let (origin, status) = (other.origin().to_owned(), *status);
            let fails = failing(kind, false);
            server.plan(move |arrival| {
                fails(arrival).then(|| Fault::redirect(status, &format!("{origin}{}", arrival.target)))
            });
            elsewhere = Some(other);
        }
    }
    let client = client.build().expect("a client");
    if let Setting::Before(fault) = setting {
        server.fault_once(fault.clone());
        client.main().list_datasets().page_size(1).send().await.expect("the previous call succeeds");
        // The idle connection is closed before the next call.
        sleep(Duration::from_millis(200)).await;
        server.clear_faults();
    }
    let before = server.count();
    let mut ending = outcome(kind, &client, place, expected).await;
    let _ = write!(ending.outcome, " {}", server.count() - before);
    if let Some(other) = elsewhere
        && other.requests().iter().any(|request| request.contains(KEY))
    {
        ending.outcome.push_str(", and the key");
    }
    ending
}

/// The dataset and the folder of a call, which no other call uses.
async fn place(sandbox: &Sandbox) -> Place {
    static PLACES: AtomicUsize = AtomicUsize::new(0);
    let number = PLACES.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("datagouv-faults-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for files that pass");
    let client = client_of(&sandbox.origin()).timeouts(Timeouts::default()).build().expect("a client");
    let made = client.main().create_dataset().body(DatasetInput::new("A place", "For one call")).send().await;
    Place { dataset: made.expect("the sandbox creates datasets").into_inner().id, folder }
}

/// How many files a call has left: none if it failed.
fn left_in(place: &Place) -> usize {
    let left = std::fs::read_dir(&place.folder).map_or(0, Iterator::count);
    let _ = std::fs::remove_dir_all(&place.folder);
    left
}

/// The result of each kind of call without a fault.
async fn result_without_fault(sandbox: &Sandbox, kind: Kind) -> String {
    let server = FaultServer::before(sandbox).await;
    let place = place(sandbox).await;
    let client = client_of(server.origin()).build().expect("a client");
    let result = kind.run(&client, &place).await.expect("the sandbox responds");
    let _ = std::fs::remove_dir_all(&place.folder);
    assert!(!result.is_empty(), "{kind:?} has a result");
    result
}

/// One kind of call under every fault, on a clock of its own: the result does not depend on the speed of the machine.
fn column(kind: Kind, cases: &[Case]) -> Vec<Ending> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        clock::by_steps();
        // Each column has a sandbox of its own, since calls change it.
        let sandbox = Sandbox::start_platform().await;
        let expected = result_without_fault(&sandbox, kind).await;
        let cells = cases.iter().map(async |case| {
            let place = match kind {
                Kind::Upload | Kind::Download => place(&sandbox).await,
                _ => Place { dataset: String::new(), folder: PathBuf::new() },
            };
            let mut ending = cell(&case.setting, kind, &sandbox, &place, &expected).await;
            if left_in(&place) > usize::from(ending.outcome.starts_with("complete")) {
                ending.outcome.push_str(", and a file left");
            }
            ending
        });
        stream::iter(cells).buffered(AT_ONCE).collect().await
    })
}

#[test]
fn every_call_ends_as_expected_under_every_fault() {
    let cases = cases::all();
    let columns: Vec<Vec<Ending>> = std::thread::scope(|scope| {
        let threads = Kind::ALL.map(|kind| {
            let cases = &cases;
            scope.spawn(move || column(kind, cases))
        });
        threads.into_iter().map(|thread| thread.join().expect("no cell panics")).collect()
    });
    let rows = (0..cases.len()).map(|row| columns.iter().map(|column| column[row].outcome.clone()).collect());
    let texts = columns.iter().flatten().flat_map(|ending| ending.texts.iter().cloned()).collect();
    report(&cases, &rows.collect::<Vec<_>>(), &texts);
}

/// The expected results, row by row.
const MATRIX: &str = include_str!("matrix.txt");

fn report(cases: &[Case], endings: &[Vec<String>], texts: &BTreeSet<String>) {
    let mut table = format!("{:<42}", "");
    for kind in Kind::ALL {
        let _ = write!(table, "{:<14}", kind.name());
    }
    let rows: Vec<String> = cases
        .iter()
        .zip(endings)
        .map(|(case, endings)| {
            let cells: String = endings.iter().map(|ending| format!("{ending:<14}")).collect();
            format!("{:<42}{}", case.name, cells.trim_end())
        })
        .collect();
    let mut wrong = Vec::new();
    for (case, endings) in cases.iter().zip(endings) {
        let expected = MATRIX.lines().find_map(|line| line.strip_prefix(&format!("{:<42}", case.name)));
        let expected: Vec<&str> = expected.unwrap_or_default().split("  ").filter(|cell| !cell.is_empty()).collect();
        for (column, (kind, ending)) in Kind::ALL.iter().zip(endings).enumerate() {
            let expected = expected.get(column).map_or("nothing", |cell| cell.trim());
            if ending != expected {
                wrong.push(format!("{}, {}: {ending}, not {expected}", case.name, kind.name()));
            }
        }
    }
    let total = cases.len() * Kind::ALL.len();
    println!("{}\n{}\n", table.trim_end(), rows.join("\n"));
    println!(
        "how the call ends, and how many requests of it the server sees; {} texts searched for the key",
        texts.len()
    );
    println!("faults {}, calls {}, as expected {} of {total}", cases.len(), Kind::ALL.len(), total - wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(texts.iter().all(|text| !text.contains(KEY)), "the key is in a text");
}

/// A response in JSON, short enough to be cut at each of its bytes.
fn short() -> Reply {
    Reply::json(200, &serde_json::json!({"id": "an id", "text": "é"}))
}

#[tokio::test]
async fn a_response_cut_at_any_byte_is_retried_or_complete() {
    clock::by_steps();
    let server = FaultServer::responding(|_| short()).await;
    let client = client_of(server.origin()).build().expect("a client");
    let length = short().body.len();
    for kept in 0..length {
        for fault in [Fault::CutBody(kept), Fault::ResetBody(kept), Fault::CutChunked(kept), Fault::InvalidChunk(kept)]
        {
            let before = server.count();
            server.fault_nth(1, fault.clone());
            let response = client.request(Api::Main, "GET", "/x").send().await;
            let response = response.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            assert_eq!(serde_json::to_vec(&*response).expect("JSON"), short().body, "{fault:?}");
            assert_eq!(server.count() - before, 2, "{fault:?}");
        }
    }
    println!("a short response cut at each of its {length} bytes in 4 ways: complete at the second attempt");
}
