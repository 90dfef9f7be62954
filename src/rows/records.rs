//! The records of a block of the server's CSV.

use super::decode::Field;
use super::post_filter::PostFilter;
use super::scan::{Scanned, separators};
use crate::codec::csv::Cell;

/// Why a body cannot be parsed as records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// A quoted value does not end, or a quote is within a value and not doubled.
    Quotes,
    NotUtf8,
    TooLong,
    LongHeader,
}

impl Malformed {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Quotes => "a quoted value does not end as CSV asks",
            Self::NotUtf8 => "the text is not UTF-8",
            Self::TooLong => "a row is longer than 64 MiB",
            Self::LongHeader => "the names of the columns take more than 1 MiB",
        }
    }
}

/// The most bytes of a block, so that places in it, and behind it, have 32 bits.
const MOST_BYTES: usize = i32::MAX as usize;

/// The records of a block, split into values.
#[derive(Debug, Default)]
pub(super) struct Records {
    text: String,
    /// The number of values of a record.
    columns: usize,
    /// Where the separators of the block are.
    separators: Vec<u32>,
    /// For each record with as many values as columns, the place before its first value, and where its values end. Each starts
    /// one byte behind the end of the one before it.
    bounds: Vec<u32>,
    /// The numbers of these records in the block, from 1 on.
    numbers: Vec<u32>,
    uneven: Vec<Uneven>,
    /// The number of records of the block.
    received: u32,
    /// Why there are no others.
    malformed: Option<Malformed>,
}

/// A record with more or fewer values than there are columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Uneven {
    /// How many records with as many values as columns precede it.
    pub before: usize,
    /// Its number in the block, from 1 on.
    pub number: u64,
    /// The number of its values.
    pub values: usize,
    start: u32,
    end: u32,
}

impl Records {
    /// Splits a block, in the memory of another.
    pub(super) fn split(&mut self, csv: Vec<u8>, columns: usize) {
        self.clear();
        self.columns = columns;
        let whole = match String::from_utf8(csv) {
            Ok(text) => {
                self.text = text;
                None
            }
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let mut bytes = error.into_bytes();
                bytes.truncate(valid);
                self.text = String::from_utf8(bytes).unwrap_or_default();
                Some(Malformed::NotUtf8)
            }
        };
        if self.text.len() > MOST_BYTES {
            self.text.clear();
            self.malformed = Some(Malformed::TooLong);
            return;
        }
        self.malformed = match separators(self.text.as_bytes(), &mut self.separators) {
            Scanned::Whole => whole,
            Scanned::Open => whole.or(Some(Malformed::Quotes)),
            Scanned::Misplaced => Some(Malformed::Quotes),
        };
        // The last line may not end.
        if self.malformed.is_none() && !matches!(self.text.as_bytes(), [] | [.., b'\n']) {
            self.separators.extend(u32::try_from(self.text.len()));
        }
        self.find_records();
    }

    /// Groups the values into records.
    fn find_records(&mut self) {
        let (csv, columns) = (self.text.as_bytes(), self.columns);
        let is_comma = |at: &u32| csv.get(*at as usize) == Some(&b',');
        let mut rest = self.separators.as_slice();
        let records = rest.len() / columns.max(1);
        self.bounds.reserve(records * (columns + 1));
        self.numbers.reserve(records);
        // The place before the next record.
        let mut before = u32::MAX;
        loop {
            // Most records have as many values as there are columns.
            let values = match rest.get(..columns) {
                Some([others @ .., last]) if !is_comma(last) && others.iter().all(is_comma) => columns,
                _ => match rest.iter().position(|end| !is_comma(end)) {
                    Some(last) => last + 1,
                    // Nothing is left, or the start of a malformed record.
                    None => return,
                },
            };
            let (ends, following) = rest.split_at(values);
            rest = following;
            let (start, Some(line_end)) = (before.wrapping_add(1), ends.last().copied()) else { return };
            let returns = line_end > start && csv.get(line_end as usize - 1..=line_end as usize) == Some(b"\r\n");
            let end = line_end - u32::from(returns);
            // Between records an empty line is none, unless a row has one column.
            if values != 1 || columns == 1 || end > start {
                self.received += 1;
                if values == columns {
                    self.bounds.push(before);
                    self.bounds.extend_from_slice(ends);
                    if returns && let Some(last) = self.bounds.last_mut() {
                        *last = end;
                    }
                    self.numbers.push(self.received);
                } else {
                    let (before, number) = (self.numbers.len(), u64::from(self.received));
                    self.uneven.push(Uneven { before, number, values, start, end });
                }
            }
            before = line_end;
        }
    }

    /// Removes the records that do not satisfy a condition; uneven ones remain.
    pub(super) fn retain(&mut self, fields: &[Field], filter: &PostFilter) {
        let (mut kept, mut uneven) = (0, 0);
        let stride = self.columns + 1;
        for index in 0..self.len() {
            while let Some(next) = self.uneven.get_mut(uneven).filter(|next| next.before <= index) {
                next.before = kept;
                uneven += 1;
            }
            let value = |column: &str| {
                let place = fields.iter().position(|field| field.name == column)?;
                self.cell(index, place).filter(|cell| !cell.is_null()).map(Cell::text)
            };
            if filter.holds(&value) {
                self.numbers.swap(kept, index);
                self.bounds.copy_within(index * stride..(index + 1) * stride, kept * stride);
                kept += 1;
            }
        }
        for next in self.uneven.iter_mut().skip(uneven) {
            next.before = kept;
        }
        self.numbers.truncate(kept);
        self.bounds.truncate(kept * stride);
    }

    fn clear(&mut self) {
        self.text.clear();
        self.bounds.clear();
        self.numbers.clear();
        self.uneven.clear();
        (self.received, self.malformed) = (0, None);
    }

    /// The number of values of a record.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The number of records with as many values as there are columns.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The number of records of the block, before any were removed.
    pub(super) fn received(&self) -> u64 {
        u64::from(self.received)
    }

    /// The records with more or fewer values than there are columns, in their order.
    pub(super) fn uneven(&self) -> &[Uneven] {
        &self.uneven
    }

    /// Why the block has no more records than these.
    pub(super) fn malformed(&self) -> Option<Malformed> {
        self.malformed
    }

    /// The text of the block.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Takes the memory of the text.
    pub(super) fn take_bytes(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        bytes.clear();
        bytes
    }

    /// The number of a record in the block, from 1 on.
    pub(super) fn number(&self, record: usize) -> u64 {
        self.numbers.get(record).map_or(0, |number| u64::from(*number))
    }

    /// The line of a record, without its end.
    pub(super) fn line(&self, record: usize) -> &str {
        let stride = self.columns + 1;
        match self.bounds.get(record * stride..(record + 1) * stride) {
            Some([before, .., end]) => self.slice(before.wrapping_add(1), *end),
            _ => "",
        }
    }

    /// The line of a record, without its end.
    pub(super) fn line_of(&self, record: &Uneven) -> &str {
        self.slice(record.start, record.end)
    }

    fn slice(&self, from: u32, to: u32) -> &str {
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }

    /// A value.
    pub(super) fn cell(&self, record: usize, column: usize) -> Option<Cell<'_>> {
        let stride = self.columns + 1;
        self.cell_between(self.bounds.get(record * stride..(record + 1) * stride)?, column)
    }

    /// The values of a column.
    #[inline]
    pub(super) fn column(&self, column: usize) -> impl ExactSizeIterator<Item = Cell<'_>> {
        let records = self.bounds.chunks_exact(self.columns + 1);
        records.map(move |bounds| self.cell_between(bounds, column).unwrap_or(Cell::new(&self.text, 0..0)))
    }

    #[inline]
    fn cell_between(&self, bounds: &[u32], column: usize) -> Option<Cell<'_>> {
        let [before, end, ..] = bounds.get(column..)? else { return None };
        Some(Cell::new(&self.text, before.wrapping_add(1) as usize..*end as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cutter::Cutter;
    use super::super::header::HeaderReader;
    use super::super::profile::Kind;
    use super::*;

    /// The values of a record, of which `None` is null, or how many they are where they are not as many as columns.
    type Row = Result<Vec<Option<String>>, usize>;

    fn rows_of(records: &Records) -> Vec<Row> {
        let mut uneven = records.uneven().iter().peekable();
        let mut rows = Vec::new();
        for index in 0..=records.len() {
            while let Some(record) = uneven.next_if(|record| record.before == index) {
                rows.push(Err(record.values));
            }
            if index < records.len() {
                let cell = |column| records.column(column).nth(index).unwrap();
                let value = |cell: Cell<'_>| (!cell.is_null()).then(|| cell.text().into_owned());
                rows.push(Ok((0..records.columns()).map(|column| value(cell(column))).collect()));
            }
        }
        rows
    }

    fn split(csv: &str, columns: usize) -> Records {
        let mut records = Records::default();
        records.split(csv.as_bytes().to_vec(), columns);
        records
    }

    /// The names and the rows of an export that comes in pieces of a size, as far as it can be read.
    fn read(body: &[u8], size: usize, expected: &[&str]) -> (Vec<String>, Vec<Row>, Option<Malformed>) {
        let mut header = HeaderReader::default();
        let mut pieces = body.chunks(size);
        let expected: Vec<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        let names = loop {
            match header.names(&expected) {
                Ok(Some(names)) => break names,
                Ok(None) => match pieces.next() {
                    Some(piece) => header.push(piece),
                    None => header.end(),
                },
                Err(malformed) => return (Vec::new(), Vec::new(), Some(malformed)),
            }
        };
        let mut cutter = Cutter::new(names.len(), None);
        let (mut records, mut rows) = (Records::default(), Vec::new());
        cutter.push(&header.into_rest()).unwrap();
        loop {
            let piece = pieces.next();
            match piece {
                Some(piece) => cutter.push(piece).unwrap(),
                None => cutter.end(),
            }
            if let Some(block) = cutter.take(Vec::new) {
                records.split(block, names.len());
                rows.extend(rows_of(&records));
                if records.malformed().is_some() {
                    return (names, rows, records.malformed());
                }
            }
            if piece.is_none() {
                return (names, rows, None);
            }
        }
    }

    fn rows(body: &str, size: usize, expected: &[&str]) -> Vec<Row> {
        let (_, rows, malformed) = read(body.as_bytes(), size, expected);
        assert_eq!(malformed, None, "{body:?} in pieces of {size}");
        rows
    }

    fn some(texts: &[&str]) -> Row {
        Ok(texts.iter().map(|text| (*text != "∅").then(|| (*text).to_owned())).collect())
    }

    #[test]
    fn a_body_is_read_the_same_however_it_is_cut() {
        let body = "__id,a,b\n1,,\"\"\n2,\"x,\"\"y\"\"\nz\",\"c:\\\\d\"\n3,é😀,\"\\\"\n4,\"\\\\\",\"\"\"\"\n";
        let expected = [
            some(&["1", "∅", ""]),
            some(&["2", "x,\"y\"\nz", "c:\\d"]),
            some(&["3", "é😀", "\\"]),
            some(&["4", "\\", "\""]),
        ];
        for size in 1..=body.len() {
            assert_eq!(rows(body, size, &["__id", "a", "b"]), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_cell_of_many_megabytes_is_read() {
        let long = "x\"\"\\\\y".repeat(1 << 20);
        let body = format!("a,b\n\"{long}\",1\n2,3\n");
        let expected = [some(&[&"x\"\\y".repeat(1 << 20), "1"]), some(&["2", "3"])];
        assert!(rows(&body, 64 << 10, &["a", "b"]) == expected);
    }

    #[test]
    fn a_null_alone_in_its_row_is_a_row() {
        assert_eq!(rows("a\n\n1\n\n", 2, &["a"]), [some(&["∅"]), some(&["1"]), some(&["∅"])]);
        assert_eq!(rows("a,b\n1,2\n\n3,4\n\r\n", 2, &["a", "b"]), [some(&["1", "2"]), some(&["3", "4"])]);
    }

    #[test]
    fn lines_may_end_as_on_windows_or_not_at_all() {
        for size in 1..20 {
            let body = "a,b\r\n1,\"x\"\r\n,\r\n2,y";
            let expected = [some(&["1", "x"]), some(&["∅", "∅"]), some(&["2", "y"])];
            assert_eq!(rows(body, size, &["a", "b"]), expected, "in pieces of {size}");
        }
        assert_eq!(rows("a,b\n1,\"x\"", 3, &["a", "b"]), [some(&["1", "x"])]);
        assert_eq!(rows("a,b\n1,x\r", 3, &["a", "b"]), [some(&["1", "x\r"])], "no line ends there");
    }

    #[test]
    fn records_before_a_misplaced_quote_are_read() {
        for broken in
            ["\"x\"y", "x\"y", "x\"\"", "\"x\" ", " \"x\"", "\"x", "\"x\"\"", "\"\"x\"", "\"x\ny,z\n", "\"x\"\r"]
        {
            // Wherever it lies in the strides that are searched at once.
            for length in 0..130 {
                let first = "a".repeat(length);
                let records = split(&format!("{first},1\n{broken},2\n3,4\n"), 2);
                assert_eq!(records.malformed(), Some(Malformed::Quotes), "{broken:?} behind {length}");
                let first = if first.is_empty() { "∅" } else { &first };
                assert_eq!(rows_of(&records), [some(&[first, "1"])], "{broken:?} behind {length}");
            }
        }
    }

    #[test]
    fn rows_before_bytes_that_are_not_utf_8_are_read_wherever_chunks_end() {
        for (bytes, before) in [
            (&b"a,b\n1,\xc3\xa9\n2,\xc3(\n3,x\n"[..], vec![some(&["1", "é"])]),
            (b"a,b\n1,\xf0\x9f\xa6\x80\n2,\"\xff\"\n", vec![some(&["1", "🦀"])]),
            (b"a,b\n1,\xf0\x9f\xa6", vec![]),
            (b"a,b\n1,2\n\x80", vec![some(&["1", "2"])]),
            (b"a,\xff\n1,2\n", vec![]),
        ] {
            for size in 1..=bytes.len() {
                let (_, rows, malformed) = read(bytes, size, &["a", "b"]);
                assert_eq!((rows, malformed), (before.clone(), Some(Malformed::NotUtf8)), "in pieces of {size}");
            }
        }
    }

    #[test]
    fn records_with_more_or_fewer_values_than_columns_keep_their_places() {
        let records = split("1,2\n3\n4,5,6\n7,8\n\n9\n", 2);
        assert_eq!(rows_of(&records), [some(&["1", "2"]), Err(1), Err(3), some(&["7", "8"]), Err(1)]);
        assert_eq!(records.received(), 5);
        let numbers: Vec<_> = records.uneven().iter().map(|record| record.number).collect();
        assert_eq!((records.number(0), records.number(1), numbers), (1, 4, vec![2, 3, 5]));
        let lines: Vec<_> = records.uneven().iter().map(|record| records.line_of(record)).collect();
        assert_eq!((records.line(1), lines), ("7,8", vec!["3", "4,5,6", "9"]));
    }

    #[test]
    fn records_that_do_not_satisfy_a_condition_are_removed() {
        let field = |name: &str| Field { name: name.to_owned(), kind: Kind::String, hidden: false };
        let fields = [field("a"), field("b")];
        let filter = PostFilter::Null { column: "b".to_owned(), negated: true };
        let mut records = split("1,\n2,x\n3\n4,\n\"5\n\",\"\"\n6\n7,\n8\n", 2);
        records.retain(&fields, &filter);
        assert_eq!(rows_of(&records), [some(&["2", "x"]), Err(1), some(&["5\n", ""]), Err(1), Err(1)]);
        let uneven: Vec<_> = records.uneven().iter().map(|record| record.number).collect();
        assert_eq!((records.number(0), records.number(1), uneven), (2, 5, vec![3, 6, 8]));
        assert_eq!((records.received(), records.line(1)), (8, "\"5\n\",\"\""));
    }

    #[test]
    fn nothing_of_a_block_is_left_for_the_next() {
        let mut records = split(&"1,2\n".repeat(100), 2);
        for (csv, expected, malformed) in [
            ("3\n4,5\n\"", vec![Err(1), some(&["4", "5"])], Some(Malformed::Quotes)),
            ("6,7", vec![some(&["6", "7"])], None),
            ("", vec![], None),
        ] {
            records.split(csv.as_bytes().to_vec(), 2);
            assert_eq!((rows_of(&records), records.malformed()), (expected, malformed), "{csv:?}");
        }
    }

    /// A random text of up to so many of these characters.
    fn text(random: &mut fastrand::Rng, alphabet: &[char], most: usize) -> String {
        (0..random.usize(..=most)).filter_map(|_| random.choice(alphabet)).collect()
    }

    #[test]
    fn values_without_quotes_are_those_between_commas_wherever_they_lie() {
        let mut random = fastrand::Rng::with_seed(4);
        for _ in 0..1_000 {
            // From many short values to a few that are longer than a stride.
            let mut alphabet = vec!['a'; random.usize(2..120)];
            alphabet.extend([',', ',', '\n', '\r', 'é']);
            let lines = text(&mut random, &alphabet, 500);
            let value = |cell: &str| (!cell.is_empty()).then(|| cell.to_owned());
            let expected: Vec<Row> = lines
                .split_terminator('\n')
                .map(|line| line.strip_suffix('\r').unwrap_or(line))
                .filter(|line| !line.is_empty())
                .map(|line| line.split(',').map(value).collect::<Vec<_>>())
                .map(|values| if values.len() == 2 { Ok(values) } else { Err(values.len()) })
                .collect();
            let body = format!("a,b\n{lines}{}", if lines.ends_with('\n') || lines.is_empty() { "" } else { "\n" });
            let size = random.usize(1..300);
            assert_eq!(rows(&body, size, &["a", "b"]), expected, "{body:?} in pieces of {size}");
        }
    }

    /// A value as the server writes it, with more quotes than needed at times.
    fn written(value: Option<&String>, random: &mut fastrand::Rng) -> String {
        match value {
            None => String::new(),
            Some(text) if text.contains([',', '"', '\\', '\r', '\n']) || text.is_empty() || random.bool() => {
                format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\"\""))
            }
            Some(text) => text.clone(),
        }
    }

    #[test]
    fn random_tables_are_read_back_whatever_the_size_of_pieces() {
        let mut random = fastrand::Rng::with_seed(1);
        let alphabet = [',', '"', '\\', '\r', '\n', '\0', '\u{feff}', ' ', 'a', '1', 'é', '語', '🦀'];
        for _ in 0..2_000 {
            let (columns, lines, size) = (random.usize(1..5), random.usize(..6), random.usize(1..400));
            let longest = if random.bool() { 12 } else { 100 };
            let mut cell = || random.bool().then(|| text(&mut random, &alphabet, longest));
            let table: Vec<Vec<Option<String>>> = (0..lines).map(|_| (0..columns).map(|_| cell()).collect()).collect();
            let names: Vec<String> = (0..columns).map(|index| format!("c{index}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut body = names.join(",") + "\n";
            for row in &table {
                let row: Vec<_> = row.iter().map(|value| written(value.as_ref(), &mut random)).collect();
                body += &(row.join(",") + "\n");
            }
            let expected: Vec<Row> = table.into_iter().map(Ok).collect();
            assert_eq!(rows(&body, size, &names), expected, "{body:?} in pieces of {size}");
        }
    }

    #[test]
    fn random_bytes_give_the_same_rows_and_error_whatever_the_size_of_pieces() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..4_000 {
            let body: Vec<u8> = (0..random.usize(..200))
                .filter_map(|_| random.choice(b"aaaaaaa,,\"\\\r\n\n\xc3\xa9\xc3\xa9\xf0\x9f\xa6\x80").copied())
                .collect();
            let expected: &[&str] = if random.bool() { &["a", "b"] } else { &["a"] };
            let size = random.usize(1..90);
            assert_eq!(read(&body, size, expected), read(&body, 1_000, expected), "{body:?} in pieces of {size}");
        }
    }
}
