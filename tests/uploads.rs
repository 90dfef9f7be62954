//! Uploads, whole and in parts, by the requests that the server receives.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datagouv::files::{CropBox, Image, Upload};
use datagouv::main::types::Resource;
use datagouv::{Api, Client, File};
use datagouv_sandbox::fault::{Fault, FaultServer, RawRequest};
use datagouv_sandbox::form::{self, Field};
use datagouv_sandbox::platform::{COMMUNES, COMMUNES_RESOURCE};
use datagouv_sandbox::{Reply, Sandbox, clock};
use serde_json::json;

const ABC_SHA1: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

/// The platform behind a fault server.
async fn platform() -> (Sandbox, FaultServer, Client) {
    let sandbox = Sandbox::start_platform().await;
    let server = FaultServer::before(&sandbox).await;
    let client = Client::builder()
        .base_url(Api::Main, server.url(Api::Main))
        .base_url(Api::MainV2, server.url(Api::MainV2))
        .api_key("key")
        .build()
        .unwrap();
    (sandbox, server, client)
}

/// A file of a hundred different bytes.
fn data() -> Vec<u8> {
    (0..100).collect()
}

/// That file in ten parts.
fn in_ten_parts(client: &Client) -> Upload<Resource> {
    let file = File::from_bytes("données été.csv", data());
    client.dataset(COMMUNES).upload(file).parts_above(0).part_size(10).concurrency(1)
}

fn fields(arrival: &RawRequest) -> BTreeMap<String, Field> {
    let fields = form::multipart(arrival.header("content-type").unwrap(), &arrival.body).unwrap();
    fields.into_iter().map(|field| (field.name.clone(), field)).collect()
}

fn text(fields: &BTreeMap<String, Field>, name: &str) -> Option<String> {
    Some(String::from_utf8(fields.get(name)?.data.to_vec()).unwrap())
}

/// The parts that were sent, by their index, and `last` for the final request.
fn parts(server: &FaultServer) -> Vec<String> {
    let requests = server.requests();
    let uploads = requests.iter().filter(|arrival| arrival.method == "POST");
    uploads.map(|arrival| text(&fields(arrival), "partindex").unwrap_or_else(|| "last".to_owned())).collect()
}

/// Fails with the n-th upload request from now, counted from 1.
fn nth_post(server: &FaultServer, nth: usize, fault: Fault) {
    let posts = AtomicUsize::new(0);
    server.plan(move |arrival| {
        let is_it = arrival.method == "POST" && posts.fetch_add(1, Ordering::Relaxed) + 1 == nth;
        is_it.then(|| fault.clone())
    });
}

/// The final request of ten parts.
const LAST: usize = 11;

/// The bytes at the URL of a resource.
async fn stored(client: &Client, uploaded: &Resource) -> Vec<u8> {
    client.file(datagouv::files::RemoteFile::new(&uploaded.url)).bytes(1000).await.unwrap().to_vec()
}

async fn resources(client: &Client) -> usize {
    client.main().get_dataset().dataset(COMMUNES).send().await.unwrap().resources.len()
}

#[tokio::test]
async fn a_small_file_is_one_request_and_the_result_is_checked() {
    let (_sandbox, server, client) = platform().await;
    let progress = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&progress);
    let file = File::from_bytes("a.csv", data()).with_content_type("text/csv");
    let upload = client.dataset(COMMUNES).upload(file);
    let uploaded =
        upload.progress(move |now| listener.lock().unwrap().push((now.bytes, now.total))).send().await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(stored(&client, &uploaded).await, data());
    assert_eq!(requests[0].path(), format!("/api/1/datasets/{COMMUNES}/upload/"));
    let fields = fields(&requests[0]);
    let names: Vec<&str> = fields.keys().map(String::as_str).collect();
    assert_eq!((names, fields["file"].data.to_vec()), (vec!["file"], data()));
    let file = &fields["file"];
    assert_eq!((file.file_name.as_deref(), file.content_type.as_deref()), (Some("a.csv"), Some("text/csv")));
    assert_eq!(*progress.lock().unwrap(), [(0, Some(100)), (100, Some(100))]);
}

#[tokio::test]
async fn a_large_file_is_sent_in_parts_and_a_final_request() {
    let (_sandbox, server, client) = platform().await;
    let file = File::from_bytes("données été.csv", data());
    let progress = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&progress);
    let upload = client.dataset(COMMUNES).upload(file).parts_above(99).part_size(30).concurrency(1);
    let uuid = upload.uuid().to_owned();
    let uploaded = upload.progress(move |now| listener.lock().unwrap().push(now.bytes)).send().await.unwrap();
    assert_eq!(uploaded.title, "donnees-ete.csv");
    assert_eq!(stored(&client, &uploaded).await, data());
    assert_eq!(parts(&server), ["0", "1", "2", "3", "last"]);
    let uploads: Vec<BTreeMap<String, Field>> =
        server.requests().iter().filter(|arrival| arrival.method == "POST").map(fields).collect();
    for (index, part) in uploads.iter().enumerate() {
        assert_eq!(text(part, "uuid").as_deref(), Some(uuid.as_str()));
        assert_eq!(text(part, "filename").as_deref(), Some("données été.csv"));
        assert_eq!(text(part, "totalparts").as_deref(), Some("4"));
        let length = [Some(30), Some(30), Some(30), Some(10), None][index];
        assert_eq!(part.get("file").map(|file| file.data.len()), length);
        assert_eq!(text(part, "chunksize"), length.map(|length| length.to_string()));
    }
    assert_eq!(*progress.lock().unwrap(), [0, 30, 60, 90, 100]);
}

#[tokio::test]
async fn a_file_of_one_part_is_one_request() {
    let (_sandbox, server, client) = platform().await;
    let file = File::from_bytes("a.csv", data());
    client.dataset(COMMUNES).upload(file).parts_above(0).part_size(100).send().await.unwrap();
    assert_eq!((server.count(), fields(&server.requests()[0]).len()), (1, 1));
}

#[tokio::test]
async fn an_upload_can_be_spawned() {
    let (_sandbox, _server, client) = platform().await;
    let uploaded = tokio::spawn(in_ten_parts(&client).send()).await.unwrap().unwrap();
    assert_eq!(stored(&client, &uploaded).await, data());
}

#[tokio::test]
async fn paths_and_readers_are_sent_in_parts() {
    let (_sandbox, _server, client) = platform().await;
    let path = std::env::temp_dir().join(format!("datagouv-uploads-{}.csv", std::process::id()));
    std::fs::write(&path, data()).unwrap();
    let files = [
        File::from_path(&path).await.unwrap(),
        File::from_reader("a.csv", 100, std::io::Cursor::new(data())),
        File::from_stream(
            "a.csv",
            100,
            futures_util::stream::iter(data().chunks(7).map(|piece| Ok(piece.to_vec().into())).collect::<Vec<_>>()),
        ),
    ];
    for file in files {
        let uploaded = client.dataset(COMMUNES).upload(file).parts_above(0).part_size(30).send().await.unwrap();
        assert_eq!(stored(&client, &uploaded).await, data());
    }
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_reader_that_ends_early_is_an_error() {
    let (_sandbox, _server, client) = platform().await;
    let before = resources(&client).await;
    for parts_above in [0, 1000] {
        let file = File::from_reader("a.csv", 101, std::io::Cursor::new(data()));
        let upload = client.dataset(COMMUNES).upload(file).parts_above(parts_above).part_size(30);
        assert!(upload.send().await.is_err());
    }
    assert_eq!(resources(&client).await, before);
}

#[tokio::test]
async fn sends_parts_concurrently_after_the_first() {
    clock::by_steps();
    for (concurrency, connections) in [(1, 1), (3, 3)] {
        let (sandbox, server, client) = platform().await;
        for _ in 0..10 {
            sandbox.delay_once("upload_new_dataset_resource", Duration::from_millis(50));
        }
        let uploaded = in_ten_parts(&client).concurrency(concurrency).send().await.unwrap();
        assert_eq!(server.connections(), connections);
        assert_eq!(stored(&client, &uploaded).await, data());
        assert_eq!(parts(&server)[0], "0");
    }
}

#[tokio::test]
async fn retries_a_failed_part_alone() {
    let (_sandbox, server, client) = platform().await;
    nth_post(&server, 4, Fault::status(503));
    let uploaded = in_ten_parts(&client).send().await.unwrap();
    assert_eq!(stored(&client, &uploaded).await, data());
    assert_eq!(parts(&server), ["0", "1", "2", "3", "3", "4", "5", "6", "7", "8", "9", "last"]);
}

#[tokio::test]
async fn recognises_a_part_whose_response_was_lost() {
    for fault in [Fault::ResetBeforeHeaders, Fault::CutHeaders, Fault::CutBody(5)] {
        let (_sandbox, server, client) = platform().await;
        nth_post(&server, 1, fault.clone());
        let uploaded = in_ten_parts(&client).send().await.unwrap();
        assert_eq!(stored(&client, &uploaded).await, data(), "{fault:?}");
        // The retry fails because the server has the part.
        assert_eq!(parts(&server)[..3], ["0", "0", "1"], "{fault:?}");
    }
}

#[tokio::test]
async fn retries_a_lost_part() {
    let (_sandbox, server, client) = platform().await;
    nth_post(&server, 4, Fault::ResetInRequest(20));
    let uploaded = in_ten_parts(&client).send().await.unwrap();
    assert_eq!(stored(&client, &uploaded).await, data());
}

#[tokio::test]
async fn resumes_a_failed_upload_by_its_uuid() {
    let (_sandbox, server, client) = platform().await;
    let posts = AtomicUsize::new(0);
    server.plan(move |arrival| {
        let fails = arrival.method == "POST" && posts.fetch_add(1, Ordering::Relaxed) >= 6;
        fails.then(|| Fault::status(500))
    });
    let upload = in_ten_parts(&client);
    let uuid = upload.uuid().to_owned();
    let error = upload.send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(500), "{error}");
    assert_eq!(parts(&server), ["0", "1", "2", "3", "4", "5", "6", "6"]);
    server.clear_faults();
    server.take_requests();
    let uploaded = in_ten_parts(&client).resume(uuid).send().await.unwrap();
    assert_eq!(stored(&client, &uploaded).await, data());
    assert_eq!(parts(&server), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "last"]);
}

#[tokio::test]
async fn does_not_retry_a_refused_upload() {
    let (_sandbox, server, client) = platform().await;
    let file = File::from_bytes("a.exe", data());
    let error = client.dataset(COMMUNES).upload(file).parts_above(0).part_size(50).send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400), "{error}");
    assert_eq!(parts(&server), ["0", "1", "last"]);
}

#[tokio::test]
async fn finds_the_result_whose_response_was_lost() {
    for fault in [Fault::ResetBeforeHeaders, Fault::CutBody(5)] {
        let (_sandbox, server, client) = platform().await;
        let before = resources(&client).await;
        nth_post(&server, LAST, fault);
        let uploaded = in_ten_parts(&client).send().await.unwrap();
        assert_eq!(stored(&client, &uploaded).await, data());
        assert_eq!(resources(&client).await, before + 1);
        assert_eq!(parts(&server).iter().filter(|part| *part == "last").count(), 1);
    }
}

#[tokio::test]
async fn does_not_take_an_older_resource_for_the_result() {
    let (_sandbox, server, client) = platform().await;
    let older = in_ten_parts(&client).send().await.unwrap();
    nth_post(&server, LAST, Fault::status(504));
    let uploaded = in_ten_parts(&client).patience(Duration::ZERO).send().await.unwrap();
    assert_ne!(uploaded.id, older.id);
    assert_eq!(uploaded.checksum, older.checksum);
}

#[tokio::test]
async fn retries_a_final_request_after_a_500() {
    let (_sandbox, server, client) = platform().await;
    nth_post(&server, LAST, Fault::status(500));
    let uploaded = in_ten_parts(&client).send().await.unwrap();
    assert_eq!(stored(&client, &uploaded).await, data());
    let posts = AtomicUsize::new(0);
    server.plan(move |arrival| {
        let fails = arrival.method == "POST" && posts.fetch_add(1, Ordering::Relaxed) + 1 >= LAST;
        fails.then(|| Fault::status(500))
    });
    let error = in_ten_parts(&client).send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(500), "{error}");
}

#[tokio::test]
async fn a_result_with_another_checksum_is_an_error() {
    let checksum = |value: &str| json!({"type": "sha1", "value": value});
    for (filesize, checksum, sound) in [
        (json!(3), checksum(ABC_SHA1), true),
        (json!(null), json!(null), true),
        (json!(3), json!({"type": "md5", "value": "900150983cd24fb0d6963f7d28e17f73"}), true),
        (json!(4), checksum(ABC_SHA1), false),
        (json!(3), checksum(&ABC_SHA1.replace('a', "b")), false),
    ] {
        let (sandbox, _server, client) = platform().await;
        let body = json!({"id": "r", "success": true, "filesize": filesize, "checksum": checksum});
        sandbox.respond_once("upload_new_dataset_resource", 201, &[], body.to_string());
        let outcome = client.dataset(COMMUNES).upload(File::from_bytes("a.csv", "abc")).send().await;
        match outcome {
            Ok(_) => assert!(sound, "{body}"),
            Err(error) => assert!(!sound && error.is_corrupt(), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_resource_is_replaced_by_its_id_alone() {
    let (_sandbox, server, client) = platform().await;
    let file = File::from_bytes("a.csv", data());
    let uploaded = client.resource(COMMUNES_RESOURCE).upload(file.clone()).send().await.unwrap();
    assert_eq!(uploaded.id, COMMUNES_RESOURCE);
    assert_eq!(stored(&client, &uploaded).await, data());
    let paths: Vec<String> = server.requests().iter().map(|arrival| arrival.path().to_owned()).collect();
    assert_eq!(paths[0], format!("/api/2/datasets/resources/{COMMUNES_RESOURCE}/"));
    assert!(paths[1].ends_with(&format!("/resources/{COMMUNES_RESOURCE}/upload/")), "{paths:?}");
    // With a known dataset no look-up is needed; replacing the file twice is harmless if a response is lost.
    server.take_requests();
    nth_post(&server, 1, Fault::ResetBeforeHeaders);
    client.dataset(COMMUNES).resource(COMMUNES_RESOURCE).upload(file).send().await.unwrap();
    assert_eq!(server.requests().iter().map(|arrival| arrival.method.clone()).collect::<Vec<_>>(), ["POST", "POST"]);
}

#[tokio::test]
async fn does_not_create_a_resource_twice() {
    let (_sandbox, server, client) = platform().await;
    nth_post(&server, 1, Fault::ResetBeforeHeaders);
    let error = client.dataset(COMMUNES).upload(File::from_bytes("a.csv", data())).send().await.unwrap_err();
    assert!(error.is_transport(), "{error}");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn community_resources_are_sent_and_replaced() {
    let (sandbox, server, client) = platform().await;
    let body = json!({"id": "c", "success": true, "filesize": 3, "checksum": {"type": "sha1", "value": ABC_SHA1}});
    let file = File::from_bytes("a.csv", "abc");
    sandbox.respond_once("upload_new_community_resource", 201, &[], body.to_string());
    let made = client.dataset(COMMUNES).upload_community(file.clone()).send().await.unwrap();
    sandbox.respond_once("upload_community_resource", 200, &[], body.to_string());
    client.community_resource(made.id).upload(file).send().await.unwrap();
    let paths: Vec<String> = server.requests().iter().map(|arrival| arrival.path().to_owned()).collect();
    let expected = [
        format!("/api/1/datasets/{COMMUNES}/upload/community/"),
        "/api/1/datasets/community_resources/c/upload/".to_owned(),
    ];
    assert_eq!(paths, expected);
}

#[tokio::test]
async fn images_are_sent_with_their_crop_box() {
    let (sandbox, server, client) = platform().await;
    let image = || Image::new(File::from_bytes("a.png", "png")).crop(CropBox::new(1, 2, 30, 40).unwrap());
    for operation in ["organization_logo", "organization_banner_upload", "my_avatar", "reuse_image"] {
        let body = json!({"success": true, "image": format!("https://example.org/{operation}.png")});
        sandbox.respond_once(operation, 200, &[], body.to_string());
    }
    let organization = client.organization("brest");
    assert_eq!(organization.set_logo(image()).await.unwrap(), "https://example.org/organization_logo.png");
    organization.set_banner(image()).await.unwrap();
    client.me().set_avatar(image()).await.unwrap();
    client.reuse("carte").set_image(File::from_bytes("a.png", "png")).await.unwrap();
    let boxes: Vec<Option<String>> = server.requests().iter().map(|arrival| text(&fields(arrival), "bbox")).collect();
    let cropped = Some("1,2,30,40".to_owned());
    assert_eq!(boxes, [cropped.clone(), cropped.clone(), cropped, None]);
}

#[test]
fn refuses_an_empty_crop_box() {
    for (left, upper, right, lower) in [(1, 0, 1, 1), (2, 0, 1, 1), (0, 1, 1, 1), (0, 2, 1, 1)] {
        assert!(CropBox::new(left, upper, right, lower).unwrap_err().is_request());
    }
}

/// The error of the platform for a file name that it used in the same second.
fn stored_in(second: &str, checksum: &str) -> serde_json::Value {
    let url = format!("https://static.example.org/resources/doublons-de-noms/{second}/donnees.csv");
    json!({"id": "twin", "title": "donnees.csv", "url": url, "filesize": 3, "checksum": {"type": "sha1", "value": checksum}})
}

#[tokio::test]
async fn retries_a_name_that_was_used_within_the_second() {
    clock::by_steps();
    let at = "Sat, 28 Nov 2026 17:10:53 GMT";
    let other = ABC_SHA1.replace('a', "b");
    for (second, checksum, posts, made) in [
        ("20261128-171053", other.as_str(), 2, true),
        // In another second, the failure has another reason.
        ("20261128-171033", other.as_str(), 1, false),
        // It may be the result of this upload.
        ("20261128-171053", ABC_SHA1, 1, false),
    ] {
        let (sandbox, server, client) = platform().await;
        let failure = Reply::json(500, &json!({"message": "Internal Server Error"})).with_header("date", at);
        nth_post(&server, 1, Fault::Reply(failure));
        let there = json!({"id": COMMUNES, "resources": [stored_in(second, checksum)]}).to_string();
        sandbox.respond_once("get_dataset", 200, &[("Content-Type", "application/json")], there);
        let outcome = client.dataset(COMMUNES).upload(File::from_bytes("Données.csv", "abc")).send().await;
        let methods: Vec<String> = server.requests().iter().map(|arrival| arrival.method.clone()).collect();
        assert_eq!(methods.iter().filter(|method| *method == "POST").count(), posts, "{second} {methods:?}");
        match outcome {
            Ok(uploaded) => {
                assert!(made, "{second}");
                assert_eq!(stored(&client, &uploaded).await, b"abc");
            }
            Err(error) => {
                assert!(!made && error.status().is_some_and(|status| status == 500), "{error}");
                let explained = error.to_string().contains("of this name and content was stored in the same second");
                assert_eq!(explained, checksum == ABC_SHA1, "{error}");
            }
        }
    }
}

#[tokio::test]
async fn gives_up_on_a_name_that_stays_in_use() {
    clock::by_steps();
    for (failures, posts, made) in [(2, 3, true), (9, 4, false)] {
        let (sandbox, server, client) = platform().await;
        let there = json!({"id": COMMUNES, "resources": [stored_in("20261128-171053", &ABC_SHA1.replace('a', "b"))]});
        for _ in 0..3 {
            sandbox.respond_once("get_dataset", 200, &[("Content-Type", "application/json")], there.to_string());
        }
        let sent = AtomicUsize::new(0);
        server.plan(move |arrival| {
            let fails = arrival.method == "POST" && sent.fetch_add(1, Ordering::Relaxed) < failures;
            let failure = Reply::json(500, &json!({"message": "Internal Server Error"}));
            fails.then(|| Fault::Reply(failure.with_header("date", "Sat, 28 Nov 2026 17:10:53 GMT")))
        });
        let outcome = client.dataset(COMMUNES).upload(File::from_bytes("donnees.csv", "abc")).send().await;
        assert_eq!(outcome.is_ok(), made, "{outcome:?}");
        assert_eq!(server.requests().iter().filter(|arrival| arrival.method == "POST").count(), posts);
    }
}

#[tokio::test]
async fn does_not_retry_an_unexplained_failure_or_a_reader() {
    clock::by_steps();
    let (_sandbox, server, client) = platform().await;
    server.fault_once(Fault::status(500));
    let error = client.dataset(COMMUNES).upload(File::from_bytes("a.csv", "abc")).send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(500), "{error}");
    server.take_requests();
    server.fault_once(Fault::status(500));
    let file = File::from_reader("a.csv", 3, &b"abc"[..]);
    client.dataset(COMMUNES).upload(file).send().await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
    // Replacing a file twice is harmless.
    server.take_requests();
    server.fault_once(Fault::status(500));
    let resource = client.dataset(COMMUNES).resource(COMMUNES_RESOURCE);
    resource.upload(File::from_bytes("a.csv", "abc")).send().await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn validates_a_file_against_its_schema_before_sending() {
    let schema = json!({"name": "etalab/schema-irve", "version": "2.3.1", "url": null});
    for (of_resource, of_dataset, named) in [
        (json!(null), json!(null), None),
        (json!(null), schema.clone(), Some("etalab/schema-irve")),
        (schema.clone(), json!({"name": "another"}), Some("etalab/schema-irve")),
    ] {
        for passes in [true, false] {
            let (sandbox, server, client) = platform().await;
            let reply = |operation: &str, body: serde_json::Value| {
                sandbox.respond_once(operation, 200, &[("Content-Type", "application/json")], body.to_string());
            };
            reply("get_resource", json!({"id": COMMUNES_RESOURCE, "schema": of_resource}));
            reply("get_dataset", json!({"schema": of_dataset}));
            let resource = client.dataset(COMMUNES).resource(COMMUNES_RESOURCE);
            let upload = resource.upload(File::from_bytes("a.csv", "a;b")).check(move |unpublished| async move {
                assert_eq!(unpublished.schema.as_ref().and_then(|schema| schema.name.as_deref()), named);
                assert_eq!(unpublished.bytes().await?, "a;b");
                if passes { Ok(()) } else { Err("line 2 has no column `c`".into()) }
            });
            let outcome = tokio::spawn(upload.send()).await.unwrap();
            let posts = server.requests().iter().filter(|arrival| arrival.method == "POST").count();
            assert_eq!((outcome.is_ok(), posts), (passes, usize::from(passes)));
            if let Err(error) = outcome {
                assert!(error.is_refused(), "{error}");
                let text = "`a.csv` was not sent, because its check failed: line 2 has no column `c`";
                assert_eq!(error.to_string(), text);
            }
        }
    }
}

#[tokio::test]
async fn refuses_a_check_that_reads_a_reader() {
    let (_sandbox, server, client) = platform().await;
    let upload = client.dataset(COMMUNES).upload(File::from_reader("a.csv", 3, &b"abc"[..]));
    let error = upload.check(|file| async move { Ok(file.bytes().await.map(drop)?) }).send().await.unwrap_err();
    assert!(error.is_refused() && error.to_string().contains("only once"), "{error}");
    assert!(server.requests().iter().all(|arrival| arrival.method == "GET"));
    let upload = client.dataset(COMMUNES).upload(File::from_reader("a.csv", 3, &b"abc"[..]));
    let made = upload.check(|file| async move { if file.file.len() == 3 { Ok(()) } else { Err("length".into()) } });
    assert_eq!(stored(&client, &made.send().await.unwrap()).await, b"abc");
}
