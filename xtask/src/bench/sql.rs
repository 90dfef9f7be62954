//! Queries of SQL over a large table, through DataFusion.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::measure::{Run, Sample, Server, alternate, sample};
use super::report::{Row, Table, Threshold, Unit};
use super::{executable, folder};
use crate::python::Environment;

const ROWS: u32 = 1_000_000;
const POLARS: &str = "2.1.0";
const DUCKDB: &str = "2.0.1";

const GROUP: &str = "SELECT ok, count(*), avg(score) FROM t GROUP BY ok";
const FILTER: &str = "SELECT n, nom FROM t WHERE n BETWEEN 500000 AND 509999";

/// The rows that match, of which the server finds more: it searches anywhere, and without regard to case.
const FILTER_OF_ROWS: &str = "SELECT n, nom FROM t WHERE nom LIKE 'Nic%' AND score > 129";

/// The path of the Parquet copy.
const COPY: &str = "/copy.parquet";

pub(super) fn measure(rounds: usize) -> Result<Table, String> {
    let program = build()?;
    let environment = Environment::at(&folder()?.join("python-sql"))?;
    if !environment.imports("polars, duckdb") {
        environment.install(&[&format!("polars=={POLARS}"), &format!("duckdb=={DUCKDB}")])?;
    }
    let file = folder()?.join("copy.parquet").to_string_lossy().into_owned();
    let server = Server::start(Command::new(&program).args(["serve", "--rows", &ROWS.to_string(), "--file", &file]))?;
    let (origin, counts) = server.origin.split_once(' ').ok_or("the server did not print its addresses")?;
    let url = format!("{origin}{COPY}");
    let script = crate::root().join("benchmarks/python/sql.py");
    let ours = |arguments: &[&str]| sample(Command::new(&program).args(["query", "--origin", origin]).args(arguments));
    let theirs =
        |arguments: [&str; 3]| sample(Command::new(environment.program("python")).arg(&script).args(arguments));

    let mut runs: [Run<'_>; 3] = [
        Box::new(|| ours(&[GROUP])),
        Box::new(|| theirs(["polars", "group", &url])),
        Box::new(|| theirs(["duckdb", "group", &file])),
    ];
    let samples = alternate(rounds, &mut runs)?;
    let cpu = |samples: &[Sample]| samples.iter().map(|sample| sample.metric("cpu")).collect::<Result<Vec<_>, _>>();
    let [of_ours, of_polars, of_duckdb] = &samples[..] else {
        return Err("three queries were to be measured".to_owned());
    };
    if let Some(other) = samples.iter().flatten().find(|sample| sample.output["rows"] != 3) {
        return Err(format!("not the three groups: {}", other.output));
    }
    let (polars, duckdb) = (format!("polars {POLARS}"), format!("DuckDB {DUCKDB}, local file"));
    let mut rows = vec![
        Row::ratio("GROUP BY of Parquet, CPU", Unit::Seconds, &cpu(of_ours)?, &polars, &cpu(of_polars)?)
            .threshold(Threshold::AtMost(1.0)),
        Row::ratio("GROUP BY of Parquet, CPU", Unit::Seconds, &cpu(of_ours)?, &duckdb, &cpu(of_duckdb)?)
            .threshold(Threshold::AtMost(1.5)),
    ];
    taken(counts)?;
    for (label, query, name) in [("GROUP BY", GROUP, "group"), ("filter", FILTER, "filter")] {
        let (own, of_own) = (ours(&[query])?, taken(counts)?);
        let (other, of_other) = (theirs(["polars", name, &url])?, taken(counts)?);
        if own.output["rows"] != other.output["rows"] {
            return Err(format!("not the same rows: {} and {}", own.output, other.output));
        }
        let (bytes, requests) =
            (format!("{label} of Parquet, bytes"), format!("{label} of Parquet, requests of the file"));
        rows.extend([
            Row::ratio(bytes, Unit::Bytes, &[of_own.bytes], &polars, &[of_other.bytes])
                .threshold(Threshold::AtMost(1.0)),
            Row::ratio(requests, Unit::Count, &[of_own.of_file], &polars, &[of_other.of_file])
                .threshold(Threshold::AtMost(1.0)),
            Row::single(format!("{label} of Parquet, other requests"), Unit::Count, of_own.requests - of_own.of_file),
        ]);
    }
    let filtered = ours(&["--rows", FILTER_OF_ROWS])?;
    let (read, matched) = (filtered.metric("read")?, filtered.metric("rows")?);
    taken(counts)?;
    rows.push(
        Row::ratio("filter of the tabular API, rows read", Unit::Count, &[read], "rows that match", &[matched])
            .threshold(Threshold::AtMost(1.1)),
    );
    for (label, arguments) in [
        ("ORDER BY … LIMIT 5, requests", &["SELECT n FROM t ORDER BY score DESC NULLS LAST LIMIT 5"][..]),
        ("LIMIT 3, requests", &["SELECT n FROM t LIMIT 3"]),
        ("count(*), requests", &["SELECT count(*) FROM t "]),
        ("GROUP BY of the tabular API, requests", &["--rows", GROUP]),
    ] {
        ours(arguments)?;
        rows.push(Row::single(label, Unit::Count, taken(counts)?.of_rows).threshold(Threshold::AtMost(1.0)));
    }
    let size = fs::metadata(&file).map_or(0, |metadata| metadata.len());
    let _ = fs::remove_file(&file);
    let notes = vec![
        format!(
            "The table has {ROWS} rows of 5 columns, and {:.1} MB as Parquet in row groups of 50,000, as the platform writes it. \
             The server is on loopback; bytes are those of all its responses, with their heads.",
            size as f64 / 1e6
        ),
        "Ours needs the profile of the table, and to read the Parquet copy, the resource and the time of its import: these are \
         the other requests. The requests of the last rows are those for rows, without the profile and the list of resources \
         that the server aggregates, which are requested once."
            .to_owned(),
        "CPU is that of the query alone: programs have started, and modules of Python were loaded, before.".to_owned(),
    ];
    Ok(Table { title: "SQL: queries of a table of 1,000,000 rows".to_owned(), rows, notes })
}

/// What the server has sent since it was last asked.
struct Taken {
    bytes: f64,
    requests: f64,
    of_file: f64,
    of_rows: f64,
}

fn taken(counts: &str) -> Result<Taken, String> {
    let failed = |error: &dyn std::fmt::Display| format!("the counts of the server: {error}");
    let mut text = String::new();
    let mut connection = TcpStream::connect(counts).map_err(|error| failed(&error))?;
    connection.read_to_string(&mut text).map_err(|error| failed(&error))?;
    let counted: Value = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    let requests = counted["requests"].as_array().ok_or_else(|| failed(&"there are none"))?;
    let number = |is_such: &dyn Fn(&str) -> bool| {
        requests.iter().filter(|request| request[1].as_str().is_some_and(is_such)).count() as f64
    };
    Ok(Taken {
        bytes: counted["bytes"].as_f64().unwrap_or(f64::NAN),
        requests: requests.len() as f64,
        of_file: number(&|path| path == COPY),
        of_rows: number(&|path| path.contains("/data/")),
    })
}

/// The example of the workspace of DataFusion, built for release.
fn build() -> Result<PathBuf, String> {
    let mut cargo = crate::cargo_of("build", &crate::root().join("datafusion/Cargo.toml"));
    executable(cargo.args(["--package", "datagouv-datafusion", "--example", "measure"]), "the example `measure`")
}
