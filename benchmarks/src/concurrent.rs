//! Many calls under way at once, by the client and by reqwest.

use datagouv::{Api, Client, Limits};
use futures_util::future::try_join_all;
use serde_json::json;

use crate::call::{Bare, DATASET, Implementation};
use crate::stopwatch::{Memory, Stopwatch};
use crate::{Outcome, print_result, runtime};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The origin of the server
    #[arg(long)]
    origin: String,
    /// The implementation that sends the requests
    #[arg(long, value_enum)]
    implementation: Implementation,
    /// How many at once
    #[arg(long)]
    calls: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let base = format!("{}/api/1", arguments.origin);
    let calls = 0..arguments.calls;
    runtime()?.block_on(async {
        let (resources, memory, stopwatch) = match arguments.implementation {
            Implementation::Client => {
                let client = Client::builder().base_url(Api::Main, base).limits(Limits::none()).build()?;
                let (memory, stopwatch) = (Memory::idle()?, Stopwatch::start());
                let main = client.main();
                let found = calls.map(|_| async {
                    let dataset = main.get_dataset().dataset(DATASET).send().await?;
                    Ok::<_, datagouv::Error>(dataset.resources.len())
                });
                (try_join_all(found).await?, memory, stopwatch)
            }
            Implementation::Bare => {
                let client = Bare::new(base)?;
                let (memory, stopwatch) = (Memory::idle()?, Stopwatch::start());
                (try_join_all(calls.map(|_| client.resources(DATASET))).await?, memory, stopwatch)
            }
        };
        let (wall, cpu) = stopwatch.stop();
        let resources: usize = resources.into_iter().sum();
        print_result(&json!({"resources": resources, "wall": wall, "cpu": cpu, "memory": memory.grown()?}));
        Ok(())
    })
}
