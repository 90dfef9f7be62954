//! Searches datasets by words, producer, tag and format.
//!
//! `cargo run --example search -- mobilite --format csv`

mod support;

use std::process::ExitCode;

use clap::Parser;
use datagouv::main_v2::types::SearchDatasetsSort;

use support::{Outcome, Server, day, heading, short, table};

#[derive(Parser)]
#[command(about = "Which datasets are there about a subject, of a producer, with a tag, in a format?")]
struct Arguments {
    /// Words to search for
    words: Option<String>,
    /// A tag that they must have; may be repeated
    #[arg(long)]
    tag: Vec<String>,
    /// A format that one of their files must have (csv, json, shp…)
    #[arg(long)]
    format: Option<String>,
    /// The id of their producer
    #[arg(long, value_name = "ID")]
    organization: Option<String>,
    /// The most visited first
    #[arg(long)]
    popular: bool,
    /// The number of datasets to show
    #[arg(long, default_value_t = 10)]
    first: i64,
    #[command(flatten)]
    server: Server,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(search(arguments).await)
}

async fn search(arguments: Arguments) -> Outcome {
    let platform = arguments.server.open().await?;
    let words = arguments.words.unwrap_or_default();
    let mut search = platform.client.search().datasets(words).page_size(arguments.first);
    if !arguments.tag.is_empty() {
        search = search.tag(arguments.tag);
    }
    if let Some(format) = arguments.format {
        search = search.format(format);
    }
    if let Some(organization) = arguments.organization {
        search = search.organization(organization);
    }
    if arguments.popular {
        search = search.sort(SearchDatasetsSort::ViewsDescending);
    }
    let page = search.send().await?;
    heading(&format!("{} datasets", page.total));
    let rows = page.data.iter().map(|dataset| {
        let producer = dataset.organization.as_ref().map_or("-", |organization| &organization.name);
        vec![
            dataset.title.clone(),
            short(producer, 36),
            dataset.resources.total.to_string(),
            day(&dataset.last_update),
            dataset.id.clone(),
        ]
    });
    table(&["title", "producer", "files", "updated", "id"], &rows.collect::<Vec<_>>());

    // The facets: numbers of datasets by property.
    for property in page.facets.keys() {
        let counts = page.facet(property);
        let shown = counts.iter().take(5).map(|facet| format!("{} ({})", facet.value, facet.count));
        println!("  by {property}: {}", shown.collect::<Vec<_>>().join(", "));
    }
    Ok(())
}
