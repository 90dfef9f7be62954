//! The number of rows of a query, and its division into ranges of row numbers.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::source::MOST_EXPORTED;

/// The number of the rows that match, and the last of their row numbers; made by [`Rows::extent`](super::Rows::extent). It
/// can be sent to other machines with serde.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Extent {
    /// The number of rows that the server finds; `None` if unknown. Rows that the client drops afterwards
    /// ([`Condition::exactness`](super::Condition::exactness)) are among them.
    pub rows: Option<u64>,
    /// The greatest row number (`__id`) among them; `None` if there is no row, or none with a number.
    pub last: Option<i64>,
    /// The least number that there may be.
    first: i64,
    /// Whether every row has a number.
    numbered: bool,
}

impl Extent {
    /// No rows; `first` is the least number that there may be.
    pub(super) fn nothing(first: i64, numbered: bool) -> Self {
        Self { rows: Some(0), last: None, first, numbered }
    }

    /// Divides the [row numbers](super::Rows::row_numbers) into at most `most` successive ranges, whose queries have all rows
    /// between them: to be read concurrently or by several machines.
    ///
    /// There is only one range if more do not help: if an export holds all the rows (50,000), or not every row has a
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
        // Numbers usually start at 1.
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
