//! What the maintainers do: `cargo xtask --help`.

mod convert;
mod overlays;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The work of the maintainers.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Print the OpenAPI 3.0.3 of a Swagger 2.0 document (JSON or YAML)
    Convert {
        /// The document
        file: PathBuf,
    },
    /// Compile the overlays to the form that builds apply
    Overlays {
        /// Write nothing; fail where a compiled overlay is not what its source says
        #[arg(long)]
        check: bool,
    },
    /// The real server of the catalogue on this machine
    Server {
        #[command(subcommand)]
        action: server::Action,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().task {
        Task::Convert { file } => convert::run(&file),
        Task::Overlays { check } => overlays::run(check),
        Task::Server { action } => server::run(action),
    }
}

/// The root of the project.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), PathBuf::from)
}
