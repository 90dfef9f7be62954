//! A session over the embedded platform.
#![allow(dead_code, reason = "no test uses all of it")]

use datafusion::arrow::util::display::array_value_to_string;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionContext;
use datagouv::{Api, Client, Limits};
use datagouv_datafusion::{Options, register_with, sql};
use datagouv_sandbox::Sandbox;

pub struct Served {
    pub sandbox: Sandbox,
    pub client: Client,
    pub context: SessionContext,
}

pub async fn serve(options: Options) -> Served {
    let sandbox = Sandbox::start_platform().await;
    let client = Client::builder()
        .base_url(Api::Main, sandbox.url(Api::Main))
        .base_url(Api::MainV2, sandbox.url(Api::MainV2))
        .base_url(Api::Tabular, sandbox.url(Api::Tabular))
        .base_url(Api::Metrics, sandbox.url(Api::Metrics))
        .api_key("any key will do")
        .limits(Limits::none())
        .build()
        .unwrap();
    let context = SessionContext::new();
    register_with(&context, &client, options).unwrap();
    Served { sandbox, client, context }
}

/// The rows of a result, their cells between bars.
pub async fn rows(context: &SessionContext, query: &str) -> Result<Vec<String>, DataFusionError> {
    let batches = sql(context, query).await?.collect().await?;
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap());
            rows.push(cells.collect::<Vec<_>>().join("|"));
        }
    }
    Ok(rows)
}

/// The physical plan.
pub async fn explain(context: &SessionContext, query: &str) -> String {
    let plan = sql(context, query).await.unwrap().create_physical_plan().await.unwrap();
    displayable(plan.as_ref()).indent(false).to_string()
}
