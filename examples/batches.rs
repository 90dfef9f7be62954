//! Writes the rows of a file as a stream in the IPC format of Apache Arrow, which polars, DuckDB and pyarrow read.
//!
//! `cargo run --features arrow --example batches > rows.arrows`

mod support;

use std::io::IsTerminal;
use std::process::ExitCode;

use arrow_ipc::writer::StreamWriter;
use clap::Parser;
use datagouv::rows::Row;

use support::{Outcome, Place};

#[derive(Parser)]
#[command(about = "The rows of a file as an Arrow IPC stream")]
struct Arguments {
    /// The id of the resource; that of the charging points on the embedded platform by default
    #[arg(long, value_name = "ID", default_value = datagouv_sandbox::platform::CHARGING_POINTS_RESOURCE)]
    resource: String,
    /// The columns to write, separated by commas; all by default
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    #[command(flatten)]
    place: Place,
}

#[tokio::main]
async fn main() -> ExitCode {
    support::report(batches(Arguments::parse()).await)
}

async fn batches(arguments: Arguments) -> Outcome {
    if std::io::stdout().is_terminal() {
        return Err("the stream is bytes: redirect it to a file or a program".into());
    }
    let platform = arguments.place.open().await?;
    let rows = platform.client.resource(&arguments.resource).rows::<Row>().select(arguments.columns);
    let mut batches = rows.record_batches();
    let schema = batches.schema().await?;
    let mut writer = StreamWriter::try_new(std::io::stdout().lock(), &schema)?;
    let mut written = 0;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        written += batch.num_rows();
        writer.write(&batch)?;
    }
    writer.finish()?;
    eprintln!("{written} rows of {} columns", schema.fields().len());
    Ok(())
}
