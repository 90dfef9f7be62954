//! Publishes a dataset: creates it, uploads a file, changes and deletes it.
//!
//! `cargo run --example publish`; elsewhere with a key: `-- --env demo --api-key-file FILE`. The dataset is a
//! private draft, which is deleted at the end unless `--keep` is given.

mod support;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use datagouv::File;
use datagouv::main::types::{DatasetFrequency, DatasetInput, ResourceInput, ResourceUpdate};
use datagouv::objects::{DatasetHandle, ResourceKey};

use support::{Outcome, Server};

#[derive(Parser)]
#[command(about = "How is a dataset published: created, given a file, changed, deleted?")]
struct Arguments {
    /// The file to publish; a few lines of CSV by default
    file: Option<PathBuf>,
    /// Leave the draft where it is
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    server: Server,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(publish(arguments).await)
}

async fn publish(arguments: Arguments) -> Outcome {
    let file = match &arguments.file {
        Some(path) => File::from_path(path).await.map_err(|error| format!("{}: {error}", path.display()))?,
        None => File::from_bytes("communes.csv", "code,nom\n29019,Brest\n35238,Rennes\n"),
    };
    let platform = arguments.server.open().await?;
    if !platform.has_key {
        return Err("publishing needs an API key: --api-key-file FILE".into());
    }
    let client = &platform.client;

    let draft = DatasetInput::new("My communes", "Communes that I have been to.").private(true).tags(["communes"]);
    let created = client.create_dataset(draft).await?;
    println!("created   {} ({})", created.title, created.id);

    let dataset = client.dataset(created.id);
    let outcome = fill(&dataset, file).await;
    if !arguments.keep {
        dataset.delete().await?;
        println!("deleted   {}", dataset.id());
    }
    outcome
}

async fn fill(dataset: &DatasetHandle, file: File) -> Outcome {
    let describe = |update: ResourceUpdate| update.title("Codes and names").description("By code.");
    let file = dataset.create_from_file(file, describe).await?;
    println!("uploaded  {} ({} bytes)", file.title, file.filesize.unwrap_or_default());

    let more = ResourceInput::remote("Borders", "https://example.org/borders.geojson").format("geojson");
    println!("linked    {}", dataset.create_remote(more).await?.title);
    let sorted = dataset.sort_resources(ResourceKey::Title).await?;
    println!("sorted    {}", sorted.iter().map(|resource| resource.title.as_str()).collect::<Vec<_>>().join(", "));

    // Read, modify, write: properties that are not named stay as they are.
    let seen = dataset.update(|update| update.title("Communes of the west")).await?;
    // An error if somebody else has changed it since.
    let changed = dataset.update_unless_changed(&seen, |update| update.frequency(DatasetFrequency::Annual)).await?;
    println!("changed   {}, {}, tags {}", changed.title, changed.frequency, changed.tags.join(" "));
    println!("          {}", changed.page);
    Ok(())
}
