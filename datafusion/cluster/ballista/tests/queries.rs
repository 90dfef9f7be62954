//! SQL over Parquet files by URL: on a scheduler and two executors as processes, against DataFusion in one process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::error::Result;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::prelude::SessionContext;

/// A process that is killed when this is dropped.
struct Process(Child);

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_datagouv-ballista"));
        Self(command.args(arguments).stdout(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A scheduler and two executors.
struct Cluster {
    /// `address:port`
    scheduler: String,
    /// Where each executor writes.
    folders: [PathBuf; 2],
    _processes: [Process; 3],
}

impl Cluster {
    fn start(folder: &Path) -> Self {
        let mut process = Process::start(&["scheduler", "--listen", "127.0.0.1:0", "--executors", "2"]);
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let scheduler =
            line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("it said {line:?}")).to_owned();
        let folders = ["first", "second"].map(|name| folder.join(name));
        let [first, second] = folders.each_ref().map(|folder| {
            Process::start(&["executor", "--scheduler", &scheduler, "--work-dir", folder.to_str().unwrap()])
        });
        let mut processes = [process, first, second];
        while !is_ready(&scheduler) {
            for process in &mut processes {
                assert!(process.0.try_wait().unwrap().is_none(), "a process ended before both executors were there");
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Self { scheduler, folders, _processes: processes }
    }
}

/// Whether the scheduler has both executors.
fn is_ready(scheduler: &str) -> bool {
    let mut connection = TcpStream::connect(scheduler).unwrap();
    write!(connection, "GET /readyz HTTP/1.1\r\nhost: {scheduler}\r\nconnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    response.starts_with("HTTP/1.1 200")
}

/// Serves `files`, each under its name, whole or a range; returns the URL of their folder.
fn serve(files: Vec<(&'static str, Vec<u8>)>, ranges: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let files = Arc::new(files);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (files, ranges) = (Arc::clone(&files), Arc::clone(&ranges));
            // A client may have closed its connection before the response is written.
            std::thread::spawn(move || connection.map(|connection| respond(connection, &files, &ranges)));
        }
    });
    url
}

fn respond(mut connection: TcpStream, files: &[(&str, Vec<u8>)], ranges: &AtomicUsize) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let request = lines.next().unwrap()?;
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut range = None;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        range = range.or(line.strip_prefix("range: bytes=").map(str::to_owned));
    }
    let found = files.iter().find(|(name, _)| path.strip_prefix('/') == Some(name));
    let Some((_, file)) = found else {
        return write!(connection, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    };
    let (status, first, end) = match &range {
        None => ("200 OK".to_owned(), 0, file.len()),
        Some(range) => {
            ranges.fetch_add(1, Ordering::Relaxed);
            let (first, last) = range.split_once('-').unwrap();
            let first = first.parse().unwrap();
            let end = last.parse::<usize>().map_or(file.len(), |last| file.len().min(last + 1));
            (format!("206 Partial Content\r\ncontent-range: bytes {first}-{}/{}", end - 1, file.len()), first, end)
        }
    };
    let modified = "last-modified: Mon, 01 Jan 2024 00:00:00 GMT\r\netag: \"1\"\r\naccept-ranges: bytes";
    let length = end - first;
    write!(connection, "HTTP/1.1 {status}\r\n{modified}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")?;
    if method == "GET" { connection.write_all(&file[first..end]) } else { Ok(()) }
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(5_000)).build();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

const POINTS: i64 = 50_000;
const TOWNS: [&str; 5] = ["Nice", "Nîmes", "Brest", "Lyon", "Albi"];

fn points() -> Vec<u8> {
    let ids = (0..POINTS).collect::<Int64Array>();
    let powers = (0..POINTS).map(|n| (n % 7 != 0).then_some((n % 1_000) as f64 / 4.0)).collect::<Float64Array>();
    let codes = (0..POINTS).map(|n| (n % 10 != 0).then(|| format!("{}", n % 7))).collect::<StringArray>();
    parquet(vec![("id", Arc::new(ids)), ("power", Arc::new(powers)), ("code", Arc::new(codes))])
}

fn towns() -> Vec<u8> {
    let codes = (0..5).map(|n| Some(format!("{n}"))).collect::<StringArray>();
    let names = TOWNS.iter().map(Some).collect::<StringArray>();
    parquet(vec![("code", Arc::new(codes)), ("name", Arc::new(names))])
}

/// The rows of a result, their cells between bars.
async fn rows(context: &SessionContext, query: &str) -> Result<Vec<String>> {
    let mut rows = Vec::new();
    for batch in context.sql(query).await?.collect().await? {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| match column.is_null(row) {
                true => "∅".to_owned(),
                false => array_value_to_string(column, row).unwrap(),
            });
            rows.push(cells.collect::<Vec<_>>().join("|"));
        }
    }
    Ok(rows)
}

/// Tells whether an executor has written batches for others, which remain for a while.
fn has_worked(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| entry.unwrap().path().is_dir())
}

/// Queries, and whether their rows have an order.
const QUERIES: [(&str, bool); 9] = [
    ("SELECT count(*) FROM points", true),
    ("SELECT id, power FROM points WHERE power > 249 AND code = '3'", false),
    ("SELECT code, count(*), count(power), min(power), max(power) FROM points GROUP BY code", false),
    ("SELECT t.name, count(*), sum(p.id) FROM points p JOIN towns t ON t.code = p.code GROUP BY t.name", false),
    ("SELECT p.id, t.name FROM points p LEFT JOIN towns t ON t.code = p.code WHERE p.id < 50", false),
    ("SELECT id, power FROM points ORDER BY power DESC NULLS LAST, id LIMIT 7", true),
    ("SELECT DISTINCT power, code FROM points", false),
    ("SELECT name FROM towns WHERE code NOT IN (SELECT code FROM points WHERE id < 4 AND code IS NOT NULL)", false),
    ("SELECT id FROM points WHERE id < 0", true),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_has_the_rows_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let ranges = Arc::new(AtomicUsize::new(0));
    let url = serve(vec![("points.parquet", points()), ("towns.parquet", towns())], Arc::clone(&ranges));
    let cluster = Cluster::start(folder.path());
    let client = datagouv_ballista::client(&format!("df://{}", cluster.scheduler)).await.unwrap();
    let alone = datagouv_ballista::alone().unwrap();
    for context in [&client, &alone] {
        // Several tasks of a stage, however many cores there are, and batches of others by the network.
        context.sql("SET datafusion.execution.target_partitions = 4").await.unwrap();
        context.sql("SET datafusion.optimizer.repartition_file_min_size = 1").await.unwrap();
        for table in ["points", "towns"] {
            let create = format!("CREATE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION '{url}/{table}.parquet'");
            context.sql(&create).await.unwrap();
        }
    }
    client.sql("SET ballista.shuffle.force_remote_read = true").await.unwrap();
    for (query, is_ordered) in QUERIES {
        let before = ranges.load(Ordering::Relaxed);
        let mut of_cluster = rows(&client, query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
        println!("{} rows, {} requests: {query}", of_cluster.len(), ranges.load(Ordering::Relaxed) - before);
        let mut expected = rows(&alone, query).await.unwrap();
        if !is_ordered {
            of_cluster.sort();
            expected.sort();
        }
        assert_eq!(of_cluster, expected, "{query}");
    }
    for folder in &cluster.folders {
        assert!(has_worked(folder), "nothing was written to {}", folder.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_is_an_error() {
    let url = serve(Vec::new(), Arc::default());
    let alone = datagouv_ballista::alone().unwrap();
    let create = format!("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{url}/none.parquet'");
    let error = alone.sql(&create).await.unwrap_err().to_string();
    assert!(error.contains("none.parquet"), "{error}");
}
