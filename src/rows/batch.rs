//! Blocks of rows decoded into record batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use serde::de::Error as _;

use super::blocks::Block;
use super::failure::{malformed, uneven, unreadable, unreadable_row};
use super::header::Header;
use super::layout::Layout;
use super::post_filter::PostFilter;
use super::reader::text_of;
use super::records::Records;
use super::row::Row;
use crate::Error;
use crate::codec::columns::{Column, Unfit};
use crate::codec::csv::Cell;

/// How blocks are decoded.
#[derive(Debug)]
pub(super) struct Decoder {
    pub layout: Layout,
    /// What the client has to check on the rows that come.
    pub post_filter: Option<PostFilter>,
    /// Whether null stands for values that a column cannot hold.
    pub nulls: bool,
}

/// The rows of a block that satisfy the condition.
pub(super) struct Decoded {
    pub batch: RecordBatch,
    /// The number of rows.
    pub received: u64,
    /// Their size as CSV, in bytes.
    pub bytes: usize,
}

/// Why a block cannot be decoded. How many rows came before it is not known where it is decoded, so that this is a function.
pub(super) type Failure = Box<dyn FnOnce(u64) -> Error + Send>;

impl Decoder {
    pub(super) fn decode(&self, block: Block) -> Result<Decoded, Failure> {
        match block {
            Block::Records(header, bytes) => self.records(&header, bytes),
            Block::Rows(rows) => self.rows(&rows),
        }
    }

    /// Decodes column by column: a loop for each type has branches that are predicted.
    fn records(&self, header: &Header, bytes: Vec<u8>) -> Result<Decoded, Failure> {
        let size = bytes.len();
        let mut records = Records::default();
        records.split(bytes, header.fields.len());
        if let Some(filter) = &self.post_filter {
            records.retain(&header.fields, filter);
        }
        let uneven_record = records.uneven().first();
        // Rows behind one that fails are of no interest, in any column.
        let mut rows = uneven_record.map_or(records.len(), |record| record.before);
        let mut failed = None;
        let mut arrays = Vec::with_capacity(self.layout.columns.len());
        for (index, (_, kind)) in self.layout.columns.iter().enumerate() {
            let mut column = Column::new(*kind, rows);
            // Without rows, there is no header either.
            if let Some(place) = header.required.get(index)
                && let Err(unfit) = column.extend(records.column(*place).take(rows), self.nulls)
            {
                failed = Some((index, unfit));
            }
            let array = column.finish();
            rows = array.len();
            arrays.push(array);
        }
        if let Some((index, unfit)) = failed {
            let cell = header.required.get(index).and_then(|place| records.cell(rows, *place));
            let reason = not_representable(&cell.map(Cell::text).unwrap_or_default(), unfit);
            return Err(failure(records.number(rows), records.line(rows).to_owned(), self.name(index), reason));
        }
        if let Some(record) = uneven_record {
            let reason = uneven(record.values, header.fields.len());
            return Err(failure(record.number, records.line_of(record).to_owned(), None, reason));
        }
        if let Some(reason) = records.malformed() {
            return Err(Box::new(move |_| malformed(reason)));
        }
        self.finish(arrays, records.len(), records.received(), size)
    }

    fn rows(&self, rows: &[Row]) -> Result<Decoded, Failure> {
        let mut columns: Vec<_> = self.layout.columns.iter().map(|(_, kind)| Column::new(*kind, rows.len())).collect();
        let mut kept = 0;
        for (received, row) in (1..).zip(rows) {
            if !self.post_filter.as_ref().is_none_or(|filter| filter.holds(&|column| text_of(&row[column]))) {
                continue;
            }
            kept += 1;
            for (index, ((name, _), column)) in self.layout.columns.iter().zip(&mut columns).enumerate() {
                let Some(value) = row.get(name) else {
                    return Err(failure_of_row(
                        received,
                        row.clone(),
                        self.name(index),
                        "it is not in the row".to_owned(),
                    ));
                };
                match column.push_json(value) {
                    Ok(()) => {}
                    Err(Unfit::Value(_)) if self.nulls => column.push_null(),
                    Err(unfit) => {
                        let reason = not_representable(&text_of(value).unwrap_or_default(), unfit);
                        return Err(failure_of_row(received, row.clone(), self.name(index), reason));
                    }
                }
            }
        }
        let received = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        self.finish(columns.into_iter().map(Column::finish).collect(), kept, received, 0)
    }

    fn name(&self, index: usize) -> Option<String> {
        self.layout.columns.get(index).map(|(name, _)| name.clone())
    }

    fn finish(&self, columns: Vec<ArrayRef>, kept: usize, received: u64, bytes: usize) -> Result<Decoded, Failure> {
        let options = RecordBatchOptions::new().with_row_count(Some(kept));
        match RecordBatch::try_new_with_options(Arc::clone(&self.layout.schema), columns, &options) {
            Ok(batch) => Ok(Decoded { batch, received, bytes }),
            Err(error) => Err(Box::new(move |_| Error::unreadable(format!("the rows make no record batch: {error}")))),
        }
    }
}

fn not_representable(text: &str, unfit: Unfit) -> String {
    format!("`{text}` is not representable: {}", unfit.reason())
}

fn failure(row: u64, text: String, column: Option<String>, reason: String) -> Failure {
    Box::new(move |before| unreadable(before.saturating_add(row), &text, (column, serde_json::Error::custom(reason))))
}

fn failure_of_row(number: u64, row: Row, column: Option<String>, reason: String) -> Failure {
    Box::new(move |before| {
        unreadable_row(before.saturating_add(number), &row, (column, serde_json::Error::custom(reason)))
    })
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;

    use super::super::decode::Field;
    use super::super::profile::Kind;
    use super::*;
    use crate::codec::columns::ColumnType;

    /// Decodes records of integers, of columns with these names, of which two are required in another order.
    fn decode(csv: &str, nulls: bool, post_filter: Option<PostFilter>) -> Result<Decoded, String> {
        let field = |name: &str| Field { name: name.to_owned(), kind: Kind::Int, hidden: false };
        let header = Header { fields: ["a", "b", "c"].map(field).to_vec(), number: None, required: vec![2, 0] };
        let columns = ["c", "a"].map(|name| (name.to_owned(), ColumnType::Int)).to_vec();
        let fields: Vec<_> = columns.iter().map(|(name, kind)| kind.field(name)).collect();
        let layout = Layout { schema: Arc::new(arrow_schema::Schema::new(fields)), columns };
        let decoder = Decoder { layout, post_filter, nulls };
        let decoded = decoder.decode(Block::Records(Arc::new(header), csv.as_bytes().to_vec()));
        decoded.map_err(|failure| {
            let error = failure(100);
            format!("{error}: {}", error.source().map(ToString::to_string).unwrap_or_default())
        })
    }

    fn column(decoded: &Decoded, index: usize) -> Vec<Option<i64>> {
        decoded.batch.column(index).as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn the_first_row_that_cannot_be_read_is_the_error_whatever_its_column() {
        for (csv, place, reason) in [
            ("1,,3\n4,,y\nx,,6\n", "row 102, column c", "`y` is not representable"),
            ("1,,3\nx,,6\n4,,y\n", "row 102, column a", "`x` is not representable"),
            ("1,,3\nx,,y\n", "row 102, column c", "`y` is not representable"),
            ("1,,3\n2\nx,,y\n", "row 102", "the row has 1 values, the table 3"),
            ("x,,3\n2\n", "row 101, column a", "`x` is not representable"),
            ("1,,3\n\"2\"4,,5\n", "the export cannot be read", "a quoted value does not end"),
            ("x,,3\n\"2\"4,,5\n", "row 101, column a", "`x` is not representable"),
        ] {
            let error = decode(csv, false, None).err().unwrap();
            assert!(error.contains(place) && error.contains(reason), "{csv:?}: {error}");
            assert!(place.contains("column") || !error.contains("column"), "{csv:?}: {error}");
        }
    }

    #[test]
    fn columns_hold_the_records_that_satisfy_the_condition() {
        let filter = || Some(PostFilter::Null { column: "b".to_owned(), negated: true });
        let decoded = decode("1,2,3\n4,,x\n\n7,8,\n", false, filter()).ok().unwrap();
        assert_eq!((column(&decoded, 0), column(&decoded, 1)), (vec![Some(3), None], vec![Some(1), Some(7)]));
        assert_eq!((decoded.received, decoded.bytes), (3, 17));
        let error = decode("1,,3\n4,,\n7,8,x\n", false, filter()).err().unwrap();
        assert!(error.contains("row 103, column c"), "{error}");
    }

    #[test]
    fn values_that_do_not_fit_are_null_where_they_may_be() {
        let decoded = decode("1,,x\n9223372036854775808,,2\n", true, None).ok().unwrap();
        assert_eq!((column(&decoded, 0), column(&decoded, 1)), (vec![None, Some(2)], vec![Some(1), None]));
        assert!(decode("1,,x\n2\n", true, None).err().unwrap().contains("the row has 1 values"));
    }
}
