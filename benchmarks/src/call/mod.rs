//! One call after the other over one connection, by the client and by hand.

mod answers;
mod bare;
mod types;

use datagouv::{Api, Client, Limits};
use serde_json::json;

pub(crate) use self::answers::record;
use crate::watch::Watch;
use crate::{Outcome, runtime, tell};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The origin of the server
    #[arg(long)]
    origin: String,
    /// What is asked for
    #[arg(long, value_enum)]
    what: What,
    /// Who asks
    #[arg(long, value_enum)]
    by: By,
    /// How often
    #[arg(long)]
    calls: u32,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// A few words, of which the decoding is nothing
    Formats,
    /// A dataset of many resources
    Dataset,
    /// A page of datasets
    Page,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum By {
    Client,
    /// reqwest and `serde_json`
    Hand,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let base = format!("{}/api/1", arguments.origin);
    runtime()?.block_on(async {
        match arguments.by {
            By::Client => {
                // The default of 40 requests per second spares the platform; it would be all that is measured here.
                let client = Client::builder().base_url(Api::Main, base).limits(Limits::none()).build()?;
                repeat(arguments, async |what| of_client(&client, what).await).await
            }
            By::Hand => {
                let client = bare::Client::new(base)?;
                repeat(arguments, async |what| of_hand(&client, what).await).await
            }
        }
    })
}

/// Calls once for the connection, and then as often as is asked for; each call tells how many things it brought.
async fn repeat(arguments: &Arguments, call: impl AsyncFn(What) -> Outcome<usize>) -> Outcome {
    let found = call(arguments.what).await?;
    let watch = Watch::start();
    for _ in 0..arguments.calls {
        if call(arguments.what).await? != found {
            return Err("two answers to the same question differ".into());
        }
    }
    let (wall, cpu) = watch.stop();
    tell(&json!({"found": found, "wall": wall, "cpu": cpu}));
    Ok(())
}

async fn of_client(client: &Client, what: What) -> Outcome<usize> {
    let main = client.main();
    Ok(match what {
        What::Formats => main.suggest_formats().q("cs").size(10).send().await?.len(),
        What::Dataset => main.get_dataset().dataset(answers::DATASET).send().await?.resources.len(),
        What::Page => main.list_datasets().page_size(100).send().await?.data.len(),
    })
}

async fn of_hand(client: &bare::Client, what: What) -> Outcome<usize> {
    Ok(match what {
        What::Formats => client.suggest_formats("cs", 10).await?.len(),
        What::Dataset => client.dataset(answers::DATASET).await?.resources.len(),
        What::Page => client.datasets(100).await?.data.len(),
    })
}
