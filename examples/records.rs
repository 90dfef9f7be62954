//! Prints the rows of any file: of a resource, from the tabular API or from its file, or of a local file.
//!
//! `cargo run --example records`; on data.gouv.fr: `-- --live --resource ID`; a local file: `-- --file communes.csv.gz`.

#[path = "support/bar.rs"]
mod bar;
mod support;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use datagouv::records::{self, Format, RecordStream};
use datagouv::rows::Row;
use datagouv_sandbox::platform::COMMUNES_RESOURCE;

use bar::Bar;
use support::{Outcome, Server, plain, table};

#[derive(Parser)]
#[command(about = "What are the rows of a file, whatever its encoding and separator?")]
struct Arguments {
    /// The id of the resource
    #[arg(long, value_name = "ID", default_value = COMMUNES_RESOURCE)]
    resource: String,
    /// A local file instead
    #[arg(long, value_name = "FILE", conflicts_with = "resource")]
    file: Option<PathBuf>,
    /// Read the file even if the tabular API has its rows
    #[arg(long)]
    from_file: bool,
    /// The encoding, if it is guessed wrong
    #[arg(long)]
    encoding: Option<String>,
    /// The separator, if it is guessed wrong
    #[arg(long)]
    separator: Option<char>,
    /// Read lines with too many or too few cells, and bytes that are not valid
    #[arg(long)]
    lenient: bool,
    /// The number of rows to show; all are read and counted
    #[arg(long, default_value_t = 10)]
    show: usize,
    #[command(flatten)]
    server: Server,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(print(arguments).await)
}

async fn print(arguments: Arguments) -> Outcome {
    let mut format = Format::new().lenient(arguments.lenient);
    if let Some(encoding) = arguments.encoding {
        format = format.encoding(encoding);
    }
    if let Some(separator) = arguments.separator {
        format = format.separator(separator);
    }
    let bar = Arc::new(Bar::new());
    if let Some(file) = arguments.file {
        let file = tokio::fs::File::open(file).await?;
        return show(records::read(file, format).await?, arguments.show, &bar).await;
    }
    // The platform ends with this.
    let platform = arguments.server.open().await?;
    let shown = Arc::clone(&bar);
    let mut records = platform.client.resource(arguments.resource).records().format(format);
    if arguments.from_file {
        records = records.from_file();
    }
    let records = records.progress(move |now| shown.show("reading", now)).open().await?;
    show(records, arguments.show, &bar).await
}

async fn show(mut records: RecordStream<Row>, most: usize, bar: &Bar) -> Outcome {
    let (mut shown, mut failed) = (Vec::new(), 0_u64);
    while let Some(row) = records.next().await {
        match row {
            Ok(row) if shown.len() < most => shown.push(row),
            Ok(_) => {}
            Err(error) if error.is_decode() => {
                failed += 1;
                eprintln!("{error}");
            }
            Err(error) => return Err(error.into()),
        }
    }
    bar.finish();
    println!("from {}", records.source());
    if let Some(first) = shown.first() {
        let titles: Vec<&str> = first.iter().map(|(name, _)| name).collect();
        let cells = shown.iter().map(|row| row.iter().map(|(_, value)| plain(value)).collect());
        table(&titles, &cells.collect::<Vec<_>>());
    }
    println!("{} rows, {failed} of them unreadable", records.so_far());
    Ok(())
}
