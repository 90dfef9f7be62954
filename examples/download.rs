//! Downloads the files of a dataset, and verifies their declared sizes and checksums.
//!
//! `cargo run --example download`; a dataset of data.gouv.fr: `-- --live SLUG --folder data`; only one file:
//! `-- --live --resource ID`.

mod support;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use datagouv::files::Downloaded;
use datagouv::main::types::ResourceTypeValue;
use datagouv_sandbox::platform::COMMUNES;

use support::{Outcome, Place};

#[derive(Parser)]
#[command(about = "How do the files of a dataset get onto this machine, whole and as they were declared?")]
struct Arguments {
    /// The slug or id of the dataset
    #[arg(default_value = COMMUNES)]
    dataset: String,
    /// The id of a resource, to download its file only
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
    /// Where to save
    #[arg(long, default_value = "data")]
    folder: PathBuf,
    /// The number of concurrent downloads
    #[arg(long, default_value_t = 4)]
    concurrency: usize,
    /// Keep files whose size or checksum is not the declared one
    #[arg(long)]
    unverified: bool,
    #[command(flatten)]
    place: Place,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(download(arguments).await)
}

async fn download(arguments: Arguments) -> Outcome {
    let Arguments { dataset, resource, folder, concurrency, unverified, place } = arguments;
    let platform = place.open().await?;
    let client = &platform.client;
    if let Some(id) = resource {
        tokio::fs::create_dir_all(&folder).await?;
        tell(&client.resource(id).download(folder).verify(!unverified).send().await?);
        return Ok(());
    }
    let wanted = [ResourceTypeValue::Main, ResourceTypeValue::Documentation];
    let files = client
        .dataset(dataset)
        .download_all(folder)
        .types(wanted)
        .concurrency(concurrency)
        .verify(!unverified)
        .send()
        .await?;
    let mut failures = 0;
    for file in files {
        match file.outcome {
            Ok(saved) => tell(&saved),
            Err(error) => {
                failures += 1;
                println!("failed  {}: {error}", file.resource.title);
            }
        }
    }
    if failures > 0 { Err(format!("{failures} files could not be saved").into()) } else { Ok(()) }
}

fn tell(saved: &Downloaded) {
    let checked = saved.checksum.as_ref().map_or_else(|| "no checksum declared".to_owned(), ToString::to_string);
    println!("saved   {} ({} bytes, {checked})", saved.path.display(), saved.size);
}
