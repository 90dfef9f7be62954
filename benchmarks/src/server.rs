//! The server of all measurements over the network: the sandbox, which responds from memory to repeated requests.

use std::io::Write;

use datagouv_sandbox::Sandbox;
use tokio::io::AsyncReadExt;

use crate::{Outcome, table};

/// The number of datasets of a walk, in addition to the few that every sandbox has.
const DATASETS: usize = 10_000;

/// As many resources as each of them has; the mean on data.gouv.fr is near it.
const RESOURCES: usize = 5;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The resource that a table is served as
    #[arg(long)]
    table: Option<String>,
    /// How many rows it has
    #[arg(long, default_value_t)]
    rows: u32,
    /// The responses to single calls, instead of the catalogue
    #[arg(long)]
    calls: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let sandbox = Sandbox::start_platform().await;
        if arguments.calls {
            crate::call::record(&sandbox)?;
        } else {
            sandbox.add_datasets_with_resources(DATASETS, RESOURCES);
            // As in production.
            sandbox.limit_rows(200, 50_000);
        }
        if let Some(resource) = &arguments.table {
            sandbox.add_table(resource, table::of(arguments.rows));
        }
        sandbox.cache_responses();
        println!("{}", sandbox.origin());
        std::io::stdout().flush()?;
        // It ends with the program that started it, however that ends.
        tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
        Ok(())
    })
}
