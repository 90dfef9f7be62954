//! Uploads a file of any size.
//!
//! `cargo run --example upload`; elsewhere with a key: `-- --env demo --api-key-file FILE --dataset SLUG FILE`.

#[path = "support/bar.rs"]
mod bar;
mod support;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use datagouv::File;
use datagouv::files::UnpublishedFile;
use datagouv_sandbox::platform::COMMUNES;

use bar::Bar;
use support::{Outcome, Server};

#[derive(Parser)]
#[command(about = "How does a file get onto the platform, however large it is?")]
struct Arguments {
    /// The file to upload; some lines of CSV by default
    file: Option<PathBuf>,
    /// The slug or id of the dataset that gets it as a new resource
    #[arg(long, default_value = COMMUNES)]
    dataset: String,
    /// The id of a resource whose file it replaces instead
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
    /// Columns that the first line has to name, or nothing is sent: `code,nom`
    #[arg(long, value_name = "NAMES")]
    columns: Option<String>,
    /// The size of the parts, in bytes
    #[arg(long, default_value_t = 4 << 20)]
    part_size: u64,
    /// Resume an interrupted upload, by its identifier
    #[arg(long, value_name = "UUID")]
    resume: Option<String>,
    #[command(flatten)]
    server: Server,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(upload(arguments).await)
}

async fn upload(arguments: Arguments) -> Outcome {
    let Arguments { file, dataset, resource, columns, part_size, resume, server } = arguments;
    let file = match &file {
        Some(path) => File::from_path(path).await.map_err(|error| format!("{}: {error}", path.display()))?,
        None => File::from_bytes("codes.csv", "code,nom\n29019,Brest\n".repeat(500_000)),
    };
    let platform = server.open().await?;
    if !platform.has_key {
        return Err("an upload needs an API key: --api-key-file FILE".into());
    }
    let client = &platform.client;
    let dataset = client.dataset(dataset);
    let mut upload = match resource {
        Some(id) => dataset.resource(id).upload(file),
        None => dataset.upload(file),
    };
    if let Some(uuid) = resume {
        upload = upload.resume(uuid);
    }
    if let Some(columns) = columns {
        upload = upload.check(move |unpublished| async move { has_columns(&unpublished, &columns).await });
    }
    let uuid = upload.uuid().to_owned();
    println!("sending   with --resume {uuid} if it is interrupted");
    let bar = Arc::new(Bar::new());
    let shown = Arc::clone(&bar);
    let upload = upload.parts_above(part_size).part_size(part_size).progress(move |now| shown.show("sending", now));
    let made = upload.send().await?;
    bar.finish();

    println!("sent      {}", made.title);
    println!("          {}", made.url);
    if let Some(checksum) = made.checksum {
        println!("          {} {}", checksum.type_, checksum.value);
    }
    Ok(())
}

/// Checks the first line of a file. A validator of table schemas would be called here too: `unpublished.schema` is the one that
/// the resource or the dataset names.
async fn has_columns(unpublished: &UnpublishedFile, columns: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let bytes = unpublished.bytes().await?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let header: Vec<&str> =
        line.split([',', ';', '\t']).map(|name| name.trim_matches(['"', '\r', '\u{feff}'])).collect();
    match columns.split(',').find(|column| !header.contains(column)) {
        Some(missing) => Err(format!("there is no column `{missing}` in `{}`", line.trim_end()).into()),
        None => Ok(()),
    }
}
