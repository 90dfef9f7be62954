//! The bytes of a file, unpacked if it is packed; recognises files that are no tables of text.

use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::GzipDecoder;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use super::zip::{Bytes, Zip};

/// How a file is packed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packing {
    /// Not at all.
    None,
    /// Gzip.
    Gzip,
    /// A ZIP archive, with the name of the file in it.
    Zip(String),
}

/// The bytes of a file, unpacked.
pub(super) enum Unpacked {
    Plain(Bytes),
    Gzip(Box<GzipDecoder<Bytes>>),
    Zip(Box<Zip>),
}

/// The first bytes of formats other than CSV.
const OTHERS: [(&[u8], &str); 8] = [
    (b"PAR1", "Parquet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an XLS workbook"),
    (b"%PDF-", "PDF"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
    (b"BZh", "packed with bzip2"),
    (b"SQLite format 3", "an SQLite database"),
];

impl Unpacked {
    /// Detects how a file is packed. Of a ZIP archive, the file with the name `member` is read, or the only one.
    pub(super) async fn open(reader: impl AsyncRead + Send + 'static, member: Option<&str>) -> io::Result<Self> {
        let mut bytes = BufReader::with_capacity(64 << 10, Box::pin(reader) as Pin<Box<dyn AsyncRead + Send>>);
        let beginning = bytes.fill_buf().await?;
        if beginning.starts_with(b"\x1f\x8b") {
            let mut gzip = GzipDecoder::new(bytes);
            // Tools that pack in parallel write several members.
            gzip.multiple_members(true);
            return Ok(Self::Gzip(Box::new(gzip)));
        }
        if beginning.starts_with(b"PK\x03\x04") || beginning.starts_with(b"PK\x05\x06") {
            return Ok(Self::Zip(Box::new(Zip::open(bytes, member).await?)));
        }
        Ok(Self::Plain(bytes))
    }

    pub(super) fn packing(&self) -> Packing {
        match self {
            Self::Plain(_) => Packing::None,
            Self::Gzip(_) => Packing::Gzip,
            Self::Zip(zip) => Packing::Zip(zip.name().to_owned()),
        }
    }

    /// Reads some bytes; none at the end.
    pub(super) async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(bytes) => bytes.read(into).await,
            Self::Gzip(bytes) => bytes.read(into).await,
            Self::Zip(bytes) => bytes.read(into).await,
        }
    }
}

/// Returns what a file is, if its beginning shows that it is no text of rows.
pub(super) fn not_rows(beginning: &[u8]) -> Option<&'static str> {
    if let Some((_, name)) = OTHERS.iter().find(|(magic, _)| beginning.starts_with(magic)) {
        return Some(name);
    }
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    match () {
        () if begins(b"<!doctype html") || begins(b"<html") || begins(b"<head") => Some("an HTML page"),
        () if begins(b"<?xml") => Some("XML"),
        () if begins(b"{\"") || begins(b"{\n") || begins(b"{\r") || begins(b"[{") || begins(b"[\n") => Some("JSON"),
        () => None,
    }
}
