//! Searches CSV for the separators of values, 64 bytes at a time.

/// The number of bytes that are searched at once: those that one integer has bits for.
const STRIDE: usize = 64;

/// The separators that most strides have at most; more of them take a branch more.
const FEW: usize = 8;

/// The bytes of a value and its separator, in most tables at least.
const SHORT: usize = 6;

/// How far CSV can be split.
pub(super) enum Scanned {
    Whole,
    /// A quoted value does not end.
    Open,
    /// A quote is neither at the edge of a value nor doubled; the separators are those before it.
    Misplaced,
}

/// Finds the commas and newlines that no quotes enclose, in CSV of at most 2 GiB, and replaces what `places` holds by where they
/// are.
///
/// A quoted value starts with the first quote and ends with the one that a comma or a newline follows; two quotes in a row
/// within it are one.
pub(super) fn separators(csv: &[u8], places: &mut Vec<u32>) -> Scanned {
    places.clear();
    places.reserve(csv.len() / SHORT);
    let (strides, rest) = csv.as_chunks();
    let mut last = [0; STRIDE];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    // Of the bit before the first of a stride: whether it is quoted, separates values, or is a quote that closes.
    let (mut quoted, mut after_separator, mut after_close) = (0, 1, 0);
    let mut base = 0;
    for stride in strides.iter().chain(std::iter::once(&last)) {
        let quotes = bits(stride.map(|byte| u8::from(byte == b'"')));
        let found = bits(stride.map(|byte| u8::from(byte == b',') | u8::from(byte == b'\n')));
        // The quotes that open, and all behind them up to those that close.
        let inside = if quotes == 0 { quoted } else { odd_before(quotes) ^ quoted };
        let (found, opening, closing) = (found & !inside, quotes & inside, quotes & !inside);
        let closed = closing << 1 | after_close;
        let misplaced = (opening & !(found << 1 | after_separator | closed)) | (closed & !(found | opening));
        push_places(found, base, places);
        if misplaced != 0
            && let Some(at) = first_misplaced(csv, base as usize, misplaced)
        {
            places.truncate(places.partition_point(|place| (*place as usize) < at));
            return Scanned::Misplaced;
        }
        (quoted, after_separator, after_close) =
            ((inside.cast_signed() >> 63).cast_unsigned(), found >> 63, closing >> 63);
        base += STRIDE as u32;
    }
    if quoted == 0 { Scanned::Whole } else { Scanned::Open }
}

/// Pushes where the bits are that are set.
#[inline]
fn push_places(mut bits: u64, base: u32, places: &mut Vec<u32>) {
    let end = places.len() + bits.count_ones() as usize;
    // Always as many, since a branch on how many there are would be mispredicted.
    places.extend_from_slice(&std::array::from_fn::<_, FEW, _>(|_| {
        let place = base + bits.trailing_zeros();
        // Without the lowest bit.
        bits &= bits.wrapping_sub(1);
        place
    }));
    while bits != 0 {
        places.push(base + bits.trailing_zeros());
        bits &= bits - 1;
    }
    places.truncate(end);
}

/// The first misplaced byte; a quote before the `\r\n` of a line is not misplaced.
#[cold]
fn first_misplaced(csv: &[u8], base: usize, mut misplaced: u64) -> Option<usize> {
    while misplaced != 0 {
        let at = base + misplaced.trailing_zeros() as usize;
        // Behind the end of the CSV.
        if at >= csv.len() {
            return None;
        }
        if !csv.get(at..).is_some_and(|rest| rest.starts_with(b"\r\n")) {
            return Some(at);
        }
        misplaced &= misplaced - 1;
    }
    None
}

/// A bit for each byte, which is 0 or 1, the first in the lowest. Branches would depend on the data, and be mispredicted; this is
/// compiled to vector instructions.
#[inline]
fn bits(flags: [u8; STRIDE]) -> u64 {
    /// Moves the lowest bits of eight bytes to the highest byte, in their order.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, _) = flags.as_chunks();
    let gathered = eights.iter().map(|eight| u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56);
    gathered.rev().fold(0, |bits, eight| (bits << 8) | eight)
}

/// Which bits have an odd number of set bits up to themselves.
#[inline]
fn odd_before(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
}
