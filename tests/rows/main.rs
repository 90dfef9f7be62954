//! Rows of tables: requests, responses and errors.

mod refused;
mod threads;
mod wire;

use datagouv::rows::Rows;
use datagouv::{Api, Client, Limits, Result};
use datagouv_sandbox::Sandbox;
use datagouv_sandbox::platform::NewTable;
use serde::Deserialize;
use serde_json::{Value, json};

const TABLE: &str = "0d1e2f30-4152-4637-8495-a6b7c8d9eafb";

fn client_of(sandbox: &Sandbox) -> Client {
    Client::builder()
        .base_url(Api::Tabular, sandbox.url(Api::Tabular))
        .base_url(Api::MainV2, sandbox.url(Api::MainV2))
        .limits(Limits::none())
        .build()
        .unwrap()
}

async fn platform() -> (Sandbox, Client) {
    let sandbox = Sandbox::start_platform().await;
    let client = client_of(&sandbox);
    (sandbox, client)
}

fn columns(columns: &[(&str, &str)]) -> Vec<(String, String)> {
    columns.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect()
}

/// Rows `{n, even}` with the numbers 1 to `most`.
fn counted(most: u64) -> NewTable {
    let rows = (1..=most).map(|n| vec![json!(n), json!(n % 2 == 0)]).collect();
    NewTable { columns: columns(&[("n", "int"), ("even", "bool")]), rows, ..NewTable::default() }
}

#[derive(Debug, Deserialize, PartialEq)]
struct Counted {
    n: u64,
}

async fn numbers(rows: Rows<Counted>) -> Result<Vec<u64>> {
    Ok(rows.collect(usize::MAX).await?.into_iter().map(|row| row.n).collect())
}

/// The queries of the requested exports, in order of arrival.
fn exports(sandbox: &Sandbox) -> Vec<String> {
    let received = sandbox.take_requests().into_iter();
    received.filter(|request| request.path.ends_with("/csv/")).map(|request| request.query).collect()
}

fn of_every_type() -> NewTable {
    let names = [
        ("texte", "string"),
        ("entier", "int"),
        ("flottant", "float"),
        ("booleen", "bool"),
        ("jour", "date"),
        ("instant", "datetime"),
        ("instant UTC", "timestamptz"),
        ("arbre", "json"),
        ("nom, \"voie\" & n° #1 = 50%41 (+)", "string"),
        ("avec__des__", "string"),
        ("nom.de.colonne", "float"),
    ];
    let rows = vec![
        vec![
            json!("oui"),
            json!(i64::MAX),
            json!(0.1),
            json!(true),
            json!("2024-02-29"),
            json!("2024-02-29T08:30:00.5"),
            json!("2024-02-29T07:30:00+00:00"),
            json!({"a": [1, null, "x,\"y\"\\"]}),
            json!("a"),
            json!("b"),
            json!(1.5),
        ],
        vec![Value::Null; 11],
        vec![
            json!(""),
            json!(-1),
            json!("NaN"),
            json!(false),
            json!("0001-01-01"),
            json!("2024-02-29T08:30:00"),
            json!("1970-01-01T00:00:00.123456+00:00"),
            json!([]),
            json!(""),
            json!("é😀\n,\"\\"),
            json!(-2),
        ],
        vec![
            json!("t"),
            json!(0),
            json!("-Infinity"),
            json!(true),
            json!("9999-12-31"),
            json!("1970-01-01T00:00:00"),
            json!("9999-12-31T23:59:59+00:00"),
            json!("text"),
            json!("c:\\d"),
            json!(" "),
            json!(1e300),
        ],
    ];
    NewTable { columns: columns(&names), rows, ..NewTable::default() }
}
