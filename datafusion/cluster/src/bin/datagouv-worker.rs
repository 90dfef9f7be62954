//! The worker of a cluster: executes parts of queries, until it is interrupted or terminated.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use datagouv::Client;
use datagouv_cluster::{AllowedHosts, Worker};
use tokio::net::TcpListener;

#[derive(Parser)]
#[command(
    about = "Executes parts of queries over data.gouv.fr",
    after_help = "DATAGOUV_API_KEY, in the environment, is the API key of this worker; none is needed to read."
)]
struct Arguments {
    /// The address to listen on. Whoever reaches it can have queries executed: keep it within your network
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7400")]
    listen: SocketAddr,
    /// A host that requests may be sent to, on all ports or on one; data.gouv.fr and the hosts below it are allowed
    #[arg(long = "allow-host", value_name = "HOST[:PORT]")]
    allow_hosts: Vec<String>,
    /// How long to wait for running parts when the worker is to end
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    grace: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let hosts = arguments.allow_hosts.into_iter().fold(AllowedHosts::default(), AllowedHosts::and);
    let key = std::env::var("DATAGOUV_API_KEY").ok().filter(|key| !key.is_empty());
    let worker = Worker::new(hosts, move || match &key {
        Some(key) => Client::builder().api_key(key.clone()),
        None => Client::builder(),
    })?;
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    println!("listening on {}", listener.local_addr()?);
    let (ended, mut ends) = tokio::sync::watch::channel(false);
    let mut grace = ends.clone();
    tokio::spawn(async move {
        interrupted().await;
        ended.send_replace(true);
    });
    let served = worker.serve(listener, async move { drop(ends.wait_for(|ended| *ended).await) });
    let given_up = async {
        drop(grace.wait_for(|ended| *ended).await);
        tokio::time::sleep(Duration::from_secs(arguments.grace)).await;
    };
    tokio::select! {
        served = served => Ok(served?),
        () = given_up => Err(format!("parts of queries were still running after {} seconds", arguments.grace).into()),
    }
}

/// Waits for a signal to end.
async fn interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    drop(tokio::signal::ctrl_c().await);
}
