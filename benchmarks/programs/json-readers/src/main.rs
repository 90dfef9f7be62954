//! Decodes a page of datasets into structures that serde derives, with `serde_json`, `sonic-rs` or `simd-json`.

#[path = "../../../src/call/types.rs"]
mod types;

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use types::DatasetPage;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, reader, path, times] = &arguments[..] else { return Err("a reader, a file and a number".into()) };
    let body = std::fs::read(path)?;
    let decode: fn(&[u8]) -> Result<DatasetPage, Box<dyn Error>> = match reader.as_str() {
        "serde_json" => |body| Ok(serde_json::from_slice(body)?),
        "sonic-rs" => |body| Ok(sonic_rs::from_slice(body)?),
        // It reads in place, so that the caller's bytes are copied.
        "simd-json" => |body| Ok(simd_json::serde::from_slice(&mut body.to_vec())?),
        _ => return Err(format!("`{reader}` is none of serde_json, sonic-rs, simd-json").into()),
    };
    let resources = |page: &DatasetPage| page.data.iter().map(|dataset| dataset.resources.len()).sum::<usize>();
    let found = resources(&decode(&body)?);
    let begun = Instant::now();
    for _ in 0..times.parse::<u32>()? {
        black_box(decode(black_box(&body))?);
    }
    println!("{{\"found\": {found}, \"wall\": {}}}", begun.elapsed().as_secs_f64());
    Ok(())
}
