//! The encoding of a file: detected from its bytes, and decoded to UTF-8 as they come.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, Encoding, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::{Error, Result};

/// The number of bytes, from the first that is not ASCII, from which the encoding is detected.
const ENOUGH: usize = 16 << 10;

/// Decodes bytes to UTF-8.
pub(super) struct Decoder {
    encoding: &'static Encoding,
    decoder: encoding_rs::Decoder,
    /// All bytes so far are ASCII, which is the same in every encoding: the first that is not decides.
    undecided: bool,
    /// Bytes that wait until there are enough to detect the encoding.
    pending: Vec<u8>,
    lenient: bool,
    /// The line of the next byte, from 1.
    line: u64,
}

/// Returns the encoding of the beginning of a file, and the length of its byte order mark.
///
/// The byte order mark decides; then zero bytes, which the text of CSV has in UTF-16 alone; then whether the bytes are valid
/// UTF-8; then whether its characters are those of French; then the frequency of letters.
fn detect(sample: &[u8], complete: bool) -> (&'static Encoding, usize) {
    if let Some(found) = Encoding::for_bom(sample) {
        return found;
    }
    if let Some(encoding) = utf_16(sample) {
        return (encoding, 0);
    }
    if is_utf_8(sample, complete) { (UTF_8, 0) } else { (legacy(sample, complete), 0) }
}

/// Returns whether bytes are UTF-8; unless they are complete, they may end within a character.
fn is_utf_8(bytes: &[u8], complete: bool) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none() && !complete, |_| true)
}

/// The bytes of the small letters of French, and of its other characters, in an encoding.
struct French {
    encoding: &'static Encoding,
    small: &'static [u8],
    others: &'static [u8],
}

const FRENCH: [French; 2] = [
    French {
        encoding: WINDOWS_1252,
        small: b"\xe0\xe2\xe7\xe8\xe9\xea\xeb\xee\xef\xf4\xf6\xf9\xfb\xfc\x9c",
        others: b"\x80\x85\x8c\x92\x93\x94\x96\xa0\xa7\xab\xb0\xb2\xbb\xc0\xc7\xc8\xc9\xca\xce\xd4",
    },
    French {
        encoding: MACINTOSH,
        small: b"\x88\x89\x8d\x8f\x8e\x90\x91\x94\x95\x99\x9a\x9d\x9e\x9f\xcf",
        others: b"\x82\x83\xa1\xa4\xc7\xc8\xc9\xca\xcb\xce\xd0\xd2\xd3\xd5\xdb\xe5\xe6\xe9\xeb\xef",
    },
];

/// Returns the encoding in which nearly all characters are those of French. It is tried first: the frequency of letters was
/// seen to take one French file of twenty for Cyrillic, and does not know the encoding of old Macs.
fn french(sample: &[u8]) -> Option<&'static Encoding> {
    let count = |set: &[u8]| sample.iter().filter(|byte| set.contains(byte)).count();
    let total = sample.iter().filter(|byte| !byte.is_ascii()).count();
    let fits = |french: &&French| {
        let small = count(french.small);
        small * 5 >= total && (small + count(french.others)) * 20 >= total * 19
    };
    FRENCH.iter().find(fits).map(|french| french.encoding)
}

/// Returns the encoding of bytes that are neither UTF-8 nor UTF-16.
fn legacy(sample: &[u8], complete: bool) -> &'static Encoding {
    if let Some(encoding) = french(sample) {
        return encoding;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, complete);
    detector.guess(Some(b"fr"), Utf8Detection::Deny)
}

/// UTF-16 without a byte order mark: one half of most characters is zero.
fn utf_16(sample: &[u8]) -> Option<&'static Encoding> {
    let pairs = sample.len().min(4_096) / 2;
    let zeros = |half: usize| {
        let halves = sample.iter().skip(half).step_by(2).take(pairs);
        halves.filter(|byte| **byte == 0).count()
    };
    let (high, low) = (zeros(0), zeros(1));
    match () {
        () if pairs < 2 => None,
        () if low * 10 >= pairs * 7 && high * 10 < pairs => Some(UTF_16LE),
        () if high * 10 >= pairs * 7 && low * 10 < pairs => Some(UTF_16BE),
        () => None,
    }
}

impl Decoder {
    /// Creates a decoder for a file that begins with `sample`, and returns it with the length of the byte order mark.
    pub(super) fn new(
        sample: &[u8],
        complete: bool,
        encoding: Option<&'static Encoding>,
        lenient: bool,
    ) -> (Self, usize) {
        let (encoding, mark, undecided) = match encoding {
            Some(encoding) => match Encoding::for_bom(sample) {
                Some((of_mark, mark)) if of_mark == encoding => (encoding, mark, false),
                _ => (encoding, 0, false),
            },
            None => {
                let (encoding, mark) = detect(sample, complete);
                let whole = std::str::from_utf8(sample).map_or_else(|error| error.valid_up_to(), str::len);
                let ascii = sample.get(..whole).unwrap_or_default().is_ascii();
                (encoding, mark, encoding == UTF_8 && mark == 0 && ascii)
            }
        };
        let decoder = encoding.new_decoder_without_bom_handling();
        (Self { encoding, decoder, undecided, pending: Vec::new(), lenient, line: 1 }, mark)
    }

    pub(super) fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// Decodes bytes and appends the text.
    pub(super) fn decode(&mut self, bytes: &[u8], last: bool, text: &mut Vec<u8>) -> Result<()> {
        if !self.undecided {
            return self.decode_decided(bytes, last, text);
        }
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let first = pending.iter().position(|byte| !byte.is_ascii()).unwrap_or(pending.len());
        let (ascii, rest) = pending.split_at_checked(first).unwrap_or_default();
        if !last && rest.len() < ENOUGH {
            self.pending = rest.to_vec();
            return self.decode_decided(ascii, false, text);
        }
        if !rest.is_empty() {
            self.encoding = if is_utf_8(rest, last) { UTF_8 } else { legacy(rest, last) };
            self.decoder = self.encoding.new_decoder_without_bom_handling();
            self.undecided = false;
        }
        self.decode_decided(&pending, last, text)
    }

    fn decode_decided(&mut self, bytes: &[u8], last: bool, text: &mut Vec<u8>) -> Result<()> {
        let mut rest = bytes;
        loop {
            let start = text.len();
            let room = self.decoder.max_utf8_buffer_length_without_replacement(rest.len()).unwrap_or(rest.len() * 3);
            text.resize(start + room.max(16), 0);
            let into = text.get_mut(start..).unwrap_or_default();
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(rest, into, last);
            text.truncate(start + written);
            rest = rest.get(read..).unwrap_or_default();
            let decoded = text.get(start..).unwrap_or_default();
            self.line += memchr::memchr_iter(b'\n', decoded).count() as u64;
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) if self.lenient => text.extend_from_slice("\u{fffd}".as_bytes()),
                DecoderResult::Malformed(..) => {
                    return Err(Error::unreadable(format!(
                        "line {} is not valid {}: set another encoding with `encoding`, or `lenient` to read it anyway",
                        self.line,
                        self.encoding.name()
                    )));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], sample: usize, piece: usize) -> Result<(String, &'static str)> {
        let sample = &bytes[..sample.min(bytes.len())];
        let (mut decoder, mark) = Decoder::new(sample, sample.len() == bytes.len(), None, false);
        let mut text = Vec::new();
        for bytes in bytes[mark..].chunks(piece) {
            decoder.decode(bytes, false, &mut text)?;
        }
        decoder.decode(&[], true, &mut text)?;
        Ok((String::from_utf8(text).unwrap(), decoder.encoding().name()))
    }

    #[test]
    fn a_character_is_whole_wherever_the_bytes_are_cut() {
        let text = "nom;prénom\nHéloïse;œuvre €\n";
        let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        let mut marked = vec![0xff, 0xfe];
        marked.extend(wide(u16::to_le_bytes));
        for (bytes, name) in [
            (text.as_bytes().to_vec(), "UTF-8"),
            (marked, "UTF-16LE"),
            (wide(u16::to_le_bytes), "UTF-16LE"),
            (wide(u16::to_be_bytes), "UTF-16BE"),
            (WINDOWS_1252.encode(text).0.into_owned(), "windows-1252"),
        ] {
            for piece in 1..7 {
                assert_eq!(decoded(&bytes, 1 << 16, piece).unwrap(), (text.to_owned(), name), "{name} by {piece}");
            }
        }
    }

    #[test]
    fn french_is_distinguished_from_other_single_byte_languages() {
        let french = "Déjà vu, là-bas : l\u{2019}élève était à Orléans, « forêt », cœur, 5 °C, Île-de-France";
        for (text, encoding) in [
            (french, "windows-1252"),
            (french, "macintosh"),
            ("Съешь же ещё этих мягких французских булок, да выпей чаю", "windows-1251"),
            ("Ξεσκεπάζω την ψυχοφθόρα βδελυγμία", "windows-1253"),
        ] {
            // encoding_rs encodes into all encodings but UTF-16.
            let bytes = Encoding::for_label(encoding.as_bytes()).unwrap().encode(text).0.repeat(3);
            assert_eq!(decoded(&bytes, 1 << 16, 7).unwrap(), (text.repeat(3), encoding));
        }
    }

    #[test]
    fn an_encoding_is_detected_at_the_first_non_ascii_byte_however_late() {
        let mut bytes = b"id;nom\n".repeat(100);
        bytes.extend_from_slice(b"1;Orl\xe9ans\n2;Ch\xe2teauroux\n");
        let (text, name) = decoded(&bytes, 64, 1 << 16).unwrap();
        assert_eq!(name, "windows-1252");
        assert!(text.ends_with("1;Orléans\n2;Châteauroux\n"), "{text}");
        let mut bytes = b"id;nom\n".repeat(100);
        bytes.extend_from_slice("1;Orléans\n".as_bytes());
        assert!(decoded(&bytes, 64, 1 << 16).unwrap().0.ends_with("Orléans\n"));
    }

    #[test]
    fn bytes_invalid_in_the_encoding_are_an_error_with_the_line() {
        let mut bytes = "é\nb\n".repeat(50).into_bytes();
        bytes.extend_from_slice(b"caf\xe9\n");
        let error = decoded(&bytes, 32, 1 << 16).unwrap_err();
        assert!(error.to_string().starts_with("line 101 is not valid UTF-8"), "{error}");
        let (mut lenient, _) = Decoder::new(&bytes[..32], false, None, true);
        let mut text = Vec::new();
        lenient.decode(&bytes, true, &mut text).unwrap();
        assert!(String::from_utf8(text).unwrap().ends_with("caf\u{fffd}\n"));
    }
}
