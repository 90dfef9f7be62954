//! The exports of the catalogue, row by row.

use std::collections::BTreeMap;

use datagouv::dumps::{Dump, Row};
use datagouv::{Api, Client};
use datagouv_sandbox::Sandbox;
use serde_json::{Value, json};

async fn sandbox() -> (Sandbox, Client) {
    let sandbox = Sandbox::start().await;
    let client = Client::builder().base_url(Api::Main, sandbox.url(Api::Main)).api_key("key").build().unwrap();
    (sandbox, client)
}

/// The recorded export of the platform.
fn recorded(operation: &str) -> String {
    let path = format!("{}/fixtures/main/{operation}-200-1.json", env!("CARGO_MANIFEST_DIR"));
    let recorded: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    // Long recordings are cut: the last line may be incomplete.
    let (rows, _) = recorded["body"].as_str().unwrap().rsplit_once("\r\n").unwrap();
    format!("{rows}\r\n")
}

async fn all<T: Row>(dump: Dump<T>) -> Vec<T> {
    let (mut stream, mut rows) = (dump.stream(), Vec::new());
    while let Some(row) = stream.next().await {
        rows.push(row.unwrap());
    }
    rows
}

/// Every column of the platform is known, every cell has its type.
macro_rules! reads_the_recorded_export {
    ($($test:ident: $recorded:literal, |$client:ident| $dump:expr;)*) => {$(
        #[tokio::test]
        async fn $test() {
            let (sandbox, $client) = sandbox().await;
            let text = recorded($recorded);
            sandbox.respond_once($recorded, 200, &[("Content-Type", "text/csv; charset=utf-8")], text.clone());
            let rows = all($dump).await;
            assert_eq!(sandbox.requests()[0].operation_id.as_deref().map(named), Some($recorded));
            assert_eq!(rows.len() + 1, text.trim_end().split("\r\n").count());
            for row in rows {
                assert_eq!(row.other, BTreeMap::new(), "{row:?}");
            }
        }
    )*};
}

/// The name of an operation whose id holds its path too.
fn named(operation_id: &str) -> &str {
    operation_id.split("_api_/").next().unwrap_or(operation_id)
}

reads_the_recorded_export! {
    datasets_are_read: "get_site_datasets_csv", |client| client.dumps().datasets();
    resources_are_read: "get_site_resources_csv", |client| client.dumps().resources();
    organizations_are_read: "get_site_organizations_csv", |client| client.dumps().organizations();
    reuses_are_read: "get_site_reuses_csv", |client| client.dumps().reuses();
    dataservices_are_read: "get_site_dataservices_csv", |client| client.dumps().dataservices();
    harvesters_are_read: "get_site_harvests_csv", |client| client.dumps().harvests();
    tags_are_read: "get_site_tags_csv", |client| client.dumps().tags();
    datasets_of_an_organization_are_read: "get_datasets_csv", |client| client.organization("brest").dumps().datasets();
    dataservices_of_an_organization_are_read: "get_dataservices_csv",
        |client| client.organization("brest").dumps().dataservices();
}

/// Sets the response of an operation whose id is not a name.
async fn of_an_organization<T: Row>(path: &str, recording: &str, dump: impl Fn(&Client) -> Dump<T>) -> Vec<T> {
    let (sandbox, client) = sandbox().await;
    let id = sandbox.operations(Api::Main).into_iter().find(|operation| operation.template == path).unwrap().id;
    sandbox.respond_once(&id, 200, &[("Content-Type", "text/csv")], recorded(recording));
    all(dump(&client)).await
}

#[tokio::test]
async fn resources_of_an_organization_are_read() {
    let path = "/organizations/{org}/datasets-resources.csv";
    let rows = of_an_organization(path, "get_datasets_resources_csv", |client| {
        client.organization("brest").dumps().resources()
    })
    .await;
    assert_eq!((rows.len(), rows[0].title.as_str(), rows[0].filesize), (1, "Ressource 1-230", None));
    assert_eq!((&rows[0].extras, rows[0].other.len()), (&Some(json!({})), 0));
}

#[tokio::test]
async fn discussions_of_an_organization_are_read() {
    let path = "/organizations/{org}/discussions.csv";
    let rows =
        of_an_organization(path, "get_discussions_csv", |client| client.organization("brest").dumps().discussions())
            .await;
    assert_eq!((rows.len(), rows[0].size, rows[0].messages.as_str()), (1, 1, "Laquelle ?"));
    assert_eq!((rows[0].subject_class.as_str(), rows[0].closed.is_none()), ("Dataset", true));
}

#[tokio::test]
async fn cells_have_their_types() {
    let (sandbox, client) = sandbox().await;
    let file = "\"id\";\"title\";\"tags\";\"archived\";\"quality_score\";\"spatial.geom\";\"metric.views\";\"metric.reuses_by_months\"\r\n\
         \"5d\";\"Bornes; \"\"IRVE\"\"\";\"bornes,irve\";\"2024-01-02T00:00:00\";\"0.22\";\"{\"\"type\"\": \"\"Point\"\"}\";12;\"{'2026-01': 3}\"\r\n";
    sandbox.respond_once("get_site_datasets_csv", 200, &[("Content-Type", "text/csv")], file);
    let rows = all(client.dumps().datasets()).await;
    let row = &rows[0];
    assert_eq!((row.id.as_str(), row.title.as_str()), ("5d", "Bornes; \"IRVE\""));
    assert_eq!(row.tags, ["bornes", "irve"]);
    assert_eq!(row.archived.as_ref().unwrap().as_str(), "2024-01-02T00:00:00");
    assert_eq!((row.quality_score, row.metric_views), (Some(0.22), 12));
    assert_eq!(row.spatial_geom, Some(json!({"type": "Point"})));
    assert_eq!(row.metric_reuses_by_months, BTreeMap::from([("2026-01".to_owned(), 3)]));
    // Columns that the file lacks.
    assert_eq!((row.resources_count, &row.organization), (0, &None));
}

#[tokio::test]
async fn keeps_unknown_columns_and_cells_of_other_types() {
    let (sandbox, client) = sandbox().await;
    let file = "name;datasets;reuses;colour\n\"eau\";3;unknown;\"blue\"\n";
    sandbox.respond_once("get_site_tags_csv", 200, &[("Content-Type", "text/csv")], file);
    let rows = all(client.dumps().tags()).await;
    assert_eq!((rows[0].name.as_str(), rows[0].datasets, rows[0].reuses), ("eau", 3, 0));
    let expected = [("colour", "blue"), ("reuses", "unknown")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(rows[0].other, BTreeMap::from(expected));
}

#[tokio::test]
async fn sends_filters_unchanged() {
    let (sandbox, client) = sandbox().await;
    sandbox.tolerate_violations(true);
    let dump = client.dumps().datasets().filter("tag", "eau & air").filter("tag", "sol").filter("organization", "5d");
    all(dump).await;
    let pairs = [("tag", "eau & air"), ("tag", "sol"), ("organization", "5d")];
    assert_eq!(sandbox.requests()[0].query_pairs, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn sends_nothing_before_the_first_poll() {
    let (sandbox, client) = sandbox().await;
    let mut stream = client.dumps().tags().stream();
    assert_eq!(sandbox.requests().len(), 0);
    sandbox.respond_once("get_site_tags_csv", 200, &[("Content-Type", "text/csv")], "name;total\neau;1\n");
    assert_eq!(stream.next().await.unwrap().unwrap().total, 1);
    assert!(stream.next().await.is_none());
    assert_eq!(sandbox.requests().len(), 1);
}

#[tokio::test]
async fn follows_the_redirect_to_a_stored_export_without_the_key() {
    let ((sandbox, client), elsewhere) = (sandbox().await, Sandbox::start().await);
    let file = elsewhere.serve_file("/exports/tags.csv", "text/csv", "\"name\";\"total\"\r\n\"eau\";7\r\n");
    sandbox.respond_once("get_site_tags_csv", 302, &[("Location", &file)], "");
    let rows = all(client.dumps().tags()).await;
    assert_eq!((rows.len(), rows[0].total), (1, 7));
    assert_eq!(sandbox.requests()[0].header("x-api-key"), Some("key"));
    assert_eq!(elsewhere.requests()[0].header("x-api-key"), None);
}

#[tokio::test]
async fn yields_the_rows_before_a_cut_then_an_error() {
    let (sandbox, client) = sandbox().await;
    let first = "name;total\neau;1\n";
    let rest: String = (0..10_000).map(|index| format!("tag-{index};1\n")).collect();
    let file = elsewhere_file(&sandbox, &format!("{first}{rest}"));
    sandbox.respond_once("get_site_tags_csv", 302, &[("Location", &file)], "");
    sandbox.cut_once("/exports/cut.csv", first.len() + 4);
    let mut stream = client.dumps().tags().stream();
    assert_eq!(stream.next().await.unwrap().unwrap().name, "eau");
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(error.is_transport(), "{error}");
    assert_eq!(error.operation(), Some("get_site_tags_csv"));
    assert!(stream.next().await.is_none());
}

fn elsewhere_file(sandbox: &Sandbox, text: &str) -> String {
    sandbox.serve_file("/exports/cut.csv", "text/csv", text.to_owned())
}

#[tokio::test]
async fn an_html_page_is_an_error() {
    let (sandbox, client) = sandbox().await;
    let page = "<!doctype html><title>Maintenance</title>";
    sandbox.respond_once("get_site_tags_csv", 200, &[("Content-Type", "text/html")], page);
    let error = client.dumps().tags().stream().next().await.unwrap().unwrap_err();
    assert!(error.is_decode(), "{error}");
    assert_eq!(error.operation(), Some("get_site_tags_csv"));
}

#[tokio::test]
async fn a_row_of_another_length_is_an_error_with_its_line() {
    let (sandbox, client) = sandbox().await;
    sandbox.respond_once("get_site_tags_csv", 200, &[("Content-Type", "text/csv")], "name;total\neau;1\nair\n");
    let mut stream = client.dumps().tags().stream();
    stream.next().await.unwrap().unwrap();
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(error.is_decode() && error.to_string().contains("1 cells for 2 columns"), "{error}");
}

#[tokio::test]
async fn downloads_the_file_of_an_export() {
    let (sandbox, client) = sandbox().await;
    sandbox.respond_once("get_site_tags_csv", 200, &[("Content-Type", "text/csv")], "name;total\neau;1\n");
    let file = client.dumps().tags().bytes().await.unwrap().into_inner();
    assert_eq!(file.text().await.unwrap(), "name;total\neau;1\n");
}
