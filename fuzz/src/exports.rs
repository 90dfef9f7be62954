//! Exports of tables: rows and record batches have the same values, or both are errors.

#[path = "../../tests/arrow/cells.rs"]
mod cells;

use std::sync::LazyLock;

use arrow_array::RecordBatch;
use bytes::Bytes;
use datagouv::internals::rows_of_export;
use datagouv::rows::{Row, Rows};
use datagouv::{Client, DateTime};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use cells::{Cells, all, cells_of, rows_of};

/// A column of each type, with its type in the profile.
const COLUMNS: [(&str, &str); 8] = [
    ("text", "string"),
    ("int", "int"),
    ("float", "float"),
    ("bool", "bool"),
    ("date", "date"),
    ("naive", "datetime_naive"),
    ("aware", "datetime_aware"),
    ("json", "json"),
];

static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::new().expect("a client"));
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));

/// The records of an export. The first byte is the size of the chunks in which it comes, and the bits of the second select
/// its columns.
pub fn exports(data: &[u8]) {
    let [size, selected, records @ ..] = data else { return };
    let columns: Vec<_> =
        (0..).zip(COLUMNS).filter(|(bit, _)| selected >> bit & 1 == 1).map(|(_, column)| column).collect();
    let header: String = columns.iter().map(|(name, _)| format!(",{name}")).collect();
    let export = [format!("__id{header}\n").as_bytes(), records].concat();
    let chunks: Vec<_> = export.chunks(usize::from(*size) + 1).map(Bytes::copy_from_slice).collect();
    RUNTIME.block_on(compare(rows_of_export(&CLIENT, &columns, chunks)));
}

async fn compare(query: Rows<Row>) {
    let with_nulls = all(query.clone().record_batches().null_where_unrepresentable()).await;
    let strict = all(query.clone().record_batches()).await;
    let (rows, with_nulls) = match (all_rows(query).await, with_nulls) {
        (Ok(rows), Ok(batches)) => (rows, batches),
        (Err(_), Err(_)) => return assert!(strict.is_err()),
        // Batches have the text of JSON, which is not parsed.
        (Err(error), Ok(_)) if error.to_string().contains("column json") => return,
        (Ok(_), Err(error)) => panic!("only the batches fail: {error}"),
        (Err(error), Ok(_)) => panic!("only the rows fail: {error}"),
    };
    let (schema, batches) = with_nulls;
    let expected: Vec<Cells> =
        rows.into_iter().map(|row| normalized(cells_of(&row.into_iter().collect(), &schema))).collect();
    let read = |batches: &[RecordBatch]| -> Vec<Cells> { rows_of(batches).into_iter().map(normalized).collect() };
    let mut found = read(&batches);
    assert_eq!(found.len(), expected.len());
    if let Ok((_, batches)) = strict {
        assert_eq!(read(&batches), expected);
        return assert_eq!(found, expected);
    }
    let mut unrepresentable = 0;
    for ((_, found), (_, expected)) in found.iter_mut().flatten().zip(expected.iter().flatten()) {
        if found.is_null() && !expected.is_null() {
            unrepresentable += 1;
            found.clone_from(expected);
        }
    }
    assert_eq!(found, expected);
    assert!(unrepresentable > 0, "no value of {expected:?} is an error");
}

/// Writes values as batches have them where rows keep the text or are floats: instants in UTC, seconds, no zeros behind a
/// fraction, integers.
fn normalized(mut cells: Cells) -> Cells {
    for (name, value) in &mut cells {
        match (name.as_str(), &*value) {
            ("aware", Value::String(text)) => {
                if let Some(instant) = DateTime::from(text.as_str()).to_chrono() {
                    *value = Value::from(instant.to_utc().to_string());
                }
            }
            ("naive", Value::String(text)) if text.contains('.') => {
                *value = Value::from(text.trim_end_matches('0').trim_end_matches('.'));
            }
            ("naive", Value::String(text)) if text.len() == "2024-01-31T08:00".len() => {
                *value = Value::from(format!("{text}:00"));
            }
            ("int", Value::Number(number)) => {
                // `-0` and `+5`, which are no integers of JSON.
                if let Some(number) = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e15) {
                    *value = Value::from(number as i64);
                }
            }
            _ => {}
        }
    }
    cells
}

/// All rows, or the first error.
async fn all_rows(query: Rows<Row>) -> datagouv::Result<Vec<Row>> {
    let (mut stream, mut rows) = (query.stream(), Vec::new());
    while let Some(row) = stream.next().await {
        rows.push(row?);
    }
    Ok(rows)
}
