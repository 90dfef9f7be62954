//! The workloads that `cargo xtask bench` measures, each in its own process.

mod call;
mod concurrent;
mod file;
mod rows;
mod server;
mod simulated;
mod stopwatch;
mod table;
mod upload;
mod walk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    workload: Workload,
}

#[derive(Subcommand)]
enum Workload {
    /// Serve what the others ask for; prints its origin, and ends with its standard input
    Serve(server::Arguments),
    /// One call after the other
    Call(call::Arguments),
    /// Decode a page of datasets
    Decode(call::decode::Arguments),
    /// Walk the datasets of the catalogue, page by page
    Walk(walk::Arguments),
    /// Read all rows of a table
    Rows(rows::Arguments),
    /// Read all rows of a table as record batches
    Batches(rows::Arguments),
    /// Read all rows of a table in memory as record batches
    BatchesOfFile(rows::FileArguments),
    /// Fetch the exports that hold all rows of a table, and nothing more
    RowBytes(rows::BytesArguments),
    /// Read all rows of a table from a file
    RowsOfFile(rows::FileArguments),
    /// Serve a large file; prints its URL, and ends with its standard input
    ServeFile(file::ServeArguments),
    /// Save a file, and check it
    Download(file::Arguments),
    /// Send a file in parts
    Upload(upload::Arguments),
    /// Make many calls at once
    Concurrent(concurrent::Arguments),
    /// Serve a catalogue and a table of any size; prints the origin, and ends with its standard input
    ServeSimulated(simulated::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().workload {
        Workload::Serve(arguments) => server::run(&arguments),
        Workload::Call(arguments) => call::run(&arguments),
        Workload::Decode(arguments) => call::decode::run(&arguments),
        Workload::Walk(arguments) => walk::run(&arguments),
        Workload::Rows(arguments) => rows::run(&arguments),
        Workload::Batches(arguments) => rows::batches(&arguments),
        Workload::BatchesOfFile(arguments) => rows::batches_of_file(&arguments),
        Workload::RowBytes(arguments) => rows::bytes(&arguments),
        Workload::RowsOfFile(arguments) => rows::file(&arguments),
        Workload::ServeFile(arguments) => file::serve(&arguments),
        Workload::Download(arguments) => file::download(&arguments),
        Workload::Upload(arguments) => upload::run(&arguments),
        Workload::Concurrent(arguments) => concurrent::run(&arguments),
        Workload::ServeSimulated(arguments) => simulated::run(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// reqwest alone, with the TLS that the client chooses.
fn reqwest() -> Outcome<reqwest::Client> {
    install_tls();
    Ok(reqwest::Client::builder().build()?)
}

/// The TLS that the client chooses.
fn install_tls() {
    // It is there already where a client was made before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A single-threaded runtime.
fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Prints the measurements as JSON, for `cargo xtask bench`.
fn print_result(figures: &serde_json::Value) {
    println!("{figures}");
}
