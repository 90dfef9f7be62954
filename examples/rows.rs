//! Which rows of a file match?
//!
//! `cargo run --example rows -- --filter puissance__greater=100 --filter commune__sort=asc`

mod support;

use std::process::ExitCode;

use clap::Parser;
use datagouv::Filters;

use support::{Outcome, Place, plain, table};

#[derive(Parser)]
#[command(about = "Which rows of a file match?")]
struct Arguments {
    /// The id of the file among the resources of its dataset; charging points of the embedded platform otherwise
    #[arg(long, value_name = "ID", default_value = datagouv_sandbox::platform::CHARGING_POINTS_RESOURCE)]
    resource: String,
    /// `column__operator=value`: exact, differs, contains, in, less, greater, isnull, sort… (all must hold)
    #[arg(long, value_name = "FILTER", default_value = "puissance__greater=100")]
    filter: Vec<String>,
    /// The columns to show, with commas between; all otherwise
    #[arg(long)]
    columns: Option<String>,
    /// The page
    #[arg(long, default_value_t = 1)]
    page: i64,
    #[command(flatten)]
    place: Place,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(rows(arguments).await)
}

async fn rows(arguments: Arguments) -> Outcome {
    let platform = arguments.place.open().await?;
    let tabular = platform.client.tabular();
    let filters: Filters =
        arguments.filter.iter().map(|filter| filter.split_once('=').unwrap_or((filter.as_str(), ""))).collect();
    // A row does not keep the order of its columns; the profile does.
    let profile = tabular.get_resource_profile().rid(&arguments.resource).send().await?.into_inner().profile;
    let columns: Vec<&str> = match &arguments.columns {
        Some(columns) => columns.split(',').collect(),
        None => profile.header.iter().map(String::as_str).collect(),
    };
    let page = tabular
        .get_resource_data()
        .rid(&arguments.resource)
        .filters(filters)
        .columns(columns.join(","))
        .page(arguments.page)
        .page_size(20)
        .send()
        .await?;
    let rows = page.data.iter().map(|row| {
        columns.iter().map(|column| row.get(*column).map_or_else(|| "-".to_owned(), plain)).collect::<Vec<_>>()
    });
    table(&columns, &rows.collect::<Vec<_>>());
    println!("  page {}, {} rows match", page.meta.page, page.meta.total.unwrap_or_default());
    Ok(())
}
