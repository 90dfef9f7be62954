//! Runs a query of SQL over tables of data.gouv.fr.
//!
//! `cargo run --manifest-path datafusion/Cargo.toml --example sql -- "SELECT count(*) FROM dataset('bornes-de-recharge')"`

#[path = "../../examples/support/mod.rs"]
mod support;

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv::Writer as CsvWriter;
use datafusion::arrow::json::LineDelimitedWriter;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionContext;
use datagouv_datafusion::{Options, register_with, sql};
use futures_util::StreamExt;

use support::{Outcome, Server};

/// Which towns with charging points of 50 kW and more have the most of them, and how many people live there?
const QUERY: &str = "
    SELECT c.nom, c.population, count(*) AS points, max(p.puissance) AS strongest
    FROM resource('3f5e1c2a-7b4d-4e6f-8a90-1b2c3d4e5f60') p
    JOIN resource('8d2b7f10-95c3-4a1e-b6d4-2f3e4d5c6b7a') c ON c.code_insee = p.code_insee
    WHERE p.puissance >= 50
    GROUP BY c.nom, c.population
    ORDER BY points DESC, c.nom LIMIT 5";

#[derive(Parser)]
#[command(about = "Runs a query of SQL over tables of data.gouv.fr")]
struct Arguments {
    /// The query; on the embedded platform, a join of two of its tables by default
    #[arg(default_value = QUERY, hide_default_value = true)]
    query: String,
    /// Show which tables are read from where and why, what the servers get, and how many requests that takes
    #[arg(long)]
    explain: bool,
    /// How to write the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The file to write; standard output by default
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The number of rows of a table that is shown
    #[arg(long, default_value_t = 50)]
    show: usize,
    /// Do not read Parquet copies
    #[arg(long)]
    no_parquet: bool,
    /// Do not send alternatives (`OR`) to the server, which tabular servers up to version 0.3.1 refuse
    #[arg(long)]
    no_alternatives: bool,
    #[command(flatten)]
    server: Server,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
    Parquet,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(run(arguments).await)
}

async fn run(arguments: Arguments) -> Outcome {
    let platform = arguments.server.open().await?;
    let context = SessionContext::new();
    let options = Options::default().parquet(!arguments.no_parquet).alternatives(!arguments.no_alternatives);
    register_with(&context, &platform.client, options)?;
    let frame = sql(&context, &arguments.query).await?;
    let plan = frame.clone().create_physical_plan().await?;
    if arguments.explain {
        println!("{}", displayable(plan.as_ref()).indent(false));
        return Ok(());
    }
    let mut batches = datafusion::physical_plan::execute_stream(plan, context.task_ctx())?;
    let output: Box<dyn Write + Send> = match &arguments.output {
        Some(path) => Box::new(File::create(path).map_err(|error| format!("{}: {error}", path.display()))?),
        None => Box::new(std::io::stdout()),
    };
    let mut sink = Sink::new(arguments.format, batches.schema(), output, arguments.show)?;
    let mut rows = 0;
    let is_watched = std::io::stderr().is_terminal();
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        rows += batch.num_rows();
        sink.write(batch)?;
        if is_watched {
            eprint!("\r{rows} rows");
        }
    }
    sink.finish()?;
    eprintln!("{}{rows} rows from {}", if is_watched { "\r" } else { "" }, platform.name);
    Ok(())
}

/// Where batches are written, one after another.
enum Sink {
    Table { output: Box<dyn Write + Send>, batches: Vec<RecordBatch>, left: usize },
    Csv(Box<CsvWriter<Box<dyn Write + Send>>>),
    Json(LineDelimitedWriter<Box<dyn Write + Send>>),
    Parquet(Box<ArrowWriter<Box<dyn Write + Send>>>),
}

impl Sink {
    fn new(
        format: Format,
        schema: datafusion::arrow::datatypes::SchemaRef,
        output: Box<dyn Write + Send>,
        show: usize,
    ) -> Outcome<Self> {
        Ok(match format {
            Format::Table => Self::Table { output, batches: vec![RecordBatch::new_empty(schema)], left: show },
            Format::Csv => Self::Csv(Box::new(CsvWriter::new(output))),
            Format::Json => Self::Json(LineDelimitedWriter::new(output)),
            Format::Parquet => Self::Parquet(Box::new(ArrowWriter::try_new(output, schema, None)?)),
        })
    }

    fn write(&mut self, batch: RecordBatch) -> Outcome {
        match self {
            Self::Table { batches, left, .. } => {
                let shown = batch.num_rows().min(*left);
                *left -= shown;
                batches.push(batch.slice(0, shown));
            }
            Self::Csv(writer) => writer.write(&batch)?,
            Self::Json(writer) => writer.write(&batch)?,
            Self::Parquet(writer) => writer.write(&batch)?,
        }
        Ok(())
    }

    fn finish(self) -> Outcome {
        match self {
            Self::Table { mut output, batches, .. } => writeln!(output, "{}", pretty_format_batches(&batches)?)?,
            Self::Csv(writer) => writer.into_inner().flush()?,
            Self::Json(mut writer) => writer.finish()?,
            Self::Parquet(writer) => {
                writer.close()?;
            }
        }
        Ok(())
    }
}
