//! The client and its builder, by the requests that a server receives: key, redirects, base URLs, errors, bodies.

use std::sync::{Arc, Mutex};

use datagouv::main::types::{DatasetInput, DatasetUpdate, UploadNewDatasetResourceForm};
use datagouv::observe::{Deviated, Observe};
use datagouv::{Api, Client, ClientBuilder, Deviation, Environment, File, RetryPolicy};
use datagouv_sandbox::Sandbox;

const KEY: &str = "udata_a-key-that-must-not-be-seen";

fn client_of(sandbox: &Sandbox) -> ClientBuilder {
    Client::builder()
        .base_url(Api::Main, sandbox.url(Api::Main))
        .base_url(Api::MainV2, sandbox.url(Api::MainV2))
        .base_url(Api::Tabular, sandbox.url(Api::Tabular))
        .base_url(Api::Metrics, sandbox.url(Api::Metrics))
}

#[tokio::test]
async fn sends_the_key_to_the_main_api_alone() {
    let sandbox = Sandbox::start().await;
    let client = client_of(&sandbox).api_key(KEY).build().unwrap();
    client.main().get_me().send().await.unwrap();
    client.main_v2().list_datasets().send().await.unwrap();
    client.tabular().get_health().send().await.unwrap();
    client.metrics().get_health().send().await.unwrap();
    let keys: Vec<Option<String>> =
        sandbox.requests().iter().map(|request| request.header("x-api-key").map(str::to_owned)).collect();
    assert_eq!(keys, [Some(KEY.to_owned()), Some(KEY.to_owned()), None, None]);
}

#[tokio::test]
async fn follows_a_redirect_to_another_origin_without_the_key() {
    let (sandbox, elsewhere) = (Sandbox::start().await, Sandbox::start().await);
    let file = elsewhere.serve_file("/files/communes.csv", "text/csv", "code;nom\n");
    sandbox.respond_once("redirect_resource", 302, &[("Location", &file)], "");
    let client = client_of(&sandbox).api_key(KEY).build().unwrap();
    let id = "1c5075ec-7ce1-49cb-ab89-94f507812daf";
    let response = client.main().redirect_resource().id(id).send().await.unwrap();
    assert_eq!(response.into_inner().text().await.unwrap(), "code;nom\n");
    assert_eq!(sandbox.requests()[0].header("x-api-key"), Some(KEY));
    let received = elsewhere.requests();
    assert_eq!(received.len(), 1);
    assert!(!format!("{:?}", received[0].headers).contains(KEY));
}

#[tokio::test]
async fn follows_a_308_with_method_and_body() {
    let sandbox = Sandbox::start().await;
    sandbox.respond_once("update_dataset", 308, &[("Location", "/api/1/datasets/new-slug/")], "");
    let client = client_of(&sandbox).api_key(KEY).build().unwrap();
    let update = DatasetUpdate::new().title("Communes");
    client.main().update_dataset().dataset("old-slug").body(update).send().await.unwrap();
    let received = sandbox.requests();
    let seen: Vec<(&str, &str)> = received.iter().map(|one| (one.method.as_str(), one.path.as_str())).collect();
    assert_eq!(seen, [("PUT", "/api/1/datasets/old-slug/"), ("PUT", "/api/1/datasets/new-slug/")]);
    assert_eq!(received[1].json(), serde_json::json!({"title": "Communes"}));
    assert_eq!(received[1].header("x-api-key"), Some(KEY));
}

#[tokio::test]
async fn does_not_resend_a_body_to_another_origin() {
    let (sandbox, elsewhere) = (Sandbox::start().await, Sandbox::start().await);
    let target = format!("{}/datasets/", elsewhere.url(Api::Main));
    sandbox.respond_once("create_dataset", 307, &[("Location", &target)], "");
    let client = client_of(&sandbox).api_key(KEY).build().unwrap();
    let error = client.main().create_dataset().body(DatasetInput::new("t", "d")).send().await.unwrap_err();
    assert!(error.is_transport(), "{error}");
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn too_many_redirects_are_an_error() {
    let sandbox = Sandbox::start().await;
    for _ in 0..20 {
        sandbox.respond_once("get_dataset", 302, &[("Location", "/api/1/datasets/again/")], "");
    }
    let client = client_of(&sandbox).build().unwrap();
    let error = client.main().get_dataset().dataset("again").send().await.unwrap_err();
    assert!(error.to_string().contains("more than 10 redirects"), "{error}");
    assert_eq!(sandbox.requests().len(), 11);
}

#[tokio::test]
async fn does_not_follow_a_redirect_to_another_scheme() {
    let sandbox = Sandbox::start().await;
    sandbox.respond_once("get_dataset", 302, &[("Location", "file:///etc/passwd")], "");
    let error = client_of(&sandbox).build().unwrap().main().get_dataset().dataset("x").send().await.unwrap_err();
    assert!(error.to_string().contains("a redirect to file is not followed"), "{error}");
}

#[tokio::test]
async fn stores_no_cookies() {
    let sandbox = Sandbox::start().await;
    let client = client_of(&sandbox).api_key(KEY).build().unwrap();
    sandbox.respond_once("get_dataset", 404, &[("Set-Cookie", "session=someone; Path=/")], r#"{"message": "no"}"#);
    client.main().get_dataset().dataset("x").send().await.unwrap_err();
    client.main().get_me().send().await.unwrap();
    assert_eq!(sandbox.requests()[1].header("cookie"), None);
}

#[tokio::test]
async fn refuses_to_send_the_key_over_plain_http() {
    let builder = Client::builder().base_url(Api::Main, "http://data.example.org/api/1").api_key(KEY);
    let error = builder.build().unwrap().main().get_me().send().await.unwrap_err();
    assert!(error.is_request(), "{error}");
    assert!(error.to_string().contains("use https"), "{error}");
}

#[tokio::test]
async fn the_key_is_in_no_debug_text() {
    let sandbox = Sandbox::start().await;
    let builder = client_of(&sandbox).api_key(KEY).retries(RetryPolicy::none());
    let mut texts = vec![format!("{builder:?}")];
    let client = builder.build().unwrap();
    sandbox.respond_once("get_me", 500, &[], r#"{"message": "Internal Server Error"}"#);
    let error = client.main().get_me().send().await.unwrap_err();
    texts.extend([format!("{client:?}"), format!("{:?}", client.main()), format!("{error:?}"), error.to_string()]);
    drop(sandbox);
    let error = client.main().get_me().send().await.unwrap_err();
    texts.extend([format!("{error:?}"), error.to_string()]);
    assert!(texts.iter().all(|text| !text.contains(KEY)), "{texts:#?}");
}

#[test]
fn refuses_an_invalid_key_without_showing_it() {
    let error = Client::builder().api_key("udata_a\r\nX-Other: b").build().unwrap_err();
    assert!(error.is_request());
    assert!(!format!("{error} {error:?}").contains("udata_a"));
}

#[test]
fn refuses_an_invalid_base_url_by_name() {
    for (url, reason) in [
        ("www.data.gouv.fr/api/1", "is not a URL"),
        ("ftp://www.data.gouv.fr/", "is neither http nor https"),
        ("https://me:secret@www.data.gouv.fr/api/1", "holds a user or a password"),
        ("https://www.data.gouv.fr/api/1?x=1", "holds a query or a fragment"),
    ] {
        let error = Client::builder().base_url(Api::Main, url).build().unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn an_environment_without_an_api_is_an_error() {
    let client = Client::builder().environment(Environment::Dev).build().unwrap();
    let error = client.tabular().get_health().send().await.unwrap_err();
    assert!(error.is_request());
    assert!(error.to_string().starts_with("get_health: the environment Dev has no Tabular API"), "{error}");
}

#[tokio::test]
async fn every_request_has_a_user_agent() {
    let sandbox = Sandbox::start().await;
    client_of(&sandbox).build().unwrap().main().get_site().send().await.unwrap();
    client_of(&sandbox).user_agent("mine/1").build().unwrap().main().get_site().send().await.unwrap();
    let received = sandbox.requests();
    assert!(received[0].header("user-agent").unwrap().starts_with("datagouv-rs/"));
    assert_eq!(received[1].header("user-agent"), Some("mine/1"));
    assert_eq!(received[0].header("api-version"), None);
}

#[tokio::test]
async fn refuses_an_argument_that_would_change_the_path() {
    let sandbox = Sandbox::start().await;
    let client = client_of(&sandbox).build().unwrap();
    for argument in ["", ".", "..", "a\0b"] {
        let error = client.main().get_dataset().dataset(argument).send().await.unwrap_err();
        assert!(error.is_request(), "{argument:?}: {error}");
    }
    assert!(sandbox.requests().is_empty());
    client.main().get_dataset().dataset("../me").send().await.unwrap();
    assert_eq!(sandbox.requests()[0].path, "/api/1/datasets/..%2Fme/");
}

#[tokio::test]
async fn an_error_has_status_operation_body_and_field_errors() {
    let sandbox = Sandbox::start().await;
    let client = client_of(&sandbox).build().unwrap();
    let body = r#"{"errors": {"title": ["Ce champ est requis."], "schema": {"name": ["inconnu"]}}}"#;
    sandbox.respond_once("create_dataset", 400, &[("Retry-After", "7")], body);
    let error = client.main().create_dataset().body(DatasetInput::new("t", "d")).send().await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.operation()), (400, Some("create_dataset")));
    assert_eq!(error.body().unwrap(), body.as_bytes());
    assert_eq!(error.retry_after().unwrap().as_secs(), 7);
    let fields: Vec<String> = error.field_errors().into_iter().map(|error| error.field).collect();
    assert_eq!(fields, ["schema.name", "title"]);
}

#[tokio::test]
async fn a_response_that_cannot_be_decoded_is_an_error_with_its_path() {
    let sandbox = Sandbox::start().await;
    let client = client_of(&sandbox).build().unwrap();
    sandbox.respond_once("list_datasets", 200, &[], r#"{"data": [{"title": "a"}, {"title": none}]}"#);
    let error = client.main().list_datasets().send().await.unwrap_err();
    assert!(error.is_decode());
    assert!(
        error.to_string().starts_with("list_datasets: `data[1].title` of the response cannot be decoded"),
        "{error}"
    );
    sandbox.respond_once("list_datasets", 200, &[], "[]");
    assert!(client.main().list_datasets().send().await.unwrap_err().is_decode());
    sandbox.respond_once("list_datasets", 200, &[("Content-Type", "text/html")], "<html>maintenance</html>");
    assert!(client.main().list_datasets().send().await.unwrap_err().is_decode());
}

#[derive(Default)]
struct Deviations(Mutex<Vec<(Option<String>, Vec<Deviation>)>>);

impl Observe for Deviations {
    fn deviated(&self, event: &Deviated<'_>) {
        self.0.lock().unwrap().push((event.operation.map(str::to_owned), event.deviations.to_vec()));
    }
}

#[tokio::test]
async fn a_mismatch_is_reported_and_affects_its_field_alone() {
    let sandbox = Sandbox::start().await;
    let observed = Arc::new(Deviations::default());
    let client = client_of(&sandbox).observer(Arc::clone(&observed) as Arc<dyn Observe>).build().unwrap();
    let body = r#"{"data": [{"title": "a", "ranking": 3}, {"title": {"fr": "b"}, "slug": "c"}, "d"], "total": "3"}"#;
    sandbox.respond_once("list_datasets", 200, &[], body);
    let page = client.main().list_datasets().send().await.unwrap();
    let slugs: Vec<_> = page.data.iter().map(|dataset| (dataset.title.as_str(), dataset.slug.as_str())).collect();
    assert_eq!((slugs, page.total), (vec![("a", ""), ("", "c")], 3));
    assert_eq!(page.data[0].unknown()["ranking"], 3);
    let deviations: Vec<_> = page.deviations().iter().map(ToString::to_string).collect();
    let expected = ["`data[1].title`: expected a text, found an object", "`data[2]`: expected an object, found a text"];
    assert_eq!(deviations, expected);
    assert_eq!(page.deviations()[1].found, "d");
    assert_eq!(*observed.0.lock().unwrap(), [(Some("list_datasets".to_owned()), page.deviations().to_vec())]);
    assert_eq!(client.main().list_datasets().send().await.unwrap().deviations(), []);
}

#[tokio::test]
async fn an_item_that_cannot_be_decoded_is_left_out_of_a_list() {
    let sandbox = Sandbox::start().await;
    let client = client_of(&sandbox).build().unwrap();
    sandbox.respond_once("list_licenses", 200, &[], r#"[{"id": "a"}, "b", {"id": 3, "title": []}]"#);
    let licenses = client.main().list_licenses().send().await.unwrap();
    assert_eq!(licenses.iter().map(|license| license.id.as_str()).collect::<Vec<_>>(), ["a", "3"]);
    let paths: Vec<_> = licenses.deviations().iter().map(|deviation| deviation.path.as_str()).collect();
    assert_eq!(paths, ["[1]", "[2].title"]);
}

#[tokio::test]
async fn a_number_in_a_text_field_keeps_its_digits() {
    let sandbox = Sandbox::start().await;
    let client = client_of(&sandbox).build().unwrap();
    for number in ["1.10", "12345678901234567890123", "-0.0", "18446744073709551615", "1E2"] {
        let body = format!(r#"{{"title": {number}, "slug": "1.10", "resources": [{{}}, {{"title": {number}}}]}}"#);
        sandbox.respond_once("get_dataset", 200, &[], body);
        let dataset = client.main().get_dataset().dataset("d").send().await.unwrap();
        assert_eq!((dataset.title.as_str(), dataset.resources[1].title.as_str()), (number, number));
        assert_eq!((dataset.slug.as_str(), dataset.deviations()), ("1.10", &[][..]));
    }
}

#[tokio::test]
async fn sends_a_file_from_a_path_bytes_or_a_reader() {
    let sandbox = Sandbox::start().await;
    let client = client_of(&sandbox).build().unwrap();
    let path = std::env::temp_dir().join(format!("datagouv-client-{}.csv", std::process::id()));
    std::fs::write(&path, "a;b\n1;2\n").unwrap();
    let files = [
        File::from_path(&path).await.unwrap(),
        File::from_bytes("file.csv", "a;b\n1;2\n"),
        File::from_reader("file.csv", 8, "a;b\n1;2\n".as_bytes()).with_content_type("text/csv"),
    ];
    for file in files {
        let form = UploadNewDatasetResourceForm::new().file(file);
        client.main().upload_new_dataset_resource().dataset("d").body(form).send().await.unwrap();
    }
    std::fs::remove_file(&path).unwrap();
    for request in sandbox.requests() {
        assert_eq!(request.violation, None);
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        assert!(body.contains("name=\"file\"") && body.contains("\r\n\r\na;b\n1;2\n\r\n"), "{body}");
        assert!(request.header("content-length").is_some(), "a form of known length is not chunked");
    }
}

#[tokio::test]
async fn a_reader_of_another_length_than_announced_is_an_error() {
    let sandbox = Sandbox::start().await;
    let client = client_of(&sandbox).build().unwrap();
    for announced in [3, 300] {
        let form =
            UploadNewDatasetResourceForm::new().file(File::from_reader("x.csv", announced, "a;b\n1;2\n".as_bytes()));
        let sent = client.main().upload_new_dataset_resource().dataset("d").body(form).send().await;
        assert!(sent.unwrap_err().is_transport(), "{announced}");
    }
}

#[tokio::test]
async fn a_reader_is_sent_once() {
    let sandbox = Sandbox::start().await;
    let client = client_of(&sandbox).build().unwrap();
    let form = UploadNewDatasetResourceForm::new().file(File::from_reader("x.csv", 1, "a".as_bytes()));
    client.main().upload_new_dataset_resource().dataset("d").body(form.clone()).send().await.unwrap();
    let error = client.main().upload_new_dataset_resource().dataset("d").body(form).send().await.unwrap_err();
    assert!(
        error.is_request() && error.to_string().contains("`x.csv` comes from a reader and was already sent"),
        "{error}"
    );
}

#[tokio::test]
async fn a_call_takes_undeclared_parameters_and_headers() {
    #[derive(serde::Deserialize)]
    struct Total {
        total: u64,
    }
    let sandbox = Sandbox::start_platform().await;
    let client = client_of(&sandbox).build().unwrap();
    let call = client.main().list_datasets().page_size(1).call().query("lang", "é&=").header("X-Trace", "7");
    let page = call.json::<Total>().send().await.unwrap();
    assert!(page.total > 0);
    let sent = sandbox.requests().remove(0);
    assert_eq!(sent.query, "page_size=1&lang=%C3%A9%26%3D");
    assert_eq!(sent.header("x-trace"), Some("7"));
}

#[tokio::test]
async fn refuses_a_header_with_a_line_break_before_sending() {
    let sandbox = Sandbox::start().await;
    let client = client_of(&sandbox).build().unwrap();
    for (name, value) in [("X-Trace", "7\r\nX-API-KEY: stolen"), ("X Trace", "7")] {
        let error = client.main().get_site().call().header(name, value).send().await.unwrap_err();
        assert!(error.is_request(), "{error}");
        assert_eq!(error.operation(), Some("get_site"));
    }
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn a_custom_request_has_the_policies_of_the_client() {
    let sandbox = Sandbox::start().await;
    let client = client_of(&sandbox).api_key(KEY).build().unwrap();
    let request = client.request(Api::Main, "POST", "/datasets/").body(&serde_json::json!({"title": "Communes"}));
    let _ = request.send().await;
    let sent = sandbox.requests().remove(0);
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/api/1/datasets/"));
    assert_eq!(sent.header("x-api-key"), Some(KEY));
    assert_eq!(sent.json(), serde_json::json!({"title": "Communes"}));
    for path in ["../2/datasets/", "/%2e%2e/2/", "/a/../../../x"] {
        let error = client.request(Api::Main, "GET", path).send().await.unwrap_err();
        assert!(error.is_request(), "{path}: {error}");
    }
    assert_eq!(sandbox.requests().len(), 1);
}
