//! Exports cut into blocks of whole records.

use memchr::{memchr_iter, memrchr2};

use super::records::{Malformed, Records};

/// The maximum size of a record. An unclosed quote would otherwise never end.
const LONGEST_RECORD: usize = 64 << 20;

/// Cuts the bytes of an export into whole records.
///
/// A record ends with the line where no quote is open, that is, where the quotes so far are even: a quote within quotes is
/// doubled, and fields without quotes hold none.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    /// How many columns the records have, and where the row number is among them.
    columns: usize,
    number: Option<usize>,
    buffer: Vec<u8>,
    /// How many bytes of it are whole records.
    pub whole: usize,
    /// Whether a quote is open at its end.
    open: bool,
    /// The number of the last whole record.
    pub last: Option<i64>,
}

impl Cutter {
    pub(super) fn new(columns: usize, number: Option<usize>) -> Self {
        Self { columns, number, ..Self::default() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let before = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        self.open ^= memchr_iter(b'"', bytes).count() % 2 == 1;
        if let Some(end) = line_end(bytes, self.open) {
            self.whole = before + end;
            self.last = self.last_number();
        }
        if self.buffer.len() - self.whole > LONGEST_RECORD { Err(Malformed::TooLong) } else { Ok(()) }
    }

    /// No more bytes come.
    pub(super) fn end(&mut self) {
        self.whole = self.buffer.len();
    }

    /// The whole records, if there are any. Those that follow are received into `room`, which is empty.
    pub(super) fn take(&mut self, room: impl FnOnce() -> Vec<u8>) -> Option<Vec<u8>> {
        if self.whole == 0 {
            return None;
        }
        let mut room = room();
        room.extend_from_slice(self.buffer.get(self.whole..).unwrap_or_default());
        self.buffer.truncate(self.whole);
        self.whole = 0;
        Some(std::mem::replace(&mut self.buffer, room))
    }

    /// The number of the last whole record.
    fn last_number(&self) -> Option<i64> {
        let place = self.number?;
        let records = self.buffer.get(..self.whole)?;
        let before = records.get(..records.len().checked_sub(1)?)?;
        let record = records.get(line_end(before, false).unwrap_or_default()..)?;
        let mut last = Records::default();
        last.split(record.to_vec(), self.columns);
        last.cell(0, place)?.text().parse().ok()
    }
}

/// Where the last line ends that ends a record; `open` says whether a quote is open at the end.
fn line_end(bytes: &[u8], mut open: bool) -> Option<usize> {
    let mut rest = bytes;
    while let Some(at) = memrchr2(b'"', b'\n', rest) {
        match rest.get(at) {
            Some(b'\n') if !open => return Some(at + 1),
            Some(b'"') => open = !open,
            _ => {}
        }
        rest = rest.get(..at).unwrap_or_default();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is cut off after each piece, with the number of its last record.
    fn cut(body: &str, pieces: usize, number: Option<usize>) -> Vec<(String, Option<i64>)> {
        let mut cutter = Cutter::new(2, number);
        let mut blocks = Vec::new();
        for piece in body.as_bytes().chunks(pieces) {
            cutter.push(piece).unwrap();
            if let Some(records) = cutter.take(Vec::new) {
                blocks.push((String::from_utf8(records).unwrap(), cutter.last));
            }
        }
        cutter.end();
        blocks.extend(cutter.take(Vec::new).map(|rest| (String::from_utf8(rest).unwrap(), cutter.last)));
        blocks
    }

    #[test]
    fn blocks_end_with_lines_that_end_records() {
        let body = "1,\"a\nb\"\n2,\"c\"\"\n\"\n3,\n4,\"\\\"\n";
        let records = ["1,\"a\nb\"\n", "2,\"c\"\"\n\"\n", "3,\n", "4,\"\\\"\n"];
        let one_by_one: Vec<_> = records.map(str::to_owned).into_iter().zip((1..).map(Some)).collect();
        assert_eq!(cut(body, 1, Some(0)), one_by_one);
        assert_eq!(cut(body, 100, Some(0)), [(body.to_owned(), Some(4))]);
        assert_eq!(cut(body, 100, None), [(body.to_owned(), None)], "without numbers");
        // The last line may not end.
        let last = cut("1,a\n2,b", 100, Some(0));
        assert_eq!(last, [("1,a\n".to_owned(), Some(1)), ("2,b".to_owned(), Some(1))]);
    }

    #[test]
    fn blocks_together_have_the_records_of_the_whole() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..500 {
            let (count, size) = (random.usize(1..20), random.usize(1..30));
            let mut text = || -> String {
                (0..random.usize(..=6)).filter_map(|_| random.choice(['a', ',', '"', '\\', '\n', '\r', 'é'])).collect()
            };
            let texts: Vec<String> = (0..count).map(|_| text()).collect();
            let written = |text: &String| text.replace('\\', "\\\\").replace('"', "\"\"");
            let lines: Vec<String> =
                texts.iter().zip(1..).map(|(text, n)| format!("{n},\"{}\"\n", written(text))).collect();
            let mut expected = lines.into_iter().zip(1..).peekable();
            let body: String = expected.clone().map(|(line, _)| line).collect();
            for (block, last) in cut(&body, size, Some(0)) {
                let mut whole = String::new();
                let mut number = None;
                while whole.len() < block.len() {
                    let (line, n) = expected.next().unwrap();
                    whole.push_str(&line);
                    number = Some(n);
                }
                assert_eq!((block, last), (whole, number), "{body:?} in chunks of {size}");
            }
            assert!(expected.next().is_none(), "{body:?} in chunks of {size}");
        }
    }
}
