//! The work that `cargo xtask bench` measures from outside, each in a process of its own.

mod server;
mod walk;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// Serve what the others ask for; prints its origin, and ends with its standard input
    Serve,
    /// Walk the datasets of the catalogue, page by page
    Walk(walk::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().work {
        Work::Serve => server::run(),
        Work::Walk(arguments) => walk::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A runtime that does not share out what is measured.
fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// What was done, for the program that measures.
fn tell(figures: &serde_json::Value) {
    println!("{figures}");
}
