//! Random queries of SQL through the tabular API, against DataFusion over the same rows in memory.
//!
//! The tables are served by the sandbox, or by the real server whose address `DATAGOUV_SQL_LIVE` gives, where
//! `cargo xtask server start` has put them; `DATAGOUV_SQL_TABLES` names more resources there, separated by commas, whose
//! Parquet copies are read too where `DATAGOUV_SQL_CATALOGUE` gives the address of the catalogue.
//! `DATAGOUV_SQL_POSTGRES` gives the URL of the database behind it, which then counts too. `DATAGOUV_SQL_CASES` sets how many queries are tried, `DATAGOUV_SQL_SEED` where they begin.

mod query;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::FieldRef;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionContext;
use datagouv::{Api, Client, Limits};
use datagouv_datafusion::{Options, register_with, sql, table};
use datagouv_sandbox::Sandbox;
use datagouv_sandbox::platform::NewTable;
use fastrand::Rng;
use serde_json::{Value, json};

use query::{Known, filter, query};

const RECORDED: &str = include_str!("../../../tests/truth/table.json");
const RECORDED_ID: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const OTHER_ID: &str = "aaaaaaaa-0000-4000-8000-00000000000a";

/// Rows to join the recorded ones with.
fn other() -> NewTable {
    let columns = [("n", "int"), ("plain", "string"), ("score", "float"), ("ok", "bool"), ("jour", "date")];
    let row = |n: i64| {
        let text = ["a", "b", "", "Zz", "é", "x%y", "a_b", "it's"][n.unsigned_abs() as usize % 8];
        let score = if n % 7 == 0 { Value::Null } else { json!((n % 13) as f64 / 4.0 - 1.0) };
        let plain = if n % 11 == 0 { Value::Null } else { json!(text) };
        vec![
            json!(n % 150),
            plain,
            score,
            json!(n % 3 == 0),
            json!(format!("2024-{:02}-{:02}", n % 12 + 1, n % 28 + 1)),
        ]
    };
    NewTable {
        columns: columns.map(|(name, kind)| (name.to_owned(), kind.to_owned())).to_vec(),
        rows: (1..=300).map(row).collect(),
        aggregates: true,
        ..NewTable::default()
    }
}

struct Tables {
    client: Client,
    ids: Vec<String>,
    alternatives: bool,
    /// Versions up to 0.3.1 pass on the names of columns to select without quotes.
    awkward_names: bool,
    is_live: bool,
    _sandbox: Option<Sandbox>,
}

async fn tables() -> Tables {
    let catalogue = std::env::var("DATAGOUV_SQL_CATALOGUE").unwrap_or_else(|_| "http://not-given.invalid".to_owned());
    let client = |url: &str| {
        let builder = Client::builder().limits(Limits::none()).base_url(Api::Tabular, url);
        builder
            .base_url(Api::Main, format!("{catalogue}/api/1"))
            .base_url(Api::MainV2, format!("{catalogue}/api/2"))
            .build()
    };
    if let Ok(url) = std::env::var("DATAGOUV_SQL_LIVE") {
        let client = client(&url).unwrap();
        let health = client.tabular().get_health().call().json::<Value>().send().await.unwrap();
        let new = health.get("uptime_since").is_some();
        let more = std::env::var("DATAGOUV_SQL_TABLES").unwrap_or_default();
        let ids = [RECORDED_ID].into_iter().chain(more.split(',')).filter(|id| !id.is_empty());
        let ids = ids.map(str::to_owned).collect();
        return Tables { client, ids, alternatives: new, awkward_names: new, is_live: true, _sandbox: None };
    }
    let sandbox = Sandbox::start_platform().await;
    let recorded = NewTable::from_json(&serde_json::from_str(RECORDED).unwrap()).unwrap();
    sandbox.add_table(RECORDED_ID, NewTable { aggregates: true, ..recorded });
    sandbox.add_table(OTHER_ID, other());
    let client = client(&sandbox.url(Api::Tabular)).unwrap();
    let ids = [RECORDED_ID, OTHER_ID].map(str::to_owned).to_vec();
    Tables { client, ids, alternatives: true, awkward_names: true, is_live: false, _sandbox: Some(sandbox) }
}

/// The rows of a result as text.
fn texts(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for batch in batches {
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let cell = |(column, field): (&ArrayRef, &FieldRef)| {
                if column.is_null(row) {
                    return "∅".to_owned();
                }
                let text = array_value_to_string(column, row).unwrap();
                // Exports have JSON as it was written, pages do not.
                let is_json = field.extension_type_name() == Some("arrow.json");
                if is_json { serde_json::from_str::<Value>(&text).unwrap().to_string() } else { text }
            };
            rows.push(batch.columns().iter().zip(schema.fields()).map(cell).collect());
        }
    }
    rows
}

async fn run(context: &SessionContext, query: &str) -> Result<Vec<Vec<String>>, DataFusionError> {
    Ok(texts(&sql(context, query).await?.collect().await?))
}

/// How often each row occurs.
fn counted(rows: &[Vec<String>]) -> BTreeMap<&[String], usize> {
    let mut counted = BTreeMap::new();
    for row in rows {
        *counted.entry(row.as_slice()).or_default() += 1;
    }
    counted
}

/// The values that rows are sorted by. Zero and minus zero are equal to the server, and two values to Arrow.
fn keys(rows: &[Vec<String>], keys: usize) -> Vec<Vec<&str>> {
    fn key(cell: &String) -> &str {
        if cell == "-0.0" { "0.0" } else { cell }
    }
    rows.iter().map(|row| row[row.len() - keys..].iter().map(key).collect()).collect()
}

/// The tables in a session that asks the server, and in one that has their rows in memory.
async fn sessions(tables: &Tables) -> (SessionContext, SessionContext, Vec<Known>) {
    let (remote, rows, memory) = (SessionContext::new(), SessionContext::new(), SessionContext::new());
    let options = Options::default().alternatives(tables.alternatives);
    register_with(&remote, &tables.client, options.clone()).unwrap();
    register_with(&rows, &tables.client, options.parquet(false)).unwrap();
    let mut known = Vec::new();
    for (place, id) in tables.ids.iter().enumerate() {
        let name = format!("t{place}");
        let schema = table(&tables.client, id, Options::default()).await.unwrap().schema();
        let plain = |name: &str| name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
        // A decimal of the database is none of Arrow's, and the recorded profile does not tell that `tz` has a zone.
        let usable =
            |name: &str| name != "num" && (tables.awkward_names || plain(name)) && (name != "tz" || !tables.is_live);
        let names = schema.fields().iter().map(|field| field.name()).filter(|name| usable(name));
        let names: Vec<String> = names.map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
        let all = format!("SELECT {} FROM resource('{id}')", names.join(", "));
        sql(&remote, &format!("CREATE VIEW {name} AS {all}")).await.unwrap();
        let batches = sql(&rows, &all).await.unwrap().collect().await.unwrap();
        let schema = batches[0].schema();
        known.push(Known::new(&name, &schema, &batches));
        memory.register_table(&name, Arc::new(MemTable::try_new(schema, vec![batches]).unwrap())).unwrap();
    }
    (remote, memory, known)
}

fn cases() -> (u64, u64) {
    let cases = std::env::var("DATAGOUV_SQL_CASES").map_or(400, |cases| cases.parse().unwrap());
    let seed = std::env::var("DATAGOUV_SQL_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("DATAGOUV_SQL_SEED={seed}");
    (cases, seed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_queries_have_the_rows_that_they_have_in_memory() {
    let tables = tables().await;
    let (remote, memory, known) = sessions(&tables).await;
    let (cases, seed) = cases();
    let mut outcomes: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut aggregations, mut grouped) = (0, 0);
    for case in 0..cases {
        let mut random = Rng::with_seed(seed.wrapping_add(case));
        let query = query(&mut random, &known);
        let expected = run(&memory, query.without_limit.as_ref().unwrap_or(&query.sql)).await;
        let found = run(&remote, &query.sql).await;
        if query.sql.contains("count(*)") && found.is_ok() {
            let plan = sql(&remote, &query.sql).await.unwrap().create_physical_plan().await.unwrap();
            aggregations += 1;
            grouped += u32::from(displayable(plan.as_ref()).indent(false).to_string().contains("DatagouvGroupsExec"));
        }
        let (expected, found) = match (expected, found) {
            (Ok(expected), Ok(found)) => (expected, found),
            (Err(_), Err(_)) => {
                *outcomes.entry("no query").or_default() += 1;
                continue;
            }
            (expected, found) => panic!(
                "seed {}: {}\nin memory: {:?}\nremote: {:?}",
                seed.wrapping_add(case),
                query.sql,
                expected.map(|rows| rows.len()),
                found.map(|rows| rows.len())
            ),
        };
        let context = || format!("seed {}: {}", seed.wrapping_add(case), query.sql);
        if query.without_limit.is_some() {
            let limited = run(&memory, &query.sql).await.unwrap();
            assert_eq!(found.len(), limited.len(), "{}", context());
            assert_eq!(keys(&found, query.keys), keys(&limited, query.keys), "{}", context());
            let all = counted(&expected);
            for (row, times) in counted(&found) {
                assert!(all.get(row).is_some_and(|all| *all >= times), "{}: {row:?} is no row", context());
            }
            *outcomes.entry("equal, with a limit").or_default() += 1;
        } else {
            assert_eq!(counted(&found), counted(&expected), "{}", context());
            assert_eq!(keys(&found, query.keys), keys(&expected, query.keys), "{}", context());
            *outcomes.entry("equal").or_default() += 1;
        }
    }
    println!("{outcomes:#?}\n{grouped} of {aggregations} aggregations were the server's");
    assert!(grouped > 0 || aggregations < 20, "the server groups these tables");
    let equal = outcomes.iter().filter(|(outcome, _)| outcome.starts_with("equal")).map(|(_, count)| *count);
    assert!(equal.sum::<u32>() * 2 > cases as u32, "most queries are such");
}

/// Where `DATAGOUV_SQL_POSTGRES` gives the URL of the database behind the live server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_filters_find_as_many_rows_as_the_database() {
    let Ok(database) = std::env::var("DATAGOUV_SQL_POSTGRES") else { return };
    let tables = tables().await;
    let (remote, memory, known) = sessions(&tables).await;
    let (cases, seed) = cases();
    let filters = (0..cases).map(|case| filter(&mut Rng::with_seed(seed.wrapping_add(case)), &known[0]));
    // To Arrow zero and minus zero are two values, and the null of JSON is none.
    let filters = filters.filter(|filter| !filter.contains("-0.0") && !filter.contains("\"j\""));
    let filters: Vec<String> = filters.collect();
    let queries = filters.iter().map(|filter| format!("SELECT count(*) FROM recorded_table a WHERE {filter};\n"));
    let file = std::env::temp_dir().join(format!("datagouv-sql-{}.sql", std::process::id()));
    std::fs::write(&file, queries.collect::<String>()).unwrap();
    let mut psql = std::process::Command::new("psql");
    let output = psql_output(psql.arg(&database).args(["-At", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&file));
    std::fs::remove_file(&file).unwrap();
    let counts: Vec<&str> = output.lines().collect();
    assert_eq!(counts.len(), filters.len());
    let (mut compared, mut matching) = (0, 0);
    for (filter, expected) in filters.iter().zip(counts) {
        let query = format!("SELECT count(*) FROM t0 a WHERE {filter}");
        // DataFusion infers other types of a bare NULL than the database.
        if run(&memory, &query).await.is_err() {
            continue;
        }
        let found = run(&remote, &query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(found, [[expected.to_owned()]], "{query}");
        compared += 1;
        matching += u32::from(expected != "0");
    }
    println!("{compared} filters, {matching} of which find rows");
    assert!(compared * 2 > filters.len(), "most filters are such");
}

fn psql_output(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
