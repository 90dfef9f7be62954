//! Prints the visits and downloads of a dataset by month.
//!
//! `cargo run --example metrics -- --since 2026-01`

mod support;

use std::process::ExitCode;

use clap::Parser;

use support::{Outcome, Server, table};

#[derive(Parser)]
#[command(about = "How often was a dataset looked at and downloaded, month by month?")]
struct Arguments {
    /// The id of the dataset; that of the charging points on the embedded platform by default
    #[arg(long, value_name = "ID", default_value = datagouv_sandbox::platform::CHARGING_POINTS)]
    dataset: String,
    /// The first month
    #[arg(long, value_name = "YYYY-MM")]
    since: Option<String>,
    /// The last month
    #[arg(long, value_name = "YYYY-MM")]
    until: Option<String>,
    #[command(flatten)]
    server: Server,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(metrics(arguments).await)
}

async fn metrics(arguments: Arguments) -> Outcome {
    let platform = arguments.server.open().await?;
    let metrics = platform.client.dataset(arguments.dataset).metrics();
    let mut months = metrics.clone();
    if let Some(month) = &arguments.since {
        months = months.from(month);
    }
    if let Some(month) = &arguments.until {
        months = months.to(month);
    }
    // An unknown number of visits is not zero.
    let known = |count: Option<i64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    let mut rows: Vec<Vec<String>> = months
        .collect()
        .await?
        .iter()
        .map(|row| {
            let month = row.month.map_or_else(|| "-".to_owned(), |month| month.to_string());
            vec![month, known(row.visits), known(row.downloads)]
        })
        .collect();
    if let Some(total) = metrics.totals().await? {
        rows.push(vec!["ever".to_owned(), known(total.visits), known(total.downloads)]);
    }
    table(&["month", "visits", "downloads"], &rows);
    Ok(())
}
