//! Undoes the content coding of a body, where a server applies one that was not accepted.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::Url;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};

use super::name;
use crate::{Error, Result};

/// How many coded bytes are decoded at once, which become a thousand times as many at most.
pub(super) const STEP: usize = 4 << 10;

/// Codings of HTTP. Servers send charsets and other words in their place.
const CODINGS: [&str; 8] = ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "dcb", "dcz"];

/// A decoder of a body.
pub(super) enum Decoder {
    /// `gzip`, before its first two bytes.
    Undecided(Vec<u8>),
    /// `gzip` is declared, and was not applied.
    Plain,
    Gzip(MultiGzDecoder<Vec<u8>>),
    /// `deflate`, before its first byte.
    Deflate,
    Zlib(ZlibDecoder<Vec<u8>>),
    /// `deflate` without the zlib format, which some servers send.
    RawDeflate(DeflateDecoder<Vec<u8>>),
}

/// The content coding to undo, in lower case; `None` if the body is the file as it is.
///
/// That is so for a compressed file, which some servers declare as a coding too: `a.csv.gz` stays what its name says.
/// `is_gzip` says that the declared format is.
pub(super) fn to_undo(headers: &HeaderMap, url: &Url, is_gzip: bool) -> Option<String> {
    let coding = headers.get(CONTENT_ENCODING)?.to_str().ok()?.trim().to_ascii_lowercase();
    if !coding.split(',').any(|coding| CODINGS.contains(&coding.trim())) {
        return None;
    }
    let path = url.path().to_ascii_lowercase();
    let name = name::of_headers(headers).unwrap_or_default().to_ascii_lowercase();
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_compressed_file = matches!(coding.as_str(), "gzip" | "x-gzip")
        && (is_gzip
            || [".gz", ".tgz", ".gzip"].iter().any(|extension| path.ends_with(extension) || name.ends_with(extension))
            || ["application/gzip", "application/x-gzip"].iter().any(|essence| media_type.starts_with(essence)));
    (!is_compressed_file).then_some(coding)
}

impl Decoder {
    /// Returns the decoder of a content coding.
    pub(super) fn of(coding: &str) -> Result<Self> {
        match coding {
            "gzip" | "x-gzip" => Ok(Self::Undecided(Vec::new())),
            "deflate" => Ok(Self::Deflate),
            coding => Err(Error::unreadable(format!(
                "the server sent the file with the content coding `{coding}` though none was accepted"
            ))),
        }
    }

    /// Decodes the next bytes of the body.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Result<Bytes> {
        if matches!(self, Self::Deflate)
            && let Some(first) = bytes.first()
        {
            // The method of a zlib header is 8.
            *self = if first & 0x0f == 8 {
                Self::Zlib(ZlibDecoder::new(Vec::new()))
            } else {
                Self::RawDeflate(DeflateDecoder::new(Vec::new()))
            };
        }
        let mut first = Vec::new();
        if let Self::Undecided(begin) = self {
            begin.extend_from_slice(bytes);
            if begin.len() < 2 {
                return Ok(Bytes::new());
            }
            first = std::mem::take(begin);
            *self = if first.starts_with(&[0x1f, 0x8b]) {
                Self::Gzip(MultiGzDecoder::new(Vec::new()))
            } else {
                Self::Plain
            };
        }
        let bytes = if first.is_empty() { bytes } else { &first };
        let decoded = match self {
            Self::Plain | Self::Undecided(_) => return Ok(Bytes::copy_from_slice(bytes)),
            Self::Deflate => return Ok(Bytes::new()),
            Self::Gzip(decoder) => decoder.write_all(bytes).map(|()| std::mem::take(decoder.get_mut())),
            Self::Zlib(decoder) => decoder.write_all(bytes).map(|()| std::mem::take(decoder.get_mut())),
            Self::RawDeflate(decoder) => decoder.write_all(bytes).map(|()| std::mem::take(decoder.get_mut())),
        };
        decoded.map(Bytes::from).map_err(undecodable)
    }

    /// Returns the last bytes, or an error if the coded body is not complete.
    pub(super) fn finish(self) -> Result<Bytes> {
        let last = match self {
            Self::Undecided(begin) => Ok(begin),
            Self::Deflate | Self::Plain => Ok(Vec::new()),
            Self::Gzip(decoder) => decoder.finish(),
            Self::Zlib(decoder) => decoder.finish(),
            Self::RawDeflate(decoder) => decoder.finish(),
        };
        last.map(Bytes::from).map_err(undecodable)
    }
}

fn undecodable(error: io::Error) -> Error {
    Error::corrupt("the content coding of the body cannot be undone: it is damaged or cut").with_source(error)
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn encoded(coding: &str, data: &[u8]) -> Vec<u8> {
        let level = Compression::default();
        match coding {
            "gzip" => {
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder.write_all(data).unwrap();
                encoder.finish().unwrap()
            }
            "zlib" => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(data).unwrap();
                encoder.finish().unwrap()
            }
            _ => {
                let mut encoder = DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(data).unwrap();
                encoder.finish().unwrap()
            }
        }
    }

    fn decoded(coding: &str, body: &[u8], step: usize) -> Result<Vec<u8>> {
        let mut decoder = Decoder::of(coding)?;
        let mut data = Vec::new();
        for bytes in body.chunks(step) {
            data.extend_from_slice(&decoder.decode(bytes)?);
        }
        data.extend_from_slice(&decoder.finish()?);
        Ok(data)
    }

    #[test]
    fn codings_are_undone_however_the_body_is_cut_into_chunks() {
        let data: Vec<u8> = (0..20_000_u32).flat_map(|number| format!("{number};é\n").into_bytes()).collect();
        for (coding, format) in [("gzip", "gzip"), ("x-gzip", "gzip"), ("deflate", "zlib"), ("deflate", "raw")] {
            let body = encoded(format, &data);
            for step in [1, 7, 4_096, body.len()] {
                assert!(decoded(coding, &body, step).unwrap() == data, "{coding} {format} by {step}");
            }
            let cut = &body[..body.len() / 2];
            assert!(decoded(coding, cut, 512).unwrap_err().is_corrupt(), "{coding} {format}");
        }
        // Members of gzip follow each other.
        let twice = [encoded("gzip", b"a"), encoded("gzip", b"b")].concat();
        assert_eq!(decoded("gzip", &twice, 3).unwrap(), b"ab");
        // Declared and not applied.
        for plain in [&b"a;b\n"[..], b"a", b""] {
            assert_eq!(decoded("gzip", plain, 1).unwrap(), plain);
        }
        assert!(decoded("br", b"", 1).unwrap_err().to_string().contains("`br`"));
    }

    #[test]
    fn a_compressed_file_stays_compressed() {
        let undone = |coding: &'static str, media_type: &'static str, path: &str| {
            let headers = HeaderMap::from_iter([
                (CONTENT_ENCODING, coding.parse().unwrap()),
                (CONTENT_TYPE, media_type.parse().unwrap()),
            ]);
            to_undo(&headers, &format!("https://example.org{path}").parse().unwrap(), false)
        };
        assert_eq!(undone("GZIP", "text/csv", "/a.csv").as_deref(), Some("gzip"));
        assert_eq!(undone("gzip", "text/csv", "/a.csv.gz"), None);
        assert_eq!(undone("x-gzip", "application/x-gzip", "/download/7"), None);
        assert_eq!(undone("deflate", "text/csv", "/a.csv.gz").as_deref(), Some("deflate"));
        for word in ["identity", "utf-8", "binary", ""] {
            assert_eq!(undone(word, "text/csv", "/a.csv"), None, "{word}");
        }
    }
}
