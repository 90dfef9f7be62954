//! Brings a folder up to date with the files of a dataset, of an organization or of a search.
//!
//! `cargo run --example mirror`; twice, to see what the second run does not download. On data.gouv.fr:
//! `-- --live SLUG --folder data --include '*.csv'`, `-- --live --organization SLUG`, `-- --live --search WORDS`.

#[path = "support/bar.rs"]
mod bar;
mod support;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use datagouv::mirror::{Mirror, Orphans, Outcome as FileOutcome};
use datagouv_sandbox::platform::COMMUNES;

use bar::Bar;
use support::{Outcome, Server};

#[derive(Parser)]
#[command(about = "What has changed since yesterday, and how does a folder follow it?")]
struct Arguments {
    /// The slug or id of the dataset
    #[arg(default_value = COMMUNES)]
    dataset: String,
    /// The slug or id of an organization, to follow all of its datasets
    #[arg(long, value_name = "ID", conflicts_with = "search")]
    organization: Option<String>,
    /// Words to search datasets by, to follow what is found
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
    /// The folder
    #[arg(long, default_value = "data")]
    folder: PathBuf,
    /// Patterns of the names of files to follow, such as *.csv
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// Patterns of the names of files to leave out
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Formats to follow, separated by commas
    #[arg(long, value_delimiter = ',')]
    formats: Vec<String>,
    /// Remove files whose resources are no longer in the catalogue
    #[arg(long)]
    remove: bool,
    /// Only print what would be done
    #[arg(long)]
    dry_run: bool,
    /// Watch the catalogue, polling it every so many seconds
    #[arg(long, value_name = "SECONDS")]
    watch: Option<u64>,
    #[command(flatten)]
    server: Server,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(mirror(arguments).await)
}

async fn mirror(arguments: Arguments) -> Outcome {
    let Arguments { dataset, organization, search, folder, include, exclude, formats, .. } = arguments;
    let platform = arguments.server.open().await?;
    let client = &platform.client;
    let mut mirror = match (organization, search) {
        (Some(organization), _) => client.organization(organization).mirror(folder),
        (None, Some(words)) => client.mirror(client.main().list_datasets().q(words), folder),
        (None, None) => client.dataset(dataset).mirror(folder),
    };
    mirror = include.iter().fold(mirror, Mirror::include);
    mirror = exclude.iter().fold(mirror, Mirror::exclude);
    let orphans = if arguments.remove { Orphans::Remove } else { Orphans::Keep };
    let mirror = mirror.formats(formats).orphans(orphans).dry_run(arguments.dry_run).concurrency(4);
    run(mirror.clone()).await?;
    let Some(seconds) = arguments.watch else { return Ok(()) };
    let mut changes = mirror.clone().watch(Duration::from_secs(seconds.max(1)));
    while let Some(change) = changes.next().await {
        match change {
            Ok(change) => {
                println!("{change}");
                run(mirror.clone()).await?;
            }
            Err(error) => eprintln!("{error}"),
        }
    }
    Ok(())
}

async fn run(mirror: Mirror) -> Outcome {
    let bar = Arc::new(Bar::new());
    let shown = Arc::clone(&bar);
    let report = mirror.progress(move |path, now| shown.show(path, now)).run().await?;
    bar.finish();
    for file in &report.files {
        if !matches!(file.outcome, FileOutcome::Unchanged) {
            println!("{:9} {}", file.outcome, file.path.display());
        }
    }
    println!("{report}");
    match report.failures().count() {
        0 => Ok(()),
        failures => Err(format!("{failures} files could not be downloaded").into()),
    }
}
