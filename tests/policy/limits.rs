//! Limits of requests in flight and of the rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use datagouv::observe::Observe;
use datagouv::{Api, CircuitBreaker, Limits, RetryPolicy};
use datagouv_sandbox::fault::{Fault, FaultServer};
use datagouv_sandbox::{Reply, clock};
use serde_json::json;
use tokio::time::Instant;

use crate::observer::Events;
use crate::{SECOND, client_of, send, server};

#[tokio::test]
async fn a_stream_holds_its_permit_until_it_ends_or_is_dropped() {
    clock::by_steps();
    let server = server().await;
    let client = client_of(&server).limits(Limits::none().in_flight(1)).build().unwrap();
    let open = || async { client.request(Api::Main, "GET", "/x").bytes().send().await.unwrap().into_inner() };
    let within = async |limit| tokio::time::timeout(limit, send(&client, "GET")).await.is_ok();
    let next = || within(30 * SECOND);
    let waits = async || !within(SECOND / 4).await;
    let mut stream = open().await;
    assert!(waits().await);
    while stream.chunk().await.unwrap().is_some() {}
    assert!(next().await, "read to its end, it is done");
    let unread = open().await;
    assert!(waits().await);
    drop(unread);
    assert!(next().await);
    // Calls that are dropped at any moment release their permit.
    server.fault_always(Fault::StallBeforeHeaders);
    for _ in 0..5 {
        assert!(waits().await);
    }
    server.clear_faults();
    assert!(next().await);
}

#[tokio::test]
async fn limits_requests_in_flight() {
    clock::by_steps();
    let server = server().await;
    server.fault_always(Fault::Drip(Duration::from_millis(5)));
    let under_way = Arc::new(UnderWay::default());
    let limits = Limits::none().in_flight(3);
    let client = client_of(&server).limits(limits).build().unwrap();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (client, under_way) = (client.clone(), Arc::clone(&under_way));
            tokio::spawn(async move {
                let mut stream = client.request(Api::Main, "GET", "/x").bytes().send().await.unwrap();
                under_way.begin();
                let mut length = 0;
                while let Some(chunk) = stream.chunk().await.unwrap() {
                    length += chunk.len();
                    if length == 13 {
                        under_way.end();
                    }
                }
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert!(under_way.most.load(Ordering::Relaxed) <= 3);
    assert_eq!(server.count(), 20);
    assert!(server.connections() <= 20);
}

#[derive(Default)]
struct UnderWay {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl UnderWay {
    fn begin(&self) {
        self.most.fetch_max(self.now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    fn end(&self) {
        self.now.fetch_sub(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn respects_the_remaining_rate_limit_of_a_server() {
    clock::by_steps();
    let server = FaultServer::responding(|request| {
        let reply = Reply::json(200, &json!({}));
        match request.number {
            1 => reply.with_header("x-ratelimit-remaining", "0").with_header("x-ratelimit-reset", "1"),
            _ => reply.with_header("x-ratelimit-remaining", "9"),
        }
    })
    .await;
    let events = Arc::new(Events::default());
    let builder = client_of(&server).limits(Limits::default()).observer(Arc::clone(&events) as Arc<dyn Observe>);
    let client = builder.build().unwrap();
    send(&client, "GET").await.unwrap();
    let began = Instant::now();
    send(&client, "GET").await.unwrap();
    assert!(began.elapsed() >= SECOND * 9 / 10);
    let waited = events.throttled.lock().unwrap().clone();
    assert!(waited.len() == 1 && waited[0] >= SECOND * 9 / 10, "{waited:?}");
}

#[tokio::test]
async fn a_429_pauses_all_calls_to_its_host() {
    clock::by_steps();
    let server = server().await;
    let client = client_of(&server).limits(Limits::default()).build().unwrap();
    server.fault_once(Fault::too_many_requests(Some("1")));
    assert_eq!(send(&client, "POST").await.unwrap_err().status().unwrap(), 429);
    let began = Instant::now();
    send(&client, "GET").await.unwrap();
    assert!(began.elapsed() >= SECOND * 9 / 10);
    // A longer wait than the limit is an error.
    server.fault_once(Fault::too_many_requests(Some("3600")));
    send(&client, "POST").await.unwrap_err();
    tokio::time::timeout(10 * SECOND, send(&client, "GET")).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_open_circuit_fails_queued_requests() {
    clock::by_steps();
    let server = server().await;
    server.fault_always(Fault::status(502));
    let builder = client_of(&server).retries(RetryPolicy::none()).limits(Limits::none().in_flight(1));
    let client = builder.circuit_breaker(CircuitBreaker::default().failures(3)).build().unwrap();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { send(&client, "GET").await.unwrap_err().is_circuit_open() })
        })
        .collect();
    let mut refused = 0;
    for call in calls {
        refused += usize::from(call.await.unwrap());
    }
    assert_eq!((server.count(), refused), (3, 17));
}
