//! Plans as bytes: what they hold, and who reads them.

mod support;

use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
};
use datagouv::{Client, Limits};
use datagouv_datafusion::codec::{AllowedHosts, PlanCodec, divide, file_bytes, parts, version};
use datagouv_datafusion::{Options, register_with, sql};
use datagouv_sandbox::platform::{CHARGING_POINTS_RESOURCE, COMMUNES_RESOURCE};
use datagouv_sandbox::{Sandbox, User};
use serde_json::json;

use support::{client_of, table, texts};

const KEY: &str = "udata_a-key-that-no-plan-may-hold";

struct Place {
    sandbox: Sandbox,
    client: Client,
    context: SessionContext,
}

async fn place() -> Place {
    let sandbox = Sandbox::start_platform().await;
    let row = |n: i64| vec![json!(n), json!(["Nice", "Brest"][n as usize % 2])];
    sandbox.allow_aggregation(COMMUNES_RESOURCE);
    sandbox.add_table(CHARGING_POINTS_RESOURCE, table([("n", "int"), ("nom", "string")], (1..=110_000).map(row)));
    let client = client_of(&sandbox).api_key(KEY).limits(Limits::none().in_flight(5)).build().unwrap();
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(4));
    register_with(&context, &client, Options::default().parquet(false)).unwrap();
    Place { sandbox, client, context }
}

impl Place {
    fn worker(&self) -> PlanCodec {
        let host = self.sandbox.origin().trim_start_matches("http://").to_owned();
        PlanCodec::for_worker(AllowedHosts::none().and(host), Client::builder)
    }

    async fn plan(&self, query: &str) -> Arc<dyn ExecutionPlan> {
        sql(&self.context, query).await.unwrap().create_physical_plan().await.unwrap()
    }

    fn decode(&self, bytes: &[u8], codec: &PlanCodec) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        physical_plan_from_bytes_with_extension_codec(bytes, &SessionContext::new().task_ctx(), codec)
    }

    async fn rows(&self, plan: Arc<dyn ExecutionPlan>) -> Vec<String> {
        let mut rows = texts(&collect(plan, self.context.task_ctx()).await.unwrap());
        rows.sort_unstable();
        rows
    }
}

fn encode(plan: &Arc<dyn ExecutionPlan>) -> Vec<u8> {
    physical_plan_to_bytes_with_extension_codec(Arc::clone(plan), &PlanCodec::new()).unwrap().to_vec()
}

fn queries() -> Vec<String> {
    let (many, communes) =
        (format!("resource('{CHARGING_POINTS_RESOURCE}')"), format!("resource('{COMMUNES_RESOURCE}')"));
    vec![
        format!("SELECT nom, count(*), sum(n) FROM {many} WHERE n > 17 AND nom < 'Z' GROUP BY nom"),
        format!("SELECT n FROM {many} WHERE n <> 3 ORDER BY n DESC LIMIT 5"),
        format!("SELECT nom FROM {communes} LIMIT 2"),
        format!("SELECT a.nom, b.n FROM {communes} a JOIN {many} b ON b.n = a.population WHERE b.n < 100000"),
        format!("SELECT 1 FROM {many} WHERE n > 109000"),
        format!(
            "SELECT population > 9 AS g, c FROM (SELECT population, count(*) AS c FROM {communes} GROUP BY population)"
        ),
        "SELECT dataset_id, monthly_visit FROM metrics.datasets".to_owned(),
        "SELECT id, title FROM catalog.datasets WHERE title LIKE '%o%'".to_owned(),
    ]
}

#[tokio::test]
async fn plans_hold_no_key_and_give_the_same_rows_elsewhere() {
    let place = place().await;
    let worker = place.worker();
    for query in queries() {
        let plan = place.plan(&query).await;
        let bytes = encode(&plan);
        assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "{query}");
        let decoded = place.decode(&bytes, &worker).unwrap();
        let shown = |plan: &Arc<dyn ExecutionPlan>| displayable(plan.as_ref()).indent(false).to_string();
        assert_eq!(shown(&decoded), shown(&plan), "{query}");
        let expected = place.rows(plan).await;
        place.sandbox.take_requests();
        assert_eq!(place.rows(decoded).await, expected, "{query}");
        let requests = place.sandbox.take_requests();
        // Counts and groups were made when the query was planned.
        let is_known = query.starts_with("SELECT 1") || query.contains("GROUP BY population");
        assert_eq!(requests.is_empty(), is_known, "{query}");
        assert!(requests.iter().all(|request| request.header("x-api-key").is_none()), "{query}: {requests:?}");
    }
}

#[tokio::test]
async fn the_plan_of_a_parquet_copy_holds_the_state_of_the_file_and_no_key() {
    let place = place().await;
    let query = format!("SELECT nom, sum(n) FROM resource('{CHARGING_POINTS_RESOURCE}') WHERE nom < 'N' GROUP BY nom");
    let batches = collect(
        place.plan(&format!("SELECT n, nom FROM resource('{CHARGING_POINTS_RESOURCE}')")).await,
        place.context.task_ctx(),
    );
    let mut data = Vec::new();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(10_000)).build();
    let batches = batches.await.unwrap();
    let mut writer = ArrowWriter::try_new(&mut data, batches[0].schema(), Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
    let url = place.sandbox.serve_file("/copy.parquet", "application/vnd.apache.parquet", data.clone());
    let client = place.sandbox.client_of(User::Editor);
    let profile = client.tabular().get_meta_resource_info().rid(CHARGING_POINTS_RESOURCE).send().await.unwrap();
    let time = profile.into_inner().created_at.to_string();
    let extras = [
        ("analysis:parsing:parquet_url", json!(url)),
        ("analysis:parsing:parquet_size", json!(data.len())),
        ("analysis:parsing:started_at", json!(time)),
        ("analysis:parsing:finished_at", json!(time)),
    ];
    client.resource(CHARGING_POINTS_RESOURCE).update_extras(extras).await.unwrap();

    let expected = place.rows(place.plan(&query).await).await;
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(4));
    register_with(&context, &place.client, Options::default()).unwrap();
    let plan = sql(&context, &query).await.unwrap().create_physical_plan().await.unwrap();
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    assert!(shown.contains("DatagouvParquetExec"), "{shown}");
    let bytes = encode(&plan);
    assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()));
    place.sandbox.take_requests();
    assert_eq!(place.rows(place.decode(&bytes, &place.worker()).unwrap()).await, expected);
    let requests = place.sandbox.take_requests();
    assert!(requests.iter().all(|request| request.path == "/copy.parquet"), "{requests:?}");
    let mut leaf = plan;
    while let Some(child) = leaf.children().first().copied().cloned() {
        leaf = child;
    }
    assert_eq!((parts(leaf.as_ref()), file_bytes(leaf.as_ref())), (Some(11), Some(data.len() as u64)));
    for machines in [2, 5] {
        let mut found = 0;
        for part in divide(&leaf, machines).unwrap() {
            found += place.rows(place.decode(&encode(&part), &place.worker()).unwrap()).await.len();
        }
        assert_eq!(found, 110_000, "on {machines} machines");
    }

    place.sandbox.serve_file("/copy.parquet", "application/vnd.apache.parquet", vec![0; data.len()]);
    let decoded = place.decode(&bytes, &place.worker()).unwrap();
    let error = collect(decoded, place.context.task_ctx()).await.unwrap_err().to_string();
    assert!(error.contains("changed"), "{error}");
    place.sandbox.take_requests();
}

#[tokio::test]
async fn a_plan_of_another_version_or_for_another_host_is_refused() {
    let place = place().await;
    let bytes = encode(&place.plan(&queries()[0]).await);
    let refused = |bytes: &[u8], codec: &PlanCodec| place.decode(bytes, codec).unwrap_err().to_string();
    let other = version().replace("DataFusion", "DataFusiom");
    let at = bytes.windows(version().len()).position(|window| window == version().as_bytes()).unwrap();
    let changed = [&bytes[..at], other.as_bytes(), &bytes[at + other.len()..]].concat();
    let error = refused(&changed, &place.worker());
    assert!(error.contains(&other) && error.contains(&version()), "{error}");
    let error = refused(&bytes, &PlanCodec::for_worker(AllowedHosts::default(), Client::builder));
    assert!(error.contains("127.0.0.1, which this worker may not send"), "{error}");
    assert!(refused(&bytes, &PlanCodec::new()).contains("executes none"));
    place.sandbox.take_requests();
}

#[tokio::test]
async fn parts_of_a_scan_have_all_its_rows_between_them() {
    let place = place().await;
    let scan = place.plan(&format!("SELECT n, nom FROM resource('{CHARGING_POINTS_RESOURCE}')")).await;
    assert_eq!(parts(scan.as_ref()), Some(3));
    let expected = place.rows(Arc::clone(&scan)).await;
    let worker = place.worker();
    for machines in [2, 3] {
        let parts = divide(&scan, machines).unwrap();
        assert_eq!(parts.len(), machines);
        let mut found = Vec::new();
        for part in parts {
            assert_eq!(part.properties().output_partitioning().partition_count(), 3_usize.div_ceil(machines));
            found.extend(place.rows(place.decode(&encode(&part), &worker).unwrap()).await);
        }
        found.sort_unstable();
        assert!(found == expected, "{} rows of {}", found.len(), expected.len());
    }
    assert!(divide(&scan, 4).is_none());
    // The first rows of all are not the first rows of each part.
    let limited = place.plan(&format!("SELECT n FROM resource('{CHARGING_POINTS_RESOURCE}') LIMIT 60000")).await;
    let mut leaf = limited;
    while let Some(child) = leaf.children().first().copied().cloned() {
        leaf = child;
    }
    assert!(divide(&leaf, 2).is_none(), "{}", displayable(leaf.as_ref()).indent(false));
    place.sandbox.take_requests();
}
