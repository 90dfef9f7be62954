//! Writes the rows of a file, as record batches of Apache Arrow, into a Parquet file.
//!
//! `cargo run --features parquet --example batches -- rows.parquet`

mod support;

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use datagouv::rows::Row;
use parquet::arrow::ArrowWriter;

use support::{Outcome, Server};

#[derive(Parser)]
#[command(about = "The rows of a file as Parquet")]
struct Arguments {
    /// The file to write
    output: PathBuf,
    /// The id of the resource; that of the charging points on the embedded platform by default
    #[arg(long, value_name = "ID", default_value = datagouv_sandbox::platform::CHARGING_POINTS_RESOURCE)]
    resource: String,
    /// The columns to write, separated by commas; all by default
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    #[command(flatten)]
    server: Server,
}

#[tokio::main]
async fn main() -> ExitCode {
    support::report(batches(Arguments::parse()).await)
}

async fn batches(arguments: Arguments) -> Outcome {
    let platform = arguments.server.open().await?;
    let rows = platform.client.resource(&arguments.resource).rows::<Row>().select(arguments.columns);
    let mut batches = rows.record_batches();
    let schema = batches.schema().await?;
    let mut writer = ArrowWriter::try_new(File::create(&arguments.output)?, schema.clone(), None)?;
    let mut written = 0;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        written += batch.num_rows();
        writer.write(&batch)?;
    }
    writer.close()?;
    println!("{written} rows of {} columns in {}", schema.fields().len(), arguments.output.display());
    Ok(())
}
