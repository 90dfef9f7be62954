//! How is a dataset published: created, given a file, changed, deleted?
//!
//! `cargo run --example publish`; elsewhere with a key: `-- --env demo --api-key-file FILE`. The dataset is a
//! private draft, which is deleted at the end unless `--keep` is given.

mod support;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use datagouv::main::types::{
    DatasetFrequency, DatasetInput, DatasetUpdate, ResourceUpdate, UploadNewDatasetResourceForm,
};
use datagouv::{Client, File};

use support::{Outcome, Place};

#[derive(Parser)]
#[command(about = "How is a dataset published: created, given a file, changed, deleted?")]
struct Arguments {
    /// The file to publish; a few lines of CSV otherwise
    file: Option<PathBuf>,
    /// Leave the draft where it is
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    place: Place,
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
    let platform = arguments.place.open().await?;
    if !platform.has_key {
        return Err("publishing needs an API key: --api-key-file FILE".into());
    }
    let main = platform.client.main();

    let draft = DatasetInput::new("My communes", "Communes that I have been to.").private(true).tags(["communes"]);
    let dataset = main.create_dataset().body(draft).send().await?.into_inner();
    println!("created   {} ({})", dataset.title, dataset.id);

    let outcome = fill_and_change(&platform.client, &dataset.id, file).await;
    if !arguments.keep {
        main.delete_dataset().dataset(&dataset.id).send().await?;
        println!("deleted   {}", dataset.id);
    }
    outcome
}

async fn fill_and_change(client: &Client, id: &str, file: File) -> Outcome {
    let main = client.main();
    let form = UploadNewDatasetResourceForm::new().file(file);
    let uploaded = main.upload_new_dataset_resource().dataset(id).body(form).send().await?;
    let rid = uploaded.id.clone().ok_or("the platform gave the file no id")?;
    println!("uploaded  {} ({rid})", uploaded.title.as_deref().unwrap_or("-"));

    // Read, modify, write: what is not named stays as it was read.
    let resource = main.get_resource().dataset(id).rid(&rid).send().await?.into_inner();
    let update = ResourceUpdate::from(resource).title("Codes and names").description("By code.");
    let resource = main.update_resource().dataset(id).rid(&rid).body(update).send().await?;
    println!("renamed   {}", resource.title);

    let dataset = main.get_dataset().dataset(id).send().await?.into_inner();
    let update = DatasetUpdate::from(dataset).title("Communes of the west").frequency(DatasetFrequency::Annual);
    let dataset = main.update_dataset().dataset(id).body(update).send().await?;
    println!("changed   {}, {}, tags {}", dataset.title, dataset.frequency, dataset.tags.join(" "));
    println!("          {}", dataset.page);
    Ok(())
}
