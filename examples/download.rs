//! Downloads the files of a dataset, and verifies their declared sizes and checksums.
//!
//! `cargo run --example download`; a dataset of data.gouv.fr: `-- --live SLUG --folder data`; only one file:
//! `-- --live --resource ID`.

#[path = "support/bar.rs"]
mod bar;
mod support;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use datagouv::files::{Downloaded, Format};
use datagouv::main::types::ResourceTypeValue;
use datagouv_sandbox::platform::COMMUNES;

use bar::Bar;
use support::{Outcome, Server};

#[derive(Parser)]
#[command(about = "How do the files of a dataset get onto this machine, whole and as they were declared?")]
struct Arguments {
    /// The slug or id of the dataset
    #[arg(default_value = COMMUNES)]
    dataset: String,
    /// The id of a resource, to download its file only
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
    /// With `--resource`: the platform's copy in Parquet, if there is one of the present file
    #[arg(long, requires = "resource")]
    parquet: bool,
    /// Where to save
    #[arg(long, default_value = "data")]
    folder: PathBuf,
    /// The number of concurrent downloads
    #[arg(long, default_value_t = 4)]
    concurrency: usize,
    /// Keep files whose size or checksum is not the declared one
    #[arg(long)]
    unverified: bool,
    /// Keep files that do not begin as their format does, such as HTML pages instead of data
    #[arg(long)]
    any_content: bool,
    #[command(flatten)]
    server: Server,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(download(arguments).await)
}

async fn download(arguments: Arguments) -> Outcome {
    let Arguments { dataset, resource, parquet, folder, concurrency, unverified, any_content, server } = arguments;
    let platform = server.open().await?;
    let client = &platform.client;
    let bar = Arc::new(Bar::new());
    let shown = Arc::clone(&bar);
    if let Some(id) = resource {
        tokio::fs::create_dir_all(&folder).await?;
        let wanted = if parquet { &[Format::Parquet, Format::Original][..] } else { &[Format::Original] };
        let best = client.resource(id).best_file(wanted.iter().copied()).await?.ok_or("it has no file")?;
        let download = best.file.download(folder).verify(!unverified).progress(move |now| shown.show("file", now));
        let download = if any_content { download.accept_any_content() } else { download };
        let saved = download.send().await?;
        bar.finish();
        show(&saved);
        return Ok(());
    }
    let wanted = [ResourceTypeValue::Main, ResourceTypeValue::Documentation];
    let files = client.dataset(dataset).download_all(folder).types(wanted).concurrency(concurrency).verify(!unverified);
    let files = files.progress(move |resource, now| shown.show(&resource.title, now));
    let files = if any_content { files.accept_any_content() } else { files }.send().await?;
    bar.finish();
    let mut failures = 0;
    for file in files {
        match file.outcome {
            Ok(saved) => show(&saved),
            Err(error) => {
                failures += 1;
                println!("failed  {}: {error}", file.resource.title);
            }
        }
    }
    if failures > 0 { Err(format!("{failures} files could not be saved").into()) } else { Ok(()) }
}

fn show(saved: &Downloaded) {
    let checked = saved.checksum.as_ref().map_or_else(|| "no checksum declared".to_owned(), ToString::to_string);
    println!("saved   {} ({} bytes, {checked})", saved.path.display(), saved.size);
}
