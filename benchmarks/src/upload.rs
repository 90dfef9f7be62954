//! Sending a large file in parts.

use std::path::PathBuf;

use datagouv::{Api, Client, File, Limits};
use serde_json::json;

use crate::stopwatch::{Memory, Stopwatch};
use crate::{Outcome, print_result, runtime};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The origin of the server
    #[arg(long)]
    origin: String,
    /// The id of the dataset, from which the server makes its response
    #[arg(long)]
    dataset: String,
    /// The file
    path: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let base = format!("{}/api/1", arguments.origin);
    let client = Client::builder().base_url(Api::Main, base).limits(Limits::none()).api_key("key").build()?;
    let runtime = runtime()?;
    let memory = Memory::idle()?;
    let stopwatch = Stopwatch::start();
    let created = runtime.block_on(async {
        let file = File::from_path(&arguments.path).await?;
        Outcome::Ok(client.dataset(&arguments.dataset).upload(file).send().await?)
    })?;
    let (wall, cpu) = stopwatch.stop();
    print_result(&json!({"bytes": created.filesize, "wall": wall, "cpu": cpu, "memory": memory.grown()?}));
    Ok(())
}
