//! The commands and their arguments.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::format::{self, Format};
use crate::{bench, cargo, convert, coverage, diff, drift, overlays, refresh, release, server, source, validate};

/// Maintenance of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Print a document of Swagger 2.0 or OpenAPI 3.1 as OpenAPI 3.0.3; its faults go to stderr
    Convert {
        #[arg(help = source::SOURCES)]
        source: String,
        #[arg(long, help = source::FOLDER)]
        folder: Option<PathBuf>,
    },
    /// Bring the vendored documents up to date, and print what that changes for users
    Refresh(refresh::Arguments),
    /// Print what changed between two documents, and what breaks
    Diff(diff::Arguments),
    /// Print what the next release is: its version, its section of the CHANGELOG, and what does not agree with it
    Release(release::Arguments),
    /// Print what is wrong with a document, by the JSON Schema of its version and by rules of our own
    Validate(validate::Arguments),
    /// Call the read operations of a running platform, and print what its documents and overlays do not cover
    Drift(drift::Arguments),
    /// Compile the overlays to the form that builds apply
    Overlays {
        /// Write nothing; fail if a compiled overlay differs from its source
        #[arg(long)]
        check: bool,
    },
    /// Print which operations are generated, called in tests, and called on a real server
    Coverage {
        #[arg(long, default_value = "text", value_parser = format::among(&format::TABLE))]
        format: Format,
        /// Fail if no response of a real server to an operation was recorded
        #[arg(long)]
        live: bool,
    },
    /// Decode recorded responses, encode them again, and print what was lost
    #[command(disable_help_flag = true)]
    Fidelity {
        /// The folder of the recorded responses, and how to print
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure building and running the client, side by side with its alternatives
    Bench(bench::Arguments),
    /// The real platform on this machine: the catalogue, hydra, the tabular and the metrics API
    Server {
        #[command(subcommand)]
        action: server::Action,
    },
}

/// Runs the command that the program was started with.
pub fn run() -> ExitCode {
    match Arguments::parse().task {
        Task::Convert { source, folder } => convert::run(&source, folder.as_deref()),
        Task::Refresh(arguments) => refresh::run(&arguments),
        Task::Diff(arguments) => diff::run(&arguments),
        Task::Release(arguments) => release::run(&arguments),
        Task::Validate(arguments) => validate::run(&arguments),
        Task::Drift(arguments) => drift::run(&arguments),
        Task::Overlays { check } => overlays::run(check),
        Task::Coverage { format, live } => coverage::run(format, live),
        Task::Fidelity { arguments } => fidelity(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Server { action } => server::run(action),
    }
}

/// Runs the crate that decodes: it needs the clients, and xtask must build when they do not.
fn fidelity(arguments: &[String]) -> ExitCode {
    let status = cargo("run").args(["--quiet", "--package", "datagouv-fidelity", "--"]).args(arguments).status();
    match status {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2)),
        Err(error) => {
            eprintln!("cargo: {error}");
            ExitCode::from(2)
        }
    }
}
