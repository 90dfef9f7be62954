//! Monthly metrics: requests and results.

use datagouv::monthly_metrics::{DatasetMonth, Month};
use datagouv::rows::{Reading, Row, col, sum};
use datagouv::{Api, Client, Environment, Limits};
use datagouv_sandbox::Sandbox;
use datagouv_sandbox::platform::{CHARGING_POINTS, CHARGING_POINTS_RESOURCE, NewTable};
use serde_json::{Value, json};

async fn platform() -> (Sandbox, Client) {
    let sandbox = Sandbox::start_platform().await;
    let url = sandbox.url(Api::Metrics);
    let client = Client::builder().base_url(Api::Metrics, url).limits(Limits::none()).build().unwrap();
    (sandbox, client)
}

fn columns(columns: &[(&str, &str)]) -> Vec<(String, String)> {
    columns.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect()
}

fn month(text: &str) -> Option<Month> {
    Some(text.parse().unwrap())
}

#[tokio::test]
async fn months_are_typed_and_in_order_and_null_counts_are_none() {
    let (sandbox, client) = platform().await;
    // As in production.
    sandbox.limit_rows(200, 50_000);
    let query = client.dataset(CHARGING_POINTS).metrics().from("2025-01").to(Month::new(2025, 6).unwrap());
    let months = query.collect().await.unwrap();
    assert_eq!(
        months.iter().map(|row| row.month).collect::<Vec<_>>(),
        (1..=6).map(|n| Month::new(2025, n).ok()).collect::<Vec<_>>()
    );
    assert!(months.iter().all(|row| row.dataset_id.as_deref() == Some(CHARGING_POINTS)));
    assert_eq!((months[0].visits, months[3].visits), (Some(120), None));
    let requests = sandbox.take_requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].path, "/metrics/api/datasets/data/");
    assert_eq!(
        requests[0].query,
        format!(
            "dataset_id__exact={CHARGING_POINTS}&metric_month__greater=2025-01&metric_month__less=2025-06\
             &metric_month__sort=asc,__id.asc&page=1&page_size=200"
        )
    );
}

#[tokio::test]
async fn every_kind_of_object_has_its_model() {
    let (sandbox, client) = platform().await;
    sandbox.limit_rows(200, 50_000);
    let id = "5f43ab12cd34ef5678ab9001";
    assert_eq!(client.resource(CHARGING_POINTS_RESOURCE).metrics().collect().await.unwrap().len(), 18);
    assert_eq!(client.organization(id).metrics().collect().await.unwrap().len(), 18);
    assert_eq!(client.site().metrics().collect().await.unwrap().len(), 18);
    assert!(client.reuse(id).metrics().collect().await.unwrap().is_empty());
    assert!(client.dataservice(id).metrics().collect().await.unwrap().is_empty());
    let queries: Vec<String> = sandbox
        .take_requests()
        .into_iter()
        .map(|request| format!("{} {}", request.path, request.query.split('&').next().unwrap_or_default()))
        .collect();
    assert_eq!(
        queries,
        [
            format!("/metrics/api/resources/data/ resource_id__exact={CHARGING_POINTS_RESOURCE}"),
            format!("/metrics/api/organizations/data/ organization_id__exact={id}"),
            "/metrics/api/site/data/ metric_month__sort=asc,__id.asc".to_owned(),
            format!("/metrics/api/reuses/data/ reuse_id__exact={id}"),
            format!("/metrics/api/dataservices/data/ dataservice_id__exact={id}"),
        ]
    );
}

#[tokio::test]
async fn totals_are_one_row_or_none() {
    let (sandbox, client) = platform().await;
    let total = client.dataset(CHARGING_POINTS).metrics().totals().await.unwrap().unwrap();
    let months = client.dataset(CHARGING_POINTS).metrics().collect().await.unwrap();
    assert_eq!(total.visits, Some(months.iter().filter_map(|row| row.visits).sum()));
    assert_eq!(total.outlinks, None);
    assert!(client.dataset("000000000000000000000000").metrics().totals().await.unwrap().is_none());
    assert!(sandbox.requests()[0].path.ends_with("/api/datasets_total/data/"));
}

#[tokio::test]
async fn refuses_an_invalid_month_or_id_before_sending() {
    let (sandbox, client) = platform().await;
    let dataset = client.dataset(CHARGING_POINTS);
    for (query, reason) in [
        (dataset.metrics().from("2025-13"), "2025-13 is not a month"),
        (dataset.metrics().to("juin 2025"), "`juin 2025` is not a month"),
        (dataset.metrics().from("2025-06").to("2025-01"), "the first month, 2025-06, is after the last, 2025-01"),
        (client.dataset("bornes-de-recharge").metrics(), "`bornes-de-recharge` is not an id"),
    ] {
        let error = query.collect().await.unwrap_err();
        assert!(error.is_request() && error.to_string().contains(reason), "{error}");
    }
    assert!(client.resource("not-a-uuid").metrics().totals().await.unwrap_err().is_request());
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn an_environment_without_metrics_is_an_error() {
    let client = Client::builder().environment(Environment::Demo).build().unwrap();
    let error = client.dataset(CHARGING_POINTS).metrics().collect().await.unwrap_err();
    assert!(error.is_request() && error.to_string().contains("the environment Demo has no Metrics API"), "{error}");
}

#[tokio::test]
async fn tolerates_new_columns_and_decimals() {
    let (sandbox, client) = platform().await;
    let names = ["dataset_id", "metric_month", "monthly_visit", "monthly_reuse"];
    let table = NewTable {
        columns: names
            .iter()
            .zip(["string", "string", "float", "int"])
            .map(|(name, kind)| ((*name).to_owned(), kind.to_owned()))
            .collect(),
        rows: vec![vec![json!(CHARGING_POINTS), json!("2026-01"), json!(12.0), json!(3)]],
        numbers: Some(vec![None]),
        ..NewTable::default()
    };
    sandbox.add_model("datasets", table);
    let months: Vec<DatasetMonth> = client.dataset(CHARGING_POINTS).metrics().collect().await.unwrap();
    assert_eq!((months[0].month, months[0].visits, months[0].downloads), (month("2026-01"), Some(12), None));
    assert_eq!(months[0].other["monthly_reuse"], 3);
}

#[tokio::test]
async fn any_model_takes_row_filters() {
    let (_sandbox, client) = platform().await;
    let query = client
        .metrics_of::<Row>("datasets")
        .filter(col("metric_month").eq("2025-01") | col("metric_month").eq("2025-02"));
    assert_eq!(query.clone().count().await.unwrap(), 8);
    let streamed = query.clone().collect(100).await.unwrap();
    let paged = query.clone().pages().next().await.unwrap().unwrap().rows;
    assert_eq!(streamed, paged);
    let by_month = query.group_by(["metric_month"]).aggregate([sum("monthly_visit")]).collect(10).await.unwrap();
    assert_eq!(by_month.len(), 2);
    let error = client.metrics_of::<Row>("dataset").count().await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("metric.dataset"), "{error}");
    let error = client.metrics_of::<Row>("datasets").json().await.unwrap_err();
    assert!(error.is_request(), "{error}");
    let checked = client.metrics_of::<Row>("datasets").checked().filter(col("monthly_visits").gt(1));
    assert!(checked.count().await.unwrap_err().to_string().contains("did you mean `monthly_visit`?"));
}

#[tokio::test]
async fn a_model_is_read_in_windows_with_its_rows_without_a_number() {
    let (sandbox, client) = platform().await;
    // Every third row has no number; ids of digits stay texts.
    let rows = (0..60_000).map(|n| vec![json!(format!("{n:05}")), if n % 2 == 0 { Value::Null } else { json!(n) }]);
    let table = NewTable {
        columns: columns(&[("dataset_id", "string"), ("monthly_visit", "int")]),
        rows: rows.collect(),
        numbers: Some((0..60_000).map(|n| (n % 3 != 0).then_some(n + 1)).collect()),
        ..NewTable::default()
    };
    sandbox.add_model("datasets", table);
    let rows = client.metrics_of::<Row>("datasets");
    assert_eq!(rows.explain().await.unwrap().reading, Reading::Windows);
    for (rows, unnumbered_first) in [(rows.clone(), false), (rows.sort(col("__id").desc()), true)] {
        let mut seen = vec![false; 60_000];
        let mut numbered = Vec::new();
        for row in rows.collect(usize::MAX).await.unwrap() {
            let id: usize = row["dataset_id"].as_str().unwrap().parse().unwrap();
            assert!(!std::mem::replace(&mut seen[id], true), "{id} came twice");
            assert_eq!(row["monthly_visit"].as_u64(), (id % 2 == 1).then_some(id as u64));
            numbered.push(row["__id"].is_u64());
        }
        assert!(seen.into_iter().all(|seen| seen));
        assert_eq!((numbered[0], numbered[59_999]), (!unnumbered_first, unnumbered_first));
    }
    // The rows without a number may exceed one export.
    sandbox.take_requests();
    sandbox.limit_rows(50, 15_000);
    let all = client.metrics_of::<Row>("datasets").collect(usize::MAX).await.unwrap();
    assert_eq!(all.len(), 60_000);
}
