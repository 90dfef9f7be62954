//! Sequential calls over one connection, by the client and by reqwest.

mod bare;
pub(crate) mod decode;
mod responses;
mod types;

use datagouv::{Api, Client, Limits};
use serde_json::json;

pub(crate) use self::bare::Client as Bare;
pub(crate) use self::responses::{DATASET, record, recorded_dataset};
use crate::stopwatch::Stopwatch;
use crate::{Outcome, print_result, runtime};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The origin of the server
    #[arg(long)]
    origin: String,
    /// The request
    #[arg(long, value_enum)]
    request: Request,
    /// The implementation that sends it
    #[arg(long, value_enum)]
    implementation: Implementation,
    /// How often
    #[arg(long)]
    calls: u32,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Request {
    /// A few words, which take no time to decode
    Formats,
    /// A dataset of many resources
    Dataset,
    /// A page of datasets
    Page,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Implementation {
    Client,
    /// reqwest and `serde_json`
    Bare,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let base = format!("{}/api/1", arguments.origin);
    runtime()?.block_on(async {
        match arguments.implementation {
            Implementation::Client => {
                // The default of 40 requests per second spares the platform; it would be all that is measured here.
                let client = Client::builder().base_url(Api::Main, base).limits(Limits::none()).build()?;
                repeat(arguments, async |request| call_client(&client, request).await).await
            }
            Implementation::Bare => {
                let client = bare::Client::new(base)?;
                repeat(arguments, async |request| call_bare(&client, request).await).await
            }
        }
    })
}

/// Calls once to open the connection, and then as often as requested; each call returns the number of its items.
async fn repeat(arguments: &Arguments, call: impl AsyncFn(Request) -> Outcome<usize>) -> Outcome {
    let found = call(arguments.request).await?;
    let stopwatch = Stopwatch::start();
    for _ in 0..arguments.calls {
        if call(arguments.request).await? != found {
            return Err("two responses to the same request differ".into());
        }
    }
    let (wall, cpu) = stopwatch.stop();
    print_result(&json!({"found": found, "wall": wall, "cpu": cpu}));
    Ok(())
}

async fn call_client(client: &Client, request: Request) -> Outcome<usize> {
    let main = client.main();
    Ok(match request {
        Request::Formats => main.suggest_formats().q("cs").size(10).send().await?.len(),
        Request::Dataset => main.get_dataset().dataset(responses::DATASET).send().await?.resources.len(),
        Request::Page => main.list_datasets().page_size(100).send().await?.data.len(),
    })
}

async fn call_bare(client: &bare::Client, request: Request) -> Outcome<usize> {
    Ok(match request {
        Request::Formats => client.suggest_formats("cs", 10).await?.len(),
        Request::Dataset => client.dataset(responses::DATASET).await?.resources.len(),
        Request::Page => client.datasets(100).await?.data.len(),
    })
}
