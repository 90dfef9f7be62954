//! Batches passed to other libraries through the C data interface and IPC.

use std::io::Write;
use std::process::{Command, Stdio};

use arrow_array::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;

use crate::cells::{all, rows_of};
use crate::{recorded, table};

/// A table with values of every type, null among them.
async fn batches() -> (SchemaRef, Vec<RecordBatch>) {
    let (_sandbox, _, rows) = table(recorded(include_str!("../truth/table.json"))).await;
    let columns = ["__id", "plain", "n", "f", "b", "d", "ts", "tz", "j"];
    all(rows.select(columns).record_batches()).await.unwrap()
}

#[tokio::test]
async fn exports_batches_through_the_c_data_interface() {
    let (schema, batches) = batches().await;
    let reader = RecordBatchIterator::new(batches.clone().into_iter().map(Ok), schema.clone());
    let imported = ArrowArrayStreamReader::try_new(FFI_ArrowArrayStream::new(Box::new(reader))).unwrap();
    assert_eq!(imported.schema(), schema);
    let imported: Vec<RecordBatch> = imported.map(Result::unwrap).collect();
    assert_eq!(rows_of(&imported), rows_of(&batches));
}

/// `DATAGOUV_ARROW_PYTHON` names an interpreter that has pyarrow, polars and duckdb; without it the test does nothing.
#[tokio::test]
async fn pyarrow_polars_and_duckdb_read_an_ipc_stream() {
    let Ok(python) = std::env::var("DATAGOUV_ARROW_PYTHON") else { return };
    let (schema, batches) = batches().await;
    let mut stream = Vec::new();
    let mut writer = StreamWriter::try_new(&mut stream, &schema).unwrap();
    for batch in &batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    let mut program =
        Command::new(python).args(["-c", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    program.stdin.take().unwrap().write_all(&stream).unwrap();
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success());
    let lines: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    // The first text is null, and the third is empty; the first time of the column with a zone is that of row 2.
    assert_eq!(
        lines,
        [
            "pyarrow 50 None '' uint64 timestamp[us, tz=UTC] extension<arrow.json>",
            "polars 50 None '' UInt64 2024-01-31 06:00:00+00:00",
            "duckdb 50 1 JSON 2024-01-31 08:00:00",
        ]
    );
}

const PROGRAM: &str = r#"
import sys, pyarrow, polars, duckdb
stream = sys.stdin.buffer.read()
rows = pyarrow.ipc.open_stream(stream).read_all()
texts, types = rows["plain"], rows.schema
print("pyarrow", rows.num_rows, texts[0].as_py(), repr(texts[2].as_py()), types.field("__id").type, types.field("tz").type,
      types.field("j").type)
frame = polars.read_ipc_stream(stream)
print("polars", frame.height, frame["plain"][0], repr(frame["plain"][2]), frame["__id"].dtype, frame["tz"][1])
# DuckDB takes what is in memory by the C stream interface.
of = lambda what: duckdb.sql(f"SELECT {what} FROM rows").fetchall()[0][0]
print("duckdb", of("count(*)"), of("count(*) FILTER (plain = '')"), of("typeof(any_value(j))"), of("max(ts) FILTER (__id = 2)"))
"#;
