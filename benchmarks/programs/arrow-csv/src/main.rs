//! Reads the rows of a table from memory into record batches, with arrow-csv.

use std::error::Error;
use std::io::Cursor;
use std::sync::Arc;
use std::time::Instant;

use arrow_csv::ReaderBuilder;
use arrow_schema::{DataType, Field, Schema};
use rustix::time::{ClockId, clock_gettime};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("the path of a file")?;
    let bytes = std::fs::read(path)?;
    // It reads `true` and `false` alone as booleans, and the exports have `t` and `f`.
    let fields = [
        ("__id", DataType::Int64),
        ("numero", DataType::Int64),
        ("station", DataType::Utf8),
        ("passages", DataType::Int64),
        ("vitesse", DataType::Float64),
        ("longitude", DataType::Float64),
        ("jour", DataType::Date32),
        ("ouvert", DataType::Utf8),
        ("remarque", DataType::Utf8),
    ];
    let fields: Vec<Field> = fields.map(|(name, kind)| Field::new(name, kind, true)).to_vec();
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    let reader = ReaderBuilder::new(Arc::new(Schema::new(fields)))
        .with_header(true)
        // The row number is not read.
        .with_projection((1..9).collect())
        .with_batch_size(8_192)
        .build(Cursor::new(bytes))?;
    let (mut rows, mut batches) = (0, 0);
    for batch in reader {
        rows += batch?.num_rows();
        batches += 1;
    }
    let (wall, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    println!("{{\"rows\": {rows}, \"batches\": {batches}, \"wall\": {wall}, \"cpu\": {cpu}}}");
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
