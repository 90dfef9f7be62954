//! The program behind `cargo xtask fidelity`, apart from xtask, which has to build when the clients do not.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use datagouv_fidelity::{Format, run};

/// Decode recorded responses, serialize them, and report what was lost; any loss is a failure
#[derive(Parser)]
#[command(name = "cargo xtask fidelity")]
struct Arguments {
    /// The folder of the recorded responses, one exchange in a file
    folder: PathBuf,
    /// Add an unknown property to each object of each body before it is decoded
    #[arg(long)]
    with_unknown: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run(&arguments.folder, arguments.with_unknown, arguments.format)
}
