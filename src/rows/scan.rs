//! Searches the bytes of CSV for the ends of fields.

use memchr::memchr2;

/// The number of bytes that are searched at once: those that one integer has bits for.
pub(super) const STRIDE: usize = 64;

/// Which of the bytes from there on end a field without quotes, the first in the lowest bit; `None` if there is no byte.
#[inline]
pub(super) fn field_ends(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..).filter(|bytes| !bytes.is_empty())?;
    Some(match bytes.first_chunk() {
        Some(stride) => commas_and_newlines(stride),
        None => {
            let mut stride = [0; STRIDE];
            stride.get_mut(..bytes.len())?.copy_from_slice(bytes);
            commas_and_newlines(&stride)
        }
    })
}

/// A bit for each byte. Branches would depend on the data, and be mispredicted; this is compiled to vector instructions.
#[inline]
fn commas_and_newlines(bytes: &[u8; STRIDE]) -> u64 {
    /// Moves the lowest bits of eight bytes to the highest byte, in their order.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let ends = bytes.map(|byte| u8::from(byte == b',') | u8::from(byte == b'\n'));
    let (eights, _) = ends.as_chunks();
    let gathered = eights.iter().map(|eight| u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56);
    gathered.rev().fold(0, |bits, eight| (bits << 8) | eight)
}

/// Where the quoted field that starts there ends, and whether it contains doubled characters.
pub(super) fn quoted(bytes: &[u8], from: usize, ended: bool) -> Option<(usize, bool)> {
    let (mut at, mut escaped) = (from, false);
    loop {
        let found = at + memchr2(b'"', b'\\', bytes.get(at..)?)?;
        let letter = bytes.get(found);
        match bytes.get(found + 1) {
            next if next.is_some() && next == letter => {
                escaped = true;
                at = found + 2;
            }
            _ if letter == Some(&b'\\') => at = found + 1,
            // Whether it is doubled is not known yet.
            None if !ended => return None,
            _ => return Some((found, escaped)),
        }
    }
}
