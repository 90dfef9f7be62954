//! Limits of the size and the depth of response bodies.

use datagouv::Api;
use datagouv_sandbox::Reply;
use datagouv_sandbox::fault::{Fault, FaultServer};
use serde_json::{Value, json};

use crate::{client_of, send, server};

#[tokio::test]
async fn limits_the_size_of_a_buffered_body() {
    let text = "x".repeat(10_000);
    let server = FaultServer::responding(move |_| Reply::json(200, &json!({"text": text}))).await;
    let client = client_of(&server).max_response_size(10_000).build().unwrap();
    let error = send(&client, "GET").await.unwrap_err();
    assert!(error.is_too_large() && error.is_decode() && error.attempts() == 1, "{error:?}");
    assert!(error.to_string().contains("longer than 10000 bytes"), "{error}");
    let stream = client.request(Api::Main, "GET", "/x").bytes().send().await.unwrap().into_inner();
    assert_eq!(stream.bytes().await.unwrap().len(), 10_011);
    assert!(send(&client_of(&server).max_response_size(10_011).build().unwrap(), "GET").await.is_ok());
}

#[tokio::test]
async fn accepts_any_body_that_is_discarded() {
    #[derive(serde::Deserialize)]
    struct Nothing {}

    let server = server().await;
    let client = client_of(&server).max_response_size(1).build().unwrap();
    let call = || client.request(Api::Main, "POST", "/x");
    for fault in [None, Some(Fault::html()), Some(Fault::empty()), Some(Fault::CutBody(3))] {
        server.plan(move |_| fault.clone());
        call().json::<()>().send().await.unwrap();
        call().json::<Nothing>().send().await.unwrap();
    }
}

#[tokio::test]
async fn stops_decompressing_at_the_limit() {
    let server = server().await;
    server.fault_always(Fault::GzipBomb(10 << 30));
    let client = client_of(&server).build().unwrap();
    let error = send(&client, "GET").await.unwrap_err();
    assert!(error.is_too_large(), "{error:?}");
    assert_eq!(server.count(), 1);
    assert!(server.requests()[0].header("accept-encoding").unwrap().contains("gzip"));
}

#[tokio::test]
async fn deeply_nested_json_is_an_error() {
    let deep = |open: &str, close: &str| format!("{}0{}", open.repeat(100_000), close.repeat(100_000));
    for body in [deep("[", "]"), deep("{\"a\":", "}"), deep("{\"data\":[", "]}")] {
        for status in [200, 400] {
            let body = body.clone();
            let server = FaultServer::responding(move |_| Reply::new(status, "application/json", body.clone())).await;
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
async fn deeply_nested_json_does_not_overflow_the_generated_types() {
    let deep = format!("{}0{}", "[".repeat(100_000), "]".repeat(100_000));
    for field in ["extras", "resources", "organization", "spatial", "license", "unheard_of"] {
        let body = format!(r#"{{"id": "d", "title": "t", "{field}": {deep}}}"#);
        let server = FaultServer::responding(move |_| Reply::new(200, "application/json", body.clone())).await;
        let outcome = client_of(&server).build().unwrap().main().get_dataset().dataset("d").send().await;
        assert!(outcome.unwrap_err().is_decode(), "{field}");
    }
}
