//! How many rows a query has, and its division into parts.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::encoding::Query;
use super::expression::col;
use super::query::Rows;
use super::request::Request;
use super::row::ROW_NUMBER;
use super::source::{Page, Source};
use super::windows::MOST_EXPORTED;
use crate::{Client, Error, Result};

/// The number of the rows that match, and the last of their row numbers; made by [`Rows::extent`]. It can be sent to other
/// machines with serde.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Extent {
    /// The number of rows that the server finds; `None` if it does not tell. Rows that the client drops afterwards
    /// ([`Condition::exactness`](super::Condition::exactness)) are among them.
    pub rows: Option<u64>,
    /// The greatest row number (`__id`) among them; `None` if there is no row, or none with a number.
    pub last: Option<i64>,
    /// The least number that there may be.
    first: i64,
    /// Whether every row has a number.
    numbered: bool,
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
        let mut whole = Extent::nothing(&self.source, &self.request);
        for part in self.request.parts()? {
            let extent = extent(&self.client, &self.source, &part).await?;
            whole.rows = whole.rows.zip(extent.rows).map(|(so_far, rows)| so_far + rows);
            whole.last = whole.last.max(extent.last);
        }
        Ok(whole)
    }

    /// Tells the query its extent, so that a stream does not ask for it again. It must be of this query.
    pub fn known_extent(mut self, extent: Extent) -> Self {
        self.request.extent = Some(extent);
        self
    }
}

impl Extent {
    fn nothing(source: &Source, request: &Request) -> Self {
        let first = request.numbers.map_or(i64::MIN, |(first, _)| first);
        Self { rows: Some(0), last: None, first, numbered: source.numbers_every_row() }
    }

    /// Divides the [row numbers](Rows::row_numbers) into at most `most` successive ranges, whose queries have all rows
    /// between them: to be read concurrently or by several machines.
    ///
    /// There is one range alone where more do not help: where an export holds all the rows (50,000), or not every row has a
    /// number. The first range has no lower bound, and the last one ends at the last number: rows that were added since
    /// are in none.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tabular")]
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use std::num::NonZeroUsize;
    /// use datagouv::rows::Row;
    ///
    /// let rows = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf").rows::<Row>();
    /// let extent = rows.extent().await?;
    /// for range in extent.ranges(NonZeroUsize::new(4).unwrap()) {
    ///     let part = rows.clone().row_numbers(range);
    ///     # let _ = part;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn ranges(&self, most: NonZeroUsize) -> Vec<RangeInclusive<i64>> {
        let exports = self.rows.unwrap_or(0).div_ceil(MOST_EXPORTED);
        let count = exports.min(u64::try_from(most.get()).unwrap_or(u64::MAX));
        let (Some(last), true, 2..) = (self.last, self.numbered, count) else {
            return vec![i64::MIN..=i64::MAX];
        };
        // Numbers start at 1 as a rule.
        let first = self.first.max(1).min(last);
        let width = i64::try_from(last.abs_diff(first) / count + 1).unwrap_or(i64::MAX);
        let mut ranges = Vec::new();
        let mut from = first;
        while from <= last {
            let to = from.saturating_add(width - 1).min(last);
            ranges.push(if ranges.is_empty() { self.first..=to } else { from..=to });
            from = to.saturating_add(1);
        }
        ranges
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
    let last = found.data.first().and_then(|row| row[ROW_NUMBER].as_i64());
    Ok(Extent { rows, last, ..Extent::nothing(source, request) })
}
