//! How often was a dataset looked at and downloaded, month by month?
//!
//! `cargo run --example visits -- --since 2026-01`

mod support;

use std::process::ExitCode;

use clap::Parser;
use datagouv::Filters;
use serde_json::Value;

use support::{Outcome, Place, plain, table};

/// More rows than this the server refuses in a page.
const MOST: usize = 50;

#[derive(Parser)]
#[command(about = "How often was a dataset looked at and downloaded, month by month?")]
struct Arguments {
    /// The id of the dataset; charging points of the embedded platform otherwise
    #[arg(long, value_name = "ID", default_value = datagouv_sandbox::platform::CHARGING_POINTS)]
    dataset: String,
    /// The first month
    #[arg(long, value_name = "YYYY-MM")]
    since: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(visits(arguments).await)
}

async fn visits(arguments: Arguments) -> Outcome {
    let platform = arguments.place.open().await?;
    let mut filters = Filters::new().with("dataset_id__exact", arguments.dataset).with("metric_month__sort", "asc");
    if let Some(month) = arguments.since {
        filters = filters.with("metric_month__greater", month);
    }
    let metrics = platform.client.metrics();
    let mut months = Vec::new();
    for number in 1.. {
        let call = metrics.get_metrics_by_model().model("datasets").filters(filters.clone());
        let page = call.page(number).page_size(MOST).send().await?.into_inner();
        let last = page.data.len() < MOST;
        months.extend(page.data);
        if last {
            break;
        }
    }
    // A month of which nobody knows the number is not a month of none.
    let total = |column: &str| months.iter().filter_map(|row| row.get(column)?.as_i64()).sum::<i64>().to_string();
    let columns = ["metric_month", "monthly_visit", "monthly_download_resource"];
    let cell = |row: &std::collections::BTreeMap<String, Value>, column: &str| {
        row.get(column).map_or_else(|| "-".to_owned(), plain)
    };
    let mut rows: Vec<Vec<String>> =
        months.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect()).collect();
    rows.push(vec!["in all".to_owned(), total("monthly_visit"), total("monthly_download_resource")]);
    table(&["month", "visits", "downloads"], &rows);
    Ok(())
}
