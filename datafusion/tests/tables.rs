//! Tables by resource, dataset, metrics model and export, and the Parquet copies of resources.

mod support;

use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionContext;
use datagouv_datafusion::{Options, register_resource, register_with, sql};
use datagouv_sandbox::platform::{
    AIR_QUALITY_RESOURCE, CHARGING_POINTS_RESOURCE, COMMUNES, COMMUNES_RESOURCE, NewTable, STOPS_RESOURCE,
};
use serde_json::json;

use support::{Served, explain, rows, serve, table};

#[tokio::test]
async fn a_query_joins_resources_metrics_and_exports() {
    let served = serve(Options::default()).await;
    let query = format!(
        "SELECT c.nom, count(*) FROM resource('{CHARGING_POINTS_RESOURCE}') p
         JOIN dataset('{COMMUNES}') c ON c.code_insee = p.code_insee
         WHERE p.commune = 'Nice' GROUP BY c.nom"
    );
    assert_eq!(rows(&served.context, &query).await.unwrap(), ["Nice|10"]);
    let query = "SELECT d.title, sum(m.monthly_visit) > 0 FROM metrics.datasets m
         JOIN catalog.datasets d ON d.id = m.dataset_id
         WHERE d.tags LIKE '%irve%' GROUP BY d.title";
    assert_eq!(rows(&served.context, query).await.unwrap(), ["Bornes de recharge pour véhicules électriques|true"]);
    for table in ["resources", "organizations", "reuses"] {
        rows(&served.context, &format!("SELECT id FROM catalog.{table}")).await.unwrap();
    }
    let query = "SELECT count(*), count(id) FROM catalog.datasets";
    assert_eq!(rows(&served.context, query).await.unwrap(), ["4|4"]);
    register_resource(&served.context, &served.client, "communes", COMMUNES_RESOURCE, Options::default())
        .await
        .unwrap();
    let query = "SELECT nom FROM communes ORDER BY population DESC LIMIT 1";
    assert_eq!(rows(&served.context, query).await.unwrap(), ["Marseille"]);
}

#[tokio::test]
async fn what_is_no_table_is_an_error_that_says_so() {
    let served = serve(Options::default()).await;
    let error = async |query: &str| match sql(&served.context, query).await {
        Ok(_) => panic!("{query} is planned"),
        Err(error) => error.to_string(),
    };
    let absent = error("SELECT * FROM resource('00000000-0000-4000-8000-000000000000')").await;
    assert!(absent.contains("404"), "{absent}");
    for query in ["SELECT * FROM resource(1)", "SELECT * FROM dataset('a', 'b')"] {
        let text = error(query).await;
        assert!(text.contains("as a text"), "{text}");
    }
    let unknown = error("SELECT * FROM metrics.nothing").await;
    assert!(unknown.contains("not found"), "{unknown}");
    let column = error(&format!("SELECT nome FROM resource('{COMMUNES_RESOURCE}')")).await;
    assert!(column.contains("nome"), "{column}");
}

#[tokio::test]
async fn a_runtime_of_one_thread_is_told_how_to_plan() {
    let served = serve(Options::default()).await;
    let query = format!("SELECT count(*) FROM resource('{COMMUNES_RESOURCE}')");
    let error = served.context.sql(&query).await.unwrap_err().to_string();
    assert!(error.contains("datagouv_datafusion::sql"), "{error}");
    assert_eq!(rows(&served.context, &query).await.unwrap(), ["12"]);
    served.context.sql(&query).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_of_several_threads_plans_without_help() {
    let served = serve(Options::default()).await;
    let query = format!("SELECT count(*) FROM resource('{COMMUNES_RESOURCE}')");
    let batches = served.context.sql(&query).await.unwrap().collect().await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
}

const COPY: &str = "/hydra/parquet/copy.parquet";

/// A session in which a resource has a Parquet copy, made of its rows as the platform makes it.
async fn with_copy(resource: &str, imported: Option<&str>) -> Served {
    with_copy_of(resource, imported, None).await
}

async fn with_copy_of(resource: &str, imported: Option<&str>, table: Option<NewTable>) -> Served {
    let served = serve(Options::default()).await;
    if let Some(table) = table {
        served.sandbox.add_table(resource, table);
    }
    let rows = SessionContext::new();
    register_with(&rows, &served.client, Options::default().parquet(false)).unwrap();
    let frame = sql(&rows, &format!("SELECT * FROM resource('{resource}')")).await.unwrap();
    let data = parquet(&frame.collect().await.unwrap());
    let url = served.sandbox.serve_file(COPY, "application/vnd.apache.parquet", data.clone());
    let table = served.client.tabular().get_meta_resource_info().rid(resource).send().await.unwrap().into_inner();
    let time = imported.map_or_else(|| table.created_at.to_string(), str::to_owned);
    let extras = [
        ("analysis:parsing:parquet_url", json!(url)),
        ("analysis:parsing:parquet_size", json!(data.len())),
        ("analysis:parsing:started_at", json!(time)),
        ("analysis:parsing:finished_at", json!(time)),
    ];
    served.client.resource(resource).update_extras(extras).await.unwrap();
    served.sandbox.take_requests();
    served
}

fn parquet(batches: &[RecordBatch]) -> Vec<u8> {
    let mut data = Vec::new();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(5_000)).build();
    let mut writer = ArrowWriter::try_new(&mut data, batches[0].schema(), Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
    data
}

#[tokio::test]
async fn a_copy_of_the_same_import_is_read_in_place_of_the_rows() {
    let served = with_copy(CHARGING_POINTS_RESOURCE, None).await;
    let from = format!("FROM resource('{CHARGING_POINTS_RESOURCE}')");
    let query = format!("SELECT commune, count(*), max(puissance) {from} GROUP BY commune ORDER BY commune");
    let plan = explain(&served.context, &query).await;
    assert!(plan.contains("DatagouvParquetExec") && plan.contains("because=the Parquet copy is of the same import"));
    let from_copy = rows(&served.context, &query).await.unwrap();
    let requests = served.sandbox.take_requests();
    assert!(requests.iter().all(|request| !request.path.ends_with("/csv/")), "{requests:?}");
    let other = SessionContext::new();
    register_with(&other, &served.client, Options::default().parquet(false)).unwrap();
    assert_eq!(from_copy, rows(&other, &query).await.unwrap());
    // The server has found the few rows that match already.
    let few = explain(&served.context, &format!("SELECT * {from} WHERE puissance > 100")).await;
    assert!(few.contains("because=the filter leaves few rows"), "{few}");
    // What the server cannot look for is looked for here.
    let query = format!("SELECT count(*) {from} WHERE commune LIKE 'N%' AND puissance < 1000 AND nom_station < 'Z'");
    assert_eq!(rows(&served.context, &query).await.unwrap(), rows(&other, &query).await.unwrap());
    // A page is less than a footer.
    let limited = explain(&served.context, &format!("SELECT * {from} LIMIT 3")).await;
    assert!(limited.contains("because=a limit of few rows"), "{limited}");
}

#[tokio::test]
async fn a_copy_that_does_not_hold_what_is_asked_is_not_read() {
    let served = with_copy(AIR_QUALITY_RESOURCE, None).await;
    let schema = sql(&served.context, &format!("SELECT * FROM resource('{AIR_QUALITY_RESOURCE}')")).await.unwrap();
    let fields = schema.schema().fields().clone();
    let time = fields.iter().find(|field| field.data_type().is_temporal()).unwrap().name();
    let other = fields.iter().find(|field| !field.data_type().is_temporal()).unwrap().name();
    let from = format!("FROM resource('{AIR_QUALITY_RESOURCE}')");
    let plan = explain(&served.context, &format!("SELECT \"{time}\" {from}")).await;
    assert!(plan.contains("has lost its time of day"), "{plan}");
    let plan = explain(&served.context, &format!("SELECT \"{other}\" {from}")).await;
    assert!(plan.contains("DatagouvParquetExec"), "{plan}");
    let context = SessionContext::new();
    register_with(&context, &served.client, Options::default().row_numbers(true)).unwrap();
    let plan = explain(&context, &format!("SELECT __id {from}")).await;
    assert!(plan.contains("`__id` is not in the Parquet copy"), "{plan}");
    let plan = explain(&context, &format!("SELECT * FROM resource('{STOPS_RESOURCE}')")).await;
    assert!(plan.contains("is not in the Parquet copy"), "{plan}");
    let plan = explain(&served.context, &format!("SELECT * FROM resource('{STOPS_RESOURCE}')")).await;
    assert!(plan.contains("because=there is no Parquet copy"), "{plan}");
}

#[tokio::test]
async fn a_copy_of_another_import_is_not_read() {
    let served = with_copy(COMMUNES_RESOURCE, Some("2020-01-01T00:00:00+00:00")).await;
    let plan = explain(&served.context, &format!("SELECT * FROM resource('{COMMUNES_RESOURCE}')")).await;
    assert!(plan.contains("not known to be of the import"), "{plan}");
}

#[tokio::test]
async fn a_copy_that_is_replaced_while_it_is_read_is_an_error() {
    let served = with_copy_of(CHARGING_POINTS_RESOURCE, None, Some(many(20_000))).await;
    let query = format!("SELECT sum(n), count(DISTINCT nom) FROM resource('{CHARGING_POINTS_RESOURCE}')");
    assert_eq!(rows(&served.context, &query).await.unwrap(), ["200010000|20000"]);
    served.sandbox.take_requests();
    let one_column = format!("SELECT sum(n) FROM resource('{CHARGING_POINTS_RESOURCE}')");
    assert_eq!(rows(&served.context, &one_column).await.unwrap(), ["200010000"]);
    // The copy is open, and its footer read.
    let requests = served.sandbox.take_requests();
    let ranges = requests.iter().map(|request| request.header("range").unwrap_or_default().to_owned());
    let ranges: Vec<String> = ranges.collect();
    let length = |range: &String| -> Option<u64> {
        let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some(to.parse::<u64>().ok()? - from.parse::<u64>().ok()? + 1)
    };
    let bytes: u64 = ranges.iter().map(|range| length(range).unwrap()).sum();
    let size = served.client.resource(CHARGING_POINTS_RESOURCE).parquet().await.unwrap().unwrap().size().unwrap();
    assert!(bytes * 2 < size, "{bytes} of {size} bytes: one column of two is read, in {ranges:?}");
    let plan = sql(&served.context, &query).await.unwrap().create_physical_plan().await.unwrap();
    let reads_copy = datafusion::physical_plan::displayable(plan.as_ref()).indent(false).to_string();
    assert!(reads_copy.contains("DatagouvParquetExec"), "{reads_copy}");
    served.sandbox.serve_file(COPY, "application/vnd.apache.parquet", vec![0_u8; 500_000]);
    let error = collect(plan, served.context.task_ctx()).await.unwrap_err();
    assert!(error.to_string().contains("changed"), "{error}");
}

/// Rows that take more in Parquet than what a reader keeps of the end of a file.
fn many(count: i64) -> NewTable {
    let mut random = fastrand::Rng::with_seed(1);
    let rows = (1..=count).map(|n| vec![json!(n), json!(format!("{n} {:x}", random.u128(..)))]);
    table([("n", "int"), ("nom", "string")], rows)
}
