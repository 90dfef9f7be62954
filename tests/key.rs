//! The API key is in no request to another server, and in no text of an error, event or `Debug` output.
//! `cargo test -p datagouv-tests --test key -- --nocapture` prints what was searched.

use std::error::Error as _;
use std::sync::{Arc, Mutex};

use datagouv::files::RemoteFile;
use datagouv::main::types::{DatasetInput, DatasetUpdate};
use datagouv::rows::{Row, col};
use datagouv::{Api, Client, ClientBuilder, Error, File, Limits, RetryPolicy};
use datagouv_sandbox::fault::{Fault, FaultServer};
use datagouv_sandbox::{Reply, Sandbox, platform};
use serde_json::json;

const KEY: &str = "udata_a-key-that-must-not-be-seen";

/// The encodings in which the key could be sent.
fn forms() -> [String; 4] {
    let hex = KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
    // Its first 30 bytes in base64.
    let base64 = "dWRhdGFfYS1rZXktdGhhdC1tdXN0LW5vdC1iZS".to_owned();
    [KEY.to_owned(), KEY.replace('-', "%2D"), hex, base64]
}

fn client_of(server: &FaultServer) -> ClientBuilder {
    Client::builder()
        .base_url(Api::Main, server.url(Api::Main))
        .base_url(Api::MainV2, server.url(Api::MainV2))
        .base_url(Api::Tabular, server.url(Api::Tabular))
        .base_url(Api::Metrics, server.url(Api::Metrics))
        .api_key(KEY)
        .limits(Limits::none())
        .retries(RetryPolicy::none())
}

/// The platform, a proxy of it, and another server that responds as the platform does.
async fn servers() -> (Sandbox, FaultServer, FaultServer) {
    let sandbox = Sandbox::start_platform().await;
    // Redirected uploads are requests of no operation.
    sandbox.strict(false);
    let (server, elsewhere) = (FaultServer::before(&sandbox).await, FaultServer::before(&sandbox).await);
    (sandbox, server, elsewhere)
}

/// Redirects all requests from one server to another.
fn send_on(server: &FaultServer, elsewhere: &FaultServer, status: u16) {
    let origin = elsewhere.origin().to_owned();
    server.plan(move |arrival| Some(Fault::redirect(status, &format!("{origin}{}", arrival.target))));
}

fn assert_without_key(elsewhere: &FaultServer, what: &str) -> usize {
    let requests = elsewhere.take_requests();
    for request in &requests {
        assert!(!forms().iter().any(|form| request.contains(form)), "{what}: {:?}", request.head);
        for name in ["x-api-key", "authorization", "cookie", "proxy-authorization", "referer"] {
            assert_eq!(request.header(name), None, "{what}: {:?}", request.head);
        }
    }
    requests.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_to_another_server_have_no_key() {
    let (_sandbox, server, elsewhere) = servers().await;
    let client = client_of(&server).build().unwrap();
    let mut searched = 0;
    for status in [301, 302, 303, 307, 308] {
        send_on(&server, &elsewhere, status);
        let name = |what: &str| format!("{what}, {status}");

        // Reads, of all APIs, and in streams.
        client.main().get_dataset().dataset(platform::COMMUNES).send().await.unwrap();
        client.main_v2().list_datasets().send().await.unwrap();
        client.request(Api::Main, "GET", "/site/").header("x-mark", "a").send().await.unwrap();
        client.tabular().get_resource_data().rid(platform::COMMUNES_RESOURCE).send().await.unwrap();
        let reads = assert_without_key(&elsewhere, &name("reads"));
        assert!(reads >= 4, "{reads} reads were sent on");
        let mut pages = client.main().list_datasets().page_size(2).pages();
        while let Some(page) = pages.next().await {
            page.unwrap();
        }
        let walked = assert_without_key(&elsewhere, &name("pages"));
        assert!(walked >= 2, "{walked} pages were sent on");
        let mut rows = client.resource(platform::COMMUNES_RESOURCE).rows::<Row>().stream();
        while let Some(row) = rows.next().await {
            row.unwrap();
        }
        let exported = assert_without_key(&elsewhere, &name("rows"));

        // Writes, with their bodies.
        let _ = client.main().create_dataset().body(DatasetInput::new("t", "d")).send().await;
        let update = DatasetUpdate::new().title("t");
        let _ = client.main().update_dataset().dataset(platform::COMMUNES).body(update).send().await;
        let _ = client.main().delete_dataset().dataset(platform::STOPS).send().await;
        let file = || File::from_bytes("a.csv", "a;b\n1;2\n");
        let _ = client.dataset(platform::COMMUNES).upload(file()).send().await;
        let _ = client.dataset(platform::COMMUNES).upload(file()).parts_above(0).part_size(4).send().await;
        let written = assert_without_key(&elsewhere, &name("writes"));

        // Files.
        let bytes = client.resource(platform::COMMUNES_RESOURCE).bytes(1 << 20).await.unwrap();
        assert!(!bytes.is_empty());
        let latest = client.resource(platform::COMMUNES_RESOURCE).latest().await.unwrap();
        client.file(RemoteFile::new(latest.permanent)).bytes(1 << 20).await.unwrap();
        let file = RemoteFile::new(format!("{}/files/exemple.csv", server.origin()));
        client.file(file).bytes(1 << 20).await.unwrap();
        let files = assert_without_key(&elsewhere, &name("files"));
        assert!(files >= 3, "{files} files were sent on");
        searched += reads + walked + exported + written + files;
    }
    println!("key: {searched} requests of another server searched, in none of them");
}

#[tokio::test]
async fn does_not_follow_links_in_responses() {
    let elsewhere = FaultServer::responding(|_| Reply::json(200, &json!({"data": [], "total": 0}))).await;
    let origin = elsewhere.origin().to_owned();
    let server = FaultServer::responding(move |arrival| {
        let next = format!("{origin}{}", arrival.target);
        let (data, total) = (json!([{"id": "a", "title": "t"}]), 1000);
        Reply::json(
            200,
            &json!({
                "data": data, "total": total, "page": 1, "page_size": 1, "next_page": next, "previous_page": next,
                "links": {"next": next, "prev": next, "profile": next, "swagger": next}, "meta": {"total": total},
            }),
        )
    })
    .await;
    let client = client_of(&server).build().unwrap();
    let mut pages = client.main().list_datasets().page_size(1).pages().limit(3);
    while let Some(page) = pages.next().await {
        page.unwrap();
    }
    let _ = client.tabular().get_resource_data().rid(platform::COMMUNES_RESOURCE).send().await;
    assert!(server.count() >= 2);
    assert_eq!(elsewhere.count(), 0, "a link was followed");
}

#[tokio::test]
async fn a_key_that_is_not_a_header_value_is_refused_without_being_shown() {
    for key in [format!("{KEY}\r\nx-mark: a"), format!("{KEY}\n"), format!("{KEY}\0")] {
        let error = Client::builder().api_key(key).build().unwrap_err();
        assert!(error.is_request());
        assert!(texts_of(&error).iter().all(|text| !text.contains(KEY)), "{error:?}");
    }
}

/// All texts of an error.
fn texts_of(error: &Error) -> Vec<String> {
    let mut texts = vec![error.to_string(), format!("{error:?}"), format!("{error:#?}")];
    let mut source = error.source();
    while let Some(cause) = source {
        texts.extend([cause.to_string(), format!("{cause:?}")]);
        source = cause.source();
    }
    texts
}

/// The events of an observer, as text.
#[derive(Default)]
struct Events(Mutex<Vec<String>>);

impl datagouv::observe::Observe for Events {
    fn retrying(&self, event: &datagouv::observe::Retrying<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }

    fn call_finished(&self, event: &datagouv::observe::CallFinished<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

#[tokio::test]
async fn the_key_is_in_no_debug_or_error_text() {
    let (_sandbox, server, _elsewhere) = servers().await;
    let events = Arc::new(Events::default());
    let builder = client_of(&server).observer(Arc::clone(&events) as Arc<dyn datagouv::observe::Observe>);
    let mut texts = vec![format!("{builder:?}")];
    let client = builder.build().unwrap();
    macro_rules! search {
        ($($value:expr),* $(,)?) => { $( texts.extend([format!("{:?}", $value), format!("{:#?}", $value)]); )* };
    }
    search!(
        client,
        client.main(),
        client.main_v2(),
        client.tabular(),
        client.metrics(),
        client.main().get_me().call(),
        client.request(Api::Main, "GET", "/me/"),
        client.request(Api::Main, "GET", "/me/").request(),
        client.main().list_datasets().page_size(1).pages(),
        client.main().list_datasets().page_size(1).items(),
        client.dataset("a"),
        client.resource("a"),
        client.organization("a"),
        client.reuse("a"),
        client.user("a"),
        client.me(),
        client.resource("a").rows::<Row>().filter(col("a").eq("b")),
        client.resource("a").rows::<Row>().stream(),
        client.resource("a").download("folder"),
        client.dataset("a").upload(File::from_bytes("a.csv", "a")),
        client.file(RemoteFile::new("https://example.org/a.csv")),
    );
    let me = client.main().get_dataset().dataset(platform::COMMUNES).send().await.unwrap();
    search!(me, me.headers());
    for fault in [
        Fault::status(400),
        Fault::status(401),
        Fault::status(500),
        Fault::html(),
        Fault::ResetBeforeHeaders,
        Fault::CutBody(10),
        Fault::redirect(302, "file:///x"),
        Fault::redirect(302, ""),
        Fault::redirect(302, "http://[::1/"),
    ] {
        server.fault_always(fault);
        for error in [
            client.main().get_me().send().await.unwrap_err(),
            client.main().create_dataset().body(DatasetInput::new("t", "d")).send().await.unwrap_err(),
            client.dataset("a").upload(File::from_bytes("a.csv", "a")).send().await.unwrap_err(),
        ] {
            texts.extend(texts_of(&error));
        }
    }
    server.close().await;
    texts.extend(texts_of(&client.main().get_me().send().await.unwrap_err()));
    texts.append(&mut events.0.lock().unwrap());
    assert!(!texts.iter().any(|text| forms().iter().any(|form| text.contains(form))), "the key is in a text");
    println!("key: {} texts of types, errors and events searched, in none of them", texts.len());
}
