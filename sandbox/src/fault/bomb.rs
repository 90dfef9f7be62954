//! Compressed bodies, and decompression bombs.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use flate2::{Compress, Compression, Crc, FlushCompress};

const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// An empty last block.
const END: [u8; 2] = [3, 0];
const OPENING: &[u8] = br#"{"data":""#;
const CLOSING: &[u8] = br#""}"#;
const BLOCK: usize = 1 << 20;

pub(super) fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}

/// A JSON object with one long text, compressed; its parts are made lazily.
pub(super) fn bomb(size: u64) -> impl Iterator<Item = Vec<u8>> {
    let blocks = size / BLOCK as u64;
    let filling = vec![b'0'; BLOCK];
    let block = deflated(&filling);
    let (mut crc, mut filled) = (Crc::new(), Crc::new());
    crc.update(OPENING);
    filled.update(&filling);
    for _ in 0..blocks {
        crc.combine(&filled);
    }
    let mut closing = Crc::new();
    closing.update(CLOSING);
    crc.combine(&closing);
    let first = [&HEADER[..], &deflated(OPENING)].concat();
    let last = [&deflated(CLOSING)[..], &END, &crc.sum().to_le_bytes(), &crc.amount().to_le_bytes()].concat();
    std::iter::once(first).chain((0..blocks).map(move |_| block.clone())).chain(std::iter::once(last))
}

/// A block that decompresses independently of those around it.
fn deflated(data: &[u8]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    let mut out = Vec::with_capacity(data.len() / 2 + 64);
    compress.compress_vec(data, &mut out, FlushCompress::Full).expect("deflate fails on no data");
    out
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_bomb_is_a_valid_archive_of_a_valid_document() {
        let packed: Vec<u8> = bomb(3 << 20).flatten().collect();
        assert!(packed.len() < 10_000, "{} bytes", packed.len());
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["data"].as_str().unwrap().len(), 3 << 20);
    }
}
