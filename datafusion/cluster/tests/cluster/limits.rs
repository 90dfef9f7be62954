//! All machines together keep the limits of one client.

use std::time::{Duration, Instant};

use datagouv::Limits;
use datagouv_datafusion::Options;

use crate::support::{Platform, rows};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_share_the_requests_in_flight() {
    let platform = Platform::sandbox().await;
    let workers = platform.workers(2);
    let sandbox = platform.sandbox.as_ref().unwrap();
    let cluster = platform.cluster(&workers).limits(Limits::none().in_flight(3));
    let context = cluster.session(platform.client(), Options::default().parquet(false)).unwrap();
    let before = sandbox.peak_in_flight();
    assert!(before <= 4, "{before} while the platform was made");
    let scan = format!("SELECT * FROM resource('{}') WHERE nom < 'Z'", platform.big);
    let query = format!("SELECT count(x) FROM ({scan} UNION ALL {scan} UNION ALL {scan})");
    rows(&context, &query).await.unwrap();
    assert!(platform.requests_of_workers() > 9);
    assert!(sandbox.peak_in_flight() <= before.max(3), "{} were in flight", sandbox.peak_in_flight());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_share_the_requests_per_second() {
    let platform = Platform::sandbox().await;
    let workers = platform.workers(2);
    // Each of the three gets four, and the same at once after a second without requests.
    let cluster = platform.cluster(&workers).limits(Limits::none().per_second(12));
    let context = cluster.session(platform.client(), Options::default().parquet(false)).unwrap();
    let scan = format!("SELECT * FROM resource('{}') WHERE nom < 'Z'", platform.big);
    let query = format!("SELECT count(x) FROM ({scan} UNION ALL {scan} UNION ALL {scan} UNION ALL {scan})");
    platform.requests_of_workers();
    let began = Instant::now();
    rows(&context, &query).await.unwrap();
    let (elapsed, requests) = (began.elapsed(), platform.requests_of_workers());
    // A slow machine takes longer, never less.
    let at_once = 2 * (4 + 1);
    let least = Duration::from_secs(1) * u32::try_from(requests.saturating_sub(at_once)).unwrap() / 8;
    assert!(requests > 2 * at_once, "{requests} requests show nothing");
    assert!(elapsed >= least, "{requests} requests of two workers in {elapsed:?}, before {least:?}");
}
