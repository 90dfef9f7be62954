//! Reads the exports of the whole catalogue, row by row.
//!
//! `cargo run --example dump`; the real ones: `-- --live`; those of an organization:
//! `-- --live --organization SLUG`.

mod support;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Parser;

use support::{Outcome, Server, heading, table};

#[derive(Parser)]
#[command(about = "What does the whole catalogue hold? Its exports, read row by row.")]
struct Arguments {
    /// The slug or id of an organization, to read its datasets only
    #[arg(long)]
    organization: Option<String>,
    /// A tag that the datasets must have
    #[arg(long, conflicts_with = "organization")]
    tag: Option<String>,
    /// The number of licences to show
    #[arg(long, default_value_t = 10)]
    first: usize,
    #[command(flatten)]
    server: Server,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(count(arguments).await)
}

async fn count(arguments: Arguments) -> Outcome {
    let platform = arguments.server.open().await?;
    let client = &platform.client;
    let mut dump = match &arguments.organization {
        Some(organization) => client.organization(organization).dumps().datasets(),
        None => client.dumps().datasets(),
    };
    if let Some(tag) = &arguments.tag {
        dump = dump.filter("tag", tag);
    }

    let (mut datasets, mut resources) = (0, 0);
    let mut licences = BTreeMap::<String, u64>::new();
    let mut rows = dump.stream();
    while let Some(row) = rows.next().await {
        let row = row?;
        datasets += 1;
        resources += row.resources_count;
        *licences.entry(row.license.unwrap_or_else(|| "none".to_owned())).or_default() += 1;
    }

    println!("{datasets} datasets with {resources} resources, of {}", platform.name);
    heading("Licences");
    let mut licences: Vec<(String, u64)> = licences.into_iter().collect();
    licences.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rows: Vec<Vec<String>> =
        licences.into_iter().take(arguments.first).map(|(name, count)| vec![name, count.to_string()]).collect();
    table(&["licence", "datasets"], &rows);
    Ok(())
}
