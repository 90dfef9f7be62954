//! The query of rows and its builder.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;

use super::check::check;
use super::encoding::Query;
use super::expression::Condition;
use super::extent::Extent;
use super::open;
use super::order::{Aggregate, Order};
use super::pages::RowPages;
use super::plan::Plan;
use super::request::Request;
use super::source::{Page, Source};
use super::stream::RowStream;
use crate::{ByteStream, Client, Error, Response, Result};

/// A query of the rows of a table; made by [`ResourceHandle::rows`](crate::objects::ResourceHandle) and
/// [`Client::metrics_of`].
///
/// ```no_run
/// # #[cfg(feature = "tabular")]
/// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
/// use datagouv::rows::{Row, avg, col, count};
///
/// let by_town = client
///     .resource("3f5e1c2a-7b4d-4e6f-8a90-1b2c3d4e5f60")
///     .rows::<Row>()
///     .filter(col("acces_libre").eq(true))
///     .group_by(["commune"])
///     .aggregate([count("id_pdc"), avg("puissance")])
///     .collect(1_000)
///     .await?;
/// for town in by_town {
///     println!("{}: {} points, {} kW", town["commune"], town["id_pdc__count"], town["puissance__avg"]);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a query does nothing until it is read"]
pub struct Rows<T> {
    pub(super) client: Client,
    pub(super) source: Source,
    pub(super) request: Request,
    row: PhantomData<fn() -> T>,
}

impl<T> Rows<T> {
    pub(crate) fn new(client: &Client, source: Source) -> Self {
        Self { client: client.clone(), source, request: Request::default(), row: PhantomData }
    }

    /// Keeps the rows that satisfy a condition; called again, those that satisfy all conditions.
    pub fn filter(mut self, condition: Condition) -> Self {
        self.request.filter = Some(match self.request.filter.take() {
            Some(other) => other.and(condition),
            None => condition,
        });
        self.request.extent = None;
        self
    }

    /// Sorts the rows by a column; called again, sorts rows that are equal in the columns before by another. The default is
    /// the order of the table.
    ///
    /// Rows that are equal in all these columns are in the order of the table, and groups in that of their other columns.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tabular")]
    /// # fn example(client: datagouv::Client) {
    /// use datagouv::rows::{Row, col};
    ///
    /// let stations = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf").rows::<Row>();
    /// let sorted = stations.sort(col("puissance").desc().nulls_last()).sort(col("commune").asc());
    /// # let _ = sorted;
    /// # }
    /// ```
    pub fn sort(mut self, order: Order) -> Self {
        self.request.orders.push(order);
        self
    }

    /// Limits the rows to the first of the order. A number that fits into a page takes one request.
    ///
    /// [`count`](Self::count), [`csv`](Self::csv) and [`json`](Self::json) are not limited.
    pub fn limit(mut self, rows: u64) -> Self {
        self.request.limit = Some(rows);
        self
    }

    /// Selects columns, in this order.
    pub fn select<Name: Into<String>>(mut self, columns: impl IntoIterator<Item = Name>) -> Self {
        self.request.select = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Selects the columns that the row type has fields for, by their serde names.
    ///
    /// All columns are selected for a type that is not a struct, or that flattens another one. Aliases of fields are
    /// selected too, and the server refuses those that are no columns: use [`select`](Self::select) for such a type.
    pub fn select_fields(mut self) -> Self
    where
        T: DeserializeOwned,
    {
        self.request.select = super::fields::of::<T>();
        self
    }

    /// Groups rows that have the same values in some columns; needs [`aggregate`](Self::aggregate).
    pub fn group_by<Name: Into<String>>(mut self, columns: impl IntoIterator<Item = Name>) -> Self {
        self.request.group_by = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Computes aggregates of each group, or of all rows if there are no groups. The tabular API does this for some
    /// resources only ([`Error::is_aggregation_refused`]).
    pub fn aggregate(mut self, aggregates: impl IntoIterator<Item = Aggregate>) -> Self {
        self.request.aggregates = aggregates.into_iter().collect();
        self
    }

    /// Sets the number of concurrent requests. The default is 4. Of each window that is fetched ahead, at most 4 MiB are
    /// kept in memory.
    pub fn concurrency(mut self, requests: NonZeroUsize) -> Self {
        self.request.concurrency = requests;
        self
    }

    /// Checks the query against the profile of the table before it is sent: unknown columns, operators that the type
    /// of a column does not take, aggregation that is not allowed or has no index are errors with a reason. A
    /// [stream](Self::stream) then has all [warnings](RowStream::warnings) that [`explain`](Self::explain) gives.
    ///
    /// The profile is requested once and kept for five minutes.
    pub fn checked(mut self) -> Self {
        self.request.checked = true;
        self
    }

    /// Returns how [`stream`](Self::stream) will read the rows and why, with warnings about their values.
    ///
    /// It reads the profile of the table (`getResourceProfile`) and what the catalogue knows of the resource
    /// (`get_resource` of v2, where the client has its API). What only the server knows may change the reading:
    /// [`RowStream::reading`] returns the final one.
    ///
    /// # Errors
    ///
    /// Returns an error if the query cannot be sent, or the server has no such table.
    pub async fn explain(&self) -> Result<Plan> {
        open::explain(&self.client, &self.source, &self.request).await
    }

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
        let mut whole = open::nothing(&self.source, &self.request);
        for part in self.request.parts()? {
            let extent = open::extent(&self.client, &self.source, &part).await?;
            whole.rows = whole.rows.zip(extent.rows).map(|(so_far, rows)| so_far + rows);
            whole.last = whole.last.max(extent.last);
        }
        Ok(whole)
    }

    /// Sets the known extent, so that a stream does not request it again. It must be of this query.
    pub fn known_extent(mut self, extent: Extent) -> Self {
        self.request.extent = Some(extent);
        self
    }

    /// Returns the number of rows that match, whatever the [limit](Self::limit).
    ///
    /// # Errors
    ///
    /// Those of [`send`](crate::Call::send); also if the query aggregates, since the server does not count groups, or if
    /// the client has to check the condition ([`Condition`]).
    pub async fn count(&self) -> Result<u64> {
        if self.request.aggregates() {
            return Err(Error::request("the server does not count groups: read them"));
        }
        self.check().await?;
        // A count does not depend on the order.
        let unsorted = Request { orders: Vec::new(), ..self.request.clone() };
        let mut total = 0_u64;
        for part in unsorted.parts()? {
            let mut query = part.exactly_filtered("counting the rows")?;
            // Two rows: the server returns no rows for a page size of one.
            query.page(1, 2);
            let page: Response<Page> = self.source.page(&self.client, &query).send().await?;
            let counted = page.meta.total;
            total += counted.ok_or_else(|| Error::transport("the server does not tell how many rows there are"))?;
        }
        Ok(total)
    }

    /// Returns the rows as the server's CSV: UTF-8; null is empty and the empty text is `""`; booleans are `t` and `f`;
    /// backslashes within quotes are doubled. If no row matches there is no header.
    ///
    /// # Errors
    ///
    /// Those of [`send`](crate::Call::send); [too long](Error::is_too_long) beyond 50,000 rows.
    pub async fn csv(&self) -> Result<Response<ByteStream>> {
        let query = self.exported("an export as it is")?;
        self.check().await?;
        match self.source.csv(&self.client, &query).send().await {
            Err(error) => Err(self.with_reason(error, query).await),
            export => export,
        }
    }

    /// Returns the rows as the server's JSON, an array. The metrics API has no such export.
    ///
    /// # Errors
    ///
    /// Those of [`send`](crate::Call::send); [too long](Error::is_too_long) beyond 50,000 rows.
    pub async fn json(&self) -> Result<Response<ByteStream>> {
        let query = self.exported("an export as it is")?;
        self.check().await?;
        match self.source.json(&self.client, &query)?.send().await {
            Err(error) => Err(self.with_reason(error, query).await),
            export => export,
        }
    }

    /// The error of an export. The database's errors have no reason in an export, but in a page.
    async fn with_reason(&self, error: Error, mut query: Query) -> Error {
        if !error.lacks_reason() {
            return error;
        }
        query.page(1, 2);
        self.source.page(&self.client, &query).send().await.err().unwrap_or(error)
    }

    fn exported(&self, purpose: &str) -> Result<Query> {
        let query = self.request.exactly_filtered(purpose)?;
        self.request.paged(query, None, &[])
    }

    /// Hides the row numbers.
    #[cfg(feature = "records")]
    pub(crate) fn without_number(mut self) -> Self {
        self.request.hides_number = true;
        self
    }

    /// Changes the row type.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tabular")]
    /// # fn example(client: datagouv::Client) {
    /// use datagouv::rows::Row;
    ///
    /// let untyped = client.resource("3f5e1c2a-7b4d-4e6f-8a90-1b2c3d4e5f60").rows::<Row>();
    /// let typed = untyped.read_as::<std::collections::BTreeMap<String, Option<String>>>();
    /// # let _ = typed;
    /// # }
    /// ```
    pub fn read_as<U>(self) -> Rows<U> {
        Rows { client: self.client, source: self.source, request: self.request, row: PhantomData }
    }

    async fn check(&self) -> Result<()> {
        check(&self.client, &self.source, &self.request).await
    }
}

impl<T: DeserializeOwned> Rows<T> {
    /// Returns a stream of the rows, fetched concurrently as [the module](super) describes.
    ///
    /// Nothing is sent before the stream is polled. Dropping it cancels its requests.
    pub fn stream(self) -> RowStream<T> {
        RowStream::new(self.client, self.source, self.request)
    }

    /// Returns the first row, if there is one, with one request.
    ///
    /// # Errors
    ///
    /// Those of the [stream](Self::stream).
    pub async fn first(self) -> Result<Option<T>> {
        self.limit(1).stream().next().await.transpose()
    }

    /// Returns a stream of pages of rows, read as JSON. It ends with the page that reaches the [limit](Self::limit).
    pub fn pages(self) -> RowPages<T> {
        RowPages::new(self.client, self.source, self.request)
    }

    /// Collects the rows, of which there may be at most `most`.
    ///
    /// # Errors
    ///
    /// Those of the [stream](Self::stream); also if there are more rows.
    pub async fn collect(self, most: usize) -> Result<Vec<T>> {
        let mut stream = self.stream();
        let mut rows = Vec::new();
        while let Some(row) = stream.next().await {
            if rows.len() == most {
                return Err(Error::transport(format!(
                    "there are more than {most} rows: ask for fewer, or stream them"
                )));
            }
            rows.push(row?);
        }
        Ok(rows)
    }
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            source: self.source.clone(),
            request: self.request.clone(),
            row: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("source", &self.source).field("request", &self.request).finish_non_exhaustive()
    }
}
