//! Blocks of rows decoded into record batches.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use memchr::memchr_iter;
use serde::de::Error as _;

use super::blocks::Block;
use super::failure::{malformed, uneven, unreadable, unreadable_row};
use super::header::Header;
use super::layout::Layout;
use super::post_filter::PostFilter;
use super::reader::text_of;
use super::record::Records;
use super::row::Row;
use crate::Error;
use crate::codec::columns::{Column, Unfit};

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

    fn columns(&self, capacity: usize) -> Vec<Column> {
        self.layout.columns.iter().map(|(_, kind)| Column::new(*kind, capacity)).collect()
    }

    fn records(&self, header: &Header, bytes: Vec<u8>) -> Result<Decoded, Failure> {
        let size = bytes.len();
        let mut columns = self.columns(memchr_iter(b'\n', &bytes).count());
        let mut records = Records::whole(bytes);
        let (mut received, mut kept) = (0_u64, 0);
        loop {
            let record = match records.next(header.fields.len()) {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(reason) => return Err(Box::new(move |_| malformed(reason))),
            };
            received += 1;
            if record.len() != header.fields.len() {
                let reason = uneven(record.len(), header.fields.len());
                return Err(failure(received, record.text().to_owned(), None, reason));
            }
            let holds = |filter: &PostFilter| filter.holds(&|column| record.text_of(&header.fields, column));
            if !self.post_filter.as_ref().is_none_or(holds) {
                continue;
            }
            kept += 1;
            for (index, (place, column)) in header.places.iter().zip(&mut columns).enumerate() {
                let Some(cell) = record.cell(*place).filter(|cell| !cell.is_null()) else {
                    column.push_null();
                    continue;
                };
                if let Err(unfit) = column.push(&cell.text()) {
                    self.unfit(unfit, column).map_err(|reason| {
                        let reason = format!("`{}` is not representable: {reason}", cell.text());
                        failure(received, record.text().to_owned(), self.name(index), reason)
                    })?;
                }
            }
        }
        self.finish(columns, kept, received, size)
    }

    fn rows(&self, rows: &[Row]) -> Result<Decoded, Failure> {
        let mut columns = self.columns(rows.len());
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
                if let Err(unfit) = column.push_json(value) {
                    self.unfit(unfit, column).map_err(|reason| {
                        let reason = format!("`{}` is not representable: {reason}", text_of(value).unwrap_or_default());
                        failure_of_row(received, row.clone(), self.name(index), reason)
                    })?;
                }
            }
        }
        let received = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        self.finish(columns, kept, received, 0)
    }

    /// Null for a value that the column cannot hold, where it is allowed.
    fn unfit(&self, unfit: Unfit, column: &mut Column) -> Result<(), &'static str> {
        if self.nulls && matches!(unfit, Unfit::Value(_)) {
            column.push_null();
            return Ok(());
        }
        Err(unfit.reason())
    }

    fn name(&self, index: usize) -> Option<String> {
        self.layout.columns.get(index).map(|(name, _)| name.clone())
    }

    fn finish(&self, columns: Vec<Column>, kept: usize, received: u64, bytes: usize) -> Result<Decoded, Failure> {
        let columns = columns.into_iter().map(Column::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(kept));
        match RecordBatch::try_new_with_options(Arc::clone(&self.layout.schema), columns, &options) {
            Ok(batch) => Ok(Decoded { batch, received, bytes }),
            Err(error) => Err(Box::new(move |_| Error::unreadable(format!("the rows make no record batch: {error}")))),
        }
    }
}

fn failure(row: u64, text: String, column: Option<String>, reason: String) -> Failure {
    Box::new(move |before| unreadable(before.saturating_add(row), &text, (column, serde_json::Error::custom(reason))))
}

fn failure_of_row(number: u64, row: Row, column: Option<String>, reason: String) -> Failure {
    Box::new(move |before| {
        unreadable_row(before.saturating_add(number), &row, (column, serde_json::Error::custom(reason)))
    })
}
