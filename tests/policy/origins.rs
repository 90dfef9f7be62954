//! Redirects: which targets are allowed, and which headers are sent there.

use datagouv::Api;
use datagouv_sandbox::fault::Fault;

use crate::{KEY, client_of, send, server};

#[tokio::test]
async fn refuses_redirects_to_private_networks_if_denied() {
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
    server.clear_faults();
    let closed = client_of(&server).deny_private_networks(true).build().unwrap();
    assert!(send(&closed, "GET").await.is_ok(), "the API's own origin is the user's choice");
}

#[tokio::test]
async fn another_origin_gets_no_user_headers() {
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

#[tokio::test]
async fn refuses_a_header_with_a_line_break() {
    let server = server().await;
    let client = client_of(&server).build().unwrap();
    for value in ["a\r\nX-Other: b", "a\nb", "a\0b"] {
        let error = client.request(Api::Main, "GET", "/x").header("X-Mine", value).send().await.unwrap_err();
        assert!(error.is_request() && error.attempts() == 0, "{error:?}");
    }
    assert_eq!(server.count(), 0);
}
