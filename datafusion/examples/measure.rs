//! Measures queries of SQL over a table of a million rows; `cargo xtask bench sql` runs it.
//!
//! `serve` has the table on loopback, as rows and as a Parquet copy, and counts what is requested; `query` runs a query.

use std::error::Error;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Parser;
use datafusion::arrow::array::{BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use datagouv::{Api, Client, Limits};
use datagouv_datafusion::{Options, register_with, sql};
use datagouv_sandbox::platform::{CHARGING_POINTS_RESOURCE, NewTable};
use datagouv_sandbox::{Sandbox, User};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Parser)]
enum Arguments {
    /// Serves the table; prints the address, and another one that tells what was requested since it was last connected to
    Serve {
        #[arg(long)]
        rows: i64,
        /// Where the Parquet file is written too
        #[arg(long)]
        file: String,
    },
    /// Runs a query of the table `t`; prints how many rows it has, how many were read from the tabular API, and the seconds of
    /// processors that it took
    Query {
        #[arg(long)]
        origin: String,
        /// Does not read the Parquet copy
        #[arg(long)]
        rows: bool,
        sql: String,
    },
}

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments {
        Arguments::Serve { rows, file } => runtime.block_on(serve(rows, &file)),
        Arguments::Query { origin, rows, sql } => runtime.block_on(query(&origin, rows, &sql)),
    }
}

const NAMES: [&str; 5] = ["Nice", "Nîmes", "Brest", "Besançon", "Saint-Étienne, place Jean-Jaurès"];

/// The values of a row: its number, a text, a decimal or none, a truth value or none, and a longer text.
fn row(n: i64) -> (i64, &'static str, Option<f64>, Option<bool>, String) {
    let mixed = (n.unsigned_abs() as u32).wrapping_mul(2_654_435_761) >> 8;
    let score = (!mixed.is_multiple_of(7)).then(|| f64::from(mixed % 1_300) / 10.0);
    let ok = (!mixed.is_multiple_of(5)).then_some(mixed.is_multiple_of(2));
    (n, NAMES[mixed as usize % NAMES.len()], score, ok, format!("remarque {mixed}"))
}

fn parquet(rows: i64) -> Outcome<Vec<u8>> {
    let fields = [
        ("n", DataType::Int64),
        ("nom", DataType::Utf8),
        ("score", DataType::Float64),
        ("ok", DataType::Boolean),
        ("remarque", DataType::Utf8),
    ];
    let schema = Arc::new(Schema::new(fields.map(|(name, kind)| Field::new(name, kind, true)).to_vec()));
    // As the platform writes copies.
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(50_000))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .build();
    let mut data = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut data, Arc::clone(&schema), Some(properties))?;
    for first in (1..=rows).step_by(50_000) {
        let part: Vec<_> = (first..=rows.min(first + 49_999)).map(row).collect();
        writer.write(&RecordBatch::try_new(
            Arc::clone(&schema),
            vec![
                Arc::new(part.iter().map(|row| Some(row.0)).collect::<Int64Array>()),
                Arc::new(part.iter().map(|row| Some(row.1)).collect::<StringArray>()),
                Arc::new(part.iter().map(|row| row.2).collect::<Float64Array>()),
                Arc::new(part.iter().map(|row| row.3).collect::<BooleanArray>()),
                Arc::new(part.iter().map(|row| Some(row.4.as_str())).collect::<StringArray>()),
            ],
        )?)?;
    }
    writer.close()?;
    Ok(data)
}

async fn serve(rows: i64, file: &str) -> Outcome<()> {
    let sandbox = Sandbox::start_platform().await;
    let columns = [("n", "int"), ("nom", "string"), ("score", "float"), ("ok", "bool"), ("remarque", "string")];
    let table = NewTable {
        columns: columns.map(|(name, kind)| (name.to_owned(), kind.to_owned())).to_vec(),
        rows: (1..=rows)
            .map(row)
            .map(|row| vec![json!(row.0), json!(row.1), json!(row.2), json!(row.3), json!(row.4)])
            .collect(),
        aggregates: true,
        ..NewTable::default()
    };
    // As in production.
    sandbox.limit_rows(200, 50_000);
    sandbox.add_table(CHARGING_POINTS_RESOURCE, table);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let data = parquet(rows)?;
    std::fs::write(file, &data)?;
    let editor = sandbox.client_of(User::Editor);
    let imported = editor.tabular().get_meta_resource_info().rid(CHARGING_POINTS_RESOURCE).send().await?;
    let time = imported.into_inner().created_at.to_string();
    let extras = [
        ("analysis:parsing:parquet_url", json!(format!("{origin}/copy.parquet"))),
        ("analysis:parsing:parquet_size", json!(data.len())),
        ("analysis:parsing:started_at", json!(time)),
        ("analysis:parsing:finished_at", json!(time)),
    ];
    sandbox.serve_file("/copy.parquet", "application/vnd.apache.parquet", data);
    editor.resource(CHARGING_POINTS_RESOURCE).update_extras(extras).await?;
    sandbox.take_requests();

    let sent = Arc::new(AtomicU64::new(0));
    let target = sandbox.origin().trim_start_matches("http://").to_owned();
    tokio::spawn(forward(listener, target, Arc::clone(&sent)));
    let counts = TcpListener::bind("127.0.0.1:0").await?;
    println!("{origin} {}", counts.local_addr()?);
    std::io::stdout().flush()?;
    let tell = async {
        loop {
            let (mut connection, _) = counts.accept().await?;
            let requests: Vec<Value> = sandbox
                .take_requests()
                .into_iter()
                .map(|request| json!([request.method, request.path, request.query, request.header("range")]))
                .collect();
            let counted = json!({"bytes": sent.swap(0, Ordering::SeqCst), "requests": requests});
            connection.write_all(counted.to_string().as_bytes()).await?;
        }
    };
    // It ends with the program that started it, however that ends.
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        told = tell => told,
        ended = ended => Ok(ended?.map(drop)?),
    }
}

/// Passes connections on to the sandbox, and counts the bytes that it sends, with the heads of responses.
async fn forward(listener: TcpListener, target: String, sent: Arc<AtomicU64>) {
    while let Ok((client, _)) = listener.accept().await {
        let (target, sent) = (target.clone(), Arc::clone(&sent));
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(target).await else { return };
            let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                (client.into_split(), server.into_split());
            tokio::spawn(async move {
                let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
            });
            let mut buffer = vec![0; 64 << 10];
            while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                sent.fetch_add(read as u64, Ordering::SeqCst);
                if to_client.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
        });
    }
}

async fn query(origin: &str, rows: bool, query: &str) -> Outcome<()> {
    let client = Client::builder()
        .base_url(Api::Main, format!("{origin}/api/1"))
        .base_url(Api::MainV2, format!("{origin}/api/2"))
        .base_url(Api::Tabular, format!("{origin}/tabular"))
        .base_url(Api::Metrics, format!("{origin}/metrics"))
        .limits(Limits::none())
        .build()?;
    let context = SessionContext::new();
    register_with(&context, &client, Options::default().parquet(!rows))?;
    let query = query.replace(" t ", &format!(" resource('{CHARGING_POINTS_RESOURCE}') "));
    let before = cpu()?;
    let plan = sql(&context, &query).await?.create_physical_plan().await?;
    let batches = collect(Arc::clone(&plan), context.task_ctx()).await?;
    let found: usize = batches.iter().map(RecordBatch::num_rows).sum();
    println!("{}", json!({"rows": found, "read": read(plan.as_ref()), "cpu": cpu()? - before}));
    Ok(())
}

/// The seconds of processors that the threads of this process have used; none of them ends before the program.
fn cpu() -> Outcome<f64> {
    let mut seconds = 0.0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let used = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        seconds += used.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e9;
    }
    Ok(seconds)
}

/// The rows that scans of the tabular API have read.
fn read(plan: &dyn ExecutionPlan) -> usize {
    let own = (plan.name() == "DatagouvRowsExec").then(|| plan.metrics()?.output_rows()).flatten().unwrap_or(0);
    own + plan.children().into_iter().map(|child| read(child.as_ref())).sum::<usize>()
}
