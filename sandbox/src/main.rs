//! The sandbox as a program: a small data.gouv.fr on a port of this machine.

use std::process::ExitCode;

use datagouv_sandbox::{Api, Sandbox};

const HELP: &str = "\
Serves a small, stateful data.gouv.fr with invented data on this machine

Usage: datagouv-sandbox [--port PORT] [--fixtures DIR]

  --port PORT      the port on 127.0.0.1; 7070 by default, 0 for any free one
  --fixtures DIR   recorded responses (JSON files with api, operation_id, method, path, status, content_type, body),
                   which take precedence over the platform; may be given several times
  --help           this text

The page at / lists datasets, operations and requests.";

struct Arguments {
    port: u16,
    fixtures: Vec<String>,
}

/// None if `--help` is among them.
fn arguments() -> Result<Option<Arguments>, String> {
    let mut read = Arguments { port: 7070, fixtures: Vec::new() };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let mut value = || given.next().ok_or(format!("`{name}` needs a value"));
        match name.as_str() {
            "--help" | "-h" => return Ok(None),
            "--port" => {
                let port = value()?;
                read.port = port.parse().map_err(|_| format!("`{port}` is not a port"))?;
            }
            "--fixtures" => read.fixtures.push(value()?),
            _ => return Err(format!("`{name}` is not an argument; see --help")),
        }
    }
    Ok(Some(read))
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let port = arguments.port;
    let bound = Sandbox::start_platform_on(port).await;
    let sandbox = bound.map_err(|error| format!("port {port} of 127.0.0.1 cannot be bound: {error}"))?;
    for directory in &arguments.fixtures {
        let count = sandbox.load_fixtures(directory).map_err(|error| error.to_string())?;
        println!("{count} responses of {directory}");
    }
    println!("{}/", sandbox.origin());
    for api in Api::ALL {
        println!("  {:<8} {}", api.name(), sandbox.url(*api));
    }
    std::future::pending().await
}

fn main() -> ExitCode {
    let outcome = match arguments() {
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(Some(arguments)) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(run(arguments)))
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
