//! Columns of Arrow from the cells of CSV.
//!
//! What is called for each cell is inlined whatever its size: calls would take as long as the parsing.

use arrow_array::ArrowPrimitiveType;
use arrow_array::builder::{PrimitiveBuilder, StringBuilder};

use super::columns::{
    Column, NO_DATE, Unfit, boolean, date, float, instant, int, push_json, push_text, unsigned, unzoned,
};
use super::csv::Cell;

impl Column {
    /// Appends values. If `or_null`, those that the column cannot hold are null.
    ///
    /// # Errors
    ///
    /// At the first value that the column cannot hold. Those before it are appended.
    pub(crate) fn extend<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>, or_null: bool) -> Result<(), Unfit> {
        // A loop for each type has branches that are predicted.
        match self {
            Self::Text(column) => append_texts(column, cells, push_text),
            Self::Json(column) => append_texts(column, cells, push_json),
            Self::Int(column) => append_parsed(column, cells, or_null, int),
            Self::Unsigned(column) => append_parsed(column, cells, or_null, unsigned),
            Self::Float(column) => append_parsed(column, cells, or_null, float),
            Self::Bool(column) => append(cells, or_null, boolean, |value| column.append_option(value)),
            Self::Date(column) => append_parsed(column, cells, or_null, |text| date(text).ok_or(NO_DATE)),
            Self::Datetime(column) => append_parsed(column, cells, or_null, unzoned),
            Self::Instant(column) => append_parsed(column, cells, or_null, instant),
        }
    }
}

/// Appends what is parsed of cells one by one.
#[inline(always)]
fn append<'a, N>(
    cells: impl Iterator<Item = Cell<'a>>,
    or_null: bool,
    parse: impl Fn(&[u8]) -> Result<N, Unfit>,
    mut append: impl FnMut(Option<N>),
) -> Result<(), Unfit> {
    for cell in cells {
        let parsed = if cell.is_null() { None } else { Some(parse(cell.bytes())) };
        let value = match parsed {
            None => None,
            Some(Ok(value)) => Some(value),
            Some(Err(Unfit::Value(_))) if or_null => None,
            Some(Err(unfit)) => return Err(unfit),
        };
        append(value);
    }
    Ok(())
}

fn append_parsed<'a, T: ArrowPrimitiveType>(
    column: &mut PrimitiveBuilder<T>,
    cells: impl Iterator<Item = Cell<'a>>,
    or_null: bool,
    parse: impl Fn(&[u8]) -> Result<T::Native, Unfit>,
) -> Result<(), Unfit> {
    append(cells, or_null, parse, |value| column.append_option(value))
}

/// Appends texts one by one.
fn append_texts<'a>(
    column: &mut StringBuilder,
    cells: impl Iterator<Item = Cell<'a>>,
    push: impl Fn(&mut StringBuilder, Option<&str>) -> Result<(), Unfit>,
) -> Result<(), Unfit> {
    for cell in cells {
        let text = (!cell.is_null()).then(|| cell.text());
        push(column, text.as_deref())?;
    }
    Ok(())
}
