//! Timeouts and deadlines.

use datagouv::{Api, File, RetryPolicy, Timeouts};
use datagouv_sandbox::clock;
use datagouv_sandbox::fault::Fault;
use tokio::time::Instant;

use crate::{SECOND, client_of, send, server, upload};

#[tokio::test]
async fn the_head_timeout_ends_the_attempt() {
    clock::by_steps();
    let server = server().await;
    let timeouts = Timeouts::default().head(SECOND);
    let client = client_of(&server).timeouts(timeouts).build().unwrap();
    server.fault_once(Fault::StallBeforeHeaders);
    assert!(send(&client, "GET").await.is_ok(), "the second attempt succeeds");
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

#[tokio::test]
async fn the_head_timeout_does_not_include_sending() {
    clock::by_steps();
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
async fn the_idle_timeout_ends_a_stalled_body_and_not_a_slow_one() {
    clock::by_steps();
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
async fn the_deadline_ends_attempts_and_streams() {
    clock::by_steps();
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
    // A wait beyond the deadline is not started.
    server.fault_always(Fault::too_many_requests(Some("7")));
    let began = Instant::now();
    let error = client.request(Api::Main, "GET", "/x").timeout(5 * SECOND).send().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 429);
    assert!(began.elapsed() < 4 * SECOND);
}
