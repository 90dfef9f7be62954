//! Workers that are lost, that refuse a plan, or that end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use datafusion::error::DataFusionError;
use datagouv_cluster::Cluster;
use datagouv_datafusion::Options;

use crate::support::{COORDINATOR, Platform, ROWS, WorkerProcess, rows};

/// Workers read the rows; a copy, or groups of the server, would leave them nothing to do.
fn from_rows() -> Options {
    Options::default().parquet(false).groups(false)
}

/// Counts the exports that workers ask for; those from one of them on get a part of their rows, and then nothing.
fn stall_exports(platform: &Platform, from: usize) -> Arc<AtomicUsize> {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let is_one = move |request: &datagouv_sandbox::Received| {
        let is_export = request.path.ends_with("/csv/") && request.header("user-agent") != Some(COORDINATOR);
        is_export && counter.fetch_add(1, Ordering::SeqCst) >= from
    };
    platform.sandbox.as_ref().unwrap().on_any().when("an export for a worker", is_one).stall_at(10_000).optional();
    seen
}

async fn reached(seen: &AtomicUsize, count: usize) {
    while seen.load(Ordering::SeqCst) < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed_in_the_middle_of_a_query_is_an_error_that_names_it() {
    let platform = Platform::sandbox().await;
    let mut workers = platform.workers(2);
    let context = platform.session(&workers, from_rows());
    let query = format!("SELECT nom, count(*), sum(n) FROM resource('{}') GROUP BY nom", platform.big);
    let seen = stall_exports(&platform, 0);
    let running = tokio::spawn(async move { rows(&context, &query).await });
    // Three ranges in two parts: both workers have begun.
    reached(&seen, 3).await;
    workers[0].kill();
    let error = running.await.unwrap().unwrap_err().to_string();
    assert!(error.contains(&workers[0].url), "{error}");
    assert!(error.contains("was lost"), "{error}");
    platform.requests_of_workers();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_a_worker_is_killed_the_result_is_right_or_an_error() {
    let platform = Platform::sandbox().await;
    let query = format!(
        "SELECT b.nom, count(*), sum(b.n) FROM resource('{0}') b JOIN resource('{0}') c ON c.n = b.n GROUP BY b.nom",
        platform.big
    );
    let mut expected = rows(&platform.alone(from_rows()), &query).await.unwrap();
    expected.sort_unstable();
    for killed_after in 0..4 {
        let mut workers = platform.workers(2);
        let context = platform.session(&workers, from_rows());
        let seen = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&seen);
        let count = move |request: &datagouv_sandbox::Received| {
            let is_export = request.path.ends_with("/csv/") && request.header("user-agent") != Some(COORDINATOR);
            counter.fetch_add(usize::from(is_export), Ordering::SeqCst);
            false
        };
        platform.sandbox.as_ref().unwrap().on_any().when("nothing, but it counts", count).status(500).optional();
        let query = query.clone();
        let running = tokio::spawn(async move { rows(&context, &query).await });
        // The query may be over before so many exports are requested, or fail.
        while seen.load(Ordering::SeqCst) < killed_after && !running.is_finished() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        workers[1].kill();
        match running.await.unwrap() {
            Ok(mut found) => {
                found.sort_unstable();
                assert_eq!(found, expected, "killed after {killed_after} exports");
                println!("killed after {killed_after} exports: the right result");
            }
            Err(error) => {
                assert!(error.to_string().contains(&workers[1].url), "{error}");
                println!("killed after {killed_after} exports: {error}");
            }
        }
    }
    platform.requests_of_workers();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_without_the_lost_worker_goes_on() {
    let platform = Platform::sandbox().await;
    let mut workers = platform.workers(2);
    let query = format!("SELECT count(*), count(DISTINCT n % 7) FROM resource('{}')", platform.big);
    workers[0].kill();
    let cluster = platform.cluster(&workers);
    let error = cluster.check().await.unwrap_err().to_string();
    assert!(error.contains(&workers[0].url), "{error}");
    let error = rows(&platform.session(&workers, from_rows()), &query).await.unwrap_err().to_string();
    assert!(error.contains(&workers[0].url), "{error}");
    let left = platform.session(&workers[1..], from_rows());
    assert_eq!(rows(&left, &query).await.unwrap(), [format!("{ROWS}|7")]);
    platform.requests_of_workers();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_sends_no_requests_to_hosts_that_it_is_not_allowed_to_reach() {
    let platform = Platform::sandbox().await;
    let workers = [WorkerProcess::start(&[]), WorkerProcess::start(&["example.org".to_owned()])];
    for options in [from_rows(), Options::default()] {
        let context = platform.session(&workers, options);
        platform.requests_of_workers();
        let query = format!("SELECT max(nom) FROM resource('{}') WHERE n % 2 = 0", platform.big);
        let error = rows(&context, &query).await.unwrap_err().to_string();
        assert!(error.contains("127.0.0.1, which this worker may not send"), "{error}");
        assert_eq!(platform.requests_of_workers(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_a_worker_cannot_be_read() {
    let platform = Platform::sandbox().await;
    let workers = platform.workers(2);
    let context = platform.session(&workers, from_rows());
    let file = std::env::temp_dir().join(format!("datagouv-cluster-{}.csv", std::process::id()));
    let lines: String = (0..20_000).map(|n| format!("{n},{n}\n")).collect();
    std::fs::write(&file, format!("a,b\n{lines}")).unwrap();
    let path = file.to_str().unwrap();
    let create =
        format!("CREATE EXTERNAL TABLE f STORED AS CSV LOCATION '{path}' OPTIONS ('format.has_header' 'true')");
    context.sql(&create).await.unwrap();
    let error = rows(&context, "SELECT a % 3, count(*) FROM f GROUP BY a % 3").await.unwrap_err();
    std::fs::remove_file(&file).unwrap();
    assert!(error.to_string().contains("not found"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_changed_since_the_query_was_planned_is_an_error() {
    let platform = Platform::sandbox().await;
    let workers = platform.workers(2);
    let context = platform.session(&workers, from_rows());
    let query = format!("SELECT nom, count(*) FROM resource('{}') GROUP BY nom", platform.big);
    let plan = datagouv_datafusion::sql(&context, &query).await.unwrap().create_physical_plan().await.unwrap();
    let mut content = crate::support::big();
    content.rows.truncate(ROWS as usize - 1_000);
    platform.sandbox.as_ref().unwrap().add_table(&platform.big, content.table());
    let error = datafusion::physical_plan::collect(plan, context.task_ctx()).await.unwrap_err().to_string();
    assert!(error.contains("changed since the query was planned") && error.contains("109000"), "{error}");
    platform.requests_of_workers();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parquet_copy_that_was_replaced_since_is_an_error() {
    let platform = Platform::sandbox().await;
    let workers = platform.workers(2);
    let context = platform.session(&workers, Options::default());
    let query = format!("SELECT nom, sum(n) FROM resource('{}') GROUP BY nom", platform.big);
    let plan = datagouv_datafusion::sql(&context, &query).await.unwrap().create_physical_plan().await.unwrap();
    let sandbox = platform.sandbox.as_ref().unwrap();
    sandbox.serve_file(crate::support::COPY, "application/vnd.apache.parquet", vec![0; 500_000]);
    let error = datafusion::physical_plan::collect(plan, context.task_ctx()).await.unwrap_err().to_string();
    assert!(error.contains("changed"), "{error}");
    platform.requests_of_workers();
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_ends_when_it_is_asked_to() {
    let mut worker = WorkerProcess::start(&[]);
    let cluster = Cluster::new([&worker.url]).unwrap();
    cluster.check().await.unwrap();
    assert!(worker.terminate().success());
    assert!(cluster.check().await.is_err());
}

#[test]
fn what_is_no_worker_is_an_error() {
    let error = |workers: &[&str]| match Cluster::new(workers) {
        Ok(_) => panic!("{workers:?} is a cluster"),
        Err(DataFusionError::Plan(message)) => message,
        Err(error) => panic!("{error}"),
    };
    assert!(error(&[]).contains("needs a worker"));
    assert!(error(&["10.0.0.2:7400"]).contains("http://HOST:PORT"));
    assert!(error(&["http://a:1", "http://a:1/"]).contains("named twice"));
}
