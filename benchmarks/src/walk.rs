//! All datasets of the catalogue, page by page.

use datagouv::pages::{Items, PageOf};
use datagouv::{Api, Client, Limits};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::stopwatch::Stopwatch;
use crate::{Outcome, print_result, runtime};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The origin of the server
    #[arg(long)]
    origin: String,
    /// How many datasets a page has; what the client chooses otherwise
    #[arg(long)]
    page_size: Option<i64>,
    /// How many pages are on their way at once
    #[arg(long, default_value_t = 1)]
    concurrency: usize,
    /// Only the fields of a structure of three
    #[arg(long)]
    mask: bool,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "the fields are requested and not read")]
struct DatasetSummary {
    id: String,
    title: String,
    slug: String,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let base = format!("{}/api/1", arguments.origin);
    // The default of 40 requests per second spares the platform; it would be all that is measured here.
    let client = Client::builder().base_url(Api::Main, base).limits(Limits::none()).build()?;
    runtime()?.block_on(async {
        let mut datasets = client.main().list_datasets();
        if let Some(page_size) = arguments.page_size {
            datasets = datasets.page_size(page_size);
        }
        let stopwatch = Stopwatch::start();
        let found = if arguments.mask {
            count(datasets.fields::<DatasetSummary>().items().concurrency(arguments.concurrency)).await?
        } else {
            count(datasets.items().concurrency(arguments.concurrency)).await?
        };
        let (wall, cpu) = stopwatch.stop();
        print_result(&json!({"items": found, "wall": wall, "cpu": cpu}));
        Ok(())
    })
}

async fn count<P: PageOf + DeserializeOwned>(mut items: Items<P>) -> datagouv::Result<u64> {
    let mut found = 0;
    while let Some(item) = items.next().await {
        item?;
        found += 1;
    }
    Ok(found)
}
