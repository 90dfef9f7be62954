//! The coordinator of a cluster: plans a query, hands it to workers and prints the result.

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use datafusion::arrow::csv::Writer;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::physical_plan::execute_stream;
use datafusion_distributed::display_plan_ascii;
use datagouv::{Api, Client, Limits};
use datagouv_cluster::Cluster;
use datagouv_datafusion::{Options, sql};
use futures_util::TryStreamExt;

#[derive(Parser)]
#[command(
    about = "Runs a query of SQL over tables of data.gouv.fr on several machines",
    after_help = "DATAGOUV_API_KEY, in the environment, is the API key of the coordinator. It is not sent to workers."
)]
struct Arguments {
    /// The workers, separated by commas
    #[arg(long, value_name = "URL,…", value_delimiter = ',', required = true)]
    workers: Vec<String>,
    /// The query
    query: String,
    /// Show which worker would read what, and run nothing
    #[arg(long)]
    explain: bool,
    /// How to write the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The requests per second to each host, of all machines together
    #[arg(long, default_value_t = 40)]
    per_second: u32,
    /// The requests in flight to each host, of all machines together
    #[arg(long, default_value_t = 16)]
    in_flight: u32,
    /// Do not read Parquet copies
    #[arg(long)]
    no_parquet: bool,
    /// Do not send alternatives (`OR`) to the server, which tabular servers up to version 0.3.1 refuse
    #[arg(long)]
    no_alternatives: bool,
    /// The base URL of another catalogue (http://127.0.0.1:7000/api/1)
    #[arg(long, value_name = "URL")]
    main: Option<String>,
    /// The base URL of its second version; --main with 2 as its last segment by default
    #[arg(long, value_name = "URL")]
    main_v2: Option<String>,
    /// The base URL of another tabular server
    #[arg(long, value_name = "URL")]
    tabular: Option<String>,
    /// The base URL of another metrics server
    #[arg(long, value_name = "URL")]
    metrics: Option<String>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Table,
    Csv,
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
    let limits = Limits::default().per_second(arguments.per_second).in_flight(arguments.in_flight);
    let cluster = Cluster::new(&arguments.workers)?.limits(limits);
    cluster.check().await?;
    let mut client = Client::builder();
    let second = arguments.main.as_deref().and_then(|url| url.trim_end_matches('/').strip_suffix("/1"));
    let main_v2 = arguments.main_v2.or_else(|| second.map(|url| format!("{url}/2")));
    let own = [
        (Api::Main, arguments.main),
        (Api::MainV2, main_v2),
        (Api::Tabular, arguments.tabular),
        (Api::Metrics, arguments.metrics),
    ];
    if own.iter().any(|(_, url)| url.is_some()) {
        for (api, url) in own {
            // An API whose URL is not given must not be that of another platform.
            client = client.base_url(api, url.unwrap_or_else(|| "http://not-given.invalid".to_owned()));
        }
    }
    if let Some(key) = std::env::var("DATAGOUV_API_KEY").ok().filter(|key| !key.is_empty()) {
        client = client.api_key(key);
    }
    let options = Options::default().parquet(!arguments.no_parquet).alternatives(!arguments.no_alternatives);
    let context = cluster.session(client, options)?;
    let plan = sql(&context, &arguments.query).await?.create_physical_plan().await?;
    if arguments.explain {
        println!("{}", display_plan_ascii(plan.as_ref(), false));
        return Ok(());
    }
    let batches: Vec<_> = execute_stream(plan, context.task_ctx())?.try_collect().await?;
    match arguments.format {
        Format::Table => println!("{}", pretty_format_batches(&batches)?),
        Format::Csv => {
            let mut writer = Writer::new(std::io::stdout());
            batches.iter().try_for_each(|batch| writer.write(batch))?;
        }
    }
    Ok(())
}
