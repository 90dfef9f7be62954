//! Retries, their budget, and the circuit breaker.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use datagouv::observe::{CircuitState, Observe};
use datagouv::{Api, CircuitBreaker, Client, File, RetryPolicy};
use datagouv_sandbox::clock;
use datagouv_sandbox::fault::{Fault, UntrustedServer};
use serde_json::json;
use tokio::time::Instant;

use crate::observer::Events;
use crate::{KEY, SECOND, client_of, quick, send, server, upload};

#[tokio::test]
async fn retries_reads_after_transient_failures() {
    clock::by_steps();
    let server = server().await;
    let client = client_of(&server).build().unwrap();
    let faults = [
        Fault::ResetBeforeHeaders,
        Fault::CloseBeforeHeaders,
        Fault::CutHeaders,
        Fault::ResetAfterHeaders,
        Fault::CutBody(3),
        Fault::status(408),
        Fault::status(429),
        Fault::status(500),
        Fault::status(502),
        Fault::status(503),
        Fault::status(504),
    ];
    for fault in faults {
        server.take_requests();
        server.fault_once(fault.clone());
        assert_eq!(send(&client, "GET").await.unwrap(), json!({"fine": true}), "{fault:?}");
        assert_eq!(server.take_requests().len(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn gives_up_after_three_attempts_and_reports_them() {
    clock::by_steps();
    let server = server().await;
    server.fault_always(Fault::status(503));
    let error = send(&client_of(&server).build().unwrap(), "GET").await.unwrap_err();
    assert_eq!((error.attempts(), server.count()), (3, 3));
    assert!(error.to_string().ends_with("sent 3 times)"), "{error}");
    let none = client_of(&server).retries(RetryPolicy::none()).build().unwrap();
    assert_eq!(send(&none, "GET").await.unwrap_err().attempts(), 1);
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn retries_post_and_patch_only_if_marked_idempotent() {
    clock::by_steps();
    let server = server().await;
    let client = client_of(&server).build().unwrap();
    for fault in [Fault::ResetBeforeHeaders, Fault::CloseBeforeHeaders, Fault::status(429), Fault::status(503)] {
        for method in ["POST", "PATCH"] {
            server.take_requests();
            server.fault_once(fault.clone());
            assert!(send(&client, method).await.is_err());
            assert_eq!(server.take_requests().len(), 1, "{method} {fault:?}");
            server.fault_once(fault.clone());
            let call = client.request(Api::Main, method, "/x").body(&json!({"a": 1})).repeatable();
            assert_eq!(call.send().await.unwrap().into_inner(), json!({"fine": true}));
            let bodies: Vec<_> = server.take_requests().into_iter().map(|one| one.body).collect();
            assert_eq!(bodies, [&br#"{"a":1}"#[..]; 2], "{method} {fault:?}");
        }
    }
}

#[tokio::test]
async fn retries_idempotent_writes_but_not_after_a_500() {
    clock::by_steps();
    let server = server().await;
    let client = client_of(&server).build().unwrap();
    for method in ["PUT", "DELETE"] {
        for (status, sent) in [(500, 1), (502, 2), (429, 2)] {
            server.take_requests();
            server.fault_once(Fault::status(status));
            assert_eq!(send(&client, method).await.is_ok(), sent == 2);
            assert_eq!(server.take_requests().len(), sent, "{method} {status}");
        }
    }
}

#[tokio::test]
async fn does_not_retry_permanent_failures() {
    clock::by_steps();
    let server = server().await;
    let client = client_of(&server).build().unwrap();
    for status in [400, 401, 403, 404, 409, 410, 422, 501] {
        server.take_requests();
        server.fault_always(Fault::status(status));
        let error = send(&client, "GET").await.unwrap_err();
        assert_eq!((error.attempts(), server.take_requests().len()), (1, 1), "{status}");
    }
    server.fault_always(Fault::html());
    assert!(send(&client, "GET").await.unwrap_err().is_decode());
    assert_eq!(server.take_requests().len(), 1);
}

#[tokio::test]
async fn does_not_wait_for_a_retry_after_above_the_limit() {
    clock::by_steps();
    let server = server().await;
    let policy = quick().max_retry_after(2 * SECOND);
    let client = client_of(&server).retries(policy).build().unwrap();
    let in_an_hour = httpdate::fmt_http_date(std::time::SystemTime::now() + 3600 * SECOND);
    for retry_after in ["3600", &in_an_hour] {
        server.take_requests();
        server.fault_once(Fault::too_many_requests(Some(retry_after)));
        let error = send(&client, "GET").await.unwrap_err();
        assert!(error.retry_after().unwrap() > 3000 * SECOND, "{retry_after}: {:?}", error.retry_after());
        assert_eq!(server.take_requests().len(), 1, "{retry_after}");
    }
    let began = Instant::now();
    server.fault_once(Fault::too_many_requests(Some("1")));
    assert!(send(&client, "GET").await.is_ok());
    assert!(began.elapsed() >= SECOND);
    assert_eq!(server.take_requests().len(), 2);
}

#[tokio::test]
async fn an_outage_exhausts_the_retry_budget() {
    clock::by_steps();
    let server = server().await;
    server.fault_always(Fault::status(503));
    let events = Arc::new(Events::default());
    let builder = client_of(&server).retries(quick().budget(20)).circuit_breaker(CircuitBreaker::none());
    let client = builder.observer(Arc::clone(&events) as Arc<dyn Observe>).build().unwrap();
    let mut exhausted = 0;
    for _ in 0..20 {
        let error = send(&client, "GET").await.unwrap_err();
        exhausted += usize::from(error.retry_budget_exhausted());
    }
    assert_eq!(server.count(), 20 + 20 / 5);
    assert_eq!(exhausted, 18);
    assert_eq!(events.exhausted.load(Ordering::Relaxed), 18);
    server.clear_faults();
    for _ in 0..5 {
        send(&client, "GET").await.unwrap();
    }
    server.fault_once(Fault::status(503));
    assert!(send(&client, "GET").await.is_ok(), "successes have filled it again");
}

#[tokio::test]
async fn the_circuit_opens_for_an_unreachable_host_and_closes_again() {
    clock::by_steps();
    let server = server().await;
    let events = Arc::new(Events::default());
    let circuit = CircuitBreaker::default().failures(4).open_for(2 * SECOND);
    let builder = client_of(&server).circuit_breaker(circuit).observer(Arc::clone(&events) as Arc<dyn Observe>);
    let client = builder.build().unwrap();
    server.fault_always(Fault::status(502));
    let first = send(&client, "GET").await.unwrap_err();
    assert_eq!((first.attempts(), first.is_circuit_open()), (3, false));
    // The circuit opens within this call: the error is its own failure, and says that there was no retry.
    let second = send(&client, "GET").await.unwrap_err();
    assert_eq!((second.attempts(), second.is_circuit_open()), (1, true));
    assert_eq!(second.status().unwrap(), 502);
    let third = send(&client, "GET").await.unwrap_err();
    assert!(third.is_refused() && third.is_circuit_open(), "{third:?}");
    assert!(third.retry_after().unwrap() <= 2 * SECOND);
    assert_eq!((third.attempts(), server.count()), (0, 4));
    server.clear_faults();
    tokio::time::sleep(2 * SECOND).await;
    assert!(send(&client, "GET").await.is_ok());
    assert_eq!(*events.circuit.lock().unwrap(), [CircuitState::Open, CircuitState::Closed]);
}

#[tokio::test]
async fn failures_of_requests_do_not_open_the_circuit() {
    clock::by_steps();
    let server = server().await;
    let client = client_of(&server).circuit_breaker(CircuitBreaker::default().failures(3)).build().unwrap();
    for status in [404, 500, 429, 400] {
        server.fault_always(Fault::status(status));
        for _ in 0..5 {
            assert!(!send(&client, "POST").await.unwrap_err().is_circuit_open());
        }
    }
}

#[tokio::test]
async fn does_not_retry_a_body_that_can_be_read_once() {
    clock::by_steps();
    let server = server().await;
    server.fault_always(Fault::status(503));
    let client = client_of(&server).build().unwrap();
    let read = File::from_reader("x.csv", 1, &b"x"[..]);
    assert_eq!(upload(&client, read).repeatable().send().await.unwrap_err().attempts(), 1);
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn does_not_retry_an_untrusted_certificate() {
    clock::by_steps();
    let server = UntrustedServer::start().await;
    let client = Client::builder().base_url(Api::Main, server.origin()).api_key(KEY).retries(quick()).build().unwrap();
    let error = send(&client, "GET").await.unwrap_err();
    assert!(error.is_transport() && error.attempts() == 1, "{error:?}");
}

#[tokio::test]
async fn retries_a_refused_connection() {
    clock::by_steps();
    let server = server().await;
    let client = client_of(&server).build().unwrap();
    server.close().await;
    let error = send(&client, "GET").await.unwrap_err();
    assert!(error.is_transport() && !error.is_timeout() && error.attempts() == 3, "{error:?}");
    assert_eq!(send(&client, "POST").await.unwrap_err().attempts(), 1);
}
