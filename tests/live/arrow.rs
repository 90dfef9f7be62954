//! Record batches against the rows of the same queries.

use arrow_schema::{DataType, TimeUnit};
use datagouv::rows::{Row, avg, col, count, max, sum};

use crate::cells::{all, compare, compare_texts_of_json, compare_with_nulls, rows_of};
use crate::publisher::publish_table;
use crate::run;

/// The tables of `tests/truth`, as `cargo xtask server start` loads them.
const RECORDED: [&str; 2] = ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000004"];

#[test]
fn awkward_names_and_values_are_the_same_in_batches() {
    run(|live| async move {
        for id in RECORDED {
            let rows = live.anonymous().resource(id).rows::<Row>();
            // Their profiles do not have the zones of times.
            let exported = compare_with_nulls(rows.clone()).await.unwrap();
            let paged = compare_with_nulls(rows.clone().limit(45)).await.unwrap();
            assert_eq!(rows_of(&paged), rows_of(&exported)[..45]);
            let last = compare_with_nulls(rows.sort(col("__id").desc()).select(["__id"]).limit(3)).await.unwrap();
            assert_eq!(last[0].num_rows(), 3);
        }
    });
}

#[test]
fn json_is_its_stored_text_in_exports_and_written_anew_in_pages() {
    run(|live| async move { compare_texts_of_json(live.anonymous().resource(RECORDED[0]).rows::<Row>()).await });
}

#[test]
fn a_large_table_is_read_in_windows_and_its_groups_in_pages() {
    run(|live| async move {
        let client = live.user_for("batches");
        let mut csv = "numéro;pair;moitié;jour;instant;zone\n".to_owned();
        for n in 0..70_000_u32 {
            let (minute, second, day) = (n / 60 % 60, n % 60, n % 28 + 1);
            let half = if n % 7 == 0 { String::new() } else { format!("{}.5", n / 2) };
            csv += &format!(
                "{n};{};{half};2024-02-{day:02};2024-01-02 01:{minute:02}:{second:02};2024-01-02T00:{minute:02}:{second:02}+02:00\n",
                n % 2 == 0
            );
        }
        let (resource, _) = publish_table(&client, "csv", csv).await;
        live.allow_aggregation(&resource);
        let rows = resource.rows::<Row>();
        let schema = rows.schema().await.unwrap();
        let types: Vec<&DataType> = schema.fields().iter().map(|field| field.data_type()).collect();
        let naive = DataType::Timestamp(TimeUnit::Microsecond, None);
        let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let expected = [&DataType::Int64, &DataType::Boolean, &DataType::Float64, &DataType::Date32, &naive, &zoned];
        assert_eq!(types, expected);
        compare(rows.clone()).await.unwrap();
        compare(rows.clone().filter(col("pair").eq(true)).select(["zone", "__id"])).await.unwrap();
        compare(rows.clone().sort(col("moitié").desc()).limit(100)).await.unwrap();
        let codes = (0..4_000).map(|n| n * 11);
        compare(rows.clone().filter(col("numéro").is_in(codes)).select(["numéro"])).await.unwrap();
        let aggregates = [count("moitié"), avg("numéro"), sum("numéro"), sum("moitié"), max("zone"), max("jour")];
        let (_, groups) = all(rows.group_by(["pair"]).aggregate(aggregates).record_batches()).await.unwrap();
        let groups = rows_of(&groups);
        assert_eq!(groups.len(), 2);
        // 35,000 even numbers, of which every seventh has no half.
        assert_eq!(groups[1][1].1, serde_json::json!(30_000));
        assert_eq!(groups[1][3].1, serde_json::json!(35_000_i64 * 34_999));
    });
}

#[test]
fn metrics_are_counts_of_64_bits() {
    run(|live| async move {
        let client = live.anonymous();
        for model in ["datasets", "site", "resources_total", "organizations", "reuses"] {
            let rows = client.metrics_of::<Row>(model);
            let schema = rows.schema().await.unwrap();
            for field in schema.fields() {
                let name = field.name();
                let is_text = name.ends_with("_id") || name == "metric_month";
                let expected = if is_text { DataType::Utf8 } else { DataType::Int64 };
                assert_eq!(field.data_type(), &expected, "{model}: {name}");
            }
            assert!(!compare(rows).await.unwrap().is_empty(), "{model}");
        }
        let months = client.metrics_of::<Row>("datasets").group_by(["metric_month"]).aggregate([sum("monthly_visit")]);
        compare(months).await.unwrap();
    });
}
