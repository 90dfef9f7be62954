//! The records of a block, decoded into values by the types of their columns: what can be done before the type of the rows is
//! known, and thus on any thread.

use std::ops::Range;
use std::sync::Arc;

use serde::de::{DeserializeOwned, Error as _};

use super::decode::{self, Failure, Value};
use super::failure::{malformed, uneven, unreadable};
use super::header::Header;
use super::post_filter::PostFilter;
use super::profile::Kind;
use super::records::Records;
use crate::codec::csv::Cell;
use crate::codec::number::Decimal;
use crate::{Error, Result};

/// The values of the records of a block that satisfy a condition. Rows of any type are read from them.
pub(super) struct Cells {
    header: Arc<Header>,
    buffers: Buffers,
    /// The indexes of the next record with as many values as columns, and of the next that is uneven.
    next: usize,
    next_uneven: usize,
}

/// The memory of what is decoded, which blocks reuse: to allocate it for each would cost a tenth of the time of a large table.
#[derive(Default)]
pub(super) struct Buffers {
    records: Records,
    values: Values,
}

/// Values, record by record.
///
/// A value takes nine bytes, as few as can be, since one processor writes them and another reads them.
#[derive(Default)]
struct Values {
    tags: Vec<Tag>,
    /// For each value a number, or the offsets of a text.
    payloads: Vec<u64>,
    /// The texts that differ from those of the CSV.
    rewritten: String,
}

/// What a value is.
#[derive(Clone, Copy, Debug)]
enum Tag {
    Null,
    False,
    True,
    Unsigned,
    Negative,
    Float,
    /// A text of the CSV.
    Text,
    Rewritten,
}

impl Cells {
    /// Decodes the records of a block.
    pub(super) fn decode(
        header: Arc<Header>,
        post_filter: Option<&PostFilter>,
        bytes: Vec<u8>,
        mut buffers: Buffers,
    ) -> Self {
        let Buffers { records, values } = &mut buffers;
        records.split(bytes, header.fields.len());
        if let Some(filter) = post_filter {
            records.retain(&header.fields, filter);
        }
        values.decode(&header, records);
        Self { header, buffers, next: 0, next_uneven: 0 }
    }

    /// The number of records of the block, whether they satisfy the condition or not.
    pub(super) fn received(&self) -> u64 {
        self.buffers.records.received()
    }

    /// The error of what follows the records that could be split.
    pub(super) fn error(&self) -> Option<Error> {
        self.buffers.records.malformed().map(malformed)
    }

    /// The memory of the block, for the CSV and for what is decoded of others.
    pub(super) fn into_buffers(self) -> (Vec<u8>, Buffers) {
        let mut buffers = self.buffers;
        (buffers.records.take_bytes(), buffers)
    }

    /// The next row, of which `before` others of other blocks have come.
    #[inline]
    pub(super) fn next<T: DeserializeOwned>(&mut self, before: u64) -> Option<Result<T>> {
        let records = &self.buffers.records;
        if let Some(record) = records.uneven().get(self.next_uneven)
            && record.before <= self.next
        {
            self.next_uneven += 1;
            let reason = serde_json::Error::custom(uneven(record.values, self.header.fields.len()));
            return Some(Err(unreadable(before + record.number, records.line_of(record), (None, reason))));
        }
        let index = self.next;
        if index >= records.len() {
            return None;
        }
        self.next += 1;
        let row = self.row(index);
        Some(row.map_err(|failure| unreadable(before + records.number(index), records.line(index), failure)))
    }

    /// The number of the next row.
    pub(super) fn number(&self) -> Option<i64> {
        let index = self.next * self.header.fields.len() + self.header.number?;
        let Values { tags, payloads, .. } = &self.buffers.values;
        let number = *payloads.get(index)?;
        match tags.get(index)? {
            Tag::Unsigned => i64::try_from(number).ok(),
            Tag::Negative => Some(number.cast_signed()),
            _ => None,
        }
    }

    #[inline]
    fn row<T: DeserializeOwned>(&self, index: usize) -> Result<T, Failure> {
        let columns = self.header.fields.len();
        let Values { tags, payloads, .. } = &self.buffers.values;
        let range = index * columns..(index + 1) * columns;
        let tags = tags.get(range.clone()).unwrap_or_default();
        let payloads = payloads.get(range).unwrap_or_default();
        decode::from_values(&self.header.fields, tags.iter().zip(payloads), |(tag, payload)| {
            self.resolve(*tag, *payload)
        })
    }

    #[inline]
    fn resolve(&self, tag: Tag, payload: u64) -> Value<'_> {
        match tag {
            Tag::Null => Value::Null,
            Tag::False => Value::Bool(false),
            Tag::True => Value::Bool(true),
            Tag::Unsigned => Value::Unsigned(payload),
            Tag::Negative => Value::Negative(payload.cast_signed()),
            Tag::Float => Value::Float(f64::from_bits(payload)),
            Tag::Text => Value::Text(text_at(self.buffers.records.text(), payload)),
            Tag::Rewritten => Value::Text(text_at(&self.buffers.values.rewritten, payload)),
        }
    }
}

/// The offsets of a text. Those of a block have 32 bits, and those of its rewritten values, which are a few bytes longer at most.
#[inline]
fn span(Range { start, end }: Range<usize>) -> u64 {
    (start as u64) << 32 | end as u64
}

#[inline]
fn text_at(text: &str, span: u64) -> &str {
    let (from, to) = ((span >> 32) as usize, span as u32 as usize);
    text.get(from..to).unwrap_or_default()
}

impl Values {
    /// Decodes the values, column by column: a loop for each type has branches that are predicted.
    fn decode(&mut self, header: &Header, records: &Records) {
        let columns = header.fields.len();
        self.rewritten.clear();
        self.tags.clear();
        self.tags.resize(records.len() * columns, Tag::Null);
        self.payloads.resize(records.len() * columns, 0);
        for (column, field) in header.fields.iter().enumerate() {
            match field.kind {
                Kind::Int | Kind::Float => self.decode_column(records, column, |cell, _| number(cell)),
                Kind::Bool => self.decode_column(records, column, |cell, _| boolean(cell)),
                Kind::Datetime => self.decode_column(records, column, |cell, rewritten| {
                    json_datetime(&cell.text()).map(|text| rewrite(&text, rewritten))
                }),
                Kind::String | Kind::Date | Kind::Json => self.decode_column(records, column, |_, _| None),
            }
        }
    }

    /// Decodes a column, in which what is none of its type is a text.
    #[inline]
    fn decode_column(
        &mut self,
        records: &Records,
        column: usize,
        decode: impl Fn(Cell<'_>, &mut String) -> Option<(Tag, u64)>,
    ) {
        let columns = records.columns();
        let tags = self.tags.iter_mut().skip(column).step_by(columns);
        let payloads = self.payloads.iter_mut().skip(column).step_by(columns);
        for ((tag, payload), cell) in tags.zip(payloads).zip(records.column(column)) {
            if !cell.is_null() {
                let decoded = decode(cell, &mut self.rewritten);
                (*tag, *payload) = decoded.unwrap_or_else(|| text(cell, &mut self.rewritten));
            }
        }
    }
}

fn rewrite(text: &str, rewritten: &mut String) -> (Tag, u64) {
    let from = rewritten.len();
    rewritten.push_str(text);
    (Tag::Rewritten, span(from..rewritten.len()))
}

#[inline]
fn text(cell: Cell<'_>, rewritten: &mut String) -> (Tag, u64) {
    if cell.is_escaped() { rewrite(&cell.text(), rewritten) } else { (Tag::Text, span(cell.range())) }
}

#[inline]
fn boolean(cell: Cell<'_>) -> Option<(Tag, u64)> {
    match cell.bytes() {
        b"t" | b"true" => Some((Tag::True, 0)),
        b"f" | b"false" => Some((Tag::False, 0)),
        _ => None,
    }
}

/// The number that a text is in JSON, if it is one.
#[inline]
fn number(cell: Cell<'_>) -> Option<(Tag, u64)> {
    if let Some(decimal) = Decimal::parse(cell.bytes()) {
        match decimal {
            Decimal { negative: false, digits, places: None } => return Some((Tag::Unsigned, digits.unsigned_abs())),
            Decimal { negative: true, digits: digits @ 1.., places: None } => {
                return Some((Tag::Negative, (-digits).cast_unsigned()));
            }
            // `-0`, which is a float in JSON.
            Decimal { places: None, .. } => {}
            Decimal { places: Some(_), .. } => {
                if let Some(number) = decimal.to_f64() {
                    return Some((Tag::Float, number.to_bits()));
                }
            }
        }
    }
    any_number(cell.raw())
}

fn any_number(text: &str) -> Option<(Tag, u64)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && text != "-0" {
        if let Ok(number) = text.parse() {
            return Some((Tag::Unsigned, number));
        }
        if let Ok(number) = text.parse::<i64>() {
            return Some((Tag::Negative, number.cast_unsigned()));
        }
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then(|| (Tag::Float, number.to_bits()))
}

/// The database's text of an instant (`2024-01-31 08:00:00+01`) in the form of its JSON, if that differs. Years may have
/// more than four digits, or be BC (`0044-03-15 12:00:00 BC`).
fn json_datetime(text: &str) -> Option<String> {
    let (instant, era) = match text.strip_suffix(" BC") {
        Some(instant) => (instant, " BC"),
        None => (text, ""),
    };
    let (date, time) = instant.split_once(' ')?;
    let hours_alone = time.rfind(['+', '-']).is_some_and(|sign| time.len() - sign == 3);
    Some(format!("{date}T{time}{}{era}", if hours_alone { ":00" } else { "" }))
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use serde::Deserialize;

    use super::super::decode::{Field, from_row};
    use super::super::row::Row;
    use super::*;

    fn fields(kinds: &[(&str, Kind)]) -> Arc<Header> {
        let field =
            |(name, kind): &(&str, Kind)| Field { name: (*name).to_owned(), kind: *kind, hidden: *name == "__id" };
        Arc::new(Header {
            fields: kinds.iter().map(field).collect(),
            number: None,
            #[cfg(feature = "arrow")]
            required: Vec::new(),
        })
    }

    fn read<T: DeserializeOwned>(header: &Arc<Header>, line: &str) -> Result<T, Failure> {
        let bytes = line.as_bytes().to_vec();
        Cells::decode(Arc::clone(header), None, bytes, Buffers::default()).row(0)
    }

    fn of_every_kind() -> Arc<Header> {
        fields(&[
            ("__id", Kind::Int),
            ("text", Kind::String),
            ("whole", Kind::Int),
            ("part", Kind::Float),
            ("yes", Kind::Bool),
            ("day", Kind::Date),
            ("instant", Kind::Datetime),
            ("tree", Kind::Json),
        ])
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Oui,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Id(u64);

    #[derive(Debug, Deserialize, PartialEq)]
    struct Typed {
        text: Option<Word>,
        whole: Id,
        part: Option<f64>,
        yes: bool,
        day: String,
        instant: Option<crate::DateTime>,
        tree: Vec<u8>,
    }

    #[test]
    fn a_record_equals_the_row_in_json() {
        let line = "7,oui,18446744073709551615,1e+20,t,2024-01-31,\"2024-01-31 08:00:00.5+01\",\"[1, 2]\"\n";
        let json = r#"{"text": "oui", "whole": 18446744073709551615, "part": 1e+20, "yes": true, "day": "2024-01-31",
            "instant": "2024-01-31T08:00:00.5+01:00", "tree": [1, 2]}"#;
        let row: Row = serde_json::from_str(json).unwrap();
        assert_eq!(read::<Row>(&of_every_kind(), line).unwrap(), row);
        let typed: Typed = read(&of_every_kind(), line).unwrap();
        assert_eq!(typed, from_row(&row).unwrap());
        assert_eq!((typed.whole, typed.part), (Id(u64::MAX), Some(1e20)));
    }

    /// Both forms as PostgreSQL 15 writes them, in CSV and in JSON.
    #[test]
    fn an_instant_of_any_year_is_written_as_in_json() {
        for (csv, json) in [
            ("2024-01-31 08:00:00", "2024-01-31T08:00:00"),
            ("2024-01-31 08:00:00.5+00", "2024-01-31T08:00:00.5+00:00"),
            ("2024-01-31 08:00:00-03:30", "2024-01-31T08:00:00-03:30"),
            ("12024-01-31 08:00:00+00", "12024-01-31T08:00:00+00:00"),
            ("0044-03-15 12:00:00+00 BC", "0044-03-15T12:00:00+00:00 BC"),
            ("0044-03-15 12:00:00 BC", "0044-03-15T12:00:00 BC"),
            ("infinity", "infinity"),
            ("-infinity", "-infinity"),
        ] {
            let row: Row = read(&fields(&[("a", Kind::Datetime)]), &format!("{csv}\n")).unwrap();
            assert_eq!(row["a"], json);
        }
    }

    #[test]
    fn null_is_not_the_empty_text() {
        let kinds = fields(&[("a", Kind::String), ("b", Kind::String)]);
        let row: Row = read(&kinds, ",\"\"\n").unwrap();
        assert_eq!(row, serde_json::from_str(r#"{"a": null, "b": ""}"#).unwrap());
        assert_eq!(read::<(String,)>(&kinds, ",\n").unwrap_err().0, None, "a row is an object");
    }

    #[test]
    fn a_cell_of_json_is_one_value_whatever_white_space_is_around_it() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Trees {
            a: Option<Vec<u8>>,
        }
        let kinds = fields(&[("a", Kind::Json)]);
        assert_eq!(read::<Trees>(&kinds, "\" null \"\n").unwrap(), Trees { a: None });
        assert_eq!(read::<Trees>(&kinds, "\" [1] \"\n").unwrap(), Trees { a: Some(vec![1]) });
        for line in ["[1] [2]\n", "[1]2\n"] {
            let (column, error) = read::<Trees>(&kinds, line).unwrap_err();
            assert_eq!(column.as_deref(), Some("a"));
            assert!(error.to_string().contains("trailing characters"), "{error}");
            assert!(read::<Row>(&kinds, line).is_err());
        }
    }

    #[test]
    fn nan_and_infinity_are_numbers_for_numeric_types_and_texts_otherwise() {
        #[derive(Debug, Deserialize)]
        struct Parts {
            a: f64,
            b: Option<f32>,
        }
        let line = "NaN,-Infinity\n";
        let kinds = fields(&[("a", Kind::Float), ("b", Kind::Float)]);
        let row: Row = read(&kinds, line).unwrap();
        assert_eq!(row, serde_json::from_str(r#"{"a": "NaN", "b": "-Infinity"}"#).unwrap());
        for parts in [read::<Parts>(&kinds, line).unwrap(), from_row(&row).unwrap()] {
            assert!(parts.a.is_nan() && parts.b == Some(f32::NEG_INFINITY));
        }
    }

    #[test]
    fn the_type_of_the_column_decides_not_the_requested_type() {
        #[derive(Debug, Deserialize)]
        struct Wish {
            #[allow(dead_code)]
            a: String,
        }
        let (column, error) = read::<Wish>(&fields(&[("a", Kind::Int)]), "1\n").unwrap_err();
        assert_eq!(column.as_deref(), Some("a"));
        assert!(error.to_string().contains("invalid type: integer `1`, expected a string"), "{error}");
        let row: Row = serde_json::from_str(r#"{"a": 1}"#).unwrap();
        assert_eq!(from_row::<Wish>(&row).unwrap_err().1.to_string(), error.to_string());
    }

    #[test]
    fn numbers_are_those_of_json_to_the_last_digit() {
        let kinds = fields(&[("a", Kind::Float)]);
        for text in [
            "0",
            "-0",
            "-1",
            "0.1",
            "1.0",
            "9223372036854775808",
            "-9223372036854775809",
            "5e-324",
            "1.7976931348623157e+308",
            "0.30000000000000004",
            "48.85661400000001",
        ] {
            let row: Row = serde_json::from_str(&format!("{{\"a\": {text}}}")).unwrap();
            assert_eq!(read::<Row>(&kinds, text).unwrap(), row, "{text}");
        }
    }

    #[test]
    fn a_row_that_is_too_short_is_an_error() {
        let mut cells = block(&of_every_kind(), None, "1,2\n", Buffers::default());
        let error = cells.next::<Row>(0).unwrap().unwrap_err();
        assert!(error.source().unwrap().to_string().contains("2 values, the table 8"), "{error:?}");
    }

    /// The numbers of a block, and the errors between them.
    fn rows_of(cells: &mut Cells, before: u64) -> Vec<Result<u64, String>> {
        #[derive(Deserialize)]
        struct Number {
            a: u64,
        }
        std::iter::from_fn(|| cells.next::<Number>(before))
            .map(|row| row.map(|row| row.a).map_err(|error| format!("{error}: {:?}", error.source())))
            .collect()
    }

    fn block(header: &Arc<Header>, filter: Option<&PostFilter>, csv: &str, buffers: Buffers) -> Cells {
        Cells::decode(Arc::clone(header), filter, csv.as_bytes().to_vec(), buffers)
    }

    #[test]
    fn errors_are_those_of_their_rows_and_the_rows_behind_them_follow() {
        let header = fields(&[("a", Kind::Int), ("b", Kind::String)]);
        let mut cells = block(&header, None, "1,x\n2\ny,\"z\n,\"\n4,\n5,6,7\n8,\n", Buffers::default());
        let rows = rows_of(&mut cells, 100);
        assert_eq!([&rows[0], &rows[3], &rows[5]], [&Ok(1), &Ok(4), &Ok(8)]);
        for (index, reason) in [
            (1, ["row 102", "the row has 1 values, the table 2"]),
            (2, ["row 103, column a", "expected u64"]),
            (4, ["row 105", "the row has 3 values, the table 2"]),
        ] {
            let error = rows[index].as_ref().unwrap_err();
            assert!(reason.iter().all(|part| error.contains(part)), "{error}");
        }
        assert_eq!((rows.len(), cells.received()), (6, 6));
    }

    #[test]
    fn rows_that_do_not_satisfy_the_condition_count_but_are_not_handed_out() {
        let header = fields(&[("a", Kind::Int)]);
        let filter = PostFilter::Null { column: "a".to_owned(), negated: true };
        let mut cells = block(&header, Some(&filter), "1\n\n\nx\n\n5\n", Buffers::default());
        let rows = rows_of(&mut cells, 10);
        assert_eq!((&rows[0], &rows[2], rows.len(), cells.received()), (&Ok(1), &Ok(5), 3, 6));
        assert!(rows[1].as_ref().unwrap_err().contains("row 14, column a"), "{rows:?}");
    }

    #[test]
    fn rows_before_malformed_csv_are_read() {
        let header = fields(&[("a", Kind::Int)]);
        let mut cells = block(&header, None, "1\n2\n\"3\"4\n5\n", Buffers::default());
        assert_eq!(rows_of(&mut cells, 0), [Ok(1), Ok(2)]);
        assert!(cells.error().unwrap().to_string().contains("a quoted value does not end as CSV asks"));
    }

    #[test]
    fn nothing_of_a_block_is_left_in_its_buffers() {
        let header = fields(&[("a", Kind::Int), ("b", Kind::Datetime)]);
        let filter = PostFilter::Null { column: "b".to_owned(), negated: true };
        let mut first = block(&header, Some(&filter), "1,2024-01-31 08:00:00\n2\n3,\n", Buffers::default());
        first.next::<Row>(0).unwrap().unwrap();
        let (bytes, buffers) = first.into_buffers();
        assert!(bytes.is_empty());
        let mut second = block(&header, None, "4,2024-02-01 09:00:00\n", buffers);
        assert_eq!(second.next::<Row>(0).unwrap().unwrap()["b"], "2024-02-01T09:00:00");
        assert!(second.next::<Row>(0).is_none() && second.received() == 1);
    }

    #[test]
    fn the_number_of_a_row_is_that_of_its_column() {
        let header = fields(&[("a", Kind::String), ("__id", Kind::Int)]);
        let header = Arc::new(Header { number: Some(1), ..Arc::into_inner(header).unwrap() });
        let mut cells = block(&header, None, "x,-7\ny,\nz,9\n", Buffers::default());
        let numbers: Vec<_> = std::iter::from_fn(|| {
            let number = cells.number();
            cells.next::<Row>(0).map(|_| number)
        })
        .collect();
        assert_eq!(numbers, [Some(-7), None, Some(9)]);
    }
}
