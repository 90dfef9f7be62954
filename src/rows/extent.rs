//! How many rows a query has, and its division into parts.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;

use super::encoding::Query;
use super::expression::col;
use super::plan::Reading;
use super::query::Rows;
use super::request::Request;
use super::row::ROW_NUMBER;
use super::source::{Page, Source};
use super::windows::MOST_EXPORTED;
use crate::{Client, Error, Result};

/// The number of the rows that match, and the last of their row numbers; made by [`Rows::extent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extent {
    /// The number of rows that the server finds; `None` if it does not tell. Rows that the client drops afterwards
    /// ([`Condition::exactness`](super::Condition::exactness)) are among them.
    pub rows: Option<u64>,
    /// The greatest row number (`__id`) among them; `None` if there is no row, or none with a number.
    pub last: Option<i64>,
}

/// Tables of more rows are read in windows, so that the first rows come before all others are read.
pub(super) const MOST_AT_ONCE: u64 = 5_000;

impl<T> Rows<T> {
    /// Keeps the rows whose number (`__id`) is within a range; called again, within both ranges.
    ///
    /// Unlike a [filter](Self::filter) on `__id`, it also bounds the windows that the rows are read in, so that a part of
    /// a long table costs as many requests as it has rows to fill. `i64::MIN` and `i64::MAX` stand for no bound.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tabular")]
    /// # fn example(client: datagouv::Client) {
    /// use datagouv::rows::Row;
    ///
    /// let second_half = client
    ///     .resource("1c5075ec-7ce1-49cb-ab89-94f507812daf")
    ///     .rows::<Row>()
    ///     .row_numbers(500_001..=1_000_000);
    /// # let _ = second_half;
    /// # }
    /// ```
    pub fn row_numbers(mut self, numbers: RangeInclusive<i64>) -> Self {
        let (first, last) = self.request.numbers.unwrap_or((i64::MIN, i64::MAX));
        self.request.numbers = Some((first.max(*numbers.start()), last.min(*numbers.end())));
        self.request.extent = None;
        self
    }

    /// Returns the number of rows that match and the last row number, with one request (two for metrics).
    ///
    /// # Errors
    ///
    /// Those of [`send`](crate::Call::send); also if the query aggregates, since groups have no numbers.
    pub async fn extent(&self) -> Result<Extent> {
        if self.request.aggregates() {
            return Err(Error::request("the rows of a query that groups or aggregates have no numbers: read them"));
        }
        let mut whole = Extent { rows: Some(0), last: None };
        for part in self.request.parts()? {
            let extent = extent(&self.client, &self.source, &part).await?;
            whole.rows = whole.rows.zip(extent.rows).map(|(so_far, rows)| so_far + rows);
            whole.last = whole.last.max(extent.last);
        }
        Ok(whole)
    }

    /// Divides the query into at most `most` queries of successive ranges of [row numbers](Self::row_numbers), which have
    /// its rows between them, to be read concurrently or by several machines. It takes one request.
    ///
    /// There is one query alone where more do not help: where an export holds all the rows (50,000), or where windows of row
    /// numbers do not apply ([`Rows::explain`]): another order, a limit, groups, rows without numbers.
    ///
    /// # Errors
    ///
    /// Those of [`send`](crate::Call::send).
    pub async fn partitions(self, most: NonZeroUsize) -> Result<Vec<Self>> {
        let request = &self.request;
        let divisible = request.reading() == Reading::Windows
            && request.descending() == Some(false)
            && request.limit.is_none()
            && self.source.numbers_every_row();
        if !divisible || request.parts()?.len() > 1 {
            return Ok(vec![self]);
        }
        let extent = extent(&self.client, &self.source, request).await?;
        let exports = extent.rows.unwrap_or(0).div_ceil(MOST_EXPORTED);
        let count = exports.min(u64::try_from(most.get()).unwrap_or(u64::MAX));
        let (Some(last), 2..) = (extent.last, count) else {
            let mut whole = self;
            whole.request.extent = Some(extent);
            return Ok(vec![whole]);
        };
        let first = request.numbers.map_or(1, |(first, _)| first).max(1).min(last);
        let width = last.abs_diff(first) / count + 1;
        let mut parts = Vec::new();
        let mut from = first;
        while from <= last {
            let to = i64::try_from(width - 1).map_or(last, |span| from.saturating_add(span)).min(last);
            // Numbers start at 1 as a rule: what may be below belongs to the first part, and what was added since to none.
            let start = if parts.is_empty() { i64::MIN } else { from };
            parts.push(self.clone().row_numbers(start..=to));
            from = to.saturating_add(1);
        }
        Ok(parts)
    }
}

/// The extent of a query that fits into a request.
pub(super) async fn extent(client: &Client, source: &Source, request: &Request) -> Result<Extent> {
    let numbered = source.numbers_every_row();
    let descending = [col(ROW_NUMBER).desc()];
    let page = async |mut query: Query| -> Result<Page> {
        // Two rows: the server was seen to answer a page of one with nothing.
        query.page(1, 2);
        Ok(source.page(client, &query).send().await?.into_inner())
    };
    let (mut query, _) = request.filtered()?;
    if numbered {
        query.sort(&descending)?;
    }
    let mut found = page(query).await?;
    let rows = found.meta.total;
    if !numbered && rows.is_some_and(|rows| rows > MOST_AT_ONCE) {
        let (mut query, _) = request.filtered()?;
        query.numbered(true);
        query.sort(&descending)?;
        found = page(query).await?;
    }
    Ok(Extent { rows, last: found.data.first().and_then(|row| row[ROW_NUMBER].as_i64()) })
}
