//! The separator and the header of a file, from its first lines.

use super::parse::{Parsed, Parser};

/// The separators that are looked for; of those that fit alike, the first.
const SEPARATORS: [u8; 4] = *b";\t|,";

/// The separator of a file with one column: none of text.
pub(super) const NO_SEPARATOR: u8 = 0x1f;

/// So many records are looked at, and so many of them may be before the header.
const RECORDS: usize = 200;
const MOST_TITLES: usize = 20;

/// By this, a separator is less likely for each line before those that it divides evenly.
const PER_TITLE: f64 = 0.7;

/// Where the header is, and what separates cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub separator: u8,
    /// The line of the header, from 1.
    pub header_line: u64,
}

struct Sampled {
    line: u64,
    cells: usize,
    filled: usize,
    numbers: usize,
}

/// Finds the layout of a text, of which a part may be known.
pub(super) fn layout(text: &[u8], complete: bool, quote: Option<u8>, separator: Option<u8>) -> Layout {
    if let Some(separator) = separator {
        let sampled = sample(text, complete, quote, separator);
        return Layout { separator, header_line: header_line(&sampled, usual_width(&sampled)) };
    }
    let mut best: Option<(f64, Layout)> = None;
    for separator in SEPARATORS {
        let sampled = sample(text, complete, quote, separator);
        let width = usual_width(&sampled);
        let score = score(&sampled, width);
        if score > best.map_or(0.0, |(best, _)| best) {
            best = Some((score, Layout { separator, header_line: header_line(&sampled, width) }));
        }
    }
    best.map_or_else(
        || {
            let sampled = sample(text, complete, quote, NO_SEPARATOR);
            Layout { separator: NO_SEPARATOR, header_line: header_line(&sampled, 1) }
        },
        |(_, layout)| layout,
    )
}

/// The first records of a text; without the last, which may be cut, unless the text is complete.
fn sample(text: &[u8], complete: bool, quote: Option<u8>, separator: u8) -> Vec<Sampled> {
    let mut parser = Parser::new(separator, quote);
    let (mut at, mut sampled) = (0, Vec::new());
    while sampled.len() < RECORDS && matches!(parser.parse(text, &mut at, complete), Ok(Parsed::Record)) {
        let is_number = |cell: &&str| !cell.is_empty() && cell.bytes().all(|byte| b"0123456789.,-+ ".contains(&byte));
        sampled.push(Sampled {
            line: parser.line(),
            cells: parser.len(),
            filled: parser.cells().filter(|cell| !cell.trim().is_empty()).count(),
            numbers: parser.cells().filter(is_number).count(),
        });
    }
    sampled
}

/// The number of cells that most records have.
fn usual_width(sampled: &[Sampled]) -> usize {
    let count = |width: usize| sampled.iter().filter(|record| record.cells == width).count();
    let widths = sampled.iter().map(|record| record.cells);
    widths.max_by_key(|width| (count(*width), *width)).unwrap_or(1)
}

/// How well a separator divides a text: the share of records that it divides into the same number of cells, more so if there
/// are more of these, and if they begin early. The first of them, the header, must not be of numbers if a line is before it:
/// such a column has decimal commas.
fn score(sampled: &[Sampled], width: usize) -> f64 {
    let even = |record: &&Sampled| record.cells == width;
    let Some(titles) = sampled.iter().position(|record| record.cells == width) else { return 0.0 };
    let of_numbers = sampled.iter().find(even).is_some_and(|header| header.numbers == header.cells);
    let share = sampled.iter().filter(even).count() as f64 / sampled.len() as f64;
    if width < 2 || titles > MOST_TITLES || share < 0.5 || (titles > 0 && of_numbers) {
        return 0.0;
    }
    share * (1.0 - 1.0 / width as f64) * PER_TITLE.powi(i32::try_from(titles).unwrap_or(i32::MAX))
}

/// The line of the first record that has a name for most columns; title lines of spreadsheets have as many cells, which are
/// empty.
fn header_line(sampled: &[Sampled], width: usize) -> u64 {
    let first = sampled.iter().take(MOST_TITLES + 1);
    let fullest = first.clone().map(|record| record.filled).max().unwrap_or(0);
    let even = first.filter(|record| record.cells == width);
    let named = even.clone().find(|record| record.filled * 2 > fullest);
    named.or_else(|| even.clone().next()).map_or(1, |record| record.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_headers_are_found() {
        for (text, separator, header_line) in [
            ("a;b\n1;2\n", b';', 1),
            ("a,b\n1,2\n", b',', 1),
            ("a\tb\n1\t2\n", b'\t', 1),
            ("a|b\n1|2\n", b'|', 1),
            // Decimal commas.
            ("a;b\n1,5;2,5\n3,5;4,5\n", b';', 1),
            ("Titre\na;b;c\n1,5;2,5;3,5\n3,5;4,5;5,5\n", b';', 2),
            ("prix\n1,5\n2,5\n", NO_SEPARATOR, 1),
            // Text with other separators.
            ("id,nom\n1,\"a;b\"\n2,\"c;d\"\n", b',', 1),
            ("id;nom\n1;a, b\n2;c, d\n3;e\n", b';', 1),
            // Title lines, as text and as spreadsheets write them.
            ("Liste des communes\nau 1er janvier, 2024\n\nid;nom\n1;a\n2;b\n", b';', 4),
            ("Liste;;\n;;\nid;nom;dep\n1;a;2\n2;b;3\n", b';', 3),
            // One column.
            ("nom\na\nb\n", NO_SEPARATOR, 1),
            ("phrase\nun, deux\ntrois\nquatre\n", NO_SEPARATOR, 1),
            ("a;b\n", b';', 1),
            ("", NO_SEPARATOR, 1),
        ] {
            let found = layout(text.as_bytes(), true, Some(b'"'), None);
            assert_eq!(found, Layout { separator, header_line }, "{text}");
        }
    }
}
