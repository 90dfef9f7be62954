//! All rows of a table: by the client, as bytes alone, and from a file.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use datagouv::internals::rows_of_export;
use datagouv::observe::{CallFinished, Observe};
use datagouv::rows::Rows;
use datagouv::{Api, Client, Limits};
use serde_json::json;

use crate::stopwatch::{Memory, Stopwatch};
use crate::table::{COLUMNS, TrafficCount};
use crate::{Outcome, print_result, reqwest, runtime};

/// The most rows that an export may hold.
const EXPORT: u32 = 50_000;

/// The size of the chunks in which a body comes.
const CHUNK: usize = 128 << 10;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The origin of the server
    #[arg(long)]
    origin: String,
    /// The resource
    #[arg(long)]
    resource: String,
}

#[derive(clap::Args)]
pub(crate) struct BytesArguments {
    /// The origin of the server
    #[arg(long)]
    origin: String,
    /// The resource
    #[arg(long)]
    resource: String,
    /// How many rows the table has
    #[arg(long)]
    rows: u32,
    /// Where to keep them as one file
    #[arg(long)]
    save: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct FileArguments {
    /// The file
    path: PathBuf,
}

#[derive(Default)]
struct Requests(AtomicU64);

impl Observe for Requests {
    fn call_finished(&self, call: &CallFinished<'_>) {
        self.0.fetch_add(u64::from(call.attempts), Ordering::Relaxed);
    }
}

fn base(origin: &str) -> String {
    format!("{origin}/tabular")
}

/// A client that does not wait: the default of 40 requests per second spares the platform, and is not what is measured here.
fn client(origin: &str, requests: &Arc<Requests>) -> Outcome<Client> {
    Ok(Client::builder()
        .base_url(Api::Tabular, base(origin))
        .limits(Limits::none())
        .observer(Arc::clone(requests) as Arc<dyn Observe>)
        .build()?)
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let runtime = runtime()?;
    let first = runtime.block_on(first_row(arguments))?;
    let requests = Arc::new(Requests::default());
    let client = client(&arguments.origin, &requests)?;
    let memory = Memory::idle()?;
    let stopwatch = Stopwatch::start();
    let (mut found, mut digest) = (0_u64, 0_u64);
    runtime.block_on(async {
        let mut rows = client.resource(&arguments.resource).rows::<TrafficCount>().stream();
        while let Some(row) = rows.next().await {
            digest = digest.wrapping_add(row?.digest());
            found += 1;
        }
        Outcome::Ok(())
    })?;
    let (serial, (wall, cpu)) = (stopwatch.of_thread(), stopwatch.stop());
    let requests = requests.0.load(Ordering::Relaxed);
    print_result(&json!({
        "rows": found, "digest": digest, "requests": requests, "first": first, "wall": wall, "cpu": cpu, "serial": serial,
        "memory": memory.grown()?,
    }));
    Ok(())
}

/// The seconds until a new client has the first row.
async fn first_row(arguments: &Arguments) -> Outcome<f64> {
    let client = client(&arguments.origin, &Arc::default())?;
    let stopwatch = Stopwatch::start();
    let mut rows = client.resource(&arguments.resource).rows::<TrafficCount>().stream();
    rows.next().await.ok_or("the table has no rows")??;
    Ok(stopwatch.stop().0)
}

/// All rows as record batches, each dropped when it has come.
pub(crate) fn batches(arguments: &Arguments) -> Outcome {
    let client = client(&arguments.origin, &Arc::default())?;
    read_batches(client.resource(&arguments.resource).rows())
}

/// The same from a file, which is in memory before.
pub(crate) fn batches_of_file(arguments: &FileArguments) -> Outcome {
    let mut export = Bytes::from(std::fs::read(&arguments.path)?);
    let mut chunks = Vec::new();
    while !export.is_empty() {
        chunks.push(export.split_to(CHUNK.min(export.len())));
    }
    read_batches(rows_of_export(&Client::new()?, &COLUMNS, chunks))
}

fn read_batches(rows: Rows<()>) -> Outcome {
    let runtime = runtime()?;
    let memory = Memory::idle()?;
    let stopwatch = Stopwatch::start();
    let mut found = 0;
    runtime.block_on(async {
        let mut batches = rows.record_batches();
        while let Some(batch) = batches.next().await {
            found += batch?.num_rows();
        }
        Outcome::Ok(())
    })?;
    let (serial, (wall, cpu)) = (stopwatch.of_thread(), stopwatch.stop());
    print_result(&json!({"rows": found, "wall": wall, "cpu": cpu, "serial": serial, "memory": memory.grown()?}));
    Ok(())
}

/// Sends the requests that the client sends, and drops the rows or keeps them; before them, a request of one page.
pub(crate) fn bytes(arguments: &BytesArguments) -> Outcome {
    let client = reqwest()?;
    let mut file = arguments.save.as_ref().map(std::fs::File::create).transpose()?.map(std::io::BufWriter::new);
    let base = base(&arguments.origin);
    let runtime = runtime()?;
    // The first request opens the connection, as that of the client does.
    let stopwatch = Stopwatch::start();
    runtime.block_on(async {
        let url = format!("{base}/api/resources/{}/data/?page_size=200", arguments.resource);
        client.get(url).header("accept", "application/json").send().await?.error_for_status()?.bytes().await?;
        Outcome::Ok(())
    })?;
    let (page, _) = stopwatch.stop();
    let stopwatch = Stopwatch::start();
    let mut size = 0;
    runtime.block_on(async {
        for first in (1..=arguments.rows).step_by(EXPORT as usize) {
            let last = (first + EXPORT - 1).min(arguments.rows);
            let query = format!("__id__greater={first}&__id__less={last}&__id__sort=asc");
            let url = format!("{base}/api/resources/{}/data/csv/?{query}", arguments.resource);
            let mut response = client.get(url).header("accept", "text/csv").send().await?.error_for_status()?;
            let mut is_header = first > 1;
            while let Some(bytes) = response.chunk().await? {
                size += bytes.len();
                let Some(file) = &mut file else { continue };
                // One header is enough for a file.
                let mut lines = &bytes[..];
                if std::mem::take(&mut is_header) {
                    let end = lines.iter().position(|byte| *byte == b'\n').ok_or("the header comes in pieces")?;
                    lines = &lines[end + 1..];
                }
                file.write_all(lines)?;
            }
        }
        Outcome::Ok(())
    })?;
    if let Some(mut file) = file {
        file.flush()?;
    }
    let (wall, cpu) = stopwatch.stop();
    print_result(&json!({"bytes": size, "page": page, "wall": wall, "cpu": cpu}));
    Ok(())
}

/// The same rows, by `csv` from a file.
pub(crate) fn file(arguments: &FileArguments) -> Outcome {
    let stopwatch = Stopwatch::start();
    let (found, digest) = read(&arguments.path)?;
    let (wall, cpu) = stopwatch.stop();
    print_result(&json!({"rows": found, "digest": digest, "wall": wall, "cpu": cpu}));
    Ok(())
}

fn read(path: &Path) -> Outcome<(u64, u64)> {
    let (mut found, mut digest) = (0_u64, 0_u64);
    // It has a buffer of its own.
    for row in csv::Reader::from_path(path)?.into_deserialize::<TrafficCount>() {
        digest = digest.wrapping_add(row?.digest());
        found += 1;
    }
    Ok((found, digest))
}
