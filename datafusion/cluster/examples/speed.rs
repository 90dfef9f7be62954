//! Measures a query on one machine, and on the first of some workers, the first two, and so on.
//!
//! `cargo run --release --manifest-path datafusion/cluster/Cargo.toml --example speed -- --workers URL,URL --rows 1000000 "SELECT …"`

use std::time::{Duration, Instant};

use clap::Parser;
use datafusion::prelude::{SessionConfig, SessionContext};
use datagouv::{Api, Client, ClientBuilder, Limits};
use datagouv_cluster::Cluster;
use datagouv_datafusion::{Options, register_with, sql};

#[derive(Parser)]
#[command(about = "Measures a query on one machine and on workers")]
struct Arguments {
    /// The workers, separated by commas
    #[arg(long, value_name = "URL,…", value_delimiter = ',', required = true)]
    workers: Vec<String>,
    /// The query
    query: String,
    /// The number of rows that it reads
    #[arg(long)]
    rows: u32,
    /// How often each is measured; the fastest is shown
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Do not read Parquet copies
    #[arg(long)]
    no_parquet: bool,
    /// Do not send alternatives (`OR`) to the server, which tabular servers up to version 0.3.1 refuse
    #[arg(long)]
    no_alternatives: bool,
    /// The bytes of a Parquet file for each partition
    #[arg(long, default_value_t = 1 << 20)]
    bytes: usize,
    /// The base URL of another catalogue, without /api/1
    #[arg(long, value_name = "URL")]
    main: Option<String>,
    /// The base URL of another tabular server
    #[arg(long, value_name = "URL")]
    tabular: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let options = Options::default().parquet(!arguments.no_parquet).alternatives(!arguments.no_alternatives);
    let client = || -> ClientBuilder {
        let mut client = Client::builder().limits(Limits::none());
        if let Some(url) = &arguments.main {
            client = client.base_url(Api::Main, format!("{url}/api/1")).base_url(Api::MainV2, format!("{url}/api/2"));
        }
        match &arguments.tabular {
            Some(url) => client.base_url(Api::Tabular, url.clone()),
            None => client,
        }
    };
    let config = SessionConfig::new().with_target_partitions(2);
    let alone = SessionContext::new_with_config(config.clone());
    register_with(&alone, &client().build()?, options.clone())?;
    let mut sessions = vec![("one machine".to_owned(), alone)];
    for count in 1..=arguments.workers.len() {
        let cluster = Cluster::new(arguments.workers.iter().take(count))?.config(config.clone());
        let cluster = cluster.limits(Limits::none()).file_bytes_per_partition(arguments.bytes);
        cluster.check().await?;
        sessions.push((format!("workers: {count}"), cluster.session(client(), options.clone())?));
    }
    for (name, context) in sessions {
        let mut fastest = Duration::MAX;
        for _ in 0..arguments.rounds {
            let began = Instant::now();
            sql(&context, &arguments.query).await?.collect().await?;
            fastest = fastest.min(began.elapsed());
        }
        let rate = f64::from(arguments.rows) / fastest.as_secs_f64();
        println!("{name:12} {:6.2} s {:10.0} rows/s", fastest.as_secs_f64(), rate);
    }
    Ok(())
}
