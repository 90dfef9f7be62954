//! The rules of every request, held against a server that fails on purpose: retries, budget, circuit breaker,
//! limits, timeouts, sizes, secrets, private networks, and what is told of it all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use datagouv::main::types::UploadNewDatasetResourceForm;
use datagouv::observe::{
    CallFinished, CircuitChanged, CircuitState, Observe, Outcome, RetryBudgetExhausted, Retrying, Throttled,
};
use datagouv::{Api, Call, CircuitBreaker, Client, ClientBuilder, File, Limits, RetryPolicy, Timeouts};
use datagouv_sandbox::Reply;
use datagouv_sandbox::fault::{Fault, FaultServer, UntrustedServer};
use serde_json::{Value, json};

const KEY: &str = "udata_a-key-that-must-not-be-seen";
const SECOND: Duration = Duration::from_secs(1);

async fn server() -> FaultServer {
    FaultServer::answering(|_| Reply::json(200, &json!({"fine": true}))).await
}

/// A client that does not wait long between its attempts.
fn client_of(server: &FaultServer) -> ClientBuilder {
    Client::builder()
        .base_url(Api::Main, format!("{}/api/1", server.origin()))
        .api_key(KEY)
        .retries(quick())
        .limits(Limits::none())
}

fn quick() -> RetryPolicy {
    RetryPolicy::default().base_delay(Duration::from_millis(1))
}

async fn send(client: &Client, method: &str) -> datagouv::Result<Value> {
    client.request(Api::Main, method, "/x").send().await.map(datagouv::Response::into_inner)
}

#[tokio::test]
async fn a_read_is_sent_again_after_all_that_passes() {
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
async fn a_request_is_sent_three_times_and_the_error_tells() {
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
async fn a_post_or_a_patch_is_sent_again_only_where_the_caller_says_so() {
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
async fn an_idempotent_write_is_sent_again_but_not_after_a_500() {
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
async fn what_cannot_pass_is_not_sent_again() {
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
async fn a_wait_that_is_longer_than_the_limit_is_not_made() {
    let server = server().await;
    let policy = quick().max_retry_after(2 * SECOND);
    let client = client_of(&server).retries(policy).build().unwrap();
    let in_an_hour = httpdate::fmt_http_date(std::time::SystemTime::now() + 3600 * SECOND);
    for asked in ["3600", &in_an_hour] {
        server.take_requests();
        server.fault_once(Fault::too_many_requests(Some(asked)));
        let error = send(&client, "GET").await.unwrap_err();
        assert!(error.retry_after().unwrap() > 3000 * SECOND, "{asked}: {:?}", error.retry_after());
        assert_eq!(server.take_requests().len(), 1, "{asked}");
    }
    let began = Instant::now();
    server.fault_once(Fault::too_many_requests(Some("1")));
    assert!(send(&client, "GET").await.is_ok());
    assert!(began.elapsed() >= SECOND);
    assert_eq!(server.take_requests().len(), 2);
}

#[tokio::test]
async fn an_outage_exhausts_the_budget_of_further_attempts() {
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
    server.heal();
    for _ in 0..5 {
        send(&client, "GET").await.unwrap();
    }
    server.fault_once(Fault::status(503));
    assert!(send(&client, "GET").await.is_ok(), "successes have filled it again");
}

#[tokio::test]
async fn a_host_that_is_gone_is_left_alone_and_found_again() {
    let server = server().await;
    let events = Arc::new(Events::default());
    let circuit = CircuitBreaker::default().failures(4).open_for(2 * SECOND);
    let builder = client_of(&server).circuit_breaker(circuit).observer(Arc::clone(&events) as Arc<dyn Observe>);
    let client = builder.build().unwrap();
    server.fault_always(Fault::status(502));
    let first = send(&client, "GET").await.unwrap_err();
    assert_eq!((first.attempts(), first.is_circuit_open()), (3, false));
    // The circuit opens within this call: its own failure is told, and that there was no further attempt.
    let second = send(&client, "GET").await.unwrap_err();
    assert_eq!((second.attempts(), second.is_circuit_open()), (1, true));
    assert_eq!(second.status().unwrap(), 502);
    let third = send(&client, "GET").await.unwrap_err();
    assert!(third.is_refused() && third.is_circuit_open(), "{third:?}");
    assert!(third.retry_after().unwrap() <= 2 * SECOND);
    assert_eq!((third.attempts(), server.count()), (0, 4));
    server.heal();
    tokio::time::sleep(2 * SECOND).await;
    assert!(send(&client, "GET").await.is_ok());
    assert_eq!(*events.circuit.lock().unwrap(), [CircuitState::Open, CircuitState::Closed]);
}

#[tokio::test]
async fn failures_of_requests_do_not_open_the_circuit() {
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
async fn a_head_that_does_not_come_ends_the_attempt() {
    let server = server().await;
    let timeouts = Timeouts::default().head(SECOND);
    let client = client_of(&server).timeouts(timeouts).build().unwrap();
    server.fault_once(Fault::StallBeforeHeaders);
    assert!(send(&client, "GET").await.is_ok(), "the second attempt is answered");
    server.fault_always(Fault::StallBeforeHeaders);
    let error = send(&client, "POST").await.unwrap_err();
    assert!(error.is_timeout() && !error.is_stalled() && error.is_transport(), "{error:?}");
    assert_eq!(error.attempts(), 1);
    let error = client.request(Api::Main, "POST", "/x").head_timeout(SECOND / 100).send().await.unwrap_err();
    assert!(error.to_string().contains("10ms"), "{error}");
}

/// A file of ten bytes, one every tenth of a second.
fn slow_file() -> File {
    let bytes = futures_util::stream::unfold(0, |sent| async move {
        tokio::time::sleep(SECOND / 10).await;
        (sent < 10).then(|| (Ok(bytes::Bytes::from_static(b"x")), sent + 1))
    });
    File::from_stream("slow.csv", 10, bytes)
}

fn upload(client: &Client, file: File) -> Call<Value> {
    let form = UploadNewDatasetResourceForm::new().file(file);
    client.main().upload_new_dataset_resource().dataset("d").body(form).call().json()
}

#[tokio::test]
async fn a_request_that_takes_long_to_send_is_not_late() {
    let server = server().await;
    let timeouts = Timeouts::default().head(SECOND * 9 / 10);
    let client = client_of(&server).timeouts(timeouts).build().unwrap();
    let began = Instant::now();
    upload(&client, slow_file()).send().await.unwrap();
    assert!(began.elapsed() >= SECOND, "longer in all than the head may take");
    let error = upload(&client, slow_file()).head_timeout(SECOND / 50).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_body_that_can_be_read_once_is_sent_once() {
    let server = server().await;
    server.fault_always(Fault::status(503));
    let client = client_of(&server).build().unwrap();
    let read = File::from_reader("x.csv", 1, &b"x"[..]);
    assert_eq!(upload(&client, read).repeatable().send().await.unwrap_err().attempts(), 1);
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_body_that_stalls_is_an_error_and_one_that_is_slow_is_not() {
    let server = server().await;
    let timeouts = Timeouts::default().idle(SECOND);
    let client = client_of(&server).timeouts(timeouts).build().unwrap();
    server.fault_always(Fault::StallBody(5));
    let error = client.request(Api::Main, "GET", "/x").idle_timeout(SECOND / 10).send().await.unwrap_err();
    assert!(error.is_stalled() && error.is_timeout(), "{error:?}");
    assert_eq!(error.attempts(), 3);
    let mut stream = client.request(Api::Main, "GET", "/x").bytes().idle_timeout(SECOND / 2).send().await.unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap().len(), 5);
    let error = stream.chunk().await.unwrap_err();
    assert!(error.is_stalled(), "{error:?}");
    assert_eq!((error.attempts(), error.operation()), (1, Some("request")));
    assert!(error.to_string().contains("GET http://127.0.0.1"), "{error}");
    assert!(stream.chunk().await.unwrap().is_none());
    server.fault_always(Fault::Drip(SECOND / 8));
    let began = Instant::now();
    assert!(send(&client, "GET").await.is_ok());
    assert!(began.elapsed() > SECOND, "longer in all than nothing may come");
}

#[tokio::test]
async fn the_time_of_a_whole_call_ends_its_attempts_and_its_stream() {
    let server = server().await;
    let client = client_of(&server).retries(RetryPolicy::default().base_delay(60 * SECOND)).build().unwrap();
    let call = || client.request(Api::Main, "GET", "/x").timeout(SECOND);
    server.fault_always(Fault::StallBeforeHeaders);
    let error = call().send().await.unwrap_err();
    assert!(error.is_timeout() && error.attempts() == 1 && error.elapsed() >= SECOND, "{error:?}");
    server.fault_always(Fault::Drip(SECOND / 5));
    let mut stream = call().bytes().send().await.unwrap();
    let error = loop {
        match stream.chunk().await {
            Ok(chunk) => assert!(chunk.is_some(), "it cannot be whole in time"),
            Err(error) => break error,
        }
    };
    assert!(error.is_timeout() && !error.is_stalled(), "{error:?}");
    // A wait that would end too late is not begun.
    server.fault_always(Fault::too_many_requests(Some("7")));
    let began = Instant::now();
    let error = client.request(Api::Main, "GET", "/x").timeout(5 * SECOND).send().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 429);
    assert!(began.elapsed() < 4 * SECOND);
}

#[tokio::test]
async fn an_answer_is_read_into_memory_up_to_a_limit() {
    let text = "x".repeat(10_000);
    let server = FaultServer::answering(move |_| Reply::json(200, &json!({"text": text}))).await;
    let client = client_of(&server).max_answer(10_000).build().unwrap();
    let error = send(&client, "GET").await.unwrap_err();
    assert!(error.is_too_large() && error.is_decode() && error.attempts() == 1, "{error:?}");
    assert!(error.to_string().contains("longer than 10000 bytes"), "{error}");
    let stream = client.request(Api::Main, "GET", "/x").bytes().send().await.unwrap().into_inner();
    assert_eq!(stream.bytes().await.unwrap().len(), 10_011);
    assert!(send(&client_of(&server).max_answer(10_011).build().unwrap(), "GET").await.is_ok());
}

#[tokio::test]
async fn an_answer_that_is_not_read_may_be_anything() {
    #[derive(serde::Deserialize)]
    struct Nothing {}

    let server = server().await;
    let client = client_of(&server).max_answer(1).build().unwrap();
    let call = || client.request(Api::Main, "POST", "/x");
    for fault in [None, Some(Fault::html()), Some(Fault::empty()), Some(Fault::CutBody(3))] {
        server.plan(move |_| fault.clone());
        call().json::<()>().send().await.unwrap();
        call().json::<Nothing>().send().await.unwrap();
    }
}

#[tokio::test]
async fn a_bomb_stops_at_the_limit() {
    let server = server().await;
    server.fault_always(Fault::GzipBomb(10 << 30));
    let client = client_of(&server).build().unwrap();
    let error = send(&client, "GET").await.unwrap_err();
    assert!(error.is_too_large(), "{error:?}");
    assert_eq!(server.count(), 1);
    assert!(server.requests()[0].header("accept-encoding").unwrap().contains("gzip"));
}

#[tokio::test]
async fn deep_json_is_an_error_and_no_overflow() {
    let deep = |open: &str, close: &str| format!("{}0{}", open.repeat(100_000), close.repeat(100_000));
    for body in [deep("[", "]"), deep("{\"a\":", "}"), deep("{\"data\":[", "]}")] {
        for status in [200, 400] {
            let body = body.clone();
            let server = FaultServer::answering(move |_| Reply::new(status, "application/json", body.clone())).await;
            let client = client_of(&server).build().unwrap();
            let error = send(&client, "GET").await.unwrap_err();
            assert_eq!(error.status().unwrap(), status);
            assert!(error.field_errors().is_empty() && error.body_json().is_none());
            let typed = client.request(Api::Main, "GET", "/x").json::<Option<Box<Value>>>().send().await;
            assert!(typed.is_err());
        }
    }
}

#[tokio::test]
async fn deep_json_does_not_overflow_the_generated_types() {
    let deep = format!("{}0{}", "[".repeat(100_000), "]".repeat(100_000));
    for field in ["extras", "resources", "organization", "spatial", "license", "unheard_of"] {
        let body = format!(r#"{{"id": "d", "title": "t", "{field}": {deep}}}"#);
        let server = FaultServer::answering(move |_| Reply::new(200, "application/json", body.clone())).await;
        let answer = client_of(&server).build().unwrap().main().get_dataset().dataset("d").send().await;
        match field {
            "unheard_of" => assert_eq!(answer.unwrap().title, "t", "what is not read is skipped"),
            _ => assert!(answer.unwrap_err().is_decode(), "{field}"),
        }
    }
}

#[tokio::test]
async fn a_stream_holds_its_place_until_it_is_read_or_dropped() {
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
    // Calls that are dropped at any moment leave no place behind.
    server.fault_always(Fault::StallBeforeHeaders);
    for _ in 0..5 {
        assert!(waits().await);
    }
    server.heal();
    assert!(next().await);
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_allowed() {
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
async fn what_a_server_says_is_left_of_its_limit_is_kept_to() {
    let server = FaultServer::answering(|request| {
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
async fn a_server_that_is_asked_too_much_is_left_alone_by_all_calls() {
    let server = server().await;
    let client = client_of(&server).limits(Limits::default()).build().unwrap();
    server.fault_once(Fault::too_many_requests(Some("1")));
    assert_eq!(send(&client, "POST").await.unwrap_err().status().unwrap(), 429);
    let began = Instant::now();
    send(&client, "GET").await.unwrap();
    assert!(began.elapsed() >= SECOND * 9 / 10);
    // What is longer than the limit is the caller's to wait for.
    server.fault_once(Fault::too_many_requests(Some("3600")));
    send(&client, "POST").await.unwrap_err();
    tokio::time::timeout(10 * SECOND, send(&client, "GET")).await.unwrap().unwrap();
}

#[tokio::test]
async fn those_who_wait_in_line_are_not_sent_to_a_host_that_is_gone() {
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

#[tokio::test]
async fn redirects_lead_to_no_private_network_where_that_is_denied() {
    let (server, elsewhere) = (server().await, server().await);
    let port = elsewhere.origin().rsplit(':').next().unwrap().to_owned();
    let targets = [
        elsewhere.origin().to_owned(),
        format!("http://localhost:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
    ];
    for target in targets {
        server.fault_always(Fault::redirect(302, &target));
        let open = client_of(&server).build().unwrap();
        if !target.contains("::ffff") {
            assert!(send(&open, "GET").await.is_ok(), "{target}");
        }
        elsewhere.take_requests();
        let closed = client_of(&server).deny_private_networks(true).build().unwrap();
        let error = send(&closed, "GET").await.unwrap_err();
        assert!(error.is_private_network() && error.is_refused() && error.attempts() == 1, "{target}: {error:?}");
        assert_eq!(elsewhere.requests().len(), 0, "{target}");
    }
    server.heal();
    let closed = client_of(&server).deny_private_networks(true).build().unwrap();
    assert!(send(&closed, "GET").await.is_ok(), "the API's own origin is the user's choice");
}

#[tokio::test]
async fn another_origin_gets_nothing_that_is_the_users() {
    let (server, elsewhere) = (server().await, server().await);
    server.fault_always(Fault::redirect(302, elsewhere.origin()));
    let client = client_of(&server).build().unwrap();
    let call =
        client.request(Api::Main, "GET", "/x").header("Authorization", "Bearer secret").header("X-Mine", "secret");
    call.header("X-API-KEY", "another secret").send().await.unwrap();
    assert!(server.requests()[0].contains(KEY) && !server.requests()[0].contains("another secret"));
    let received = elsewhere.requests();
    assert_eq!(received.len(), 1);
    assert!(!received[0].contains(KEY) && !received[0].contains("secret"), "{:?}", received[0].head);
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_not_asked_for_again() {
    let server = UntrustedServer::start().await;
    let client = Client::builder().base_url(Api::Main, server.origin()).api_key(KEY).retries(quick()).build().unwrap();
    let error = send(&client, "GET").await.unwrap_err();
    assert!(error.is_transport() && error.attempts() == 1, "{error:?}");
}

#[tokio::test]
async fn a_host_that_refuses_connections_is_asked_again() {
    let server = server().await;
    let client = client_of(&server).build().unwrap();
    server.close().await;
    let error = send(&client, "GET").await.unwrap_err();
    assert!(error.is_transport() && !error.is_timeout() && error.attempts() == 3, "{error:?}");
    assert_eq!(send(&client, "POST").await.unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn a_header_with_a_line_break_is_refused() {
    let server = server().await;
    let client = client_of(&server).build().unwrap();
    for value in ["a\r\nX-Other: b", "a\nb", "a\0b"] {
        let error = client.request(Api::Main, "GET", "/x").header("X-Mine", value).send().await.unwrap_err();
        assert!(error.is_request() && error.attempts() == 0, "{error:?}");
    }
    assert_eq!(server.count(), 0);
}

/// Status, attempts, bytes and outcome.
type Finished = (Option<u16>, u32, u64, Outcome);

#[derive(Default)]
struct Events {
    retries: Mutex<Vec<(u32, Option<u16>)>>,
    finished: Mutex<Vec<Finished>>,
    circuit: Mutex<Vec<CircuitState>>,
    throttled: Mutex<Vec<Duration>>,
    exhausted: AtomicUsize,
}

impl Observe for Events {
    fn retrying(&self, event: &Retrying<'_>) {
        let status = event.error.status().map(|status| status.as_u16());
        self.retries.lock().unwrap().push((event.attempt, status));
    }

    fn retry_budget_exhausted(&self, event: &RetryBudgetExhausted<'_>) {
        assert_eq!(event.operation, Some("request"));
        self.exhausted.fetch_add(1, Ordering::Relaxed);
    }

    fn call_finished(&self, event: &CallFinished<'_>) {
        let status = event.status.map(|status| status.as_u16());
        self.finished.lock().unwrap().push((status, event.attempts, event.bytes, event.outcome));
    }

    fn circuit_changed(&self, event: &CircuitChanged<'_>) {
        self.circuit.lock().unwrap().push(event.state);
    }

    fn throttled(&self, event: &Throttled<'_>) {
        self.throttled.lock().unwrap().push(event.waited);
    }
}

#[tokio::test]
async fn an_observer_is_told_what_becomes_of_every_call() {
    let server = server().await;
    let events = Arc::new(Events::default());
    let client = client_of(&server).observer(Arc::clone(&events) as Arc<dyn Observe>).build().unwrap();
    let length = br#"{"fine":true}"#.len() as u64;
    server.fault_once(Fault::status(503));
    send(&client, "GET").await.unwrap();
    assert_eq!(*events.retries.lock().unwrap(), [(1, Some(503))]);
    server.fault_once(Fault::status(404));
    send(&client, "GET").await.unwrap_err();
    let stream = client.request(Api::Main, "GET", "/x").bytes().send().await.unwrap().into_inner();
    assert_eq!(events.finished.lock().unwrap().len(), 2, "a stream is not over before it is read");
    stream.bytes().await.unwrap();
    drop(client.request(Api::Main, "GET", "/x").bytes().send().await.unwrap());
    server.fault_always(Fault::StallBeforeHeaders);
    let _ = tokio::time::timeout(SECOND / 5, send(&client, "GET")).await;
    let refused = br#"{"message":"on purpose"}"#.len() as u64;
    assert_eq!(
        *events.finished.lock().unwrap(),
        [
            (Some(200), 2, length, Outcome::Success),
            (Some(404), 1, refused, Outcome::Failure),
            (Some(200), 1, length, Outcome::Success),
            (Some(200), 1, 0, Outcome::Dropped),
            (None, 1, 0, Outcome::Dropped),
        ]
    );
}
