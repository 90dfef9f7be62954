//! Decoding a page of datasets, without a request.

use std::hint::black_box;
use std::path::PathBuf;

use datagouv::main::types::DatasetPage;
use serde_json::json;

use super::responses;
use crate::stopwatch::Stopwatch;
use crate::{Outcome, print_result};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where the page is written to, for other programs
    #[arg(long)]
    save: Option<PathBuf>,
    /// How often it is decoded
    #[arg(long, default_value_t)]
    times: u32,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let body = responses::page()?.to_string();
    if let Some(path) = &arguments.save {
        std::fs::write(path, &body)?;
    }
    // What the client does with a body: it is checked for UTF-8 once, and decoded.
    let decode = |body: &[u8]| -> Outcome<DatasetPage> { Ok(serde_json::from_str(std::str::from_utf8(body)?)?) };
    let found: usize = decode(body.as_bytes())?.data.iter().map(|dataset| dataset.resources.len()).sum();
    let stopwatch = Stopwatch::start();
    for _ in 0..arguments.times {
        black_box(decode(black_box(body.as_bytes()))?);
    }
    let (wall, cpu) = stopwatch.stop();
    print_result(&json!({"found": found, "wall": wall, "cpu": cpu}));
    Ok(())
}
