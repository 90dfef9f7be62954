//! Files of any host, requested from a server that injects faults.

use std::sync::Arc;
use std::time::Duration;

use datagouv_sandbox::Reply;
use datagouv_sandbox::fault::{Fault, FaultServer};
use reqwest::header::HeaderValue;
use reqwest::{Method, Request};

use super::{CallOptions, key};
use crate::{Client, Limits, Result, RetryPolicy};

const KEY: &str = "udata_a-key-that-must-not-be-seen";

async fn server() -> FaultServer {
    FaultServer::responding(|request| match request.header("range") {
        Some("bytes=4-") => Reply::new(206, "text/csv", "456789").with_header("content-range", "bytes 4-9/10"),
        _ => Reply::new(200, "text/csv", "0123456789"),
    })
    .await
}

fn client_of(server: &FaultServer) -> Client {
    Client::builder()
        .base_url(crate::Api::Main, server.origin())
        .api_key(KEY)
        .retries(RetryPolicy::default().base_delay(Duration::from_millis(1)))
        .limits(Limits::none())
        .build()
        .unwrap()
}

fn get(server: &FaultServer) -> Request {
    Request::new(Method::GET, format!("{}/file.csv", server.origin()).parse().unwrap())
}

async fn fetch(client: &Client, request: Request) -> Result<String> {
    let response = client.shared.fetch(request, CallOptions::default()).await?;
    Ok(response.text().await?)
}

#[tokio::test]
async fn a_file_is_requested_without_the_key_even_at_the_apis_own_origin() {
    let server = server().await;
    let client = client_of(&server);
    let mut request = get(&server);
    request.headers_mut().insert(key::API_KEY, HeaderValue::from_static(KEY));
    assert_eq!(fetch(&client, request).await.unwrap(), "0123456789");
    assert!(!server.requests()[0].contains(KEY));
    assert_eq!(server.requests()[0].header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn a_file_request_is_retried_by_the_same_rules() {
    let server = server().await;
    let client = client_of(&server);
    for fault in [Fault::ResetBeforeHeaders, Fault::status(503), Fault::status(500)] {
        server.fault_once(fault.clone());
        assert_eq!(fetch(&client, get(&server)).await.unwrap(), "0123456789", "{fault:?}");
    }
    server.fault_always(Fault::status(404));
    let error = fetch(&client, get(&server)).await.unwrap_err();
    assert!(error.is_not_found() && error.operation().is_none() && error.attempts() == 1, "{error:?}");
}

#[tokio::test]
async fn a_range_request_follows_redirects() {
    let (first, second) = (server().await, server().await);
    first.fault_always(Fault::redirect(302, &format!("{}/moved.csv", second.origin())));
    let mut request = get(&first);
    request.headers_mut().insert("range", HeaderValue::from_static("bytes=4-"));
    let response = client_of(&first).shared.fetch(request, CallOptions::default()).await.unwrap();
    assert_eq!((response.status().as_u16(), response.content_length()), (206, Some(6)));
    assert_eq!(response.url().path(), "/moved.csv");
    assert_eq!(response.text().await.unwrap(), "456789");
}

#[tokio::test]
async fn a_compressed_file_is_not_decoded() {
    let zipped: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let server = FaultServer::responding(move |_| {
        Reply::new(200, "text/csv", bytes::Bytes::from_static(zipped)).with_header("content-encoding", "gzip")
    })
    .await;
    let response = client_of(&server).shared.fetch(get(&server), CallOptions::default()).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.bytes().await.unwrap(), zipped);
}

#[tokio::test]
async fn private_networks_are_denied_to_one_call_or_to_all() {
    let server = server().await;
    let client = client_of(&server);
    let denied = CallOptions { deny_private_networks: true, ..CallOptions::default() };
    let error = client.shared.fetch(get(&server), denied).await.unwrap_err();
    assert!(error.is_private_network() && server.count() == 0, "{error:?}");
    assert!(fetch(&client, get(&server)).await.is_ok());
    let mut named = get(&server);
    named.url_mut().set_host(Some("localhost")).unwrap();
    let error = client.shared.fetch(named, denied).await.unwrap_err();
    assert!(error.is_private_network() && server.count() == 1, "{error:?}");
}

#[tokio::test]
async fn a_call_dropped_at_any_moment_releases_its_permit() {
    let server = server().await;
    server.fault_always(Fault::Drip(Duration::from_millis(2)));
    let client = Client::builder().limits(Limits::none().in_flight(2)).build().unwrap();
    let host = client.shared.hosts.of(get(&server).url());
    for milliseconds in 0..30 {
        let _ = tokio::time::timeout(Duration::from_millis(milliseconds), fetch(&client, get(&server))).await;
    }
    assert_eq!(Arc::strong_count(&host.limiter), 1, "no permit is held");
    let permits = [host.limiter.acquire().await.unwrap(), host.limiter.acquire().await.unwrap()];
    assert_eq!(Arc::strong_count(&host.limiter), 1 + permits.len());
}
