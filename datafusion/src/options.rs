//! How tables are read.

use std::num::NonZeroUsize;

/// How tables are read; given to [`register_with`](crate::register_with).
///
/// ```
/// use datagouv_datafusion::Options;
///
/// let options = Options::default().parquet(false).partitions(2.try_into().unwrap());
/// # let _ = options;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub(crate) parquet: bool,
    pub(crate) partitions: NonZeroUsize,
    pub(crate) alternatives: bool,
    pub(crate) row_numbers: bool,
    pub(crate) groups: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parquet: true,
            partitions: NonZeroUsize::MIN.saturating_add(3),
            alternatives: true,
            row_numbers: false,
            groups: true,
        }
    }
}

impl Options {
    /// Reads the platform's Parquet copy of a table where it is fresh and has the columns of the query. The default is true.
    #[must_use]
    pub fn parquet(self, parquet: bool) -> Self {
        Self { parquet, ..self }
    }

    /// Sets the greatest number of partitions of a table that is read from the tabular API. The default is 4: the server,
    /// not the decoding, is what a reader waits for. No more requests than that are sent at once for a table, and all
    /// tables share the limits of the client.
    #[must_use]
    pub fn partitions(self, partitions: NonZeroUsize) -> Self {
        Self { partitions, ..self }
    }

    /// Sends alternatives (`a = 1 OR b = 2`) to the server. The default is true; tabular servers up to version 0.3.1 refuse
    /// them.
    #[must_use]
    pub fn alternatives(self, alternatives: bool) -> Self {
        Self { alternatives, ..self }
    }

    /// Adds the column `__id`, the server's number of the row, to the tables of resources. The default is false. Parquet
    /// copies do not have it.
    #[must_use]
    pub fn row_numbers(self, row_numbers: bool) -> Self {
        Self { row_numbers, ..self }
    }

    /// Has the server group the rows of a table, where it does so for the resource and there are few groups. The default is
    /// true.
    #[must_use]
    pub fn groups(self, groups: bool) -> Self {
        Self { groups, ..self }
    }
}
