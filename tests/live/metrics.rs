//! The operations of the metrics API, and the monthly metrics of handles.

use datagouv::rows::{Row, col, sum};
use serde_json::json;

use crate::run;

/// A dataset that `xtask/server/metrics.sql` has counts of.
const DATASET: &str = "5b7ffc618b4c4169d30727e0";

#[test]
fn metrics_are_served_as_pages_and_csv() {
    run(|live| async move {
        let client = live.anonymous();
        let metrics = client.metrics();
        let page = metrics.get_metrics_by_model().model("site").page(2).page_size(10).send().await.unwrap();
        let page = serde_json::to_value(page.into_inner()).unwrap();
        assert_eq!((page["meta"]["page"].as_i64(), page["data"].as_array().map(Vec::len)), (Some(2), Some(10)));
        assert_eq!(page["data"][0]["metric_month"], json!("2023-05"));
        let csv = metrics.get_metrics_by_model_csv().model("site").send().await.unwrap().into_inner();
        let csv = csv.text().await.unwrap();
        assert!(csv.starts_with("__id,metric_month,"), "{csv}");
        let health = metrics.get_health().send().await.unwrap();
        assert_eq!(health.status, "ok");
    });
}

#[test]
fn an_unknown_model_is_not_found() {
    run(|live| async move {
        let client = live.anonymous();
        let error = client.metrics().get_metrics_by_model().model("dataset").send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        let error = client.metrics().get_metrics_by_model_csv().model("dataset").send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
    });
}

#[test]
fn the_months_of_a_dataset_add_up_to_its_totals() {
    run(|live| async move {
        let client = live.anonymous();
        let dataset = client.dataset(DATASET);
        let months = dataset.metrics().collect().await.unwrap();
        assert_eq!(months.len(), 53, "from July 2022 to November 2026");
        let total = dataset.metrics().totals().await.unwrap().unwrap();
        assert_eq!(total.visits, Some(months.iter().filter_map(|month| month.visits).sum()));
        assert!(months.iter().any(|month| month.visits.is_none()), "nobody knows some of them");
        let some = dataset.metrics().from("2025-01").to("2025-06").collect().await.unwrap();
        assert_eq!(some.len(), 6);
        let expected: Vec<_> = months.iter().filter(|month| some.contains(month)).cloned().collect();
        assert_eq!(some, expected);

        let query = client.metrics_of::<Row>("datasets").filter(col("dataset_id").eq(DATASET));
        let sums = query.group_by(["dataset_id"]).aggregate([sum("monthly_visit")]).collect(10).await.unwrap();
        assert_eq!(sums[0]["monthly_visit__sum"].as_i64(), total.visits);
    });
}
