//! Undoes the content coding of a body, where a server applies one that was not accepted.

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(feature = "zstd")]
mod zstd;

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::Url;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};

#[cfg(feature = "brotli")]
use self::brotli::Brotli;
#[cfg(feature = "zstd")]
use self::zstd::Zstd;
use super::content::Content;
use super::name;
use crate::{Error, Result};

/// How many bytes of gzip or deflate are decoded at once, which become a thousand times as many at most.
const STEP: usize = 4 << 10;

/// How many bytes of other codings are made at once: a few bytes of them may become megabytes.
#[cfg(any(feature = "brotli", feature = "zstd"))]
const MADE: usize = 64 << 10;

/// Codings of HTTP. Servers send charsets and other words in their place.
const CODINGS: [&str; 8] = ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "dcb", "dcz"];

/// A decoder of a body.
pub(super) enum Decoder {
    /// `gzip` or `zstd`, before the first bytes, which are these.
    Undecided(Marked, Vec<u8>),
    /// Such a coding is declared, and was not applied.
    Plain,
    Gzip(MultiGzDecoder<Vec<u8>>),
    /// `deflate`, before its first byte.
    Deflate,
    Zlib(ZlibDecoder<Vec<u8>>),
    /// `deflate` without the zlib format, which some servers send.
    RawDeflate(DeflateDecoder<Vec<u8>>),
    #[cfg(feature = "brotli")]
    Brotli(Brotli),
    #[cfg(feature = "zstd")]
    Zstd(Zstd),
}

/// A coding that is recognised by its first bytes.
#[derive(Clone, Copy)]
pub(super) enum Marked {
    Gzip,
    #[cfg(feature = "zstd")]
    Zstd,
}

impl Marked {
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Gzip => &[0x1f, 0x8b],
            #[cfg(feature = "zstd")]
            Self::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
        }
    }

    /// The decoder of a body that begins like this.
    fn decoder(self, first: &[u8]) -> Result<Decoder> {
        Ok(match self {
            Self::Gzip if first == self.mark() => Decoder::Gzip(MultiGzDecoder::new(Vec::new())),
            #[cfg(feature = "zstd")]
            Self::Zstd if first == self.mark() || Zstd::is_skippable(first) => {
                Decoder::Zstd(Zstd::new().map_err(undecodable)?)
            }
            _ => Decoder::Plain,
        })
    }
}

/// The content coding to undo, in lower case; `None` if the body is the file as it is.
///
/// That is so for a compressed file, which some servers declare as a coding too: `a.csv.gz` stays what its name or its
/// declared format says.
pub(super) fn to_undo(headers: &HeaderMap, url: &Url, content: Content) -> Option<String> {
    let coding = headers.get(CONTENT_ENCODING)?.to_str().ok()?.trim().to_ascii_lowercase();
    if !coding.split(',').any(|coding| CODINGS.contains(&coding.trim())) {
        return None;
    }
    let (is_declared, extensions, media_types) = match coding.as_str() {
        "gzip" | "x-gzip" => {
            (content == Content::Gzip, &[".gz", ".tgz", ".gzip"][..], &["application/gzip", "application/x-gzip"][..])
        }
        "zstd" => (content == Content::Zstd, &[".zst", ".zstd"][..], &["application/zstd"][..]),
        "br" => (false, &[".br"][..], &[][..]),
        _ => return Some(coding),
    };
    let path = url.path().to_ascii_lowercase();
    let name = name::of_response(headers).unwrap_or_default().to_ascii_lowercase();
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_compressed_file = is_declared
        || extensions.iter().any(|extension| path.ends_with(extension) || name.ends_with(extension))
        || media_types.iter().any(|essence| media_type.starts_with(essence));
    (!is_compressed_file).then_some(coding)
}

impl Decoder {
    /// Returns the decoder of a content coding.
    pub(super) fn of(coding: &str) -> Result<Self> {
        match coding {
            "gzip" | "x-gzip" => Ok(Self::Undecided(Marked::Gzip, Vec::new())),
            "deflate" => Ok(Self::Deflate),
            #[cfg(feature = "brotli")]
            "br" => Ok(Self::Brotli(Brotli::new())),
            #[cfg(not(feature = "brotli"))]
            "br" => Err(not_accepted(coding, ": the feature `brotli` of the crate undoes it")),
            #[cfg(feature = "zstd")]
            "zstd" => Ok(Self::Undecided(Marked::Zstd, Vec::new())),
            #[cfg(not(feature = "zstd"))]
            "zstd" => Err(not_accepted(coding, ": the feature `zstd` of the crate undoes it")),
            coding => Err(not_accepted(coding, "")),
        }
    }

    /// Decodes bytes of the body from the front of `coded`, which it takes away; some of them, if they become many.
    pub(super) fn decode(&mut self, coded: &mut Bytes) -> Result<Bytes> {
        let front = |coded: &mut Bytes, most: usize| coded.split_to(most.min(coded.len()));
        if let Self::Undecided(marked, first) = self {
            let marked = *marked;
            first.extend_from_slice(&front(coded, marked.mark().len() - first.len()));
            if first.len() < marked.mark().len() {
                return Ok(Bytes::new());
            }
            let mut first = Bytes::from(std::mem::take(first));
            *self = marked.decoder(&first)?;
            return self.decode(&mut first);
        }
        if matches!(self, Self::Deflate)
            && let Some(first) = coded.first()
        {
            // The method of a zlib header is 8.
            *self = if first & 0x0f == 8 {
                Self::Zlib(ZlibDecoder::new(Vec::new()))
            } else {
                Self::RawDeflate(DeflateDecoder::new(Vec::new()))
            };
        }
        let decoded = match self {
            Self::Plain | Self::Undecided(..) => return Ok(std::mem::take(coded)),
            Self::Deflate => return Ok(Bytes::new()),
            Self::Gzip(decoder) => decoder.write_all(&front(coded, STEP)).map(|()| std::mem::take(decoder.get_mut())),
            Self::Zlib(decoder) => decoder.write_all(&front(coded, STEP)).map(|()| std::mem::take(decoder.get_mut())),
            Self::RawDeflate(decoder) => {
                decoder.write_all(&front(coded, STEP)).map(|()| std::mem::take(decoder.get_mut()))
            }
            #[cfg(feature = "brotli")]
            Self::Brotli(decoder) => decoder.decode(coded),
            #[cfg(feature = "zstd")]
            Self::Zstd(decoder) => decoder.decode(coded),
        };
        decoded.map(Bytes::from).map_err(undecodable)
    }

    /// Returns whether [`decode`](Self::decode) may return more without more bytes of the body.
    pub(super) fn has_more(&self) -> bool {
        match self {
            #[cfg(feature = "brotli")]
            Self::Brotli(decoder) => decoder.has_more(),
            #[cfg(feature = "zstd")]
            Self::Zstd(decoder) => decoder.has_more(),
            _ => false,
        }
    }

    /// Returns the last bytes, or an error if the coded body is not complete.
    pub(super) fn finish(self) -> Result<Bytes> {
        let last = match self {
            Self::Undecided(marked, first) if !first.is_empty() && marked.mark().starts_with(&first) => {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Self::Undecided(_, first) => Ok(first),
            Self::Deflate | Self::Plain => Ok(Vec::new()),
            Self::Gzip(decoder) => decoder.finish(),
            Self::Zlib(decoder) => decoder.finish(),
            Self::RawDeflate(decoder) => decoder.finish(),
            #[cfg(feature = "brotli")]
            Self::Brotli(decoder) => decoder.finish().map(|()| Vec::new()),
            #[cfg(feature = "zstd")]
            Self::Zstd(decoder) => decoder.finish().map(|()| Vec::new()),
        };
        last.map(Bytes::from).map_err(undecodable)
    }
}

fn not_accepted(coding: &str, help: &str) -> Error {
    let message = format!("the server sent the file with the content coding `{coding}` though none was accepted{help}");
    Error::unreadable(message)
}

fn undecodable(error: io::Error) -> Error {
    let reason =
        if error.kind() == io::ErrorKind::OutOfMemory { "it needs too much memory" } else { "it is damaged or cut" };
    Error::corrupt(format!("the content coding of the body cannot be undone: {reason}")).with_source(error)
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
            let mut coded = Bytes::copy_from_slice(bytes);
            while !coded.is_empty() || decoder.has_more() {
                data.extend_from_slice(&decoder.decode(&mut coded)?);
            }
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
            assert!(format == "raw" || decoded(coding, &body[..1], 1).unwrap_err().is_corrupt(), "{coding} {format}");
        }
        // Members of gzip follow each other.
        let twice = [encoded("gzip", b"a"), encoded("gzip", b"b")].concat();
        assert_eq!(decoded("gzip", &twice, 3).unwrap(), b"ab");
        // Declared and not applied.
        for plain in [&b"a;b\n"[..], b"a", b""] {
            assert_eq!(decoded("gzip", plain, 1).unwrap(), plain);
        }
        assert!(decoded("compress", b"", 1).unwrap_err().to_string().contains("`compress`"));
    }

    #[cfg(not(feature = "brotli"))]
    #[test]
    fn a_coding_that_needs_a_feature_names_it() {
        let error = decoded("br", b"", 1).unwrap_err();
        assert!(
            error.to_string().ends_with("`br` though none was accepted: the feature `brotli` of the crate undoes it")
        );
    }

    #[cfg(not(feature = "zstd"))]
    #[test]
    fn zstd_names_the_feature_that_it_needs() {
        assert!(decoded("zstd", b"", 1).unwrap_err().to_string().contains("the feature `zstd`"));
    }

    #[test]
    fn a_compressed_file_stays_compressed() {
        let undone = |coding: &'static str, media_type: &'static str, path: &str| {
            let headers = HeaderMap::from_iter([
                (CONTENT_ENCODING, coding.parse().unwrap()),
                (CONTENT_TYPE, media_type.parse().unwrap()),
            ]);
            to_undo(&headers, &format!("https://example.org{path}").parse().unwrap(), Content::Data)
        };
        assert_eq!(undone("GZIP", "text/csv", "/a.csv").as_deref(), Some("gzip"));
        assert_eq!(undone("gzip", "text/csv", "/a.csv.gz"), None);
        assert_eq!(undone("x-gzip", "application/x-gzip", "/download/7"), None);
        assert_eq!(undone("deflate", "text/csv", "/a.csv.gz").as_deref(), Some("deflate"));
        for (coding, path) in [("zstd", "/a.csv.zst"), ("br", "/a.csv.br")] {
            assert_eq!(undone(coding, "text/csv", path), None);
            assert_eq!(undone(coding, "text/csv", "/a.csv").as_deref(), Some(coding));
        }
        assert_eq!(undone("zstd", "application/zstd", "/download/7"), None);
        for word in ["identity", "utf-8", "binary", ""] {
            assert_eq!(undone(word, "text/csv", "/a.csv"), None, "{word}");
        }
    }
}
