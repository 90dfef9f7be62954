//! The platform keeps what is written, and its responses satisfy the documents.

mod support;
#[path = "support/visitor.rs"]
mod visitor;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use datagouv_sandbox::platform::{
    AIR_QUALITY_RESOURCE, CHARGING_POINTS, CHARGING_POINTS_RESOURCE, COMMUNES, COMMUNES_RESOURCE, NewTable,
    TabularSettings,
};
use datagouv_sandbox::response::declared_schema;
use datagouv_sandbox::route::Routes;
use datagouv_sandbox::validate::{Checker, Direction};
use datagouv_sandbox::{Api, Document, Sandbox};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use visitor::Visitor;

impl Visitor {
    /// A request of version 1 with the key of an editor.
    fn write(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, Api::Main, path).header("X-API-KEY", "key")
    }

    async fn rows(&self, resource: &str, query: &str) -> Value {
        let (status, page) = self.get(Api::Tabular, &format!("/api/resources/{resource}/data/?{query}")).await;
        assert_eq!(status, 200, "{query}: {page}");
        page
    }

    async fn total(&self, resource: &str, query: &str) -> Value {
        self.rows(resource, query).await["meta"]["total"].clone()
    }
}

fn titles(page: &Value) -> Vec<&str> {
    page["data"].as_array().into_iter().flatten().filter_map(|item| item["title"].as_str()).collect()
}

#[tokio::test]
async fn resources_are_reordered_by_a_list_of_all_of_them() {
    let visitor = Visitor::new().await;
    let path = format!("/datasets/{COMMUNES}/resources/");
    let remote = |title: &str| json!({"title": title, "url": "https://example.org/x.csv", "filetype": "remote"});
    let (_, first) = visitor.send(visitor.write(Method::POST, &path).json(&remote("a"))).await;
    let (status, body) = visitor.send(visitor.write(Method::PUT, &path).json(&json!([{"id": first["id"]}]))).await;
    assert_eq!((status, body), (400, json!({"message": "All resources must be reordered, you provided 1 out of 2"})));
    let order = json!([{"id": COMMUNES_RESOURCE}, {"id": first["id"]}]);
    let (status, body) = visitor.send(visitor.write(Method::PUT, &path).json(&order)).await;
    assert_eq!((status, &body[0]["id"], &body[1]["id"]), (200, &json!(COMMUNES_RESOURCE), &first["id"]));
}

#[tokio::test]
async fn extras_are_set_and_removed_by_key() {
    let visitor = Visitor::new().await;
    let path = format!("/datasets/{COMMUNES}/resources/{COMMUNES_RESOURCE}/extras/");
    let write = |method: Method| visitor.request(method, Api::MainV2, &path).header("X-API-KEY", "key");
    let (_, all) = visitor.send(write(Method::PUT).json(&json!({"a": 1, "b": [2]}))).await;
    assert_eq!(all, json!({"a": 1, "b": [2]}));
    let (_, all) = visitor.send(write(Method::PUT).json(&json!({"a": null, "c": true}))).await;
    assert_eq!(all, json!({"b": [2], "c": true}));
    assert_eq!(visitor.send(write(Method::DELETE).json(&json!(["b"]))).await.0, 204);
    assert_eq!(visitor.send(write(Method::DELETE).json(&json!(["b"]))).await.0, 404);
    assert_eq!(visitor.get(Api::MainV2, &path).await, (200, json!({"c": true})));
}

#[tokio::test]
async fn refuses_a_comment_on_a_closed_discussion() {
    let visitor = Visitor::new().await;
    let start = json!({"title": "Units", "comment": "Metres?", "subject": {"class": "Dataset", "id": COMMUNES}});
    let (status, started) = visitor.send(visitor.write(Method::POST, "/discussions/").json(&start)).await;
    assert_eq!((status, &started["closed"]), (201, &Value::Null));
    let path = format!("/discussions/{}/", started["id"].as_str().unwrap_or_default());
    let end = json!({"comment": "Square kilometres.", "close": true});
    let (status, ended) = visitor.send(visitor.write(Method::POST, &path).json(&end)).await;
    assert_eq!((status, ended["discussion"].as_array().map(Vec::len)), (200, Some(2)));
    let (status, _) = visitor.send(visitor.write(Method::POST, &path).json(&json!({"comment": "Thanks"}))).await;
    assert_eq!(status, 403);
    let (status, read) = visitor.get(Api::Main, &path).await;
    assert_eq!((status, &read["closed"]), (200, &ended["closed"]));
    // Edits need a key.
    assert_eq!((&read["permissions"]["edit"], &ended["permissions"]["edit"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn a_search_has_facets() {
    let visitor = Visitor::new().await;
    let (_, page) = visitor.get(Api::MainV2, "/datasets/search/?tag=mobilite&page_size=1").await;
    assert_eq!(page["facets"]["tag"][0], json!({"name": "mobilite", "count": 2}));
    assert_eq!(page["facets"]["format"], json!([{"name": "csv", "count": 2}]));
}

#[tokio::test]
async fn a_search_ignores_accents_and_has_pages() {
    let visitor = Visitor::new().await;
    for (api, path) in [
        (Api::Main, "/datasets/?q=qualite"),
        (Api::MainV2, "/datasets/search/?q=QUALITÉ"),
        (Api::MainV2, "/datasets/?q=qualité air"),
    ] {
        assert_eq!(titles(&visitor.get(api, path).await.1), ["Qualité de l'air : relevés horaires"], "{path}");
    }
    let (_, page) = visitor.get(Api::Main, "/datasets/?tag=mobilite&sort=-title&page_size=1").await;
    assert_eq!(titles(&page), ["Bornes de recharge pour véhicules électriques"]);
    let next = page["next_page"].as_str().expect("a next page");
    let (_, page) = visitor.send(visitor.client.get(next)).await;
    assert_eq!(titles(&page), ["Arrêts du réseau de bus"]);
    assert_eq!((&page["total"], &page["next_page"]), (&json!(2), &Value::Null));
    assert_eq!(visitor.get(Api::Main, "/datasets/?page=9").await.0, 404);
}

#[tokio::test]
async fn a_dataset_is_created_updated_and_deleted() {
    let visitor = Visitor::new().await;
    let body = json!({"title": "Été à Brest", "description": "Un essai", "tags": ["essai"]});
    let keyless = visitor.request(Method::POST, Api::Main, "/datasets/").json(&body);
    assert_eq!(visitor.send(keyless).await.0, 401);
    let (status, created) = visitor.send(visitor.write(Method::POST, "/datasets/").json(&body)).await;
    assert_eq!((status, &created["slug"]), (201, &json!("ete-a-brest")));
    let id = created["id"].as_str().expect("an id");
    assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let path = format!("/datasets/{id}/");
    let update = json!({"title": "Été", "description": "Un essai", "frequency": "daily"});
    let (_, updated) = visitor.send(visitor.write(Method::PUT, &path).json(&update)).await;
    assert_eq!((&updated["title"], &updated["frequency"]), (&json!("Été"), &json!("daily")));
    assert_eq!(updated["tags"], json!([]), "a partial body empties the tags");
    assert_eq!(visitor.get(Api::MainV2, &path).await.1["title"], "Été");
    assert_eq!(visitor.send(visitor.write(Method::DELETE, &path)).await.0, 204);
    assert_eq!(visitor.get(Api::Main, &path).await.0, 410);
    let restore = visitor.write(Method::PUT, &path).json(&json!({"deleted": null, "tags": ["retour"]}));
    assert_eq!(visitor.send(restore).await.1["tags"], json!(["retour"]));
    assert_eq!(visitor.get(Api::Main, &path).await.0, 200);
    assert_eq!(visitor.get(Api::Main, "/datasets/nothing/").await.0, 404);
}

#[tokio::test]
async fn an_update_changes_adds_and_removes_resources() {
    let visitor = Visitor::new().await;
    let path = format!("/datasets/{COMMUNES}/");
    let file = "https://example.org/a.json";
    let update = |resources: Value| visitor.write(Method::PUT, &path).json(&json!({"resources": resources}));
    let added = json!([
        {"title": "B", "url": file, "filetype": "remote", "type": "other"},
        {"id": COMMUNES_RESOURCE, "title": "A", "url": file}
    ]);
    let (_, dataset) = visitor.send(update(added)).await;
    let resources = dataset["resources"].as_array().expect("resources");
    assert_eq!((&resources[0]["title"], &resources[1]["title"]), (&json!("B"), &json!("A")));
    assert_eq!(resources[1]["id"], COMMUNES_RESOURCE);
    let (_, same) = visitor.send(update(json!([]))).await;
    assert_eq!(same["resources"].as_array().map(Vec::len), Some(2), "an empty list changes nothing");
    let (_, one) = visitor.send(update(json!([{"id": COMMUNES_RESOURCE, "title": "C", "url": file}]))).await;
    assert_eq!(one["resources"].as_array().map(Vec::len), Some(1));
    assert_eq!(one["resources"][0]["title"], "C");
}

#[tokio::test]
async fn a_mask_leaves_out_other_fields() {
    let visitor = Visitor::new().await;
    let path = format!("/datasets/{CHARGING_POINTS}/");
    let masked =
        visitor.request(Method::GET, Api::Main, &path).header("X-Fields", "id,organization{name},resources{id}");
    assert_eq!(
        visitor.send(masked).await.1,
        json!({
            "id": CHARGING_POINTS,
            "organization": {"name": "Agence des mobilités de démonstration"},
            "resources": [{"id": CHARGING_POINTS_RESOURCE}]
        })
    );
}

#[tokio::test]
async fn an_uploaded_file_is_served_and_has_rows() {
    let visitor = Visitor::new().await;
    let path = format!("/datasets/{COMMUNES}/upload/");
    let text = "nom;note\nBrest;1\nLyon;2\n";
    let form = Form::new().part("file", Part::text(text).file_name("Essai été.csv"));
    let (status, resource) = visitor.send(visitor.write(Method::POST, &path).multipart(form)).await;
    assert_eq!((status, &resource["success"], &resource["title"]), (201, &json!(true), &json!("essai-ete.csv")));
    assert_eq!(resource["checksum"]["value"], "60525a8ac68b9c1d23841dbeb2a4b8c4c2d12dd8");
    let id = resource["id"].as_str().expect("an id");
    let (_, list) = visitor.get(Api::MainV2, &format!("/datasets/{COMMUNES}/resources/")).await;
    assert_eq!(titles(&list), ["essai-ete.csv", "communes.csv"]);
    let url = resource["url"].as_str().expect("a url");
    assert_eq!(visitor.send(visitor.client.get(url)).await, (200, json!(text)));
    let response =
        visitor.request(Method::GET, Api::Main, &format!("/datasets/r/{id}")).send().await.expect("a response");
    assert_eq!((response.status().as_u16(), &response.headers()["location"]), (302, &url.parse().expect("a header")));
    visitor.sandbox.take_requests();
    assert_eq!(visitor.rows(id, "note__exact=2").await["data"], json!([{"__id": 2, "nom": "Lyon", "note": 2}]));
}

#[tokio::test]
async fn the_last_request_of_a_chunked_upload_makes_the_file() {
    let visitor = Visitor::new().await;
    let path = format!("/datasets/{COMMUNES}/resources/{COMMUNES_RESOURCE}/upload/");
    let form = || Form::new().text("uuid", "abc").text("filename", "parts.csv").text("totalparts", "2");
    let send = async |form: Form| visitor.send(visitor.write(Method::POST, &path).multipart(form)).await;
    for (index, text) in [(1, "b\n1,2\n"), (0, "a,")] {
        let part = Part::text(text).file_name("blob");
        let form = form().text("partindex", index.to_string()).text("chunksize", text.len().to_string());
        let response = visitor.write(Method::POST, &path).multipart(form.part("file", part)).send().await;
        let body: Value = response.expect("a response").json().await.expect("JSON");
        assert_eq!(body, json!({"success": true, "error": null, "message": ""}));
        visitor.sandbox.take_requests();
    }
    let wrong = form().text("partindex", "0").text("chunksize", "9").part("file", Part::text("a").file_name("blob"));
    assert_eq!(send(wrong).await, (400, json!({"message": "Chunk size mismatch"})));
    let (status, resource) = send(form()).await;
    assert_eq!((status, &resource["filesize"], &resource["title"]), (200, &json!(8), &json!("communes.csv")));
    assert_eq!(visitor.rows(COMMUNES_RESOURCE, "").await["data"], json!([{"__id": 1, "a": 1, "b": 2}]));
    // The server has no error of its own for missing parts, nor for a part that is stored twice.
    let crash = (500, json!({"message": "Internal Server Error"}));
    assert_eq!(send(form()).await, crash);
    let part = || {
        let part = Part::text("a").file_name("blob");
        form().text("partindex", "0").text("chunksize", "1").part("file", part)
    };
    assert_eq!(send(part()).await.0, 200);
    assert_eq!(send(part()).await, crash);
}

#[tokio::test]
async fn rows_are_filtered_sorted_and_paged() {
    let visitor = Visitor::new().await;
    let id = CHARGING_POINTS_RESOURCE;
    for (query, total) in [
        ("", 120),
        ("commune__exact=Brest", 10),
        ("commune__differs=Brest", 110),
        ("commune__contains=BR", 10),
        ("commune__notcontains=br", 110),
        ("puissance__less=22", 60),
        ("puissance__strictly_less=22", 30),
        ("puissance__greater=22", 90),
        ("puissance__strictly_greater=22", 60),
        ("commune__in=Brest,Lyon,Nowhere", 20),
        ("commune__notin=Brest,Lyon", 100),
        ("acces_libre__exact=true", 80),
        ("mise_en_service__strictly_less=2020-01-01", 18),
        ("commune__isnull", 0),
        ("commune__isnotnull=", 120),
        ("commune__exact=Brest&puissance__exact=7.4", 0),
        ("or=(commune__exact.Brest,and(commune__exact.Lyon,points__exact.5))", 20),
        ("__id__greater=11&__id__less=20", 10),
    ] {
        assert_eq!(visitor.total(id, query).await, total, "{query}");
    }
    let missing = visitor.total(AIR_QUALITY_RESOURCE, "valeur__isnull").await;
    assert_ne!(missing, 0);
    let page = visitor.rows(id, "points__sort=desc,__id.asc&columns=points,__id&page_size=2&page=3").await;
    assert_eq!(page["data"], json!([{"__id": 30, "points": 6}, {"__id": 36, "points": 6}]));
    assert_eq!(page["meta"], json!({"page": 3, "page_size": 2, "total": 120}));
    let next = page["links"]["next"].as_str().expect("a next page");
    assert!(next.ends_with("/data/?points__sort=desc,__id.asc&columns=points,__id&page=4&page_size=2"), "{next}");
    let last = visitor.rows(id, "page=3&page_size=50").await;
    assert_eq!((&last["links"]["next"], last["data"].as_array().map(Vec::len)), (&Value::Null, Some(20)));
}

#[tokio::test]
async fn refuses_the_queries_that_the_real_server_refuses() {
    let visitor = Visitor::new().await;
    let path = format!("/api/resources/{COMMUNES_RESOURCE}/data/");
    for (query, status, title) in [
        ("page_size=51", 400, "Invalid query string"),
        ("page=3", 416, "Database error"),
        ("unknown=1", 400, "Invalid query string"),
        ("nope__exact=1", 400, "Database error"),
        ("population__exact=many", 400, "Database error"),
        ("population__contains=1", 404, "Database error"),
        ("nom__groupby", 403, "Unauthorized parameters"),
        ("columns=nope", 400, "Database error"),
    ] {
        let (got, body) = visitor.get(Api::Tabular, &format!("{path}?{query}")).await;
        assert_eq!((got, body["errors"][0]["title"].as_str()), (status, Some(title)), "{query}");
    }
    let unknown = visitor.get(Api::Tabular, "/api/resources/6f1d8c9e-4b7a-4d52-9a3e-2c5b8e7f1a04/data/").await;
    assert_eq!(unknown, (404, json!("404: Not Found")));
    let delete = visitor.write(Method::DELETE, &format!("/datasets/{COMMUNES}/resources/{COMMUNES_RESOURCE}/"));
    assert_eq!(visitor.send(delete).await.0, 204);
    assert_eq!(visitor.get(Api::Tabular, &path).await.0, 410);
}

#[tokio::test]
async fn pages_sorted_by_equal_values_repeat_rows_and_omit_others() {
    let visitor = Visitor::new().await;
    let mut seen: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for sort in ["acces_libre__sort=asc", "acces_libre__sort=asc,__id.asc"] {
        for page in 1..=12 {
            let query = format!("{sort}&page_size=10&page={page}");
            let rows = visitor.rows(CHARGING_POINTS_RESOURCE, &query).await;
            let ids = rows["data"].as_array().into_iter().flatten().filter_map(|row| row["__id"].as_u64());
            seen.entry(sort).or_default().extend(ids);
        }
    }
    assert!(seen["acces_libre__sort=asc"].len() < 120, "{seen:?}");
    assert_eq!(seen["acces_libre__sort=asc,__id.asc"].len(), 120);
    // A page is the same each time.
    let query = "acces_libre__sort=asc&page_size=10&page=2";
    let first = visitor.rows(CHARGING_POINTS_RESOURCE, query).await;
    assert_eq!(visitor.rows(CHARGING_POINTS_RESOURCE, query).await, first);
}

#[tokio::test]
async fn the_limits_of_the_server_can_be_set() {
    let visitor = Visitor::new().await;
    let path = format!("/api/resources/{CHARGING_POINTS_RESOURCE}/data/");
    for most in [10, 50, 200] {
        let settings = TabularSettings { page_size_max: most, ..TabularSettings::default() };
        visitor.sandbox.set_tabular(settings);
        let rows = visitor.rows(CHARGING_POINTS_RESOURCE, &format!("page_size={most}")).await;
        let expected = usize::try_from(most.min(120)).expect("a length");
        assert_eq!(rows["data"].as_array().map(Vec::len), Some(expected));
        let (status, body) = visitor.get(Api::Tabular, &format!("{path}?page_size={}", most + 1)).await;
        let detail = format!("Page size exceeds allowed maximum: {most}");
        assert_eq!((status, &body["errors"][0]["detail"]), (400, &json!(detail)));
    }
    let settings = TabularSettings { export_max: 119, ..TabularSettings::default() };
    visitor.sandbox.set_tabular(settings);
    let (status, body) = visitor.get(Api::Tabular, &format!("{path}csv/")).await;
    assert_eq!((status, &body["errors"][0]["title"]), (403, &json!("Output is too long")));
}

#[tokio::test]
async fn a_request_that_is_too_long_gets_400_without_json() {
    let visitor = Visitor::new().await;
    let path = format!("/api/resources/{CHARGING_POINTS_RESOURCE}/data/");
    let prefix = format!("{path}?commune__exact=");
    let room = 8_190 - "/tabular".len() - prefix.len();
    assert_eq!(visitor.get(Api::Tabular, &format!("{prefix}{}", "a".repeat(room))).await.0, 200);
    let (status, body) = visitor.get(Api::Tabular, &format!("{prefix}{}", "a".repeat(room + 1))).await;
    assert!(status == 400 && body.as_str().is_some_and(|text| text.contains("more than 8190 bytes")), "{body}");
}

#[tokio::test]
async fn an_added_table_is_served_with_its_types() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/truth/table.json");
    let text = std::fs::read_to_string(file).expect("the table");
    let table = NewTable::from_json(&serde_json::from_str(&text).expect("JSON")).expect("a table");
    let (sandbox, resource) = Sandbox::start_with_table(table.clone()).await;
    let url =
        format!("{}/api/resources/{resource}/data/?num__greater=12345678901234567890122", sandbox.url(Api::Tabular));
    let page: Value = support::client().get(url).send().await.expect("a response").json().await.expect("JSON");
    let found = page["data"].as_array().into_iter().flatten().map(|row| row["__id"].clone());
    let large = (0..table.rows.len()).filter(|row| {
        let number = table.value(*row, "num");
        number == "NaN" || number == "12345678901234567890123"
    });
    let expected: Vec<Value> = large.map(|row| table.value(row, "__id")).collect();
    assert_eq!(found.collect::<Vec<_>>(), expected);
    assert!(!expected.is_empty());
}

#[tokio::test]
async fn a_table_is_described_exported_and_aggregated() {
    let visitor = Visitor::new().await;
    let base = format!("/api/resources/{COMMUNES_RESOURCE}");
    let (_, profile) = visitor.get(Api::Tabular, &format!("{base}/profile/")).await;
    assert_eq!(profile["profile"]["header"], json!(["code_insee", "nom", "departement", "population", "superficie"]));
    assert_eq!(profile["profile"]["columns"]["superficie"]["python_type"], "float");
    let (_, meta) = visitor.get(Api::Tabular, &format!("{base}/")).await;
    assert_eq!(meta["links"].as_array().map(Vec::len), Some(3));
    let (_, csv) = visitor.get(Api::Tabular, &format!("{base}/data/csv/?departement__exact=Ain")).await;
    assert_eq!(
        csv,
        "__id,code_insee,nom,departement,population,superficie\n1,01004,Ambérieu-en-Bugey,Ain,15554,24.6\n"
    );
    let (_, none) = visitor.get(Api::Tabular, &format!("{base}/data/csv/?departement__exact=Nord-Ouest")).await;
    assert_eq!(none, "\n\n");
    let (_, rows) =
        visitor.get(Api::Tabular, &format!("{base}/data/json/?columns=nom&population__greater=500000")).await;
    assert_eq!(rows, json!([{"nom": "Marseille"}, {"nom": "Toulouse"}, {"nom": "Lyon"}]));
    let page = visitor.rows(CHARGING_POINTS_RESOURCE, "acces_libre__groupby&points__sum&id_pdc__count").await;
    assert_eq!(
        page["data"],
        json!([
            {"acces_libre": false, "points__sum": 100, "id_pdc__count": 40},
            {"acces_libre": true, "points__sum": 320, "id_pdc__count": 80}
        ])
    );
    assert_eq!(page["meta"].get("total"), None);
}

#[tokio::test]
async fn metrics_are_monthly_and_may_be_null() {
    let visitor = Visitor::new().await;
    let path = format!("/api/datasets/data/?dataset_id__exact={CHARGING_POINTS}&metric_month__sort=asc");
    let (_, page) = visitor.get(Api::Metrics, &path).await;
    assert_eq!(page["meta"]["total"], 18);
    assert_eq!(page["data"][0]["metric_month"], "2025-01");
    let visits: Vec<&Value> = page["data"].as_array().into_iter().flatten().map(|row| &row["monthly_visit"]).collect();
    assert!(visits.iter().any(|visit| visit.is_null()) && visits.iter().any(|visit| visit.is_u64()), "{visits:?}");
    let (_, page) =
        visitor.get(Api::Metrics, "/api/site/data/?metric_month__greater=2026-05&columns=metric_month").await;
    assert_eq!(page["data"], json!([{"metric_month": "2026-05"}, {"metric_month": "2026-06"}]));
    let (status, body) = visitor.get(Api::Metrics, "/api/dataset/data/").await;
    assert_eq!((status, body["errors"][0]["detail"]["code"].as_str()), (404, Some("PGRST205")));
    let (_, csv) = visitor.get(Api::Metrics, "/api/datasets_total/data/csv/?page_size=1").await;
    assert!(csv.as_str().is_some_and(|csv| csv.starts_with("__id,dataset_id,visit,outlink,download_resource\n1,")));
}
