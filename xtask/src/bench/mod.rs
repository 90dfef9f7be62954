//! `bench`: measures building and running the client, side by side with its alternatives.

mod batches;
mod build;
mod call;
mod concurrent;
mod decode;
mod diff;
mod download;
mod machine;
mod measure;
mod pages;
mod report;
mod rows;
mod scale;
mod sql;
mod upload;
mod valgrind;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use serde_json::json;

use crate::format::{self, Format};
use crate::python::Environment;
use machine::Machine;
use measure::Server;
use report::Table;

/// What `cargo xtask bench` takes.
#[derive(clap::Args)]
pub struct Arguments {
    /// What to measure; everything otherwise
    #[arg(value_enum)]
    benchmarks: Vec<Benchmark>,
    /// How often each is run in turn with what it is compared with; medians are reported
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// How the report is written
    #[arg(long, default_value = "text", value_parser = format::among(&format::TABLE))]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Benchmark {
    /// Builds from nothing and of the crate alone, and the size of a program
    Build,
    /// Single typed calls, and the same by hand
    Call,
    /// A page decoded, and by other readers of JSON
    Decode,
    /// A walk through 10,000 datasets, and the official Python client's
    Pages,
    /// A table of 1,000,000 rows, and the official Python client's, and `csv` from a file
    Rows,
    /// The same table as record batches, and arrow-csv's
    Batches,
    /// A file of 1 GB, and curl's
    Download,
    /// A file of 1 GB sent in parts, and curl's upload of it whole
    Upload,
    /// The memory of 1,000 calls at once, and that of reqwest by hand
    Concurrent,
    /// Walks and tables a hundred times as long, against a server that makes them up
    Scale,
    /// What `cargo xtask diff` takes
    Diff,
    /// Queries through DataFusion, and those of polars and DuckDB
    Sql,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    let every = <Benchmark as clap::ValueEnum>::value_variants();
    let threshold = if arguments.benchmarks.is_empty() { every } else { &arguments.benchmarks };
    let before = Machine::now();
    let (mut tables, mut failed) = (Vec::new(), false);
    for benchmark in threshold {
        match measure(*benchmark, usize::from(arguments.rounds)) {
            Ok(table) => {
                // A table takes minutes: each is printed as soon as it is measured.
                if arguments.format == Format::Text {
                    println!("{}", table.text());
                }
                tables.push(table);
            }
            // The other tables are still valid.
            Err(reason) => {
                eprintln!("{reason}");
                failed = true;
            }
        }
    }
    let machine = Machine::now().since(&before);
    match arguments.format {
        Format::Json => {
            let tables: Vec<_> = tables.iter().map(Table::json).collect();
            println!("{:#}", json!({"machine": machine.json(), "rounds": arguments.rounds, "tables": tables}));
        }
        _ => println!("{}", machine.text()),
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn measure(benchmark: Benchmark, rounds: usize) -> Result<Table, String> {
    match benchmark {
        Benchmark::Build => build::measure(rounds),
        Benchmark::Call => call::measure(&Workloads::build()?, rounds),
        Benchmark::Decode => decode::measure(&Workloads::build()?, rounds),
        Benchmark::Pages => pages::measure(&Workloads::build()?, rounds),
        Benchmark::Rows => rows::measure(&Workloads::build()?, rounds),
        Benchmark::Batches => batches::measure(&Workloads::build()?, rounds),
        Benchmark::Download => download::measure(&Workloads::build()?, rounds),
        Benchmark::Upload => upload::measure(&Workloads::build()?, rounds),
        Benchmark::Concurrent => concurrent::measure(&Workloads::build()?, rounds),
        Benchmark::Scale => scale::measure(&Workloads::build()?),
        Benchmark::Diff => diff::measure(rounds),
        Benchmark::Sql => sql::measure(rounds),
    }
}

/// The programs of the crate `datagouv-benchmarks`, built for release.
struct Workloads {
    program: PathBuf,
}

impl Workloads {
    fn build() -> Result<Self, String> {
        build("datagouv-benchmarks").map(|program| Self { program })
    }

    /// Some work, to be measured.
    fn work(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command
    }

    fn serve(&self) -> Result<Server, String> {
        self.server(&["serve"])
    }

    fn server(&self, arguments: &[&str]) -> Result<Server, String> {
        Server::start(&mut self.work(arguments))
    }
}

/// The program of a package, built for release.
fn build(package: &str) -> Result<PathBuf, String> {
    executable(crate::cargo("build").args(["--package", package]), package)
}

/// The program of a package of `benchmarks/programs`, built for release.
fn build_program(package: &str) -> Result<PathBuf, String> {
    let mut cargo = crate::cargo_of("build", &crate::root().join("benchmarks/programs/Cargo.toml"));
    cargo.arg("--target-dir").arg(folder()?.join("programs"));
    executable(cargo.args(["--package", package]), package)
}

/// The program that a command builds, for release.
fn executable(cargo: &mut Command, name: &str) -> Result<PathBuf, String> {
    let built = cargo
        .args(["--quiet", "--release", "--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    if !built.status.success() {
        return Err(format!("{name} cannot be built ({})", built.status));
    }
    let messages = String::from_utf8_lossy(&built.stdout);
    let program = messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    program.ok_or_else(|| format!("cargo names no program of {name}"))
}

/// The folder of temporary files of measurements.
fn folder() -> Result<PathBuf, String> {
    let folder = crate::root().join("target/benchmarks");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// The official client of Python.
fn python() -> Result<Environment, String> {
    let environment = Environment::at(&folder()?.join("python"))?;
    if !environment.imports("datagouv") {
        environment.install(&[&format!("datagouv-client=={PYTHON_CLIENT}")])?;
    }
    Ok(environment)
}

/// The version that is measured.
const PYTHON_CLIENT: &str = "0.5.1";
