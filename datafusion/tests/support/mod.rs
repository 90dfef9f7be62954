//! A session over the embedded platform.
#![allow(dead_code, reason = "no test uses all of it")]

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionContext;
use datagouv::{Api, Client, ClientBuilder, Limits};
use datagouv_datafusion::{Options, register_with, sql};
use datagouv_sandbox::Sandbox;
use datagouv_sandbox::platform::NewTable;
use serde_json::{Value, json};

pub struct Served {
    pub sandbox: Sandbox,
    pub client: Client,
    pub context: SessionContext,
}

pub async fn serve(options: Options) -> Served {
    let sandbox = Sandbox::start_platform().await;
    let client = client_of(&sandbox).api_key("any key will do").limits(Limits::none()).build().unwrap();
    let context = SessionContext::new();
    register_with(&context, &client, options).unwrap();
    Served { sandbox, client, context }
}

pub fn client_of(sandbox: &Sandbox) -> ClientBuilder {
    Client::builder()
        .base_url(Api::Main, sandbox.url(Api::Main))
        .base_url(Api::MainV2, sandbox.url(Api::MainV2))
        .base_url(Api::Tabular, sandbox.url(Api::Tabular))
        .base_url(Api::Metrics, sandbox.url(Api::Metrics))
}

/// A table of columns with their types, and of rows.
pub fn table<const N: usize>(columns: [(&str, &str); N], rows: impl IntoIterator<Item = Vec<Value>>) -> NewTable {
    NewTable {
        columns: columns.map(|(name, kind)| (name.to_owned(), kind.to_owned())).to_vec(),
        rows: rows.into_iter().collect(),
        ..NewTable::default()
    }
}

/// A table with a column of each type; `x` and `nom` have nulls, and `vide` has nothing else.
pub fn every_type(rows: i64) -> NewTable {
    let columns = [
        ("n", "int"),
        ("x", "float"),
        ("ok", "bool"),
        ("nom", "string"),
        ("jour", "date"),
        ("instant", "datetime"),
        ("arbre", "json"),
        ("vide", "int"),
    ];
    let row = |n: i64| {
        let nom = if n % 10 == 0 { Value::Null } else { json!(["Nice", "Nîmes", ""][n as usize % 3]) };
        let x = if n % 4 == 0 { Value::Null } else { json!(n as f64 / 8.0) };
        let (jour, instant) = (format!("2024-01-{:02}", n % 28 + 1), format!("2024-01-{:02}T08:30:00", n % 28 + 1));
        vec![json!(n), x, json!(n % 2 == 0), nom, json!(jour), json!(instant), json!([n]), Value::Null]
    };
    table(columns, (1..=rows).map(row))
}

/// The rows of a result, their cells between bars.
pub async fn rows(context: &SessionContext, query: &str) -> Result<Vec<String>, DataFusionError> {
    Ok(texts(&sql(context, query).await?.collect().await?))
}

pub fn texts(batches: &[RecordBatch]) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap());
            rows.push(cells.collect::<Vec<_>>().join("|"));
        }
    }
    rows
}

/// The physical plan.
pub async fn explain(context: &SessionContext, query: &str) -> String {
    let plan = sql(context, query).await.unwrap().create_physical_plan().await.unwrap();
    displayable(plan.as_ref()).indent(false).to_string()
}
