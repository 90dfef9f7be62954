//! Requests only the fields of its own type, on all pages of a list.
//!
//! `cargo run --features masks --example project -- mobilite`

mod support;

use std::process::ExitCode;

use clap::Parser;
use schemars::JsonSchema;
use serde::Deserialize;

use support::{Outcome, Server, heading, short, table};

#[derive(Parser)]
#[command(
    about = "How does a program request only the fields that it needs, in a type of its own, from all pages of a list?"
)]
struct Arguments {
    /// Words that the datasets must have
    words: Option<String>,
    /// The number of datasets to read
    #[arg(long, default_value_t = 20)]
    first: usize,
    #[command(flatten)]
    server: Server,
}

/// The fields of a dataset that this program needs. The mask is derived from them, so that the server sends no others.
#[derive(Deserialize, JsonSchema)]
struct Dataset {
    title: String,
    organization: Option<Organization>,
    resources: Vec<Resource>,
}

#[derive(Deserialize, JsonSchema)]
struct Organization {
    name: String,
}

#[derive(Deserialize, JsonSchema)]
struct Resource {
    format: Option<String>,
    filesize: Option<u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(project(arguments).await)
}

async fn project(arguments: Arguments) -> Outcome {
    let platform = arguments.server.open().await?;
    let mut list = platform.client.main().list_datasets();
    if let Some(words) = arguments.words {
        list = list.q(words);
    }
    let call = list.fields::<Dataset>();
    let mask = call.request().and_then(|request| request.headers().get("x-fields"));
    heading(&format!("X-Fields: {}", mask.and_then(|mask| mask.to_str().ok()).unwrap_or("-")));

    let datasets = call.items().collect_up_to(arguments.first).await?;
    let rows = datasets.iter().map(|dataset| {
        let formats: Vec<&str> = dataset.resources.iter().filter_map(|resource| resource.format.as_deref()).collect();
        let size: u64 = dataset.resources.iter().filter_map(|resource| resource.filesize).sum();
        let producer = dataset.organization.as_ref().map_or("-", |organization| &organization.name);
        vec![dataset.title.clone(), short(producer, 36), formats.join(" "), format!("{} kB", size.div_ceil(1000))]
    });
    table(&["title", "producer", "formats", "size"], &rows.collect::<Vec<_>>());
    Ok(())
}
