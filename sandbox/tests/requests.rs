//! The server logs all requests, refuses those that violate the document, and responds to the others.

mod support;

use std::time::Duration;

use datagouv_sandbox::{Api, Document, Responses, Sandbox, clock};
use reqwest::RequestBuilder;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

fn document() -> Document {
    let text = json!({"type": "string"});
    let value = json!({"openapi": "3.0.3", "paths": {
        "/datasets/": {
            "get": {
                "operationId": "list_datasets",
                "parameters": [
                    {"name": "q", "in": "query", "required": true, "schema": text},
                    {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}},
                    {"name": "ratio", "in": "query", "schema": {"type": "number"}},
                    {"name": "featured", "in": "query", "schema": {"type": "boolean"}},
                    {"name": "sort", "in": "query", "schema": {"type": "string", "enum": ["title", "-title"]}},
                    {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}},
                    {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}},
                    {"name": "ids", "in": "query", "explode": false, "schema": {"type": "array", "items": {"type": "integer"}}},
                    {"name": "X-Fields", "in": "header", "schema": {"type": "string", "format": "mask"}}
                ],
                "responses": {"200": {"description": "", "content": {"application/json": {"schema": {
                    "type": "object", "required": ["total"], "properties": {
                        "total": {"type": "integer"}, "next_page": {"type": "string", "nullable": true}}}}}}}
            },
            "post": {
                "operationId": "create_dataset",
                "requestBody": {"required": true, "x-required-in-requests": ["title"], "content": {"application/json": {"schema": {
                    "type": "object", "required": ["id", "rank"], "properties": {
                        "id": {"type": "string", "readOnly": true}, "title": text, "rank": {"type": "integer"}}}}}},
                "responses": {"201": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}}
            }
        },
        "/rows/{rid}/": {"get": {
            "operationId": "rows",
            "parameters": [
                {"name": "rid", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}},
                {"name": "page", "in": "query", "schema": {"type": "integer"}},
                {"name": "filters", "in": "query", "style": "form", "explode": true,
                    "schema": {"type": "object", "additionalProperties": text}}
            ],
            "responses": {"200": {"description": "", "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}}
        }},
        "/datasets/{dataset}/upload/": {"post": {
            "operationId": "upload",
            "parameters": [{"name": "dataset", "in": "path", "required": true, "schema": text}],
            "requestBody": {"required": true, "content": {"multipart/form-data": {"schema": {
                "type": "object", "required": ["file"], "properties": {
                    "file": {"type": "string", "format": "binary"}, "totalparts": {"type": "integer"}}}}}},
            "responses": {"201": {"description": ""}}
        }},
        "/datasets/r/{id}": {"get": {
            "operationId": "redirect",
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": text}],
            "responses": {"302": {"description": ""}}
        }}
    }});
    Document::new(Api::Main, value).expect("a good document")
}

async fn sandbox() -> Sandbox {
    Sandbox::with_documents(vec![document()]).await.expect("a port")
}

async fn outcome(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.expect("a response");
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    (status, body["message"].as_str().unwrap_or(&text).to_owned())
}

#[tokio::test]
async fn refuses_parameters_that_violate_the_document() {
    let sandbox = sandbox().await;
    let client = support::client();
    for (path, reason) in [
        ("/datasets/", "query parameter `q`: required and missing"),
        ("/datasets/?q=a&q=b", "query parameter `q`: given more than once"),
        ("/datasets/?q=a&page=one", "query parameter `page`: \"one\" is not an integer"),
        ("/datasets/?q=a&page=1.0", "query parameter `page`: 1.0 is not an integer"),
        ("/datasets/?q=a&page=", "query parameter `page`: \"\" is not an integer"),
        ("/datasets/?q=a&page=0", "query parameter `page`: 0 is under the minimum 1"),
        ("/datasets/?q=a&ratio=x", "query parameter `ratio`: \"x\" is not a number"),
        ("/datasets/?q=a&featured=True", "query parameter `featured`: \"True\" is not a boolean"),
        ("/datasets/?q=a&sort=rank", "query parameter `sort`: \"rank\" is not one of \"title\", \"-title\""),
        ("/datasets/?q=a&since=2024-01-01", "query parameter `since`: \"2024-01-01\" has not the format date-time"),
        ("/datasets/?q=a&tag=a,b", "query parameter `tag`: /0: \"a,b\" is not one of \"a\", \"b\""),
        ("/datasets/?q=a&ids=1&ids=2", "query parameter `ids`: given more than once, but declared as one list"),
        ("/datasets/?q=a&ids=1,x", "query parameter `ids`: /1: \"x\" is not an integer"),
        ("/datasets/?q=a&pages=1", "query parameter `pages`: not declared"),
        ("/rows/12/", "path parameter `rid`: \"12\" has not the format uuid"),
    ] {
        let (status, message) = outcome(client.get(sandbox.url(Api::Main) + path)).await;
        assert_eq!((status, message.as_str()), (400, reason), "{path}");
        let log = sandbox.take_requests();
        assert_eq!(log[0].violation.as_deref(), Some(reason));
    }
    let masked = client.get(sandbox.url(Api::Main) + "/datasets/?q=a").header("X-Fields", "data{id");
    assert_eq!(outcome(masked).await.1, "header parameter `X-Fields`: \"data{id\" has not the format mask");
}

#[tokio::test]
async fn logs_valid_requests_unchanged() {
    let sandbox = sandbox().await;
    let client = support::client();
    for path in [
        "/datasets/?q=12&page=2&ratio=1.5&featured=false&sort=-title&since=2024-01-01T00:00:00Z",
        "/datasets/?q=true&tag=a&tag=b&ids=1,2&lang=fr",
        "/rows/6f1d8c9e-4b7a-4d52-9a3e-2c5b8e7f1a04/?page=2&nom__exact=a%2526b&score__isnull",
    ] {
        assert_eq!(outcome(client.get(sandbox.url(Api::Main) + path)).await.0, 200, "{path}");
    }
    let log = sandbox.take_requests();
    assert!(log.iter().all(|received| received.violation.is_none()));
    assert_eq!(log[2].operation_id.as_deref(), Some("rows"));
    assert_eq!(log[2].query, "page=2&nom__exact=a%2526b&score__isnull");
    assert_eq!(log[2].query_pairs[1], ("nom__exact".to_owned(), "a%26b".to_owned()));
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn refuses_bodies_that_violate_the_document() {
    let sandbox = sandbox().await;
    let client = support::client();
    let url = sandbox.url(Api::Main) + "/datasets/";
    let post = || client.post(&url);
    for (request, status, reason) in [
        (post(), 400, "request body: required and missing"),
        (post().json(&json!({"rank": 1})), 400, "request body: `title` is required and missing"),
        (post().json(&json!({"title": 1})), 400, "request body: /title: 1 is not a string"),
        (post().json(&json!({"title": "a", "id": "1"})), 400, "request body: /id: read-only, must not be sent"),
        (post().json(&json!({"title": "a", "x": 1})), 400, "request body: /x: no such property is declared"),
        (post().json(&json!([])), 400, "request body: [] is not an object"),
        (post().body("{}"), 415, "content type ``: the operation takes application/json"),
        (
            post().header("content-type", "text/plain").body("{}"),
            415,
            "content type `text/plain`: the operation takes application/json",
        ),
    ] {
        assert_eq!(outcome(request).await, (status, reason.to_owned()));
    }
    let broken = post().header("content-type", "application/json").body("{");
    let (status, message) = outcome(broken).await;
    assert_eq!(status, 400);
    assert!(message.starts_with("request body: not JSON"), "{message}");
    let unwanted = client.get(format!("{url}?q=a")).json(&json!({}));
    assert_eq!(outcome(unwanted).await.1, "request body: this operation takes none");
    let good = post().header("content-type", "application/json; charset=utf-8").body(r#"{"title": "a"}"#);
    assert_eq!(outcome(good).await.0, 201);
}

#[tokio::test]
async fn refuses_forms_that_violate_the_document() {
    let sandbox = sandbox().await;
    let client = support::client();
    let file = || Part::bytes(b"a;b".to_vec()).file_name("a.csv");
    for (form, status, reason) in [
        (Form::new().part("file", file()).text("totalparts", "2"), 201, ""),
        (Form::new().text("totalparts", "2"), 400, "request body: field `file` is required and missing"),
        (
            Form::new().part("file", Part::bytes(b"a".to_vec())),
            400,
            "request body: field `file`: a file must have a file name",
        ),
        (
            Form::new().part("file", file()).text("totalparts", "two"),
            400,
            "request body: field `totalparts`: \"two\" is not an integer",
        ),
        (
            Form::new().part("file", file()).text("titel", "x"),
            400,
            "request body: field `titel`: no such field is declared",
        ),
        (
            Form::new().part("file", file()).part("file", file()),
            400,
            "request body: field `file`: given more than once",
        ),
        (
            Form::new().part("file", file()).part("totalparts", file()),
            400,
            "request body: field `totalparts`: a file was sent where a value is declared",
        ),
    ] {
        let request = client.post(sandbox.url(Api::Main) + "/datasets/x/upload/").multipart(form);
        assert_eq!(outcome(request).await, (status, reason.to_owned()));
    }
}

#[tokio::test]
async fn responds_404_to_unknown_paths_and_405_to_unknown_methods() {
    let sandbox = sandbox().await;
    let client = support::client();
    let base = sandbox.url(Api::Main);
    let response = client.get(format!("{base}/nothing/")).send().await.expect("a response");
    assert_eq!(response.status(), 404);
    assert_eq!(response.json::<Value>().await.expect("JSON")["status"], 404);
    let (status, message) = outcome(client.delete(format!("{base}/datasets/"))).await;
    assert_eq!((status, message.as_str()), (405, "The method is not allowed for the requested URL."));
    assert_eq!(outcome(client.get(format!("{base}/datasets?q=a"))).await.0, 404, "the final slash counts");
}

#[tokio::test]
async fn responses_are_generated_recorded_or_set_once() {
    let sandbox = sandbox().await;
    let client = support::client();
    let url = sandbox.url(Api::Main) + "/datasets/?q=a";
    let body = async || client.get(&url).send().await.expect("a response").json::<Value>().await.expect("JSON");
    assert_eq!(body().await, json!({"total": 1, "next_page": null}));
    sandbox.record(Api::Main, "list_datasets", 200, "application/json", r#"{"total": 7}"#);
    assert_eq!(body().await, json!({"total": 7}));
    sandbox.respond_once("list_datasets", 429, &[("retry-after", "1")], r#"{"message": "slow"}"#);
    let response = client.get(&url).send().await.expect("a response");
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (429, &"1".parse().expect("a value")));
    assert_eq!(body().await, json!({"total": 7}), "once is once");
    for (responses, expected) in [
        (Responses::Nulls, json!({"total": 1, "next_page": null})),
        (Responses::AllNulls, json!({"total": null, "next_page": null})),
        (Responses::Minimal, json!({"total": 1})),
        (Responses::Empty, json!({})),
        (Responses::Unknown, json!({"total": 1, "next_page": null, "field_of_a_later_version": {"a": [1, "b", null]}})),
    ] {
        sandbox.set_responses(responses);
        assert_eq!(body().await, expected, "{responses:?}");
    }
    sandbox.set_responses(Responses::Status(202));
    assert_eq!(outcome(client.get(&url)).await.0, 202);
    sandbox.set_responses(Responses::Status(204));
    assert_eq!(outcome(client.get(&url)).await, (204, String::new()));
}

#[tokio::test]
async fn a_redirect_has_the_location_of_a_file_that_is_served_in_ranges() {
    let sandbox = sandbox().await;
    let client = support::client();
    let whole = client.get(sandbox.url(Api::Main) + "/datasets/r/1").send().await.expect("a response");
    assert_eq!(whole.status(), 200);
    let (url, tag) = (whole.url().clone(), whole.headers()["etag"].clone());
    let bytes = whole.bytes().await.expect("a body");
    let rest = client.get(url.clone()).header("range", "bytes=5-").header("if-range", &tag);
    let rest = rest.send().await.expect("a response");
    assert_eq!(rest.status(), 206);
    assert_eq!(rest.headers()["content-range"], format!("bytes 5-{}/{}", bytes.len() - 1, bytes.len()).as_str());
    assert_eq!(rest.bytes().await.expect("a body"), bytes.slice(5..));
    let changed = client.get(url).header("range", "bytes=5-").header("if-range", "\"other\"");
    assert_eq!(changed.send().await.expect("a response").status(), 200);
}

#[tokio::test]
async fn cuts_and_delays_responses_once() {
    clock::by_steps();
    let sandbox = sandbox().await;
    let client = support::builder().timeout(Duration::from_millis(300)).build().expect("a client");
    let url = sandbox.serve_file("/files/long.txt", "text/plain", "0123456789");
    sandbox.cut_once("/files/long.txt", 4);
    let cut = client.get(&url).send().await.expect("headers");
    assert_eq!(cut.content_length(), Some(10));
    assert!(cut.bytes().await.is_err(), "the body was cut");
    sandbox.delay_once("/files/long.txt", Duration::from_secs(5));
    assert!(client.get(&url).send().await.is_err_and(|error| error.is_timeout()));
    assert_eq!(outcome(client.get(&url)).await, (200, "0123456789".to_owned()));
}

#[tokio::test]
async fn a_dropped_sandbox_closes_its_port() {
    clock::by_steps();
    let sandbox = sandbox().await;
    let url = sandbox.url(Api::Main) + "/datasets/?q=a";
    let client = support::client();
    assert_eq!(outcome(client.get(&url)).await.0, 200);
    drop(sandbox);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(support::client().get(&url).send().await.is_err());
}

#[tokio::test]
async fn fixtures_are_matched_by_path_then_by_operation() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixtures/nested");
    std::fs::create_dir_all(&directory).expect("a directory");
    let write = |name: &str, path: &str, status: u16, total: u64| {
        let fixture = json!({
            "api": "main", "operation_id": "list_datasets", "method": "GET", "path": path, "status": status,
            "content_type": "application/json", "body": {"total": total}
        });
        std::fs::write(directory.join(name), fixture.to_string()).expect("a file");
    };
    write("a.json", "/api/1/datasets/?q=gone", 404, 0);
    write("b.json", "/datasets/?q=air", 200, 1);
    write("c.json", "/datasets/?q=bus", 200, 2);
    let sandbox = sandbox().await;
    assert_eq!(sandbox.load_fixtures(directory.parent().expect("a parent")), Ok(3));
    let client = support::client();
    let get = async |query: &str| {
        let response = client.get(format!("{}/datasets/?q={query}", sandbox.url(Api::Main))).send().await;
        let response = response.expect("a response");
        (response.status().as_u16(), response.json::<Value>().await.expect("JSON")["total"].as_u64())
    };
    assert_eq!(get("bus").await, (200, Some(2)));
    assert_eq!(get("gone").await, (404, Some(0)), "an error responses its own path");
    assert_eq!(get("other").await, (200, Some(1)), "and no other");
    std::fs::write(directory.join("d.json"), "{}").expect("a file");
    let error = sandbox.load_fixtures(&directory).expect_err("not a fixture").to_string();
    assert!(error.ends_with("d.json: `api` is missing or no text"), "{error}");
    std::fs::remove_dir_all(directory).expect("an empty place again");
}

#[tokio::test]
async fn tolerated_violations_are_served_and_logged() {
    let sandbox = sandbox().await;
    sandbox.tolerate_violations(true);
    let url = sandbox.url(Api::Main) + "/datasets/?q=a&extra=1";
    assert_eq!(outcome(support::client().get(url)).await.0, 200);
    let violation = sandbox.take_requests().remove(0).violation;
    assert_eq!(violation.as_deref(), Some("query parameter `extra`: not declared"));
}
